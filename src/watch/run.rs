//! The watch itself: wait, look, and propose or commit.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use safelight_lineage::value::PathBytes;

use super::hints::{Hints, Means, Woken};
use super::survey::{Change, Look, Surveyor};
use crate::import::Stamp;
use crate::import::run::{ImportError, ImportOptions, Imported, run as import};
use crate::session::Session;

/// How to watch.
#[derive(Debug, Clone)]
pub struct WatchOptions {
    /// How the folder is organised and its files are checked.
    pub import: ImportOptions,
    /// Bring what is new or changed into the log, not only say it.
    pub auto: bool,
    /// How long a file must hold still before it is read.
    pub settle: Duration,
    /// Look this often instead of asking the system for hints.
    pub poll: Option<Duration>,
    /// End when everything holds still.
    pub once: bool,
}

/// What a watch has to say.
#[derive(Debug)]
pub enum Said<'a> {
    /// It has begun, or goes on by other means.
    Watching(&'a Means),
    /// The system lost count of changes; everything is looked at.
    Overflow,
    /// Something differs from the log. With [`WatchOptions::auto`] only what
    /// vanished is said: the rest is imported.
    Proposed(&'a Change),
    /// Something was brought in.
    Imported(&'a Imported),
    /// Looking or importing failed; it is tried again.
    Failed(&'a ImportError),
}

/// Watches until `stop` is set, or until everything holds still when told so.
///
/// Nothing is ever removed: what vanished is said once, and said again when it
/// was back in between.
///
/// # Errors
/// When the folder cannot be used from the beginning, or the log not be read.
pub fn run(
    session: &mut Session,
    folder: &Path,
    options: &WatchOptions,
    stop: &AtomicBool,
    say: &mut dyn FnMut(&Session, Said<'_>),
) -> Result<(), ImportError> {
    // Before the first look, so that nothing falls between the two.
    let mut hints = Hints::of(folder, options.poll);
    let cache = session.repository().cache_dir();
    let mut surveyor = Surveyor::new(&cache, folder, options.import.walk.clone(), options.settle);
    say(session, Said::Watching(hints.means()));
    let mut said: BTreeMap<PathBytes, (Change, Option<Stamp>)> = BTreeMap::new();
    let mut first = true;
    loop {
        session.repository_mut().refresh().map_err(crate::session::SessionError::from)?;
        let begun = Instant::now();
        let unsettled = match surveyor.look(session.state(), begun) {
            Ok(look) => {
                let unsettled = look.unsettled;
                if options.auto && !look.settled.is_empty() {
                    match bring_in(session, folder, options, &look, stop) {
                        Ok(done) => say(session, Said::Imported(&done)),
                        Err(error) => say(session, Said::Failed(&error)),
                    }
                }
                propose(session, options, look, &mut said, say);
                unsettled
            }
            Err(error) if first => return Err(error.into()),
            Err(error) => {
                say(session, Said::Failed(&error.into()));
                0
            }
        };
        first = false;
        if options.once && unsettled == 0 {
            return Ok(());
        }
        // A look that takes long must not be all that is done.
        let due = (unsettled > 0).then(|| options.settle.max(begun.elapsed() * 2));
        let means = hints.means().clone();
        match hints.wait(due, stop) {
            Woken::Stop => return Ok(()),
            Woken::Overflow => say(session, Said::Overflow),
            Woken::Look => {}
        }
        if *hints.means() != means {
            say(session, Said::Watching(hints.means()));
        }
    }
}

/// Imports the files that hold still, and only these.
fn bring_in(
    session: &mut Session,
    folder: &Path,
    options: &WatchOptions,
    look: &Look,
    stop: &AtomicBool,
) -> Result<Imported, ImportError> {
    let options = ImportOptions { only: Some(look.settled.clone()), ..options.import.clone() };
    import(session, folder, &options, stop, &mut |_| ())
}

/// Says each change once, for as long as it lasts.
fn propose(
    session: &Session,
    options: &WatchOptions,
    look: Look,
    said: &mut BTreeMap<PathBytes, (Change, Option<Stamp>)>,
    say: &mut dyn FnMut(&Session, Said<'_>),
) {
    let mut now = BTreeMap::new();
    for change in look.changes {
        let path = change.path().clone();
        let known = (change, look.settled.get(&path).copied());
        let silent = options.auto && !matches!(known.0, Change::Vanished { .. });
        if !silent && said.get(&path) != Some(&known) {
            say(session, Said::Proposed(&known.0));
        }
        now.insert(path, known);
    }
    *said = now;
}
