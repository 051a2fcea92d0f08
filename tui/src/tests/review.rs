//! Deciding findings.

use safelight_lineage::event::Decision;
use safelight_lineage::value::ClassIndex;

use crate::confirmation::pictured;
use crate::msg::Msg;
use crate::testing::history::{self, PASS};
use crate::testing::stage::Stage;

fn review() -> Stage {
    let mut stage = Stage::new(120, 40);
    stage.press("3");
    stage
}

fn decided(stage: &Stage, row: usize) -> Option<Decision> {
    stage.log.state.review(PASS, history::image(&stage.log.state, row))
}

fn at(stage: &Stage) -> usize {
    stage.model.review.cursor.selected
}

#[test]
fn it_goes_on_where_it_was_left() {
    assert_eq!(at(&review()), 2, "the first two are decided");
}

#[test]
fn one_key_decides_and_advances() {
    let mut stage = review();
    stage.press("a");
    assert_eq!((decided(&stage, 22), at(&stage)), (Some(Decision::Kept), 3));
    stage.press("s");
    assert_eq!(decided(&stage, 23), Some(Decision::Relabelled { label: ClassIndex(3) }));
    assert_eq!(stage.log.state.image_at(23).expect("it").label, Some(ClassIndex(3)));
    stage.press("Space");
    assert_eq!(decided(&stage, 24), Some(Decision::Skipped));
    stage.press("s");
    assert_eq!(stage.notice(), "the rule suggests no label");
    stage.press("x a");
    assert_eq!(decided(&stage, 25), Some(Decision::Removed));
    assert!(stage.log.state.image_at(25).expect("it").removed);
    assert_eq!(stage.notice(), "every finding of this pass is decided");
}

#[test]
fn digits_are_labels_and_r_finds_them_by_name() {
    let mut stage = review();
    stage.press("4");
    assert_eq!(decided(&stage, 22), Some(Decision::Relabelled { label: ClassIndex(4) }));
    stage.press("9");
    assert_eq!(stage.notice(), "there is no label 9");
    stage.press("r");
    stage.type_in("forest");
    stage.press("Enter");
    assert_eq!(decided(&stage, 23), Some(Decision::Relabelled { label: ClassIndex(1) }));
}

#[test]
fn undo_jumps_back_to_the_image() {
    let mut stage = review();
    stage.press("a s u");
    assert_eq!((decided(&stage, 23), at(&stage)), (None, 3));
    stage.press("u");
    assert_eq!((decided(&stage, 22), at(&stage)), (None, 2));
    stage.press("u u");
    assert_eq!((decided(&stage, 20), at(&stage)), (None, 0), "those of an earlier time too");
}

#[test]
fn near_duplicates_are_decided_together() {
    let mut stage = review();
    stage.press("*");
    assert_eq!(stage.notice(), "no image is nearly the same as this");
    let frames = stage.log.frames.len();
    stage.press("j * x d");
    assert_eq!(stage.log.frames.len(), frames + 1, "one frame for all");
    for row in [23, 30, 31] {
        assert!(stage.log.state.image_at(row).expect("it").removed, "{row}");
    }
}

#[test]
fn a_range_is_decided_after_a_question_and_taken_back_with_one_key() {
    let mut stage = review();
    let frames = stage.log.frames.len();
    stage.press("v j j a");
    assert!(format!("{:?}", stage.model.overlay).contains("Keep 3 images?"));
    assert_eq!(stage.log.frames.len(), frames);
    stage.press("y");
    assert_eq!(stage.log.frames.len(), frames + 1, "one frame for all");
    for row in 22..25 {
        assert_eq!(decided(&stage, row), Some(Decision::Kept), "{row}");
    }
    assert_eq!((at(&stage), stage.model.review.range), (5, None));
    stage.press("u");
    assert!((22..25).all(|row| decided(&stage, row).is_none()));
    stage.press("v Esc a");
    assert_eq!(stage.model.overlay, None, "the range was given up");
}

#[test]
fn suggestions_of_a_range_are_each_their_own() {
    let mut stage = review();
    stage.press("v G s");
    let question = format!("{:?}", stage.model.overlay);
    assert!(question.contains("Take the suggested label of 3 images? 1 of the range have no"), "{question}");
    stage.press("y");
    assert_eq!(decided(&stage, 24), Some(Decision::Relabelled { label: ClassIndex(3) }));
    assert_eq!(decided(&stage, 25), None);
}

