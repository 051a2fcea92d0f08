//! What is kept of the made-up history's generator, and one in training.

use std::collections::BTreeMap;

use safelight_lineage::digest::BlobId;
use safelight_lineage::id::{CheckpointId, GeneratorId, SamplesId};
use safelight_lineage::value::Timestamp;

use crate::generator_view::{
    GeneratorEpochView, GeneratorView, LiveGenerator, SampleQuality, UnfinishedGenerator,
};
use crate::ports::{JobStatus, JobView};

/// The generator that is in training.
pub const UNFINISHED: GeneratorId = GeneratorId([0x65; 16]);

fn epoch(epoch: u32, grid: Option<BlobId>) -> GeneratorEpochView {
    let made = f64::from(epoch);
    GeneratorEpochView {
        epoch,
        critic_distance: Some(0.5 / made),
        diversity: Some(1.0 - 0.9 / made),
        frechet_distance: (epoch == 1 || epoch.is_multiple_of(5)).then(|| 100.0 / made),
        collapsed: epoch == 7,
        grid,
    }
}

/// What is kept of the generator in the log: twelve epochs.
pub fn view() -> GeneratorView {
    let steps = |from: f64| -> Vec<f64> { (1..=240).map(|step| from / f64::from(step)).collect() };
    let quality = SampleQuality {
        diversity: Some(0.82),
        copies: 1,
        frechet_distances: Some((9.1, 1.2)),
        recognised: Some(0.62),
        by: Some(CheckpointId([0x21; 16])),
        min_confidence: Some(0.8),
    };
    GeneratorView {
        facts: vec![
            ("learned from".into(), "52 images".into()),
            ("ended".into(), "after all its epochs".into()),
            ("penalty".into(), "clip".into()),
        ],
        epochs: (1..=12).map(|number| epoch(number, Some(BlobId([0x92 + number as u8; 32])))).collect(),
        critic_distances: steps(0.6),
        gradient_penalties: Vec::new(),
        generator_losses: steps(-0.4),
        qualities: BTreeMap::from([(SamplesId([0x62; 16]), quality)]),
    }
}

/// The generator in training, after so many epochs of forty.
pub fn unfinished(epochs: u32) -> UnfinishedGenerator {
    UnfinishedGenerator {
        generator: UNFINISHED,
        class: Some("forest".into()),
        image_size: 32,
        epochs: 40,
        grids: (1..=epochs).map(|number| (number, BlobId([0x20 + number as u8; 32]))).collect(),
    }
}

/// The job that trains it, after so many epochs.
pub fn job(epochs: u32, status: JobStatus) -> JobView {
    JobView {
        id: "9".into(),
        title: "generate train --class=forest".into(),
        status,
        started: Timestamp(1_795_520_000_000),
        took: None,
        progress: Some(f64::from(epochs) / 40.0),
        eta: (status == JobStatus::Running).then_some(431.0),
        output: vec![format!("epoch {} of 40 · critic 0.123", epochs + 1)],
        run: None,
        replay: None,
        generator: Some(LiveGenerator {
            generator: Some(UNFINISHED),
            epochs: (1..=epochs).map(|number| epoch(number, None)).collect(),
            critic_distances: (1..=epochs * 20).map(|step| 0.6 / f64::from(step)).collect(),
        }),
        series: Vec::new(),
    }
}
