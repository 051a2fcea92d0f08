//! The settings of rules: read from the command line, checked, recorded in the
//! event of a pass, and read back from it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use safelight_lineage::event::RuleUse;
use safelight_lineage::value::Real;

use super::{FURTHEST, IN_SAMPLE, Rule};

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
    /// A setting is not written as one.
    #[error("rule {rule}: '{text}' is not {expected}")]
    Written {
        /// The rule.
        rule: String,
        /// What was given.
        text: String,
        /// How it is written.
        expected: &'static str,
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
    /// Reads a rule as the command line has it: its name, and after a colon the
    /// settings that are not to be its defaults, `ambiguous:low=0.4,high=0.6`.
    ///
    /// # Errors
    /// When the rule or a setting is unknown or out of range.
    pub fn parse(text: &str) -> Result<Rule, RuleError> {
        let (name, changes) = text.split_once(':').unwrap_or((text, ""));
        let rule = Rule::from_name(name)?;
        let mut settings = rule.settings();
        for change in changes.split(',').filter(|change| !change.is_empty()) {
            let written =
                |expected| RuleError::Written { rule: name.to_owned(), text: change.to_owned(), expected };
            let (setting, value) = change.split_once('=').ok_or_else(|| written("SETTING=NUMBER"))?;
            let value: f64 = value.trim().parse().map_err(|_| written("SETTING=NUMBER"))?;
            let setting = setting.trim();
            let known = settings.keys().chain(&["min_cosine"]).copied();
            let key = known.into_iter().find(|key| *key == setting).ok_or_else(|| {
                RuleError::UnknownSetting { rule: name.to_owned(), setting: setting.to_owned() }
            })?;
            settings.insert(key, value);
        }
        Rule::from_settings(rule.name(), &settings)
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
            Rule::NearDuplicate { max_distance, min_cosine }
            | Rule::Leakage { max_distance, min_cosine }
            | Rule::ConflictingDuplicate { max_distance, min_cosine } => {
                let mut settings =
                    BTreeMap::from([("max_distance", f64::from(max_distance)), ("inclusive", 1.0)]);
                if let Some(cosine) = min_cosine {
                    settings.insert("min_cosine", cosine);
                }
                settings
            }
            Rule::Unreadable => BTreeMap::new(),
            Rule::ColourModel { usual_share } => {
                BTreeMap::from([("usual_share", usual_share), ("inclusive", 1.0)])
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
        // A remark on the evidence, not a setting of the rule.
        let settings = recorded.parameters.iter().filter(|(name, _)| *name != IN_SAMPLE);
        let settings: BTreeMap<&str, f64> = settings.map(|(name, value)| (name.as_str(), value.0)).collect();
        Rule::from_settings(&recorded.rule, &settings)
    }

    fn from_settings(name: &str, given: &BTreeMap<&str, f64>) -> Result<Rule, RuleError> {
        let rule = Rule::from_name(name)?;
        let known = rule.settings();
        let may_have = |setting: &str| {
            known.contains_key(setting) || (setting == "min_cosine" && rule.compares_pictures())
        };
        if let Some(setting) = given.keys().find(|setting| !may_have(setting)) {
            return Err(RuleError::UnknownSetting { rule: name.to_owned(), setting: (*setting).to_owned() });
        }
        let settings = Settings { rule: name, given };
        for edge in ["strict", "inclusive"] {
            if known.contains_key(edge) {
                settings.get(edge, 1.0..=1.0, "1")?;
            }
        }
        let distance = || settings.whole("max_distance", 0.0..=FURTHEST, "a whole number, 0 to 10");
        let cosine = || match given.get("min_cosine") {
            None => Ok(None),
            // Not 0: pictures that have nothing in common are that close.
            Some(_) => settings.get("min_cosine", f64::MIN_POSITIVE..=1.0, "above 0, up to 1").map(Some),
        };
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
            Rule::NearDuplicate { .. } => {
                Rule::NearDuplicate { max_distance: distance()?, min_cosine: cosine()? }
            }
            Rule::Leakage { .. } => Rule::Leakage { max_distance: distance()?, min_cosine: cosine()? },
            Rule::ConflictingDuplicate { .. } => {
                Rule::ConflictingDuplicate { max_distance: distance()?, min_cosine: cosine()? }
            }
            Rule::Blank { .. } => {
                Rule::Blank { max_deviation: settings.get("max_deviation", 0.0..=127.5, "0 to 127.5")? }
            }
            Rule::Tiny { .. } => Rule::Tiny {
                min_edge: settings.whole("min_edge", 1.0..=65535.0, "a whole number, 1 to 65535")?,
            },
            Rule::Unreadable => Rule::Unreadable,
            Rule::ColourModel { .. } => {
                Rule::ColourModel { usual_share: settings.get("usual_share", 0.0..=1.0, "0 to 1")? }
            }
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
    use super::super::super::confident_learning::Filter;
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
            Rule::NearDuplicate { max_distance: 11, min_cosine: None },
            Rule::Leakage { max_distance: 8, min_cosine: Some(0.0) },
            Rule::Leakage { max_distance: 8, min_cosine: Some(1.1) },
            Rule::ColourModel { usual_share: 1.5 },
            Rule::Blank { max_deviation: 128.0 },
            Rule::Tiny { min_edge: 0 },
        ];
        for rule in bad {
            assert!(matches!(rule.recorded(), Err(RuleError::Range { .. })), "{rule:?}");
        }
    }

    #[test]
    fn a_rule_is_read_as_it_is_typed() {
        assert_eq!(Rule::parse("ambiguous"), Ok(Rule::Ambiguous { low: 0.5, high: 0.6 }));
        assert_eq!(Rule::parse("ambiguous:low=0.4, high=0.7"), Ok(Rule::Ambiguous { low: 0.4, high: 0.7 }));
        assert_eq!(
            Rule::parse("leakage:min_cosine=0.9"),
            Ok(Rule::Leakage { max_distance: 8, min_cosine: Some(0.9) })
        );
        assert_eq!(
            Rule::parse("confident-learning/both:min_per_class=5"),
            Ok(Rule::ConfidentLearning { filter: Filter::Both, min_per_class: 5 })
        );
        assert!(matches!(Rule::parse("ambiguous:low=high"), Err(RuleError::Written { .. })));
        assert!(matches!(Rule::parse("ambiguous:low"), Err(RuleError::Written { .. })));
        assert!(matches!(Rule::parse("ambiguous:above=1"), Err(RuleError::UnknownSetting { .. })));
        assert!(matches!(Rule::parse("tiny:min_cosine=1"), Err(RuleError::UnknownSetting { .. })));
        assert!(matches!(Rule::parse("confidently-wrong:above=1.5"), Err(RuleError::Range { .. })));
        assert!(matches!(Rule::parse("confidently-wrong:above=NaN"), Err(RuleError::Range { .. })));
    }

    #[test]
    fn recorded_settings_that_make_no_sense_are_refused() {
        let with = |setting: &str, value: Option<f64>| {
            let mut recorded = Rule::NearDuplicate { max_distance: 4, min_cosine: None }.recorded().unwrap();
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
