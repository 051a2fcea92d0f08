use proptest::prelude::*;

use super::ask_everything;
use crate::state::{SnapshotError, State};
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
        if let Ok(mut state) = State::from_snapshot(&bytes) {
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
    let mut bytes = State::new().to_snapshot();
    // After magic, version, Seq, head and "no dataset" comes the column of ids.
    let column = 8 + 4 + 8 + 32 + 1;
    bytes[column..column + 8].copy_from_slice(&(u64::MAX / 2).to_le_bytes());
    assert!(matches!(State::from_snapshot(&bytes), Err(SnapshotError::Truncated { .. })));
}
