//! Long work, started, watched and stopped from the terminal interface; the same
//! jobs that `safelight jobs` lists.

use std::fs::File;
use std::io::Write as _;

use safelight_lineage::value::{Seq, Timestamp};
use safelight_tui::{
    GeneratorEpochView, JobRequest, JobStatus, JobView, Jobs, LiveGenerator, PortError, ReplayStep,
    ReplayView,
};

use super::generators::epoch_view;
use super::ports::SharedSession;
use crate::jobs::folder::Status;
use crate::jobs::generator::GeneratorAccount;
use crate::jobs::line::Compared;
use crate::jobs::registry::{Registry, global};
use crate::jobs::replay::ReplayAccount;
use crate::jobs::watch::{Watched, Watcher, recipe};
use crate::runs::death::record_death;

/// The jobs of the session's repository.
pub(super) struct StoredJobs {
    session: SharedSession,
    registry: Registry,
    watcher: Watcher,
}

impl StoredJobs {
    pub(super) fn new(session: SharedSession, cache: &std::path::Path) -> StoredJobs {
        let registry = Registry::new(cache);
        StoredJobs { session, watcher: Watcher::new(registry.clone()), registry }
    }
}

impl Jobs for StoredJobs {
    fn list(&mut self) -> Result<Vec<JobView>, PortError> {
        let session = self.session.clone();
        let jobs = self.watcher.look(&|run| recipe(&session.lock(), run)).map_err(PortError::new)?;
        let views = jobs.iter().map(|job| view(job)).collect();
        for run in jobs.iter().filter_map(|job| job.orphan()) {
            record_death(&mut self.session.lock(), run, "its processes were killed")
                .map_err(PortError::new)?;
        }
        Ok(views)
    }

    fn start(&mut self, request: JobRequest) -> Result<(), PortError> {
        let global = global(&self.session.lock());
        let started = match &request {
            JobRequest::TrainRecipe { toml, .. } => {
                let file = (JobRequest::RECIPE_FILE, toml.as_bytes());
                self.registry.start_with(&global, file, |path| request.arguments_with(path))
            }
            _ => self.registry.start(&global, request.arguments()),
        };
        started.map(drop).map_err(PortError::new)
    }

    fn save_recipe(&mut self, path: &str, toml: &str) -> Result<(), PortError> {
        let mut file = File::create_new(path).map_err(PortError::new)?;
        file.write_all(toml.as_bytes()).map_err(PortError::new)
    }

    fn cancel(&mut self, id: &str) -> Result<(), PortError> {
        let jobs = self.registry.list().map_err(PortError::new)?;
        let found = jobs.into_iter().find(|(job, _)| job.id == id);
        let (_, folder) = found.ok_or_else(|| PortError::new(format!("there is no job {id}")))?;
        folder.ask_to_stop().map_err(PortError::new)
    }
}

fn view(watched: &Watched) -> JobView {
    let account = &watched.account;
    let mut output: Vec<String> = account.words.iter().cloned().collect();
    if account.failure.is_none() {
        output.extend(watched.errors.lines().map(str::to_owned));
    }
    if watched.status == Status::Died {
        output.push("its processes are gone and none said how it ended: it was killed".to_owned());
    }
    if !account.doing.is_empty() {
        output.push(account.doing.clone());
    }
    let figures = &account.figures;
    let critic = account.generator.as_ref().map_or(&[][..], |it| &it.critic_distances);
    let series: [(&str, &[f64]); 5] = [
        ("train_loss", &figures.losses),
        ("learning_rate", &figures.rates),
        ("valid_loss", &figures.valid_losses),
        ("accuracy", &figures.accuracies),
        ("critic_distance", critic),
    ];
    JobView {
        id: watched.job.id.clone(),
        title: watched.job.arguments.join(" "),
        status: match watched.status {
            Status::Running => JobStatus::Running,
            Status::Stopping => JobStatus::Stopping,
            Status::Done => JobStatus::Done,
            Status::Failed | Status::Died => JobStatus::Failed,
            Status::Cancelled => JobStatus::Cancelled,
        },
        started: Timestamp(watched.job.started),
        took: watched.end.map(|end| end.ended.saturating_sub(watched.job.started) as f64 / 1_000.0),
        progress: account.progress,
        eta: account.eta,
        output,
        run: account.run,
        replay: account.replay.as_ref().and_then(replay),
        generator: account.generator.as_ref().map(live),
        series: series
            .into_iter()
            .filter(|(_, values)| !values.is_empty())
            .map(|(name, values)| (name.to_owned(), values.to_vec()))
            .collect(),
    }
}

/// The replay in a job; none where its submission is no id.
fn replay(account: &ReplayAccount) -> Option<ReplayView> {
    let step = |compared: &Compared| ReplayStep {
        what: compared.what.clone(),
        seq: Seq(compared.seq),
        expected: compared.expected.clone(),
        actual: compared.actual.clone(),
        note: compared.note.clone(),
    };
    Some(ReplayView {
        submission: account.submission.parse().ok()?,
        depth: account.depth.clone(),
        doing: account.step.clone(),
        steps: account.compared.iter().map(step).collect(),
        verdict: account.verdict.clone(),
    })
}

fn live(account: &GeneratorAccount) -> LiveGenerator {
    LiveGenerator {
        generator: account.generator,
        // Their grids are read from where they lie: the blobs may not be readable yet.
        epochs: account
            .epochs
            .values()
            .map(|epoch| GeneratorEpochView { grid: None, ..epoch_view(epoch) })
            .collect(),
        critic_distances: account.critic_distances.clone(),
    }
}
