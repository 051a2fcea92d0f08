use proptest::prelude::*;

use crate::decide::{Command, Rejection};
use crate::event::RevertTarget;
use crate::state::Field;
use crate::testing::{Log, history};
use crate::value::Seq;

proptest! {
    #[test]
    fn undo_of_undo_is_the_original(log in history(1..50), back in any::<prop::sample::Index>()) {
        let target = log.frames[back.index(log.frames.len())].header.transaction;
        let original = log.state.digest();
        let mut log = log;
        if let Ok(undo) = log.undo(target) {
            let undone = log.state.digest();
            let redo = log.undo(undo).expect("what was just undone can be redone");
            prop_assert_eq!(log.state.digest(), original);
            let again = log.undo(redo).expect("and undone");
            prop_assert_eq!(log.state.digest(), undone);
            log.undo(again).expect("and redone");
            prop_assert_eq!(log.state.digest(), original);
        }
    }

    #[test]
    fn undoing_the_newest_goes_back_to_before(log in history(1..50)) {
        let mut log = log;
        let before = log.prefix(log.frames.len() - 1);
        let last = log.frames.last().expect("there is a dataset").header.transaction;
        let all = (before.seq().0 + 1..=log.state.seq().0).all(|seq| log.state.is_reversible(Seq(seq)));
        if all {
            log.undo(last).expect("nothing happened since");
            prop_assert_eq!(log.state.digest(), before.digest());
        }
    }

    #[test]
    fn undoing_backwards_is_never_refused(log in history(1..30)) {
        let mut log = log;
        let done: Vec<_> = log.frames.iter().map(|frame| frame.header.transaction).collect();
        for transaction in done.into_iter().rev() {
            match log.undo(transaction) {
                Ok(_) | Err(Rejection::NotReversible { .. } | Rejection::AlreadyReverted { .. }) => {}
                Err(other) => prop_assert!(false, "{}", other),
            }
        }
        prop_assert_eq!(log.state.images().filter(|image| image.exists).count(), 0);
    }
}

fn classes() -> Log {
    Log::with_classes(&["sea", "forest", "street"])
}

fn label(log: &Log, image: crate::id::ImageId) -> Option<u16> {
    log.state.image(image).and_then(|image| image.label).map(|label| label.0)
}

#[test]
fn undo_out_of_order_is_refused_and_names_both() {
    let mut log = classes();
    let image = log.import("a.jpg", "sea");
    let first = log.relabel(image, "forest");
    let second = log.relabel(image, "street");
    let rejection = log.undo(first).expect_err("the second relabelling built on the first");
    assert_eq!(
        rejection,
        Rejection::Conflict {
            target: log.event(first, 0),
            target_seq: Seq(3),
            later: log.event(second, 0),
            seq: Seq(4),
            image,
            field: Field::Label,
        }
    );
    log.undo(second).expect("newest first");
    assert_eq!(label(&log, image), Some(1));
    log.undo(first).expect("the second came and went");
    assert_eq!(label(&log, image), Some(0));
}

#[test]
fn both_together_are_no_conflict() {
    let mut log = classes();
    let image = log.import("a.jpg", "sea");
    let targets = ["forest", "street"].map(|class| log.relabel(image, class));
    let targets = targets.map(|transaction| RevertTarget { transaction, events: vec![0] }).to_vec();
    log.run(Command::Revert { targets, reason: String::new() });
    assert_eq!(label(&log, image), Some(0));
}

#[test]
fn other_fields_and_other_images_are_no_conflict() {
    let mut log = classes();
    let (image, other) = (log.import("a.jpg", "sea"), log.import("b.jpg", "sea"));
    let relabelled = log.relabel(image, "forest");
    log.relabel(other, "street");
    log.remove(image);
    log.undo(relabelled).expect("a removal says nothing of the label");
    assert_eq!(label(&log, image), Some(0));
    assert!(log.state.image(image).is_some_and(|image| image.removed));
}

