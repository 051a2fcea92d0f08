//! `safelight jobs`.

use std::time::{Duration, Instant};

use safelight_lineage::id::RunId;

use super::context::Context;
use super::output::columns;
use super::words;
use crate::error::{AppError, Exit};
use crate::jobs::folder::{Status, now};
use crate::jobs::registry::{Registry, global};
use crate::jobs::watch::{Watched, Watcher, recipe};
use crate::runs::death::record_death;
use crate::session::Session;
use crate::stop::Stop;

/// How often a job is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// List long work, running and ended; show, follow, stop or start it
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight jobs\n  safelight jobs show 7f3a\n  safelight jobs follow 7f3a\n  \
                  safelight jobs cancel 7f3a\n  safelight jobs start -- train recipe.toml\n\n\
                  Trainings, predictions, cleaning passes and deep replays are jobs wherever they were\n\
                  started. One that was started here or in the terminal interface goes on when that ends."
)]
pub struct JobsArgs {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List every job, newest first (the default)
    #[command(after_help = "Examples:\n  safelight jobs list\n  safelight jobs list --json")]
    List,
    /// Show a job: how far it is and what it wrote
    #[command(after_help = "Examples:\n  safelight jobs show 7f3a")]
    Show {
        /// The job, by the beginning of its id.
        job: String,
    },
    /// Show what a job writes until it ends, and end as it does
    #[command(after_help = "Examples:\n  safelight jobs follow 7f3a\n\nCtrl-C leaves; the job goes on.")]
    Follow {
        /// The job, by the beginning of its id.
        job: String,
    },
    /// Ask a job to stop, wait for it, and kill it when it does not
    #[command(
        after_help = "Examples:\n  safelight jobs cancel 7f3a\n  safelight jobs cancel 7f3a --patience 5"
    )]
    Cancel {
        /// The job, by the beginning of its id.
        job: String,
        /// Seconds that it may take before it is killed.
        #[arg(long, value_name = "SECONDS", default_value_t = 150)]
        patience: u64,
    },
    /// Start a command as a job that goes on by itself
    #[command(
        after_help = "Examples:\n  safelight jobs start -- train recipe.toml\n  safelight jobs start -- clean propose --rule near-duplicate"
    )]
    Start {
        /// The command, as after `safelight`.
        #[arg(required = true, num_args = 1.., trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
}

pub fn run(args: &JobsArgs, context: &Context) -> Result<Exit, AppError> {
    let mut session = context.session()?;
    let cache = session.repository().cache_dir();
    let registry = Registry::new(&cache);
    if let Some(Action::Start { command }) = &args.action {
        // What cannot even be read is said now, not by a job that fails later.
        super::check(command)?;
        let job = registry
            .start(&global(&session), command.clone())
            .map_err(|error| AppError::io("start a job in", &cache.join("jobs"), &error))?;
        context.out.line(format!("job {}: safelight {}", job.id, command_line(&job.arguments)));
        context.out.line(format!("next: safelight jobs follow {}", job.id));
        context.out.document(&serde_json::json!({ "job": job.id, "arguments": job.arguments }));
        return Ok(Exit::Done);
    }
    let mut watcher = Watcher::new(registry);
    let orphans = orphans(&look(&mut watcher, &session)?);
    bury(&mut session, orphans)?;
    match &args.action {
        None | Some(Action::List) => list(&look(&mut watcher, &session)?, context),
        Some(Action::Show { job }) => {
            let jobs = look(&mut watcher, &session)?;
            show(one(&jobs, job)?, context);
        }
        Some(Action::Follow { job }) => return follow(&mut watcher, &session, job, context),
        Some(Action::Cancel { job, patience }) => {
            return cancel(&mut watcher, &mut session, job, Duration::from_secs(*patience), context);
        }
        Some(Action::Start { .. }) => {}
    }
    Ok(Exit::Done)
}

fn look<'a>(watcher: &'a mut Watcher, session: &Session) -> Result<Vec<&'a Watched>, AppError> {
    let jobs = session.repository().cache_dir().join("jobs");
    watcher.look(&|run| recipe(session, run)).map_err(|error| AppError::io("read the jobs in", &jobs, &error))
}

fn orphans(jobs: &[&Watched]) -> Vec<RunId> {
    jobs.iter().filter_map(|job| job.orphan()).collect()
}

/// Records the end of runs whose processes were all killed.
fn bury(session: &mut Session, runs: Vec<RunId>) -> Result<(), AppError> {
    for run in runs {
        record_death(session, run, "its processes were killed")?;
    }
    Ok(())
}

/// Command lines hold what users typed; control characters stay visible.
fn command_line(arguments: &[String]) -> String {
    words::text(&arguments.join(" "))
}

fn one<'a>(jobs: &[&'a Watched], text: &str) -> Result<&'a Watched, AppError> {
    let found: Vec<&&Watched> = jobs.iter().filter(|job| job.job.id.starts_with(text)).collect();
    match found[..] {
        [job] => Ok(job),
        [] => Err(AppError::refused(format!("there is no job {}", words::text(text)))
            .hint("see them all with: safelight jobs")),
        _ => {
            let ids: Vec<&str> = found.iter().map(|job| job.job.id.as_str()).collect();
            Err(AppError::refused(format!("'{}' is the beginning of {}", words::text(text), ids.join(", "))))
        }
    }
}

