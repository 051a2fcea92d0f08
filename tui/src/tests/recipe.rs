//! Filling in a recipe and training by it.

use ratatui::layout::Size;
use safelight_lineage::digest::BlobId;
use safelight_lineage::event::WeightsAdded;
use safelight_lineage::id::{RunId, WeightsId};

use crate::msg::Msg;
use crate::overlay::Overlay;
use crate::ports::JobRequest;
use crate::recipe_form::{Page, RecipeForm};
use crate::screen::Screen;
use crate::testing::dump;
use crate::testing::history::{Log, ada, blob};
use crate::testing::recipes::fields;
use crate::testing::stage::Stage;

fn training(width: u16, height: u16) -> Stage {
    let mut stage = Stage::new(width, height);
    stage.press("4");
    stage
}

fn form(stage: &Stage) -> &RecipeForm {
    match &stage.model.overlay {
        Some(Overlay::Recipe(form)) => form,
        other => panic!("no form is open but {other:?}"),
    }
}

/// Goes to the row with this label, of the last stage that has it.
fn go(stage: &mut Stage, key: &str) {
    let recipes = stage.model.recipes.clone().expect("rules");
    let rows = form(stage).rows(&*recipes, stage.model.newest());
    let place = rows.iter().position(|row| row.key == key).unwrap_or_else(|| panic!("no row {key}"));
    stage.press("Home");
    (0..place).for_each(|_| stage.press("Down"));
}

#[test]
fn a_recipe_like_that_of_the_selected_run_is_filled_in_and_trained() {
    let mut stage = training(80, 24);
    stage.press("j T");
    assert_eq!(form(&stage).like, Some(RunId([2; 16])), "the second from the newest");
    assert_eq!(form(&stage).fields, fields(2));
    // It began from a checkpoint, and so does this.
    let from = form(&stage).from.expect("a checkpoint").to_string();
    go(&mut stage, "seed");
    stage.type_in("41");
    stage.press("Backspace");
    stage.type_in("2");
    go(&mut stage, "architecture");
    stage.press("Right Left Right");
    go(&mut stage, "stage[1].epochs");
    stage.type_in("7");
    assert!(stage.started.is_empty(), "nothing starts by itself");
    stage.press("Enter");
    assert!(stage.model.overlay.is_none(), "{}", dump::text(&stage.model));
    let mut wanted = fields(2);
    for (key, value) in [("seed", "42"), ("architecture", "resnet50"), ("stage[1].epochs", "7")] {
        wanted.insert(key.into(), value.into());
    }
    let toml: String = wanted.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
    let request = JobRequest::TrainRecipe { toml, device: "auto".into(), from: Some(from.clone()) };
    assert_eq!(request.arguments(), ["train", "recipe.toml", "--device", "auto", "--from", &from]);
    assert_eq!(stage.started, [request]);
}

#[test]
fn what_is_wrong_is_said_at_the_field_and_nothing_starts() {
    let mut stage = training(80, 24);
    stage.press("T");
    go(&mut stage, "mixup");
    stage.type_in("11");
    let shown = dump::text(&stage.model);
    let line = shown.lines().find(|line| line.contains("mixup")).expect("a row");
    assert!(line.contains("11") && line.contains("must be between 0 and 10"), "{shown}");
    go(&mut stage, "device");
    stage.type_in("gpu");
    stage.press("Home Enter");
    assert!(stage.started.is_empty());
    assert_eq!(stage.notice(), "not started: 2 fields are wrong");
    let recipes = stage.model.recipes.clone().expect("rules");
    let rows = form(&stage).rows(&*recipes, stage.model.newest());
    assert_eq!(rows[form(&stage).selected].key, "mixup", "the first of them is gone to");
    assert!(dump::text(&stage.model).contains("not started: 2 fields are wrong"));
    stage.press("C-s");
    assert_eq!(stage.notice(), "not saved: 2 fields are wrong");
    stage.type_in("0.4");
    go(&mut stage, "device");
    stage.press("C-u");
    stage.type_in("cpu");
    stage.press("Enter");
    assert!(matches!(&stage.started[..], [JobRequest::TrainRecipe { device, .. }] if device == "cpu"));
    // The device is remembered for the next.
    stage.press("T");
    assert_eq!(form(&stage).device, "cpu");
}

