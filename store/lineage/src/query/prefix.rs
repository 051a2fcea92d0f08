//! From what a person types to an id.

use std::fmt::Display;

use crate::id::{
    CheckpointId, EnsembleId, GeneratorId, ImageId, PassId, PredictionsId, RunId, SamplesId, SubmissionId,
    TransactionId, WeightsId,
};
use crate::state::State;

/// Why a prefix does not name one thing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrefixError {
    /// It is empty, too long, or not hexadecimal.
    #[error("'{prefix}' is not the beginning of an id: give 1 to 32 hexadecimal digits")]
    NotHexadecimal {
        /// What was given.
        prefix: String,
    },
    /// No id starts with it.
    #[error("there is no {kind} whose id starts with '{prefix}'")]
    NotFound {
        /// What was looked for, in a word.
        kind: &'static str,
        /// What was given.
        prefix: String,
    },
    /// Several ids start with it.
    #[error("'{prefix}' is ambiguous: {count} ids ({kind}) start with it; give more digits")]
    Ambiguous {
        /// What was looked for, in a word.
        kind: &'static str,
        /// What was given.
        prefix: String,
        /// How many ids start with it.
        count: usize,
        /// The smallest of these ids, at most [`PrefixError::CANDIDATES`].
        candidates: Vec<String>,
    },
}

impl PrefixError {
    /// How many candidates are listed at most.
    pub const CANDIDATES: usize = 8;
}

/// An id by which a state can be searched.
pub trait Prefixed: Copy + Ord + Display {
    /// What it names, in a word.
    const KIND: &'static str;

    /// Its bytes.
    fn bytes(&self) -> [u8; 16];

    /// Every such id in the state, in any order.
    fn all(state: &State) -> impl Iterator<Item = Self>;
}

macro_rules! prefixed {
    ($($id:ident, $kind:literal, $state:ident => $all:expr;)+) => {$(
        impl Prefixed for $id {
            const KIND: &'static str = $kind;

            fn bytes(&self) -> [u8; 16] {
                self.0
            }

            fn all($state: &State) -> impl Iterator<Item = Self> {
                $all
            }
        }
    )+};
}

prefixed! {
    ImageId, "image", state => state.images().map(|image| image.id);
    TransactionId, "transaction", state => state.transactions().ids();
    RunId, "run", state => state.runs().ids();
    CheckpointId, "checkpoint", state => state.checkpoints().ids();
    PredictionsId, "set of predictions", state => state.predictions().ids();
    PassId, "cleaning pass", state => state.passes().ids();
    WeightsId, "set of weights", state => state.weights().ids();
    GeneratorId, "generator", state => state.generators().ids();
    SamplesId, "batch of samples", state => state.samples().ids();
    EnsembleId, "ensemble", state => state.ensembles().ids();
    SubmissionId, "submission", state => state.submissions().ids();
}

/// The one thing whose id starts with `prefix`: 1 to 32 hexadecimal digits, in
/// either case.
///
/// # Errors
///
/// When none does or several do.
pub fn resolve_prefix<T: Prefixed>(state: &State, prefix: &str) -> Result<T, PrefixError> {
    let digits: Option<Vec<u8>> = prefix.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
    let digits = match digits {
        Some(digits) if (1..=32).contains(&digits.len()) => digits,
        _ => return Err(PrefixError::NotHexadecimal { prefix: prefix.to_owned() }),
    };
    let starts = |id: &T| {
        let bytes = id.bytes();
        digits.iter().enumerate().all(|(place, digit)| {
            let byte = bytes[place / 2];
            *digit == if place % 2 == 0 { byte >> 4 } else { byte & 0xf }
        })
    };
    let mut found: Vec<T> = T::all(state).filter(starts).collect();
    found.sort_unstable();
    match found.as_slice() {
        [] => Err(PrefixError::NotFound { kind: T::KIND, prefix: prefix.to_owned() }),
        [one] => Ok(*one),
        several => Err(PrefixError::Ambiguous {
            kind: T::KIND,
            prefix: prefix.to_owned(),
            count: several.len(),
            candidates: several.iter().take(PrefixError::CANDIDATES).map(T::to_string).collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Log, transaction};

    #[test]
    fn a_prefix_names_one_or_none_or_several() {
        let mut log = Log::with_classes(&["sea"]);
        log.whole_recipe(0x11, None);
        let (first, second) = (CheckpointId([0x11; 16]), CheckpointId([0x91; 16]));
        assert_eq!(resolve_prefix(&log.state, "1"), Ok(first));
        assert_eq!(resolve_prefix(&log.state, "919"), Ok(second));
        assert_eq!(resolve_prefix(&log.state, &first.to_string()), Ok(first));
        log.whole_recipe(0x1f, None);
        let ambiguous = resolve_prefix::<CheckpointId>(&log.state, "1");
        let candidates = vec!["11".repeat(16), "1f".repeat(16)];
        assert!(matches!(
            ambiguous,
            Err(PrefixError::Ambiguous { count: 2, candidates: listed, .. }) if listed == candidates
        ));
        assert_eq!(resolve_prefix(&log.state, "1F"), Ok(CheckpointId([0x1f; 16])));
        assert!(matches!(resolve_prefix::<RunId>(&log.state, "2"), Err(PrefixError::NotFound { .. })));
        for wrong in ["", "g", "é", &"1".repeat(33)] {
            let refused = resolve_prefix::<RunId>(&log.state, wrong);
            assert_eq!(refused, Err(PrefixError::NotHexadecimal { prefix: wrong.to_owned() }));
        }
    }

    #[test]
    fn images_and_transactions_are_found_too() {
        let mut log = Log::with_classes(&["sea"]);
        let image = log.import("a.jpg", "sea");
        assert_eq!(resolve_prefix(&log.state, &image.short()), Ok(image));
        // The ids differ in the digits of their time.
        assert_eq!(resolve_prefix(&log.state, &transaction(1).to_string()[..12]), Ok(transaction(1)));
        let both = resolve_prefix::<TransactionId>(&log.state, &transaction(1).to_string()[..11]);
        assert!(matches!(both, Err(PrefixError::Ambiguous { count: 2, .. })));
    }
}
