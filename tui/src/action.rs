//! The one table of what the user can do.
//!
//! Keys, the help, the palette, the key map file and the test for conflicts all
//! come from [`BINDINGS`].

use crossterm::event::KeyCode;

use crate::key::Key;
use crate::screen::Screen;

/// Something the user can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Leave the program.
    Quit,
    /// Put the program to sleep, as Ctrl-Z does elsewhere.
    Suspend,
    /// Show the keys.
    Help,
    /// Choose an action by name.
    Palette,
    /// Show the command line that does the same.
    ShowCommand,
    /// Close what is open, or go back to the list.
    Back,
    /// Go to a screen.
    Show(Screen),
    /// Go to the next screen.
    NextScreen,
    /// Go to the screen before.
    PreviousScreen,
    /// One row down.
    Down,
    /// One row up.
    Up,
    /// To the left: back to the list, or the picture before.
    Left,
    /// To the right: into the detail, or the next picture.
    Right,
    /// One window down.
    PageDown,
    /// One window up.
    PageUp,
    /// To the first row.
    First,
    /// To the last row.
    Last,
    /// Look closer: into the detail, or follow what is selected there.
    Open,
    /// Narrow the list.
    Filter,
    /// Give the picture the whole screen.
    Zoom,
    /// Show images as a wall of pictures, or as a list.
    Wall,
    /// Larger pictures on the wall.
    Larger,
    /// Smaller pictures on the wall.
    Smaller,
    /// List images by something else.
    Sort,
    /// List images the other way around.
    Reverse,
    /// Walk from what something was made of to what was made of it.
    Lineage,
    /// See everything as of a Seq.
    Goto,
    /// One frame back in time.
    Earlier,
    /// One frame forward in time.
    Later,
    /// Back to the present.
    Now,
    /// Give the image another label.
    Relabel,
    /// Take the image out.
    Remove,
    /// Take the image back in.
    Restore,
    /// Select from here on.
    Range,
    /// Select the image and go on.
    Pick,
    /// Take back the newest change made here.
    Undo,
    /// Take back the newest undo made here.
    Redo,
    /// Take back the frame that is selected.
    Revert,
    /// Keep the image as it is, and go on.
    Keep,
    /// Take the suggested label, and go on.
    Accept,
    /// Not sure; go on.
    Skip,
    /// Give the image the label with this number.
    Label(u8),
    /// Decide this image and all that are nearly the same together.
    Group,
    /// The next cleaning pass.
    NextPass,
    /// Start a job.
    Start,
    /// Fill in a recipe, and train by it.
    Recipe,
    /// Go on with a run that was stopped.
    Resume,
    /// Let rules propose a cleaning pass.
    Propose,
    /// Stop the job, after asking.
    Cancel,
    /// Replay the submission.
    Replay,
    /// Show the samples that a generator drew an epoch before.
    EpochBefore,
    /// Show the samples that a generator drew an epoch later.
    EpochAfter,
    /// Draw samples from a generator.
    Draw,
    /// Let samples into the training split.
    Admit,
    /// Take samples out of the dataset.
    Expel,
}

/// Where a binding holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// On every screen.
    Everywhere,
    /// On every screen but Review, where digits are labels.
    Browsing,
    /// On one screen.
    On(Screen),
}

impl Scope {
    /// Whether the binding holds on `screen`.
    pub fn covers(self, screen: Screen) -> bool {
        match self {
            Everywhere => true,
            Browsing => screen != Screen::Review,
            On(only) => only == screen,
        }
    }
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// What it does.
    pub action: Action,
    /// Where it holds.
    pub scope: Scope,
    /// Its keys, unless the user chose others.
    pub keys: &'static [Key],
    /// Its name in the key map file and the palette.
    pub name: &'static str,
    /// What it does, in words.
    pub help: &'static str,
}

const fn row(
    action: Action,
    scope: Scope,
    keys: &'static [Key],
    name: &'static str,
    help: &'static str,
) -> Binding {
    Binding { action, scope, keys, name, help }
}

use Scope::{Browsing, Everywhere, On};

const fn c(character: char) -> Key {
    Key::char(character)
}

const fn k(code: KeyCode) -> Key {
    Key::plain(code)
}

