//! What was made of what: a graph that one can walk in both directions, from
//! the dataset to submissions and back.

use safelight_lineage::digest::FrameDigest;
use safelight_lineage::event::{PredictionSource, SubmissionSource};
use safelight_lineage::id::{
    CheckpointId, EnsembleId, GeneratorId, PassId, PredictionsId, RunId, SamplesId, SubmissionId,
};
use safelight_lineage::state::State;
use safelight_lineage::value::Seq;

use crate::event_text::{label, score, source, views, vote_rule};
use crate::lineage_tree::checkpoint;
use crate::text::counted;

/// Something that was made, or of which something was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    /// The dataset as it was at a frame.
    Dataset(FrameDigest),
    /// A training run.
    Run(RunId),
    /// Weights that a stage of a run ended with.
    Checkpoint(CheckpointId),
    /// Probabilities.
    Predictions(PredictionsId),
    /// A cleaning pass.
    Pass(PassId),
    /// A vote.
    Ensemble(EnsembleId),
    /// A submission.
    Submission(SubmissionId),
    /// A generator of images.
    Generator(GeneratorId),
    /// A batch of generated images.
    Samples(SamplesId),
}

impl Thing {
    /// What it was made of, in the order of its making.
    pub fn made_of(self, state: &State) -> Vec<Thing> {
        match self {
            Thing::Dataset(_) => Vec::new(),
            Thing::Run(id) => state.runs().get(id).map_or_else(Vec::new, |run| {
                let started = &run.started.event;
                let parent = started.parent.map(Thing::Checkpoint);
                [Thing::Dataset(started.at)].into_iter().chain(parent).collect()
            }),
            Thing::Checkpoint(id) => state.checkpoints().get(id).map_or_else(Vec::new, |saved| {
                // The stage before, unless that is what the run started from.
                let of_run = |parent: &CheckpointId| {
                    state.checkpoints().get(*parent).is_some_and(|before| before.event.run == saved.event.run)
                };
                let before = saved.event.parent.filter(of_run).map(Thing::Checkpoint);
                before.into_iter().chain([Thing::Run(saved.event.run)]).collect()
            }),
            Thing::Predictions(id) => state.predictions().get(id).map_or_else(Vec::new, |record| {
                models(&record.event.source).into_iter().map(Thing::Checkpoint).collect()
            }),
            Thing::Pass(id) => state.passes().get(id).map_or_else(Vec::new, |record| {
                record.proposed.event.predictions.iter().copied().map(Thing::Predictions).collect()
            }),
            Thing::Ensemble(id) => state.ensembles().get(id).map_or_else(Vec::new, |record| {
                record.event.members.iter().map(|member| Thing::Predictions(member.predictions)).collect()
            }),
            Thing::Submission(id) => state.submissions().get(id).map_or_else(Vec::new, |record| {
                let written = &record.written.event;
                let from = match written.source {
                    SubmissionSource::Ensemble { ensemble } => Thing::Ensemble(ensemble),
                    SubmissionSource::Predictions { predictions } => Thing::Predictions(predictions),
                };
                [from].into_iter().chain(written.derived_from.map(Thing::Submission)).collect()
            }),
            Thing::Generator(id) => {
                let record = state.generators().get(id);
                record.map(|record| Thing::Dataset(record.event.at)).into_iter().collect()
            }
            Thing::Samples(id) => {
                let record = state.samples().get(id);
                record.map(|record| Thing::Generator(record.generated.event.generator)).into_iter().collect()
            }
        }
    }

    /// What was made of it, oldest first.
    pub fn made_into(self, state: &State) -> Vec<Thing> {
        // A few hundred things at most: looking at each is quick.
        let mut all = everything(state);
        all.retain(|other| other.made_of(state).contains(&self));
        all
    }

    /// The event that made it.
    pub fn seq(self, state: &State) -> Option<Seq> {
        match self {
            Thing::Dataset(at) => state.transactions().seq_after(at),
            Thing::Run(id) => state.runs().get(id).map(|record| record.started.seq),
            Thing::Checkpoint(id) => state.checkpoints().get(id).map(|record| record.seq),
            Thing::Predictions(id) => state.predictions().get(id).map(|record| record.seq),
            Thing::Pass(id) => state.passes().get(id).map(|record| record.proposed.seq),
            Thing::Ensemble(id) => state.ensembles().get(id).map(|record| record.seq),
            Thing::Submission(id) => state.submissions().get(id).map(|record| record.written.seq),
            Thing::Generator(id) => state.generators().get(id).map(|record| record.seq),
            Thing::Samples(id) => state.samples().get(id).map(|record| record.generated.seq),
        }
    }

