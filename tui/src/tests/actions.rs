//! Every action does something, from its key.

use crate::action::{Action, BINDINGS};
use crate::msg::Msg;
use crate::overlay::{Overlay, PromptKind};
use crate::ports::{Evidence, JobRequest};
use crate::screen::Screen;
use crate::testing::stage::{Stage, jobs};

fn on(screen: Screen) -> Stage {
    let mut stage = Stage::new(120, 40);
    while stage.model.screen != screen {
        stage.press("Tab");
    }
    stage
}

#[test]
fn digits_and_tab_lead_to_screens() {
    let mut stage = Stage::new(120, 40);
    for (keys, screen) in [
        ("2", Screen::Images),
        ("4", Screen::Training),
        ("5", Screen::Generators),
        ("6", Screen::Ensembles),
        ("7", Screen::Submissions),
        ("8", Screen::Jobs),
        ("1", Screen::Timeline),
        ("S-Tab", Screen::Jobs),
        ("Tab", Screen::Timeline),
        ("3", Screen::Review),
    ] {
        stage.press(keys);
        assert_eq!(stage.model.screen, screen, "after {keys}");
    }
}

#[test]
fn rows_are_walked() {
    let mut stage = on(Screen::Images);
    let at = |stage: &Stage| stage.model.images.cursor.selected;
    for (keys, place) in [
        ("j", 1),
        ("Down", 2),
        ("k", 1),
        ("Up", 0),
        ("Up", 0),
        ("End", 43),
        ("j", 43),
        ("Home", 0),
        ("G", 43),
        ("<", 0),
        (">", 43),
        ("PageUp", 43 - 36),
        ("PageUp", 0),
        ("PageDown", 36),
        ("C-u", 0),
        ("C-d", 36),
    ] {
        stage.press(keys);
        assert_eq!(at(&stage), place, "after {keys}");
    }
}

#[test]
fn enter_looks_closer_and_follows_and_escape_comes_back() {
    let mut stage = on(Screen::Submissions);
    stage.press("Enter");
    assert!(stage.model.in_detail);
    stage.press("Esc Right");
    assert!(stage.model.in_detail);
    let lines = crate::detail::lines(&stage.model);
    let run = lines
        .iter()
        .position(|line| matches!(line.target, Some(crate::detail::Target::Run(_))))
        .expect("a run");
    (0..run).for_each(|_| stage.press("j"));
    stage.press("Enter");
    assert_eq!(stage.model.screen, Screen::Training);
    assert!(!stage.model.in_detail);
    stage.press("Enter Left");
    assert!(!stage.model.in_detail);
}

#[test]
fn an_event_leads_to_its_image_and_a_moment_to_its_frame() {
    let mut stage = Stage::new(120, 40);
    stage.press("/");
    stage.type_in("by the sea");
    stage.press("Enter");
    assert_eq!(stage.model.timeline_len(), 1, "found by what was read of it");
    stage.press("Enter End Enter");
    assert_eq!(stage.model.screen, Screen::Images);
    assert_eq!(stage.model.images.row, 3);
    stage.press("Enter");
    let lines = crate::detail::lines(&stage.model);
    let is_moment =
        |line: &crate::detail::DetailLine| matches!(line.target, Some(crate::detail::Target::Frame(_)));
    let moments: Vec<usize> = (0..lines.len()).filter(|place| is_moment(&lines[*place])).collect();
    // Imported, then relabelled.
    (0..moments[1]).for_each(|_| stage.press("j"));
    stage.press("Enter");
    assert_eq!(stage.model.screen, Screen::Timeline);
    let frame = stage.model.selected_transaction().expect("a frame");
    assert_eq!(frame.events, 1);
    assert_eq!(
        stage.model.state().changes(stage.model.state().image_at(3).expect("it").id)[0].seq,
        frame.first_seq
    );
}

