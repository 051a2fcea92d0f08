//! Laws of the store, tried on generated histories.

use proptest::prelude::*;
use safelight_lineage::digest::BlobId;
use safelight_lineage::event::Event;
use safelight_store::{Repository, VerifyDepth, verify};

use crate::support::{append, created, folder, imported};

/// Some pieces of content, few enough that the same comes again.
fn contents() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec((0u8..12, 0usize..3000).prop_map(|(byte, len)| vec![byte; len % 7 * 400]), 1..30)
}

/// Frames of imports: which contents, and after which of them to open anew.
fn frames() -> impl Strategy<Value = Vec<(Vec<Vec<u8>>, bool)>> {
    prop::collection::vec((contents(), any::<bool>()), 1..6)
}

fn apply(repository: &mut Repository, number: u64, contents: &[Vec<u8>]) {
    let events: Vec<Event> = contents
        .iter()
        .zip(number * 100..)
        .map(|(bytes, id)| imported(id, repository.blobs().put(bytes).unwrap()))
        .collect();
    append(repository, number, events);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn putting_again_changes_nothing(contents in contents(), between in any::<bool>()) {
        let dir = folder();
        let repository = Repository::init(dir.path()).unwrap();
        let ids: Vec<BlobId> = contents.iter().map(|bytes| repository.blobs().put(bytes).unwrap()).collect();
        if between {
            repository.blobs().seal().unwrap();
        }
        for (bytes, id) in contents.iter().zip(&ids) {
            prop_assert_eq!(repository.blobs().put(bytes).unwrap(), *id);
            prop_assert_eq!(&repository.blobs().get(*id).unwrap(), bytes);
        }
        repository.blobs().seal().unwrap();
        drop(repository);
        let mut different = ids;
        different.sort();
        different.dedup();
        let report = verify(dir.path(), VerifyDepth::Deep, &mut |_| ()).unwrap();
        prop_assert_eq!((report.problems.len(), report.blobs), (0, different.len() as u64));
    }

    #[test]
    fn equal_histories_give_equal_repositories(frames in frames()) {
        let (one, two) = (folder(), folder());
        let mut whole = Repository::init(one.path()).unwrap();
        let mut often = Repository::init(two.path()).unwrap();
        // The same commits: one process without a pause, or many short ones
        // with segments that roll and everything derived thrown away.
        append(&mut whole, 0, vec![created()]);
        append(&mut often, 0, vec![created()]);
        for (number, (contents, anew)) in (1..).zip(&frames) {
            apply(&mut whole, number, contents);
            often.roll_at(900);
            apply(&mut often, number, contents);
            if *anew {
                often.checkpoint().unwrap();
                drop(often);
                crate::support::forget_derived(two.path());
                often = Repository::open(two.path()).unwrap();
            }
        }
        prop_assert_eq!(whole.head(), often.head());
        prop_assert_eq!(whole.state().digest(), often.state().digest());
        prop_assert_eq!(whole.state().to_snapshot(), often.state().to_snapshot());
        let frames = |repository: &Repository| repository.frames().map(Result::unwrap).collect::<Vec<_>>();
        prop_assert_eq!(frames(&whole), frames(&often));
        whole.checkpoint().unwrap();
        drop(whole);
        let again = Repository::open(one.path()).unwrap();
        prop_assert_eq!(again.state().to_snapshot(), often.state().to_snapshot());
    }
}
