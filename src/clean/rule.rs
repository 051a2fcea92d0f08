//! The rules with their settings: named, checked, recorded in the event of a
//! pass, and read back from it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use safelight_lineage::event::RuleUse;
use safelight_lineage::value::Real;

use super::confident_learning::Filter;

pub(super) const CONFIDENTLY_WRONG: &str = "confidently-wrong";
pub(super) const AMBIGUOUS: &str = "ambiguous";
pub(super) const NEAR_DUPLICATE: &str = "near-duplicate";
pub(super) const LEAKAGE: &str = "leakage";
pub(super) const CONFLICTING_DUPLICATE: &str = "conflicting-duplicate";
pub(super) const BLANK: &str = "blank";
pub(super) const TINY: &str = "tiny";

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
const FURTHEST: f64 = 10.0;

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
    },
    /// See [`leakage`](super::leakage()).
    Leakage {
        /// Bits of 64 that may differ, 0 to 10.
        max_distance: u32,
    },
    /// See [`conflicting_duplicates`](super::conflicting_duplicates()).
    ConflictingDuplicate {
        /// Bits of 64 that may differ, 0 to 10.
        max_distance: u32,
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
}

/// Why a rule's name or settings are refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RuleError {
    /// No rule has this name.
    #[error("there is no rule '{name}'; there are: {}", Rule::names().join(", "))]
    Unknown {
        /// What was given.
        name: String,
    },
    /// The rule has no such setting.
    #[error("rule {rule} has no setting '{setting}'")]
    UnknownSetting {
        /// The rule.
        rule: String,
        /// What was given.
        setting: String,
    },
    /// A setting is not given.
    #[error("rule {rule} lacks its setting '{setting}'")]
    MissingSetting {
        /// The rule.
        rule: String,
        /// The setting.
        setting: &'static str,
    },
    /// A setting is out of range.
    #[error("rule {rule}: {setting} is {value}, expected {expected}")]
    Range {
        /// The rule.
        rule: String,
        /// The setting.
        setting: &'static str,
        /// What was given.
        value: f64,
        /// What is allowed, in words.
        expected: &'static str,
    },
}

impl Rule {
    /// The rules with their default settings: the recipe's thresholds,
    /// cleanlab's default filter.
    pub const DEFAULTS: [Rule; 8] = [
        Rule::ConfidentlyWrong { above: 0.9 },
        Rule::Ambiguous { low: 0.5, high: 0.6 },
        Rule::ConfidentLearning { filter: Filter::PruneByNoiseRate, min_per_class: 1 },
        Rule::NearDuplicate { max_distance: 8 },
        Rule::Leakage { max_distance: 8 },
        Rule::ConflictingDuplicate { max_distance: 8 },
        Rule::Blank { max_deviation: 2.0 },
        Rule::Tiny { min_edge: 16 },
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

    /// Whether it judges by predictions, not by pixels.
    pub const fn needs_predictions(&self) -> bool {
        matches!(
            self,
            Rule::ConfidentlyWrong { .. } | Rule::Ambiguous { .. } | Rule::ConfidentLearning { .. }
        )
    }

    /// Checks its settings and puts them down for the event of a pass. Beside
    /// the thresholds it says how their edges count: `strict` excludes the
    /// threshold itself, `inclusive` includes it.
    ///
    /// # Errors
    /// When a setting is out of range.
    pub fn recorded(&self) -> Result<RuleUse, RuleError> {
        let settings = self.settings();
        Rule::from_settings(self.name(), &settings)?;
        let parameters = settings.into_iter().map(|(name, value)| (name.to_owned(), Real(value))).collect();
        Ok(RuleUse { rule: self.name().to_owned(), parameters })
    }

    fn settings(&self) -> BTreeMap<&'static str, f64> {
        match *self {
            Rule::ConfidentlyWrong { above } => BTreeMap::from([("above", above), ("strict", 1.0)]),
            Rule::Ambiguous { low, high } => {
                BTreeMap::from([("low", low), ("high", high), ("inclusive", 1.0)])
            }
            Rule::ConfidentLearning { min_per_class, .. } => {
                BTreeMap::from([("min_per_class", f64::from(min_per_class))])
            }
            Rule::NearDuplicate { max_distance }
            | Rule::Leakage { max_distance }
            | Rule::ConflictingDuplicate { max_distance } => {
                BTreeMap::from([("max_distance", f64::from(max_distance)), ("inclusive", 1.0)])
            }
            Rule::Blank { max_deviation } => {
                BTreeMap::from([("max_deviation", max_deviation), ("inclusive", 1.0)])
            }
            Rule::Tiny { min_edge } => BTreeMap::from([("min_edge", f64::from(min_edge)), ("strict", 1.0)]),
        }
    }

    /// Reads a rule back from the event of a pass.
    ///
    /// # Errors
    /// When the rule or a setting is unknown, missing or out of range.
    pub fn from_recorded(recorded: &RuleUse) -> Result<Rule, RuleError> {
        let settings: BTreeMap<&str, f64> =
            recorded.parameters.iter().map(|(name, value)| (name.as_str(), value.0)).collect();
        Rule::from_settings(&recorded.rule, &settings)
    }

