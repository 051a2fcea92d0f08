//! Voting: chosen members, members that know too much, ties, and the files that
//! come of it.

use std::fs;

use safelight_lineage::event::{PredictionSource, Split, ViewPolicy};
use safelight_lineage::query::{ManifestFilter, manifest};
use serde_json::json;

use crate::story::{CLASSES, Story};
use crate::support::Bench;

fn story() -> (Bench, Story) {
    let bench = Bench::new();
    let story = Story::begin(&bench.path("repo"));
    (bench, story)
}

/// Predictions of a split by something outside that is sure of
/// `class(place, label)` for every image.
fn sure(
    story: &mut Story,
    name: &str,
    split: Split,
    class: impl Fn(usize, Option<usize>) -> usize,
) -> String {
    let dataset = manifest(story.session.state(), &ManifestFilter::split(split));
    let images: Vec<_> = dataset.rows().iter().map(|row| row.image).collect();
    let values = dataset.rows().iter().enumerate().flat_map(|(place, row)| {
        let sure = class(place, row.label.map(|label| usize::from(label.0)));
        (0..CLASSES.len()).map(move |class| f32::from(u8::from(class == sure)))
    });
    let values = values.collect();
    let source = PredictionSource::External { name: name.to_owned() };
    story.record_predictions(source, split, ViewPolicy::Unknown, images, values).to_string()
}

#[test]
fn members_are_chosen_by_what_they_say_of_labelled_images() {
    let (bench, mut story) = story();
    // Two that err alike, one that errs elsewhere, and one that errs once only,
    // so that it comes first. Their weights differ, so that no two ever tie: ids
    // are drawn anew each time, and with them the breaking of ties.
    let wrong_at = [[0, 1], [0, 1], [2, 2], [4, 5]];
    let weights = ["1.0", "1.1", "1.5", "1.2"];
    let mut test = Vec::new();
    for (number, wrong) in wrong_at.iter().enumerate() {
        let name = format!("model {number}");
        let right = |place: usize, label: Option<usize>| {
            let label = label.unwrap_or(0);
            if wrong.contains(&place) { (label + 1) % 3 } else { label }
        };
        sure(&mut story, &name, Split::Valid, right);
        test.push(sure(&mut story, &name, Split::Test, |place, _| place % 3));
    }
    let lonely = sure(&mut story, "model without validation", Split::Test, |_, _| 1);
    drop(story);
    let weighed: Vec<String> =
        test.iter().zip(weights).map(|(test, weight)| format!("{test}={weight}")).collect();
    let mut arguments = vec!["ensemble", "--greedy", "--json", "--rule", "weighted"];
    arguments.extend(weighed.iter().map(String::as_str));
    let voted = bench.run(&arguments).expect(0).json();
    let chosen: Vec<&str> = voted["members"]
        .as_array()
        .expect("members")
        .iter()
        .filter_map(|it| it["predictions"].as_str())
        .collect();
    assert_eq!(voted["selection"]["accuracy"], json!(1.0), "{voted:#}");
    assert_eq!(chosen.len(), 3);
    assert!(chosen.contains(&test[2].as_str()) && chosen.contains(&test[3].as_str()));
    arguments[5..].reverse();
    let other = bench.run(&arguments).expect(0).json();
    assert_eq!(
        (&other["members"], &other["ties"]),
        (&voted["members"], &voted["ties"]),
        "order decides nothing"
    );

    arguments.push("--limit");
    arguments.push("1");
    let one = bench.run(&arguments).expect(0).json();
    assert_eq!(one["members"].as_array().map(Vec::len), Some(1));
    bench.run(["ensemble", "--greedy", &test[0], &lonely]).expect(4).says("--split valid").says(&lonely[..8]);
    bench.run(["ensemble", "--greedy", "--validation", "train", &test[0]]).expect(4);
    bench.run(["ensemble", &test[0], "--limit", "2"]).expect(2);
    bench.run(["ensemble", &test[0], &test[0]]).expect(4).says("twice");
    bench.run(["ensemble", &test[0], "ffffffff"]).expect(4).says("no set of predictions");
}

