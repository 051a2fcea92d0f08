use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{ask_everything, recount};
use crate::event::{Event, EventRef, EventsReverted, RevertTarget, Split};
use crate::state::{Anomaly, State};
use crate::testing::{Log, Step, history, interpret, step, tangled_history, wild_history};
use crate::value::{ClassIndex, Seq};

/// The same events, each in a frame of its own.
fn one_by_one(log: &Log) -> Log {
    let mut apart = Log::new();
    let mut names: BTreeMap<EventRef, EventRef> = BTreeMap::new();
    for frame in &log.frames {
        for (index, event) in frame.events.iter().enumerate() {
            let event = match event {
                Event::EventsReverted(event) => Event::EventsReverted(renamed(event, &names)),
                other => other.clone(),
            };
            let transaction = apart.commit(vec![event]);
            let old = EventRef { transaction: frame.header.transaction, index: index as u32 };
            names.insert(old, EventRef { transaction, index: 0 });
        }
    }
    apart
}

fn renamed(event: &EventsReverted, names: &BTreeMap<EventRef, EventRef>) -> EventsReverted {
    let named = |target: &RevertTarget| {
        let of = |old: &EventRef| old.transaction == target.transaction;
        let meant = |old: &EventRef| target.events.is_empty() || target.events.contains(&old.index);
        let new = names.iter().filter(move |(old, _)| of(old) && meant(old)).map(|(_, new)| *new);
        new.map(|new| RevertTarget { transaction: new.transaction, events: Vec::new() }).collect::<Vec<_>>()
    };
    EventsReverted { targets: event.targets.iter().flat_map(named).collect(), reason: event.reason.clone() }
}

/// Only the events that stand in the end, without any revert.
fn standing_only(log: &Log) -> Log {
    let mut standing = Log::new();
    let mut seq = Seq::ZERO;
    for frame in &log.frames {
        let mut events = Vec::new();
        for event in &frame.events {
            seq = seq.plus(1);
            if log.state.stands(seq) && !matches!(event, Event::EventsReverted(_)) {
                events.push(event.clone());
            }
        }
        standing.commit(events);
    }
    standing
}

proptest! {
    #[test]
    fn folding_in_parts_is_folding_at_once(log in wild_history(0..25), cut in any::<prop::sample::Index>()) {
        let mut parts = log.prefix(cut.index(log.frames.len() + 1));
        for frame in &log.frames[parts.transactions().len()..] {
            parts.apply(frame);
        }
        prop_assert_eq!(parts.to_snapshot(), log.state.to_snapshot());
        prop_assert_eq!(parts.digest(), log.state.digest());
    }

    #[test]
    fn nothing_that_can_be_in_a_log_breaks_a_state(log in wild_history(0..25)) {
        ask_everything(&log.state);
    }

    #[test]
    fn what_the_rules_let_through_makes_sense(log in history(0..60)) {
        let anomalies: Vec<_> = log.state.anomalies().iter().collect();
        prop_assert!(anomalies.is_empty(), "{:?}", anomalies);
        ask_everything(&log.state);
    }

    #[test]
    fn grouping_into_transactions_does_not_matter(log in history(0..60)) {
        prop_assert_eq!(one_by_one(&log).state.digest(), log.state.digest());
    }

    #[test]
    fn a_state_says_what_the_standing_events_say(steps in prop::collection::vec(step(), 0..60)) {
        // A review may outlive the import of its image; alone it says nothing.
        let steps: Vec<_> = steps.into_iter().filter(|step| !matches!(step, Step::Review(..))).collect();
        let log = interpret(&steps);
        prop_assert_eq!(standing_only(&log).state.digest(), log.state.digest());
    }

    #[test]
    fn tangled_reverts_leave_what_the_standing_events_say(log in tangled_history(0..25)) {
        prop_assert_eq!(standing_only(&log).state.digest(), log.state.digest());
        prop_assert_eq!(State::from_snapshot(&log.state.to_snapshot()).map(|state| state.digest()), Ok(log.state.digest()));
    }

    #[test]
    fn counts_are_what_counting_gives(log in wild_history(0..25)) {
        let state = &log.state;
        prop_assert_eq!(state.present_count(), state.images().filter(|image| image.present).count() as u64);
        for split in Split::ALL {
            for label in [None, Some(ClassIndex(0)), Some(ClassIndex(1)), Some(ClassIndex(7))] {
                prop_assert_eq!(state.count_of(split, label), recount(state, split, label));
            }
        }
    }

    #[test]
    fn every_image_is_found_by_id_and_by_path(log in history(0..40)) {
        for image in log.state.images() {
            prop_assert_eq!(log.state.image(image.id), Some(image));
            prop_assert!(log.state.images_at_path(image.split, image.path).contains(&image));
            let scanned = log.state.scan_path(image.path).into_iter();
            let scanned: Vec<_> = scanned.filter(|found| found.split == image.split).collect();
            prop_assert_eq!(scanned, log.state.images_at_path(image.split, image.path));
        }
    }
}

#[test]
fn the_digest_tells_states_apart() {
    let mut log = Log::with_classes(&["sea", "forest"]);
    let mut seen = vec![State::new().digest(), log.state.digest()];
    let image = log.import("a.jpg", "sea");
    seen.push(log.state.digest());
    log.relabel(image, "forest");
    seen.push(log.state.digest());
    log.remove(image);
    seen.push(log.state.digest());
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), count);
}

#[test]
fn an_image_that_is_there_does_not_come_in_again() {
    let mut log = Log::with_classes(&["sea", "forest"]);
    let image = log.import("a.jpg", "sea");
    let mut again = log.frames[1].events.clone();
    let Event::ImageImported(import) = &mut again[0] else { panic!("an import, not {again:?}") };
    import.label = Some(ClassIndex(1));
    log.commit(again);
    assert_eq!(log.state.anomalies().count(Anomaly::DuplicateImage), 1);
    assert_eq!(log.state.image(image).and_then(|image| image.label), Some(ClassIndex(0)));
}
