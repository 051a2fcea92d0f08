//! What the terminal interface needs from the rest of the program.
//!
//! The interface knows the vocabulary and nothing of storage: the history, the
//! pictures and the way to change something come in through these traits. Every
//! call may block; each port is called from a thread of its own.

use std::sync::Arc;

use safelight_lineage::decide::Command;
use safelight_lineage::digest::BlobId;
use safelight_lineage::event::Frame;
use safelight_lineage::id::{ImageId, PassId, RunId};
use safelight_lineage::state::State;
use safelight_lineage::value::{ClassIndex, Seq, Timestamp};

use crate::generator_view::{Generators, LiveGenerator};
use crate::judgements::{Judgements, Likeness};
use crate::recipe::Recipes;
use crate::replay_view::{Receipts, ReplayView};
use crate::run_view::Runs;

/// Why a port could not do what it was asked; shown to the user as text.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct PortError(Box<dyn std::error::Error + Send + Sync>);

impl PortError {
    /// Wraps an error, or words.
    pub fn new(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        PortError(error.into())
    }
}

/// Reads the log.
pub trait History: Send {
    /// What the log says up to now, another process's events too. Called a few
    /// times a second: when nothing is new it must be cheap and should give the
    /// same `Arc` again.
    ///
    /// The interface lets go of an older state soon after it got a newer one.
    /// So an implementation need not copy the state for each event: it can keep
    /// two, publish one, and fold new frames into the other once
    /// [`Arc::get_mut`] finds it free.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn state(&mut self) -> Result<Arc<State>, PortError>;

    /// What the log said after the event at `seq`.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn state_as_of(&mut self, seq: Seq) -> Result<Arc<State>, PortError>;

    /// Up to `limit` frames, newest first, starting with the one that holds the
    /// event at `newest`.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn frames(&mut self, newest: Seq, limit: usize) -> Result<Vec<Frame>, PortError>;
}

/// Looks for words in the whole log. Called from a thread of its own.
pub trait LogSearch: Send {
    /// Looks through the frames up to the event at `newest`, newest first, and
    /// not at those up to the event at `after`; tells of each the Seq of its
    /// first event and whether it [mentions](crate::frame_mentions) `wanted`,
    /// until it is answered with `false`.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn search(
        &mut self,
        wanted: &str,
        newest: Seq,
        after: Seq,
        tell: &mut dyn FnMut(Seq, bool) -> bool,
    ) -> Result<(), PortError>;
}

/// Gives pictures. Called from several threads at once.
pub trait Pictures: Send + Sync {
    /// The picture that a blob holds.
    ///
    /// # Errors
    /// When there is no such blob or it is not a picture.
    fn picture(&self, blob: BlobId) -> Result<image::DynamicImage, PortError>;
}

/// Changes something.
pub trait Actions: Send {
    /// Decides `commands`, which do not depend on each other, and commits all of
    /// them as one frame; gives the frame, or none when there was nothing to do.
    ///
    /// # Errors
    /// When the rules reject one or they cannot be written; then none is.
    fn execute(
        &mut self,
        commands: Vec<Command>,
        message: Option<String>,
    ) -> Result<Option<Frame>, PortError>;
}

/// One image that a cleaning pass found suspicious.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The image.
    pub image: ImageId,
    /// The rule that found it.
    pub rule: String,
    /// The rule's score.
    pub score: f64,
    /// The label that the rule suggests.
    pub suggestion: Option<ClassIndex>,
    /// Images it is the same as, or nearly; they can be decided together.
    pub group: Vec<ImageId>,
    /// Anything more, in words.
    pub note: String,
}

/// Reads what cleaning passes found.
pub trait Findings: Send {
    /// The findings of a pass, the most suspicious first.
    ///
    /// # Errors
    /// When they cannot be read.
    fn findings(&mut self, pass: PassId) -> Result<Vec<Finding>, PortError>;
}

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobStatus {
    /// It runs.
    Running,
    /// It was asked to stop and has not yet.
    Stopping,
    /// It did what it should.
    Done,
    /// It could not.
    Failed,
    /// It was stopped.
    Cancelled,
}

