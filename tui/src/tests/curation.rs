//! Changing images, and taking it back.

use safelight_lineage::event::Event;
use safelight_lineage::value::ClassIndex;

use crate::overlay::Overlay;
use crate::testing::history::{self, Log};
use crate::testing::stage::Stage;

fn images() -> Stage {
    let mut stage = Stage::with(Log::with_images(40), 120, 40);
    stage.press("2");
    stage
}

fn label(stage: &Stage, row: usize) -> Option<u16> {
    stage.log.state.image_at(row).expect("an image").label.map(|label| label.0)
}

fn removed(stage: &Stage) -> Vec<u32> {
    stage.log.state.images().filter(|image| image.removed).map(|image| image.row).collect()
}

#[test]
fn a_label_is_chosen_by_some_of_its_letters() {
    let mut stage = images();
    stage.press("r");
    stage.type_in("stre");
    stage.press("Enter");
    assert_eq!(label(&stage, 0), Some(4));
    stage.press("r Esc");
    assert_eq!(label(&stage, 0), Some(4));
    assert!(matches!(stage.log.frames.last().expect("one").events[..], [Event::ImageRelabelled(_)]));
}

#[test]
fn a_removal_asks_why_and_one_key_answers() {
    let mut stage = images();
    stage.press("x d");
    assert_eq!(removed(&stage), [0]);
    stage.press("j x /");
    stage.type_in("too dark");
    stage.press("Enter j x .");
    assert_eq!(removed(&stage), [0, 1, 2]);
    let reasons: Vec<&str> =
        stage.log.state.all_changes().map(|change| change.because.reason.as_str()).collect();
    assert_eq!(reasons, ["duplicate", "too dark", "too dark"]);
    stage.press("b");
    assert_eq!(removed(&stage), [0, 1]);
}

#[test]
fn several_images_are_changed_after_a_question() {
    let mut stage = images();
    stage.press("Space v j j v j Space x o");
    assert!(
        matches!(&stage.model.overlay, Some(Overlay::Confirm(confirm)) if confirm.question.contains("5 images"))
    );
    assert_eq!(removed(&stage), Vec::<u32>::new());
    stage.press("y");
    assert_eq!(removed(&stage), [0, 1, 2, 3, 4]);
    assert!(stage.model.images.picked.is_empty());
    assert_eq!(stage.log.frames.len(), 3, "one frame for all");
}

#[test]
fn escape_forgets_what_was_picked() {
    let mut stage = images();
    stage.press("Space Space v Esc x d");
    assert_eq!(removed(&stage), [2]);
}

#[test]
fn undo_goes_back_without_end_and_redo_forward_again() {
    let mut stage = images();
    stage.press("x d j x b j");
    stage.press("r");
    stage.type_in("sea");
    stage.press("Enter");
    assert_eq!((removed(&stage), label(&stage, 2)), (vec![0, 1], Some(3)));
    stage.press("u");
    assert_eq!((removed(&stage), label(&stage, 2)), (vec![0, 1], Some(2)));
    stage.press("Backspace");
    assert_eq!(removed(&stage), [0]);
    assert_eq!(stage.model.images.row, 1, "back at the image");
    stage.press("u");
    assert_eq!(removed(&stage), Vec::<u32>::new());
    stage.press("u");
    assert_eq!(stage.notice(), "there is no change of yours to take back");
    stage.press("U U U");
    assert_eq!((removed(&stage), label(&stage, 2)), (vec![0, 1], Some(3)));
    stage.press("U");
    assert_eq!(stage.notice(), "there is no undo of yours to take back");
    stage.press("u");
    assert_eq!(label(&stage, 2), Some(2), "an undo after a redo");
    stage.press("x d U");
    assert_eq!(stage.notice(), "there is no undo of yours to take back", "a new change ends redo");
}

#[test]
fn undo_leaves_the_changes_of_others_alone() {
    let mut stage = images();
    stage.press("x d");
    let other = safelight_lineage::event::Actor::Person { name: "bob".into() };
    let image = history::image(&stage.log.state, 5);
    let command = safelight_lineage::decide::Command::Relabel {
        images: vec![image],
        label: Some("sea".into()),
        reason: String::new(),
        evidence: Default::default(),
    };
    let events = safelight_lineage::decide::decide(&stage.log.state, command).expect("allowed");
    stage.log.commit(other, None, events);
    stage.look();
    assert_eq!(stage.model.state().image_at(5).expect("it").label, Some(ClassIndex(3)), "it is shown");
    stage.press("u");
    assert_eq!((removed(&stage), label(&stage, 5)), (vec![], Some(3)));
}

#[test]
fn undos_pressed_in_a_row_wait_for_the_log() {
    let mut stage = images();
    stage.press("x d j x d");
    stage.answering = false;
    stage.press("u u");
    let asked = std::mem::take(&mut stage.asked);
    let executed = asked.into_iter().filter(|cmd| matches!(cmd, crate::msg::Cmd::Execute(_)));
    let executed: Vec<_> = executed.collect();
    assert_eq!(executed.len(), 1, "the second waits");
    stage.answering = true;
    executed.into_iter().for_each(|cmd| stage.answer(cmd));
    assert_eq!(removed(&stage), Vec::<u32>::new(), "and then comes");
}

#[test]
fn a_frame_is_taken_back_on_the_timeline() {
    let mut stage = images();
    stage.press("x d 1 R n");
    assert_eq!(removed(&stage), [0]);
    stage.press("R y");
    assert_eq!(removed(&stage), Vec::<u32>::new());
}

#[test]
fn what_the_rules_reject_is_said() {
    let mut stage = images();
    stage.press("1 G R y");
    assert!(stage.notice().contains("cannot") || !stage.notice().is_empty(), "{}", stage.notice());
    assert_eq!(stage.log.frames.len(), 2);
    assert_eq!(stage.model.sent.pending, 0);
}

#[test]
fn without_the_means_nothing_is_changed() {
    let mut stage = images();
    stage.model.abilities.change = false;
    for keys in ["r", "x", "b", "u", "U"] {
        stage.press(keys);
        assert_eq!(stage.notice(), "this program was started to read only", "after {keys}");
    }
    assert_eq!(stage.log.frames.len(), 2);
}