    fn from_settings(name: &str, given: &BTreeMap<&str, f64>) -> Result<Rule, RuleError> {
        let rule = Rule::from_name(name)?;
        let known = rule.settings();
        if let Some(setting) = given.keys().find(|setting| !known.contains_key(*setting)) {
            return Err(RuleError::UnknownSetting { rule: name.to_owned(), setting: (*setting).to_owned() });
        }
        let settings = Settings { rule: name, given };
        for edge in ["strict", "inclusive"] {
            if known.contains_key(edge) {
                settings.get(edge, 1.0..=1.0, "1")?;
            }
        }
        let distance = || settings.whole("max_distance", 0.0..=FURTHEST, "a whole number, 0 to 10");
        Ok(match rule {
            Rule::ConfidentlyWrong { .. } => {
                // Not 1: nothing is more probable, so the rule would be off unnoticed.
                Rule::ConfidentlyWrong {
                    above: settings.get("above", 0.0..=1.0f64.next_down(), "0 or more, below 1")?,
                }
            }
            Rule::Ambiguous { .. } => {
                let low = settings.get("low", 0.0..=1.0, "0 to 1")?;
                Rule::Ambiguous { low, high: settings.get("high", low..=1.0, "low to 1")? }
            }
            Rule::ConfidentLearning { filter, .. } => {
                let most = f64::from(u32::MAX);
                let min_per_class =
                    settings.whole("min_per_class", 0.0..=most, "a whole number, 0 or more")?;
                Rule::ConfidentLearning { filter, min_per_class }
            }
            Rule::NearDuplicate { .. } => Rule::NearDuplicate { max_distance: distance()? },
            Rule::Leakage { .. } => Rule::Leakage { max_distance: distance()? },
            Rule::ConflictingDuplicate { .. } => Rule::ConflictingDuplicate { max_distance: distance()? },
            Rule::Blank { .. } => {
                Rule::Blank { max_deviation: settings.get("max_deviation", 0.0..=127.5, "0 to 127.5")? }
            }
            Rule::Tiny { .. } => Rule::Tiny {
                min_edge: settings.whole("min_edge", 1.0..=65535.0, "a whole number, 1 to 65535")?,
            },
        })
    }
}

struct Settings<'a> {
    rule: &'a str,
    given: &'a BTreeMap<&'a str, f64>,
}

impl Settings<'_> {
    fn get(
        &self,
        setting: &'static str,
        range: RangeInclusive<f64>,
        expected: &'static str,
    ) -> Result<f64, RuleError> {
        let rule = || self.rule.to_owned();
        let value =
            *self.given.get(setting).ok_or_else(|| RuleError::MissingSetting { rule: rule(), setting })?;
        if range.contains(&value) {
            Ok(value)
        } else {
            Err(RuleError::Range { rule: rule(), setting, value, expected })
        }
    }

    fn whole(
        &self,
        setting: &'static str,
        range: RangeInclusive<f64>,
        expected: &'static str,
    ) -> Result<u32, RuleError> {
        let value = self.get(setting, range, expected)?;
        if value.fract() == 0.0 {
            Ok(value as u32)
        } else {
            Err(RuleError::Range { rule: self.rule.to_owned(), setting, value, expected })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_is_read_back() {
        for name in Rule::names() {
            let rule = Rule::from_name(name).unwrap();
            assert_eq!(rule.name(), name);
            assert_eq!(Rule::from_recorded(&rule.recorded().unwrap()), Ok(rule));
        }
        let rule = Rule::Ambiguous { low: 0.4, high: 0.45 };
        let recorded = rule.recorded().unwrap();
        assert_eq!(recorded.parameters["high"], Real(0.45));
        assert_eq!(Rule::from_recorded(&recorded), Ok(rule));
        assert_eq!(Rule::from_name("confident-learning"), Ok(Rule::DEFAULTS[2]));
        assert!(matches!(Rule::from_name("confident-learning/x"), Err(RuleError::Unknown { .. })));
        assert!(matches!(Rule::from_name("confident-learningboth"), Err(RuleError::Unknown { .. })));
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let bad = [
            Rule::ConfidentlyWrong { above: 1.0 },
            Rule::ConfidentlyWrong { above: -0.1 },
            Rule::ConfidentlyWrong { above: f64::NAN },
            Rule::Ambiguous { low: 0.6, high: 0.5 },
            Rule::Ambiguous { low: -0.1, high: 0.5 },
            Rule::Ambiguous { low: 0.5, high: 1.1 },
            Rule::NearDuplicate { max_distance: 11 },
            Rule::Blank { max_deviation: 128.0 },
            Rule::Tiny { min_edge: 0 },
        ];
        for rule in bad {
            assert!(matches!(rule.recorded(), Err(RuleError::Range { .. })), "{rule:?}");
        }
    }

    #[test]
    fn recorded_settings_that_make_no_sense_are_refused() {
        let with = |setting: &str, value: Option<f64>| {
            let mut recorded = Rule::NearDuplicate { max_distance: 4 }.recorded().unwrap();
            match value {
                Some(value) => recorded.parameters.insert(setting.to_owned(), Real(value)),
                None => recorded.parameters.remove(setting),
            };
            Rule::from_recorded(&recorded)
        };
        assert!(matches!(with("max_distance", None), Err(RuleError::MissingSetting { .. })));
        assert!(matches!(with("max_distance", Some(1.5)), Err(RuleError::Range { .. })));
        assert!(matches!(with("inclusive", Some(0.0)), Err(RuleError::Range { .. })));
        assert!(matches!(with("strict", Some(1.0)), Err(RuleError::UnknownSetting { .. })));
    }
}