/// One job as the interface shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct JobView {
    /// Names it for [`Jobs::cancel`].
    pub id: String,
    /// What it does, in words.
    pub title: String,
    /// How it stands.
    pub status: JobStatus,
    /// When it was started.
    pub started: Timestamp,
    /// How long it took, in seconds; none while it runs.
    pub took: Option<f64>,
    /// How much is done, 0 to 1, when known.
    pub progress: Option<f64>,
    /// When it may be done, in seconds from now.
    pub eta: Option<f64>,
    /// Its last lines of output, oldest first.
    pub output: Vec<String>,
    /// The training run in it.
    pub run: Option<RunId>,
    /// The replay in it.
    pub replay: Option<ReplayView>,
    /// What it told of the generator that it trains.
    pub generator: Option<LiveGenerator>,
    /// Figures over time by name (`train_loss`, `learning_rate`), for plots.
    pub series: Vec<(String, Vec<f64>)>,
}

/// What the rules of a cleaning pass judge by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// The pictures alone: duplicates, leakage, blank and unreadable ones.
    Pictures,
    /// Models that are trained for it, each of which judges what it has not seen.
    Models,
}

/// By whom samples are judged before they are let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judging {
    /// By the newest checkpoint, which only gives its opinion.
    Newest,
    /// By nobody: only how they differ and whether they are copies counts.
    Nobody,
    /// By a checkpoint, and only those enter that it is sure of.
    Sure {
        /// The least probability of their class, 0 to 1.
        least: String,
        /// The checkpoint, in hexadecimal digits; none for the newest.
        by: Option<String>,
    },
}

/// What can be started from the interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobRequest {
    /// Train by the recipe in this file.
    Train {
        /// The file.
        recipe: String,
    },
    /// Train by this recipe, which is kept with the job.
    TrainRecipe {
        /// The recipe, as TOML.
        toml: String,
        /// What is to compute: `auto`, `cpu` or `cuda:0`.
        device: String,
        /// The checkpoint to start from, in hexadecimal digits.
        from: Option<String>,
    },
    /// Go on with a run that was stopped.
    Resume {
        /// The run, in hexadecimal digits.
        run: String,
    },
    /// Let rules judge, and propose a cleaning pass.
    Clean {
        /// What they judge by.
        by: Evidence,
    },
    /// Replay a submission.
    Replay {
        /// The submission, in hexadecimal digits.
        submission: String,
        /// `votes`, `predictions` or `training`.
        depth: &'static str,
    },
    /// Train a generator.
    TrainGenerator {
        /// The file of its recipe; none for the usual one.
        recipe: Option<String>,
        /// The class to learn; none for all of them.
        class: Option<String>,
    },
    /// Go on with the training of a generator that was stopped.
    ResumeGenerator {
        /// The generator, in hexadecimal digits.
        generator: String,
    },
    /// Draw samples from a generator.
    Sample {
        /// The generator, in hexadecimal digits.
        generator: String,
        /// The class.
        class: String,
        /// How many.
        count: u32,
        /// What they are a function of, beside the generator and the class.
        seed: u64,
    },
    /// Measure samples.
    Quality {
        /// The samples, in hexadecimal digits.
        samples: String,
    },
    /// Let samples into the training split.
    Admit {
        /// The samples, in hexadecimal digits.
        samples: String,
        /// By whom they are judged.
        judging: Judging,
    },
}

impl JobRequest {
    /// What a file with a recipe is called where nobody gave it a name.
    pub const RECIPE_FILE: &'static str = "recipe.toml";

    /// The command line that does it, without the program. Where the recipe is
    /// text, it is taken to be in a file [`JobRequest::RECIPE_FILE`].
    pub fn arguments(&self) -> Vec<String> {
        self.arguments_with(JobRequest::RECIPE_FILE)
    }

