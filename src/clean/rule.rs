//! The rules, by name, and what each is.

mod settings;

use super::confident_learning::Filter;

pub use settings::RuleError;

pub(super) const CONFIDENTLY_WRONG: &str = "confidently-wrong";
pub(super) const AMBIGUOUS: &str = "ambiguous";
pub(super) const NEAR_DUPLICATE: &str = "near-duplicate";
pub(super) const LEAKAGE: &str = "leakage";
pub(super) const CONFLICTING_DUPLICATE: &str = "conflicting-duplicate";
pub(super) const BLANK: &str = "blank";
pub(super) const TINY: &str = "tiny";
pub(super) const UNREADABLE: &str = "unreadable";
pub(super) const COLOUR_MODEL: &str = "colour-model";

/// The switch that a pass records for rules that judged in-sample predictions.
pub(super) const IN_SAMPLE: &str = "in_sample";

/// The name of confident learning under a filter.
pub(super) const fn confident_learning_name(filter: Filter) -> &'static str {
    match filter {
        Filter::PruneByClass => "confident-learning/prune-by-class",
        Filter::PruneByNoiseRate => "confident-learning/prune-by-noise-rate",
        Filter::Both => "confident-learning/both",
        Filter::ConfidentLearning => "confident-learning/confident-learning",
        Filter::PredictedNeqGiven => "confident-learning/predicted-neq-given",
        Filter::LowSelfConfidence => "confident-learning/low-self-confidence",
        Filter::LowNormalizedMargin => "confident-learning/low-normalized-margin",
    }
}

/// The furthest that hashes of 64 bits may be apart and still be called alike;
/// unrelated pictures are 32 apart on average.
pub(super) const FURTHEST: f64 = 10.0;

/// A rule with its settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// See [`confidently_wrong`](super::confidently_wrong()).
    ConfidentlyWrong {
        /// Strictly above this; 0 or more, below 1.
        above: f64,
    },
    /// See [`ambiguous`](super::ambiguous()).
    Ambiguous {
        /// From this on, 0 to 1.
        low: f64,
        /// Up to and with this, `low` to 1.
        high: f64,
    },
    /// See [`confident_learning`](super::confident_learning()).
    ConfidentLearning {
        /// Which filter.
        filter: Filter,
        /// Images of each label to leave alone.
        min_per_class: u32,
    },
    /// See [`near_duplicates`](super::near_duplicates()).
    NearDuplicate {
        /// Bits of 64 that may differ, 0 to 10.
        max_distance: u32,
        /// The least cosine of embeddings, above 0 to 1; none to go by hashes alone.
        min_cosine: Option<f64>,
    },
    /// See [`leakage`](super::leakage()).
    Leakage {
        /// Bits of 64 that may differ, 0 to 10.
        max_distance: u32,
        /// The least cosine of embeddings, above 0 to 1; none to go by hashes alone.
        min_cosine: Option<f64>,
    },
    /// See [`conflicting_duplicates`](super::conflicting_duplicates()).
    ConflictingDuplicate {
        /// Bits of 64 that may differ, 0 to 10.
        max_distance: u32,
        /// The least cosine of embeddings, above 0 to 1; none to go by hashes alone.
        min_cosine: Option<f64>,
    },
    /// See [`blank`](super::blank()).
    Blank {
        /// Standard deviation of the gray up to and with this, 0 to 127.5.
        max_deviation: f64,
    },
    /// See [`tiny`](super::tiny()).
    Tiny {
        /// Pixels that the shorter edge must have, 1 to 65535.
        min_edge: u32,
    },
    /// See [`unreadable`](super::unreadable()).
    Unreadable,
    /// See [`colour_model`](super::colour_model()).
    ColourModel {
        /// The share of pictures that makes a way to keep colours usual, 0 to 1.
        usual_share: f64,
    },
}

/// What a finding asks a person. An answer to one is no answer to another: an
/// image whose label is right may still be the twin of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// Is the label right?
    Label,
    /// Is this picture wanted beside the other?
    Twin,
    /// Is the picture good enough?
    Picture,
}

impl Rule {
    /// The rules with their default settings: the recipe's thresholds,
    /// cleanlab's default filter.
    pub const DEFAULTS: [Rule; 10] = [
        Rule::ConfidentlyWrong { above: 0.9 },
        Rule::Ambiguous { low: 0.5, high: 0.6 },
        Rule::ConfidentLearning { filter: Filter::PruneByNoiseRate, min_per_class: 1 },
        Rule::NearDuplicate { max_distance: 8, min_cosine: None },
        Rule::Leakage { max_distance: 8, min_cosine: None },
        Rule::ConflictingDuplicate { max_distance: 8, min_cosine: None },
        Rule::Blank { max_deviation: 2.0 },
        Rule::Tiny { min_edge: 16 },
        Rule::Unreadable,
        Rule::ColourModel { usual_share: 0.5 },
    ];

