//! Recording what happened outside: the checks that keep references whole.

use crate::digest::FrameDigest;
use crate::event::{
    CheckpointSaved, EnsembleVoted, Event, PredictionSource, PredictionsRecorded, RunStarted,
    SubmissionSource, SubmissionWritten, VoteRule,
};
use crate::id::{CheckpointId, PredictionsId, RunId, SubmissionId};
use crate::state::State;

use super::fact_samples;
use super::rejection::{Rejection, Thing};

pub(super) fn record(state: &State, event: Event) -> Result<Vec<Event>, Rejection> {
    match &event {
        Event::WeightsAdded(weights) => {
            unused(state.weights().contains(weights.weights), Thing::Weights(weights.weights))?;
        }
        Event::RunStarted(run) => run_started(state, run)?,
        Event::LearningRateFound(found) => running(state, found.run)?,
        Event::CheckpointSaved(saved) => checkpoint_saved(state, saved)?,
        Event::RunFinished(end) => running(state, end.run)?,
        Event::RunFailed(end) => running(state, end.run)?,
        Event::RunCancelled(end) => running(state, end.run)?,
        Event::PredictionsRecorded(recorded) => predictions_recorded(state, recorded)?,
        Event::CleaningPassProposed(pass) => {
            unused(state.passes().contains(pass.pass), Thing::Pass(pass.pass))?;
            frame(state, pass.at)?;
            pass.predictions.iter().try_for_each(|id| predictions(state, *id))?;
        }
        Event::GeneratorTrained(trained) => fact_samples::generator_trained(state, trained)?,
        Event::SamplesGenerated(generated) => fact_samples::samples_generated(state, generated)?,
        Event::SamplesAdmitted(admitted) => fact_samples::samples_admitted(state, admitted)?,
        Event::SamplesExpelled(expelled) => fact_samples::samples_expelled(state, expelled)?,
        Event::EnsembleVoted(voted) => ensemble_voted(state, voted)?,
        Event::SubmissionWritten(written) => submission_written(state, written)?,
        Event::SubmissionScored(scored) => {
            submission(state, scored.submission)?;
            if scored.public.is_none() && scored.private.is_none() {
                let why = "it has neither a public nor a private score";
                return Err(Rejection::Invalid { kind: event.kind_name(), why });
            }
            if [scored.public, scored.private].into_iter().flatten().any(|score| !score.0.is_finite()) {
                return Err(Rejection::Invalid { kind: event.kind_name(), why: "a score is not a number" });
            }
        }
        Event::SubmissionReplayed(replayed) => submission(state, replayed.submission)?,
        Event::DatasetCreated(_)
        | Event::ClassesAdded(_)
        | Event::ImageImported(_)
        | Event::ImageRevised(_)
        | Event::ImageRelabelled(_)
        | Event::ImageRemoved(_)
        | Event::ImageRestored(_)
        | Event::ReviewDecided(_)
        | Event::EventsReverted(_)
        | Event::Unknown(_) => return Err(Rejection::NotAFact { kind: event.kind_name() }),
    }
    Ok(vec![event])
}

fn run_started(state: &State, run: &RunStarted) -> Result<(), Rejection> {
    unused(state.runs().contains(run.run), Thing::Run(run.run))?;
    frame(state, run.at)?;
    run.parent.map_or(Ok(()), |parent| checkpoint(state, parent))
}

fn checkpoint_saved(state: &State, saved: &CheckpointSaved) -> Result<(), Rejection> {
    unused(state.checkpoints().contains(saved.checkpoint), Thing::Checkpoint(saved.checkpoint))?;
    running(state, saved.run)?;
    saved.parent.map_or(Ok(()), |parent| checkpoint(state, parent))
}

