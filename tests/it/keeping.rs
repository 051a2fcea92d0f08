//! Keeping a repository in order, as a person does it: garbage, damage, copies.

use std::fs;

use serde_json::json;

use crate::support::{Bench, files, jpeg};
use safelight::demo::SceneClass;

/// A repository with the images of `photos` in it.
fn stocked(per_class: u32) -> Bench {
    let bench = Bench::with_repository();
    bench.photos(per_class);
    bench.run(["import", "../photos"]).expect(0);
    bench
}

#[test]
fn gc_looks_first_and_deletes_when_told_to() {
    let bench = stocked(2);
    bench.run(["gc"]).expect(0).says("nothing to delete");
    // As a killed command leaves it: kept bytes that no event names.
    let store = safelight_store::Repository::open(&bench.path("repo")).expect("a repository");
    let litter = store.blobs().put(&jpeg(SceneClass::Sea, 4_000)).expect("kept");
    store.blobs().seal().expect("sealed");
    drop(store);
    bench.run(["gc"]).expect(0).says("kept: younger than 14 days").says("nothing to delete");
    let found = bench.run(["gc", "--grace", "0", "--json"]).expect(0).json();
    assert_eq!((&found["due"]["count"], &found["dry_run"]), (&json!(1), &json!(true)));
    assert_eq!(found["garbage"][0]["blob"], json!(litter));
    bench.run(["gc", "--delete"]).expect(0).says("nothing to delete");
    bench.run(["gc", "--delete", "--grace", "0s"]).expect(0).says("deleted 1 thing");
    bench.run(["gc", "--grace", "0"]).expect(0).says("nothing to delete");
    bench.run(["verify", "--deep"]).expect(0).says("good");
    bench.run(["gc", "--grace", "soon"]).expect(2).says("14d");
}

#[test]
fn gc_and_a_writer_keep_out_of_each_others_way() {
    let bench = stocked(1);
    let store = safelight_store::Repository::open(&bench.path("repo")).expect("a repository");
    store.blobs().put(b"on its way").expect("kept");
    bench.run(["gc", "--delete"]).expect(4).says("another process is writing");
    bench.run(["gc"]).expect(0);
    drop(store);
    bench.run(["gc", "--delete"]).expect(0);
    let lock = fs::File::open(bench.path("repo/.safelight/writers")).expect("the lock");
    lock.lock().expect("as a collector holds it");
    bench.write("photos/train/sea/9999.jpg", &jpeg(SceneClass::Sea, 9_999));
    let before = files(&bench.path("repo/.safelight/packs"));
    bench.run(["import", "../photos"]).expect(4).says("collecting garbage").says("try again");
    bench.run(["remove", "train/sea/0000.jpg"]).expect(4).says("collecting garbage");
    bench.run(["status"]).expect(0);
    assert_eq!(files(&bench.path("repo/.safelight/packs")), before);
    drop(lock);
    bench.run(["import", "../photos"]).expect(0).says("1 imported");
}
