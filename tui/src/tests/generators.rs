//! Generators and their samples, from the keys.

use ratatui::layout::Size;
use safelight_lineage::decide::Command;
use safelight_lineage::digest::{BlobId, ManifestDigest};
use safelight_lineage::event::{Event, GeneratorTrained, Origin, RunStarted, SamplesGenerated};
use safelight_lineage::id::{GeneratorId, RunId, SamplesId};
use safelight_lineage::value::ClassIndex;

use crate::generators;
use crate::msg::Msg;
use crate::overlay::Overlay;
use crate::ports::{JobRequest, JobStatus, JobView, Judging};
use crate::screen::Screen;
use crate::testing::dump;
use crate::testing::generators::{UNFINISHED, job, unfinished};
use crate::testing::history::{ada, blob};
use crate::testing::stage::Stage;
use crate::wanted;

/// The generator and the samples of the made-up history.
const GENERATOR: &str = "61616161616161616161616161616161";
const SAMPLES: &str = "62626262626262626262626262626262";

fn on_generators(width: u16, height: u16) -> Stage {
    let mut stage = Stage::new(width, height);
    stage.press("5");
    assert_eq!(stage.model.screen, Screen::Generators);
    stage
}

/// A generator in training has made so many epochs.
fn train(stage: &mut Stage, epochs: u32, status: JobStatus) {
    stage.tell(Msg::Unfinished(vec![unfinished(epochs)]));
    stage.tell(Msg::Jobs(vec![job(epochs, status)]));
}

fn detail(stage: &Stage) -> String {
    crate::detail::lines(&stage.model).iter().map(|line| line.line.to_string() + "\n").collect()
}

fn question(stage: &Stage) -> String {
    match &stage.model.overlay {
        Some(Overlay::Confirm(confirm)) => confirm.question.clone(),
        other => panic!("no question: {other:?}"),
    }
}

/// Another generator gets into the log.
fn trained(stage: &mut Stage, generator: GeneratorId, class: Option<ClassIndex>, grids: Vec<BlobId>) {
    let trained = GeneratorTrained {
        generator,
        class,
        recipe: blob("gan"),
        manifest: ManifestDigest([8; 32]),
        at: stage.log.state.head(),
        weights: blob("gan weights"),
        metrics: blob("gan metrics"),
        environment: blob("environment"),
        grids,
    };
    stage.log.commit(ada(), None, vec![trained.into()]);
    stage.look();
}

/// Another batch of the same generator, not let in.
fn second_batch(stage: &mut Stage) {
    let drawn = SamplesGenerated {
        samples: SamplesId([0x6a; 16]),
        generator: GeneratorId([0x61; 16]),
        class: ClassIndex(3),
        seed: 8,
        blobs: (0..5).map(|n| blob(&format!("more {n}"))).collect(),
    };
    stage.log.commit(ada(), None, vec![drawn.into()]);
    stage.look();
}

#[test]
fn the_grid_is_walked_from_epoch_to_epoch() {
    let mut stage = on_generators(120, 40);
    let shown = |stage: &Stage| wanted::blob(&stage.model).expect("a grid").0[0];
    assert_eq!(shown(&stage), 0x9e, "the newest");
    assert!(detail(&stage).contains("drawn after epoch 12 of 12  , . other epochs"), "{}", detail(&stage));
    stage.press(", ,");
    assert_eq!(shown(&stage), 0x9c);
    assert!(detail(&stage).contains("drawn after epoch 10 of 12") && detail(&stage).contains("▸    10"));
    // The pictures around it are made ahead.
    let ahead: Vec<u8> = wanted::pictures(&stage.model).iter().map(|key| key.blob.0[0]).collect();
    assert_eq!(ahead, [0x9c, 0x9b, 0x9d, 0x9a, 0x9e, 0x99]);
    stage.press(". . .");
    assert_eq!((shown(&stage), stage.notice()), (0x9e, "this is the last epoch"));
    (0..12).for_each(|_| stage.press(","));
    assert_eq!((shown(&stage), stage.notice()), (0x93, "this is the first epoch"));
    stage.press("z");
    assert!(stage.model.zoomed);
    stage.press(".");
    assert_eq!(shown(&stage), 0x94, "zoomed, it is walked too");
    stage.press("Esc");
    assert!(!stage.model.zoomed);
}

