use proptest::prelude::*;

use super::ask_everything;
use crate::event::Split;
use crate::id::ImageId;
use crate::query::biography;
use crate::state::{ImageView, SnapshotError, Sought, State};
use crate::testing::{Log, history, wild_history};

fn round_trip(state: &State) -> State {
    State::from_snapshot(&state.to_snapshot()).expect("what was just written is whole")
}

proptest! {
    #[test]
    fn a_snapshot_gives_the_same_state(log in wild_history(0..25)) {
        let loaded = round_trip(&log.state);
        prop_assert_eq!(loaded.digest(), log.state.digest());
        prop_assert_eq!(loaded.to_snapshot(), log.state.to_snapshot());
        prop_assert_eq!(loaded.anomalies(), log.state.anomalies());
        prop_assert_eq!(loaded.present_count(), log.state.present_count());
        prop_assert!(loaded.images().eq(log.state.images()));
        prop_assert!(loaded.all_changes().eq(log.state.all_changes()));
    }

    #[test]
    fn a_glimpse_says_of_an_image_what_the_state_says(
        log in wild_history(0..25),
        cut in any::<prop::sample::Index>(),
    ) {
        let cut = cut.index(log.frames.len() + 1);
        let bytes = log.prefix(cut).to_snapshot();
        let fetch = |range: std::ops::Range<usize>| bytes.get(range);
        let go_on = |mut glimpse: State| {
            log.frames[cut..].iter().for_each(|frame| glimpse.apply(frame));
            glimpse
        };
        for view in log.state.images() {
            let late = log.prefix(cut).image(view.id).is_none();
            let same = |glimpse: &State| {
                let row = |seen: ImageView<'_>| if late { view.row } else { seen.row };
                let seen = glimpse.image(view.id).map(|seen| ImageView { row: row(seen), ..seen });
                seen == Some(view)
                    && biography(glimpse, view.id) == biography(&log.state, view.id)
                    && glimpse.classes() == log.state.classes()
            };
            let by_id = State::glimpse(&fetch, Sought::Id(view.id));
            prop_assert!(same(&go_on(by_id.expect("it is whole"))));
            let by_path = go_on(State::glimpse(&fetch, Sought::Path(view.path)).expect("it is whole"));
            prop_assert!(same(&by_path));
        }
        let nobody = State::glimpse(&fetch, Sought::Id(ImageId([0xee; 16]))).expect("it is whole");
        prop_assert_eq!(nobody.image_count(), 0);
    }

    #[test]
    fn a_glimpse_of_a_path_knows_every_image_there(
        log in history(0..50),
        cut in any::<prop::sample::Index>(),
    ) {
        let cut = cut.index(log.frames.len() + 1);
        let bytes = log.prefix(cut).to_snapshot();
        let fetch = |range: std::ops::Range<usize>| bytes.get(range);
        for path in log.state.images().map(|view| view.path) {
            let mut glimpse = State::glimpse(&fetch, Sought::Path(path)).expect("it is whole");
            log.frames[cut..].iter().for_each(|frame| glimpse.apply(frame));
            for split in Split::ALL {
                let ids = |state: &State| -> Vec<_> {
                    state.images_at_path(split, path).iter().map(|view| (view.id, view.exists)).collect()
                };
                prop_assert_eq!(ids(&glimpse), ids(&log.state));
            }
        }
    }

    #[test]
    fn a_glimpse_of_a_tampered_snapshot_never_breaks_anything(
        log in wild_history(0..10),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8u8), 1..4),
        more in wild_history(1..4),
    ) {
        let mut bytes = log.state.to_snapshot();
        for (place, bit) in flips {
            let place = place.index(bytes.len());
            bytes[place] ^= 1 << bit;
        }
        let fetch = |range: std::ops::Range<usize>| bytes.get(range);
        for view in log.state.images() {
            for sought in [Sought::Id(view.id), Sought::Path(view.path)] {
                if let Ok(mut state) = State::glimpse(&fetch, sought) {
                    ask_everything(&state);
                    more.frames.iter().for_each(|frame| state.apply(frame));
                    ask_everything(&state);
                }
            }
        }
    }

    #[test]
    fn folding_goes_on_after_a_snapshot(log in history(0..50), cut in any::<prop::sample::Index>()) {
        let mut state = round_trip(&log.prefix(cut.index(log.frames.len() + 1)));
        for frame in &log.frames[state.transactions().len()..] {
            state.apply(frame);
        }
        prop_assert_eq!(state.to_snapshot(), log.state.to_snapshot());
    }

    #[test]
    fn a_cut_snapshot_is_refused(log in wild_history(0..10), cut in any::<prop::sample::Index>()) {
        let bytes = log.state.to_snapshot();
        prop_assert!(State::from_snapshot(&bytes[..cut.index(bytes.len())]).is_err());
    }

    #[test]
    fn a_tampered_snapshot_never_breaks_anything(
        log in wild_history(0..10),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8u8), 1..4),
        more in wild_history(1..4),
    ) {
        let mut bytes = log.state.to_snapshot();
        for (place, bit) in flips {
            let place = place.index(bytes.len());
            bytes[place] ^= 1 << bit;
        }
        // Damage is noticed by the store's hashes. Here, whatever is taken for a
        // state is one: it is written and read back as itself.
        if let Ok(mut state) = State::from_snapshot(&bytes) {
            let again = State::from_snapshot(&state.to_snapshot());
            prop_assert_eq!(again.map(|again| again.digest()), Ok(state.digest()));
            ask_everything(&state);
            more.frames.iter().for_each(|frame| state.apply(frame));
            ask_everything(&state);
        }
    }

    #[test]
    fn bytes_are_hardly_ever_a_snapshot(mut bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(State::from_snapshot(&bytes).is_err());
        // Past the magic bytes and the version, too.
        bytes.splice(0..0, State::new().to_snapshot()[..12].iter().copied());
        drop(State::from_snapshot(&bytes));
    }
}

#[test]
fn the_reasons_of_a_refusal_are_told_apart() {
    let bytes = Log::with_classes(&["sea"]).state.to_snapshot();
    let refusal = |bytes: &[u8]| State::from_snapshot(bytes).err();
    assert_eq!(refusal(b"something else"), Some(SnapshotError::NotASnapshot));
    let mut newer = bytes.clone();
    newer[8] = 200;
    assert_eq!(
        refusal(&newer),
        Some(SnapshotError::Version { found: 200, expected: State::SNAPSHOT_VERSION })
    );
    let longer = [bytes.as_slice(), b"!"].concat();
    assert_eq!(refusal(&longer), Some(SnapshotError::TrailingBytes { extra: 1 }));
    assert!(matches!(refusal(&bytes[..bytes.len() - 1]), Some(SnapshotError::Truncated { .. })));
}

#[test]
fn an_immense_count_allocates_nothing() {
    let bytes = State::new().to_snapshot();
    // After magic, version, the place of the images, Seq, head and "no dataset"
    // come the changes; the images begin with the column of ids.
    let changes = 8 + 4 + 8 + 8 + 32 + 1;
    let mut images = [0; 8];
    images.copy_from_slice(&bytes[12..20]);
    for place in [changes, u64::from_le_bytes(images) as usize] {
        let mut bytes = bytes.clone();
        bytes[place..place + 8].copy_from_slice(&(u64::MAX / 2).to_le_bytes());
        assert!(matches!(State::from_snapshot(&bytes), Err(SnapshotError::Truncated { .. })));
        let fetch = |range: std::ops::Range<usize>| bytes.get(range);
        assert!(State::glimpse(&fetch, Sought::Path(b"a")).is_err());
    }
}
