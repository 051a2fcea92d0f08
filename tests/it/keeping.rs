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

/// Changes one byte of the largest file of a folder of the store.
fn flip(bench: &Bench, folder: &str, at: usize) {
    let all = files(&bench.path("repo/.safelight").join(folder));
    let path = all.into_iter().max_by_key(|path| fs::metadata(path).map_or(0, |data| data.len()));
    let path = path.expect("a file");
    let mut bytes = fs::read(&path).expect("readable");
    bytes[at] ^= 1;
    fs::write(&path, bytes).expect("writable");
}

#[test]
fn verify_says_what_damage_affects_and_repair_mends_it() {
    let bench = stocked(2);
    flip(&bench, "packs", 32 + 52 + 10);
    bench.run(["verify"]).expect(0);
    let ran = bench.run(["verify", "--deep"]).expect(6);
    ran.says("it is image").says("safelight repair --from");
    let found = bench.run(["verify", "--deep", "--json"]).expect(6).json();
    assert_eq!(found["good"], json!(false));
    assert_eq!(found["problems"][0]["impact"]["needed_by"][0]["need"], "image");

    bench.run(["repair", "--from", "../nowhere"]).expect(4).says("no folder");
    fs::create_dir(bench.path("empty")).expect("a folder");
    bench.run(["repair", "--from", "../empty"]).expect(6).says("0 of 1 restored");
    bench.run(["repair", "--from-repository", "../empty"]).expect(4).says("no repository");
    let mended = bench.run(["repair", "--from", "../photos", "--json"]).expect(0).json();
    assert_eq!((&mended["restored"].as_array().map(Vec::len), &mended["good"]), (&Some(1), &json!(true)));
    bench.run(["verify", "--deep"]).expect(0).says("whole copy is stored elsewhere").says("good");
    bench.run(["repair", "--from", "../photos"]).expect(0).says("nothing was damaged");
    // What a repair replaced can go, once nothing needs it.
    bench.run(["gc", "--delete", "--grace", "0"]).expect(0).says("deleted 1 thing");
    let clean = bench.run(["verify", "--deep", "--json"]).expect(0).json();
    assert_eq!(clean["superseded"], json!([]));
}

#[test]
fn a_lost_pack_is_brought_back_from_a_copy_of_the_repository() {
    let bench = stocked(2);
    let packs = files(&bench.path("repo/.safelight/packs"));
    fs::create_dir_all(bench.path("copy/.safelight/packs")).expect("folders");
    for pack in &packs {
        fs::copy(pack, bench.path("copy/.safelight/packs").join(pack.file_name().expect("a name")))
            .expect("copied");
        fs::remove_file(pack).expect("gone");
    }
    bench.run(["verify"]).expect(6).says("missing: blob").says("it is image");
    bench.run(["repair", "--from", "../copy"]).expect(0).says("18 of 18 restored");
    bench.run(["verify", "--deep"]).expect(0);
}

#[test]
fn an_archive_becomes_the_same_repository_elsewhere() {
    let bench = stocked(2);
    bench.run(["relabel", "train/sea/0001.jpg", "--to", "glacier"]).expect(0);
    let status = |place: &str| bench.run_in(&bench.path(place), ["status", "--json"]).expect(0).json();
    let written = bench.run(["export", "../all.safelight", "--json"]).expect(0).json();
    assert_eq!((&written["blobs"], &written["left_out"]), (&json!(18), &json!(0)));
    bench.run(["export", "../all.safelight"]).expect(4).says("--force");
    bench.run(["export", "../all.safelight", "--force"]).expect(0).says("18 blobs");

    let outside = bench.path("");
    let read = bench.run_in(&outside, ["-C", "copy", "import", "--archive", "all.safelight", "--json"]);
    let read = read.expect(0).json();
    assert_eq!((&read["end"], &read["head"]), (&json!("whole"), &written["head"]));
    let (one, two) = (status("repo"), status("copy"));
    assert_eq!((&one["head"], &one["state"]), (&two["head"], &two["state"]));
    bench.run_in(&bench.path("copy"), ["verify", "--deep"]).expect(0).says("good");
    // Again, there is nothing new; and a repository of its own is left alone.
    bench.run_in(&outside, ["-C", "copy", "import", "--archive", "all.safelight"]).expect(0).says("0 frames");
    bench.run_in(&outside, ["init", "mine"]).expect(0);
    bench
        .run_in(&outside, ["-C", "mine", "import", "--archive", "all.safelight"])
        .expect(4)
        .says("another history");
}

