//! Importing, looking, changing and undoing, as a person does it.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;

use safelight::demo::SceneClass;
use serde_json::json;

use crate::support::{Bench, files, jpeg};

#[test]
fn outside_a_repository_it_says_how_to_make_one() {
    let bench = Bench::new();
    for command in [vec!["status"], vec!["log"], vec!["verify"], vec!["import", "x"], vec!["replay", "12"]] {
        bench.run(command).expect(5).says("safelight init");
    }
}

#[test]
fn a_folder_is_imported_once_and_again_without_change() {
    let bench = Bench::with_repository();
    let photos = bench.photos(4);
    let before = files(&photos);
    let first = bench.run(["import", "../photos", "--json"]).expect(0).json();
    assert_eq!((&first["imported"], &first["classes_added"]), (&json!(36), &json!(6)));
    let again = bench.run(["import", "../photos", "--json"]).expect(0).json();
    assert_eq!((&again["imported"], &again["unchanged"]), (&json!(0), &json!(36)));
    assert_eq!(first["head"], again["head"], "nothing new, so no frame");
    assert_eq!(files(&photos), before, "originals stay where they were");

    let status = bench.run(["status", "--json"]).expect(0).json();
    assert_eq!(status["classes"], json!(["buildings", "forest", "glacier", "mountain", "sea", "street"]));
    assert_eq!((&status["images"]["train"], &status["images"]["test"]), (&json!(24), &json!(12)));
    bench.run(["status"]).expect(0).says("dataset      repo").says("glacier");
}

#[test]
fn two_repositories_of_one_folder_know_the_same_images() {
    let bench = Bench::with_repository();
    bench.photos(2);
    bench.run(["import", "../photos"]).expect(0);
    let other = bench.path("other");
    bench.run_in(&bench.path(""), ["init", "other"]).expect(0);
    bench.run_in(&other, ["import", "../photos"]).expect(0);
    let show = |place: &std::path::Path| {
        bench.run_in(place, ["show", "train/sea/0001.jpg", "--json"]).expect(0).json()["value"]["id"].clone()
    };
    assert_eq!(show(&bench.path("repo")), show(&other));
}

#[test]
fn changed_bytes_become_a_revision_and_corrections_survive_the_next_import() {
    let bench = Bench::with_repository();
    bench.photos(2);
    bench.run(["import", "../photos"]).expect(0);
    bench.run(["relabel", "train/sea/0001.jpg", "--to", "glacier", "--reason", "ice"]).expect(0);
    bench.write("photos/train/sea/0000.jpg", &jpeg(SceneClass::Sea, 900));
    let again = bench.run(["import", "../photos", "--json"]).expect(0).json();
    assert_eq!((&again["revised"], &again["imported"]), (&json!(1), &json!(0)));
    let image = bench.run(["show", "train/sea/0001.jpg", "--json"]).expect(0).json();
    assert_eq!(image["value"]["label_name"], "glacier");
}

