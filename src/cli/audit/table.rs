//! Answers as CSV.

use super::super::context::Context;
use crate::error::AppError;

/// Rows under a header, as CSV on stdout.
pub(super) fn csv(
    context: &Context,
    header: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Result<(), AppError> {
    let failed = |error: csv::Error| AppError::failed(format!("could not write CSV: {error}"));
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(header).map_err(failed)?;
    for row in rows {
        csv.write_record(row).map_err(failed)?;
    }
    let bytes = csv.into_inner().map_err(|error| AppError::failed(error.to_string()))?;
    context.out.line(String::from_utf8_lossy(&bytes).trim_end());
    Ok(())
}