#[test]
fn an_archive_that_is_cut_or_damaged_says_so() {
    let bench = stocked(2);
    bench.run(["export", "../all.safelight"]).expect(0);
    let whole = fs::read(bench.path("all.safelight")).expect("readable");
    let outside = bench.path("");
    let import = |into: &str, file: &str| bench.run_in(&outside, ["-C", into, "import", "--archive", file]);
    bench.write("cut.safelight", &whole[..whole.len() - 70]);
    import("cut", "cut.safelight").expect(3).says("cut short").says("what came before is kept");
    bench.run_in(&bench.path("cut"), ["verify", "--deep"]).expect(0);
    import("cut", "all.safelight").expect(0).says("as the archive says");
    let mut bent = whole.clone();
    bent[whole.len() / 2] ^= 1;
    bench.write("bent.safelight", &bent);
    import("bent", "bent.safelight").expect(6).says("damaged at byte");
    bench.write("other.safelight", b"PK\x03\x04 something else");
    import("other", "other.safelight").expect(4).says("no archive of safelight");
    assert!(!bench.path("other").exists(), "nothing is made of it");
    import("none", "nowhere.safelight").expect(1).says("nowhere.safelight");
    bench.run(["import"]).expect(2);
    bench.run(["import", "--archive", "x", "folder"]).expect(2);
}

#[test]
fn a_file_that_did_not_change_is_not_read_again_and_one_that_did_is() {
    let bench = stocked(3);
    let photos = bench.path("photos/train/sea/0000.jpg");
    let import = |options: &[&str]| {
        let arguments = ["import", "../photos", "--json"].iter().chain(options).copied();
        bench.run(arguments.collect::<Vec<_>>()).expect(0).json()
    };
    // Files as new as the index are read once more; let the clock pass them by.
    std::thread::sleep(std::time::Duration::from_millis(30));
    import(&[]);
    let again = import(&[]);
    assert_eq!(
        (&again["not_read"], &again["unchanged"], &again["bytes"]),
        (&json!(24), &json!(24), &json!(0))
    );
    assert_eq!(import(&["--reread"])["not_read"], json!(0));
    assert_eq!(import(&["--check", "decode"])["not_read"], json!(0));
    assert_eq!(import(&["--check", "decode"])["not_read"], json!(24));

    // Other bytes of the same length under the same time: the change time tells.
    let data = fs::metadata(&photos).expect("there");
    let mut bytes = fs::read(&photos).expect("readable");
    let last = bytes.len() - 3;
    bytes[last] ^= 1;
    fs::write(&photos, &bytes).expect("writable");
    let file = fs::File::options().write(true).open(&photos).expect("there");
    file.set_modified(data.modified().expect("a time")).expect("set back");
    drop(file);
    let changed = import(&[]);
    assert_eq!((&changed["revised"], &changed["not_read"]), (&json!(1), &json!(23)));

    // A change that was undone is no reason to pass the file over.
    bench.run(["undo"]).expect(0);
    std::thread::sleep(std::time::Duration::from_millis(30));
    import(&[]);
    bench.run(["undo"]).expect(0);
    assert_eq!(import(&[])["revised"], json!(1), "the log has the old bytes, the folder the new ones");

    // The index is derived: gone or damaged, all is read.
    let index = files(&bench.path("repo/.safelight/cache/rescan")).remove(0);
    fs::write(&index, b"SLRI nonsense").expect("writable");
    assert_eq!(import(&[])["not_read"], json!(0));
    fs::remove_dir_all(bench.path("repo/.safelight/cache")).expect("gone");
    assert_eq!(import(&[])["unchanged"], json!(24));
}

