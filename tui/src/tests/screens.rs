//! What the screens look like, with their styles.

use safelight_lineage::state::State;

use super::replays::replaying;
use crate::msg::Msg;
use crate::ports::JobStatus;
use crate::replay_view::ReplayStep;
use crate::screen::Screen;
use crate::testing::dump;
use crate::testing::history::{Log, step};
use crate::testing::stage::{Stage, jobs};

const SIZES: [(u16, u16); 4] = [(20, 5), (80, 24), (120, 40), (200, 60)];

fn stage(screen: Screen, width: u16, height: u16) -> Stage {
    let mut stage = Stage::new(width, height);
    stage.tell(Msg::Jobs(jobs()));
    while stage.model.screen != screen {
        stage.press("Tab");
    }
    stage
}

pub(super) fn snapshot(name: &str, stage: &Stage) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, dump::styled(&stage.model)));
}

#[test]
fn every_screen_at_every_size() {
    for screen in Screen::ALL {
        for (width, height) in SIZES {
            let name = format!("{}-{width}x{height}", screen.name().to_lowercase());
            snapshot(&name, &stage(screen, width, height));
        }
    }
}

#[test]
fn the_detail_of_a_narrow_terminal() {
    let mut stage = stage(Screen::Images, 40, 16);
    stage.press("Enter");
    snapshot("images-detail-40x16", &stage);
}

#[test]
fn what_can_be_open() {
    for (name, keys) in [
        ("help", "2 ?"),
        ("palette", "2 : r e"),
        ("reasons", "2 x"),
        ("filter", "2 / l a b l : s Enter"),
        ("question", "2 Space Space x d"),
        ("command", "2 !"),
    ] {
        let mut stage = Stage::new(80, 24);
        stage.press(keys);
        snapshot(&format!("open-{name}"), &stage);
        stage.tell(Msg::Resize(ratatui::layout::Size { width: 20, height: 5 }));
        snapshot(&format!("open-{name}-20x5"), &stage);
    }
}

/// What one does on the screens, at every size.
#[test]
fn what_is_done_on_screens_at_every_size() {
    let stage = |width, height| {
        let mut stage = Stage::new(width, height);
        stage.plain_pictures = true;
        stage
    };
    for (name, keys) in [
        ("wall", "2 t j l"),
        ("zoom", "2 j z"),
        ("lineage", "7 L"),
        ("comparison", "4 j Space j Space Enter"),
        ("confusion", "4 Enter"),
        ("recipe", "4 j T Down Down Down 7"),
        ("recipe-wrong", "4 T End Up 9 9 Tab Up Up Up Up Up 1 9"),
        ("recipe-toml", "4 T C-t"),
        ("receipt", "7 Enter"),
        ("range-question", "3 v j j x d"),
    ] {
        for (width, height) in SIZES {
            let mut stage = stage(width, height);
            stage.press(keys);
            if name == "confusion" {
                // The matrix at the top, wherever it begins.
                let lines = crate::detail::lines(&stage.model);
                let first = lines.iter().position(|line| line.line.to_string().starts_with("label \\ said"));
                let after = first.expect("a matrix") + usize::from(height).saturating_sub(4);
                (0..after.min(lines.len())).for_each(|_| stage.press("j"));
            }
            snapshot(&format!("{name}-{width}x{height}"), &stage);
        }
    }
}

/// A replay under way, one that differs, and one without a verdict.
#[test]
fn replays_at_every_size() {
    for (width, height) in SIZES {
        let mut stage = stage(Screen::Submissions, width, height);
        stage.press("Enter");
        let steps = vec![
            step("the test split as it was", 80, true),
            ReplayStep {
                note: "largest difference 2.50e-1, 50.00 % equal decisions".into(),
                ..step("probabilities of predictions 40404040", 81, false)
            },
        ];
        let job = replaying(JobStatus::Running, steps, Some("counting the votes of 2 members"));
        stage.tell(Msg::Jobs(vec![job]));
        snapshot(&format!("replay-{width}x{height}"), &stage);
        stage.tell(Msg::Jobs(vec![replaying(JobStatus::Failed, vec![], None)]));
        snapshot(&format!("replay-failed-{width}x{height}"), &stage);
    }
}

#[test]
fn the_past_has_a_banner() {
    let mut stage = stage(Screen::Images, 80, 24);
    stage.press("g 4 5 Enter");
    snapshot("past", &stage);
}

#[test]
fn before_anything_was_read() {
    let mut stage = Stage::with(Log::default(), 80, 24);
    snapshot("empty", &stage);
    stage.model.live = None;
    assert!(dump::text(&stage.model).contains("reading the log"));
    assert_eq!(stage.model.state().seq(), State::new().seq());
}

/// A path with escape sequences is shown, and shown harmless.
#[test]
fn hostile_names_are_harmless() {
    let mut stage = stage(Screen::Images, 120, 40);
    stage.press("/ w i p e Enter Enter");
    let text = dump::text(&stage.model);
    assert!(text.contains(r"sea/\u{1b}[2J\xffwipe\n.jpg"), "{text}");
    assert!(!text.contains('\u{1b}'));
}

/// A million images cost no more than the rows in view.
#[test]
fn a_million_rows_are_drawn_as_fast_as_forty() {
    let mut stage = stage(Screen::Images, 120, 40);
    stage.model.images.rows = crate::image_list::Rows::All(1_000_000);
    stage.model.images.cursor.selected = 999_999;
    let start = std::time::Instant::now();
    stage.press("k");
    dump::draw(&stage.model);
    assert!(start.elapsed().as_millis() < 500);
}
