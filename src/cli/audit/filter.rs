//! Which changes an answer is about.

use safelight_lineage::event::Actor;
use safelight_lineage::id::ImageId;
use safelight_lineage::query::Occasion;
use safelight_lineage::state::{Because, State};
use safelight_lineage::value::{ClassIndex, Timestamp};

use super::super::{resolve, words};
use crate::clean::Rule;
use crate::error::{AppError, Exit};
use crate::session::Session;

/// The filters of a question about changes.
#[derive(Debug, Default, clap::Args)]
pub(super) struct FilterArgs {
    /// Only images of this class: before, after, or as they are labelled now.
    #[arg(long)]
    class: Option<String>,

    /// Only by this rule.
    #[arg(long)]
    rule: Option<String>,

    /// Only for a reason that holds these words.
    #[arg(long, value_name = "WORDS")]
    reason: Option<String>,

    /// Only by this actor: a name, or person, rule, model, program.
    // Not --actor: that says who acts, for every command.
    #[arg(long, value_name = "ACTOR")]
    by: Option<String>,

    /// Only from this time on: 2026-11-24, "2026-11-24 17:30", or with a zone.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,

    /// Only up to this time; a day means its end.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,

    /// As the log was at this seq or transaction.
    #[arg(long, value_name = "SEQ")]
    as_of: Option<String>,

    /// Also those that were taken back since.
    #[arg(long)]
    pub all: bool,
}

/// How an answer is written.
#[derive(Debug, Default, clap::Args)]
pub(super) struct FormArgs {
    /// Write CSV instead of text.
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
}

/// Filters that were checked.
pub(super) struct Filter {
    class: Option<ClassIndex>,
    rule: Option<String>,
    reason: Option<String>,
    actor: Option<String>,
    since: Timestamp,
    until: Timestamp,
    pub all: bool,
}

impl FilterArgs {
    /// Checks the filters against the log.
    ///
    /// # Errors
    /// When a class is not there or a time is none.
    pub(super) fn checked(&self, state: &State) -> Result<Filter, AppError> {
        let class = match &self.class {
            None => None,
            Some(name) => {
                let place = state.classes().iter().position(|class| class == name);
                let place = place.ok_or_else(|| {
                    AppError::refused(format!("there is no class '{}'", words::text(name)))
                        .hint(format!("the classes are {}", words::text(&state.classes().join(", "))))
                })?;
                Some(ClassIndex(place as u16))
            }
        };
        // A rule may have gone by a name that this version does not know.
        let full = |name: &String| {
            Rule::from_name(name).map_or_else(|_| name.clone(), |rule| rule.name().to_owned())
        };
        Ok(Filter {
            class,
            rule: self.rule.as_ref().map(full),
            reason: self.reason.clone(),
            actor: self.by.clone(),
            since: self.since.as_deref().map_or(Ok(Timestamp(0)), |text| time(text, false))?,
            until: self.until.as_deref().map_or(Ok(Timestamp(u64::MAX)), |text| time(text, true))?,
            all: self.all,
        })
    }

    /// Asks the state of now, or that of the point asked for.
    ///
    /// # Errors
    /// When there is no such point or the log cannot be read.
    pub(super) fn with_state<T>(
        &self,
        session: &Session,
        answer: impl FnOnce(&State) -> Result<T, AppError>,
    ) -> Result<T, AppError> {
        as_of(session, self.as_of.as_deref(), answer)
    }
}

/// Asks the state of now, or that of the point asked for.
///
/// # Errors
/// When there is no such point or the log cannot be read.
pub(super) fn as_of<T>(
    session: &Session,
    point: Option<&str>,
    answer: impl FnOnce(&State) -> Result<T, AppError>,
) -> Result<T, AppError> {
    match point {
        None => answer(session.state()),
        Some(text) => answer(&session.repository().state_as_of(resolve::seq(session.state(), text)?)?),
    }
}

impl Filter {
    /// Whether a change of an image is wanted. `labels` are those before and
    /// after it, where it changed one.
    pub(super) fn admits(
        &self,
        state: &State,
        image: ImageId,
        labels: [Option<ClassIndex>; 2],
        occasion: &Occasion<'_>,
        because: &Because,
    ) -> bool {
        let now = || state.image(image).and_then(|view| view.label);
        self.class.is_none_or(|wanted| labels.contains(&Some(wanted)) || now() == Some(wanted))
            && self.rule.as_ref().is_none_or(|wanted| because.evidence.rule.as_ref() == Some(wanted))
            && self.reason.as_ref().is_none_or(|wanted| because.reason.contains(wanted.as_str()))
            && self.acts(occasion.actor)
            && self.at(occasion.time)
            && (self.all || occasion.reverted_by.is_none())
    }

    /// The class asked for.
    pub(super) fn class(&self) -> Option<ClassIndex> {
        self.class
    }

