//! Cleaning from outside: evidence from elsewhere, rules, review, and taking back.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{Bench, jpeg};
use safelight::demo::SceneClass;

/// Six classes of six training pictures each, imported.
fn imported() -> Bench {
    let bench = Bench::with_repository();
    bench.photos(6);
    bench.run(["import", "../photos"]).expect(0);
    bench
}

/// A CSV of probabilities: every training image is surely its own class, except
/// those of `wrong`, which are (path, class, probability).
fn predictions(wrong: &[(&str, &str, f64)]) -> String {
    let names: Vec<&str> = SceneClass::ALL.iter().map(|class| class.name()).collect();
    let mut csv = format!("path,{}\n", names.join(","));
    for class in &names {
        for index in 0..6 {
            let path = format!("train/{class}/{index:04}.jpg");
            let (sure, share) = wrong
                .iter()
                .find(|(of, ..)| *of == path)
                .map_or((*class, 0.95), |(_, class, share)| (*class, *share));
            let rest = (1.0 - share) / 5.0;
            let row: Vec<String> =
                names.iter().map(|name| if *name == sure { share } else { rest }.to_string()).collect();
            csv.push_str(&format!("{path},{}\n", row.join(",")));
        }
    }
    csv
}

fn add(bench: &Bench, csv: &str, more: &[&str]) -> String {
    bench.write("repo/p.csv", csv.as_bytes());
    let mut arguments = vec!["predictions", "add", "p.csv", "--source", "by hand", "--json"];
    arguments.extend(more);
    text(&bench.run(arguments).expect(0).json()["predictions"])
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is not text")).to_owned()
}

fn propose(bench: &Bench, more: &[&str]) -> (String, Value) {
    let mut arguments = vec!["clean", "propose", "--json"];
    arguments.extend(more);
    let document = bench.run(arguments).expect(0).json();
    (text(&document["pass"]), document)
}

/// Three sure mistakes and one doubt.
fn three_wrong() -> String {
    predictions(&[
        ("train/sea/0000.jpg", "glacier", 0.99),
        ("train/sea/0001.jpg", "forest", 0.97),
        ("train/street/0002.jpg", "buildings", 0.93),
        ("train/forest/0003.jpg", "forest", 0.55),
    ])
}

#[test]
fn predictions_made_elsewhere_are_checked_by_row_and_column() {
    let bench = imported();
    let good = predictions(&[]);
    let lines: Vec<&str> = good.lines().collect();
    let refuse = |csv: String, words: &str| {
        bench.write("repo/p.csv", csv.as_bytes());
        bench.run(["predictions", "add", "p.csv", "--source", "x"]).expect(4).says(words);
    };
    let with_line = |line: usize, text: &str| {
        let mut lines = lines.clone();
        lines[line - 1] = text;
        lines.join("\n")
    };
    let path = "train/buildings/0000.jpg";
    refuse(with_line(2, &format!("{path},0.5,0.2,0,0,0,0")), "line 2: ");
    refuse(with_line(2, &format!("{path},0.5,NaN,0.5,0,0,0")), "line 2, class forest: NaN");
    refuse(with_line(2, &format!("{path},0.5,0.6,-0.1,0,0,0")), "line 2, class glacier: -0.1");
    refuse(with_line(2, &format!("{path},0.5,some,0.5,0,0,0")), "line 2, class forest: 'some'");
    refuse(with_line(2, &format!("{path},1,0,0")), "line 2");
    refuse(with_line(1, "path,buildings,forest,glacier,mountain,sea,road"), "missing [street]");
    refuse(with_line(2, "train/nowhere.jpg,1,0,0,0,0,0"), "1 missing, 1 unknown");
    bench.write("repo/p.csv", with_line(2, "train/nowhere.jpg,1,0,0,0,0,0").as_bytes());
    let refused = bench.run(["predictions", "add", "p.csv", "--source", "x"]).expect(4);
    refused.says("train/buildings/0000.jpg").says("train/nowhere.jpg").says("--partial");
    let log = bench.run(["log", "--json", "-n", "1"]).expect(0).stdout;
    assert!(!log.contains("PredictionsRecorded"), "nothing was recorded: {log}");

    let partly = bench.run(["predictions", "add", "p.csv", "--source", "x", "--partial", "--json"]).expect(3);
    assert_eq!(partly.json()["images"], 35);
    let id = add(&bench, &good, &["--honesty", "out-of-fold"]);
    bench.run(["predictions", "list"]).expect(0).says("by hand").says("out of fold");
    bench.run(["predictions", "show", &id[..8]]).expect(0).says("36 of 36 labels");
    let csv = bench.run(["predictions", "show", &id, "--csv"]).expect(0).stdout;
    assert_eq!(csv.lines().count(), 37);
    let again = add(&bench, &csv, &[]);
    let blob = |id: &str| {
        let shown = bench.run(["predictions", "show", id, "--json"]).expect(0).json();
        text(&shown["record"]["probabilities"])
    };
    assert_eq!(blob(&again), blob(&id), "what is written out reads back to the same bytes");
}

