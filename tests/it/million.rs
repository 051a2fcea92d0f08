//! How long an audit takes on a million images. It is no test of this machine,
//! so nothing here depends on a time; it is ignored because it writes a
//! repository of some hundred megabytes. `make bench-audit` runs it.

use std::time::{Duration, Instant};

use safelight::clean::{Finding, Findings, Rule};
use safelight::predictions::Probabilities;
use safelight_lineage::decide::{Command, decide};
use safelight_lineage::digest::{BlobId, Hasher};
use safelight_lineage::event::{
    Actor, CleaningPassProposed, DatasetCreated, Event, Evidence, Honesty, ImageImported, Origin,
    PredictionSource, PredictionsRecorded, Split, ViewPolicy,
};
use safelight_lineage::id::{ImageId, PassId, PredictionsId, TransactionId};
use safelight_lineage::query::{
    ManifestFilter, biography, blast_radius, difference, manifest, relabels, removals,
};
use safelight_lineage::value::{ClassIndex, PathBytes, Seq, Timestamp};
use safelight_store::{Draft, Repository};

use crate::support::Bench;

const IMAGES: u64 = 1_000_000;
const FRAME: u64 = 4_000;
const CLASSES: u64 = 6;

fn path(number: u64) -> String {
    format!("train/class {}/{number:07}.jpg", number % CLASSES)
}

fn image(number: u64) -> (ImageId, ImageImported) {
    let mut hasher = Hasher::derive_key("safelight million audit");
    let blob = BlobId(hasher.update(&number.to_le_bytes()).finish());
    let path = path(number).into_bytes();
    let id = ImageId::of_import(blob, &path, Split::Train);
    let label = Some(ClassIndex((number % CLASSES) as u16));
    let (split, origin) = (Split::Train, Origin::File);
    (id, ImageImported { image: id, blob, path: PathBytes::new(path), label, split, origin })
}

struct Log {
    repository: Repository,
    frames: u64,
}

impl Log {
    fn append(&mut self, actor: &str, events: Vec<Event>) -> TransactionId {
        self.frames += 1;
        let transaction = TransactionId::new(self.frames, [7; 10]);
        let actor = Actor::Person { name: actor.to_owned() };
        let time = Timestamp(1_700_000_000_000 + self.frames * 1_000);
        let draft = Draft { transaction, actor, time, message: None, events };
        let head = self.repository.head();
        self.repository.append(draft, head).expect("appended");
        transaction
    }

    fn run(&mut self, actor: &str, command: Command) {
        let events = decide(self.repository.state(), command).expect("decided");
        self.append(actor, events);
    }
}