#[test]
fn a_generator_in_training_is_seen_live_and_stays_selected_when_it_ends() {
    let mut stage = on_generators(120, 40);
    train(&mut stage, 3, JobStatus::Running);
    assert_eq!(generators::len(&stage.model), 2);
    let text = dump::text(&stage.model);
    assert!(text.contains("65656565 training 3/40 forest 7 min 11 s left"), "{text}");
    let shown = |stage: &Stage| wanted::blob(&stage.model).expect("a grid").0[0];
    assert_eq!(shown(&stage), 0x23);
    let told = detail(&stage);
    for words in
        ["learns      forest at 32 px", "8 %", "7 min 11 s left", "epoch 4 of 40", "critic distance  0.0100"]
    {
        assert!(told.contains(words), "{words} is not in\n{told}");
    }
    // The newest comes by itself; what was chosen stays.
    train(&mut stage, 4, JobStatus::Running);
    assert_eq!(shown(&stage), 0x24);
    stage.press(", ,");
    train(&mut stage, 6, JobStatus::Running);
    assert_eq!(shown(&stage), 0x22);
    stage.press("R");
    assert_eq!(stage.notice(), "it is in training");
    stage.press("d");
    assert!(stage.notice().contains("has not ended"), "{}", stage.notice());

    // The other one is selected and stays so, whatever comes before it.
    stage.press("j");
    stage.tell(Msg::Unfinished(vec![]));
    assert_eq!(stage.model.generators.selected, 0);
    assert!(detail(&stage).contains(GENERATOR));
    train(&mut stage, 6, JobStatus::Running);
    assert_eq!(stage.model.generators.selected, 1);
    // The one in training gets into the log before its files are gone.
    stage.press("k");
    trained(&mut stage, UNFINISHED, Some(ClassIndex(1)), vec![BlobId([0x21; 32])]);
    assert_eq!(generators::len(&stage.model), 2, "not twice");
    assert!(detail(&stage).contains(&UNFINISHED.to_string()));
    // In the past it was not in the log, and nobody knows whether it was in training.
    stage.press("[");
    assert_eq!(generators::len(&stage.model), 1);
}

