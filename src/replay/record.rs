//! The receipt in the log: the only thing that a replay leaves there.

use safelight_lineage::digest::BlobId;
use safelight_lineage::event::SubmissionReplayed;

use super::error::ReplayError;
use super::receipt::Receipt;
use crate::session::Session;
use crate::train::environment::Environment;

/// Records a replay that was done in `environment`, with its receipt.
///
/// # Errors
/// When the store or the log cannot be written.
pub fn record(
    session: &mut Session,
    receipt: &Receipt,
    environment: &Environment,
) -> Result<BlobId, ReplayError> {
    let blobs = session.repository().blobs().clone();
    let put = |what: &str, bytes: &[u8]| {
        blobs.put(bytes).map_err(|error| ReplayError::Blob { what: what.to_owned(), error })
    };
    let environment = put("the environment", &environment.to_json())?;
    let blob = put("the receipt", &receipt.to_json())?;
    session.record(None, |_, _| SubmissionReplayed {
        submission: receipt.submission,
        depth: receipt.depth,
        outcome: receipt.outcome.clone(),
        environment,
        receipt: blob,
    })?;
    Ok(blob)
}
