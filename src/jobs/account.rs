//! What a job's lines say up to now: how far it is, how long it will take, its
//! words, and its figures over time.

use std::collections::VecDeque;

use safelight_lineage::id::RunId;
use serde_json::Value;

use super::generator::GeneratorAccount;
use super::line::Line;
use super::replay::ReplayAccount;
use crate::generate::progress::GenerateLine;
use crate::runs::report::{JobEvent, JobLine};
use crate::train::progress::Progress;
use crate::train::recipe::Recipe;

/// So many lines of words are kept.
const WORDS: usize = 400;
/// Judging an image costs about a third of learning from it: no way back.
const JUDGING: f64 = 1.0 / 3.0;

/// What a job's lines say up to now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Account {
    /// What goes on, in words.
    pub doing: String,
    /// How much is done, 0 to 1, when known.
    pub progress: Option<f64>,
    /// Seconds that are left, when that can be told.
    pub eta: Option<f64>,
    /// Its last words, oldest first.
    pub words: VecDeque<String>,
    /// The figures of the newest training in it.
    pub figures: Figures,
    /// The newest training of a generator in it.
    pub generator: Option<GeneratorAccount>,
    /// The newest training run in it.
    pub run: Option<RunId>,
    /// The newest replay in it.
    pub replay: Option<ReplayAccount>,
    /// Its result, as under `--json`.
    pub result: Option<Value>,
    /// Why it failed, if it said so.
    pub failure: Option<String>,
    told: usize,
    training: Option<Training>,
}

/// Figures of a training over time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// The loss of every step.
    pub losses: Vec<f64>,
    /// The learning rate of every step.
    pub rates: Vec<f64>,
    /// At which steps stages begin.
    pub stages: Vec<usize>,
    /// The accuracy after every epoch, where it was judged.
    pub accuracies: Vec<f64>,
    /// The validation loss after every epoch, where it was judged.
    pub valid_losses: Vec<f64>,
    /// After how many of these epochs stages begin.
    pub epoch_stages: Vec<usize>,
}

/// Where a training is.
#[derive(Debug, Clone, PartialEq)]
struct Training {
    train: f64,
    valid: f64,
    recipe: Option<Recipe>,
    stage: u32,
    stages: u32,
    epochs: u32,
    steps: u32,
    /// Epochs of this stage that ended.
    ended: f64,
    /// Seconds of its last epoch, or what its steps so far make likely.
    epoch_seconds: Option<f64>,
    measured: bool,
}

impl Account {
    /// Takes in a line.
    pub fn read(&mut self, line: &str) {
        if let Some(line) = Line::parse(line) {
            self.general(line);
        } else if let Some(line) = JobLine::parse(line) {
            match line {
                JobLine::Log(event) => self.log(event),
                JobLine::Work(progress) => self.work(progress),
            }
        } else if let Some(line) = GenerateLine::parse(line) {
            self.generator(line);
        }
        // Anything else is of a newer program, and for somebody else.
    }

    /// Tells what recipe the training has, so that later stages count too.
    pub fn set_recipe(&mut self, recipe: Recipe) {
        if let Some(training) = &mut self.training {
            training.recipe = Some(recipe);
        }
    }

    /// Whether the recipe of the training is still wanted.
    pub fn wants_recipe(&self) -> Option<RunId> {
        self.run.filter(|_| self.training.as_ref().is_some_and(|training| training.recipe.is_none()))
    }

    fn say(&mut self, text: String) {
        if self.words.len() == WORDS {
            self.words.pop_front();
        }
        self.words.push_back(text);
        self.told += 1;
    }

    /// How many words there were, those too that are not kept.
    pub fn told(&self) -> usize {
        self.told
    }