#[test]
fn a_training_is_begun_stopped_and_gone_on_with() {
    let mut stage = on_generators(120, 40);
    stage.press("R");
    assert!(stage.notice().contains("has ended"), "{}", stage.notice());
    stage.press("X");
    assert_eq!(stage.notice(), "it is not in training");
    train(&mut stage, 3, JobStatus::Running);
    stage.press("X");
    assert!(question(&stage).contains("Stop training generator 65656565"));
    stage.press("y");
    assert_eq!(stage.cancelled, ["9"]);
    train(&mut stage, 3, JobStatus::Cancelled);
    assert!(detail(&stage).contains("stopped after epoch 3 of 40"), "{}", detail(&stage));
    stage.press("R");
    stage.press("t");
    stage.type_in("forest");
    stage.press("Enter Enter t");
    stage.type_in("all");
    stage.press("Enter");
    stage.type_in("gan.toml");
    stage.press("Enter");
    let wanted = [
        JobRequest::ResumeGenerator { generator: UNFINISHED.to_string() },
        JobRequest::TrainGenerator { recipe: None, class: Some("forest".into()) },
        JobRequest::TrainGenerator { recipe: Some("gan.toml".into()), class: None },
    ];
    assert_eq!(stage.started, wanted);
    assert_eq!(stage.started[1].arguments(), ["generate", "train", "--class=forest"]);
    assert_eq!(stage.started[2].arguments(), ["generate", "train", "--", "gan.toml"]);
    // Gone on with, it makes the last epoch anew: what was told last counts.
    let mut again = job(2, JobStatus::Running);
    again.id = "10".into();
    if let Some(live) = &mut again.generator {
        live.epochs.drain(..1);
        live.epochs[0].diversity = Some(0.125);
    }
    stage.tell(Msg::Jobs(vec![again, job(3, JobStatus::Cancelled)]));
    let row = generators::selected(&stage.model).expect("it");
    let epochs = generators::epochs(&stage.model, row);
    assert_eq!(epochs.iter().map(|epoch| epoch.epoch).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(epochs[1].diversity, Some(0.125));
}

#[test]
fn samples_are_drawn_with_a_new_seed() {
    let mut stage = on_generators(120, 40);
    stage.press("d");
    // Seed 7 was drawn already.
    assert!(matches!(&stage.model.overlay, Some(Overlay::Prompt(prompt)) if prompt.text == "100 8"));
    for (typed, complaint) in [("none", "how many"), ("0", "how many"), ("5 x", "a seed"), ("5 6 7", "only")]
    {
        stage.press("C-u");
        stage.type_in(typed);
        stage.press("Enter");
        let Some(Overlay::Prompt(prompt)) = &stage.model.overlay else { panic!("{typed} is accepted") };
        assert!(prompt.error.as_deref().is_some_and(|error| error.contains(complaint)), "{prompt:?}");
    }
    stage.press("C-u");
    stage.type_in("250 9");
    stage.press("Enter");
    let sample = |class: &str, count, seed| JobRequest::Sample {
        generator: GENERATOR.into(),
        class: class.into(),
        count,
        seed,
    };
    assert_eq!(stage.started, [sample("sea", 250, 9)]);
    assert_eq!(
        stage.started[0].arguments(),
        ["generate", "sample", GENERATOR, "--class=sea", "--number=250", "--seed=9"]
    );
}

#[test]
fn a_generator_of_all_classes_is_asked_for_one() {
    let mut stage = on_generators(120, 40);
    trained(&mut stage, GeneratorId([0x6b; 16]), None, Vec::new());
    stage.press("d");
    stage.type_in("street");
    stage.press("Enter Enter");
    let [JobRequest::Sample { class, count: 100, seed: 0, .. }] = &stage.started[..] else {
        panic!("{:?}", stage.started)
    };
    assert_eq!(class, "street");
    stage.press("a");
    assert!(stage.notice().contains("no samples were drawn yet"), "{}", stage.notice());
}

#[test]
fn samples_are_let_in_after_a_question_that_says_what_keeps_some_out() {
    let mut stage = on_generators(120, 40);
    let measured = JobView {
        id: "5".into(),
        title: format!("generate quality {}", &SAMPLES[..8]),
        status: JobStatus::Done,
        output: vec![
            "samples 62626262: 3 of sea".into(),
            "  diversity         0.82 of that of the real images".into(),
            "  copies            1 of training images".into(),
        ],
        ..job(0, JobStatus::Done)
    };
    let measured = JobView { generator: None, ..measured };
    stage.tell(Msg::Jobs(vec![measured]));
    stage.press("a u");
    let asked = question(&stage);
    for words in [
        "Admit 3 samples of sea, seed 7 into the training split? 3 of them are in",
        "real images of the class and 3 generated",
        "copies of training images stay out, and nothing goes in when they differ less than 0.3",
        "diversity 0.82 of that of the real images · copies 1 of training images",
    ] {
        assert!(asked.contains(words), "{words} is not in {asked}");
    }
    stage.press("n");
    assert!(stage.started.is_empty());
    stage.press("a n y a m a c");
    stage.press("C-u");
    stage.type_in("1.5");
    stage.press("Enter");
    let wrong = |stage: &Stage, words: &str| {
        let Some(Overlay::Prompt(prompt)) = &stage.model.overlay else { panic!("it is accepted") };
        assert!(prompt.error.as_deref().is_some_and(|error| error.contains(words)), "{prompt:?}");
    };
    wrong(&stage, "from 0 to 1");
    stage.press("C-u");
    stage.type_in("0.9 ffff");
    stage.press("Enter");
    wrong(&stage, "no checkpoint");
    stage.press("C-u");
    stage.type_in("0.9 1010");
    stage.press("Enter");
    assert!(question(&stage).contains("less than 0.9 for 10101010"), "{}", question(&stage));
    stage.press("y");
    let by = "10".repeat(16);
    let admit = |judging| JobRequest::Admit { samples: SAMPLES.into(), judging };
    let sure = Judging::Sure { least: "0.9".into(), by: Some(by.clone()) };
    let wanted = [admit(Judging::Newest), JobRequest::Quality { samples: SAMPLES.into() }, admit(sure)];
    assert_eq!(stage.started, wanted);
    assert_eq!(
        stage.started[2].arguments(),
        ["generate", "admit", SAMPLES, "--min-confidence", "0.9", "--by", &by]
    );
    let nobody = admit(Judging::Nobody).arguments();
    assert_eq!(nobody, ["generate", "admit", SAMPLES, "--unjudged"]);
}

#[test]
fn of_several_batches_one_is_chosen_or_the_one_under_the_cursor() {
    let mut stage = on_generators(120, 40);
    second_batch(&mut stage);
    stage.press("a");
    let Some(Overlay::Chooser(chooser)) = &stage.model.overlay else { panic!("a choice") };
    let texts: Vec<&str> = chooser.entries.iter().map(|entry| entry.text.as_str()).collect();
    assert_eq!(texts, ["5 samples of sea, seed 8", "3 samples of sea, seed 7"], "newest first");
    stage.press("Down Enter u");
    assert!(question(&stage).contains("seed 7"));
    stage.press("n Enter");
    let place = (0..200).find(|place| {
        crate::detail::batch_at(&stage.model, *place).is_some_and(|samples| samples.0[0] == 0x6a)
    });
    (0..place.expect("a line of the batch")).for_each(|_| stage.press("j"));
    stage.press("a u");
    assert!(question(&stage).contains("seed 8"), "{}", question(&stage));
}

#[test]
fn samples_are_expelled_after_a_question_that_names_who_learned_from_them() {
    let mut stage = on_generators(120, 40);
    let inside = |stage: &Stage| {
        let drawn = |image: &safelight_lineage::state::ImageView<'_>| {
            image.present && matches!(image.origin, Origin::Generated { .. })
        };
        stage.log.state.images().filter(drawn).count()
    };
    stage.press("x");
    assert!(question(&stage).starts_with("Take 3 images of 1 batch out"), "{}", question(&stage));
    assert!(question(&stage).contains("No run had them in its dataset."), "{}", question(&stage));
    stage.press("n");
    assert_eq!(inside(&stage), 3);
    let started = RunStarted {
        run: RunId([0xab; 16]),
        recipe: blob("recipe"),
        manifest: ManifestDigest([1; 32]),
        at: stage.log.state.head(),
        parent: None,
        environment: blob("environment"),
    };
    stage.log.commit(ada(), None, vec![started.into()]);
    stage.look();
    stage.press("x");
    assert!(question(&stage).contains("1 run had them in its dataset: abababab."), "{}", question(&stage));
    let pictured = crate::confirmation::pictured(&stage.model).expect("pictures of them");
    assert_eq!(pictured.tiles.len(), 3);
    stage.press("y");
    assert_eq!(inside(&stage), 0);
    let last = &stage.log.frames.last().expect("a frame").events;
    assert!(matches!(&last[..], [Event::SamplesExpelled(gone)] if gone.samples.to_string() == SAMPLES));
    stage.press("x");
    assert_eq!(stage.notice(), "none of these samples is in the dataset");
    stage.press("u");
    assert_eq!(inside(&stage), 3, "{}", stage.notice());
    stage.press("[ x");
    assert!(stage.notice().contains("this is the past"));
}