/// A million images, 10,000 relabelled, 5,000 removed, one set of predictions
/// and one pass over all of them.
fn make(bench: &Bench) -> PassId {
    let mut log = Log { repository: Repository::open(&bench.path("repo")).expect("opened"), frames: 0 };
    if log.repository.state().dataset().is_none() {
        let classes = (0..CLASSES).map(|class| format!("class {class}")).collect();
        log.append("importer", vec![DatasetCreated { name: "million".to_owned(), classes }.into()]);
    } else {
        let classes = (0..CLASSES).map(|class| format!("class {class}")).collect();
        log.run("importer", Command::AddClasses { classes });
    }
    for first in (0..IMAGES).step_by(FRAME as usize) {
        let events = (first..first + FRAME).map(|number| image(number).1.into()).collect();
        log.append("importer", events);
    }
    let ids: Vec<ImageId> = (0..IMAGES).map(|number| image(number).0).collect();
    let every = |step: usize, from: usize| ids.iter().skip(from).step_by(step).copied().collect::<Vec<_>>();
    let (label, reason, evidence) = (Some("class 0".to_owned()), "seen".to_owned(), Evidence::default());
    log.run("ada", Command::Relabel { images: every(83, 1), label, reason, evidence: evidence.clone() });
    let reason = "blurred".to_owned();
    log.run("bob", Command::Remove { images: every(200, 3), reason, evidence, force: false });

    let (at, blobs) = (log.repository.head(), log.repository.blobs().clone());
    let now = manifest(log.repository.state(), &ManifestFilter::split(Split::Train));
    let images: Vec<ImageId> = now.rows().iter().map(|row| row.image).collect();
    let row = [0.9f32, 0.02, 0.02, 0.02, 0.02, 0.02];
    let values = images.iter().flat_map(|_| row).collect();
    let said = Probabilities::new(CLASSES as usize, images.clone(), values).expect("probabilities");
    let probabilities = blobs.put(&said.to_bytes()).expect("stored");
    let predictions = PredictionsId([9; 16]);
    log.append(
        "ada",
        vec![
            PredictionsRecorded {
                predictions,
                source: PredictionSource::External { name: "elsewhere".to_owned() },
                manifest: now.digest(),
                split: Split::Train,
                at,
                views: ViewPolicy::Unknown,
                honesty: Honesty::OutOfFold,
                temperature: None,
                probabilities,
                environment: None,
            }
            .into(),
        ],
    );
    let rule = Rule::DEFAULTS[0];
    let finding = |(rank, image): (usize, &ImageId)| Finding {
        image: *image,
        rule: rule.name().to_owned(),
        score: 0.9,
        rank: rank as u32 + 1,
        reason: "the model is 90.0 % sure of class 0 and gives its label class 1 only 2.0 %".to_owned(),
        label: Some(ClassIndex(1)),
        suggested: Some(ClassIndex(0)),
        related: Vec::new(),
    };
    let findings = Findings(images.iter().step_by(50).enumerate().map(finding).collect());
    let pass = PassId([5; 16]);
    let (blob, found) = (blobs.put(&findings.to_bytes()).expect("stored"), findings.images() as u64);
    let proposed = CleaningPassProposed {
        pass,
        predictions: vec![predictions],
        rules: vec![rule.recorded().expect("in range")],
        manifest: now.digest(),
        at,
        findings: blob,
        found,
    };
    log.append("ada", vec![proposed.into()]);
    log.repository.checkpoint().expect("sealed");
    pass
}

fn median(mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..5)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[2]
}

#[test]
#[ignore = "writes a repository of a million images to time questions on it"]
fn questions_on_a_million_images() {
    let bench = Bench::with_repository();
    let pass = make(&bench);
    let root = bench.path("repo");
    let open = median(|| drop(Repository::open(&root).expect("opened")));
    println!("opening the repository        {open:>9.1?}");
    let repository = Repository::open(&root).expect("opened");
    let state = repository.state();
    let (one, _) = image(84);
    let newest = state.seq();
    let before = Seq(newest.0 - 20_000);
    type Query<'a> = (&'static str, Box<dyn Fn() -> usize + 'a>);
    let queries: [Query<'_>; 5] = [
        ("removed", Box::new(|| removals(state).filter(|removal| removal.still_removed).count())),
        ("relabelled", Box::new(|| relabels(state).count())),
        ("image", Box::new(|| biography(state, one).map_or(0, |life| life.entries.len()))),
        ("diff", Box::new(|| difference(state, before, newest).len())),
        ("blast", Box::new(|| blast_radius(state, one).passes.len())),
    ];
    for (name, query) in &queries {
        let count = query();
        assert!(count > 0, "{name} finds nothing");
        println!(
            "{name:10} query alone        {:>9.1?}  {count} answers",
            median(|| {
                std::hint::black_box(query());
            })
        );
    }
    let (seq, pass) = (before.0.to_string(), pass.to_string());
    let path = path(84);
    let questions: [&[&str]; 7] = [
        &["audit", "removed", "--reason", "blurred", "--json"],
        &["audit", "relabelled", "--class", "class 2", "--csv"],
        &["audit", "image", &path],
        &["audit", "by", "ada"],
        &["audit", "diff", &seq, "now"],
        &["audit", "blast", &path],
        &["audit", "blast", &pass],
    ];
    for question in questions {
        bench.run(question).expect(0);
        let whole = median(|| drop(bench.run(question)));
        println!("{:9.1?} whole process  {}", whole, question.join(" "));
    }
}