fn predictions_recorded(state: &State, recorded: &PredictionsRecorded) -> Result<(), Rejection> {
    let id = recorded.predictions;
    unused(state.predictions().contains(id), Thing::Predictions(id))?;
    frame(state, recorded.at)?;
    match &recorded.source {
        PredictionSource::Checkpoint { checkpoint: id } => checkpoint(state, *id),
        PredictionSource::Folds { checkpoints } if checkpoints.is_empty() => {
            Err(Rejection::Invalid { kind: "PredictionsRecorded", why: "it has no fold" })
        }
        PredictionSource::Folds { checkpoints } => {
            checkpoints.iter().try_for_each(|id| checkpoint(state, *id))
        }
        PredictionSource::External { .. } => Ok(()),
    }
}

fn ensemble_voted(state: &State, voted: &EnsembleVoted) -> Result<(), Rejection> {
    unused(state.ensembles().contains(voted.ensemble), Thing::Ensemble(voted.ensemble))?;
    if voted.members.is_empty() {
        return Err(Rejection::Invalid { kind: "EnsembleVoted", why: "it has no members" });
    }
    let mut before = None;
    for member in &voted.members {
        let id = member.predictions;
        let unfit = |why| Err(Rejection::UnfitMember { predictions: id, why });
        let Some(record) = state.predictions().get(id) else {
            return Err(Rejection::Unknown(Thing::Predictions(id)));
        };
        if record.event.manifest != voted.manifest {
            return unfit("it is for other images than the ensemble");
        }
        if before == Some(id) {
            return unfit("it is a member twice");
        }
        if before.is_some_and(|before| before > id) {
            return unfit("members are ordered by id");
        }
        if !member.weight.0.is_finite() || member.weight.0 < 0.0 {
            return unfit("its weight is not a number of at least 0");
        }
        if voted.rule == VoteRule::Majority && member.weight.0 != 1.0 {
            return unfit("under majority every weight is 1");
        }
        before = Some(id);
    }
    if voted.members.iter().all(|member| member.weight.0 == 0.0) {
        return Err(Rejection::Invalid { kind: "EnsembleVoted", why: "every weight is 0" });
    }
    Ok(())
}

fn submission_written(state: &State, written: &SubmissionWritten) -> Result<(), Rejection> {
    let id = written.submission;
    unused(state.submissions().contains(id), Thing::Submission(id))?;
    match written.source {
        SubmissionSource::Ensemble { ensemble } => {
            known(state.ensembles().contains(ensemble), Thing::Ensemble(ensemble))?;
        }
        SubmissionSource::Predictions { predictions: id } => predictions(state, id)?,
    }
    written.derived_from.map_or(Ok(()), |other| submission(state, other))
}

pub(super) fn running(state: &State, run: RunId) -> Result<(), Rejection> {
    let record = state.runs().get(run).ok_or(Rejection::Unknown(Thing::Run(run)))?;
    if record.status.is_running() {
        Ok(())
    } else {
        Err(Rejection::RunEnded { run, status: record.status.name() })
    }
}

fn checkpoint(state: &State, id: CheckpointId) -> Result<(), Rejection> {
    known(state.checkpoints().contains(id), Thing::Checkpoint(id))
}

fn predictions(state: &State, id: PredictionsId) -> Result<(), Rejection> {
    known(state.predictions().contains(id), Thing::Predictions(id))
}

fn submission(state: &State, id: SubmissionId) -> Result<(), Rejection> {
    known(state.submissions().contains(id), Thing::Submission(id))
}

/// A dataset is taken at a frame of this log.
pub(super) fn frame(state: &State, digest: FrameDigest) -> Result<(), Rejection> {
    known(state.transactions().seq_after(digest).is_some(), Thing::Frame(digest))
}

pub(super) fn known(there: bool, thing: Thing) -> Result<(), Rejection> {
    if there { Ok(()) } else { Err(Rejection::Unknown(thing)) }
}