#[test]
fn a_pass_by_pixels_needs_no_predictions_and_names_what_it_finds() {
    let bench = Bench::with_repository();
    bench.photos(3);
    let same = jpeg(SceneClass::Sea, 0);
    bench.write("photos/train/sea/twin.jpg", &same);
    bench.write("photos/train/forest/wrong.jpg", &same);
    bench.write("photos/test/sea/leak.jpg", &same);
    let png = |name: &str, width: u32, height: u32, colour: image::ExtendedColorType, value: u8| {
        use image::ImageEncoder as _;
        let pixels = vec![value; (width * height * u32::from(colour.channel_count())) as usize];
        let mut bytes = Vec::new();
        image::codecs::png::PngEncoder::new(&mut bytes)
            .write_image(&pixels, width, height, colour)
            .expect("a picture encodes");
        bench.write(format!("photos/train/sea/{name}.png"), &bytes);
    };
    png("plain", 64, 64, image::ExtendedColorType::Rgb8, 90);
    png("tiny", 40, 9, image::ExtendedColorType::Rgb8, 90);
    png("gray", 64, 64, image::ExtendedColorType::L8, 90);
    // Structurally whole, but the compressed pixels are garbage.
    let mut broken = jpeg(SceneClass::Sea, 2);
    let middle = broken.len() / 2;
    for pair in broken[middle..middle + 400].chunks_exact_mut(2) {
        pair.copy_from_slice(&[0xff, 0x00]);
    }
    bench.write("photos/train/sea/broken.jpg", &broken);
    bench.run(["import", "../photos"]);
    let rules =
        ["near-duplicate", "leakage", "conflicting-duplicate", "blank", "tiny", "unreadable", "colour-model"];
    let arguments: Vec<&str> = rules.iter().flat_map(|rule| ["--rule", *rule]).collect();
    let (pass, _) = propose(&bench, &arguments);
    let log = bench.run(["log", "--json", "-n", "50"]).expect(0).stdout;
    assert!(!log.contains("RunStarted"), "nothing was trained");
    let found = bench.run(["clean", "show", &pass, "-n", "0", "--json"]).expect(0).json();
    let mut by_rule: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for finding in found.as_array().expect("a list") {
        by_rule.entry(text(&finding["rule"])).or_default().push(text(&finding["path"]));
        assert!(finding["score"].is_number() && finding["rank"].is_number());
        assert!(text(&finding["reason"]).len() > 10);
    }
    let has = |rule: &str, path: &str| {
        let paths = by_rule.get(rule).unwrap_or_else(|| panic!("{rule} found nothing: {by_rule:?}"));
        assert!(paths.iter().any(|found| found == path), "{rule} did not find {path}: {by_rule:?}");
    };
    has("blank", "train/sea/plain.png");
    has("tiny", "train/sea/tiny.png");
    has("colour-model", "train/sea/gray.png");
    has("conflicting-duplicate", "train/forest/wrong.jpg");
    has("leakage", "train/forest/wrong.jpg");
    assert_eq!(by_rule["near-duplicate"].len(), 1, "{by_rule:?}");
    has("unreadable", "train/sea/broken.jpg");
}