#[test]
fn members_that_learned_from_each_others_validation_images_are_named() {
    let (bench, mut story) = story();
    let fold = |story: &mut Story, fold: u8| {
        let text = format!(
            "batch = 4\nvalidation = {{ fold = {fold}, folds = 3 }}\n[[stage]]\nsize = 32\nepochs = 1\n"
        );
        let recipe = safelight::train::recipe::Recipe::parse(&text).expect("a recipe");
        let (run, plan) = story.start(&recipe, None);
        let checkpoint = story.save(run, &plan, 0);
        story.predict(checkpoint, Split::Valid, ViewPolicy::Plain);
        story.predict(checkpoint, Split::Train, ViewPolicy::Plain);
        story.predict(checkpoint, Split::Test, ViewPolicy::Plain).to_string()
    };
    let (one, other) = (fold(&mut story, 0), fold(&mut story, 1));
    let (_, same) = story.train("seed = 4", None);
    let first = story.predict(same[0], Split::Test, ViewPolicy::Plain).to_string();
    let second = story.predict(same[1], Split::Test, ViewPolicy::Plain).to_string();
    drop(story);
    bench.run(["ensemble", &one, &other]).expect(0).says("learned from 8 of the 8 images that validated");
    let leaks = bench.run(["ensemble", &one, &other, "--json"]).expect(0).json()["leaks"].clone();
    assert_eq!(leaks.as_array().map(Vec::len), Some(2), "{leaks:#}");
    let fine = bench.run(["ensemble", &first, &second]).expect(0);
    assert!(!fine.stderr.contains("warning"), "{}", fine.stderr);
    // Chosen by the valid split, which none of them learned from; of the train
    // split only the fold that neither learned from is left, and there is none.
    bench.run(["ensemble", "--greedy", &one, &other]).expect(0).says("choosing by 6 labelled images");
    let train = bench.run(["ensemble", "--greedy", "--validation", "train", &one, &other]);
    train.expect(4).says("learned from");
}

#[test]
fn a_tie_among_all_classes_falls_by_seed_and_image() {
    let (bench, mut story) = story();
    let members: Vec<String> = (0..3)
        .map(|class| sure(&mut story, &format!("always {class}"), Split::Test, move |_, _| class))
        .collect();
    drop(story);
    let csv = |seed: &str, order: [usize; 3], rule: &str| {
        let members = order.map(|place| members[place].as_str());
        let arguments =
            ["ensemble", members[0], members[1], members[2], "--tie-seed", seed, "--rule", rule, "--json"];
        let voted = bench.run(arguments).expect(0).json();
        assert_eq!(voted["ties"], json!(12), "every image is a tie");
        let id = voted["ensemble"].as_str().expect("an id").to_owned();
        bench.run(["submit", &id, "--output", "s.csv", "--force"]).expect(0);
        fs::read_to_string(bench.path("repo/s.csv")).expect("a file")
    };
    let one = csv("1", [0, 1, 2], "majority");
    assert_eq!(one, csv("1", [2, 0, 1], "majority"));
    assert_eq!(one, csv("1", [1, 2, 0], "soft"), "the tie is broken alike");
    assert_ne!(one, csv("2", [0, 1, 2], "majority"));
    for class in CLASSES {
        assert!(one.contains(&format!(",{class}\n")), "{one}");
    }
}

#[test]
fn a_sample_from_elsewhere_is_followed_or_refused_with_reasons() {
    let (bench, mut story) = story();
    let id = sure(&mut story, "model", Split::Test, |place, _| place % 3);
    drop(story);
    let names: Vec<String> = (200..212).rev().map(|number| format!("{number}")).collect();
    let sample = |end: &str, separator: &str, label: &str| {
        let rows: String = names.iter().map(|name| format!("{label}{separator}{name}{end}")).collect();
        format!("class{separator}id{end}{rows}")
    };
    let submit = |text: &[u8]| {
        bench.write("repo/sample.csv", text);
        bench.run(["submit", &id, "--like", "sample.csv", "--output", "s.csv", "--force", "--json"])
    };
    let semicolons = format!("\u{feff}{}", sample("\r\n", ";", "0"));
    let done = submit(semicolons.as_bytes()).expect(0).json();
    let written = fs::read_to_string(bench.path("repo/s.csv")).expect("a file");
    assert!(written.starts_with("\u{feff}class;id\r\n") && written.ends_with(";200\r\n"), "{written:?}");
    assert_eq!(written.matches("\r\n").count(), 13);
    assert!(
        written.lines().skip(1).zip(&names).all(|(line, name)| line.ends_with(&format!(";{name}"))),
        "order kept"
    );
    bench.run(["replay", done["submission"].as_str().expect("an id")]).expect(0).says("IDENTICAL");
    submit(sample("\n", "\t", "sea").as_bytes()).expect(0);
    let written = fs::read_to_string(bench.path("repo/s.csv")).expect("a file");
    assert!(written.starts_with("class\tid\n") && !written.contains('\r'));

    let refused = |text: &str, words: &str| {
        let before = bench.run(["status", "--json"]).expect(0).json()["seq"].clone();
        submit(text.as_bytes()).expect(4).says(words);
        assert_eq!(bench.run(["status", "--json"]).expect(0).json()["seq"], before, "nothing is recorded");
    };
    let good = sample("\n", ",", "sea");
    refused(&format!("{good}sea,205\n"), "twice, '205'");
    refused(&good.replace("sea,205\n", ""), "lacks 1 images and names 0");
    refused(&good.replace("sea,205\n", "sea,999\n"), "lacks 1 images and names 1");
    refused(&good.replace("sea,205\n", "lake,205\n"), "'lake' is neither the name of a class nor its number");
    refused(&good.replace("sea,205\n", "SEA,205\n"), "'SEA' is neither");
    refused(&sample("\n", ",", "3"), "'3' is neither");
    refused("class,id\n", "names no images");
    refused("class,id,more\nsea,205,1\n", "3 columns");
    refused("", "columns");
}
