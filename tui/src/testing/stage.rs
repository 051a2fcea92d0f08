//! The interface without a terminal: scripted keys, and a log in memory that
//! answers what the model asks for.

use std::sync::Arc;

use image::{DynamicImage, Rgb, RgbImage};
use ratatui::layout::Size;
use safelight_lineage::decide::decide;
use safelight_lineage::value::Timestamp;

use super::generators;
use super::history::{self, Log};
use crate::event_text::FrameText;
use crate::judged::PredictionsMark;
use crate::judgements::Known;
use crate::log_search::frame_mentions;
use crate::model::{Abilities, Model};
use crate::msg::{Cmd, Msg};
use crate::options::Options;
use crate::picture::{Drawing, Painter};
use crate::ports::{JobRequest, JobStatus, JobView};
use crate::runtime::search::Search;
use crate::testing::recipes::Simple;
use crate::theme::{Depth, Palette, Theme};
use crate::update::update;

/// The interface and what is around it.
pub struct Stage {
    pub model: Model,
    pub log: Log,
    /// Whether what is asked for is answered at once.
    pub answering: bool,
    /// Whether pictures are of one colour each: snapshots stay readable.
    pub plain_pictures: bool,
    /// What was asked for and not answered.
    pub asked: Vec<Cmd>,
    pub quit: bool,
    pub slept: bool,
    pub started: Vec<JobRequest>,
    pub cancelled: Vec<String>,
    /// Recipes that were written to files.
    pub saved: Vec<(String, String)>,
}

impl Stage {
    /// The made-up history on a terminal of this size.
    pub fn new(width: u16, height: u16) -> Stage {
        Stage::with(history::log(), width, height)
    }

    /// A log on a terminal of this size.
    pub fn with(log: Log, width: u16, height: u16) -> Stage {
        let abilities = Abilities {
            change: true,
            findings: true,
            jobs: true,
            runs: true,
            generators: true,
            judgements: true,
            likeness: true,
            receipts: true,
            log_search: true,
            pictures: true,
        };
        let options = Options { actor: Some(history::ada()), ..Options::default() };
        let theme = Theme { depth: Depth::Sixteen, palette: Palette::Terminal };
        let mut model =
            Model::new(&options, theme, Size { width, height }, abilities).expect("the default keys");
        model.recipes = Some(Arc::new(Simple));
        let mut stage = Stage {
            model,
            log,
            answering: true,
            plain_pictures: false,
            asked: Vec::new(),
            quit: false,
            slept: false,
            started: Vec::new(),
            cancelled: Vec::new(),
            saved: Vec::new(),
        };
        stage.look();
        stage
    }

    /// Something happens; what is asked for is answered, and the screen drawn.
    pub fn tell(&mut self, msg: Msg) {
        let cmds = update(&mut self.model, msg);
        self.serve(cmds);
        update(&mut self.model, Msg::Drawn);
    }

    /// Presses keys, written as in the key map file and separated by spaces.
    pub fn press(&mut self, keys: &str) {
        for key in keys.split_whitespace() {
            self.tell(Msg::Key(key.parse().expect("a key")));
        }
    }

    /// Types a text.
    pub fn type_in(&mut self, text: &str) {
        for c in text.chars() {
            self.tell(Msg::Key(crate::key::Key::char(c)));
        }
    }

    /// The log is looked at.
    pub fn look(&mut self) {
        let state = Arc::new(self.log.state.clone());
        self.tell(Msg::State(state));
    }

    /// What there is to say.
    pub fn notice(&self) -> &str {
        self.model.notice.as_ref().map_or("", |notice| &notice.text)
    }

    fn serve(&mut self, cmds: Vec<Cmd>) {
        for cmd in cmds {
            if self.answering {
                self.answer(cmd);
            } else {
                self.asked.push(cmd);
            }
        }
    }

    fn follow_up(&mut self, msg: Msg) {
        let cmds = update(&mut self.model, msg);
        self.serve(cmds);
    }

