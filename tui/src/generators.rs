//! The generators in the list: those in training first, then those in the log.

use std::collections::BTreeMap;

use safelight_lineage::digest::BlobId;
use safelight_lineage::id::{GeneratorId, ImageId};
use safelight_lineage::state::{GeneratorRecord, SamplesRecord, State};
use safelight_lineage::value::ClassIndex;

use crate::generator_view::{GeneratorEpochView, LiveGenerator, UnfinishedGenerator};
use crate::model::Model;
use crate::ports::{JobStatus, JobView};

/// One row of the list.
#[derive(Debug, Clone, Copy)]
pub enum Row<'a> {
    /// It is in training, or its training was stopped.
    Unfinished(&'a UnfinishedGenerator),
    /// It is in the log.
    Trained(&'a GeneratorRecord),
}

impl Row<'_> {
    /// Which generator it is, or will become.
    pub fn id(&self) -> GeneratorId {
        match self {
            Row::Unfinished(unfinished) => unfinished.generator,
            Row::Trained(record) => record.event.generator,
        }
    }
}

/// Those that are not in the log. In the past there are none: the log does not
/// say when they were begun.
fn unfinished(model: &Model) -> impl Iterator<Item = &UnfinishedGenerator> {
    let shown = if model.past.is_some() { &[] } else { &model.generator_views.unfinished[..] };
    shown.iter().filter(|it| !model.state().generators().contains(it.generator))
}

/// How many rows there are.
pub fn len(model: &Model) -> usize {
    unfinished(model).count() + model.state().generators().len()
}

/// The row at a place of the list.
pub fn row(model: &Model, place: usize) -> Option<Row<'_>> {
    let before = unfinished(model).count();
    if place < before {
        return unfinished(model).nth(place).map(Row::Unfinished);
    }
    model.state().generators().iter().rev().nth(place - before).map(Row::Trained)
}

/// The selected row.
pub fn selected(model: &Model) -> Option<Row<'_>> {
    row(model, model.generators.selected)
}

/// Where a generator is in the list.
pub fn place(model: &Model, generator: GeneratorId) -> Option<usize> {
    (0..len(model)).find(|place| row(model, *place).is_some_and(|row| row.id() == generator))
}

/// The newest job that trains a generator.
pub fn job(model: &Model, generator: GeneratorId) -> Option<&JobView> {
    jobs(model, generator).next()
}

/// Whether a job trains it now.
pub fn is_training(model: &Model, generator: GeneratorId) -> bool {
    let running = |job: &JobView| matches!(job.status, JobStatus::Running | JobStatus::Stopping);
    job(model, generator).is_some_and(running)
}

/// The jobs that trained a generator, newest first.
fn jobs(model: &Model, generator: GeneratorId) -> impl DoubleEndedIterator<Item = &JobView> {
    let of = move |job: &&JobView| job.generator.as_ref().is_some_and(|it| it.generator == Some(generator));
    model.jobs.views.iter().filter(of)
}

/// What jobs told of a generator that is not in the log, oldest first.
pub fn live(model: &Model, generator: GeneratorId) -> impl Iterator<Item = &LiveGenerator> {
    jobs(model, generator).rev().filter_map(|job| job.generator.as_ref())
}

/// The epochs of a row, ascending, as far as they are known.
pub fn epochs(model: &Model, row: Row<'_>) -> Vec<GeneratorEpochView> {
    match row {
        Row::Trained(record) => match model.generator_views.of(record.event.generator) {
            Some(view) => view.epochs.clone(),
            // Until it was read: what the log says.
            None => record
                .event
                .grids
                .iter()
                .zip(1..)
                .map(|(grid, epoch)| GeneratorEpochView { epoch, grid: Some(*grid), ..Default::default() })
                .collect(),
        },
        Row::Unfinished(unfinished) => {
            let mut epochs: BTreeMap<u32, GeneratorEpochView> = BTreeMap::new();
            // One that went on after a kill made its last epochs again.
            for told in live(model, unfinished.generator).flat_map(|live| &live.epochs) {
                epochs.insert(told.epoch, told.clone());
            }
            for (epoch, grid) in &unfinished.grids {
                let kept = epochs.entry(*epoch);
                kept.or_insert_with(|| GeneratorEpochView { epoch: *epoch, ..Default::default() }).grid =
                    Some(*grid);
            }
            epochs.into_values().collect()
        }
    }
}