#[test]
fn undo_explains_what_stands_in_the_way_and_what_cannot_be_undone() {
    let bench = stocked(1);
    let log = bench.run(["log", "--json"]).expect(0).json();
    let import = log.as_array().and_then(|frames| frames.first()).expect("an import")["transaction"]
        .as_str()
        .expect("an id")
        .to_owned();
    bench.run(["relabel", "train/sea/0000.jpg", "--to", "glacier", "--reason", "ice"]).expect(0);
    bench.run(["remove", "train/sea/0000.jpg", "--reason", "blurred", "--force"]).expect(0);
    let seq =
        |bench: &Bench| bench.run(["status", "--json"]).expect(0).json()["seq"].as_u64().expect("a number");
    let last = seq(&bench);

    // The import cannot be undone under the changes that were made to it.
    let refused = bench.run(["undo", &import]).expect(4);
    let together = format!("or all of them together: safelight undo {import}");
    let refused = refused.says("cannot be taken back by itself").says("train/sea/0000.jpg").says(&together);
    assert!(refused.stderr.contains(&format!("safelight undo {last}")), "{}", refused.stderr);
    // What the hint says works.
    let hint = refused.stderr.lines().find_map(|line| line.split("together: safelight undo ").nth(1));
    let all: Vec<&str> = hint.expect("a hint").split(' ').collect();
    assert_eq!(all.len(), 3);
    bench.run(std::iter::once("undo").chain(all)).expect(0);
    let status = bench.run(["status", "--json"]).expect(0).json();
    assert_eq!(status["images"]["present"], json!(0));
    // Once more is no second undo, but says how to redo; and that works.
    bench.run(["undo", &(last - 1).to_string()]).expect(4).says("to have it back: safelight undo");
    let newest =
        bench.run(["log", "--json"]).expect(0).json()[0]["transaction"].as_str().expect("an id").to_owned();
    bench.run(["undo", &newest]).expect(0);
    assert_eq!(bench.run(["status", "--json"]).expect(0).json()["images"]["present"], json!(11));

    // Out of order: the earlier of two changes of different things.
    bench.run(["relabel", "train/street/0000.jpg", "--to", "sea"]).expect(0);
    let early = seq(&bench);
    bench.run(["relabel", "train/forest/0000.jpg", "--to", "sea"]).expect(0);
    bench.run(["undo", &early.to_string()]).expect(0);
    let image = bench.run(["show", "train/street/0000.jpg", "--json"]).expect(0).json();
    assert_eq!(image["value"]["label_name"], "street");

    // The first event made the dataset: a fact.
    bench.run(["undo", "1"]).expect(4).says("cannot be reverted").says("a repository is its dataset");
    bench.run(["undo", "2"]).expect(4).says("safelight relabel");
}

#[test]
fn the_index_is_rebuilt_and_done_without_while_somebody_has_it() {
    let bench = stocked(1);
    bench.run(["index", "rebuild"]).expect(0).says("events again");
    let mut holder = safelight_store::Repository::open(&bench.path("repo")).expect("a repository");
    assert!(holder.rebuild_index().expect("filled"));
    bench.run(["index", "rebuild"]).expect(4).says("another process has the index");
    bench.run(["relabel", "train/sea/0000.jpg", "--to", "forest"]).expect(0);
    bench.run(["audit", "image", "train/sea/0000.jpg"]).expect(0).says("forest");
    drop(holder);
    bench.run(["index", "rebuild"]).expect(0);
    fs::remove_dir_all(bench.path("repo/.safelight/index")).expect("gone");
    bench.run(["audit", "image", "train/sea/0000.jpg"]).expect(0).says("forest");
}