    /// Whether a finding is wanted, which nobody has acted on yet.
    pub(super) fn found(&self, rule: &str, label: Option<ClassIndex>, reason: &str) -> bool {
        self.class.is_none_or(|wanted| label == Some(wanted))
            && self.rule.as_ref().is_none_or(|wanted| wanted == rule)
            && self.reason.as_ref().is_none_or(|wanted| reason.contains(wanted.as_str()))
    }

    /// Whether something about images is asked for, not only time and actor.
    pub(super) fn about_images(&self) -> bool {
        self.class.is_some() || self.rule.is_some() || self.reason.is_some()
    }

    pub(super) fn acts(&self, actor: &Actor) -> bool {
        self.actor.as_ref().is_none_or(|wanted| acts_as(actor, wanted))
    }

    pub(super) fn at(&self, time: Timestamp) -> bool {
        (self.since..=self.until).contains(&time)
    }
}

/// Whether an actor is the one that a person means.
pub(super) fn acts_as(actor: &Actor, wanted: &str) -> bool {
    match actor {
        Actor::Person { name } => wanted == "person" || wanted == name,
        Actor::Rule { rule, .. } => wanted == "rule" || rule.split(" + ").any(|rule| wanted == rule),
        Actor::Model { checkpoint } => {
            wanted == "model" || (wanted.len() >= 4 && checkpoint.to_string().starts_with(wanted))
        }
        Actor::Program { name } => {
            wanted == "program" || wanted == name || name.split(' ').next() == Some(wanted)
        }
    }
}

/// Reads a time: with a zone, or in that of the system; a day means its first
/// moment, or as an end its last.
fn time(text: &str, end: bool) -> Result<Timestamp, AppError> {
    let wrong = || {
        AppError::new(Exit::Usage, format!("'{}' is not a time", words::text(text)))
            .hint("such as 2026-11-24, \"2026-11-24 17:30\" or 2026-11-24T17:30:00+01:00")
    };
    let zone = jiff::tz::TimeZone::system();
    let stamp = if let Ok(stamp) = text.parse::<jiff::Timestamp>() {
        stamp
    } else if let Ok(date) = text.parse::<jiff::civil::Date>().and_then(|date| {
        // "2026-11-24 17:30" is a date too, to this reader, and its time is meant.
        if text.len() > 10 { Err(jiff::Error::from_args(format_args!("a date and more"))) } else { Ok(date) }
    }) {
        let day = if end { date.tomorrow().map_err(|_| wrong())? } else { date };
        let start = day.to_zoned(zone).map_err(|_| wrong())?.timestamp();
        let last = jiff::Timestamp::from_millisecond(start.as_millisecond() - i64::from(end));
        last.map_err(|_| wrong())?
    } else {
        let moment = text.parse::<jiff::civil::DateTime>().map_err(|_| wrong())?;
        moment.to_zoned(zone).map_err(|_| wrong())?.timestamp()
    };
    Ok(Timestamp(u64::try_from(stamp.as_millisecond()).unwrap_or(0)))
}

/// A time for other programs to read.
pub(super) fn stamp(time: Timestamp) -> String {
    let milliseconds = i64::try_from(time.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(milliseconds)
        .map_or_else(|_| time.0.to_string(), |stamp| stamp.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_and_without_a_zone() {
        assert_eq!(time("1970-01-02T00:00:00Z", false).expect("a time"), Timestamp(86_400_000));
        assert_eq!(time("1970-01-02T01:00:00+01:00", true).expect("a time"), Timestamp(86_400_000));
        let (start, end) =
            (time("2026-11-24", false).expect("a day"), time("2026-11-24", true).expect("a day"));
        assert_eq!(end.0 - start.0, 86_400_000 - 1);
        let noon = time("2026-11-24 12:00", true).expect("a moment");
        assert_eq!(noon.0 - start.0, 43_200_000);
        assert_eq!(time("2026-11-24T12:00:00", false).expect("a moment"), noon);
        for bad in ["", "yesterday", "2026-13-01", "24.11.2026", "2026-11-24 25:00"] {
            assert_eq!(time(bad, false).expect_err(bad).exit, Exit::Usage);
        }
    }

    #[test]
    fn actors_go_by_kind_and_name() {
        let person = Actor::Person { name: "ada".to_owned() };
        assert!(acts_as(&person, "ada") && acts_as(&person, "person") && !acts_as(&person, "rule"));
        let rule = Actor::Rule {
            pass: safelight_lineage::id::PassId([1; 16]),
            rule: "ambiguous + blank".to_owned(),
        };
        assert!(acts_as(&rule, "blank") && acts_as(&rule, "rule") && !acts_as(&rule, "tiny"));
        let program = Actor::Program { name: "safelight 0.1.0".to_owned() };
        assert!(acts_as(&program, "safelight") && acts_as(&program, "program") && !acts_as(&program, "safe"));
    }
}
