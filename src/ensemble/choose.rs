//! Choosing members for images without labels by what the same models say of
//! images with labels.

use std::collections::{BTreeMap, BTreeSet};

use safelight_lineage::digest::{BlobId, ManifestDigest};
use safelight_lineage::event::{PredictionSource, PredictionsRecorded, Split, VoteRule};
use safelight_lineage::id::{ImageId, PredictionsId};
use safelight_lineage::state::State;
use safelight_lineage::value::ClassIndex;
use safelight_store::BlobError;

use super::cast::{CastError, probabilities};
use super::leak::{Leak, leaks, twins};
use super::{Ballot, GreedyError, GreedySelection, greedy};
use crate::clean::{Findings, FindingsError};
use crate::predictions::Probabilities;
use crate::runs::learned::{Learned, learned};
use crate::runs::prepare::PrepareError;

/// The rules whose findings are images that look the same; their names are in
/// the log and never change.
const ALIKE: [&str; 2] = ["leakage", "near-duplicate"];

/// Why members could not be chosen or compared.
#[derive(Debug, thiserror::Error)]
pub enum ChooseError {
    /// The candidates' models were not all asked about the same labelled images.
    #[error(
        "{} of the candidates have no predictions of the {split} split by the same model, views and images",
        candidates.len()
    )]
    NoValidation {
        /// The split.
        split: Split,
        /// Those that lack them.
        candidates: Vec<PredictionsId>,
    },
    /// Nothing is left to choose by.
    #[error("every labelled image of the {split} split was learned from by one of the candidates")]
    AllLearned {
        /// The split.
        split: Split,
    },
    /// The predictions cannot be used.
    #[error(transparent)]
    Cast(#[from] CastError),
    /// No members can be chosen.
    #[error(transparent)]
    Greedy(#[from] GreedyError),
    /// What a member learned from cannot be told.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// Findings of a cleaning pass cannot be read.
    #[error(transparent)]
    Findings(#[from] FindingsError),
    /// A blob cannot be read.
    #[error(transparent)]
    Blob(#[from] BlobError),
}

/// What was chosen, and by what.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Every step; its ids are those of the candidates.
    pub selection: GreedySelection,
    /// The predictions that each candidate was judged by.
    pub judged_by: Vec<(PredictionsId, PredictionsId)>,
    /// Labelled images that counted.
    pub images: usize,
    /// Labelled images that did not count, as a candidate had learned from them.
    pub learned: usize,
}

/// Chooses among candidates by what the same models, viewing alike, say of the
/// labelled images of `split` that none of them learned from.
///
/// # Errors
/// When a candidate lacks such predictions, or no image is left.
pub fn choose(
    state: &State,
    read: &impl Fn(BlobId) -> Result<Vec<u8>, BlobError>,
    candidates: &[(PredictionsId, f64)],
    split: Split,
    (rule, tie_seed, limit): (VoteRule, u64, usize),
) -> Result<Choice, ChooseError> {
    let judged_by = counterparts(state, candidates, split)?;
    let said: Vec<Probabilities> = judged_by
        .iter()
        .map(|(_, validation)| probabilities(state, read, *validation))
        .collect::<Result<_, _>>()?;
    let mut known: BTreeSet<ImageId> = BTreeSet::new();
    for (_, learned) in knowledge(state, read, candidates.iter().map(|(id, _)| *id))? {
        known.extend(learned.train);
    }
    let images = said.first().map_or(&[][..], |said| said.images());
    let labelled: BTreeMap<ImageId, ClassIndex> =
        images.iter().filter_map(|image| Some((*image, state.image(*image)?.label?))).collect();
    let labels: BTreeMap<ImageId, ClassIndex> = labelled
        .iter()
        .filter(|(image, _)| !known.contains(image))
        .map(|(image, label)| (*image, *label))
        .collect();
    if labels.is_empty() && !labelled.is_empty() {
        return Err(ChooseError::AllLearned { split });
    }
    let ballots: Vec<Ballot<'_>> = candidates
        .iter()
        .zip(&said)
        .map(|((predictions, weight), probabilities)| Ballot {
            predictions: *predictions,
            weight: *weight,
            probabilities,
        })
        .collect();
    let selection = greedy(&ballots, &labels, rule, tie_seed, limit)?;
    Ok(Choice { selection, judged_by, images: labels.len(), learned: labelled.len() - labels.len() })
}

/// For every candidate the newest predictions of `split` by the same model and
/// views, all of one set of images.
fn counterparts(
    state: &State,
    candidates: &[(PredictionsId, f64)],
    split: Split,
) -> Result<Vec<(PredictionsId, PredictionsId)>, ChooseError> {
    let mut by_images: BTreeMap<ManifestDigest, BTreeMap<PredictionsId, PredictionsId>> = BTreeMap::new();
    let mut newest: Vec<ManifestDigest> = Vec::new();
    for (id, _) in candidates {
        let wanted: &PredictionsRecorded =
            &state.predictions().get(*id).ok_or(CastError::UnknownPredictions(*id))?.event;
        for record in state.predictions() {
            let event = &record.event;
            if event.split == split && event.source == wanted.source && event.views == wanted.views {
                by_images.entry(event.manifest).or_default().insert(*id, event.predictions);
                newest.push(event.manifest);
            }
        }
    }
    let complete = newest.iter().rev().find(|manifest| by_images[*manifest].len() == candidates.len());
    match complete.and_then(|manifest| by_images.get(manifest)) {
        Some(found) => Ok(candidates.iter().filter_map(|(id, _)| Some((*id, *found.get(id)?))).collect()),
        None => {
            let best = by_images.values().max_by_key(|found| found.len());
            let lacks = |id: &PredictionsId| best.is_none_or(|found| !found.contains_key(id));
            let candidates = candidates.iter().map(|(id, _)| *id).filter(lacks).collect();
            Err(ChooseError::NoValidation { split, candidates })
        }
    }
}

/// What the models of these predictions know, for those with one model here.
fn knowledge(
    state: &State,
    read: &impl Fn(BlobId) -> Result<Vec<u8>, BlobError>,
    members: impl Iterator<Item = PredictionsId>,
) -> Result<Vec<(PredictionsId, Learned)>, ChooseError> {
    let mut known = Vec::new();
    for id in members {
        let record = state.predictions().get(id).ok_or(CastError::UnknownPredictions(id))?;
        if let PredictionSource::Checkpoint { checkpoint } = record.event.source
            && let Some(found) = learned(state, read, checkpoint)?
        {
            known.push((id, found));
        }
    }
    known.sort_by_key(|(id, _)| *id);
    Ok(known)
}

/// Which members know what others were validated by.
///
/// # Errors
/// When what a member learned from, or a pass's findings, cannot be read.
pub fn leaks_among(
    state: &State,
    read: &impl Fn(BlobId) -> Result<Vec<u8>, BlobError>,
    members: impl Iterator<Item = PredictionsId>,
) -> Result<Vec<Leak>, ChooseError> {
    let known = knowledge(state, read, members)?;
    let mut findings = Vec::new();
    for pass in state.passes() {
        let event = &pass.proposed.event;
        if event.rules.iter().any(|rule| ALIKE.contains(&rule.rule.as_str())) {
            let all = Findings::from_bytes(&read(event.findings)?)?;
            findings.extend(all.0.into_iter().filter(|finding| ALIKE.contains(&finding.rule.as_str())));
        }
    }
    Ok(leaks(&known, &twins(state, findings.iter())))
}