fn list(jobs: &[&Watched], context: &Context) {
    let out = &context.out;
    if jobs.is_empty() {
        out.line("no job runs or ended lately");
    } else {
        let mut rows = vec![["job", "status", "done", "left", "command"].map(str::to_owned).to_vec()];
        rows.extend(jobs.iter().map(|job| {
            vec![
                job.job.id.clone(),
                job.status.name().to_owned(),
                job.account.progress.map_or_else(|| "–".to_owned(), |done| format!("{:.0} %", done * 100.0)),
                job.account.eta.map_or_else(|| "–".to_owned(), seconds),
                command_line(&job.job.arguments),
            ]
        }));
        columns(&rows).iter().for_each(|line| out.line(line));
    }
    out.document(&jobs.iter().map(|job| document(job)).collect::<Vec<_>>());
}

fn seconds(seconds: f64) -> String {
    super::duration::words(Duration::from_secs_f64(seconds.clamp(0.0, 1e9)))
}

fn document(job: &Watched) -> serde_json::Value {
    serde_json::json!({
        "job": job.job.id,
        "arguments": job.job.arguments,
        "status": job.status,
        "started": job.job.started,
        "ended": job.end.map(|end| end.ended),
        "exit_code": job.end.map(|end| end.exit_code),
        "doing": job.account.doing,
        "progress": job.account.progress,
        "eta_seconds": job.account.eta,
        "run": job.account.run,
        "result": job.account.result,
        "failure": job.account.failure,
        "processes": job.folder.processes(),
    })
}

fn show(job: &Watched, context: &Context) {
    let out = &context.out;
    let ago = seconds(now().saturating_sub(job.job.started) as f64 / 1_000.0);
    out.line(format!("job       {}  {}", job.job.id, job.status.name()));
    out.line(format!("command   safelight {}", command_line(&job.job.arguments)));
    out.line(format!("started   {ago} ago"));
    if let Some(run) = job.account.run {
        out.line(format!("run       {run}"));
    }
    if let Some(progress) = job.account.progress {
        let left = job.account.eta.map_or_else(String::new, |eta| format!(", {} left", seconds(eta)));
        out.line(format!("done      {:.0} %{left}  {}", progress * 100.0, words::text(&job.account.doing)));
    }
    out.line(format!("output    {}", words::text(&job.folder.output().display().to_string())));
    job.account.words.iter().for_each(|line| out.line(words::text(line)));
    if job.account.failure.is_none() && !job.errors.is_empty() {
        job.errors.lines().for_each(|line| out.line(words::text(line)));
    }
    out.document(&document(job));
}

/// How a job that ended ends whoever waited for it.
fn exit_of(job: &Watched) -> Exit {
    match job.end.and_then(|end| Exit::from_code(i32::from(end.exit_code))) {
        Some(exit) => exit,
        None if job.status == Status::Cancelled => Exit::Terminated,
        None => Exit::Failed,
    }
}

fn follow(watcher: &mut Watcher, session: &Session, text: &str, context: &Context) -> Result<Exit, AppError> {
    let stop = Stop::install();
    let id = one(&look(watcher, session)?, text)?.job.id.clone();
    let bar = context.out.bar("", 0, "%");
    let mut shown = 0;
    loop {
        let jobs = look(watcher, session)?;
        let job = one(&jobs, &id)?;
        // Only the last words are kept: those that were dropped are not shown.
        let told = job.account.told();
        let fresh = (told - shown).min(job.account.words.len());
        for line in job.account.words.iter().skip(job.account.words.len() - fresh) {
            bar.suspend(|| context.out.line(words::text(line)));
        }
        shown = told;
        if job.status.is_over() {
            bar.finish_and_clear();
            context.out.document(&document(job));
            return Ok(exit_of(job));
        }
        bar.set_length(100);
        bar.set_position((job.account.progress.unwrap_or(0.0) * 100.0) as u64);
        bar.set_message(words::text(&job.account.doing));
        if stop.is_asked() {
            bar.finish_and_clear();
            context.out.notice(&format!("job {id} goes on"));
            return Ok(stop.exit());
        }
        std::thread::sleep(LOOK);
    }
}

fn cancel(
    watcher: &mut Watcher,
    session: &mut Session,
    text: &str,
    patience: Duration,
    context: &Context,
) -> Result<Exit, AppError> {
    let jobs = look(watcher, session)?;
    let job = one(&jobs, text)?;
    if job.status.is_over() {
        return Err(AppError::refused(format!("job {} does not run: {}", job.job.id, job.status.name())));
    }
    let (id, folder) = (job.job.id.clone(), job.folder.clone());
    folder.ask_to_stop().map_err(|error| AppError::io("stop the job in", folder.path(), &error))?;
    let asked = Instant::now();
    let spinner = context.out.spinner("stopping");
    let mut killed = false;
    loop {
        let jobs = look(watcher, session)?;
        let job = one(&jobs, &id)?;
        if job.status.is_over() {
            spinner.finish_and_clear();
            let how = if killed { "was killed" } else { "stopped" };
            context.out.line(format!("job {id} {how}"));
            context.out.document(&document(job));
            let orphans = orphans(&jobs);
            bury(session, orphans)?;
            return Ok(Exit::Done);
        }
        if asked.elapsed() > patience && !killed {
            folder.kill();
            killed = true;
        }
        std::thread::sleep(LOOK);
    }
}