#[test]
fn exemplars_of_both_labels_stand_beside_the_picture() {
    let stage = review();
    let galleries = crate::tiles::galleries(&stage.model);
    let titles: Vec<String> = galleries.iter().filter_map(|part| Some(part.title.clone()?.1)).collect();
    assert_eq!(titles, ["mountain · now", "sea · suggested"]);
    for (gallery, label) in galleries.iter().zip([2, 3]) {
        assert!(!gallery.tiles.is_empty());
        for tile in &gallery.tiles {
            let image = stage.model.state().image(tile.image).expect("an image");
            assert_eq!((image.label, image.present), (Some(ClassIndex(label)), true));
            assert!(stage.model.pictures.get(tile.key()).is_some(), "its picture was asked for");
        }
    }
}

#[test]
fn a_key_before_the_picture_does_not_decide() {
    let mut stage = review();
    let frames = stage.log.frames.len();
    stage.answering = false;
    // So large a window has no picture yet.
    stage.tell(Msg::Resize(ratatui::layout::Size { width: 200, height: 60 }));
    stage.press("j a");
    assert_eq!(stage.notice(), "not yet: the picture is still on its way");
    assert_eq!(stage.log.frames.len(), frames);
    assert!(!stage.asked.iter().any(|cmd| matches!(cmd, crate::msg::Cmd::Execute(_))));
}

#[test]
fn a_decision_that_is_rejected_is_not_shown_as_made() {
    let mut stage = review();
    stage.answering = false;
    stage.press("a");
    let image = history::image(&stage.log.state, 22);
    assert_eq!(stage.model.decided(image), Some(Decision::Kept), "shown at once");
    stage.tell(Msg::Executed { frame: None, error: Some("no".into()) });
    assert_eq!(stage.model.decided(image), None);
    assert_eq!(stage.notice(), "no");
}

#[test]
fn progress_counts_what_changed_something() {
    let mut stage = review();
    stage.press("a");
    let progress = crate::progress::progress(&stage.model);
    assert_eq!((progress.done, progress.total), (3, 6));
    assert_eq!(progress.yield_of_last, Some(1.0 / 3.0));
    assert!(progress.per_minute.is_some_and(|rate| rate > 0.0));
}

#[test]
fn passes_take_turns() {
    let mut stage = review();
    let pass = safelight_lineage::id::PassId([0xc2; 16]);
    let record = stage.log.state.passes().last().expect("a pass").proposed.event.clone();
    let event = safelight_lineage::event::CleaningPassProposed { pass, ..record };
    stage.log.commit(history::ada(), None, vec![event.into()]);
    stage.look();
    assert_eq!(stage.model.pass(), Some(PASS), "the review stays with its pass");
    stage.press("p");
    assert_eq!(stage.model.pass(), Some(pass));
    assert_eq!(stage.model.findings().len(), 6, "its findings are read");
    stage.press("p");
    assert_eq!(stage.model.pass(), Some(PASS));
}

#[test]
fn a_question_about_several_images_shows_them() {
    let mut stage = review();
    stage.tell(Msg::Resize(ratatui::layout::Size { width: 120, height: 40 }));
    stage.press("v j j x d");
    let pictured = pictured(&stage.model).expect("pictures");
    assert_eq!((pictured.tiles.len(), pictured.more.as_str()), (3, ""));
    for tile in &pictured.tiles {
        assert!(matches!(stage.model.pictures.get(tile.key()), Some(crate::picture::Slot::Ready(_))));
        assert!(tile.words.as_ref().is_some_and(|(words, _)| words.ends_with("→ out")), "{tile:?}");
        assert!(pictured.window.contains(tile.area.as_position()), "{tile:?} in {:?}", pictured.window);
    }
    let asked: Vec<_> = pictured.tiles.iter().map(|tile| tile.image).collect();
    stage.press("y");
    for image in asked {
        assert_eq!(stage.model.decided(image), Some(Decision::Removed), "those that were shown");
    }
    // As many as fit, and how many more there are.
    let mut stage = Stage::new(60, 20);
    stage.press("2 v G r s e a Enter");
    let pictured = self::pictured(&stage.model).expect("pictures");
    let shown = pictured.tiles.len();
    assert!(shown > 4 && pictured.more == format!("and {} more  ", 44 - shown), "{pictured:?}");
    assert!(
        pictured.tiles.iter().all(|tile| tile.words.as_ref().is_some_and(|(words, _)| words.contains("sea")))
    );
    let text = crate::testing::dump::text(&stage.model);
    assert!(text.contains("Label 44 images as sea?") && text.contains("y yes"), "{text}");
    // Where there is no room, or no picture, the question stands alone.
    stage.tell(Msg::Resize(ratatui::layout::Size { width: 39, height: 20 }));
    assert!(self::pictured(&stage.model).is_none());
    stage.tell(Msg::Resize(ratatui::layout::Size { width: 60, height: 20 }));
    stage.model.abilities.pictures = false;
    assert!(self::pictured(&stage.model).is_none());
    assert!(crate::testing::dump::text(&stage.model).contains("Label 44 images as sea?"));
}
