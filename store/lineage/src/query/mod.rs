//! Questions whose answers are functions of a state.

mod ancestry;
mod audit;
mod biography;
mod blast_radius;
mod dataset;
mod difference;
mod generator;
mod prefix;
mod reachable;
mod replay_plan;
mod submission_blobs;

pub use ancestry::{Ancestor, ancestry};
pub use audit::{Occasion, Relabelling, Removal, relabels, removals};
pub use biography::{Biography, BiographyEntry, Happening, biography};
pub use blast_radius::{BlastRadius, blast_radius, blast_radius_of, stale_after};
pub use dataset::{ManifestFilter, manifest, manifest_as_of};
pub use difference::{Held, ImageDifference, difference};
pub use generator::{generated_images, generator_dataset, learned_by_generator};
pub use prefix::{PrefixError, Prefixed, resolve_prefix};
pub use reachable::{Need, reachable_blobs};
pub use replay_plan::{ReplayPlan, ReplayPlanError, ReplayStep, StepKind, lineage_of_submission};
pub use submission_blobs::blobs_of_submission;