#[test]
fn all_that_a_generator_drew_is_expelled_as_one() {
    let mut stage = on_generators(120, 40);
    second_batch(&mut stage);
    let samples = SamplesId([0x6a; 16]);
    let images = vec![safelight_lineage::event::AdmittedImage {
        image: safelight_lineage::id::ImageId([0x70; 16]),
        blob: blob("more 0"),
    }];
    let admitted =
        safelight_lineage::event::SamplesAdmitted { samples, label: ClassIndex(3), images, quality: None };
    stage.log.run(Command::Record(Box::new(admitted.into())));
    stage.look();
    let frames = stage.log.frames.len();
    stage.press("x Enter");
    assert!(question(&stage).starts_with("Take 4 images of 2 batches out"), "{}", question(&stage));
    stage.press("y");
    assert_eq!(stage.log.frames.len(), frames + 1);
    assert_eq!(stage.log.frames.last().expect("a frame").events.len(), 2);
}

#[test]
fn what_was_measured_is_read_again_when_more_samples_are_let_in() {
    let mut stage = on_generators(120, 40);
    let told = detail(&stage);
    for words in [
        "samples of      drawn    let in   in now",
        "sea                 3         3        3",
        "Fréchet distance by epoch  10.0000",
        "generator loss",
        "diversity 0.82 · 1 copy",
        "62 % recognised by 21212121, let in from 0.8",
        "learned from       52 images",
    ] {
        assert!(told.contains(words), "{words} is not in\n{told}");
    }
    stage.answering = false;
    stage.press("4 5");
    let reads = |stage: &Stage| {
        stage.asked.iter().filter(|cmd| matches!(cmd, crate::msg::Cmd::LoadGenerator(..))).count()
    };
    assert_eq!(reads(&stage), 0, "it was read");
    second_batch(&mut stage);
    assert_eq!(reads(&stage), 0, "drawing measures nothing");
    let images = vec![safelight_lineage::event::AdmittedImage {
        image: safelight_lineage::id::ImageId([0x70; 16]),
        blob: blob("more 0"),
    }];
    let admitted = safelight_lineage::event::SamplesAdmitted {
        samples: SamplesId([0x6a; 16]),
        label: ClassIndex(3),
        images,
        quality: None,
    };
    stage.log.run(Command::Record(Box::new(admitted.into())));
    stage.look();
    assert_eq!(reads(&stage), 1);
    stage.model.generator_views.read.insert(GeneratorId([0x61; 16]), Err("damaged\x1b[2J".into()));
    assert!(detail(&stage).contains("damaged") && !detail(&stage).contains('\x1b'));
}

