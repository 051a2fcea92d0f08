//! A repository with a whole history of models in it, made in milliseconds: the
//! engine is a hash function, but everything around it is the program's own.

use std::collections::BTreeMap;
use std::path::Path;

use safelight::ensemble::cast::cast;
use safelight::predictions::Probabilities;
use safelight::replay::engine::{Engine, EngineError, PredictWork, TrainWork};
use safelight::replay::run::then;
use safelight::replay::{Depth, ReplayError, Replayed, Report, replay};
use safelight::runs::prepare::{filter, prepare};
use safelight::session::Session;
use safelight::submit::SubmissionFormat;
use safelight::submit::commit::commit;
use safelight::train::device::Machine;
use safelight::train::environment::{Environment, describe};
use safelight::train::plan::Plan;
use safelight::train::progress::Progress;
use safelight::train::recipe::Recipe;
use safelight::train::views::Views;
use safelight_lineage::decide::{Command, NewImage};
use safelight_lineage::digest::BlobId;
use safelight_lineage::event::{
    Actor, CheckpointSaved, Honesty, PredictionSource, PredictionsRecorded, RunFinished, RunStarted, Split,
    SubmissionSource, ViewPolicy, VoteRule,
};
use safelight_lineage::id::{CheckpointId, EnsembleId, ImageId, PredictionsId, RunId, SubmissionId};
use safelight_lineage::query::{ManifestFilter, manifest};
use safelight_lineage::value::{PathBytes, Real};
use safelight_store::Repository;

pub const CLASSES: [&str; 3] = ["forest", "glacier", "sea"];
const TRAIN: usize = 24;
const TEST: usize = 12;

/// Weights and probabilities that are hashes of what they depend on.
pub struct HashEngine {
    /// Added to the first probability of every row, taken from the second.
    pub noise: f32,
    /// What it says of where it computes.
    pub processor: String,
    /// How often it was asked to train.
    pub trainings: usize,
}

impl Default for HashEngine {
    fn default() -> Self {
        HashEngine { noise: 0.0, processor: "abacus".to_owned(), trainings: 0 }
    }
}

/// The weights that training a plan ends a stage with.
fn weights(plan: &Plan, stage: u32, threads: usize) -> Vec<u8> {
    let digest: String = plan.digest().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("weights {digest} {stage} {threads}").into_bytes()
}

fn said(work: &PredictWork<'_>, noise: f32) -> Vec<f32> {
    let classes = work.classes.len();
    work.images
        .iter()
        .flat_map(|(image, blob)| {
            let mut key = work.weights.to_vec();
            key.extend_from_slice(image.as_bytes());
            key.extend_from_slice(blob.as_bytes());
            key.extend_from_slice(
                format!("{:?} {} {}", work.views, work.size, work.machine.threads).as_bytes(),
            );
            let hash = BlobId::of(&key);
            let parts: Vec<f32> = (0..classes).map(|class| 1.0 + f32::from(hash.0[class])).collect();
            let sum: f32 = parts.iter().sum();
            let mut row: Vec<f32> = parts.into_iter().map(|part| part / sum).collect();
            let moved = noise.min(row[1]).min(1.0 - row[0]);
            row[0] += moved;
            row[1] -= moved;
            row
        })
        .collect()
}

impl Engine for HashEngine {
    fn environment(&self, machine: Machine) -> Environment {
        Environment {
            cpu: self.processor.clone(),
            ..describe("abacus", machine.threads, Some("libhash".to_owned()))
        }
    }

    fn probabilities(
        &mut self,
        work: &PredictWork<'_>,
        _: &mut dyn FnMut(&Progress),
    ) -> Result<Vec<f32>, EngineError> {
        Ok(said(work, self.noise))
    }

    fn train(
        &mut self,
        work: &TrainWork<'_>,
        _: &mut dyn FnMut(&Progress),
    ) -> Result<BTreeMap<u32, BlobId>, EngineError> {
        self.trainings += 1;
        let stage = |stage| (stage, BlobId::of(&weights(work.plan, stage, work.machine.threads)));
        Ok((0..=work.last_stage).map(stage).collect())
    }
}

/// The repository and who acts on it.
pub struct Story {
    pub session: Session,
}

/// What a story leads to.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    pub checkpoints: [CheckpointId; 3],
    pub predictions: [PredictionsId; 3],
    pub submission: SubmissionId,
}