#[test]
fn images_are_filtered_as_the_language_says() {
    let mut stage = on(Screen::Images);
    stage.press("/");
    stage.type_in("removed");
    stage.press("Enter");
    assert_eq!(stage.model.images.rows.len(), 2);
    stage.press("/ C-u");
    stage.type_in("labl:sea");
    stage.press("Enter");
    assert!(matches!(&stage.model.overlay, Some(Overlay::Prompt(prompt)) if prompt.error.is_some()));
    assert_eq!(stage.model.images.rows.len(), 2, "a mistake changes nothing");
    stage.press("C-u Enter");
    assert_eq!(stage.model.images.rows.len(), 44);
    stage.press("4 /");
    assert_eq!(stage.notice(), "Training has no filter");
}

#[test]
fn the_selected_image_stays_through_filters() {
    let mut stage = on(Screen::Images);
    stage.model.images.row = 13;
    stage.press("/");
    stage.type_in("label:sea");
    stage.press("Enter");
    let rows = &stage.model.images.rows;
    assert_eq!(rows.row(stage.model.images.cursor.selected), Some(13));
    stage.press("/ C-u Enter");
    assert_eq!(stage.model.images.cursor.selected, 13);
}

#[test]
fn help_palette_and_command_open_and_close() {
    let mut stage = on(Screen::Training);
    for (keys, open) in [
        ("?", "Help"),
        ("Esc", "None"),
        ("F1", "Help"),
        ("j", "Help"),
        ("q", "None"),
        (":", "Chooser"),
        ("Esc", "None"),
        ("!", "Note"),
        ("x", "None"),
    ] {
        stage.press(keys);
        assert!(
            format!("{:?}", stage.model.overlay).trim_start_matches("Some(").starts_with(open),
            "after {keys}"
        );
    }
}

#[test]
fn the_palette_does_what_is_chosen_by_name() {
    let mut stage = on(Screen::Training);
    stage.press(":");
    stage.type_in("submis");
    stage.press("Enter");
    assert_eq!(stage.model.screen, Screen::Submissions);
    stage.press(":");
    stage.type_in("zzzz");
    stage.press("Enter");
    assert!(matches!(stage.model.overlay, Some(Overlay::Chooser(_))), "nothing fits, nothing happens");
}

#[test]
fn leaving_and_sleeping_work_whatever_is_open() {
    let mut stage = on(Screen::Images);
    stage.press("/ C-z");
    assert!(stage.slept);
    stage.press("C-c");
    assert!(stage.quit);
    let mut stage = on(Screen::Images);
    stage.press("q");
    assert!(stage.quit);
}

#[test]
fn pasted_text_is_never_keys() {
    let mut stage = on(Screen::Images);
    stage.tell(Msg::Paste("xdqu".into()));
    assert!(stage.model.overlay.is_none() && !stage.quit);
    stage.press("/");
    stage.tell(Msg::Paste("label:\nsea\x1b".into()));
    assert!(matches!(&stage.model.overlay, Some(Overlay::Prompt(prompt)) if prompt.text == "label:sea"));
}

#[test]
fn jobs_are_started_and_stopped() {
    let mut stage = on(Screen::Training);
    stage.press("t");
    assert!(
        matches!(&stage.model.overlay, Some(Overlay::Prompt(prompt)) if prompt.kind == PromptKind::Recipe)
    );
    stage.type_in("recipe.toml");
    stage.press("Enter 7 y p");
    let submission = "71".repeat(16);
    assert_eq!(
        stage.started,
        [
            JobRequest::Train { recipe: "recipe.toml".into() },
            JobRequest::Replay { submission, depth: "predictions" },
        ]
    );
    stage.tell(Msg::Jobs(jobs()));
    stage.press("8 X n");
    assert!(stage.cancelled.is_empty());
    stage.press("X y");
    assert_eq!(stage.cancelled, ["7"]);
    stage.press("j X");
    assert_eq!(stage.notice(), "this job does not run");
}

