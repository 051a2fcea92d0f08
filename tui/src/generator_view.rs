//! What is kept of generators, as the Generators screen shows it, and the port
//! that reads it.

use std::collections::BTreeMap;
use std::sync::Arc;

use safelight_lineage::digest::BlobId;
use safelight_lineage::id::{CheckpointId, GeneratorId, SamplesId};
use safelight_lineage::state::{GeneratorRecord, State};

use crate::ports::PortError;

/// What was measured after an epoch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GeneratorEpochView {
    /// The epoch, from one.
    pub epoch: u32,
    /// How far the critic told real pictures from generated ones: the mean of
    /// its steps.
    pub critic_distance: Option<f64>,
    /// How much samples differ, as a share of how much real pictures do.
    pub diversity: Option<f64>,
    /// The Fréchet distance of samples from real pictures.
    pub frechet_distance: Option<f64>,
    /// Whether the generator had collapsed by then.
    pub collapsed: bool,
    /// The grid of samples drawn after it.
    pub grid: Option<BlobId>,
}

/// What was measured of a batch of samples when it was let in.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleQuality {
    /// How much they differ, as a share of how much real images do.
    pub diversity: Option<f64>,
    /// How many are copies of training images, or nearly.
    pub copies: usize,
    /// The Fréchet distance from real images, and that between halves of the
    /// real ones.
    pub frechet_distances: Option<(f64, f64)>,
    /// The share whose most probable class is theirs, 0 to 1.
    pub recognised: Option<f64>,
    /// The checkpoint that judged.
    pub by: Option<CheckpointId>,
    /// The least probability of its class that a sample had to have.
    pub min_confidence: Option<f64>,
}

/// Everything that is kept of a generator in the log, for one who looks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GeneratorView {
    /// Recipe and environment: what, and its value.
    pub facts: Vec<(String, String)>,
    /// Its epochs.
    pub epochs: Vec<GeneratorEpochView>,
    /// The critic's distance, step by step.
    pub critic_distances: Vec<f64>,
    /// What the critic's slopes cost, step by step; empty with clipping.
    pub gradient_penalties: Vec<f64>,
    /// The critic's mean score of the generator's pictures, step by step.
    pub generator_losses: Vec<f64>,
    /// What was measured of its samples when they were last let in.
    pub qualities: BTreeMap<SamplesId, SampleQuality>,
}

/// A generator that is in training, or whose training was stopped: it is not in
/// the log yet.
#[derive(Debug, Clone, PartialEq)]
pub struct UnfinishedGenerator {
    /// The generator that it will become.
    pub generator: GeneratorId,
    /// The class that it learns; none for all of them.
    pub class: Option<String>,
    /// Edge of its pictures, in pixels.
    pub image_size: u32,
    /// How many epochs it is to make.
    pub epochs: u32,
    /// The grids of samples drawn so far, by epoch from one, ascending.
    pub grids: Vec<(u32, BlobId)>,
}

/// What a job that trains a generator told so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LiveGenerator {
    /// The generator that it will become.
    pub generator: Option<GeneratorId>,
    /// The epochs that it made, without their grids.
    pub epochs: Vec<GeneratorEpochView>,
    /// The critic's distance, step by step.
    pub critic_distances: Vec<f64>,
}

/// Reads what is kept of generators.
pub trait Generators: Send {
    /// Everything that is kept of a generator in the log.
    ///
    /// # Errors
    /// When there is no such generator or something of it is missing or damaged.
    fn generator(&mut self, state: &State, generator: GeneratorId) -> Result<GeneratorView, PortError>;

    /// Those in training or stopped. Called about once a second.
    ///
    /// # Errors
    /// When they cannot be listed.
    fn unfinished(&mut self) -> Result<Vec<UnfinishedGenerator>, PortError>;
}

/// What was read of generators, and what was asked for.
#[derive(Debug, Default)]
pub struct GeneratorViews {
    /// What was read of each.
    pub read: BTreeMap<GeneratorId, Result<Arc<GeneratorView>, String>>,
    /// How often its samples had been let in when each was asked for.
    pub asked: BTreeMap<GeneratorId, usize>,
    /// Those that are not in the log yet.
    pub unfinished: Vec<UnfinishedGenerator>,
    /// The generator that the user selected; none to stay with the newest.
    pub anchor: Option<GeneratorId>,
    /// The epoch, from one, whose grid the user chose of a generator; of others
    /// the newest is shown.
    pub epoch: Option<(GeneratorId, u32)>,
}

impl GeneratorViews {
    /// What was read of a generator.
    pub fn of(&self, generator: GeneratorId) -> Option<&GeneratorView> {
        self.read.get(&generator)?.as_ref().ok().map(AsRef::as_ref)
    }
}

/// How often samples of a generator were let in: when that changes there is more
/// to read.
pub fn admissions(state: &State, record: &GeneratorRecord) -> usize {
    let of = state.samples().iter().filter(|it| it.generated.event.generator == record.event.generator);
    of.map(|batch| batch.admissions.len()).sum()
}
