//! Stored events: every kind, both ways, in one spelling only.

use proptest::prelude::*;
use safelight_lineage::digest::FrameDigest;
use safelight_lineage::event::{Actor, Event};
use safelight_lineage::id::TransactionId;
use safelight_lineage::value::{Seq, Timestamp};
use safelight_store::{Draft, FrameError, SealError, frame, schema};

use crate::samples;

#[test]
fn there_is_a_sample_of_every_kind() {
    for (name, kind) in Event::KINDS {
        assert!(
            samples::events().iter().any(|event| event.kind_name() == *name && event.kind() == *kind),
            "{name}"
        );
    }
}

#[test]
fn every_event_comes_back_as_it_was() {
    for event in samples::events() {
        let mut bytes = Vec::new();
        let (kind, number) = schema::encode(&event, &mut bytes).unwrap();
        assert_eq!(schema::decode(kind, number, &bytes).unwrap(), event);
    }
}

#[test]
fn a_generator_with_grids_has_a_schema_of_its_own() {
    let trained = samples::events().into_iter().find(|event| event.kind() == 48).unwrap();
    let mut first = Vec::new();
    assert_eq!(schema::encode(&trained, &mut first).unwrap(), (48, 1), "as it was always written");
    let Event::GeneratorTrained(mut trained) = trained else { panic!("kind 48") };
    trained.grids = vec![trained.weights, trained.metrics];
    let event = Event::GeneratorTrained(trained);
    let mut second = Vec::new();
    assert_eq!(schema::encode(&event, &mut second).unwrap(), (48, 2));
    assert_eq!(schema::decode(48, 2, &second).unwrap(), event);
    for place in 0..second.len() {
        assert!(schema::decode(48, 2, &second[..place]).is_err(), "cut to {place}");
        let mut bent = second.clone();
        bent[place] ^= 1;
        if let Ok(other) = schema::decode(48, 2, &bent) {
            let mut again = Vec::new();
            assert_eq!(schema::encode(&other, &mut again).unwrap(), (48, 2));
            assert_eq!(again, bent);
        }
    }
    // Without grids there is one spelling only, and that is the first.
    first.extend([0; 8]);
    assert!(schema::decode(48, 2, &first).is_err());
}

#[test]
fn bytes_that_decode_are_the_only_ones_for_their_event() {
    for event in samples::events() {
        let mut bytes = Vec::new();
        let (kind, number) = schema::encode(&event, &mut bytes).unwrap();
        if matches!(event, Event::Unknown(_)) {
            continue;
        }
        for place in 0..bytes.len() {
            for flip in [1, 2, 0x80, 0xff] {
                let mut bent = bytes.clone();
                bent[place] ^= flip;
                if let Ok(other) = schema::decode(kind, number, &bent) {
                    assert_ne!(other, event);
                    let mut again = Vec::new();
                    schema::encode(&other, &mut again).unwrap();
                    assert_eq!(again, bent);
                }
            }
            assert!(schema::decode(kind, number, &bytes[..place]).is_err(), "{event:?} cut to {place}");
        }
        bytes.push(0);
        assert!(schema::decode(kind, number, &bytes).is_err(), "{event:?} and a byte more");
    }
}

#[test]
fn maps_out_of_order_are_refused() {
    // Kind 33 with a rule whose two parameters are swapped.
    let sample = samples::events().into_iter().find(|event| event.kind() == 33).unwrap();
    let mut bytes = Vec::new();
    schema::encode(&sample, &mut bytes).unwrap();
    let (one, two) = (b"accuracy", b"valid_loss");
    let entry = |name: &[u8]| bytes.windows(name.len()).position(|window| window == name).unwrap() - 8;
    let (first, second) = (entry(one), entry(two));
    let end = second + 8 + two.len() + 8;
    let mut swapped = bytes[..first].to_vec();
    swapped.extend_from_slice(&bytes[second..end]);
    swapped.extend_from_slice(&bytes[first..second]);
    swapped.extend_from_slice(&bytes[end..]);
    let error = schema::decode(33, 1, &swapped).unwrap_err();
    assert_eq!(error.source, safelight_store::CodecError::NotCanonical);
}

fn drafts() -> impl Strategy<Value = Draft> {
    let events = proptest::sample::subsequence(samples::events(), 1..=8);
    let actor = prop_oneof![
        proptest::sample::select(samples::actors()),
        any::<String>().prop_map(|name| Actor::Person { name }),
    ];
    (any::<[u8; 16]>(), actor, any::<u64>(), any::<Option<String>>(), events).prop_map(
        |(transaction, actor, time, message, events)| Draft {
            transaction: TransactionId(transaction),
            actor,
            time: Timestamp(time),
            message,
            events,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn a_sealed_frame_opens_to_what_was_sealed(draft in drafts(), parent: [u8; 32], first in 1u64..1 << 40) {
        let parent = FrameDigest(parent);
        let bytes = frame::seal(parent, &draft).unwrap();
        let opened = frame::open(&bytes, Seq(first)).unwrap();
        prop_assert_eq!(opened.header.parent, parent);
        prop_assert_eq!(opened.header.digest, frame::digest(&bytes));
        prop_assert_eq!(opened.header.first_seq, Seq(first));
        let header = opened.header;
        let again = Draft {
            transaction: header.transaction,
            actor: header.actor,
            time: header.time,
            message: header.message,
            events: opened.events,
        };
        prop_assert_eq!(&again, &draft);
        prop_assert_eq!(frame::seal(parent, &again).unwrap(), bytes);
    }

    #[test]
    fn no_bytes_whatever_make_a_frame_panic(mut bytes: Vec<u8>, magic: bool) {
        if magic && bytes.len() > 20 {
            bytes[..8].copy_from_slice(b"SLFR\x01\x00\x00\x00");
            let body = (bytes.len() - 20).to_le_bytes();
            bytes[8..12].copy_from_slice(&body[..4]);
        }
        let _ = frame::open(&bytes, Seq(1));
    }

    #[test]
    fn a_payload_of_noise_never_panics(kind in 0u16..100, payload: Vec<u8>) {
        let _ = schema::decode(kind, 1, &payload);
    }
}

#[test]
fn a_frame_with_a_flipped_byte_is_no_frame() {
    let draft = crate::support::draft(2, samples::events());
    let bytes = frame::seal(FrameDigest::ROOT, &draft).unwrap();
    for place in 0..bytes.len() {
        let mut bent = bytes.clone();
        bent[place] ^= 4;
        assert!(frame::open(&bent, Seq(1)).is_err(), "byte {place}");
    }
    assert!(matches!(frame::open(&bytes[..bytes.len() - 1], Seq(1)), Err(FrameError::Short { .. })));
}

#[test]
fn an_empty_commit_is_refused() {
    let draft = crate::support::draft(1, vec![]);
    assert_eq!(frame::seal(FrameDigest::ROOT, &draft), Err(SealError::Empty));
}
