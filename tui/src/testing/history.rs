//! A made-up history that has something of everything.

use std::collections::BTreeMap;
use std::sync::Arc;

use safelight_lineage::decide::{Command, NewImage, decide};
use safelight_lineage::digest::{BlobId, FrameDigest, ManifestDigest};
use safelight_lineage::event::{
    Actor, AdmittedImage, CheckpointSaved, CleaningPassProposed, Decision, EnsembleVoted, Event, Evidence,
    Frame, FrameHeader, GeneratorTrained, Honesty, LearningRateFound, Member, PredictionSource,
    PredictionsRecorded, ReplayDepth, ReplayOutcome, RevertTarget, RuleUse, RunFailed, RunFinished,
    RunStarted, SamplesAdmitted, SamplesGenerated, Split, SubmissionReplayed, SubmissionScored,
    SubmissionSource, SubmissionWritten, ViewPolicy, VoteRule,
};
use safelight_lineage::id::{
    CheckpointId, EnsembleId, GeneratorId, ImageId, PassId, PredictionsId, RunId, SamplesId, SubmissionId,
    TransactionId,
};
use safelight_lineage::state::State;
use safelight_lineage::value::{ClassIndex, PathBytes, Real, Seq, Timestamp};

use crate::judgements::{DisputedImage, Judgement, MemberPair, Neighbours, Opinions, VoteTable};
use crate::ports::Finding;
use crate::replay_view::{ReceiptView, ReplayStep};
use crate::run_view::{Figures, RateCurve, RunView};

/// The classes; `sea` is the fourth.
pub const CLASSES: [&str; 5] = ["buildings", "forest", "mountain", "sea", "street"];

/// The cleaning pass.
pub const PASS: PassId = PassId([0xc1; 16]);

/// The person who acts in tests.
pub fn ada() -> Actor {
    Actor::Person { name: "ada".into() }
}

/// Frames, and the state they fold to.
#[derive(Default)]
pub struct Log {
    pub frames: Vec<Frame>,
    pub state: State,
}

impl Log {
    /// Appends a frame.
    pub fn commit(&mut self, actor: Actor, message: Option<&str>, events: Vec<Event>) -> Frame {
        let number = self.frames.len() as u64;
        let time = 1_795_500_000_000 + number * 20_000;
        let frame = Frame {
            header: FrameHeader {
                digest: FrameDigest(*BlobId::of(&number.to_le_bytes()).as_bytes()),
                parent: self.state.head(),
                transaction: TransactionId::new(time, [number as u8; 10]),
                actor,
                time: Timestamp(time),
                message: message.map(str::to_owned),
                first_seq: self.state.seq().plus(1),
            },
            events,
        };
        self.state.apply(&frame);
        self.frames.push(frame.clone());
        frame
    }

    /// Appends what a command decides to.
    pub fn run(&mut self, command: Command) -> Frame {
        let events = decide(&self.state, command).expect("a command that the rules allow");
        self.commit(ada(), None, events)
    }

    /// The log up to a Seq.
    pub fn as_of(&self, seq: Seq) -> State {
        let mut state = State::new();
        self.frames.iter().take_while(|frame| frame.last_seq() <= seq).for_each(|frame| state.apply(frame));
        state
    }

    /// A dataset of so many images.
    pub fn with_images(count: usize) -> Log {
        let mut log = Log::default();
        let classes = CLASSES.map(str::to_owned).to_vec();
        log.run(Command::CreateDataset { name: "scenes".into(), classes });
        let images = (0..count).map(|number| {
            let class = CLASSES[number % CLASSES.len()];
            let split = Split::ALL[usize::from(number % 10 == 8) + 2 * usize::from(number % 10 == 9)];
            NewImage {
                blob: blob(&format!("picture {number}")),
                path: PathBytes::new(format!("{split}/{class}/{number}.jpg").into_bytes()),
                label: (split != Split::Test).then(|| class.to_owned()),
                split,
            }
        });
        log.run(Command::ImportImages { images: images.collect() });
        log
    }
}

/// The blob of these bytes.
pub fn blob(text: &str) -> BlobId {
    BlobId::of(text.as_bytes())
}

/// The image that was imported as the `row`-th.
pub fn image(state: &State, row: usize) -> ImageId {
    state.image_at(row).expect("an image").id
}

/// The state of [`log`].
pub fn small() -> Arc<State> {
    Arc::new(log().state)
}