    fn general(&mut self, line: Line) {
        match line {
            // Of a training more is known than its bar shows.
            Line::Progress { .. } if self.training.is_some() => {}
            // Nor of a generator, but before its first epoch ended.
            Line::Progress { eta_seconds, .. } if self.generator.is_some() => {
                self.eta = self.generator.as_ref().and_then(GeneratorAccount::eta).or(eta_seconds);
            }
            Line::Progress { what, done, total, message, eta_seconds } => {
                let gap = if message.is_empty() { "" } else { " · " };
                self.doing = format!("{what}{gap}{message}");
                self.progress = total.map(|total| (done as f64 / total as f64).clamp(0.0, 1.0));
                self.eta = eta_seconds;
            }
            Line::Said { text } | Line::Noticed { text } => self.say(text),
            Line::ReplayStarted { submission, depth } => {
                self.replay = Some(ReplayAccount::new(submission, depth));
            }
            // Of a replay whose beginning was not read, nothing is known.
            Line::ReplayStep { .. } | Line::ReplayCompared(_) | Line::ReplayEnded { .. } => {
                if let Some(replay) = &mut self.replay {
                    replay.read(line);
                }
            }
            Line::Result { document } => self.result = Some(document),
            Line::Failed { error, hints, .. } => {
                self.say(format!("error: {error}"));
                hints.iter().for_each(|hint| self.say(format!("  hint: {hint}")));
                self.failure = Some(error);
            }
        }
    }

    fn log(&mut self, event: JobEvent) {
        match event {
            JobEvent::RunStarted { run, train, valid, .. } => {
                self.run = run.parse().ok();
                self.figures = Figures::default();
                self.training = Some(Training {
                    train: train as f64,
                    valid: valid as f64,
                    recipe: None,
                    stage: 0,
                    stages: 1,
                    epochs: 1,
                    steps: 0,
                    ended: 0.0,
                    epoch_seconds: None,
                    measured: false,
                });
            }
            JobEvent::RunEnded { .. } => {
                self.training = None;
                self.eta = None;
            }
            JobEvent::CheckpointSaved { .. } | JobEvent::RateFound { .. } => {}
        }
    }

    fn work(&mut self, progress: Progress) {
        match progress {
            Progress::Decoding { done, total } => {
                self.doing = format!("decoding {done} of {total} pictures");
            }
            Progress::Predicting { done, total } => {
                self.doing = format!("predicting {done} of {total} views");
                self.progress = Some(done as f64 / total.max(1) as f64);
            }
            Progress::Validating { done, total } => {
                self.doing = format!("{} · judging {done} of {total}", self.stage_in_words());
            }
            Progress::StageStarted { stage, stages, epochs, steps, .. } => {
                self.figures.stages.push(self.figures.losses.len());
                self.figures.epoch_stages.push(self.figures.accuracies.len());
                if let Some(training) = &mut self.training {
                    (training.stage, training.stages) = (stage, stages);
                    (training.epochs, training.steps) = (epochs, steps);
                    (training.ended, training.epoch_seconds, training.measured) = (0.0, None, false);
                }
            }
            Progress::EpochStarted { epoch, .. } => self.reached(f64::from(epoch)),
            Progress::Step { epoch, step, steps, loss, learning_rate, images_per_second, .. } => {
                self.figures.losses.push(loss);
                self.figures.rates.push(learning_rate);
                if let Some(training) = &mut self.training
                    && !training.measured
                    && images_per_second > 0.0
                {
                    let images = training.train + training.valid * JUDGING;
                    let now = images / images_per_second;
                    // Single steps vary; their mean settles.
                    let before = training.epoch_seconds.unwrap_or(now);
                    training.epoch_seconds = Some(0.9 * before + 0.1 * now);
                }
                self.reached(f64::from(epoch) + f64::from(step + 1) / f64::from(steps.max(1)));
                self.doing = format!("{} · epoch {} · loss {loss:.3}", self.stage_in_words(), epoch + 1);
            }
            Progress::EpochFinished { epoch, metrics, seconds, .. } => {
                let of = |name: &str| metrics.get(name).copied();
                self.figures.accuracies.extend(of("accuracy"));
                self.figures.valid_losses.extend(of("valid_loss"));
                if let Some(training) = &mut self.training {
                    (training.epoch_seconds, training.measured) = (Some(seconds), true);
                }
                self.reached(f64::from(epoch) + 1.0);
            }
            Progress::StageFinished { .. } => {}
        }
    }

    fn generator(&mut self, line: GenerateLine) {
        if let Some(begun) = GeneratorAccount::begun(&line) {
            self.generator = Some(begun);
        }
        let Some(generator) = &mut self.generator else { return };
        generator.read(line);
        self.progress = Some(generator.progress());
        self.doing = generator.doing();
        self.eta = generator.eta().or(self.eta);
    }