pub(super) fn unused(there: bool, thing: Thing) -> Result<(), Rejection> {
    if there { Err(Rejection::DuplicateId(thing)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Member, SubmissionScored};
    use crate::id::EnsembleId;
    use crate::testing::{Log, models};
    use crate::value::Real;

    fn whole() -> Log {
        let mut log = Log::with_classes(&["sea"]);
        log.import("a.jpg", "sea");
        log.whole_recipe(1, None);
        log
    }

    #[test]
    fn what_happened_once_is_recorded_once() {
        let log = whole();
        for frame in &log.frames[2..] {
            let again = record(&log.state, frame.events[0].clone());
            assert!(
                matches!(again, Err(Rejection::DuplicateId(_) | Rejection::RunEnded { .. })),
                "{}: {again:?}",
                frame.events[0].kind_name()
            );
        }
    }

    #[test]
    fn what_an_event_names_must_be_there() {
        let log = whole();
        let empty = Log::with_classes(&["sea"]);
        for frame in &log.frames[2..] {
            let alone = record(&empty.state, frame.events[0].clone());
            assert!(
                matches!(alone, Err(Rejection::Unknown(_))),
                "{}: {alone:?}",
                frame.events[0].kind_name()
            );
        }
    }

    #[test]
    fn an_ended_run_stays_ended() {
        let log = whole();
        let run = RunId([1; 16]);
        let saved = models::checkpoint_saved(&log.state, run, CheckpointId([5; 16]));
        assert_eq!(record(&log.state, saved.into()), Err(Rejection::RunEnded { run, status: "finished" }));
    }

    #[test]
    fn members_fit_together() {
        let mut log = whole();
        log.record(models::predictions_recorded(
            &log.state,
            PredictionsId([2; 16]),
            CheckpointId([0x81; 16]),
        ));
        let voted = models::ensemble_voted(&log.state, EnsembleId([9; 16])).expect("there are predictions");
        assert_eq!(voted.members.len(), 2);
        assert!(record(&log.state, voted.clone().into()).is_ok());
        let refused = |change: &dyn Fn(&mut EnsembleVoted)| {
            let mut voted = voted.clone();
            change(&mut voted);
            record(&log.state, voted.into()).expect_err("something does not fit")
        };
        let unfit = |rejection| matches!(rejection, Rejection::UnfitMember { .. });
        assert!(unfit(refused(&|voted| voted.members.reverse())), "order");
        assert!(unfit(refused(&|voted| voted.members[1] = voted.members[0])), "twice");
        assert!(unfit(refused(&|voted| voted.members[0].weight = Real(2.0))), "majority");
        assert!(unfit(refused(&|voted| {
            voted.rule = VoteRule::Soft;
            voted.members[0].weight = Real(f64::NAN);
        })));
        assert!(unfit(refused(&|voted| voted.manifest.0[0] ^= 1)), "images");
        assert!(matches!(refused(&|voted| voted.members.clear()), Rejection::Invalid { .. }));
        let nobody = PredictionsId([0xee; 16]);
        let stranger = Member { predictions: nobody, weight: Real(1.0) };
        let rejection = refused(&|voted| voted.members.push(stranger));
        assert_eq!(rejection, Rejection::Unknown(Thing::Predictions(nobody)));
    }

    #[test]
    fn scores_are_numbers_and_can_be_taken_back() {
        let mut log = whole();
        let submission = SubmissionId([1; 16]);
        let scored = |public| SubmissionScored { submission, public, private: None };
        for wrong in [None, Some(Real(f64::NAN))] {
            let refused = record(&log.state, scored(wrong).into());
            assert!(matches!(refused, Err(Rejection::Invalid { .. })));
        }
        let score =
            |log: &Log| log.state.submissions().get(submission).and_then(|record| record.public_score());
        log.record(scored(Some(Real(0.5))));
        let second = log.record(scored(Some(Real(0.9))));
        assert_eq!(score(&log), Some(0.9));
        let undo = log.undo(second).expect("scores can be taken back");
        assert_eq!(score(&log), Some(0.5));
        log.undo(undo).expect("and given again");
        assert_eq!(score(&log), Some(0.9));
    }

    #[test]
    fn what_has_a_command_is_not_recorded_directly() {
        let log = whole();
        let imported = record(&log.state, log.frames[1].events[0].clone());
        assert_eq!(imported, Err(Rejection::NotAFact { kind: "ImageImported" }));
    }
}
