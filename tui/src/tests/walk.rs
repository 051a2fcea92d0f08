//! Walking along what was made of what.

use crate::lineage_graph::Thing;
use crate::overlay::Overlay;
use crate::screen::Screen;
use crate::testing::dump;
use crate::testing::stage::Stage;
use crate::walk::Side;

fn here(stage: &Stage) -> Thing {
    match &stage.model.overlay {
        Some(Overlay::Lineage(walk)) => walk.here,
        other => panic!("no walk: {other:?}"),
    }
}

#[test]
fn from_a_submission_to_the_dataset_and_back() {
    let mut stage = Stage::new(120, 40);
    stage.press("7 L");
    assert!(matches!(here(&stage), Thing::Submission(_)));
    stage.press("Left");
    assert!(matches!(here(&stage), Thing::Ensemble(_)));
    stage.press("j h");
    let Thing::Predictions(predictions) = here(&stage) else { panic!("predictions") };
    assert_eq!(predictions.0[0], 0x42, "the second member");
    stage.press("Left");
    assert!(matches!(here(&stage), Thing::Checkpoint(_)));
    stage.press("Left Left");
    assert!(matches!(here(&stage), Thing::Run(_)), "past the stage before");
    stage.press("Left");
    assert!(matches!(here(&stage), Thing::Dataset(_)));
    stage.press("Left");
    assert_eq!(stage.notice(), "it was made of nothing else");
    stage.press("Right");
    assert!(matches!(here(&stage), Thing::Run(_)), "what it came from is selected");
    stage.press("l");
    assert!(matches!(here(&stage), Thing::Checkpoint(_)));
    stage.press("Backspace Backspace");
    assert!(matches!(here(&stage), Thing::Dataset(_)));
    stage.press("Esc");
    assert_eq!(stage.model.overlay, None);
}

#[test]
fn a_walk_ends_on_the_screen_of_what_it_reached() {
    for (keys, screen) in [
        ("7 L Left Enter", Screen::Ensembles),
        ("7 L Enter", Screen::Submissions),
        ("4 L Enter", Screen::Training),
        ("3 L Enter", Screen::Review),
        ("7 L Left Left Enter", Screen::Timeline),
        ("5 L Enter", Screen::Generators),
    ] {
        let mut stage = Stage::new(120, 40);
        stage.press(keys);
        assert_eq!((stage.model.screen, &stage.model.overlay), (screen, &None), "after {keys}");
    }
}

#[test]
fn the_other_side_can_be_looked_at() {
    let mut stage = Stage::new(120, 40);
    stage.press("6 L Tab");
    assert!(matches!(&stage.model.overlay, Some(Overlay::Lineage(walk)) if walk.side == Side::After));
    let text = dump::text(&stage.model);
    for words in ["made of", "made into", "ensemble 51515151", "predictions 41414141", "submission 71717171"]
    {
        assert!(text.contains(words), "{words} is not in:\n{text}");
    }
}

#[test]
fn before_anything_was_made_there_is_nothing_to_walk() {
    let mut stage = Stage::with(crate::testing::history::Log::with_images(10), 120, 40);
    stage.press("2 L");
    assert_eq!(stage.notice(), "nothing was made of this dataset yet");
}
