//! Generators of histories: plausible ones, that the rules let through, and
//! wild ones, that make little sense.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::decide::{Command, NewImage};
use crate::digest::BlobId;
use crate::event::{
    AdmittedImage, CleaningPassProposed, Decision, Event, EventsReverted, Evidence, GeneratorTrained,
    ImageRelabelled, ImageRemoved, ImageRestored, RevertTarget, SamplesAdmitted, SamplesExpelled,
    SamplesGenerated, Split, SubmissionScored, SubmissionSource, SubmissionWritten,
};
use crate::id::{
    CheckpointId, EnsembleId, GeneratorId, ImageId, PassId, PredictionsId, RunId, SamplesId, SubmissionId,
};
use crate::query::{ManifestFilter, generator_dataset, manifest};
use crate::state::{Registered, Registry};
use crate::value::{ClassIndex, PathBytes, Real};

use super::events::event;
use super::log::{Log, blob};
use super::models;
use super::values::Universe;

/// One thing that somebody does. The numbers choose among what there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Import a few files, new ones and others.
    Import(u8, u8),
    /// Relabel an image.
    Relabel(u8, u8),
    /// Remove an image.
    Remove(u8),
    /// Restore an image.
    Restore(u8),
    /// Give an image other bytes.
    Revise(u8, u8),
    /// Undo the transaction that is so far back.
    Undo(u8),
    /// Decide a finding.
    Review(u8, u8),
    /// Start a run, from the newest checkpoint or from nothing.
    StartRun(bool),
    /// Save a checkpoint of the newest run.
    Checkpoint,
    /// Finish the newest run.
    Finish,
    /// Predict with a checkpoint.
    Predict(u8),
    /// Propose a cleaning pass.
    Clean,
    /// Train a generator and draw samples from it.
    Generate,
    /// Admit the newest samples.
    Admit,
    /// Expel the newest samples.
    Expel,
    /// Vote over the predictions for the same images.
    Vote,
    /// Write a submission.
    Submit(bool),
    /// Score a submission.
    Score(u8, u8),
}

/// One step.
pub fn step() -> impl Strategy<Value = Step> {
    let n = any::<u8>();
    prop_oneof![
        4 => (n, n).prop_map(|(one, two)| Step::Import(one, two)),
        4 => (n, n).prop_map(|(one, two)| Step::Relabel(one, two)),
        3 => n.prop_map(Step::Remove),
        2 => n.prop_map(Step::Restore),
        2 => (n, n).prop_map(|(one, two)| Step::Revise(one, two)),
        6 => (0..12u8).prop_map(Step::Undo),
        2 => (n, n).prop_map(|(one, two)| Step::Review(one, two)),
        1 => any::<bool>().prop_map(Step::StartRun),
        2 => Just(Step::Checkpoint),
        1 => Just(Step::Finish),
        2 => n.prop_map(Step::Predict),
        1 => Just(Step::Clean),
        1 => Just(Step::Generate),
        2 => Just(Step::Admit),
        1 => Just(Step::Expel),
        1 => Just(Step::Vote),
        1 => any::<bool>().prop_map(Step::Submit),
        1 => (n, n).prop_map(|(one, two)| Step::Score(one, two)),
    ]
}

/// A log that people and programs could have written with this one.
pub fn history(steps: impl Into<proptest::collection::SizeRange>) -> impl Strategy<Value = Log> {
    vec(step(), steps).prop_map(|steps| interpret(&steps))
}

/// A log of any events in any order, over few ids so that they meet.
pub fn wild_history(frames: impl Into<proptest::collection::SizeRange>) -> impl Strategy<Value = Log> {
    let opening = event_list(1..3);
    (opening, vec(event_list(0..5), frames)).prop_map(|(opening, frames)| {
        let mut log = Log::with_classes(&["one", "two", "three"]);
        log.commit(opening);
        for events in frames {
            log.commit(events);
        }
        log
    })
}