    /// The same, with a recipe that is text in this file.
    pub fn arguments_with(&self, file: &str) -> Vec<String> {
        let words: Vec<&str> = match self {
            JobRequest::Train { recipe } => vec!["train", recipe],
            JobRequest::TrainRecipe { device, from, .. } => {
                let start = from.iter().flat_map(|from| ["--from", from]);
                ["train", file, "--device", device].into_iter().chain(start).collect()
            }
            JobRequest::Resume { run } => vec!["train", "--resume", run],
            JobRequest::Clean { by: Evidence::Pictures } => {
                let rules = [
                    "near-duplicate",
                    "leakage",
                    "conflicting-duplicate",
                    "blank",
                    "tiny",
                    "unreadable",
                    "colour-model",
                ];
                ["clean", "propose"]
                    .into_iter()
                    .chain(rules.into_iter().flat_map(|it| ["--rule", it]))
                    .collect()
            }
            JobRequest::Clean { by: Evidence::Models } => vec!["clean", "propose", "--folds", "3"],
            JobRequest::Replay { submission, depth } => vec!["replay", submission, "--depth", depth],
            JobRequest::ResumeGenerator { generator } => vec!["generate", "train", "--resume", generator],
            JobRequest::Quality { samples } => vec!["generate", "quality", samples],
            JobRequest::Admit { samples, judging } => {
                let how = match judging {
                    Judging::Newest => vec![],
                    Judging::Nobody => vec!["--unjudged"],
                    Judging::Sure { least, by } => {
                        let by = by.iter().flat_map(|by| ["--by", by]);
                        ["--min-confidence", least].into_iter().chain(by).collect()
                    }
                };
                ["generate", "admit", samples].into_iter().chain(how).collect()
            }
            // A class or a file may begin like an option.
            JobRequest::TrainGenerator { recipe, class } => {
                let class = class.iter().map(|class| format!("--class={class}"));
                let recipe = recipe.iter().flat_map(|recipe| ["--".to_owned(), recipe.clone()]);
                let words = ["generate", "train"].map(str::to_owned).into_iter();
                return words.chain(class).chain(recipe).collect();
            }
            JobRequest::Sample { generator, class, count, seed } => {
                return vec![
                    "generate".to_owned(),
                    "sample".to_owned(),
                    generator.clone(),
                    format!("--class={class}"),
                    format!("--number={count}"),
                    format!("--seed={seed}"),
                ];
            }
        };
        words.into_iter().map(str::to_owned).collect()
    }
}

/// Starts, lists and stops long work, which outlives the interface.
pub trait Jobs: Send {
    /// Every job that runs or ended lately, newest first. Called a few times a
    /// second.
    ///
    /// # Errors
    /// When they cannot be listed.
    fn list(&mut self) -> Result<Vec<JobView>, PortError>;

    /// Starts a job.
    ///
    /// # Errors
    /// When it cannot be started.
    fn start(&mut self, request: JobRequest) -> Result<(), PortError>;

    /// Writes a recipe to a new file.
    ///
    /// # Errors
    /// When there is a file of that name already, or it cannot be written.
    fn save_recipe(&mut self, path: &str, toml: &str) -> Result<(), PortError>;

    /// Asks a job to stop.
    ///
    /// # Errors
    /// When there is no such job.
    fn cancel(&mut self, id: &str) -> Result<(), PortError>;
}

/// Everything the interface needs. Screens whose port is absent say so.
pub struct Ports {
    /// Reads the log.
    pub history: Box<dyn History>,
    /// Looks for words in the whole log.
    pub log_search: Option<Box<dyn LogSearch>>,
    /// Gives pictures.
    pub pictures: Arc<dyn Pictures>,
    /// Changes something; without it the interface only reads.
    pub actions: Option<Box<dyn Actions>>,
    /// Reads what cleaning passes found.
    pub findings: Option<Box<dyn Findings>>,
    /// Runs long work.
    pub jobs: Option<Box<dyn Jobs>>,
    /// Knows the rules of recipes.
    pub recipes: Option<Arc<dyn Recipes>>,
    /// Reads what is kept of runs.
    pub runs: Option<Box<dyn Runs>>,
    /// Reads what is kept of generators.
    pub generators: Option<Box<dyn Generators>>,
    /// Reads what models said.
    pub judgements: Option<Box<dyn Judgements>>,
    /// Finds images that look alike.
    pub likeness: Option<Box<dyn Likeness>>,
    /// Reads receipts of replays.
    pub receipts: Option<Box<dyn Receipts>>,
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}
