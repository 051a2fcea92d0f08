use proptest::prelude::*;

use crate::decide::Command;
use crate::event::{EventsReverted, RevertTarget};
use crate::query::{ManifestFilter, biography, manifest, manifest_as_of, removals};
use crate::testing::{Log, history, tangled_history, wild_history};

proptest! {
    #[test]
    fn the_past_is_a_function_of_the_prefix(log in history(0..50)) {
        let filter = ManifestFilter::default();
        for frames in 0..=log.frames.len() {
            let then = log.prefix(frames);
            prop_assert_eq!(manifest_as_of(&log.state, then.seq(), &filter), manifest(&then, &filter));
        }
    }

    #[test]
    fn the_past_of_nonsense_is_a_function_of_the_prefix_too(log in wild_history(0..20)) {
        let filter = ManifestFilter::default();
        for frames in 0..=log.frames.len() {
            let then = log.prefix(frames);
            prop_assert_eq!(manifest_as_of(&log.state, then.seq(), &filter), manifest(&then, &filter));
        }
    }

    #[test]
    fn the_past_of_tangled_reverts_is_a_function_of_the_prefix_too(log in tangled_history(0..25)) {
        let filter = ManifestFilter::default();
        for frames in 0..=log.frames.len() {
            let then = log.prefix(frames);
            prop_assert_eq!(manifest_as_of(&log.state, then.seq(), &filter), manifest(&then, &filter));
        }
    }

    #[test]
    fn a_removal_stays_on_record_for_ever(log in history(0..50), cut in any::<prop::sample::Index>()) {
        let then = log.prefix(cut.index(log.frames.len() + 1));
        let facts = |state| -> Vec<_> {
            removals(state)
                .map(|removal| (removal.image, removal.occasion.at, removal.occasion.time, removal.because.clone()))
                .collect()
        };
        let (before, after) = (facts(&then), facts(&log.state));
        prop_assert_eq!(&before[..], &after[..before.len()]);
    }

    #[test]
    fn a_biography_only_grows(log in history(0..50), cut in any::<prop::sample::Index>()) {
        let then = log.prefix(cut.index(log.frames.len() + 1));
        for image in then.images() {
            let before = biography(&then, image.id).expect("the image came in");
            let after = biography(&log.state, image.id).expect("an image never goes away");
            prop_assert!(before.entries.len() <= after.entries.len());
            for (one, two) in before.entries.iter().zip(&after.entries) {
                prop_assert_eq!(&one.what, &two.what);
                prop_assert_eq!(one.occasion.at, two.occasion.at);
            }
        }
    }
}

#[test]
fn a_removal_says_who_when_why_and_whether_still() {
    let mut log = Log::with_classes(&["sea"]);
    let image = log.import("a.jpg", "sea");
    let removal = log.remove(image);
    let undo = log.undo(removal).expect("nothing happened since");
    let all: Vec<_> = removals(&log.state).collect();
    let [one] = all.as_slice() else { panic!("one removal, not {all:?}") };
    assert_eq!(one.image, image);
    assert_eq!(one.because.reason, "blurred");
    assert_eq!(one.occasion.at, log.event(removal, 0));
    assert_eq!(one.occasion.reverted_by, Some(log.event(undo, 0)));
    assert!(!one.still_removed);
}

#[test]
fn reverts_that_overlap_are_all_seen_in_the_past() {
    let mut log = Log::with_classes(&["sea"]);
    let images = ["a.jpg", "b.jpg", "c.jpg"].map(|path| log.import(path, "sea"));
    let removal = log.run(Command::Remove {
        images: images.to_vec(),
        reason: String::new(),
        evidence: Default::default(),
        force: true,
    });
    log.undo(removal).expect("nothing happened since");
    // Once more, the second of the three only: no rule would let that through.
    let targets = vec![RevertTarget { transaction: removal, events: vec![1] }];
    log.commit(vec![EventsReverted { targets, reason: String::new() }.into()]);
    let filter = ManifestFilter::default();
    assert_eq!(manifest_as_of(&log.state, log.state.seq(), &filter).rows().len(), 3);
}
