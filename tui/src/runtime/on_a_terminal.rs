//! The whole interface on a pseudo-terminal. Each test starts this very test
//! program again, as [`the_interface`], which finds the terminal there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use portable_pty::CommandBuilder;
use safelight_lineage::decide::Command;

use super::terminal::Guard;
use crate::options::{ImageMode, Options};
use crate::testing::history;
use crate::testing::ports::{Buggy, Shared, Still};
use crate::testing::pty::{Pty, wait};

/// What the child is to do.
const ROLE: &str = "SAFELIGHT_TUI_TEST_ROLE";

#[test]
#[ignore = "the other tests start it, on a terminal"]
fn the_interface() {
    let role = std::env::var(ROLE).unwrap_or_default();
    let shared = Shared::new(history::log());
    let mut ports = shared.ports();
    match role.as_str() {
        "panic" => {
            let _guard = Guard::take(true).expect("a terminal");
            panic!("on purpose");
        }
        "slow jobs" => ports.jobs = Some(Box::new(Still(Duration::from_secs(2)))),
        "buggy pictures" => ports.pictures = Arc::new(Buggy),
        "another process" => {
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(1500));
                shared.commit(Command::AddClasses { classes: vec!["lighthouse".into()] }).expect("allowed");
            });
        }
        _ => {}
    }
    let options = Options {
        images: ImageMode::HalfBlocks,
        mouse: true,
        actor: Some(history::ada()),
        keys: BTreeMap::new(),
        ..Options::default()
    };
    let session = super::run(ports, options).unwrap_or_else(|error| panic!("ended with: {error}"));
    println!("the session ends on {:?}", session.screen);
}

fn start(role: &str) -> Pty {
    let mut command = CommandBuilder::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "runtime::on_a_terminal::the_interface", "--ignored", "--nocapture"]);
    for (name, value) in [(ROLE, role), ("TERM", "xterm-256color"), ("RUST_BACKTRACE", "0")] {
        command.env(name, value);
    }
    for name in ["NO_COLOR", "COLORTERM", "TMUX", "TERM_PROGRAM"] {
        command.env_remove(name);
    }
    Pty::start(command)
}

fn pid(pty: &Pty) -> i32 {
    pty.child.process_id().expect("it runs") as i32
}

fn signal(pty: &Pty, signal: &str) {
    let sent = std::process::Command::new("kill").args([signal, &pid(pty).to_string()]).status();
    assert!(sent.expect("kill").success());
}

/// The alternate screen, mouse and paste modes are off, and the cursor is back.
fn assert_restored(written: &str) {
    for mode in ["1049", "1000", "2004"] {
        let (on, off) = (format!("\x1b[?{mode}h"), format!("\x1b[?{mode}l"));
        let last_off = written.rfind(&off).unwrap_or_else(|| panic!("{mode} is never turned off"));
        assert!(written.rfind(&on).is_some_and(|last_on| last_on < last_off), "{mode} stays on");
    }
    assert!(written.rfind("\x1b[?25h") > written.rfind("\x1b[?25l"), "the cursor stays hidden");
}

#[test]
fn it_starts_shows_every_screen_and_leaves() {
    let mut pty = start("");
    // Pressed before anything is drawn: not lost.
    pty.press("2");
    pty.wait("a picture", |screen| screen.contains("44 images") && screen.contains('▀'));
    for (key, sign) in [
        ("1", "32 frames"),
        ("4", "3 runs"),
        ("5", "61616161"),
        ("6", "majority"),
        ("7", "ensemble 5151"),
        ("8", "train_loss"),
        ("3", "/6 of pass"),
    ] {
        pty.press(key);
        pty.wait(sign, |screen| screen.contains(sign));
    }
    pty.press("q");
    assert!(pty.end(), "{}", pty.screen());
    assert!(pty.written().contains("the session ends on Review"));
    assert_restored(&pty.written());
}

#[test]
fn a_removal_and_its_undo_are_shown() {
    let mut pty = start("");
    pty.press("2");
    pty.wait("the count", |screen| screen.contains("42 images"));
    pty.press("xd");
    pty.wait("one image less", |screen| screen.contains("41 images"));
    pty.press("u");
    pty.wait("it is back", |screen| screen.contains("42 images"));
    // What was decided just before leaving is in the log: leaving waits for it.
    pty.press("xdq");
    assert!(pty.end());
}

