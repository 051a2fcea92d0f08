//! No input whatever makes it panic, at no size.

use proptest::prelude::*;
use ratatui::layout::Size;

use crate::action::BINDINGS;
use crate::key::Key;
use crate::msg::Msg;
use crate::testing::dump;
use crate::testing::stage::{Stage, jobs};

#[derive(Debug, Clone)]
enum Step {
    Key(Key),
    Paste(String),
    Resize(u16, u16),
    Wheel(isize),
    Click(u16, u16),
    Jobs,
    /// Answers stay away from here on, or come again.
    Answer(bool),
    Look,
}

fn key() -> impl Strategy<Value = Key> {
    let known: Vec<Key> = BINDINGS.iter().flat_map(|binding| binding.keys.iter().copied()).collect();
    prop_oneof![
        6 => proptest::sample::select(known),
        1 => any::<char>().prop_map(Key::char),
        2 => proptest::sample::select(vec!['y', 'n', 'd', '1', '0', ':']).prop_map(Key::char),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => key().prop_map(Step::Key),
        1 => ".{0,20}".prop_map(Step::Paste),
        2 => (1..130u16, 1..45u16).prop_map(|(width, height)| Step::Resize(width, height)),
        1 => (0..4u16, 0..4u16).prop_map(|(width, height)| Step::Resize(width, height)),
        1 => (-9..9isize).prop_map(Step::Wheel),
        1 => (0..130u16, 0..45u16).prop_map(|(x, y)| Step::Click(x, y)),
        1 => Just(Step::Jobs),
        1 => any::<bool>().prop_map(Step::Answer),
        1 => Just(Step::Look),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics(steps in proptest::collection::vec(step(), 1..60)) {
        let mut stage = Stage::new(80, 24);
        for step in steps {
            match step {
                Step::Key(key) => stage.tell(Msg::Key(key)),
                Step::Paste(text) => stage.tell(Msg::Paste(text)),
                Step::Resize(width, height) => stage.tell(Msg::Resize(Size { width, height })),
                Step::Wheel(rows) => stage.tell(Msg::Wheel(rows)),
                Step::Click(x, y) => stage.tell(Msg::Click(x, y)),
                Step::Jobs => stage.tell(Msg::Jobs(jobs())),
                Step::Answer(answering) => {
                    stage.answering = answering;
                    if answering {
                        for cmd in std::mem::take(&mut stage.asked) {
                            stage.answer(cmd);
                        }
                    }
                }
                Step::Look => stage.look(),
            }
            if stage.model.size.width > 0 && stage.model.size.height > 0 {
                let text = dump::text(&stage.model);
                let escape = '\u{1b}';
                prop_assert!(!text.contains(escape));
            }
            prop_assert_eq!(stage.log.state.anomalies().total(), 0);
        }
    }
}
