//! Finding a learning rate in this process: the work of a finder child.
//!
//! The log has it as a run that leaves a curve and a suggestion and no
//! checkpoint: its steps are those of a throw-away copy of the network.

use std::io::Write;

use safelight_lineage::event::{LearningRateFound, RunCancelled, RunFailed, RunFinished};
use safelight_lineage::value::Real;
use serde::Serialize;

use super::StoredImages;
use super::execute::{Ending, ExecuteError, Order, begin, program, started};
use super::report::JobEvent;
use crate::session::Session;
use crate::stop::Stop;
use crate::train::metrics::History;
use crate::train::rate_finder::Method;
use crate::train::torch;

/// Draws the curve for `stage` of the ordered recipe and records it with the
/// rate that `method` reads from it; lines of JSON go to `output`.
///
/// # Errors
/// When the run cannot be started, fails, or its curve suggests nothing; a
/// failure of the work is recorded as RunFailed first.
pub fn find(
    session: &mut Session,
    order: &Order,
    stage: usize,
    method: Method,
    stop: &Stop,
    output: &mut dyn Write,
) -> Result<Ending, ExecuteError> {
    let blobs = session.repository().blobs().clone();
    let (prepared, run) = begin(session, order)?;
    let mut lines = Lines(output);
    lines.say(&started(&prepared, run, order));
    session.set_actor(program());
    let images = StoredImages(blobs.clone());
    let cache = session.repository().cache_dir();
    let curve = torch::find_rate(
        &prepared.plan,
        stage,
        &images,
        Some(&cache),
        order.machine,
        &mut |progress| lines.say(progress),
        stop.flag(),
    );
    let fail = |session: &mut Session, reason: String| {
        session.record(None, |_, _| RunFailed { run, reason: reason.clone(), metrics: None, resume: None })
    };
    let curve = match curve {
        Ok(Some(curve)) => curve,
        Ok(None) => {
            let reason = "told to stop".to_owned();
            session.record(None, |_, _| RunCancelled {
                run,
                reason: reason.clone(),
                metrics: None,
                resume: None,
            })?;
            lines.say(&JobEvent::RunEnded { status: "cancelled".to_owned(), reason: Some(reason) });
            return Ok(Ending::Cancelled);
        }
        Err(error) => {
            fail(session, error.to_string())?;
            lines.say(&JobEvent::RunEnded { status: "failed".to_owned(), reason: Some(error.to_string()) });
            return Err(error.into());
        }
    };
    let Some(suggestion) = curve.suggest(method) else {
        let error = ExecuteError::NoRate { method, steps: curve.rates.len() };
        fail(session, error.to_string())?;
        lines.say(&JobEvent::RunEnded { status: "failed".to_owned(), reason: Some(error.to_string()) });
        return Err(error);
    };
    let blob = blobs.put(&serde_json::to_vec(&curve).expect("numbers have a JSON form"))?;
    let found = |method: String| LearningRateFound { run, curve: blob, suggestion: Real(suggestion), method };
    session.record(None, |_, _| found(method.to_string()))?;
    lines.say(&JobEvent::RateFound {
        run: run.to_string(),
        curve: blob.to_string(),
        suggestion,
        method: method.to_string(),
    });
    let history = History { classes: prepared.plan.classes.clone(), ..History::default() };
    let metrics = blobs.put(&history.to_json())?;
    session.record(None, |_, _| RunFinished { run, metrics })?;
    lines.say(&JobEvent::RunEnded { status: "finished".to_owned(), reason: None });
    Ok(Ending::Finished)
}

/// Lines of JSON for who watches.
struct Lines<'a>(&'a mut dyn Write);

impl Lines<'_> {
    // Nobody may be reading any more; the work goes on regardless.
    fn say(&mut self, line: &impl Serialize) {
        if let Ok(text) = serde_json::to_string(line) {
            let _ = writeln!(self.0, "{text}").and_then(|()| self.0.flush());
        }
    }
}