/// Forty images and something of everything that can happen to them.
pub fn log() -> Log {
    let mut log = Log::with_images(40);
    let hostile = NewImage {
        blob: blob("hostile"),
        path: PathBytes::new(b"train/sea/\x1b[2J\xffwipe\n.jpg".to_vec()),
        label: Some("sea".into()),
        split: Split::Train,
    };
    log.run(Command::ImportImages { images: vec![hostile] });
    curate(&mut log);
    train(&mut log);
    clean(&mut log);
    generate(&mut log);
    submit(&mut log);
    log
}

fn curate(log: &mut Log) {
    let relabelled = image(&log.state, 3);
    log.run(Command::Relabel {
        images: vec![relabelled],
        label: Some("street".into()),
        reason: "a road by the sea".into(),
        evidence: Evidence::default(),
    });
    let removed = vec![image(&log.state, 10), image(&log.state, 11)];
    log.run(Command::Remove {
        images: removed,
        reason: "duplicate".into(),
        evidence: Evidence::default(),
        force: false,
    });
    let mistaken = image(&log.state, 12);
    let frame = log.run(Command::Remove {
        images: vec![mistaken],
        reason: "slip of the finger".into(),
        evidence: Evidence::default(),
        force: false,
    });
    log.run(Command::Revert {
        targets: vec![RevertTarget { transaction: frame.header.transaction, events: vec![] }],
        reason: "undo".into(),
    });
}

fn program() -> Actor {
    Actor::Program { name: "safelight-train 0.1".into() }
}

fn train(log: &mut Log) {
    let mut parent = None;
    for number in 1..=2u8 {
        let run = RunId([number; 16]);
        let started = RunStarted {
            run,
            recipe: blob("recipe"),
            manifest: ManifestDigest([number; 32]),
            at: log.state.head(),
            parent,
            environment: blob("environment"),
        };
        log.commit(program(), Some("progressive resizing"), vec![started.into()]);
        let found =
            LearningRateFound { run, curve: blob("curve"), suggestion: Real(3e-3), method: "valley".into() };
        log.commit(program(), None, vec![found.into()]);
        for stage in 0..2u8 {
            let checkpoint = CheckpointId([number * 16 + stage; 16]);
            let accuracy = 0.85 + f64::from(number * 2 + stage) / 50.0;
            let saved = CheckpointSaved {
                checkpoint,
                run,
                parent,
                stage: u32::from(stage),
                image_size: 64 << stage,
                epoch: 3,
                architecture: "resnet50".into(),
                weights: blob("weights"),
                metrics: BTreeMap::from([
                    ("accuracy".to_owned(), Real(accuracy)),
                    ("valid_loss".to_owned(), Real(1.0 - accuracy)),
                ]),
            };
            log.commit(program(), None, vec![saved.into()]);
            parent = Some(checkpoint);
        }
        log.commit(program(), None, vec![RunFinished { run, metrics: blob("metrics") }.into()]);
    }
    let run = RunId([3; 16]);
    let started = RunStarted {
        run,
        recipe: blob("recipe"),
        manifest: ManifestDigest([3; 32]),
        at: log.state.head(),
        parent: None,
        environment: blob("environment"),
    };
    log.commit(program(), None, vec![started.into()]);
    let failed = RunFailed { run, reason: "out of memory".into(), metrics: None, resume: None };
    log.commit(program(), None, vec![failed.into()]);
}

fn predictions(log: &mut Log, number: u8, split: Split, checkpoint: CheckpointId) -> PredictionsId {
    let predictions = PredictionsId([number; 16]);
    let recorded = PredictionsRecorded {
        predictions,
        source: PredictionSource::Checkpoint { checkpoint },
        manifest: ManifestDigest([7; 32]),
        split,
        at: log.state.head(),
        views: ViewPolicy::TenCrop { resize: 256 },
        honesty: Honesty::HeldOut,
        temperature: None,
        probabilities: blob("probabilities"),
        environment: None,
    };
    log.commit(program(), None, vec![recorded.into()]);
    predictions
}

fn clean(log: &mut Log) {
    let predictions = predictions(log, 0x40, Split::Train, CheckpointId([0x21; 16]));
    let proposed = CleaningPassProposed {
        pass: PASS,
        predictions: vec![predictions],
        rules: vec![RuleUse { rule: "confident-wrong".into(), parameters: BTreeMap::new() }],
        manifest: ManifestDigest([7; 32]),
        at: log.state.head(),
        findings: blob("findings"),
        found: 6,
    };
    log.commit(Actor::Program { name: "safelight-clean 0.1".into() }, None, vec![proposed.into()]);
    for (row, decision) in [(20, Decision::Kept), (21, Decision::Relabelled { label: ClassIndex(3) })] {
        log.run(Command::Review {
            image: image(&log.state, row),
            pass: PASS,
            decision,
            reason: String::new(),
            evidence: Evidence::default(),
        });
    }
}