impl Story {
    /// An empty repository with a dataset of images that are no pictures.
    pub fn begin(dir: &Path) -> Story {
        std::fs::create_dir_all(dir).expect("a folder");
        let repository = Repository::init(dir).expect("a repository");
        let mut session = Session::new(repository, Actor::Person { name: "tester".to_owned() });
        let classes = CLASSES.map(str::to_owned).to_vec();
        session
            .execute(None, |_, _| Command::CreateDataset {
                name: "story".to_owned(),
                classes: classes.clone(),
            })
            .expect("a dataset");
        let mut story = Story { session };
        story.import(Split::Train, 0..TRAIN);
        story.import(Split::Valid, 100..106);
        story.import(Split::Test, 200..200 + TEST);
        story
    }

    /// Opens the repository that is there.
    pub fn open(dir: &Path) -> Story {
        let repository = Repository::open(dir).expect("a repository");
        Story { session: Session::new(repository, Actor::Person { name: "tester".to_owned() }) }
    }

    pub fn import(&mut self, split: Split, numbers: std::ops::Range<usize>) {
        let blobs = self.session.repository().blobs().clone();
        let images: Vec<NewImage> = numbers
            .map(|number| {
                let class = CLASSES[number % CLASSES.len()];
                NewImage {
                    blob: blobs.put(format!("image {number}").as_bytes()).expect("a blob"),
                    path: PathBytes::new(format!("{split}/{class}/{number:03}.jpg").into_bytes()),
                    label: (split != Split::Test).then(|| class.to_owned()),
                    split,
                }
            })
            .collect();
        self.session
            .execute(None, |_, _| Command::ImportImages { images: images.clone() })
            .expect("an import");
    }

    /// Trains a recipe of two stages, as the hash engine would.
    pub fn train(&mut self, settings: &str, parent: Option<CheckpointId>) -> (RunId, Vec<CheckpointId>) {
        let recipe = recipe(settings);
        let stages = recipe.stage.len() as u32;
        let (run, plan) = self.start(&recipe, parent);
        let checkpoints = (0..stages).map(|stage| self.save(run, &plan, stage)).collect();
        let metrics = self.session.repository().blobs().put(b"{}").expect("a blob");
        self.session.record(None, |_, _| RunFinished { run, metrics }).expect("an end");
        (run, checkpoints)
    }

    pub fn start(&mut self, recipe: &Recipe, parent: Option<CheckpointId>) -> (RunId, Plan) {
        let blobs = self.session.repository().blobs().clone();
        let prepared =
            prepare(self.session.state(), |blob| blobs.get(blob), recipe.clone(), parent).expect("a plan");
        assert_eq!(prepared.manifest, manifest(self.session.state(), &filter(recipe)).digest());
        let toml = blobs.put(prepared.plan.recipe.to_toml().as_bytes()).expect("a blob");
        let environment = blobs.put(&HashEngine::default().environment(3.into()).to_json()).expect("a blob");
        let (manifest, at) = (prepared.manifest, prepared.at);
        let frame = self.session.record(None, |_, transaction| RunStarted {
            run: RunId(transaction.derive("run", 0)),
            recipe: toml,
            manifest,
            at,
            parent,
            environment,
        });
        (RunId(frame.expect("a run").header.transaction.derive("run", 0)), prepared.plan)
    }

    pub fn save(&mut self, run: RunId, plan: &Plan, stage: u32) -> CheckpointId {
        let blobs = self.session.repository().blobs().clone();
        let weights = blobs.put(&weights(plan, stage, 3)).expect("a blob");
        let record = self.session.state().runs().get(run).expect("the run").clone();
        let parent = record.checkpoints.last().copied().or(record.started.event.parent);
        let size = plan.recipe.stage[stage as usize].size;
        let frame = self.session.record(None, |_, transaction| CheckpointSaved {
            checkpoint: CheckpointId(transaction.derive("checkpoint", stage)),
            run,
            parent,
            stage,
            image_size: size,
            epoch: 1,
            architecture: "resnet18".to_owned(),
            weights,
            metrics: BTreeMap::new(),
        });
        CheckpointId(frame.expect("a checkpoint").header.transaction.derive("checkpoint", stage))
    }

    /// Predicts a split with the hash engine.
    pub fn predict(&mut self, checkpoint: CheckpointId, split: Split, views: ViewPolicy) -> PredictionsId {
        let blobs = self.session.repository().blobs().clone();
        let state = self.session.state();
        let dataset = manifest(state, &ManifestFilter::split(split));
        let saved = state.checkpoints().get(checkpoint).expect("a checkpoint").event.clone();
        let weights = blobs.get(saved.weights).expect("weights");
        let images: Vec<_> = dataset.rows().iter().map(|row| (row.image, row.blob)).collect();
        let work = PredictWork {
            weights: &weights,
            architecture: &saved.architecture,
            size: saved.image_size,
            classes: dataset.classes(),
            images: &images,
            views: Views::try_from(views).expect("views"),
            machine: 3.into(),
        };
        let values = said(&work, 0.0);
        let images = images.iter().map(|(image, _)| *image).collect();
        self.record_predictions(PredictionSource::Checkpoint { checkpoint }, split, views, images, values)
    }

