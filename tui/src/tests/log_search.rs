//! The filter of the timeline: words of every event of the log.

use safelight_lineage::value::Seq;

use crate::msg::{Cmd, Msg};
use crate::testing::dump;
use crate::testing::history::log;
use crate::testing::stage::Stage;

/// A short terminal: the oldest frames were never read.
fn stage() -> Stage {
    let mut stage = Stage::with(log(), 80, 9);
    stage.answering = false;
    stage.asked.clear();
    stage.press("/");
    stage.type_in("a road by the SEA");
    stage.press("Enter");
    stage
}

fn asked(stage: &Stage) -> Vec<(u64, Seq, Seq)> {
    let of = |cmd: &Cmd| match cmd {
        Cmd::SearchLog { generation, wanted, newest, after } => {
            assert_eq!(wanted, "a road by the sea");
            Some((*generation, *newest, *after))
        }
        _ => None,
    };
    stage.asked.iter().filter_map(of).collect()
}

#[test]
fn words_of_frames_that_were_never_read_are_found_in_the_background() {
    let mut stage = stage();
    let newest = stage.model.state().seq();
    let searches = asked(&stage);
    let [(generation, from, Seq::ZERO)] = searches[..] else { panic!("{searches:?}") };
    assert_eq!((from, stage.model.timeline_len()), (newest, 0));
    assert!(dump::text(&stage.model).contains("looking …"));
    let frame = stage.log.frames[3].header.first_seq;
    let told = |found: &[u64], down_to, generation| Msg::LogSearched {
        generation,
        found: found.iter().map(|seq| Seq(*seq)).collect(),
        down_to: Seq(down_to),
        error: None,
    };
    stage.tell(told(&[1], 2, generation - 1));
    assert_eq!(stage.model.timeline_len(), 0, "what an older search found is of no use");
    stage.tell(told(&[frame.0], newest.0 / 2, generation));
    assert_eq!(stage.model.timeline_len(), 1);
    assert!(dump::text(&stage.model).contains("looking, 51 %"), "{}", dump::text(&stage.model));
    // The log grows meanwhile: the search goes on, and then looks at what came.
    stage.log.run(safelight_lineage::decide::Command::AddClasses { classes: vec!["lake".into()] });
    stage.look();
    assert_eq!(asked(&stage).len(), 1);
    stage.tell(told(&[], 0, generation));
    let searches = asked(&stage);
    assert_eq!(searches[1..], [(generation + 1, stage.model.state().seq(), newest)]);
    stage.tell(told(&[], newest.0, generation + 1));
    assert_eq!(stage.model.timeline_len(), 1, "what was found stays");
    assert!(!dump::text(&stage.model).contains("looking"));
    assert_eq!(asked(&stage).len(), 2, "nothing is looked through twice");
}

#[test]
fn a_search_that_fails_says_so_and_is_over() {
    let mut stage = stage();
    let (generation, ..) = asked(&stage)[0];
    let error = Some("a damaged frame".to_owned());
    stage.tell(Msg::LogSearched { generation, found: vec![], down_to: Seq::ZERO, error });
    assert_eq!(stage.notice(), "the log cannot be looked through: a damaged frame");
    assert!(dump::text(&stage.model).contains("no frame mentions that"), "{}", dump::text(&stage.model));
    assert_eq!(asked(&stage).len(), 1);
}