/// Everything the user can do, in the order in which the help shows it.
pub const BINDINGS: &[Binding] = &[
    row(Action::Down, Everywhere, &[c('j'), k(KeyCode::Down)], "down", "One row down"),
    row(Action::Up, Everywhere, &[c('k'), k(KeyCode::Up)], "up", "One row up"),
    row(
        Action::PageDown,
        Everywhere,
        &[k(KeyCode::PageDown), Key::ctrl('d')],
        "page-down",
        "One window down",
    ),
    row(Action::PageUp, Everywhere, &[k(KeyCode::PageUp), Key::ctrl('u')], "page-up", "One window up"),
    row(Action::First, Everywhere, &[k(KeyCode::Home), c('<')], "first", "To the first row"),
    row(Action::Last, Everywhere, &[k(KeyCode::End), c('>'), c('G')], "last", "To the last row"),
    row(Action::Open, Everywhere, &[k(KeyCode::Enter)], "open", "Look closer, or follow"),
    row(Action::Back, Everywhere, &[k(KeyCode::Esc)], "back", "Close, or back to the list"),
    row(Action::Left, Everywhere, &[c('h'), k(KeyCode::Left)], "left", "To the list, or the picture before"),
    row(
        Action::Right,
        Everywhere,
        &[c('l'), k(KeyCode::Right)],
        "right",
        "To the detail, or the next picture",
    ),
    row(Action::Filter, Everywhere, &[c('/')], "filter", "Narrow the list"),
    row(Action::NextScreen, Everywhere, &[k(KeyCode::Tab)], "next-screen", "Next screen"),
    row(Action::PreviousScreen, Everywhere, &[k(KeyCode::BackTab)], "previous-screen", "Screen before"),
    row(Action::Show(Screen::Timeline), Browsing, &[c('1')], "timeline", "Show the log"),
    row(Action::Show(Screen::Images), Browsing, &[c('2')], "images", "Show the images"),
    row(Action::Show(Screen::Review), Browsing, &[c('3')], "review", "Review a cleaning pass"),
    row(Action::Show(Screen::Training), Browsing, &[c('4')], "training", "Show training runs"),
    row(Action::Show(Screen::Generators), Browsing, &[c('5')], "generators", "Show generators and samples"),
    row(Action::Show(Screen::Ensembles), Browsing, &[c('6')], "ensembles", "Show votes and their members"),
    row(
        Action::Show(Screen::Submissions),
        Browsing,
        &[c('7')],
        "submissions",
        "Show submissions and their lineage",
    ),
    row(Action::Show(Screen::Jobs), Browsing, &[c('8')], "jobs", "Show running work"),
    row(Action::Earlier, Everywhere, &[c('[')], "earlier", "One frame into the past"),
    row(Action::Later, Everywhere, &[c(']')], "later", "One frame towards the present"),
    row(Action::Lineage, Everywhere, &[c('L')], "lineage", "Walk along what was made of what"),
    row(Action::Goto, Everywhere, &[c('g')], "goto", "See everything as of a Seq"),
    row(Action::Now, Everywhere, &[c('n')], "now", "Back to the present"),
    row(Action::Undo, Everywhere, &[c('u'), k(KeyCode::Backspace)], "undo", "Take back your newest change"),
    row(Action::Redo, Everywhere, &[c('U')], "redo", "Take back your newest undo"),
    row(Action::Palette, Everywhere, &[c(':')], "palette", "Choose an action by name"),
    row(Action::ShowCommand, Everywhere, &[c('!')], "command", "Show the command line that does the same"),
    row(Action::Help, Everywhere, &[c('?'), k(KeyCode::F(1))], "help", "Show the keys"),
    row(Action::Suspend, Everywhere, &[Key::ctrl('z')], "suspend", "Put the program to sleep"),
    row(Action::Quit, Everywhere, &[c('q'), Key::ctrl('c')], "quit", "Leave; running work goes on"),
    row(Action::Revert, On(Screen::Timeline), &[c('R')], "revert", "Take back the selected frame"),
    row(Action::Relabel, On(Screen::Images), &[c('r')], "relabel", "Give another label"),
    row(Action::Remove, On(Screen::Images), &[c('x')], "remove", "Take out of the dataset"),
    row(Action::Restore, On(Screen::Images), &[c('b')], "restore", "Take back into the dataset"),
    row(Action::Range, On(Screen::Images), &[c('v')], "range", "Select from here on"),
    row(Action::Pick, On(Screen::Images), &[c(' ')], "pick", "Select, and go on"),
    row(Action::Wall, On(Screen::Images), &[c('t')], "wall", "A wall of pictures, or a list"),
    row(Action::Larger, On(Screen::Images), &[c('+'), c('=')], "larger", "Larger pictures on the wall"),
    row(Action::Smaller, On(Screen::Images), &[c('-')], "smaller", "Smaller pictures on the wall"),
    row(Action::Sort, On(Screen::Images), &[c('o')], "sort", "Order by import, confidence, label, path"),
    row(Action::Reverse, On(Screen::Images), &[c('O')], "reverse", "The other way around"),
    row(Action::Zoom, On(Screen::Images), &[c('z')], "zoom", "Give the picture the whole screen"),
    row(Action::Zoom, On(Screen::Review), &[c('z')], "review-zoom", "Give the picture the whole screen"),
    row(Action::Range, On(Screen::Review), &[c('v')], "review-range", "Decide all from here on together"),
    row(Action::Keep, On(Screen::Review), &[c('a')], "keep", "It is right as it is"),
    row(Action::Accept, On(Screen::Review), &[c('s')], "accept", "Take the suggested label"),
    row(Action::Relabel, On(Screen::Review), &[c('r')], "review-relabel", "Choose a label"),
    row(Action::Remove, On(Screen::Review), &[c('x')], "review-remove", "Take out of the dataset"),
    row(Action::Skip, On(Screen::Review), &[c(' ')], "skip", "Not sure"),
    row(Action::Group, On(Screen::Review), &[c('*')], "group", "Decide near-duplicates together"),
    row(Action::NextPass, On(Screen::Review), &[c('p')], "next-pass", "The next cleaning pass"),
    row(Action::Label(0), On(Screen::Review), &[c('0')], "label-0", "Give the label 0"),
    row(Action::Label(1), On(Screen::Review), &[c('1')], "label-1", "Give the label 1"),
    row(Action::Label(2), On(Screen::Review), &[c('2')], "label-2", "Give the label 2"),
    row(Action::Label(3), On(Screen::Review), &[c('3')], "label-3", "Give the label 3"),
    row(Action::Label(4), On(Screen::Review), &[c('4')], "label-4", "Give the label 4"),
    row(Action::Label(5), On(Screen::Review), &[c('5')], "label-5", "Give the label 5"),
    row(Action::Label(6), On(Screen::Review), &[c('6')], "label-6", "Give the label 6"),
    row(Action::Label(7), On(Screen::Review), &[c('7')], "label-7", "Give the label 7"),
    row(Action::Label(8), On(Screen::Review), &[c('8')], "label-8", "Give the label 8"),
    row(Action::Label(9), On(Screen::Review), &[c('9')], "label-9", "Give the label 9"),
    row(Action::Start, On(Screen::Training), &[c('t')], "train", "Train by a recipe file"),
    row(Action::Recipe, On(Screen::Training), &[c('T')], "recipe", "Fill in a recipe, and train by it"),
    row(Action::Pick, On(Screen::Training), &[c(' ')], "compare", "Lay two runs over each other"),
    row(Action::Resume, On(Screen::Training), &[c('R')], "resume", "Go on with a run that was stopped"),
    row(Action::Propose, On(Screen::Review), &[c('P')], "propose", "Let rules find suspicious images"),
    row(Action::Replay, On(Screen::Submissions), &[c('y')], "replay", "Replay the submission"),
    row(Action::Cancel, On(Screen::Jobs), &[c('X')], "cancel", "Ask the job to stop"),
    row(
        Action::EpochBefore,
        On(Screen::Generators),
        &[c(',')],
        "epoch-before",
        "Samples of the epoch before",
    ),
    row(Action::EpochAfter, On(Screen::Generators), &[c('.')], "epoch-after", "Samples of the epoch after"),
    row(
        Action::Zoom,
        On(Screen::Generators),
        &[c('z')],
        "generator-zoom",
        "Give the picture the whole screen",
    ),
    row(Action::Draw, On(Screen::Generators), &[c('d')], "draw", "Draw samples"),
    row(Action::Admit, On(Screen::Generators), &[c('a')], "admit", "Let samples into the training split"),
    row(Action::Expel, On(Screen::Generators), &[c('x')], "expel", "Take samples out of the dataset"),
    row(Action::Start, On(Screen::Generators), &[c('t')], "generator-train", "Train a generator"),
    row(
        Action::Resume,
        On(Screen::Generators),
        &[c('R')],
        "generator-resume",
        "Go on with one that was stopped",
    ),
    row(Action::Cancel, On(Screen::Generators), &[c('X')], "generator-stop", "Stop its training"),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_helpful() {
        let mut names = HashSet::new();
        for binding in BINDINGS {
            assert!(names.insert(binding.name), "{} is there twice", binding.name);
            assert!(!binding.help.is_empty() && !binding.keys.is_empty());
        }
    }

    #[test]
    fn screens_are_reached_by_the_digit_that_the_tabs_show() {
        for screen in Screen::ALL {
            let binding = BINDINGS.iter().find(|row| row.action == Action::Show(screen)).expect("a key");
            assert_eq!(binding.keys[0].typed(), char::from_digit(screen.index() as u32 + 1, 10));
        }
    }
}
