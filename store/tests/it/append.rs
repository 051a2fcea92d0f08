//! Appending, reopening, following, conflicts.

use safelight_lineage::digest::{BlobId, FrameDigest};
use safelight_lineage::state::State;
use safelight_lineage::value::Seq;
use safelight_store::{AppendError, Repository, StoreError};

use crate::support::{append, created, draft, forget_derived, image, imported, small};

#[test]
fn what_is_appended_is_there_after_opening_again() {
    let dir = tempfile::tempdir().unwrap();
    let repository = small(dir.path());
    let (head, seq, digest) = (repository.head(), repository.seq(), repository.state().digest());
    assert_eq!(seq, Seq(8));
    let frames: Vec<_> = repository.frames().map(Result::unwrap).collect();
    drop(repository);

    for derived in [true, false] {
        if !derived {
            forget_derived(dir.path());
        }
        let again = Repository::open(dir.path()).unwrap();
        assert_eq!((again.head(), again.seq(), again.state().digest()), (head, seq, digest));
        assert!(again.notices().is_empty(), "{:?}", again.notices());
        assert_eq!(again.frames().map(Result::unwrap).collect::<Vec<_>>(), frames);
        let mut back: Vec<_> = again.frames_rev().map(Result::unwrap).collect();
        back.reverse();
        assert_eq!(back, frames);
        assert_eq!(again.state().unknown_events().len(), 1);
    }
}

#[test]
fn the_chain_links_every_frame_to_its_parent() {
    let dir = tempfile::tempdir().unwrap();
    let repository = small(dir.path());
    let mut parent = FrameDigest::ROOT;
    let mut next = Seq(1);
    for frame in repository.frames() {
        let frame = frame.unwrap();
        assert_eq!(frame.header.parent, parent);
        assert_eq!(frame.header.first_seq, next);
        parent = frame.header.digest;
        next = frame.last_seq().plus(1);
    }
    assert_eq!(parent, repository.head());
}

#[test]
fn a_commit_on_an_old_head_is_refused_and_brings_the_news() {
    let dir = tempfile::tempdir().unwrap();
    let mut one = Repository::init(dir.path()).unwrap();
    let mut two = Repository::open(dir.path()).unwrap();
    let old = two.head();
    append(&mut one, 1, vec![created()]);
    match two.append(draft(2, vec![created()]), old) {
        Err(AppendError::Conflict { expected, actual }) => {
            assert_eq!((expected, actual), (old, one.head()));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(two.head(), one.head());
    assert_eq!(two.state().digest(), one.state().digest());
    append(&mut two, 3, vec![imported(1, BlobId::of(b"x"))]);
    assert_eq!(one.refresh().unwrap(), 1);
    assert_eq!(one.head(), two.head());
    assert_eq!(one.refresh().unwrap(), 0);
}

#[test]
fn states_of_the_past_are_folds_of_prefixes() {
    let dir = tempfile::tempdir().unwrap();
    let repository = small(dir.path());
    let mut state = State::new();
    assert_eq!(repository.state_as_of(Seq(0)).unwrap().digest(), state.digest());
    for frame in repository.frames() {
        let frame = frame.unwrap();
        state.apply(&frame);
        assert_eq!(repository.state_as_of(frame.last_seq()).unwrap().digest(), state.digest());
        assert_eq!(repository.state_at(frame.header.digest).unwrap().digest(), state.digest());
    }
    // Within a frame: two of its four images are in.
    let within = repository.state_as_of(Seq(3)).unwrap();
    assert!(within.image(image(2)).is_some() && within.image(image(3)).is_none());
    assert!(matches!(repository.state_as_of(Seq(9)), Err(StoreError::NoSuchSeq { .. })));
    assert!(matches!(repository.state_at(FrameDigest([7; 32])), Err(StoreError::NoSuchFrame(_))));
}

#[test]
fn segments_roll_and_nothing_changes() {
    let dir = tempfile::tempdir().unwrap();
    let mut repository = Repository::init(dir.path()).unwrap();
    repository.roll_at(300);
    let mut follower = Repository::open(dir.path()).unwrap();
    append(&mut repository, 1, vec![created()]);
    for n in 2..40 {
        append(&mut repository, n, vec![imported(n, BlobId::of(b"x"))]);
        if n % 7 == 0 {
            follower.refresh().unwrap();
            assert_eq!(follower.head(), repository.head());
        }
    }
    assert!(dir.path().join(".safelight/journal/00000005.log").exists());
    assert_eq!(repository.frames().count(), 39);
    assert_eq!(repository.frames_rev().map(Result::unwrap).count(), 39);
    forget_derived(dir.path());
    let again = Repository::open(dir.path()).unwrap();
    assert_eq!(again.head(), repository.head());
    assert_eq!(again.state().digest(), repository.state().digest());
    // A segment that is gone from the middle is damage.
    std::fs::remove_file(dir.path().join(".safelight/journal/00000003.log")).unwrap();
    match Repository::open(dir.path()) {
        Err(StoreError::CorruptFrame(at)) => assert!(at.file.ends_with("00000003.log"), "{at}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_repository_is_not_made_twice_nor_inside_another() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Repository::discover(dir.path()), Err(StoreError::NotARepository { .. })));
    assert!(matches!(Repository::open(dir.path()), Err(StoreError::NotARepository { .. })));
    Repository::init(dir.path()).unwrap();
    let inner = dir.path().join("pictures/sea");
    std::fs::create_dir_all(&inner).unwrap();
    let root = dir.path().canonicalize().unwrap();
    assert_eq!(Repository::discover(&inner).unwrap(), root);
    for place in [dir.path(), &inner] {
        match Repository::init(place) {
            Err(StoreError::AlreadyARepository { root: found }) => assert_eq!(found, root),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_init_that_was_cut_short_is_done_again() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path());
    let format = dir.path().join(".safelight/FORMAT");
    std::fs::remove_file(&format).unwrap();
    assert!(matches!(Repository::init(dir.path()), Err(StoreError::AlreadyARepository { .. })));
    let dir = tempfile::tempdir().unwrap();
    Repository::init(dir.path()).unwrap();
    std::fs::remove_file(dir.path().join(".safelight/FORMAT")).unwrap();
    assert!(Repository::open(dir.path()).is_err());
    Repository::init(dir.path()).unwrap();
}

#[test]
fn a_newer_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path());
    std::fs::write(dir.path().join(".safelight/FORMAT"), "safelight store 2\n").unwrap();
    match Repository::open(dir.path()) {
        Err(StoreError::UnsupportedFormat { found, .. }) => assert_eq!(found, "safelight store 2\\n"),
        other => panic!("{other:?}"),
    }
}
