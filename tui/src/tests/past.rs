//! Going into the past.

use safelight_lineage::value::Seq;

use crate::msg::{Cmd, Msg};
use crate::screen::Screen;
use crate::testing::dump;
use crate::testing::stage::Stage;

fn at(stage: &Stage) -> Option<u64> {
    stage.model.past.as_ref().map(|past| past.seq.0)
}

#[test]
fn brackets_step_from_frame_to_frame() {
    let mut stage = Stage::new(120, 40);
    let ends: Vec<u64> = stage.log.frames.iter().rev().map(|frame| frame.last_seq().0).collect();
    stage.press("[");
    assert_eq!(at(&stage), Some(ends[1]));
    stage.press("[ [");
    assert_eq!(at(&stage), Some(ends[3]));
    stage.press("]");
    assert_eq!(at(&stage), Some(ends[2]));
    stage.press("] ]");
    assert_eq!(at(&stage), None, "the newest is the present");
    stage.press("]");
    assert_eq!(stage.notice(), "this is the present");
}

#[test]
fn a_seq_puts_every_screen_into_the_past() {
    let mut stage = Stage::new(120, 40);
    stage.press("g C-u");
    stage.type_in("41");
    stage.press("Enter");
    assert_eq!(at(&stage), Some(41));
    for screen in Screen::ALL {
        assert_eq!(stage.model.screen, screen);
        assert_eq!(stage.model.state().seq(), Seq(41));
        assert!(dump::text(&stage.model).contains("AS OF Seq 41 of"), "{screen:?} has no banner");
        stage.press("Tab");
    }
    stage.press("2");
    assert_eq!(stage.model.list_len(), 40);
    stage.press("5");
    assert_eq!(stage.model.list_len(), 0);
    stage.press("n");
    assert_eq!((at(&stage), stage.model.list_len()), (None, 1));
    stage.press("g");
    stage.type_in("many");
    stage.press("Enter");
    assert!(format!("{:?}", stage.model.overlay).contains("a Seq is a number"));
}

#[test]
fn before_everything_nothing_is_there() {
    let mut stage = Stage::new(120, 40);
    stage.press("g C-u 0 Enter");
    assert_eq!(stage.model.state().seq(), Seq(0));
    stage.press("[");
    assert_eq!(stage.notice(), "there is nothing before");
    stage.press("]");
    assert_eq!(at(&stage), Some(1));
}

#[test]
fn nothing_is_decided_in_the_past() {
    let mut stage = Stage::new(120, 40);
    let frames = stage.log.frames.len();
    stage.press("[ 2");
    for keys in ["r", "x", "b", "u", "U"] {
        stage.press(keys);
        assert_eq!(stage.notice(), "this is the past; press n for the present", "after {keys}");
    }
    stage.press("1 R");
    assert!(stage.model.overlay.is_none());
    stage.press("3 a");
    assert_eq!(stage.log.frames.len(), frames);
}

#[test]
fn a_question_asked_in_the_present_is_not_answered_in_the_past() {
    let mut stage = Stage::new(120, 40);
    let frames = stage.log.frames.len();
    stage.press("2 Space Space x d");
    stage.model.past =
        Some(crate::model::Past { seq: Seq(3), state: stage.model.newest().clone(), loading: false });
    stage.press("y");
    assert_eq!(stage.log.frames.len(), frames);
}

#[test]
fn only_the_past_asked_for_last_is_shown() {
    let mut stage = Stage::new(120, 40);
    stage.answering = false;
    stage.press("[ [");
    assert!(stage.model.past.as_ref().expect("past").loading);
    let asked = std::mem::take(&mut stage.asked);
    let pasts: Vec<Cmd> = asked.into_iter().filter(|cmd| matches!(cmd, Cmd::LoadPast(_))).collect();
    assert_eq!(pasts.len(), 2);
    let shown = stage.model.state().seq();
    for (cmd, loading) in pasts.into_iter().zip([true, false]) {
        stage.answer(cmd);
        assert_eq!(stage.model.past.as_ref().expect("past").loading, loading);
        assert_eq!(stage.model.state().seq() == shown, loading);
    }
}

#[test]
fn a_past_that_cannot_be_read_gives_the_present() {
    let mut stage = Stage::new(120, 40);
    stage.answering = false;
    stage.press("[");
    let seq = stage.model.past.as_ref().expect("past").seq;
    stage.tell(Msg::Past(seq, Err("a torn frame".into())));
    assert!(stage.model.past.is_none());
    assert_eq!(stage.notice(), "the past cannot be read: a torn frame");
}

#[test]
fn the_log_grows_unseen_while_the_past_is_shown() {
    let mut stage = Stage::new(120, 40);
    stage.press("[");
    let seq = at(&stage);
    let command = safelight_lineage::decide::Command::AddClasses { classes: vec!["lake".into()] };
    stage.log.run(command);
    stage.look();
    assert_eq!(at(&stage), seq);
    assert!(!stage.model.state().classes().contains(&"lake".to_owned()));
    stage.press("n");
    assert!(stage.model.state().classes().contains(&"lake".to_owned()));
}