    /// Records probabilities of a split as it is now.
    pub fn record_predictions(
        &mut self,
        source: PredictionSource,
        split: Split,
        views: ViewPolicy,
        images: Vec<ImageId>,
        values: Vec<f32>,
    ) -> PredictionsId {
        let blobs = self.session.repository().blobs().clone();
        let digest = manifest(self.session.state(), &ManifestFilter::split(split)).digest();
        let at = self.session.head();
        let said = Probabilities::new(CLASSES.len(), images, values).expect("probabilities");
        let probabilities = blobs.put(&said.to_bytes()).expect("a blob");
        let environment = match source {
            PredictionSource::External { .. } => None,
            _ => Some(blobs.put(&HashEngine::default().environment(3.into()).to_json()).expect("a blob")),
        };
        let frame = self.session.record(None, |_, transaction| PredictionsRecorded {
            predictions: PredictionsId(transaction.derive("predictions", 0)),
            source: source.clone(),
            manifest: digest,
            split,
            at,
            views,
            honesty: Honesty::HeldOut,
            temperature: None,
            probabilities,
            environment,
        });
        PredictionsId(frame.expect("predictions").header.transaction.derive("predictions", 0))
    }

    /// Predictions that came from outside.
    pub fn external(&mut self) -> PredictionsId {
        let dataset = manifest(self.session.state(), &ManifestFilter::split(Split::Test));
        let images: Vec<ImageId> = dataset.rows().iter().map(|row| row.image).collect();
        let values = images.iter().flat_map(|image| {
            let first = 0.5 + f32::from(image.0[0] % 4) / 16.0;
            [first, 1.0 - first, 0.0]
        });
        let values = values.collect();
        let source = PredictionSource::External { name: "a friend's model".to_owned() };
        self.record_predictions(source, Split::Test, ViewPolicy::Unknown, images, values)
    }

    /// Two runs, one grown from the other, three sets of predictions, some
    /// curating in between, a weighted vote and a submission.
    pub fn tell(&mut self) -> Told {
        let (_, one) = self.train("seed = 1", None);
        let a = self.predict(one[1], Split::Test, ViewPolicy::Plain);
        let image = self.session.state().images().next().expect("an image").id;
        self.relabel(image, "sea");
        let (_, two) = self.train("seed = 2", Some(one[0]));
        let b = self.predict(two[1], Split::Test, ViewPolicy::Plain);
        let tta = ViewPolicy::TestTimeAugmentation { views: 4, plain_weight: Real(0.25), seed: 9 };
        let c = self.predict(one[1], Split::Test, tta);
        let members = [(a, 1.0), (b, 1.5), (c, 1.0)];
        let (_, submission) = self.submit(&members, VoteRule::Weighted);
        Told { checkpoints: [one[0], one[1], two[1]], predictions: [a, b, c], submission }
    }

    pub fn submit(&mut self, members: &[(PredictionsId, f64)], rule: VoteRule) -> (EnsembleId, SubmissionId) {
        let ensemble = cast(&mut self.session, members, rule, 7).expect("a vote").ensemble;
        let source = SubmissionSource::Ensemble { ensemble };
        let format = SubmissionFormat::default();
        let done = commit(&mut self.session, source, &format, Some("handed in")).expect("a submission");
        (ensemble, done.submission)
    }

    pub fn relabel(&mut self, image: ImageId, class: &str) {
        let command = Command::Relabel {
            images: vec![image],
            label: Some(class.to_owned()),
            reason: "looks so".to_owned(),
            evidence: Default::default(),
        };
        self.session.execute(None, |_, _| command.clone()).expect("another label");
    }

    /// Replays with the hash engine.
    pub fn replay(&self, submission: SubmissionId, depth: Depth) -> Result<Replayed, ReplayError> {
        self.replay_on(submission, depth, &mut HashEngine::default(), &mut |_| {})
    }

    pub fn replay_on(
        &self,
        submission: SubmissionId,
        depth: Depth,
        engine: &mut dyn Engine,
        report: &mut dyn FnMut(Report<'_>),
    ) -> Result<Replayed, ReplayError> {
        let then = then(&self.session, submission)?;
        replay(&self.session, &then, submission, depth, engine, None, report)
    }
}

pub fn recipe(settings: &str) -> Recipe {
    let text = format!(
        "{settings}\nbatch = 4\nvalidation = {{ split = \"valid\" }}\n\
         [[stage]]\nsize = 32\nepochs = 1\n[[stage]]\nsize = 48\nepochs = 1\n"
    );
    Recipe::parse(&text).expect("a recipe")
}