#[test]
fn redo_is_refused_when_something_came_between() {
    let mut log = classes();
    let image = log.import("a.jpg", "sea");
    let first = log.relabel(image, "forest");
    let undo = log.undo(first).expect("nothing happened since");
    log.relabel(image, "street");
    assert!(matches!(log.undo(undo), Err(Rejection::Conflict { .. })));
}

#[test]
fn redo_out_of_order_is_refused() {
    let mut log = classes();
    let image = log.import("a.jpg", "sea");
    let first = log.relabel(image, "forest");
    let second = log.relabel(image, "street");
    let undo_second = log.undo(second).expect("newest first");
    let undo_first = log.undo(first).expect("then the one before");
    let rejection = log.undo(undo_second).expect_err("the first is undone after it");
    assert!(matches!(rejection, Rejection::Conflict { later, .. } if later == log.event(undo_first, 0)));
}

#[test]
fn an_import_that_was_curated_since_is_not_undone() {
    let mut log = classes();
    let image = log.import("a.jpg", "sea");
    let import = log.frames[1].header.transaction;
    let removal = log.remove(image);
    assert!(matches!(log.undo(import), Err(Rejection::Conflict { field: Field::Presence, .. })));
    log.undo(removal).expect("newest first");
    log.undo(import).expect("nothing stands in the way");
    assert!(log.state.image(image).is_some_and(|image| !image.exists && !image.present));
    assert!(matches!(
        log.try_run(Command::Restore {
            images: vec![image],
            reason: String::new(),
            evidence: Default::default()
        }),
        Err(Rejection::NotInDataset { .. })
    ));
    log.import("a.jpg", "forest");
    assert_eq!(label(&log, image), Some(1), "a new import says the label anew");
}

#[test]
fn facts_and_reverted_events_cannot_be_reverted() {
    let mut log = classes();
    let created = log.frames[0].header.transaction;
    assert!(matches!(log.undo(created), Err(Rejection::NotReversible { .. })));
    let by_number = vec![RevertTarget { transaction: created, events: vec![0] }];
    assert!(matches!(
        log.try_run(Command::Revert { targets: by_number, reason: String::new() }),
        Err(Rejection::NotReversible { .. })
    ));
    let image = log.import("a.jpg", "sea");
    let relabelled = log.relabel(image, "forest");
    let undo = log.undo(relabelled).expect("nothing happened since");
    assert_eq!(
        log.undo(relabelled),
        Err(Rejection::AlreadyReverted { event: log.event(relabelled, 0), by: log.event(undo, 0) })
    );
    let by_number = vec![RevertTarget { transaction: relabelled, events: vec![0] }];
    assert!(matches!(
        log.try_run(Command::Revert { targets: by_number, reason: String::new() }),
        Err(Rejection::AlreadyReverted { .. })
    ));
    let missing = vec![RevertTarget { transaction: relabelled, events: vec![5] }];
    assert!(matches!(
        log.try_run(Command::Revert { targets: missing, reason: String::new() }),
        Err(Rejection::NoSuchEvent { count: 1, .. })
    ));
}

#[test]
fn undoing_the_rest_of_a_transaction_leaves_the_rest() {
    let mut log = classes();
    let images = [log.import("a.jpg", "sea"), log.import("b.jpg", "sea")];
    let both = log.run(Command::Relabel {
        images: images.to_vec(),
        label: Some("forest".to_owned()),
        reason: String::new(),
        evidence: Default::default(),
    });
    let one = vec![RevertTarget { transaction: both, events: vec![0] }];
    let first = log.run(Command::Revert { targets: one, reason: String::new() });
    log.undo(both).expect("the other event stands");
    assert_eq!(images.map(|image| label(&log, image)), [Some(0), Some(0)]);
    log.undo(first).expect("each undo took back its own");
    assert_eq!(images.map(|image| label(&log, image)), [Some(1), Some(0)]);
}