/// The epoch whose grid is shown: the chosen one, else the newest that has one.
pub fn shown<'a>(
    model: &Model,
    generator: GeneratorId,
    epochs: &'a [GeneratorEpochView],
) -> Option<&'a GeneratorEpochView> {
    let mut drawn = epochs.iter().filter(|epoch| epoch.grid.is_some());
    let chosen = model.generator_views.epoch.filter(|(of, _)| *of == generator);
    let found = chosen.and_then(|(_, chosen)| drawn.clone().find(|epoch| epoch.epoch == chosen));
    found.or_else(|| drawn.next_back())
}

/// The grid that is shown of the selected generator.
pub fn grid(model: &Model) -> Option<BlobId> {
    let row = selected(model)?;
    shown(model, row.id(), &epochs(model, row))?.grid
}

/// The grids next to the one that is shown, nearest first.
pub fn grids_around(model: &Model, reach: usize) -> Vec<BlobId> {
    let Some(row) = selected(model) else { return Vec::new() };
    let epochs = epochs(model, row);
    let drawn: Vec<&GeneratorEpochView> = epochs.iter().filter(|epoch| epoch.grid.is_some()).collect();
    let shown = shown(model, row.id(), &epochs);
    let Some(here) = drawn.iter().position(|epoch| Some(*epoch) == shown) else { return Vec::new() };
    let near = (1..=reach).flat_map(|step| [here.checked_sub(step), here.checked_add(step)]);
    near.flatten().filter_map(|place| drawn.get(place)?.grid).collect()
}

/// The batches that a generator drew, oldest first.
pub fn batches(state: &State, generator: GeneratorId) -> impl DoubleEndedIterator<Item = &SamplesRecord> {
    state.samples().iter().filter(move |batch| batch.generated.event.generator == generator)
}

/// How many samples of a batch are images of the dataset, and how many of those
/// can be taken out: images that were removed too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Inside {
    /// Those that count.
    pub present: u64,
    /// Those that came in and were not expelled.
    pub there: u64,
}

/// The images that a batch became, each once.
fn images(batch: &SamplesRecord) -> Vec<ImageId> {
    let admitted = batch.admissions.iter().flat_map(|admission| &admission.event.images);
    let mut images: Vec<ImageId> = admitted.map(|admitted| admitted.image).collect();
    images.sort_unstable();
    images.dedup();
    images
}

/// The images of a batch that an expulsion takes out.
pub fn images_there(state: &State, batch: &SamplesRecord) -> Vec<ImageId> {
    let there = |image: &ImageId| state.image(*image).is_some_and(|view| view.exists);
    images(batch).into_iter().filter(there).collect()
}

/// How many samples of a batch are in the dataset.
pub fn inside(state: &State, batch: &SamplesRecord) -> Inside {
    let mut inside = Inside::default();
    for view in images(batch).into_iter().filter_map(|image| state.image(image)) {
        inside.present += u64::from(view.present);
        inside.there += u64::from(view.exists);
    }
    inside
}

/// What a generator drew of a class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OfClass {
    /// How many samples.
    pub drawn: u64,
    /// How many of them were ever let in.
    pub admitted: u64,
    /// How many are in the dataset.
    pub present: u64,
}

/// What a generator drew, by class.
pub fn by_class(state: &State, generator: GeneratorId) -> BTreeMap<ClassIndex, OfClass> {
    let mut classes: BTreeMap<ClassIndex, OfClass> = BTreeMap::new();
    for batch in batches(state, generator) {
        let drawn = &batch.generated.event;
        let of = classes.entry(drawn.class).or_default();
        of.drawn += drawn.blobs.len() as u64;
        let standing = batch.admissions.iter().filter(|admission| state.stands(admission.seq));
        let mut admitted: Vec<_> =
            standing.flat_map(|admission| admission.event.images.iter().map(|it| it.image)).collect();
        admitted.sort_unstable();
        admitted.dedup();
        of.admitted += admitted.len() as u64;
        of.present += inside(state, batch).present;
    }
    classes
}
