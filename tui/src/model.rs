//! Everything the interface knows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ratatui::layout::Size;
use safelight_lineage::event::{Actor, Decision};
use safelight_lineage::id::{ImageId, PassId};
use safelight_lineage::state::{ImageView, State, TransactionRecord};
use safelight_lineage::value::Seq;

use crate::action::Action;
use crate::cursor::Cursor;
use crate::event_text::FrameText;
use crate::generator_view::GeneratorViews;
use crate::image_list::Images;
use crate::judged::Judged;
use crate::keymap::Keymap;
use crate::log_search::LogFound;
use crate::overlay::Overlay;
use crate::picture::PictureCache;
use crate::ports::{Finding, JobView};
use crate::progress::{Counted, Progress};
use crate::recipe::Recipes;
use crate::replay_view::ReceiptViews;
use crate::run_view::RunViews;
use crate::screen::Screen;
use crate::theme::Theme;

/// Everything the interface knows. [`update`](crate::update::update) changes it,
/// [`draw`](crate::view::draw) shows it, and neither does anything else.
#[derive(Debug)]
pub struct Model {
    /// The size of the terminal, in cells.
    pub size: Size,
    /// How things look.
    pub theme: Theme,
    /// Which key does what.
    pub keymap: Keymap,
    /// Whose changes `undo` takes back; none for those of any person.
    pub actor: Option<Actor>,
    /// What the ports allow.
    pub abilities: Abilities,
    /// The screen.
    pub screen: Screen,
    /// Whether the detail has the keyboard, not the list.
    pub in_detail: bool,
    /// The selected line of the detail.
    pub detail: Cursor,
    /// What the log says now; none before it was read.
    pub live: Option<Arc<State>>,
    /// A state before any event, to show while nothing was read.
    pub empty: Arc<State>,
    /// The past, when that is what is shown.
    pub past: Option<Past>,
    /// What is open above the screen.
    pub overlay: Option<Overlay>,
    /// What there is to say.
    pub notice: Option<Notice>,
    /// The log.
    pub timeline: Timeline,
    /// The images.
    pub images: Images,
    /// The review.
    pub review: Review,
    /// The selected run, newest first.
    pub runs: Cursor,
    /// The selected generator, newest first.
    pub generators: Cursor,
    /// The selected ensemble, newest first.
    pub ensembles: Cursor,
    /// The selected submission, newest first.
    pub submissions: Cursor,
    /// The jobs.
    pub jobs: Jobs,
    /// The rules of recipes.
    pub recipes: Option<Arc<dyn Recipes>>,
    /// What was chosen last to compute a training.
    pub device: String,
    /// What was read of runs.
    pub run_views: RunViews,
    /// Receipts that were read.
    pub receipts: ReceiptViews,
    /// What was read of generators.
    pub generator_views: GeneratorViews,
    /// What models say.
    pub judged: Judged,
    /// Whether the picture has the whole screen.
    pub zoomed: bool,
    /// Pictures that were made.
    pub pictures: PictureCache,
    /// The reason given last for a removal.
    pub last_reason: Option<String>,
    /// Changes that were sent off.
    pub sent: Sent,
}

/// What the ports allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// Changing something.
    pub change: bool,
    /// Reading findings.
    pub findings: bool,
    /// Running jobs.
    pub jobs: bool,
    /// Reading what is kept of runs.
    pub runs: bool,
    /// Reading what is kept of generators.
    pub generators: bool,
    /// Reading what models said.
    pub judgements: bool,
    /// Finding images that look alike.
    pub likeness: bool,
    /// Reading receipts of replays.
    pub receipts: bool,
    /// Looking for words in the whole log.
    pub log_search: bool,
    /// Drawing pictures.
    pub pictures: bool,
}

/// A place in the past.
#[derive(Debug, Clone)]
pub struct Past {
    /// Where.
    pub seq: Seq,
    /// What the log said then; until that was read, what was shown before.
    pub state: Arc<State>,
    /// Whether it is still being read.
    pub loading: bool,
}

/// How weighty a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Something went as it should.
    Info,
    /// Something was refused or failed.
    Error,
}

/// What there is to say, until the next key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// In words.
    pub text: String,
    /// How weighty.
    pub level: Level,
}

/// The log.
#[derive(Debug, Default)]
pub struct Timeline {
    /// The selected frame, newest first, among those shown.
    pub cursor: Cursor,
    /// The Seq of the selected frame's first event; none to stay with the newest.
    pub anchor: Option<Seq>,
    /// What frames must mention.
    pub filter: String,
    /// The places of the frames shown, oldest first; none when all are.
    pub found: Option<Vec<u32>>,
    /// What was found in the events themselves.
    pub search: LogFound,
    /// Frames in words.
    pub frames: BTreeMap<Seq, Arc<FrameText>>,
    /// Frames that were asked for, by the Seq of their last event.
    pub asked: BTreeSet<Seq>,
}

/// The review of a cleaning pass.
#[derive(Debug, Default)]
pub struct Review {
    /// The pass; none to take the newest.
    pub pass: Option<PassId>,
    /// Its findings, once read.
    pub findings: Option<Result<Arc<Vec<Finding>>, String>>,
    /// The selected finding.
    pub cursor: Cursor,
    /// Decisions that were sent off and are not in the log yet.
    pub sent: BTreeMap<ImageId, Decision>,
    /// The image that the user has seen: a decision on another does not count.
    pub painted: Option<ImageId>,
    /// Whether the next decision is for the whole group.
    pub group: bool,
    /// Where a range of findings starts that are decided together.
    pub range: Option<usize>,
    /// How it goes, and of what that was counted.
    pub progress: Option<(Counted, Progress)>,
}