#[test]
fn stages_come_and_go_and_what_belongs_to_a_choice_goes_with_it() {
    let mut stage = training(80, 24);
    stage.press("T");
    let sizes = |stage: &Stage| -> Vec<String> {
        (0..form(stage).stages()).map(|nth| form(stage).value(&format!("stage[{nth}].size"))).collect()
    };
    go(&mut stage, "stage[0].size");
    stage.press("C-a");
    assert_eq!(sizes(&stage), ["64", "64", "128"], "a copy after the selected one");
    stage.type_in("96");
    assert_eq!(sizes(&stage), ["64", "96", "128"], "the new one is selected");
    stage.press("C-a C-x C-x");
    assert_eq!(sizes(&stage), ["64", "96"], "the next one takes the place of one that goes");
    stage.press("C-x C-x C-x");
    assert_eq!(sizes(&stage).len(), 1);
    assert_eq!(stage.notice(), "a recipe has one stage at least");
    stage.press("Home C-x");
    assert_eq!(stage.notice(), "select a stage to take it away");
    assert!(form(&stage).fields.contains_key("augmentation.rotate"));
    go(&mut stage, "augmentation.preset");
    stage.press("Space");
    assert!(!form(&stage).fields.contains_key("augmentation.rotate"), "it was fastai's");
    stage.press("Space");
    assert_eq!(form(&stage).value("augmentation.rotate"), "10.0", "and comes back with it");
    go(&mut stage, "stage[0].schedule");
    stage.press("Right");
    assert_eq!(form(&stage).value("stage[0].epochs"), "", "as long as its cycles");
    assert!(!form(&stage).fields.contains_key("stage[0].rise"));
    go(&mut stage, "validation");
    stage.press("Right Right");
    assert_eq!(form(&stage).value("validation.split"), "test");
    assert!(!form(&stage).fields.contains_key("validation.fraction"));
    stage.press("Right");
    assert_eq!(form(&stage).value("validation.fraction"), "0.2");
}

#[test]
fn weights_are_chosen_from_those_of_the_log_and_must_fit() {
    let mut stage = training(120, 40);
    let weights = WeightsId([9; 16]);
    let added = WeightsAdded {
        weights,
        name: "places\x1b[2J".into(),
        architecture: "resnet50".into(),
        original: blob("original"),
        original_sha256: [0; 32],
        tensors: BlobId([4; 32]),
    };
    stage.log.commit(ada(), None, vec![added.into()]);
    stage.look();
    stage.press("T");
    assert_eq!(form(&stage).from, None, "the newest run began with fresh weights");
    go(&mut stage, "weights");
    assert!(dump::text(&stage.model).contains("fresh ones"));
    stage.press("Right");
    let shown = dump::text(&stage.model);
    assert!(shown.contains("places\\u{1b}[2J for resnet50"), "{shown}");
    assert_eq!(form(&stage).fault("weights"), Some("must be for this network; they are for resnet50"));
    go(&mut stage, "architecture");
    stage.press("Right Enter");
    let [JobRequest::TrainRecipe { toml, from: None, .. }] = &stage.started[..] else {
        panic!("{:?}", stage.started)
    };
    assert!(toml.contains(&format!("weights = {weights}")), "{toml}");
}

#[test]
fn the_toml_and_its_command_are_shown_and_saved() {
    let mut stage = training(80, 24);
    stage.press("T C-t");
    let shown = dump::text(&stage.model);
    assert!(shown.contains("safelight jobs start -- train recipe.toml --device auto"), "{shown}");
    assert!(shown.contains("architecture = resnet18"), "{shown}");
    stage.press("j Esc");
    assert_eq!(form(&stage).page, Page::Fields, "one step back");
    for name in ["mine.toml", "mine.toml", "other.toml"] {
        stage.press("C-s Enter");
        assert_eq!(form(&stage).page, Page::Saving(String::new()), "without a name nothing happens");
        stage.tell(Msg::Paste(name.into()));
        stage.press("Enter");
    }
    let names: Vec<&str> = stage.saved.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["mine.toml", "other.toml"], "a file that is there stays");
    assert_eq!(stage.notice(), "saved as other.toml");
    assert_eq!(stage.saved[0].1, form(&stage).checked.toml);
    stage.press("C-s x Esc Esc");
    assert!(stage.model.overlay.is_none() && stage.started.is_empty());
}

#[test]
fn it_begins_with_the_defaults_where_there_is_no_run_and_on_request() {
    let mut stage = Stage::with(Log::with_images(5), 80, 24);
    stage.press("4 T");
    assert_eq!((form(&stage).like, &form(&stage).fields), (None, &fields(1)));
    let mut stage = training(80, 24);
    stage.press("T C-d");
    assert_eq!((form(&stage).like, &form(&stage).fields), (None, &fields(1)));
    // While its recipe is being read there is nothing to begin as.
    let mut stage = Stage::new(80, 24);
    stage.answering = false;
    stage.press("4 T");
    assert!(
        stage.model.overlay.is_none() && stage.notice().contains("reading the recipe"),
        "{}",
        stage.notice()
    );
    stage.model.recipes = None;
    stage.press("T");
    assert_eq!(stage.notice(), "this program was started without the rules of recipes");
    stage.model.abilities.jobs = false;
    stage.press("T");
    assert!(stage.notice().contains("without the means to run jobs"));
}

#[test]
fn it_is_filled_in_on_the_smallest_terminal() {
    for (width, height) in [(1, 1), (20, 5), (23, 7), (24, 8), (200, 60)] {
        let mut stage = training(80, 24);
        stage.press("T");
        stage.tell(Msg::Resize(Size { width, height }));
        for _ in 0..25 {
            stage.press("Down Right x C-a");
            dump::text(&stage.model);
        }
        stage.press("C-t PageDown PageDown PageDown");
        dump::text(&stage.model);
        stage.press("Esc C-s");
    }
    let mut stage = training(20, 5);
    stage.press("T");
    go(&mut stage, "stage[1].size");
    stage.type_in("9");
    let shown = dump::text(&stage.model);
    assert!(shown.contains("size") && shown.contains("must be between 32"), "{shown}");
    assert_eq!(stage.model.screen, Screen::Training);
}
