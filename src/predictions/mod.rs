//! What models said about images: the blob that keeps probabilities, and the
//! reading of predictions that were made elsewhere.

mod calibration;
mod external;
mod probabilities;

pub use calibration::{Calibration, fit};
pub use external::{
    External, ExternalError, ImageDifferences, KnownImage, read_external, read_external_partly,
};
pub use probabilities::{Probabilities, ProbabilitiesError, ROW_SUM_TOLERANCE, argmax};
