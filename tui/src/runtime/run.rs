//! The loop: wait, take in everything that happened, draw once.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, unbounded};
use ratatui::layout::Size;
use safelight_lineage::decide::Command;
use safelight_lineage::digest::BlobId;
use safelight_lineage::id::{GeneratorId, PassId, RunId};
use safelight_lineage::state::State;

use super::background::Event;
use super::error::TuiError;
use super::pictures::Workers;
use super::search::Search;
use super::terminal::Guard;
use super::{actions, generators, history, input, jobs, judgements, log_search, search, signals};
use crate::model::{Abilities, Model};
use crate::msg::{Cmd, Msg};
use crate::options::{Options, Session};
use crate::picture::{Drawing, mode};
use crate::ports::Ports;
use crate::theme::{Depth, Theme};
use crate::update::update;

/// Runs the interface until the user leaves; gives what to remember for the
/// next time.
///
/// # Errors
/// When there is no terminal, the key map does not hold, the terminal fails, or
/// a signal asks the program to end. The terminal is restored in every case.
pub fn run(ports: Ports, options: Options) -> Result<Session, TuiError> {
    if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        return Err(TuiError::NotATerminal);
    }
    let variable = |name: &str| std::env::var(name).ok();
    let depth = Depth::detect(variable);
    let window = crossterm::terminal::window_size().ok();
    let cell = window.as_ref().and_then(|window| {
        let width = window.width.checked_div(window.columns).filter(|width| *width > 0)?;
        Some((width, window.height.checked_div(window.rows).filter(|height| *height > 0)?))
    });
    let drawing = mode::choose(options.images, depth, cell, variable);
    let (width, height) = crossterm::terminal::size().map_err(TuiError::Terminal)?;
    let abilities = Abilities {
        change: ports.actions.is_some(),
        findings: ports.findings.is_some(),
        jobs: ports.jobs.is_some(),
        runs: ports.runs.is_some(),
        generators: ports.generators.is_some(),
        judgements: ports.judgements.is_some(),
        likeness: ports.likeness.is_some(),
        receipts: ports.receipts.is_some(),
        log_search: ports.log_search.is_some(),
        pictures: !matches!(drawing, Drawing::Off),
    };
    let mut model =
        Model::new(&options, Theme { depth, palette: options.palette }, Size { width, height }, abilities)?;
    model.recipes.clone_from(&ports.recipes);

    let (sender, events) = unbounded();
    // Before the terminal is taken: a signal in between must not leave it so.
    let watch = signals::watch(sender.clone()).map_err(TuiError::Terminal)?;
    let mut guard = Guard::take(options.mouse).map_err(TuiError::Terminal)?;
    let ended = Ended(Arc::new(AtomicBool::new(false)));
    let mut world = World::start(ports, drawing, &sender, &ended.0).map_err(TuiError::Terminal)?;
    drop(sender);
    let outcome = turn(&mut model, &mut guard, &mut world, &events, options.panic_at_key);
    // The screen first: writing the last changes may take a moment.
    drop(guard);
    drop(watch);
    world.finish();
    let undone = undone(&events);
    match outcome {
        Err(TuiError::Signal { signal, session, .. }) => Err(TuiError::Signal { signal, session, undone }),
        Err(error) => Err(error),
        Ok(()) if undone.is_empty() => Ok(model.session()),
        Ok(()) => Err(TuiError::Undone { undone, session: Box::new(model.session()) }),
    }
}

/// What was asked for last and came to nothing, of which no screen tells any more.
fn undone(events: &Receiver<Event>) -> Vec<String> {
    let messages = events.try_iter().filter_map(|event| match event {
        Event::Msg(msg) => Some(msg),
        _ => None,
    });
    messages
        .filter_map(|msg| match msg {
            Msg::Failed(error) | Msg::Executed { error: Some(error), .. } => Some(error),
            Msg::Saved(path, Err(error)) => Some(format!("{}: {error}", crate::text::safe(&path))),
            _ => None,
        })
        .collect()
}

