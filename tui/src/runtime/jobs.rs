//! Lists, starts and stops jobs, and reads what they left, on threads of their own.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use safelight_lineage::digest::BlobId;
use safelight_lineage::id::{PassId, RunId};
use safelight_lineage::state::State;

use super::background::{Event, calmly, spawn};
use crate::msg::Msg;
use crate::ports::{Findings, JobRequest, JobView, Jobs};
use crate::replay_view::Receipts;
use crate::run_view::Runs;

/// How often the jobs are looked at.
const POLL: Duration = Duration::from_millis(500);

/// What is asked about jobs.
pub(super) enum Request {
    /// Start one.
    Start(JobRequest),
    /// Write a recipe to a new file.
    Save {
        /// The file.
        path: String,
        /// The recipe.
        toml: String,
    },
    /// Stop one.
    Cancel(String),
}

/// Watches the jobs until nobody asks any more. Who ends the interface joins this
/// thread: a job that was asked for is to have begun.
pub(super) fn watch(
    mut jobs: Box<dyn Jobs>,
    requests: Receiver<Request>,
    events: Sender<Event>,
) -> io::Result<JoinHandle<()>> {
    spawn("jobs", move || {
        let mut known: Option<Vec<JobView>> = None;
        loop {
            // A list that cannot be had for once is no news.
            if let Ok(views) = calmly(|| jobs.list())
                && known.as_ref() != Some(&views)
            {
                let _ = events.send(Event::Msg(Msg::Jobs(views.clone())));
                known = Some(views);
            }
            let done = match requests.recv_timeout(POLL) {
                Ok(Request::Start(request)) => calmly(|| jobs.start(request)),
                Ok(Request::Save { path, toml }) => {
                    let saved = calmly(|| jobs.save_recipe(&path, &toml));
                    let _ = events.send(Event::Msg(Msg::Saved(path, saved)));
                    Ok(())
                }
                Ok(Request::Cancel(id)) => calmly(|| jobs.cancel(&id)),
                Err(RecvTimeoutError::Timeout) => Ok(()),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if let Err(error) = done {
                let _ = events.send(Event::Msg(Msg::Failed(error)));
            }
        }
    })
}

/// Reads what is kept of runs until nobody asks any more.
pub(super) fn read_runs(
    mut port: Box<dyn Runs>,
    requests: Receiver<(Arc<State>, RunId)>,
    events: Sender<Event>,
) -> io::Result<()> {
    spawn("runs", move || {
        for (state, run) in requests {
            let read = calmly(|| port.run(&state, run)).map(Arc::new);
            let _ = events.send(Event::Msg(Msg::Run(run, read)));
        }
    })?;
    Ok(())
}

/// Reads receipts until nobody asks any more.
pub(super) fn read_receipts(
    mut port: Box<dyn Receipts>,
    blobs: Receiver<BlobId>,
    events: Sender<Event>,
) -> io::Result<()> {
    spawn("receipts", move || {
        for blob in blobs {
            let read = calmly(|| port.receipt(blob)).map(Arc::new);
            let _ = events.send(Event::Msg(Msg::Receipt(blob, read)));
        }
    })?;
    Ok(())
}

/// Reads findings until nobody asks any more.
pub(super) fn read_findings(
    mut findings: Box<dyn Findings>,
    passes: Receiver<PassId>,
    events: Sender<Event>,
) -> io::Result<()> {
    spawn("findings", move || {
        for pass in passes {
            let read = calmly(|| findings.findings(pass));
            let _ = events.send(Event::Msg(Msg::Findings(pass, read)));
        }
    })?;
    Ok(())
}