#[test]
fn runs_go_on_and_passes_are_proposed() {
    let mut stage = on(Screen::Training);
    let mut refused = 0;
    for _ in 0..stage.model.list_len() {
        let before = stage.started.len();
        stage.press("R");
        if stage.started.len() == before {
            assert!(stage.notice().contains("only one that was stopped goes on"), "{}", stage.notice());
            refused += 1;
        }
        stage.press("j");
    }
    assert!(refused > 0 && !stage.started.is_empty(), "both kinds of runs are there");
    for request in &stage.started {
        let JobRequest::Resume { run } = request else { panic!("{request:?} goes on with nothing") };
        let record = stage.model.state().runs().get(run.parse().expect("a run")).expect("known");
        assert!(["failed", "cancelled"].contains(&record.status.name()), "{}", record.status.name());
    }
    let before = stage.started.len();
    stage.press("3 P p P m");
    let by = |by| JobRequest::Clean { by };
    assert_eq!(stage.started[before..], [by(Evidence::Pictures), by(Evidence::Models)]);
    assert_eq!(by(Evidence::Models).arguments(), ["clean", "propose", "--folds", "3"]);
}

#[test]
fn runs_show_their_curves_and_two_are_compared() {
    let mut stage = on(Screen::Training);
    let text = |stage: &Stage| -> String {
        crate::detail::lines(&stage.model).iter().map(|line| line.line.to_string() + "\n").collect()
    };
    let one = text(&stage);
    for words in ["loss", "accuracy", "learning rate", "finder: 2.50e-3 by valley", "label \\ said"] {
        assert!(one.contains(words), "{words} is not in\n{one}");
    }
    // The spike of one step in 300 is the top of the scale.
    assert!(one.contains(" 4."), "{one}");
    assert!(one.contains("0.750") && one.contains("0.967"), "recalls\n{one}");
    stage.press("Space");
    assert!(stage.notice().contains("mark another to compare"), "{}", stage.notice());
    stage.press("j Space");
    let both = text(&stage);
    assert!(both.contains("compared: ") && both.contains("differs in"), "{both}");
    assert!(both.contains("seed") && !both.contains("resnet18"), "what is equal is not told\n{both}");
    stage.press("Space");
    assert!(!text(&stage).contains("compared: "));
    // Of three marks the oldest goes: two are compared, never more.
    stage.press("Space j Space");
    assert_eq!(stage.model.run_views.marked.len(), 2);
    assert!(text(&stage).contains("compared: "));
}

#[test]
fn the_mouse_selects_and_scrolls() {
    let mut stage = on(Screen::Images);
    stage.tell(Msg::Click(3, 7));
    assert_eq!(stage.model.images.cursor.selected, 5);
    stage.tell(Msg::Wheel(3));
    assert_eq!(stage.model.images.cursor.selected, 8);
}

/// Each row of the table, pressed where it holds, changes the model, says
/// something, or asks for something.
#[test]
fn no_key_of_the_table_is_dead() {
    // These do nothing where there is nothing to do; other tests see them work.
    let idle =
        [Action::Up, Action::PageUp, Action::First, Action::Back, Action::Left, Action::PreviousScreen];
    for binding in BINDINGS {
        for screen in Screen::ALL.into_iter().filter(|screen| binding.scope.covers(*screen)) {
            let mut stage = on(screen);
            stage.tell(Msg::Jobs(jobs()));
            if idle.contains(&binding.action) || binding.action == Action::Show(screen) {
                continue;
            }
            let before = visible(&stage);
            stage.tell(Msg::Key(binding.keys[0]));
            let after = visible(&stage);
            let single = matches!(binding.action, Action::Down | Action::PageDown | Action::Last)
                && stage.model.list_len() < 2;
            let only_pass = binding.action == Action::NextPass;
            assert!(single || only_pass || before != after, "{} does nothing on {screen:?}", binding.name);
        }
    }
}

/// What the user could notice.
fn visible(stage: &Stage) -> String {
    let model = &stage.model;
    let open =
        (&model.overlay, &model.notice, model.screen, model.in_detail, model.cursor(), model.past.is_some());
    let chosen = (&model.images.range, &model.images.picked, &model.review.pass, &model.review.findings);
    let chosen = (chosen, model.zoomed, model.images.wall);
    format!("{open:?} {chosen:?} {} {} {}", stage.log.frames.len(), stage.quit, stage.slept)
}