    /// Does what the runtime would.
    pub fn answer(&mut self, cmd: Cmd) {
        match cmd {
            Cmd::Quit => self.quit = true,
            Cmd::Suspend => self.slept = true,
            Cmd::LoadPast(seq) => {
                let past = Arc::new(self.log.as_of(seq));
                self.follow_up(Msg::Past(seq, Ok(past)));
            }
            Cmd::LoadFrames { newest, limit } => {
                let frames = self.log.frames.iter().rev().skip_while(|frame| frame.header.first_seq > newest);
                let frames = frames.take(limit).map(|frame| FrameText::new(&self.log.state, frame)).collect();
                self.follow_up(Msg::Frames { newest, frames: Ok(frames) });
            }
            Cmd::SearchLog { generation, wanted, newest, after } => {
                let looked = self.log.frames.iter().map(|frame| (frame.header.first_seq, frame));
                let looked = looked.filter(|(seq, _)| *seq > after && *seq <= newest);
                let found = looked.filter(|(_, frame)| frame_mentions(&self.log.state, frame, &wanted));
                let found = found.map(|(seq, _)| seq).collect();
                self.follow_up(Msg::LogSearched { generation, found, down_to: after, error: None });
            }
            Cmd::FilterImages { generation, state, filter, order, known } => {
                let search = Search { generation, state, filter, order, known };
                let rows = search.rows(|| false).expect("not stale");
                self.follow_up(Msg::Rows { generation, rows });
            }
            Cmd::LoadKnown(state) => {
                let opinions = history::opinions(&state);
                let exemplars = opinions.exemplars(&state);
                let known = Arc::new(Known { opinions, exemplars });
                self.follow_up(Msg::Known(PredictionsMark::of(&state), Ok(known)));
            }
            Cmd::LoadJudgements(state, image) => {
                let said = Arc::new(history::judgements(&state, image));
                self.follow_up(Msg::Judged(image, PredictionsMark::of(&state), Ok(said)));
            }
            Cmd::LoadVotes(state, ensemble) => {
                let votes = Arc::new(history::votes(&state, ensemble));
                self.follow_up(Msg::Votes(ensemble, Ok(votes)));
            }
            Cmd::FindNeighbours { state, image, past } => {
                let found = Arc::new(history::neighbours(&state, image));
                self.follow_up(Msg::Neighbours(image, past, Ok(found)));
            }
            Cmd::Pictures(keys) => {
                let painter = Painter::new(Drawing::HalfBlocks(Depth::True));
                for key in keys {
                    let whole = picture(key.blob.0);
                    let shown = if self.plain_pictures { whole.crop_imm(0, 0, 1, 1) } else { whole };
                    let result = painter.paint(&shown, key).map(Arc::new);
                    self.follow_up(Msg::Picture(key, result));
                }
            }
            Cmd::Execute(commands) => {
                let decided: Result<Vec<_>, _> =
                    commands.into_iter().map(|command| decide(&self.log.state, command)).collect();
                let (frame, error) = match decided.map(|events| events.concat()) {
                    Ok(events) if events.is_empty() => (None, None),
                    Ok(events) => (Some(self.log.commit(history::ada(), None, events)), None),
                    Err(rejection) => (None, Some(rejection.to_string())),
                };
                self.follow_up(Msg::Executed { frame, error });
                let state = Arc::new(self.log.state.clone());
                self.follow_up(Msg::State(state));
            }
            Cmd::LoadFindings(pass) => {
                let findings = history::findings(&self.log.state);
                self.follow_up(Msg::Findings(pass, Ok(findings)));
            }
            Cmd::LoadRun(_, run) => self.follow_up(Msg::Run(run, Ok(Arc::new(history::run_view(run))))),
            Cmd::LoadReceipt(blob) => self.follow_up(Msg::Receipt(blob, Ok(Arc::new(history::receipt())))),
            Cmd::LoadGenerator(_, generator) => {
                let view = Arc::new(generators::view());
                self.follow_up(Msg::Generator(generator, Ok(view)));
            }
            Cmd::StartJob(request) => self.started.push(request),
            Cmd::SaveRecipe { path, toml } => {
                let there = self.saved.iter().any(|(other, _)| *other == path);
                let result = if there { Err("it is there already".to_owned()) } else { Ok(()) };
                if !there {
                    self.saved.push((path.clone(), toml));
                }
                self.follow_up(Msg::Saved(path, result));
            }
            Cmd::CancelJob(id) => self.cancelled.push(id),
        }
    }
}

/// Four pixels in the colours of a blob's first bytes.
pub fn picture(bytes: [u8; 32]) -> DynamicImage {
    let colour = |x: u32, y: u32| {
        let at = (x + 2 * y) as usize * 3;
        Rgb([bytes[at], bytes[at + 1], bytes[at + 2]])
    };
    DynamicImage::ImageRgb8(RgbImage::from_fn(2, 2, colour))
}

/// A job that trains, and one that failed.
pub fn jobs() -> Vec<JobView> {
    vec![
        JobView {
            id: "7".into(),
            title: "train recipe.toml".into(),
            status: JobStatus::Running,
            started: Timestamp(1_795_510_000_000),
            took: None,
            progress: Some(0.25),
            run: None,
            replay: None,
            generator: None,
            eta: Some(754.0),
            output: vec!["epoch 1 of 4".into(), "\x1b[31mhostile".into()],
            series: vec![("train_loss".into(), (1..200).map(|n| 1.0 / f64::from(n)).collect())],
        },
        JobView {
            id: "6".into(),
            title: "replay 71717171".into(),
            status: JobStatus::Failed,
            started: Timestamp(1_795_400_000_000),
            took: Some(1.5),
            run: None,
            replay: None,
            generator: None,
            progress: None,
            eta: None,
            output: vec!["no such blob".into()],
            series: vec![],
        },
    ]
}
