//! Generators of the values that events are made of.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use crate::digest::BlobId;
use crate::event::{Decision, Evidence, Member, RevertTarget, RuleUse, Split};
use crate::value::{ClassIndex, PathBytes, Real};

/// From how many ids and texts to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Universe {
    /// From all there are: for testing byte formats.
    Wide,
    /// From a few, so that events meet: for testing folds.
    Narrow,
}

impl Universe {
    pub(super) fn bytes<const N: usize>(self) -> BoxedStrategy<[u8; N]>
    where
        [u8; N]: Arbitrary,
    {
        match self {
            Universe::Wide => any::<[u8; N]>().boxed(),
            Universe::Narrow => (1..6u8).prop_map(|byte| [byte; N]).boxed(),
        }
    }

    pub(super) fn blob(self) -> BoxedStrategy<BlobId> {
        self.bytes::<32>().prop_map(BlobId).boxed()
    }

    pub(super) fn text(self) -> BoxedStrategy<String> {
        match self {
            Universe::Wide => any::<String>().boxed(),
            Universe::Narrow => {
                prop_oneof![Just("one"), Just("two"), Just("")].prop_map(str::to_owned).boxed()
            }
        }
    }

    pub(super) fn path(self) -> BoxedStrategy<PathBytes> {
        match self {
            Universe::Wide => vec(any::<u8>(), 0..40).prop_map(PathBytes::new).boxed(),
            Universe::Narrow => self.text().prop_map(|text| PathBytes::new(text.into_bytes())).boxed(),
        }
    }

    pub(super) fn class(self) -> BoxedStrategy<ClassIndex> {
        match self {
            Universe::Wide => any::<u16>().prop_map(ClassIndex).boxed(),
            // Rarely one that is not there, or the one that stands for none.
            Universe::Narrow => {
                prop_oneof![9 => 0..3u16, 1 => Just(7), 1 => Just(u16::MAX)].prop_map(ClassIndex).boxed()
            }
        }
    }

    pub(super) fn evidence(self) -> impl Strategy<Value = Evidence> {
        let pass = option::of(self.bytes().prop_map(crate::id::PassId));
        let predictions = option::of(self.bytes().prop_map(crate::id::PredictionsId));
        (pass, predictions, option::of(self.text()), option::of(real()))
            .prop_map(|(pass, predictions, rule, score)| Evidence { pass, predictions, rule, score })
    }

    pub(super) fn decision(self) -> impl Strategy<Value = Decision> {
        prop_oneof![
            Just(Decision::Kept),
            self.class().prop_map(|label| Decision::Relabelled { label }),
            Just(Decision::Removed),
            Just(Decision::Skipped),
        ]
    }

    pub(super) fn metrics(self) -> impl Strategy<Value = BTreeMap<String, Real>> {
        btree_map(self.text(), real(), 0..4)
    }

    pub(super) fn rule(self) -> impl Strategy<Value = RuleUse> {
        (self.text(), self.metrics()).prop_map(|(rule, parameters)| RuleUse { rule, parameters })
    }

    pub(super) fn member(self) -> impl Strategy<Value = Member> {
        let predictions = self.bytes().prop_map(crate::id::PredictionsId);
        (predictions, real()).prop_map(|(predictions, weight)| Member { predictions, weight })
    }

    pub(super) fn target(self) -> BoxedStrategy<RevertTarget> {
        let target = |(transaction, events)| RevertTarget { transaction, events };
        match self {
            Universe::Wide => {
                let transaction = any::<[u8; 16]>().prop_map(crate::id::TransactionId);
                (transaction, vec(any::<u32>(), 0..5)).prop_map(target).boxed()
            }
            Universe::Narrow => {
                let transaction = (0..30u64).prop_map(super::log::transaction);
                (transaction, vec(0..4u32, 0..3)).prop_map(target).boxed()
            }
        }
    }
}

/// Any number by its bits, those that are none included.
pub(super) fn real() -> impl Strategy<Value = Real> {
    prop_oneof![any::<u64>().prop_map(|bits| Real(f64::from_bits(bits))), (0.0..1.0f64).prop_map(Real)]
}

pub(super) fn split() -> impl Strategy<Value = Split> {
    proptest::sample::select(Split::ALL.to_vec())
}