/// Tells the keyboard thread to end, however the loop ends.
struct Ended(Arc<AtomicBool>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn turn(
    model: &mut Model,
    guard: &mut Guard,
    world: &mut World,
    events: &Receiver<Event>,
    panic_at_key: bool,
) -> Result<(), TuiError> {
    let terminal = TuiError::Terminal;
    loop {
        guard.draw(model).map_err(terminal)?;
        update(model, Msg::Drawn);
        let Ok(first) = events.recv() else { return Ok(()) };
        for event in std::iter::once(first).chain(events.try_iter()) {
            let is_key = matches!(event, Event::Msg(Msg::Key(_)));
            assert!(!(panic_at_key && is_key), "asked to panic, to see the terminal given back");
            let cmds = match event {
                Event::Msg(msg) => update(model, msg),
                Event::Sleep => vec![Cmd::Suspend],
                Event::Woken => {
                    guard.forget().map_err(terminal)?;
                    Vec::new()
                }
                Event::End(signal) => {
                    let session = Box::new(model.session());
                    return Err(TuiError::Signal { signal, session, undone: Vec::new() });
                }
                Event::InputLost(error) => return Err(TuiError::Terminal(error)),
            };
            for cmd in cmds {
                match cmd {
                    Cmd::Quit => return Ok(()),
                    Cmd::Suspend => {
                        guard.sleep().map_err(terminal)?;
                        // The terminal has forgotten the pictures; its size may
                        // be another.
                        model.pictures.clear();
                        let (width, height) = crossterm::terminal::size().map_err(terminal)?;
                        let cmds = update(model, Msg::Resize(Size { width, height }));
                        cmds.into_iter().for_each(|cmd| world.execute(cmd));
                    }
                    other => world.execute(other),
                }
            }
        }
    }
}

/// The threads, by what is sent to them.
struct World {
    history: Sender<history::Request>,
    commands: Option<Sender<Vec<Command>>>,
    carrying_out: Option<JoinHandle<()>>,
    findings: Option<Sender<PassId>>,
    jobs: Option<Sender<jobs::Request>>,
    starting: Option<JoinHandle<()>>,
    runs: Option<Sender<(Arc<State>, RunId)>>,
    receipts: Option<Sender<BlobId>>,
    generators: Option<Sender<(Arc<State>, GeneratorId)>>,
    judgements: Option<Sender<judgements::Request>>,
    likeness: Option<Sender<judgements::Like>>,
    log_searches: Option<Sender<log_search::Request>>,
    latest_log_search: Arc<AtomicU64>,
    searches: Sender<Search>,
    latest_search: Arc<AtomicU64>,
    workers: Option<Workers>,
}

impl World {
    fn start(
        ports: Ports,
        drawing: Drawing,
        events: &Sender<Event>,
        ended: &Arc<AtomicBool>,
    ) -> io::Result<World> {
        let (history, requests) = unbounded();
        history::follow(ports.history, requests, events.clone())?;
        input::read(events.clone(), Arc::clone(ended))?;
        let (mut commands, mut carrying_out) = (None, None);
        if let Some(port) = ports.actions {
            let (sender, receiver) = unbounded();
            carrying_out = Some(actions::carry_out(port, receiver, events.clone(), history.clone())?);
            commands = Some(sender);
        }
        let mut findings = None;
        if let Some(port) = ports.findings {
            let (sender, receiver) = unbounded();
            jobs::read_findings(port, receiver, events.clone())?;
            findings = Some(sender);
        }
        let (mut jobs, mut starting) = (None, None);
        if let Some(port) = ports.jobs {
            let (sender, receiver) = unbounded();
            starting = Some(jobs::watch(port, receiver, events.clone())?);
            jobs = Some(sender);
        }
        let mut runs = None;
        if let Some(port) = ports.runs {
            let (sender, receiver) = unbounded();
            jobs::read_runs(port, receiver, events.clone())?;
            runs = Some(sender);
        }
        let mut receipts = None;
        if let Some(port) = ports.receipts {
            let (sender, receiver) = unbounded();
            jobs::read_receipts(port, receiver, events.clone())?;
            receipts = Some(sender);
        }
        let mut generators = None;
        if let Some(port) = ports.generators {
            let (sender, receiver) = unbounded();
            generators::read(port, receiver, events.clone())?;
            generators = Some(sender);
        }
        let mut judgements = None;
        if let Some(port) = ports.judgements {
            let (sender, receiver) = unbounded();
            judgements::read(port, receiver, events.clone())?;
            judgements = Some(sender);
        }
        let mut likeness = None;
        if let Some(port) = ports.likeness {
            let (sender, receiver) = unbounded();
            judgements::compare(port, receiver, events.clone())?;
            likeness = Some(sender);
        }
        let latest_log_search = Arc::new(AtomicU64::new(0));
        let mut log_searches = None;
        if let Some(port) = ports.log_search {
            let (sender, receiver) = unbounded();
            log_search::search(port, receiver, events.clone(), Arc::clone(&latest_log_search))?;
            log_searches = Some(sender);
        }
        let (searches, receiver) = unbounded();
        let latest_search = Arc::new(AtomicU64::new(0));
        search::search(receiver, events.clone(), Arc::clone(&latest_search))?;
        let workers = match drawing {
            Drawing::Off => None,
            drawing => {
                let count = std::thread::available_parallelism().map_or(1, usize::from).clamp(1, 4);
                Some(Workers::start(&ports.pictures, drawing, count, events)?)
            }
        };
        Ok(World {
            history,
            commands,
            carrying_out,
            findings,
            jobs,
            starting,
            runs,
            receipts,
            generators,
            judgements,
            likeness,
            log_searches,
            latest_log_search,
            searches,
            latest_search,
            workers,
        })
    }

    /// Hands a command to its thread. A thread that is gone has said why.
    fn execute(&mut self, cmd: Cmd) {
        match cmd {
            Cmd::LoadPast(seq) => {
                let _ = self.history.send(history::Request::Past(seq));
            }
            Cmd::LoadFrames { newest, limit } => {
                let _ = self.history.send(history::Request::Frames(newest, limit));
            }
            Cmd::SearchLog { generation, wanted, newest, after } => {
                self.latest_log_search.store(generation, Ordering::Relaxed);
                if let Some(sender) = &self.log_searches {
                    let _ = sender.send(log_search::Request { generation, wanted, newest, after });
                }
            }
            Cmd::FilterImages { generation, state, filter, order, known } => {
                self.latest_search.store(generation, Ordering::Relaxed);
                let _ = self.searches.send(Search { generation, state, filter, order, known });
            }
            Cmd::LoadKnown(state) => self.judge(judgements::Request::Known(state)),
            Cmd::LoadJudgements(state, image) => self.judge(judgements::Request::OfImage(state, image)),
            Cmd::LoadVotes(state, ensemble) => self.judge(judgements::Request::Votes(state, ensemble)),
            Cmd::FindNeighbours { state, image, past } => {
                if let Some(sender) = &self.likeness {
                    let _ = sender.send(judgements::Like { state, image, past });
                }
            }
            Cmd::Pictures(keys) => {
                if let Some(workers) = &self.workers {
                    workers.want(keys);
                }
            }
            Cmd::Execute(commands) => {
                if let Some(sender) = &self.commands {
                    let _ = sender.send(commands);
                }
            }
            Cmd::LoadFindings(pass) => {
                if let Some(sender) = &self.findings {
                    let _ = sender.send(pass);
                }
            }
            Cmd::LoadRun(state, run) => {
                if let Some(sender) = &self.runs {
                    let _ = sender.send((state, run));
                }
            }
            Cmd::LoadReceipt(blob) => {
                if let Some(sender) = &self.receipts {
                    let _ = sender.send(blob);
                }
            }
            Cmd::LoadGenerator(state, generator) => {
                if let Some(sender) = &self.generators {
                    let _ = sender.send((state, generator));
                }
            }
            Cmd::StartJob(request) => {
                if let Some(sender) = &self.jobs {
                    let _ = sender.send(jobs::Request::Start(request));
                }
            }
            Cmd::SaveRecipe { path, toml } => {
                if let Some(sender) = &self.jobs {
                    let _ = sender.send(jobs::Request::Save { path, toml });
                }
            }
            Cmd::CancelJob(id) => {
                if let Some(sender) = &self.jobs {
                    let _ = sender.send(jobs::Request::Cancel(id));
                }
            }
            // The loop itself does these.
            Cmd::Quit | Cmd::Suspend => {}
        }
    }

    fn judge(&self, request: judgements::Request) {
        if let Some(sender) = &self.judgements {
            let _ = sender.send(request);
        }
    }

    /// Waits until what the user decided is in the log and the jobs that were
    /// asked for have begun.
    fn finish(mut self) {
        self.commands = None;
        self.jobs = None;
        for thread in [self.carrying_out.take(), self.starting.take()].into_iter().flatten() {
            // A panic there was reported already.
            let _ = thread.join();
        }
    }
}