    /// What kind of thing it is, and what else there is to say; a line each.
    pub fn words(self, state: &State) -> Vec<String> {
        let known = match self {
            Thing::Dataset(at) => Some(match state.transactions().seq_after(at) {
                Some(seq) => vec![format!("dataset as of Seq {seq}")],
                None => vec!["dataset before everything".to_owned()],
            }),
            Thing::Run(id) => state.runs().get(id).map(|run| {
                let saved = counted(run.checkpoints.len() as u64, "checkpoint", "checkpoints");
                vec![format!("run {}", id.short()), format!("{} · {saved}", run.status.name())]
            }),
            Thing::Checkpoint(id) => state.checkpoints().get(id).map(|saved| {
                let words = checkpoint(saved);
                let (title, rest) = words.split_once(" · ").unwrap_or((&words, ""));
                vec![title.to_owned(), rest.to_owned()]
            }),
            Thing::Predictions(id) => state.predictions().get(id).map(|record| {
                let event = &record.event;
                let words = format!("{} · {} · {}", event.split, views(event.views), source(&event.source));
                vec![format!("predictions {}", id.short()), words]
            }),
            Thing::Pass(id) => state.passes().get(id).map(|record| {
                let found = counted(record.proposed.event.found, "finding", "findings");
                let decided = counted(state.reviews(id).count() as u64, "decision", "decisions");
                vec![format!("pass {}", id.short()), format!("{found} · {decided}")]
            }),
            Thing::Ensemble(id) => state.ensembles().get(id).map(|record| {
                let members = counted(record.event.members.len() as u64, "member", "members");
                vec![
                    format!("ensemble {}", id.short()),
                    format!("{} of {members}", vote_rule(record.event.rule)),
                ]
            }),
            Thing::Submission(id) => state.submissions().get(id).map(|record| {
                let (public, private) = (score(record.public_score()), score(record.private_score()));
                let rows = counted(record.written.event.rows, "row", "rows");
                vec![
                    format!("submission {}", id.short()),
                    format!("{rows} · public {public}, private {private}"),
                ]
            }),
            Thing::Generator(id) => state
                .generators()
                .get(id)
                .map(|record| vec![format!("generator {}", id.short()), label(state, record.event.class)]),
            Thing::Samples(id) => state.samples().get(id).map(|record| {
                let event = &record.generated.event;
                let samples = counted(event.blobs.len() as u64, "sample", "samples");
                let class = label(state, Some(event.class));
                vec![format!("batch {}", id.short()), format!("{samples} of {class}")]
            }),
        };
        known.unwrap_or_else(|| vec!["not in the log".to_owned()])
    }
}

fn models(source: &PredictionSource) -> Vec<CheckpointId> {
    match source {
        PredictionSource::Checkpoint { checkpoint } => vec![*checkpoint],
        PredictionSource::Folds { checkpoints } => checkpoints.clone(),
        PredictionSource::External { .. } => Vec::new(),
    }
}

/// Everything but datasets, in order of events.
pub fn everything(state: &State) -> Vec<Thing> {
    let mut all: Vec<(Option<Seq>, Thing)> = Vec::new();
    let mut add = |thing: Thing| all.push((thing.seq(state), thing));
    state.runs().ids().for_each(|id| add(Thing::Run(id)));
    state.checkpoints().ids().for_each(|id| add(Thing::Checkpoint(id)));
    state.predictions().ids().for_each(|id| add(Thing::Predictions(id)));
    state.passes().ids().for_each(|id| add(Thing::Pass(id)));
    state.generators().ids().for_each(|id| add(Thing::Generator(id)));
    state.samples().ids().for_each(|id| add(Thing::Samples(id)));
    state.ensembles().ids().for_each(|id| add(Thing::Ensemble(id)));
    state.submissions().ids().for_each(|id| add(Thing::Submission(id)));
    all.sort_by_key(|(seq, _)| *seq);
    all.into_iter().map(|(_, thing)| thing).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::history;

    #[test]
    fn both_directions_are_the_same_edges() {
        let state = history::small();
        let all = everything(&state);
        assert!(all.len() > 10);
        for thing in &all {
            for before in thing.made_of(&state) {
                assert!(before.made_into(&state).contains(thing), "{before:?} → {thing:?}");
            }
            for after in thing.made_into(&state) {
                assert!(after.made_of(&state).contains(thing), "{thing:?} → {after:?}");
            }
            assert_ne!(thing.words(&state), ["not in the log"], "{thing:?}");
        }
    }

    #[test]
    fn a_submission_leads_back_to_the_dataset() {
        let state = history::small();
        let mut here = Thing::Submission(state.submissions().last().expect("one").written.event.submission);
        let mut kinds = Vec::new();
        while let Some(before) = here.made_of(&state).last().copied() {
            here = before;
            kinds.push(here.words(&state)[0].split(' ').next().unwrap_or_default().to_owned());
        }
        assert_eq!(
            kinds,
            ["ensemble", "predictions", "checkpoint", "run", "checkpoint", "run", "dataset"],
            "the second run began where the first ended"
        );
    }
}
