//! What recorded predictions say of images, and how ensembles voted.

use std::collections::BTreeMap;

use safelight_lineage::digest::BlobId;
use safelight_lineage::event::{Honesty, PredictionSource};
use safelight_lineage::id::{EnsembleId, ImageId};
use safelight_lineage::state::{PredictionsRecord, State};
use safelight_lineage::value::ClassIndex;
use safelight_store::Blobs;
use safelight_tui::{DisputedImage, Judgement, Judgements, MemberPair, Opinions, PortError, VoteTable};

use crate::ensemble::{Ballot, Votes, VotesRow, agreement};
use crate::predictions::Probabilities;

/// How many bytes of predictions are kept for the next image.
const KEPT: usize = 64 << 20;

/// What recorded predictions say.
pub(super) struct StoredJudgements {
    blobs: Blobs,
    /// Blobs that were read, by use: the oldest first.
    kept: Vec<(BlobId, Vec<u8>)>,
}

impl StoredJudgements {
    pub(super) fn new(blobs: Blobs) -> StoredJudgements {
        StoredJudgements { blobs, kept: Vec::new() }
    }

    /// The bytes of a blob, read once as long as there is room.
    fn bytes(&mut self, blob: BlobId) -> Result<&[u8], PortError> {
        match self.kept.iter().position(|(other, _)| *other == blob) {
            Some(place) => {
                let used = self.kept.remove(place);
                self.kept.push(used);
            }
            None => {
                let bytes = self.blobs.get(blob).map_err(PortError::new)?;
                self.kept.push((blob, bytes));
                let sum =
                    |kept: &[(BlobId, Vec<u8>)]| kept.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
                while self.kept.len() > 1 && sum(&self.kept) > KEPT {
                    self.kept.remove(0);
                }
            }
        }
        Ok(self.kept.last().map_or(&[][..], |(_, bytes)| bytes))
    }
}

/// The predictions in the order in which they count: the newest first, those of
/// models that had learned the images last.
fn by_weight(state: &State) -> Vec<&PredictionsRecord> {
    let mut records: Vec<&PredictionsRecord> = state.predictions().iter().rev().collect();
    records.sort_by_key(|record| record.event.honesty == Honesty::InSample);
    records
}

/// What made predictions, to show each only by its newest.
fn model(record: &PredictionsRecord) -> Vec<u8> {
    match &record.event.source {
        PredictionSource::Checkpoint { checkpoint } => checkpoint.0.to_vec(),
        PredictionSource::Folds { checkpoints } => checkpoints.iter().flat_map(|id| id.0).collect(),
        PredictionSource::External { name } => name.clone().into_bytes(),
    }
}

impl Judgements for StoredJudgements {
    fn opinions(&mut self, state: &State) -> Result<Opinions, PortError> {
        let mut opinions = Opinions::new(state.image_count());
        for record in by_weight(state) {
            // Kept as read: what is said of the selected image is in it, too.
            let bytes = self.bytes(record.event.probabilities)?;
            let said = Probabilities::decisions_in(bytes, |image, class, sure| {
                Some((state.row_of(image)?, class, sure))
            });
            for (row, class, sure) in said.map_err(PortError::new)? {
                opinions.put(row, class, sure);
            }
        }
        Ok(opinions)
    }

    fn of_image(&mut self, state: &State, image: ImageId) -> Result<Vec<Judgement>, PortError> {
        let split = state.image(image).map(|view| view.split);
        let mut heard: Vec<Vec<u8>> = Vec::new();
        let mut said = Vec::new();
        for record in state.predictions().iter().rev() {
            let model = model(record);
            if split != Some(record.event.split) || heard.contains(&model) {
                continue;
            }
            let bytes = self.bytes(record.event.probabilities)?;
            let row = Probabilities::row_in(bytes, image).map_err(PortError::new)?;
            if let Some(probabilities) = row {
                heard.push(model);
                said.push(Judgement { predictions: record.event.predictions, probabilities });
            }
        }
        Ok(said)
    }

    fn votes(&mut self, state: &State, ensemble: EnsembleId) -> Result<VoteTable, PortError> {
        let record = state.ensembles().get(ensemble);
        let event = &record.ok_or_else(|| PortError::new(format!("there is no ensemble {ensemble}")))?.event;
        let votes = self.blobs.get(event.votes).map_err(PortError::new)?;
        let votes = Votes::from_bytes(&votes).map_err(PortError::new)?;
        let read = |blob| self.blobs.get(blob);
        let mut said = Vec::new();
        for member in &event.members {
            let predictions = member.predictions;
            let probabilities = crate::ensemble::cast::probabilities(state, read, predictions);
            said.push((predictions, member.weight.0, probabilities.map_err(PortError::new)?));
        }
        let ballots: Vec<Ballot<'_>> = said
            .iter()
            .map(|(predictions, weight, probabilities)| Ballot {
                predictions: *predictions,
                weight: *weight,
                probabilities,
            })
            .collect();
        let alike = agreement(&ballots, &BTreeMap::new()).map_err(PortError::new)?;
        let members: Vec<_> = event.members.iter().map(|member| member.predictions).collect();
        let place = |id| members.iter().position(|member| *member == id);
        let pairs = alike.pairs.iter().filter_map(|pair| {
            Some(MemberPair {
                one: place(pair.one)?,
                other: place(pair.other)?,
                disagreement: pair.disagreement,
                kappa: pair.kappa,
                correlation: pair.correlation,
            })
        });
        let mut disputed: Vec<VotesRow<'_>> =
            votes.rows().filter(|row| row.ballots.iter().any(|ballot| *ballot != row.ballots[0])).collect();
        disputed.sort_by_key(|row| (support(row), row.image));
        Ok(VoteTable {
            images: votes.images().len(),
            unanimous: votes.images().len() - disputed.len(),
            ties: votes.tied(),
            pairs: pairs.collect(),
            disputed: disputed.into_iter().map(shown).collect(),
            members,
        })
    }
}

/// How many members voted as most did: the fewer, the more divided.
fn support(row: &VotesRow<'_>) -> usize {
    let count = |class: &ClassIndex| row.ballots.iter().filter(|other| *other == class).count();
    row.ballots.iter().map(count).max().unwrap_or(0)
}

fn shown(row: VotesRow<'_>) -> DisputedImage {
    DisputedImage { image: row.image, ballots: row.ballots.to_vec(), decision: row.decision, tie: row.tie }
}