/// A job that was asked for just before leaving is started all the same, and
/// when it cannot be, no screen can tell: the end does.
#[test]
fn leaving_waits_for_what_was_asked_for() {
    let mut pty = start("slow jobs");
    pty.press("3");
    pty.wait("the queue", |screen| screen.contains("/6 of pass"));
    pty.press("P");
    pty.wait("a choice", |screen| screen.contains("judged by what"));
    pty.press("pq");
    assert!(!pty.end());
    assert!(
        pty.written().contains("asked for last, and not done: no recipe of that name"),
        "{}",
        pty.screen()
    );
    assert_restored(&pty.written());
}

#[test]
fn it_goes_into_the_past_and_back() {
    let mut pty = start("");
    pty.wait("the log", |screen| screen.contains("32 frames"));
    pty.press("[[");
    pty.wait("the banner", |screen| screen.contains("AS OF Seq 71 of 73"));
    pty.press("n");
    pty.wait("the present", |screen| !screen.contains("AS OF"));
    pty.press("q");
    assert!(pty.end());
}

#[test]
fn another_processs_events_appear() {
    let mut pty = start("another process");
    pty.wait("the log", |screen| screen.contains("Seq 73"));
    pty.wait("what the other did", |screen| screen.contains("Seq 74") && screen.contains("lighthouse"));
    pty.press("q");
    assert!(pty.end());
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_is_told() {
    let mut pty = start("panic");
    assert!(!pty.end());
    let written = pty.written();
    assert_restored(&written);
    let told = written.find("on purpose").expect("the panic is told");
    assert!(written.find("\x1b[?1049l").is_some_and(|left| left < told), "on the user's own screen");
}

#[test]
fn a_panic_in_a_worker_is_no_end() {
    let mut pty = start("buggy pictures");
    pty.press("2");
    pty.wait("the failure", |screen| screen.contains("no picture: a bug: index out of"));
    pty.press("j4");
    pty.wait("that it goes on", |screen| screen.contains("3 runs"));
    pty.press("q");
    assert!(pty.end());
    assert_restored(&pty.written());
    let written = pty.written();
    assert!(
        written.rfind("a worker panicked") > written.rfind("\x1b[?1049l"),
        "told at the end, not on the screen"
    );
}

#[test]
fn signals_give_the_terminal_back() {
    for name in ["-TERM", "-HUP"] {
        let mut pty = start("");
        pty.wait("the log", |screen| screen.contains("32 frames"));
        signal(&pty, name);
        assert!(!pty.end());
        assert!(pty.written().contains("ended by signal"));
        assert_restored(&pty.written());
    }
}

#[test]
fn it_sleeps_and_wakes() {
    let mut pty = start("");
    pty.wait("the log", |screen| screen.contains("32 frames"));
    pty.press("\x1a");
    let stopped = || {
        std::fs::read_to_string(format!("/proc/{}/stat", pid(&pty))).is_ok_and(|stat| stat.contains(") T "))
    };
    wait(stopped, || "it does not sleep".to_owned());
    assert_restored(&pty.written());
    let asleep = pty.written().len();
    signal(&pty, "-CONT");
    pty.wait_written(asleep, "\x1b[?1049h");
    pty.wait("the log again", |screen| screen.contains("32 frames"));
    pty.press("q");
    assert!(pty.end());
    assert_restored(&pty.written());
}

#[test]
fn a_storm_of_sizes_does_no_harm() {
    let mut pty = start("");
    pty.press("2");
    for step in 0..60u16 {
        pty.resize(1 + step * 37 % 150, 1 + step * 13 % 50);
        thread::sleep(Duration::from_millis(5));
    }
    pty.resize(100, 30);
    pty.press("4");
    pty.wait("that it goes on", |screen| screen.contains("3 runs"));
    pty.press("q");
    assert!(pty.end());
}

#[test]
fn without_a_terminal_it_says_so() {
    // Under the test harness neither input nor output need be one; where they
    // are, there is nothing to see.
    use std::io::IsTerminal as _;
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        let outcome = super::run(Shared::new(history::log()).ports(), Options::default());
        assert!(matches!(outcome, Err(super::TuiError::NotATerminal)));
    }
}
