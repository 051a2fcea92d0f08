//! From what a person types to an id: a unique prefix of it, as in git, or for
//! images also their path.

use safelight_lineage::event::{EventRef, Split};
use safelight_lineage::id::{ImageId, TransactionId};
use safelight_lineage::query::{PrefixError, Prefixed, resolve_prefix};
use safelight_lineage::state::{ImageView, State};
use safelight_lineage::value::Seq;

use super::words;
use crate::error::AppError;

/// For so many images, looking through all paths is quicker than an index.
const FEW: usize = 8;

/// Finds the one thing of this kind whose id starts with `prefix`.
///
/// # Errors
/// When there is none, or more than one: then the candidates are listed.
pub fn id<T: Prefixed>(state: &State, prefix: &str) -> Result<T, AppError> {
    resolve_prefix(state, prefix).map_err(AppError::from)
}

/// Finds an image by a unique prefix of its id or by its path.
///
/// # Errors
/// When there is none, or more than one.
pub fn image(state: &State, text: &str) -> Result<ImageId, AppError> {
    named(state, text, state.scan_path(text.as_bytes()))
}

/// The image that a text names, given those at it as a path.
fn named(state: &State, text: &str, at_path: Vec<ImageView<'_>>) -> Result<ImageId, AppError> {
    let by_path: Vec<ImageId> = at_path.into_iter().filter(|view| view.exists).map(|view| view.id).collect();
    match by_path.as_slice() {
        [one] => Ok(*one),
        [] if text.contains(['/', '.']) => {
            Err(AppError::refused(format!("there is no image at {}", words::text(text)))
                .hint("give its path as `safelight log` shows it, or the beginning of its id"))
        }
        [] => id(state, text).map_err(|error| match resolve_prefix::<ImageId>(state, text) {
            Err(PrefixError::Ambiguous { .. }) => error,
            _ => error
                .hint("images go by the beginning of their id or by their path, such as train/sea/0001.jpg"),
        }),
        several => Err(several.iter().fold(
            AppError::refused(format!("{} images are at {}", several.len(), words::text(text))),
            |error, id| error.hint(words::image(state, *id)),
        )),
    }
}

/// Finds several images; see [`image`](image()).
///
/// # Errors
/// For the first that is not found.
pub fn images(state: &State, texts: &[String]) -> Result<Vec<ImageId>, AppError> {
    if texts.len() <= FEW {
        return texts.iter().map(|text| image(state, text)).collect();
    }
    let at_path = |text: &str| {
        let splits = Split::ALL.into_iter();
        splits.flat_map(|split| state.images_at_path(split, text.as_bytes())).collect()
    };
    texts.iter().map(|text| named(state, text, at_path(text))).collect()
}

/// Finds a point in the log: a Seq, or the transaction that ends there.
///
/// # Errors
/// When the log is not that long or there is no such transaction.
pub fn seq(state: &State, text: &str) -> Result<Seq, AppError> {
    if let Ok(number) = text.parse::<u64>()
        && text.len() < 12
    {
        return if number <= state.seq().0 {
            Ok(Seq(number))
        } else {
            Err(AppError::refused(format!("the log ends at seq {}, {number} is after it", state.seq())))
        };
    }
    let transaction: TransactionId = id(state, text)?;
    state
        .transactions()
        .get(transaction)
        .map(|record| record.last_seq())
        .ok_or_else(|| AppError::refused(format!("there is no transaction {transaction}")))
}

/// Finds what to revert: one event by its Seq, or a whole transaction by its id.
///
/// # Errors
/// When there is no such event or transaction.
pub fn target(state: &State, text: &str) -> Result<(TransactionId, Vec<u32>), AppError> {
    if let Ok(number) = text.parse::<u64>()
        && text.len() < 12
    {
        let EventRef { transaction, index } =
            state.transactions().event_at(Seq(number)).ok_or_else(|| {
                AppError::refused(format!("there is no event {number}; the log ends at seq {}", state.seq()))
            })?;
        return Ok((transaction, vec![index]));
    }
    Ok((id(state, text)?, Vec::new()))
}

impl From<PrefixError> for AppError {
    fn from(error: PrefixError) -> AppError {
        let refused = AppError::refused(words::text(&error.to_string()));
        match error {
            PrefixError::Ambiguous { candidates, .. } => {
                candidates.iter().fold(refused, |error, candidate| error.hint(candidate))
            }
            _ => refused.hint("see what there is with: safelight log"),
        }
    }
}