/// What the cleaning pass found: on the images 20 to 25.
pub fn findings(state: &State) -> Vec<Finding> {
    (20..26)
        .map(|row| Finding {
            image: image(state, row),
            rule: "confident-wrong".into(),
            score: 1.0 - row as f64 / 1000.0,
            suggestion: (row != 25).then_some(ClassIndex(3)),
            group: if row == 23 { vec![image(state, 30), image(state, 31)] } else { vec![] },
            note: "predicted sea with 0.97".into(),
        })
        .collect()
}

/// What models say of every other image: of half of those what its label says.
pub fn opinions(state: &State) -> Opinions {
    let mut opinions = Opinions::new(state.image_count());
    for image in state.images().step_by(2) {
        for said in judgements(state, image.id) {
            let (class, sure) = top(&said.probabilities);
            opinions.put(image.row, class, sure);
        }
    }
    opinions
}

fn top(probabilities: &[f32]) -> (ClassIndex, f32) {
    let best =
        (0..probabilities.len()).max_by(|one, other| probabilities[*one].total_cmp(&probabilities[*other]));
    let best = best.expect("classes");
    (ClassIndex(best as u16), probabilities[best])
}

/// What each predictions says of an image.
pub fn judgements(state: &State, image: ImageId) -> Vec<Judgement> {
    let row = state.image(image).expect("an image").row as usize;
    let newest_first = state.predictions().iter().rev();
    let said = newest_first.into_iter().enumerate().map(|(nth, record)| {
        let mut probabilities = vec![0.05f32; CLASSES.len()];
        let sure = 0.95 - (row % 7) as f32 / 20.0 - 0.05 * nth as f32;
        probabilities[(row + usize::from(row % 4 == 2)) % CLASSES.len()] = sure;
        Judgement { predictions: record.event.predictions, probabilities }
    });
    said.collect()
}

/// Votes in which the members differ on two of the test images.
pub fn votes(state: &State, ensemble: EnsembleId) -> VoteTable {
    let record = state.ensembles().get(ensemble).expect("an ensemble");
    let disputed = |row: usize, one: u16, other: u16, tie: bool| DisputedImage {
        image: image(state, row),
        ballots: vec![ClassIndex(one), ClassIndex(other)],
        decision: ClassIndex(one),
        tie,
    };
    VoteTable {
        members: record.event.members.iter().map(|member| member.predictions).collect(),
        images: 4,
        unanimous: 2,
        ties: 2,
        pairs: vec![MemberPair {
            one: 0,
            other: 1,
            disagreement: 0.5,
            kappa: Some(0.333),
            correlation: Some(0.71),
        }],
        disputed: vec![disputed(9, 3, 4, true), disputed(19, 1, 2, true)],
    }
}

/// The images that came in after it.
pub fn neighbours(state: &State, image: ImageId) -> Neighbours {
    let row = state.image(image).expect("an image").row as usize;
    let others = (1..7).filter_map(|step| Some((state.image_at(row + step)?.id, format!("{step} bits"))));
    Neighbours { by: "perceptual hash".into(), among: 44, images: others.collect() }
}

fn generate(log: &mut Log) {
    let generator = GeneratorId([0x61; 16]);
    let trained = GeneratorTrained {
        generator,
        class: Some(ClassIndex(3)),
        recipe: blob("gan"),
        manifest: ManifestDigest([8; 32]),
        at: log.state.head(),
        weights: blob("gan weights"),
        metrics: blob("gan metrics"),
        environment: blob("environment"),
        grids: vec![BlobId([0x9d; 32]), BlobId([0x9e; 32])],
    };
    log.commit(program(), None, vec![trained.into()]);
    let samples = SamplesId([0x62; 16]);
    let blobs: Vec<BlobId> = (0..3).map(|n| blob(&format!("sample {n}"))).collect();
    let drawn = SamplesGenerated { samples, generator, class: ClassIndex(3), seed: 7, blobs: blobs.clone() };
    log.commit(program(), None, vec![drawn.into()]);
    let images =
        blobs.iter().zip(0..).map(|(blob, n)| AdmittedImage { image: ImageId([0x63 + n; 16]), blob: *blob });
    let admitted = SamplesAdmitted { samples, label: ClassIndex(3), images: images.collect(), quality: None };
    log.commit(ada(), Some("they look good"), vec![admitted.into()]);
}