/// A log of a few images whose changes are reverted in any order, the reverts
/// too, and several times: what no rules would let through.
pub fn tangled_history(frames: impl Into<proptest::collection::SizeRange>) -> impl Strategy<Value = Log> {
    let back = vec(0..10usize, 1..3);
    let frame = prop_oneof![(0..3u8, 0..3u16).prop_map(Ok), back.clone().prop_map(Err), back.prop_map(Err)];
    vec(frame, frames).prop_map(|frames| {
        let mut log = Log::with_classes(&["sea", "forest", "street"]);
        let images = ["a.jpg", "b.jpg"].map(|path| log.import(path, "sea"));
        for frame in frames {
            let (reason, evidence) = (String::new(), Evidence::default());
            let event = match frame {
                Ok((what, number)) => {
                    let image = images[usize::from(number % 2)];
                    match what {
                        0 => ImageRemoved { image, reason, evidence }.into(),
                        1 => ImageRestored { image, reason, evidence }.into(),
                        _ => {
                            let (old, new) = (None, Some(ClassIndex(number)));
                            ImageRelabelled { image, old, new, reason, evidence }.into()
                        }
                    }
                }
                Err(back) => {
                    let target = |back: usize| {
                        let place = log.frames.len().saturating_sub(1 + back);
                        RevertTarget {
                            transaction: super::log::transaction(place as u64),
                            events: Vec::new(),
                        }
                    };
                    EventsReverted { targets: back.into_iter().map(target).collect(), reason }.into()
                }
            };
            log.commit(vec![event]);
        }
        log
    })
}

