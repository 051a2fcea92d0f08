//! A glimpse says of an image what the opened repository says.

use safelight_lineage::digest::BlobId;
use safelight_lineage::event::{Event, ImageRemoved};
use safelight_lineage::query::biography;
use safelight_lineage::state::Sought;
use safelight_store::{Repository, StoreError};

use crate::support::{append, file, forget_derived, image, imported, small};

fn removed(n: u64) -> Event {
    Event::ImageRemoved(ImageRemoved { image: image(n), reason: "x".into(), evidence: Default::default() })
}

#[test]
fn a_glimpse_follows_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut repository = small(dir.path());
    // Two more commits behind the snapshot, one about an image in it.
    append(&mut repository, 5, vec![removed(2), removed(4)]);
    append(&mut repository, 6, vec![imported(9, BlobId::of(b"late"))]);
    for n in 1..=4 {
        let path = format!("sea/{n:06}.jpg");
        for sought in [Sought::Id(image(n)), Sought::Path(path.as_bytes())] {
            let glimpse = Repository::glimpse(dir.path(), sought).unwrap().unwrap();
            let state = glimpse.state();
            assert_eq!(state.image(image(n)), repository.state().image(image(n)));
            assert_eq!(biography(state, image(n)), biography(repository.state(), image(n)), "{n}");
            assert_eq!((state.seq(), state.head()), (repository.seq(), repository.head()));
            assert_eq!(state.classes(), repository.state().classes());
            let blob = state.image(image(n)).unwrap().blob;
            assert_eq!(glimpse.blobs().get(blob).unwrap(), repository.blobs().get(blob).unwrap());
        }
    }
    // It knows only what was asked for, and what came since.
    let glimpse = Repository::glimpse(dir.path(), Sought::Id(image(1))).unwrap().unwrap();
    assert_eq!(glimpse.state().images().map(|view| view.id).collect::<Vec<_>>(), [image(1), image(9)]);
    // What came since, or never, is a question for the whole state.
    for n in [9, 77] {
        assert!(Repository::glimpse(dir.path(), Sought::Id(image(n))).unwrap().is_none());
    }
}

#[test]
fn there_is_none_where_opening_has_work_to_do() {
    let dir = tempfile::tempdir().unwrap();
    drop(small(dir.path()));
    let ask = || Repository::glimpse(dir.path(), Sought::Id(image(1)));
    assert!(ask().unwrap().is_some());
    // The remains of a commit that was cut short.
    let log = file(dir.path(), "journal", "log");
    let whole = std::fs::read(&log).unwrap();
    std::fs::write(&log, [whole.as_slice(), b"SLFR"].concat()).unwrap();
    assert!(ask().unwrap().is_none());
    std::fs::write(&log, &whole).unwrap();
    let note = dir.path().join(".safelight/journal/acknowledged");
    let told = std::fs::read(&note).unwrap();
    std::fs::remove_file(&note).unwrap();
    assert!(ask().unwrap().is_none());
    std::fs::write(&note, told).unwrap();
    assert!(ask().unwrap().is_some());
    forget_derived(dir.path());
    assert!(ask().unwrap().is_none());
    let nowhere = tempfile::tempdir().unwrap();
    let refused = Repository::glimpse(nowhere.path(), Sought::Id(image(1)));
    assert!(matches!(refused, Err(StoreError::NotARepository { .. })));
}