#[test]
fn settings_of_rules_are_checked_and_recorded() {
    let bench = imported();
    let id = add(&bench, &three_wrong(), &[]);
    let wrong = |rule: &str, words: &str| {
        bench.run(["clean", "propose", "--predictions", &id, "--rule", rule]).expect(2).says(words);
    };
    wrong("confidently-wrong:above=1.5", "above is 1.5");
    wrong("confidently-wrong:above=NaN", "above is NaN");
    wrong("ambiguous:low=0.7,high=0.6", "high is 0.6");
    wrong("near-duplicate:max_distance=40", "max_distance is 40");
    wrong("near-duplicate:min_cosine=0.9", "no checkpoint");
    wrong("guessing", "there is no rule 'guessing'");
    let (pass, _) = propose(&bench, &["--predictions", &id, "--rule", "confidently-wrong:above=0.95"]);
    let shown = bench.run(["show", &pass, "--json"]).expect(0).stdout;
    assert!(shown.contains("\"above\": 0.95") && shown.contains("\"strict\": 1.0"), "{shown}");
    let found = bench.run(["clean", "show", &pass, "--json"]).expect(0).json();
    assert_eq!(found.as_array().map(Vec::len), Some(2));
}

#[test]
fn in_sample_predictions_need_a_flag_and_are_marked() {
    let bench = imported();
    let id = add(&bench, &three_wrong(), &["--honesty", "in-sample"]);
    let rule = ["--rule", "confidently-wrong"];
    let mut arguments = vec!["clean", "propose", "--predictions", &id];
    arguments.extend(rule);
    bench.run(&arguments).expect(4).says("in-sample").says("--in-sample");
    let (pass, _) = propose(&bench, &["--predictions", &id, "--in-sample", rule[0], rule[1]]);
    let shown = bench.run(["show", &pass, "--json"]).expect(0).stdout;
    assert!(shown.contains("\"in_sample\": 1.0"), "{shown}");
    let honest = add(&bench, &three_wrong(), &["--honesty", "out-of-fold"]);
    let (pass, _) = propose(&bench, &["--predictions", &honest, rule[0], rule[1]]);
    assert!(!bench.run(["show", &pass, "--json"]).expect(0).stdout.contains("in_sample"));
}

#[test]
fn decisions_come_through_a_pipe_and_each_can_be_undone() {
    let bench = imported();
    let id = add(&bench, &three_wrong(), &[]);
    let (pass, _) = propose(&bench, &["--predictions", &id, "--rule", "confidently-wrong"]);
    // Worst first: sea/0000, sea/0001, street/0002. The second keep is undone.
    let reviewed =
        bench.run_with(["clean", "review", &pass, "--json"], "r\nk\nu\nl mountain\nx\n").expect(0).json();
    assert_eq!(reviewed["counts"]["relabelled"], 2);
    assert_eq!(reviewed["counts"]["removed"], 1);
    assert_eq!(reviewed["counts"]["kept"], 0);
    assert_eq!(reviewed["counts"]["undone"], 1);
    assert_eq!(reviewed["left"], 0);
    let relabelled = bench.run(["audit", "relabelled"]).expect(0);
    let relabelled = relabelled.says("sea → glacier").says("sea → mountain").says("tester");
    assert_eq!(relabelled.stdout.matches(" → ").count(), 2, "{}", relabelled.stdout);
    bench.run(["audit", "removed"]).expect(0).says("train/street/0002.jpg").says("93.0 % sure of buildings");
    let one = bench.run(["audit", "image", "train/sea/0000.jpg", "--json"]).expect(0).stdout;
    assert!(one.contains(&pass) && one.contains(&id) && one.contains("confidently-wrong"), "{one}");

    // All is decided: nothing is asked, by review or by apply.
    bench.run_with(["clean", "review", &pass], "").expect(0).says("0 images to decide");
    bench.run(["clean", "revert", &pass, "--reason", "no good"]).expect(0).says("taken back");
    bench.run(["audit", "removed"]).expect(0).says("0 removals");
    bench.run(["status"]).expect(0);
    bench.run(["clean", "revert", &pass]).expect(4).says("nothing decided in pass");
    bench.run_with(["clean", "review", &pass], "q\n").expect(0).says("3 images to decide");
}