    fn stage_in_words(&self) -> String {
        let (stage, stages) = self.training.as_ref().map_or((0, 1), |it| (it.stage, it.stages));
        format!("stage {} of {stages}", stage + 1)
    }

    /// So many epochs of the stage are done.
    fn reached(&mut self, epochs: f64) {
        let Some(training) = &mut self.training else { return };
        training.ended = epochs;
        // What a stage costs, by the pixels that it looks at; one like another
        // while the recipe is not known.
        let cost = |stage: usize| match training.recipe.as_ref().and_then(|recipe| recipe.stage.get(stage)) {
            Some(stage) => f64::from(stage.epochs()) * f64::from(stage.size).powi(2),
            None => 1.0,
        };
        let here = training.stage as usize;
        let share = (epochs / f64::from(training.epochs.max(1))).min(1.0);
        let before: f64 = (0..here).map(cost).sum();
        let after: f64 = (here + 1..training.stages as usize).map(cost).sum();
        let all = before + cost(here) + after;
        self.progress = (all > 0.0).then(|| (before + share * cost(here)) / all);
        self.eta = training.epoch_seconds.map(|seconds| {
            let whole = seconds * f64::from(training.epochs);
            whole * (1.0 - share) + whole * after / cost(here).max(f64::MIN_POSITIVE)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(lines: &[&str]) -> Account {
        let mut account = Account::default();
        lines.iter().for_each(|line| account.read(line));
        account
    }

    const TRAINING: [&str; 5] = [
        r#"{"event":"run_started","run":"01010101010101010101010101010101","train":300,"valid":0,"unlabelled":0,"architecture":"resnet18","threads":2}"#,
        r#"{"event":"stage_started","stage":0,"stages":2,"image_size":64,"epochs":2,"steps":3}"#,
        r#"{"event":"step","stage":0,"epoch":0,"step":0,"steps":3,"loss":1.5,"learning_rate":0.001,"images_per_second":100.0}"#,
        r#"{"event":"epoch_finished","stage":0,"epoch":0,"metrics":{"accuracy":0.5,"train_loss":1.2,"valid_loss":1.1},"seconds":8.0}"#,
        r#"{"event":"stage_started","stage":1,"stages":2,"image_size":128,"epochs":1,"steps":3}"#,
    ];

    #[test]
    fn the_time_left_counts_later_stages_by_their_pixels() {
        let recipe = "[[stage]]\nsize = 64\nepochs = 2\n[[stage]]\nsize = 128\nepochs = 1";
        let mut account = account(&TRAINING[..2]);
        assert!(account.wants_recipe().is_some());
        account.set_recipe(Recipe::parse(recipe).expect("valid"));
        account.read(TRAINING[2]);
        // Of 2·64² + 128² = 6·64² pixels an image, a sixth of an epoch of 64² is done.
        assert!((account.progress.expect("known") - 1.0 / 3.0 / 6.0).abs() < 1e-9);
        // An epoch takes 3 s: 5/3 of them are left, and four epochs' worth after.
        assert!((account.eta.expect("known") - 3.0 * (5.0 / 3.0 + 4.0)).abs() < 1e-9);
        account.read(TRAINING[3]);
        assert!((account.eta.expect("known") - 8.0 * 5.0).abs() < 1e-9);
        assert_eq!(account.doing, "stage 1 of 2 · epoch 1 · loss 1.500");
    }

    #[test]
    fn figures_are_kept_with_the_beginnings_of_stages() {
        let account = account(&TRAINING);
        assert_eq!(account.figures.losses, [1.5]);
        assert_eq!(account.figures.rates, [0.001]);
        assert_eq!(account.figures.stages, [0, 1]);
        assert_eq!((account.figures.accuracies, account.figures.epoch_stages), (vec![0.5], vec![0, 1]));
        assert_eq!(account.run.map(|run| run.short()), Some("01010101".to_owned()));
    }

    #[test]
    fn a_generators_training_is_followed_by_its_epochs() {
        let step = |epoch: u32, step: u32, distance: f64| {
            format!(
                r#"{{"event":"critic_step","epoch":{epoch},"step":{step},"steps":4,"critic_distance":{distance},"images_per_second":9.0}}"#
            )
        };
        let epoch = |epoch: u32, seconds: f64| {
            format!(
                r#"{{"event":"generator_epoch_finished","epoch":{epoch},"critic_distance":0.4,"diversity":0.7,"frechet_distance":null,"collapsed":false,"grid":null,"seconds":{seconds},"grid_file":null}}"#
            )
        };
        let mut account = account(&[
            r#"{"event":"generator_started","generator":"07070707070707070707070707070707","images":52,"classes":["sea"],"image_size":16,"epochs":10,"steps":4,"threads":2}"#,
            r#"{"event":"decoding","done":1,"total":52}"#,
            r#"{"event":"progress","what":"generator","done":1,"total":40,"message":"","eta_seconds":77.0}"#,
            &step(0, 0, 0.5),
        ]);
        assert_eq!((account.progress, account.eta), (Some(0.025), Some(77.0)));
        assert_eq!(account.doing, "epoch 1 of 10 · critic 0.500");
        account.read(&epoch(0, 6.0));
        account.read(&step(1, 0, 0.25));
        // An epoch of 6 s is as usual; of ten, one and a quarter are made.
        assert_eq!((account.progress, account.eta), (Some(0.125), Some(6.0 * 8.75)));
        account.read(&epoch(1, 60.0));
        account.read(&epoch(2, 8.0));
        assert_eq!(account.eta, Some(8.0 * 7.0), "one slow epoch is not the usual");
        account.read(r#"{"event":"generator_ended","status":"cancelled","reason":"told to stop"}"#);
        let told = account.generator.expect("one");
        assert_eq!(told.generator.map(|id| id.short()), Some("07070707".to_owned()));
        assert_eq!((told.epochs.len(), told.critic_distances), (3, vec![0.5, 0.25]));
        assert_eq!(told.status.as_deref(), Some("cancelled"));
    }

    #[test]
    fn words_results_and_failures_are_kept() {
        let account = account(&[
            r#"{"event":"progress","what":"looking","done":1,"total":4,"message":"a","eta_seconds":2.0}"#,
            r#"{"event":"said","text":"pass 77"}"#,
            r#"{"event":"result","document":{"pass":"77"}}"#,
            r#"{"event":"failed","error":"no","hints":["try"],"exit_code":4}"#,
            "not a line at all",
        ]);
        assert_eq!((account.progress, account.eta), (Some(0.25), Some(2.0)));
        assert_eq!(account.doing, "looking · a");
        assert_eq!(account.words, ["pass 77", "error: no", "  hint: try"]);
        assert_eq!(account.result.expect("one")["pass"], "77");
        assert_eq!(account.failure.as_deref(), Some("no"));
    }

    #[test]
    fn a_replay_is_told_step_by_step() {
        let lines = [
            r#"{"event":"replay_compared","what":"too early","seq":1,"expected":"a","actual":"a","note":""}"#,
            r#"{"event":"replay_started","submission":"71","depth":"votes"}"#,
            r#"{"event":"replay_step","what":"counting the votes of 2 members"}"#,
            r#"{"event":"replay_compared","what":"votes","seq":41,"expected":"aa","actual":"aa","note":""}"#,
            r#"{"event":"replay_step","what":"writing the file"}"#,
        ];
        let mut account = account(&lines);
        let replay = account.replay.clone().expect("one");
        assert_eq!((replay.submission.as_str(), replay.depth.as_str()), ("71", "votes"));
        assert_eq!(replay.step.as_deref(), Some("writing the file"));
        let what: Vec<&str> = replay.compared.iter().map(|it| it.what.as_str()).collect();
        assert_eq!(what, ["votes"], "what came before its beginning is of another");
        account.read(r#"{"event":"replay_ended","verdict":"identical"}"#);
        let replay = account.replay.expect("one");
        assert_eq!((replay.step, replay.verdict.as_deref()), (None, Some("identical")));
    }

    #[test]
    fn only_the_last_words_are_kept() {
        let mut account = Account::default();
        (0..WORDS + 5).for_each(|number| account.say(number.to_string()));
        assert_eq!(account.words.len(), WORDS);
        assert_eq!(account.words[0], "5");
    }
}