/// The jobs.
#[derive(Debug, Default)]
pub struct Jobs {
    /// As they stand.
    pub views: Vec<JobView>,
    /// The selected one.
    pub cursor: Cursor,
}

/// Changes that were sent off.
#[derive(Debug, Default)]
pub struct Sent {
    /// How many answers are missing.
    pub pending: usize,
    /// The log must have come this far before the next undo is chosen: an undo
    /// is chosen by what the log says.
    pub until: Option<Seq>,
    /// Undos and redos that wait for that.
    pub queue: Vec<Action>,
    /// The image to select once the log has come that far.
    pub select: Option<ImageId>,
}

impl Model {
    /// What is shown: the past, or what the log says now.
    pub fn state(&self) -> &Arc<State> {
        match &self.past {
            Some(past) => &past.state,
            None => self.live.as_ref().unwrap_or(&self.empty),
        }
    }

    /// What the log says now.
    pub fn newest(&self) -> &Arc<State> {
        self.live.as_ref().unwrap_or(&self.empty)
    }

    /// The frames of what is shown, oldest first.
    pub fn transactions(&self) -> &[TransactionRecord] {
        let state = self.state();
        state.transactions().until(state.seq())
    }

    /// How many frames the timeline shows.
    pub fn timeline_len(&self) -> usize {
        self.timeline.found.as_ref().map_or(self.transactions().len(), Vec::len)
    }

    /// The frame at a place of the timeline, from the newest.
    pub fn transaction(&self, place: usize) -> Option<&TransactionRecord> {
        let all = self.transactions();
        let index = match &self.timeline.found {
            None => all.len().checked_sub(place + 1)?,
            Some(found) => *found.get(found.len().checked_sub(place + 1)?)? as usize,
        };
        all.get(index)
    }

    /// The selected frame.
    pub fn selected_transaction(&self) -> Option<&TransactionRecord> {
        self.transaction(self.timeline.cursor.selected)
    }

    /// The image that the screen is about.
    pub fn selected_image(&self) -> Option<ImageView<'_>> {
        match self.screen {
            Screen::Images => {
                self.state().image_at(self.images.rows.row(self.images.cursor.selected)? as usize)
            }
            Screen::Review => self.state().image(self.finding()?.image),
            Screen::Ensembles => {
                let place = self.in_detail.then_some(self.detail.selected);
                self.state().image(crate::detail::image_at(self, place)?)
            }
            _ => None,
        }
    }

    /// The pass under review: the chosen one, or else the newest.
    pub fn pass(&self) -> Option<PassId> {
        let passes = self.state().passes();
        let chosen = self.review.pass.filter(|pass| passes.contains(*pass));
        chosen.or_else(|| passes.last().map(|record| record.proposed.event.pass))
    }

    /// The findings under review.
    pub fn findings(&self) -> &[Finding] {
        match &self.review.findings {
            Some(Ok(findings)) => findings,
            _ => &[],
        }
    }

    /// The selected finding.
    pub fn finding(&self) -> Option<&Finding> {
        self.findings().get(self.review.cursor.selected)
    }

    /// What was decided on an image in the pass under review.
    pub fn decided(&self, image: ImageId) -> Option<Decision> {
        let in_log = || self.state().review(self.pass()?, image);
        self.review.sent.get(&image).copied().or_else(in_log)
    }

    /// How many rows the list of the screen has.
    pub fn list_len(&self) -> usize {
        match self.screen {
            Screen::Timeline => self.timeline_len(),
            Screen::Images => self.images.rows.len(),
            Screen::Review => self.findings().len(),
            Screen::Training => self.state().runs().len(),
            Screen::Generators => crate::generators::len(self),
            Screen::Ensembles => self.state().ensembles().len(),
            Screen::Submissions => self.state().submissions().len(),
            Screen::Jobs => self.jobs.views.len(),
        }
    }

    /// The selection in the list of the screen.
    pub fn cursor(&self) -> Cursor {
        match self.screen {
            Screen::Timeline => self.timeline.cursor,
            Screen::Images => self.images.cursor,
            Screen::Review => self.review.cursor,
            Screen::Training => self.runs,
            Screen::Generators => self.generators,
            Screen::Ensembles => self.ensembles,
            Screen::Submissions => self.submissions,
            Screen::Jobs => self.jobs.cursor,
        }
    }

    /// The same, to change.
    pub fn cursor_mut(&mut self) -> &mut Cursor {
        match self.screen {
            Screen::Timeline => &mut self.timeline.cursor,
            Screen::Images => &mut self.images.cursor,
            Screen::Review => &mut self.review.cursor,
            Screen::Training => &mut self.runs,
            Screen::Generators => &mut self.generators,
            Screen::Ensembles => &mut self.ensembles,
            Screen::Submissions => &mut self.submissions,
            Screen::Jobs => &mut self.jobs.cursor,
        }
    }

    /// Says something.
    pub fn say(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), level: Level::Info });
    }

    /// Says that something was refused or failed.
    pub fn complain(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), level: Level::Error });
    }
}