fn event_list(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Event>> {
    vec(event(Universe::Narrow), count)
}

/// Does these steps, leaving out what is rejected.
pub fn interpret(steps: &[Step]) -> Log {
    let mut log = Log::with_classes(&["sea", "forest", "street"]);
    for step in steps {
        take(&mut log, *step);
    }
    log
}

/// Does one step; a step that is rejected or has nothing to work on does nothing.
fn take(log: &mut Log, step: Step) {
    let command = match step {
        Step::Import(first, count) => Some(Command::ImportImages { images: files(first, count % 4 + 1) }),
        Step::Undo(back) => undo(log, back),
        Step::Relabel(..) | Step::Remove(_) | Step::Restore(_) | Step::Revise(..) | Step::Review(..) => {
            curate(log, step)
        }
        _ => fact(log, step).map(|event| Command::Record(Box::new(event))),
    };
    if let Some(command) = command {
        // What is rejected is left out; and no-one commits a frame of nothing.
        if let Ok(events) = crate::decide::decide(&log.state, command)
            && !events.is_empty()
        {
            log.commit(events);
        }
    }
}

fn files(first: u8, count: u8) -> Vec<NewImage> {
    let file = |number: u8| {
        let split = Split::from_code(number % 3).unwrap_or(Split::Train);
        let class = ["sea", "forest", "street", "glacier"][usize::from(number / 3 % 4)];
        NewImage {
            blob: blob(&format!("picture {}", number / 2)),
            path: PathBytes::new(format!("{class}/{}.jpg", number % 16).into_bytes()),
            label: (split != Split::Test).then(|| class.to_owned()),
            split,
        }
    };
    (0..count).map(|place| file(first.wrapping_add(place))).collect()
}

fn undo(log: &Log, back: u8) -> Option<Command> {
    let place = log.frames.len().checked_sub(1 + usize::from(back))?;
    let transaction = log.frames[place].header.transaction;
    let targets = vec![RevertTarget { transaction, events: Vec::new() }];
    Some(Command::Revert { targets, reason: "undo".to_owned() })
}

fn curate(log: &Log, step: Step) -> Option<Command> {
    let state = &log.state;
    let pick = |number: u8| {
        let row = usize::from(number).checked_rem(state.image_count())?;
        state.image_at(row).map(|image| image.id)
    };
    let (reason, evidence) = ("looks so".to_owned(), Evidence::default());
    Some(match step {
        Step::Relabel(image, class) => {
            let class = usize::from(class) % state.classes().len();
            let label = Some(state.classes()[class].clone());
            Command::Relabel { images: vec![pick(image)?], label, reason, evidence }
        }
        Step::Remove(image) => Command::Remove { images: vec![pick(image)?], reason, evidence, force: true },
        Step::Restore(image) => Command::Restore { images: vec![pick(image)?], reason, evidence },
        Step::Revise(image, bytes) => {
            Command::Revise { image: pick(image)?, new: blob(&format!("retouched {bytes}")), reason }
        }
        Step::Review(image, decision) => {
            let pass = state.passes().last()?.proposed.event.pass;
            let label = ClassIndex(u16::from(decision) % 3);
            let decisions =
                [Decision::Kept, Decision::Relabelled { label }, Decision::Removed, Decision::Skipped];
            let decision = decisions[usize::from(decision) % 4];
            Command::Review { image: pick(image)?, pass, decision, reason, evidence }
        }
        _ => return None,
    })
}

fn newest<R: Registered>(registry: &Registry<R>) -> Option<R::Id> {
    registry.last().map(R::id)
}

fn fact(log: &Log, step: Step) -> Option<Event> {
    let state = &log.state;
    let next = super::log::transaction(log.frames.len() as u64);
    let at = state.head();
    let made = |what: &str| -> BlobId { blob(&format!("{what} {}", log.frames.len())) };
    let trained_on = || manifest(state, &ManifestFilter::labelled([Split::Train, Split::Valid])).digest();
    let event: Event = match step {
        Step::StartRun(continued) => {
            let parent = newest(state.checkpoints()).filter(|_| continued);
            models::run_started(state, RunId(next.derive("run", 0)), parent).into()
        }
        Step::Checkpoint => {
            let id = CheckpointId(next.derive("checkpoint", 0));
            models::checkpoint_saved(state, newest(state.runs())?, id).into()
        }
        Step::Finish => models::run_finished(newest(state.runs())?).into(),
        Step::Predict(number) => {
            let place = usize::from(number).checked_rem(state.checkpoints().len())?;
            let checkpoint = state.checkpoints().iter().nth(place)?.event.checkpoint;
            models::predictions_recorded(state, PredictionsId(next.derive("predictions", 0)), checkpoint)
                .into()
        }
        Step::Clean => CleaningPassProposed {
            pass: PassId(next.derive("pass", 0)),
            predictions: state.predictions().ids().take(1).collect(),
            rules: Vec::new(),
            manifest: trained_on(),
            at,
            findings: made("findings"),
            found: 3,
        }
        .into(),
        Step::Generate | Step::Admit | Step::Expel => return generation(log, step),
        Step::Vote | Step::Submit(_) | Step::Score(..) => return result(log, step),
        _ => return None,
    };
    Some(event)
}

fn generation(log: &Log, step: Step) -> Option<Event> {
    let state = &log.state;
    let next = super::log::transaction(log.frames.len() as u64);
    let event: Event = match step {
        // Every other time a generator, every other time samples of it.
        Step::Generate if state.generators().len() <= state.samples().len() => GeneratorTrained {
            generator: GeneratorId(next.derive("generator", 0)),
            class: Some(ClassIndex(0)),
            recipe: blob("generator recipe"),
            manifest: generator_dataset(state, state.seq(), Some(ClassIndex(0))).digest(),
            at: state.head(),
            weights: blob("generator weights"),
            metrics: blob("generator metrics"),
            environment: blob("environment"),
            grids: vec![blob("grid")],
        }
        .into(),
        Step::Generate => {
            let generator = newest(state.generators())?;
            let blobs = (0..3).map(|place| blob(&format!("sample {generator} {place}"))).collect();
            SamplesGenerated {
                samples: SamplesId(next.derive("samples", 0)),
                generator,
                class: ClassIndex(0),
                seed: 1,
                blobs,
            }
            .into()
        }
        Step::Admit => {
            let drawn = &state.samples().last()?.generated.event;
            let admitted = |blob: &BlobId| AdmittedImage {
                image: ImageId::of_import(*blob, b"", Split::Train),
                blob: *blob,
            };
            let images = drawn.blobs.iter().map(admitted).collect();
            SamplesAdmitted { samples: drawn.samples, label: drawn.class, images, quality: None }.into()
        }
        Step::Expel => {
            SamplesExpelled { samples: newest(state.samples())?, reason: "ugly".to_owned() }.into()
        }
        _ => return None,
    };
    Some(event)
}

fn result(log: &Log, step: Step) -> Option<Event> {
    let state = &log.state;
    let next = super::log::transaction(log.frames.len() as u64);
    let event: Event = match step {
        Step::Vote => models::ensemble_voted(state, EnsembleId(next.derive("ensemble", 0)))?.into(),
        Step::Submit(voted) => {
            let ensemble = newest(state.ensembles()).filter(|_| voted);
            let source = match ensemble {
                Some(ensemble) => SubmissionSource::Ensemble { ensemble },
                None => SubmissionSource::Predictions { predictions: newest(state.predictions())? },
            };
            let written = models::submission_written(SubmissionId(next.derive("submission", 0)), source);
            SubmissionWritten { derived_from: newest(state.submissions()), ..written }.into()
        }
        Step::Score(number, score) => {
            let place = usize::from(number).checked_rem(state.submissions().len())?;
            let submission = state.submissions().iter().nth(place)?.id();
            let public = Some(Real(f64::from(score) / 256.0));
            SubmissionScored { submission, public, private: None }.into()
        }
        _ => return None,
    };
    Some(event)
}