#[test]
fn bad_letters_change_nothing_and_are_said() {
    let bench = imported();
    let id = add(&bench, &three_wrong(), &[]);
    let (pass, _) = propose(&bench, &["--predictions", &id, "--rule", "confidently-wrong"]);
    let reviewed = bench.run_with(["clean", "review", &pass, "--json"], "z\nl road\nu\nk\n").expect(3);
    assert!(
        reviewed.stderr.contains("'z'") && reviewed.stderr.contains("no class 'road'"),
        "{}",
        reviewed.stderr
    );
    assert!(reviewed.stderr.contains("nothing to undo"));
    assert_eq!(reviewed.json()["counts"]["kept"], 1);
    let (pass, _) = propose(&bench, &["--predictions", &id, "--rule", "ambiguous"]);
    bench.run_with(["clean", "review", &pass], "r\n").expect(3).says("no rule suggests a label");
}

#[test]
fn a_second_pass_does_not_ask_what_was_decided() {
    let bench = imported();
    let id = add(&bench, &three_wrong(), &[]);
    let rules = ["--predictions", &id, "--rule", "confidently-wrong", "--rule", "confident-learning"];
    let (pass, _) = propose(&bench, &rules);
    // Keeps sea/0000, relabels sea/0001, skips street/0002.
    bench.run_with(["clean", "review", &pass], "krs\n").expect(0);
    let (second, document) = propose(&bench, &rules);
    assert_eq!(document["settled_before"], 1, "the kept one; the relabelled one is right now");
    let found = bench.run(["clean", "show", &second, "--json"]).expect(0).stdout;
    assert!(!found.contains("train/sea/0000.jpg") && found.contains("train/street/0002.jpg"), "{found}");
    let (third, document) = propose(&bench, &[&rules[..], &["--again"]].concat());
    assert_eq!(document["settled_before"], 0);
    assert!(bench.run(["clean", "show", &third, "--json"]).expect(0).stdout.contains("train/sea/0000.jpg"));
    // Also within a pass that was proposed before the decision was made.
    bench
        .run_with(["clean", "review", &third], "")
        .expect(0)
        .says("1 image left out: settled by earlier passes");
    bench.run_with(["clean", "review", &third, "--again"], "").expect(0).says("2 images to decide");
    // Another label makes it a new question.
    bench.run(["relabel", "train/sea/0000.jpg", "--to", "street"]).expect(0);
    let (_, document) = propose(&bench, &rules);
    assert_eq!(document["settled_before"], 0);
}

#[test]
fn a_pass_older_than_the_dataset_says_what_changed_and_can_be_rebased() {
    let bench = imported();
    let id = add(&bench, &three_wrong(), &[]);
    let (pass, _) = propose(&bench, &["--predictions", &id, "--rule", "confidently-wrong"]);
    let apply = |pass: &str, more: &[&str]| {
        let mut arguments =
            vec!["clean", "apply", pass, "--rule", "confidently-wrong", "--action", "relabel"];
        arguments.extend(more);
        bench.run(arguments)
    };
    // What the pass itself does is no reason.
    apply(&pass, &["--limit-per-class", "1"]).expect(0).says("2 decisions");
    bench.run(["remove", "train/forest/0000.jpg"]).expect(0);
    bench.run(["relabel", "train/sea/0001.jpg", "--to", "forest"]).expect(0);
    let refused = apply(&pass, &[]).expect(4);
    refused.says("1 image removed, 1 image relabelled").says("--rebase");
    bench.run_with(["clean", "review", &pass], "k\n").expect(4).says("--rebase");
    apply(&pass, &["--rebase"]).expect(0).says("is rebased as pass").says("0 decisions");
    bench.run(["clean", "list"]).expect(0).says("0 images found");
}