fn submit(log: &mut Log) {
    let one = predictions(log, 0x41, Split::Test, CheckpointId([0x11; 16]));
    let two = predictions(log, 0x42, Split::Test, CheckpointId([0x21; 16]));
    let ensemble = EnsembleId([0x51; 16]);
    let voted = EnsembleVoted {
        ensemble,
        members: vec![
            Member { predictions: one, weight: Real(1.0) },
            Member { predictions: two, weight: Real(1.0) },
        ],
        rule: VoteRule::Majority,
        tie_seed: 42,
        manifest: ManifestDigest([7; 32]),
        votes: blob("votes"),
    };
    log.commit(program(), None, vec![voted.into()]);
    let submission = SubmissionId([0x71; 16]);
    let written = SubmissionWritten {
        submission,
        source: SubmissionSource::Ensemble { ensemble },
        format: blob("format"),
        csv: blob("csv"),
        rows: 4,
        derived_from: None,
    };
    log.commit(ada(), None, vec![written.into()]);
    let scored = SubmissionScored { submission, public: Some(Real(0.9421)), private: Some(Real(0.9499)) };
    log.commit(ada(), None, vec![scored.into()]);
    let replayed = SubmissionReplayed {
        submission,
        depth: ReplayDepth::Votes,
        outcome: ReplayOutcome::Identical,
        environment: blob("environment"),
        receipt: blob("receipt"),
    };
    log.commit(program(), None, vec![replayed.into()]);
}

#[test]
fn the_made_up_history_makes_sense() {
    let log = log();
    assert_eq!(log.state.anomalies().total(), 0, "{:?}", log.state.anomalies());
    assert_eq!(log.state.image_count(), 44);
}

/// What is kept of a run: figures that depend on its id, with a spike.
pub fn run_view(run: RunId) -> RunView {
    let seed = f64::from(run.0[0] % 7);
    let losses: Vec<f64> = (0..300u32)
        .map(|step| {
            let spike = if step == 120 { 4.0 } else { 0.0 };
            2.0 / (1.0 + f64::from(step) / 40.0) + seed / 20.0 + spike
        })
        .collect();
    let rates = (0..300u32).map(|step| 3e-3 * (f64::from(step) / 300.0 * std::f64::consts::PI).sin());
    RunView {
        facts: [("seed", run.0[0].to_string()), ("architecture", "resnet18".to_owned())]
            .map(|(key, value)| (key.to_owned(), value))
            .into(),
        recipe: super::recipes::fields(2),
        figures: Figures {
            losses,
            rates: rates.collect(),
            stages: vec![0, 200],
            accuracies: vec![0.4, 0.55, 0.6 + seed / 100.0],
            valid_losses: vec![1.5, 1.1, 1.0],
            epoch_stages: vec![0, 2],
        },
        classes: vec!["sea".to_owned(), "forest".to_owned()],
        confusion: vec![vec![30, 10], vec![2, 58]],
        finders: vec![RateCurve {
            rates: (0..100u32).map(|step| 1e-7 * 10f64.powf(f64::from(step) / 12.5)).collect(),
            losses: (0..100u32).map(|step| 1.0 + (f64::from(step) - 70.0).powi(2) / 5_000.0).collect(),
            suggestion: 2.5e-3,
            method: "valley".to_owned(),
        }],
    }
}

/// A receipt of three comparisons, all equal.
pub fn receipt() -> ReceiptView {
    ReceiptView {
        frame: "fa".repeat(32),
        steps: ["the test split as it was", "votes of ensemble 61616161", "the file"]
            .into_iter()
            .zip(80..)
            .map(|(what, seq)| step(what, seq, true))
            .collect(),
        environments: vec![],
        taken_as_recorded: vec![],
        program: "safelight 0.1.0".into(),
    }
}

/// A comparison that came out equal, or not.
pub fn step(what: &str, seq: u64, equal: bool) -> ReplayStep {
    let expected = blob(what).to_string();
    let actual = if equal { expected.clone() } else { blob("something else").to_string() };
    ReplayStep { what: what.into(), seq: Seq(seq), expected, actual, note: String::new() }
}