#[test]
fn bad_files_are_listed_with_reasons_and_the_rest_comes_in() {
    let bench = Bench::with_repository();
    bench.photos(2);
    let good = jpeg(SceneClass::Sea, 5);
    bench.write("photos/train/sea/empty.jpg", b"");
    bench.write("photos/train/sea/cut.jpg", &good[..good.len() / 2]);
    bench.write("photos/train/sea/words.jpg", b"this is no picture");
    let mut bomb = good.clone();
    let frame = bomb.windows(2).position(|pair| pair == [0xff, 0xc0]).expect("a frame header");
    bomb[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
    bench.write("photos/train/sea/bomb.jpg", &bomb);
    bench.write("photos/train/notes.txt", b"hello");

    let ran = bench.run(["import", "../photos"]).expect(3);
    for name in ["empty.jpg", "cut.jpg", "words.jpg", "bomb.jpg", "notes.txt"] {
        assert!(ran.stdout.contains(name), "{name} is not named:\n{}", ran.stdout);
    }
    let document = bench.run(["import", "../photos", "--json"]).expect(3).json();
    assert_eq!(document["unchanged"], json!(18));
    let refused: Vec<_> = document["problems"].as_array().expect("a list").iter().collect();
    assert!(
        refused.len() >= 5
            && refused.iter().all(|problem| problem["reason"].as_str().is_some_and(|r| !r.is_empty()))
    );
}

#[test]
fn hostile_names_are_kept_exactly_and_shown_escaped() {
    let bench = Bench::with_repository();
    bench.photos(1);
    let name = std::ffi::OsStr::from_bytes(b"a\x1b[31m\n\xffb.jpg");
    fs::write(bench.path("photos/train/sea").join(name), jpeg(SceneClass::Sea, 50)).expect("a file");
    bench.run(["import", "../photos"]).expect(0);
    let log = bench.run(["log", "--events"]).expect(0);
    assert!(log.stdout.contains("a\\u{1b}[31m\\n\\xffb.jpg"), "{}", log.stdout);
    assert!(!log.stdout.contains('\u{1b}'), "no escape sequence reaches the terminal");
}

#[test]
fn folders_that_cannot_be_imported_say_what_to_do() {
    let bench = Bench::with_repository();
    bench.photos(1);
    bench.run(["import", ".safelight"]).expect(4).says(".safelight");
    bench.run(["import", "../nowhere"]).expect(1).says("nowhere");
    fs::create_dir(bench.path("empty")).expect("a folder");
    bench.run(["import", "../empty"]).expect(4).says("holds no pictures");
    bench.write("photos/train/Sea/0.jpg", &jpeg(SceneClass::Sea, 1));
    bench.run(["import", "../photos"]).expect(4).says("differ only in case");
}

#[test]
fn links_do_not_lead_in_circles() {
    let bench = Bench::with_repository();
    let photos = bench.photos(1);
    std::os::unix::fs::symlink(&photos, photos.join("train/sea/loop")).expect("a link");
    bench.run(["import", "../photos"]).expect(3).says("leads back");
}

#[test]
fn what_was_changed_is_audited_and_undone() {
    let bench = Bench::with_repository();
    bench.photos(3);
    bench.run(["import", "../photos"]).expect(0);
    let digest = |bench: &Bench| bench.run(["status", "--json"]).expect(0).json()["state"].clone();
    let start = digest(&bench);
    bench.run(["relabel", "train/sea/0001.jpg", "--to", "glacier", "--reason", "ice"]).expect(0);
    bench.run(["remove", "train/street/0002.jpg", "--reason", "blurred"]).expect(0).says("blurred");

    let removed = bench.run(["audit", "removed", "--json"]).expect(0).json();
    assert_eq!((&removed[0]["reason"], &removed[0]["actor"]["name"]), (&json!("blurred"), &json!("tester")));
    bench.run(["audit", "relabelled"]).expect(0).says("sea → glacier").says("1 change of a label");
    bench.run(["audit", "removed", "--class", "sea"]).expect(0).says("0 removals");
    bench.run(["audit", "image", "train/sea/0001.jpg"]).expect(0).says("imported as sea").says("glacier");

    bench.run(["undo"]).expect(0);
    bench.run(["audit", "removed"]).expect(0).says("0 removals");
    bench.run(["audit", "removed", "--all"]).expect(0).says("taken back");
    bench.run(["undo"]).expect(0);
    assert_eq!(digest(&bench), start, "everything is as it was");
    bench.run(["undo", "999"]).expect(4).says("log ends");
}

#[test]
fn the_last_image_of_a_class_is_not_lost_by_a_slip() {
    let bench = Bench::with_repository();
    bench.photos(1);
    bench.run(["import", "../photos/train", "--layout", "classes"]).expect(0);
    bench.run(["remove", "sea/0000.jpg"]).expect(4).says("--force");
    bench.run(["remove", "sea/0000.jpg", "--force"]).expect(0);
    bench.run(["restore", "sea/0000.jpg"]).expect(0);
    bench.run(["restore", "sea/0000.jpg"]).expect(4).says("nothing to do");
    bench.run(["relabel", "sea/0000.jpg", "--to", "lake"]).expect(4).says("the classes are");
}

#[test]
fn ids_may_be_abbreviated_and_ambiguous_ones_list_candidates() {
    let bench = Bench::with_repository();
    bench.photos(6);
    bench.run(["import", "../photos"]).expect(0);
    let id = bench.run(["show", "train/sea/0001.jpg", "--json"]).expect(0).json()["value"]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    bench.run(["show", &id[..12]]).expect(0).says("image");
    // 54 images share 16 first digits: some digit is shared.
    let ambiguous = "0123456789abcdef".chars().find_map(|digit| {
        let ran = bench.run(["remove", &digit.to_string()]);
        ran.stderr.contains("ambiguous").then_some(ran)
    });
    let ran = ambiguous.expect("more than sixteen images").expect(4);
    assert!(ran.stderr.matches("hint:").count() >= 2, "{}", ran.stderr);
    bench.run(["show", "zz"]).expect(4);
}

#[test]
fn damage_in_a_pack_and_in_the_journal_is_named() {
    let bench = Bench::with_repository();
    bench.photos(2);
    bench.run(["import", "../photos"]).expect(0);
    bench.run(["verify", "--deep"]).expect(0).says("good");
    let store = bench.path("repo/.safelight");
    let flip = |folder: &str, at: usize| {
        let path = files(&store.join(folder))
            .into_iter()
            .find(|path| fs::metadata(path).is_ok_and(|m| m.len() > 400));
        let path = path.expect("a file with bytes in it");
        let mut bytes = fs::read(&path).expect("readable");
        bytes[at] ^= 0x10;
        fs::write(&path, bytes).expect("writable");
        path.file_name().expect("a name").to_string_lossy().into_owned()
    };
    let (pack, journal) = (flip("packs", 300), flip("journal", 200));
    bench.run(["verify", "--deep"]).expect(6).says(&pack).says(&journal);
    let _ = fs::remove_dir_all(store.join("cache"));
    bench.run(["log"]).expect(6).says("verify");
}
