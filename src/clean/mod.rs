//! Finding the images that are wrong: rules that judge by predictions and by
//! pixels, what they found, and how well they did where the truth is known.

pub mod answered;
mod combine;
mod confidence;
mod confident_joint;
mod confident_learning;
pub mod drift;
mod duplicates;
mod embeddings;
mod evaluation;
pub mod evidence;
mod finding;
mod folds;
pub mod gather;
mod hamming;
mod judged;
mod likeness;
pub mod linear_probe;
pub mod pass;
mod perceptual_hash;
mod picture;
mod planted;
mod propose;
mod rule;
mod summation;

pub use combine::{CombinedFinding, combine};
pub use confidence::{ambiguous, confidently_wrong};
pub use confident_learning::{
    Filter, LabelledRows, confident_learning, flags, normalized_margin, self_confidence,
};
pub use duplicates::{conflicting_duplicates, duplicate_groups, leakage, near_duplicates};
pub use embeddings::{ClosePair, Embeddings};
pub use evaluation::{PrecisionRecall, average_precision, precision_recall};
pub use finding::{Finding, Findings, FindingsError, ranked};
pub use folds::{FoldError, FoldSample, folds};
pub use judged::{Judged, JudgedError};
pub use likeness::Likeness;
pub use perceptual_hash::{GRAY_EDGE, GRAY_PIXELS, perceptual_hash};
pub use picture::{Colours, PictureFacts, PictureMeasure, Unreadable, blank, colour_model, tiny, unreadable};
pub use planted::planted;
pub use propose::{Material, ProposeError, propose};
pub use rule::{Question, Rule, RuleError};