#[test]
fn limits_hold_and_a_class_keeps_its_last_image() {
    let bench = imported();
    let all: Vec<String> = (0..6).map(|index| format!("train/sea/{index:04}.jpg")).collect();
    let wrong: Vec<(&str, &str, f64)> = all
        .iter()
        .zip(0..)
        .map(|(path, n)| (path.as_str(), "glacier", 0.99 - f64::from(n) / 100.0))
        .collect();
    let id = add(&bench, &predictions(&wrong), &[]);
    let test: Vec<String> = (1000..1002).map(|index| format!("test/sea/{index:04}.jpg")).collect();
    bench.run(["remove", &test[0], &test[1]]).expect(0);
    let (pass, _) = propose(&bench, &["--predictions", &id, "--rule", "confidently-wrong"]);
    let remove = ["clean", "apply", &pass, "--rule", "confidently-wrong", "--action", "remove"];
    bench.run(remove).expect(4).says("last image").says("--force").says("--limit-per-class");
    bench.run(["audit", "removed", "--rule", "confidently-wrong"]).expect(0).says("0 removals");
    bench.run([&remove[..], &["--limit-per-class", "5"]].concat()).expect(0).says("5 decisions");
    bench.run_with(["clean", "review", &pass], "x\n").expect(3).says("last image");
    bench.run_with(["clean", "review", &pass, "--force"], "x\n").expect(0).says("1 removed");
    bench
        .run(["clean", "apply", &pass, "--rule", "blank", "--action", "remove"])
        .expect(4)
        .says("no rule 'blank'");
    bench.run(["clean", "revert", &pass]).expect(0);
    let status = bench.run(["audit", "removed"]).expect(0);
    status.says("2 removals");
}

#[test]
fn rules_are_tried_on_planted_labels() {
    let bench = imported();
    bench.run(["clean", "plant", "--share", "0", "--truth", "t.csv"]).expect(2).says("--share");
    let planted =
        bench.run(["clean", "plant", "--share", "0.1", "--seed", "1", "--truth", "t.csv", "--json"]);
    assert_eq!(planted.expect(0).json()["planted"], 4);
    // The predictions know the truth, so every planted label is found.
    let id = add(&bench, &predictions(&[]), &[]);
    let (pass, _) = propose(&bench, &["--predictions", &id, "--rule", "confidently-wrong"]);
    let scores = bench.run(["clean", "evaluate", &pass, "--truth", "t.csv", "--json"]).expect(0).json();
    assert_eq!(scores["wrong"], 4);
    let rule = &scores["rules"][0];
    assert_eq!(
        (rule["hits"].as_u64(), rule["precision"].as_f64(), rule["recall"].as_f64()),
        (Some(4), Some(1.0), Some(1.0))
    );
    assert_eq!(rule["right_suggestions"], 4);
    assert_eq!(scores["evidence"], serde_json::json!({ "accuracy": 1.0, "self_confidence": 1.0 }));
    bench.run(["clean", "apply", &pass, "--rule", "confidently-wrong", "--action", "relabel"]).expect(0);
    let (healed, _) = propose(&bench, &["--predictions", &id, "--rule", "confidently-wrong", "--again"]);
    bench.run(["clean", "evaluate", &healed, "--truth", "t.csv"]).expect(0).says("0 of 36 judged images");
    bench.write("repo/t.csv", b"image,label\nxyz,sea\n");
    bench.run(["clean", "evaluate", &pass, "--truth", "t.csv"]).expect(4).says("line 2");
}
