//! The one door through which commands come.

use crate::event::{ClassesAdded, DatasetCreated, Event};
use crate::state::State;

use super::command::Command;
use super::import::import;
use super::rejection::Rejection;
use super::{curate, fact, undo};

/// The most classes: the largest index stands for no label in tables.
const CLASS_LIMIT: usize = u16::MAX as usize;

/// Decides which events do what `command` wants.
///
/// The events make sense in the state they were decided on and only there; the
/// caller commits them if nothing was committed in between, or decides again.
/// An import of what is there already gives no events.
///
/// # Errors
///
/// When it cannot be done or there is nothing to do.
pub fn decide(state: &State, command: Command) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::CreateDataset { name, classes } => create(state, name, classes),
        Command::AddClasses { classes } => add_classes(state, classes),
        Command::ImportImages { images } => import(state, images).map(|(events, _)| events),
        Command::Relabel { images, label, reason, evidence } => {
            curate::relabel(state, &images, label.as_deref(), &reason, &evidence)
        }
        Command::Remove { images, reason, evidence, force } => {
            curate::remove(state, &images, &reason, &evidence, force)
        }
        Command::Restore { images, reason, evidence } => curate::restore(state, &images, &reason, &evidence),
        Command::Revise { image, new, reason } => curate::revise(state, image, new, reason),
        Command::Revert { targets, reason } => undo::revert(state, &targets, reason),
        Command::Review { image, pass, decision, reason, evidence } => {
            curate::review(state, image, pass, decision, reason, evidence)
        }
        Command::Record(event) => fact::record(state, *event),
    }
}

fn create(state: &State, name: String, classes: Vec<String>) -> Result<Vec<Event>, Rejection> {
    if let Some(dataset) = state.dataset() {
        return Err(Rejection::DatasetExists { name: dataset.name.clone() });
    }
    if name.trim().is_empty() {
        return Err(Rejection::EmptyName { what: "dataset" });
    }
    for (place, class) in classes.iter().enumerate() {
        if classes[..place].contains(class) {
            return Err(Rejection::DuplicateClass { name: class.clone() });
        }
    }
    check_classes(&[], &classes)?;
    Ok(vec![DatasetCreated { name, classes }.into()])
}

fn add_classes(state: &State, classes: Vec<String>) -> Result<Vec<Event>, Rejection> {
    let known = &state.dataset().ok_or(Rejection::NoDataset)?.classes;
    let mut new: Vec<String> = Vec::new();
    for class in classes {
        if !known.contains(&class) && !new.contains(&class) {
            new.push(class);
        }
    }
    if new.is_empty() {
        return Err(Rejection::NothingToDo);
    }
    check_classes(known, &new)?;
    Ok(vec![ClassesAdded { classes: new }.into()])
}

/// Whether these classes may follow the known ones, of which they are none.
pub(super) fn check_classes(known: &[String], new: &[String]) -> Result<(), Rejection> {
    let count = known.len() + new.len();
    if count > CLASS_LIMIT {
        return Err(Rejection::TooManyClasses { count, limit: CLASS_LIMIT });
    }
    let mut folded: std::collections::BTreeMap<String, &String> =
        known.iter().map(|class| (class.to_lowercase(), class)).collect();
    for class in new {
        if class.trim().is_empty() {
            return Err(Rejection::EmptyName { what: "class" });
        }
        if let Some(existing) = folded.insert(class.to_lowercase(), class) {
            return Err(Rejection::ClassCaseClash { existing: existing.clone(), new: class.clone() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Log;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_repository_has_one_dataset() {
        let log = Log::with_classes(&["sea"]);
        let again = Command::CreateDataset { name: "other".to_owned(), classes: Vec::new() };
        assert_eq!(decide(&log.state, again), Err(Rejection::DatasetExists { name: "test".to_owned() }));
    }

    #[test]
    fn names_are_there_and_differ() {
        let create = |name: &str, classes: &[&str]| {
            let command = Command::CreateDataset { name: name.to_owned(), classes: names(classes) };
            decide(&State::new(), command)
        };
        assert_eq!(create(" ", &[]), Err(Rejection::EmptyName { what: "dataset" }));
        assert_eq!(create("d", &["sea", ""]), Err(Rejection::EmptyName { what: "class" }));
        assert_eq!(create("d", &["sea", "sea"]), Err(Rejection::DuplicateClass { name: "sea".to_owned() }));
        assert!(matches!(create("d", &["sea", "SEA"]), Err(Rejection::ClassCaseClash { .. })));
        assert!(create("d", &[]).is_ok());
    }

    #[test]
    fn classes_are_added_once() {
        let mut log = Log::with_classes(&["sea"]);
        log.run(Command::AddClasses { classes: names(&["forest", "sea", "forest"]) });
        assert_eq!(log.state.classes(), ["sea", "forest"]);
        let again = Command::AddClasses { classes: names(&["sea"]) };
        assert_eq!(decide(&log.state, again), Err(Rejection::NothingToDo));
        let many = (0..CLASS_LIMIT).map(|number| number.to_string()).collect();
        let refused = decide(&log.state, Command::AddClasses { classes: many });
        assert!(matches!(refused, Err(Rejection::TooManyClasses { limit: CLASS_LIMIT, .. })));
    }
}