    /// Its name, as findings, events and the command line have it.
    pub const fn name(&self) -> &'static str {
        match self {
            Rule::ConfidentlyWrong { .. } => CONFIDENTLY_WRONG,
            Rule::Ambiguous { .. } => AMBIGUOUS,
            Rule::ConfidentLearning { filter, .. } => confident_learning_name(*filter),
            Rule::NearDuplicate { .. } => NEAR_DUPLICATE,
            Rule::Leakage { .. } => LEAKAGE,
            Rule::ConflictingDuplicate { .. } => CONFLICTING_DUPLICATE,
            Rule::Blank { .. } => BLANK,
            Rule::Tiny { .. } => TINY,
            Rule::Unreadable => UNREADABLE,
            Rule::ColourModel { .. } => COLOUR_MODEL,
        }
    }

    /// The name of every rule, confident learning once for each filter.
    pub fn names() -> Vec<&'static str> {
        let others = Rule::DEFAULTS.iter().filter(|rule| !matches!(rule, Rule::ConfidentLearning { .. }));
        others.map(Rule::name).chain(Filter::ALL.map(confident_learning_name)).collect()
    }

    /// The rule with this name and its default settings; `confident-learning`
    /// alone means its default filter.
    ///
    /// # Errors
    /// When no rule has this name.
    pub fn from_name(name: &str) -> Result<Rule, RuleError> {
        let filter = match name.strip_prefix("confident-learning") {
            Some("") => Some(Filter::PruneByNoiseRate),
            Some(rest) => rest.strip_prefix('/').and_then(Filter::from_name),
            None => None,
        };
        if let Some(filter) = filter {
            return Ok(Rule::ConfidentLearning { filter, min_per_class: 1 });
        }
        let named = Rule::DEFAULTS.into_iter().find(|rule| rule.name() == name);
        named.ok_or_else(|| RuleError::Unknown { name: name.to_owned() })
    }

    /// What a finding of this rule asks a person.
    pub const fn question(&self) -> Question {
        match self {
            Rule::ConfidentlyWrong { .. }
            | Rule::Ambiguous { .. }
            | Rule::ConfidentLearning { .. }
            | Rule::ConflictingDuplicate { .. } => Question::Label,
            Rule::NearDuplicate { .. } | Rule::Leakage { .. } => Question::Twin,
            Rule::Blank { .. } | Rule::Tiny { .. } | Rule::Unreadable | Rule::ColourModel { .. } => {
                Question::Picture
            }
        }
    }

    /// What a high rank under it counts beside other rules, 0 to 1; see
    /// [`combine`](super::combine()). Rules that judge by the same predictions
    /// are no independent witnesses, and on photographs with planted wrong
    /// labels their rankings were worth this much beside each other (average
    /// precision 0.68 for confident learning, 0.24 and 0.004 for the others;
    /// with equal weights 0.47, with these 0.67).
    pub const fn weight(&self) -> f64 {
        match self {
            Rule::ConfidentlyWrong { .. } => 0.25,
            Rule::Ambiguous { .. } => 0.1,
            _ => 1.0,
        }
    }

    /// Whether it compares pictures with each other.
    pub const fn compares_pictures(&self) -> bool {
        matches!(self, Rule::NearDuplicate { .. } | Rule::Leakage { .. } | Rule::ConflictingDuplicate { .. })
    }

    /// The least cosine of embeddings that it goes by, if any.
    pub const fn min_cosine(&self) -> Option<f64> {
        match self {
            Rule::NearDuplicate { min_cosine, .. }
            | Rule::Leakage { min_cosine, .. }
            | Rule::ConflictingDuplicate { min_cosine, .. } => *min_cosine,
            _ => None,
        }
    }

    /// The same rule, going also by embeddings unless it does already.
    #[must_use]
    pub const fn by_cosine_too(self, least: f64) -> Rule {
        match self {
            Rule::NearDuplicate { max_distance, min_cosine: None } => {
                Rule::NearDuplicate { max_distance, min_cosine: Some(least) }
            }
            Rule::Leakage { max_distance, min_cosine: None } => {
                Rule::Leakage { max_distance, min_cosine: Some(least) }
            }
            Rule::ConflictingDuplicate { max_distance, min_cosine: None } => {
                Rule::ConflictingDuplicate { max_distance, min_cosine: Some(least) }
            }
            other => other,
        }
    }

    /// Whether it judges by predictions, not by pixels.
    pub const fn needs_predictions(&self) -> bool {
        matches!(
            self,
            Rule::ConfidentlyWrong { .. } | Rule::Ambiguous { .. } | Rule::ConfidentLearning { .. }
        )
    }
}
