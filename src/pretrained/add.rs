//! Keeping weights from elsewhere.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use safelight_lineage::digest::BlobId;
use safelight_lineage::event::WeightsAdded;
use safelight_lineage::id::WeightsId;
use safelight_store::BlobError;
use sha2::{Digest as _, Sha256};

use super::fit::{Fit, FitError, fit};
use super::read::{ForeignFormat, Limits, ReadError, read};
use crate::session::{Session, SessionError};
use crate::train::recipe::Architecture;
use crate::train::weights::encode;

/// Why weights could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// The file gives no tensors.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Its tensors are no network's.
    #[error("{}: {error}", path.display())]
    Fit {
        /// The file.
        path: PathBuf,
        /// Why.
        error: FitError,
    },
    /// The file's digest is not the one that was asked for.
    #[error("the SHA-256 of {} is {actual}, not {expected}", path.display())]
    OtherDigest {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        expected: String,
        /// What it is.
        actual: String,
    },
    /// The file changed while it was read.
    #[error("{} changed while it was being read", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The store could not be written.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The log could not be written.
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// What was kept.
#[derive(Debug)]
pub struct Added {
    /// Its id.
    pub weights: WeightsId,
    /// What the log says, or said already: then nothing was recorded.
    pub record: WeightsAdded,
    /// Whether the same file was there before.
    pub known: bool,
    /// How the file holds its tensors.
    pub format: ForeignFormat,
    /// How it was taken; its tensors are not in it any more.
    pub fit: Fit,
    /// Counters and other whole numbers that were left out.
    pub integers: Vec<String>,
}

/// Keeps the weights of `path` as `name`: the file as it is, and its tensors as
/// safetensors without the head. With `sha256` (64 hexadecimal digits), only a
/// file of that digest is taken.
///
/// # Errors
/// When the file cannot be read, fits no network, or the store refuses; nothing
/// is recorded then.
pub fn add(
    session: &mut Session,
    path: &Path,
    name: &str,
    wanted: Option<Architecture>,
    sha256: Option<&str>,
    ignore_unexpected: bool,
) -> Result<Added, AddError> {
    let (digest, blob) = digests(path)?;
    if let Some(expected) = sha256 {
        let actual = hex(&digest);
        if !expected.eq_ignore_ascii_case(&actual) {
            return Err(AddError::OtherDigest {
                path: path.to_owned(),
                expected: expected.to_owned(),
                actual,
            });
        }
    }
    let found = read(path, &Limits::default())?;
    let fit_error = |error| AddError::Fit { path: path.to_owned(), error };
    let mut fitted = fit(found.tensors, wanted, ignore_unexpected).map_err(fit_error)?;
    let tensors = encode(&std::mem::take(&mut fitted.tensors), "architecture", fitted.architecture.name());
    let tensors_blob = BlobId::of(&tensors);
    let known = session.state().weights().iter().map(|record| &record.event).find(|event| {
        event.original == blob
            && event.tensors == tensors_blob
            && event.architecture == fitted.architecture.name()
    });
    let (format, integers) = (found.format, found.integers);
    if let Some(record) = known {
        let record = record.clone();
        return Ok(Added { weights: record.weights, record, known: true, format, fit: fitted, integers });
    }
    let blobs = session.repository().blobs().clone();
    if blobs.put_file(path)? != blob {
        return Err(AddError::Changed { path: path.to_owned() });
    }
    blobs.put(&tensors)?;
    let event = |weights| WeightsAdded {
        weights,
        name: name.to_owned(),
        architecture: fitted.architecture.name().to_owned(),
        original: blob,
        original_sha256: digest,
        tensors: tensors_blob,
    };
    let frame = session.record(None, |_, transaction| event(WeightsId(transaction.derive("weights", 0))))?;
    let weights = WeightsId(frame.header.transaction.derive("weights", 0));
    Ok(Added { weights, record: event(weights), known: false, format, fit: fitted, integers })
}

/// SHA-256, as publishers state it, and BLAKE3, as the store names it, in one pass.
fn digests(path: &Path) -> Result<([u8; 32], BlobId), AddError> {
    let failed = |error: io::Error| ReadError::Io { path: path.to_owned(), error };
    let mut file = File::open(path).map_err(failed)?;
    let (mut sha, mut blake) = (Sha256::new(), blake3::Hasher::new());
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut buffer).map_err(failed)?;
        if count == 0 {
            break;
        }
        sha.update(&buffer[..count]);
        blake.update(&buffer[..count]);
    }
    Ok((sha.finalize().into(), BlobId(*blake.finalize().as_bytes())))
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