#[test]
fn a_walk_leads_to_a_generator_and_from_it() {
    let mut stage = on_generators(120, 40);
    train(&mut stage, 3, JobStatus::Running);
    stage.press("j L");
    let Some(Overlay::Lineage(walk)) = &stage.model.overlay else { panic!("a walk") };
    assert!(matches!(walk.here, crate::lineage_graph::Thing::Generator(_)));
    stage.press("Enter");
    assert_eq!((stage.model.screen, stage.model.generators.selected), (Screen::Generators, 1));
}

#[test]
fn the_command_line_says_the_same() {
    let mut stage = on_generators(120, 40);
    let lines = crate::command_line::lines(&stage.model);
    for line in [
        "safelight generate show 61616161",
        "safelight audit generator 61616161",
        "safelight jobs start -- generate sample 61616161 --class=sea --number=100 --seed=0",
        "safelight generate quality 62626262",
        "safelight jobs start -- generate admit 62626262 --min-confidence 0.8",
        "safelight generate expel 62626262",
        "safelight generate expel 61616161",
        "safelight jobs start -- generate train --class=CLASS -- RECIPE.toml",
    ] {
        assert!(lines.iter().any(|other| other == line), "{line} is not in {lines:#?}");
    }
    train(&mut stage, 3, JobStatus::Cancelled);
    let lines = crate::command_line::lines(&stage.model);
    assert!(lines.contains(&"safelight jobs start -- generate train --resume 65656565".to_owned()));
}

#[test]
fn what_generators_look_like_at_every_size() {
    for (width, height) in [(20, 5), (80, 24), (120, 40), (200, 60)] {
        let mut stage = on_generators(width, height);
        train(&mut stage, 3, JobStatus::Running);
        super::screens::snapshot(&format!("generators-training-{width}x{height}"), &stage);
        // The samples, below the curves.
        stage.press("j Enter");
        let lines = crate::detail::lines(&stage.model).len();
        let batch = (0..lines).find(|place| crate::detail::batch_at(&stage.model, *place).is_some());
        (0..batch.expect("a batch") + 5).for_each(|_| stage.press("j"));
        super::screens::snapshot(&format!("generators-samples-{width}x{height}"), &stage);
        stage.tell(Msg::Resize(Size { width, height }));
        stage.press("a");
        super::screens::snapshot(&format!("generators-admit-{width}x{height}"), &stage);
    }
}
