//! `safelight demo`: the whole chain on pictures that the program draws itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use safelight_lineage::decide::Command;
use safelight_lineage::event::{Split, SubmissionSource, ViewPolicy, VoteRule};
use safelight_lineage::id::{CheckpointId, ImageId, PredictionsId};
use safelight_store::{Repository, VerifyDepth};
use serde_json::{Value, json};

use safelight::cli::clean::default_rules;
use safelight::cli::context::Context;
use safelight::cli::demo::DemoArgs;
use safelight::cli::train::{TrainRequest, default_threads, train};
use safelight::cli::{ensemble, import as import_command, replay, words};

use super::folds::out_of_fold;
use crate::clean::gather::Pictures;
use crate::clean::pass::{Action, Application, Proposal, Proposed, apply, propose_pass};
use crate::clean::{Finding, Findings, PrecisionRecall, precision_recall};
use crate::demo::{DemoSet, DemoSpec, PlantKind, dataset};
use crate::ensemble::cast::cast;
use crate::error::{AppError, Exit};
use crate::import::run::{ImportOptions, run as import};
use crate::predictions::argmax;
use crate::replay::Depth;
use crate::runs::predict::{Predicted, Request, predict};
use crate::session::Session;
use crate::stop::Stop;
use crate::submit::SubmissionFormat;
use crate::submit::commit::commit;
use crate::train::progress::Progress;
use crate::train::recipe::Recipe;

/// Out-of-fold models: enough to judge every image by a stranger.
const FOLDS: u8 = 3;

fn recipe(architecture: &str, seed: u64, epochs: u32, validation: &str) -> Result<Recipe, AppError> {
    // VGG has no shortcuts, so it bears a lower rate only.
    let rate = if architecture == "resnet18" { 3e-3 } else { 1e-3 };
    let text = format!(
        "seed = {seed}\narchitecture = \"{architecture}\"\nbatch = 16\nvalidation = {validation}\n\
         [[stage]]\nsize = 48\nepochs = {epochs}\nlearning_rate = {rate}\n"
    );
    Ok(Recipe::parse(&text)?)
}

struct Demo<'a> {
    context: &'a Context,
    stop: Stop,
    threads: usize,
    step: u32,
    started: Instant,
}

impl Demo<'_> {
    fn title(&mut self, text: &str) {
        self.step += 1;
        self.context.out.line(format!(
            "\n{}. {text}  [{:.0} s]",
            self.step,
            self.started.elapsed().as_secs_f64()
        ));
    }

    fn say(&self, text: impl AsRef<str>) {
        self.context.out.line(format!("   {}", text.as_ref()));
    }

    fn go_on(&self) -> Result<(), AppError> {
        if self.stop.is_asked() {
            return Err(AppError::new(self.stop.exit(), "the demo was stopped")
                .hint("start it again in another folder: safelight demo DIR"));
        }
        Ok(())
    }

    fn train(&self, session: &mut Session, recipe: Recipe, message: &str) -> Result<CheckpointId, AppError> {
        self.go_on()?;
        let request = TrainRequest {
            recipe,
            from: None,
            resume: None,
            at: None,
            machine: self.threads.into(),
            message: Some(message.to_owned()),
        };
        let trained = train(session, &request, &self.stop, &self.context.out)?;
        self.go_on()?;
        match (trained.exit, trained.checkpoint) {
            (Exit::Done, Some(checkpoint)) => Ok(checkpoint),
            _ => Err(AppError::failed(format!(
                "run {} failed: {}",
                trained.run,
                words::text(&trained.reason.unwrap_or_else(|| "it left no checkpoint".to_owned()))
            ))),
        }
    }

    /// Predicts the test split; gives the accuracy by its labels too.
    fn predict(
        &self,
        session: &mut Session,
        checkpoint: CheckpointId,
    ) -> Result<(PredictionsId, f64), AppError> {
        self.go_on()?;
        let request = Request {
            checkpoint,
            split: Split::Test,
            views: ViewPolicy::Plain,
            calibrate: false,
            machine: self.threads.into(),
        };
        let bar = self.context.out.bar("predicting", 0, "images");
        let Predicted { id, probabilities: said, .. } =
            predict(session, request, &self.stop, &mut |progress| {
                if let Progress::Predicting { done, total } = progress {
                    bar.set_length(*total);
                    bar.set_position(*done);
                }
            })?;
        bar.finish_and_clear();
        let state = session.state();
        let right = said
            .rows()
            .filter(|(image, row)| state.image(*image).is_some_and(|view| view.label == Some(argmax(row))))
            .count();
        Ok((id, right as f64 / said.len().max(1) as f64))
    }
}

pub fn run(args: &DemoArgs, context: &Context) -> Result<Exit, AppError> {
    let dir = context.start().join(args.dir.clone().unwrap_or_else(|| PathBuf::from("safelight-demo")));
    if fs::read_dir(&dir).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(AppError::refused(format!("{} is not empty", dir.display()))
            .hint("give another folder (safelight demo DIR), or delete that one"));
    }
    let threads = args.threads.unwrap_or_else(default_threads).max(1);
    let mut demo = Demo { context, stop: Stop::install(), threads, step: 0, started: Instant::now() };

    demo.title("Drawing pictures");
    let set = draw(&demo, &dir, args.seed)?;
    let count = |kind| set.planted.iter().filter(|planted| planted.kind == kind).count();
    let (wrong, blended) = (count(PlantKind::WrongLabel), count(PlantKind::Blended));
    demo.say(format!(
        "{} pictures of six kinds of scene in {}",
        set.spec.pictures(),
        dir.join("pictures").display()
    ));
    demo.say(format!(
        "planted among the training pictures: {wrong} in the wrong folder, {blended} that show two classes; \
         their list is kept aside in {}",
        dir.join("planted.json").display()
    ));

    demo.title("Making a repository and importing them");
    let root = dir.join("repository");
    fs::create_dir_all(&root).map_err(|error| AppError::io("make the folder", &root, &error))?;
    let mut session = Session::new(Repository::init(&root)?, context.person());
    session.execute(None, |_, _| Command::CreateDataset {
        name: "demo scenes".to_owned(),
        classes: Vec::new(),
    })?;
    let bar = context.out.bar("importing", 0, "files");
    let began = Instant::now();
    let done = import(
        &mut session,
        &dir.join("pictures"),
        &ImportOptions::default(),
        demo.stop.flag(),
        &mut |seen| {
            bar.set_length(seen.total);
            bar.set_position(seen.files);
        },
    )?;
    bar.finish_and_clear();
    import_command::report(context, &done, false, began.elapsed().as_secs_f64());
    let planted = planted_ids(&session, &set)?;

    demo.title("Training ResNet-18 on the labels as they are");
    let validation = "{ fraction = 0.1 }";
    let noisy =
        demo.train(&mut session, recipe("resnet18", args.seed, 12, validation)?, "before cleaning")?;
    let (_, before) = demo.predict(&mut session, noisy)?;
    demo.say(format!("accuracy on the test pictures: {before:.3}"));

    demo.title(&format!("Cleaning: {FOLDS} models judge the pictures that they were kept from"));
    let folds = recipe("resnet18", args.seed, 12, validation)?;
    let judged = out_of_fold(&mut session, &folds, FOLDS, &[], threads, &demo.stop, &context.out)?;
    let proposal = Proposal {
        rules: &default_rules(),
        predictions: Some(judged),
        in_sample: false,
        pictures: &Pictures::default(),
        pairs: None,
        again: false,
        message: None,
    };
    let Proposed { pass, findings, .. } = propose_pass(&mut session, &proposal)?;
    let found = score(&demo, &findings, &planted);
    let acted = act(&mut session, pass)?;
    demo.say(format!(
        "acted on the surest findings: {} relabelled, {} removed; every one is an event",
        acted.0, acted.1
    ));

    demo.title("Training again, two unlike networks, on the cleaned labels");
    let resnet =
        demo.train(&mut session, recipe("resnet18", args.seed, 12, validation)?, "after cleaning")?;
    let (first, after) = demo.predict(&mut session, resnet)?;
    let vgg = demo.train(&mut session, recipe("vgg11_bn", args.seed, 7, validation)?, "unlike member")?;
    let (second, other) = demo.predict(&mut session, vgg)?;
    demo.say(format!(
        "accuracy on the test pictures: ResNet-18 {after:.3} ({before:.3} before cleaning), VGG-11 {other:.3}"
    ));

    demo.title("Voting and writing a submission");
    let voted = cast(&mut session, &[(first, 1.0), (second, 1.0)], VoteRule::Majority, args.seed)?;
    ensemble::alike(context, &voted.agreement);
    ensemble::report(context, &voted);
    let source = SubmissionSource::Ensemble { ensemble: voted.ensemble };
    let submission =
        commit(&mut session, source, &SubmissionFormat::default(), Some("the demo's submission"))?;
    let file = dir.join("submission.csv");
    fs::write(&file, &submission.csv).map_err(|error| AppError::io("write", &file, &error))?;
    demo.say(format!(
        "submission {}: {} rows in {}",
        submission.submission.short(),
        submission.rows,
        file.display()
    ));

    demo.title("Deleting index and cache, and replaying the submission from weights and pictures");
    drop(session);
    for folder in ["index", "cache"] {
        let path = root.join(".safelight").join(folder);
        if path.exists() {
            fs::remove_dir_all(&path).map_err(|error| AppError::io("delete", &path, &error))?;
        }
    }
    let mut session = Session::new(Repository::open(&root)?, context.person());
    let (id, depth) = (submission.submission, Depth::Predictions);
    let replayed = replay::announced(&mut session, id, depth, None, &demo.stop, true, context)?;
    let same = fs::read(&file).map_err(|error| AppError::io("read", &file, &error))? == replayed.csv;
    demo.say(if same {
        "the rebuilt file equals the one written before, byte for byte"
    } else {
        "the rebuilt file is another one"
    });

    demo.title("Verifying every stored byte");
    let report = safelight_store::verify(&root, VerifyDepth::Deep, &mut |_| {})?;
    demo.say(format!(
        "{} frames, {} events, {} blobs, {:.1} MB: {}",
        report.frames,
        report.events,
        report.blobs,
        report.bytes as f64 / 1e6,
        if report.problems.is_empty() { "good" } else { "DAMAGED" }
    ));
    let seconds = demo.started.elapsed().as_secs_f64();
    context.out.line(format!("\nDone in {seconds:.0} s. Have a look:  {} tui", command_for(&root)));
    context.out.document(&json!({
        "repository": root.display().to_string(),
        "planted": { "wrong_folder": wrong, "blended": blended },
        "rules": found,
        "relabelled": acted.0,
        "removed": acted.1,
        "accuracy_before": before,
        "accuracy_after": after,
        "accuracy_other": other,
        "replay": replayed.receipt.outcome,
        "file_equal": same,
        "problems": report.problems.len(),
        "seconds": seconds,
    }));
    if !report.problems.is_empty() {
        return Ok(Exit::Damaged);
    }
    Ok(replay::exit(&replayed.receipt.outcome))
}

fn draw(demo: &Demo<'_>, dir: &Path, seed: u64) -> Result<DemoSet, AppError> {
    let pictures = dir.join("pictures");
    let spec = DemoSpec { train_per_class: 80, ..DemoSpec::default() };
    fs::create_dir_all(&pictures).map_err(|error| AppError::io("make the folder", &pictures, &error))?;
    let bar = demo.context.out.bar("drawing", u64::from(spec.pictures()), "pictures");
    let set = dataset(&pictures, seed, &spec, &|done| bar.set_position(u64::from(done)));
    bar.finish_and_clear();
    let failed = |error: crate::demo::DemoError| AppError::failed(words::text(&error.to_string()));
    let set = set.map_err(failed)?;
    set.save(&dir.join("planted.json")).map_err(failed)?;
    Ok(set)
}

/// The planted images by what is wrong with them.
type PlantedIds = BTreeMap<&'static str, BTreeSet<ImageId>>;

fn planted_ids(session: &Session, set: &DemoSet) -> Result<PlantedIds, AppError> {
    let mut ids = PlantedIds::new();
    for planted in &set.planted {
        let image = session
            .state()
            .images_at_path(Split::Train, planted.path.as_bytes())
            .first()
            .map(|view| view.id)
            .ok_or_else(|| {
                AppError::failed(format!("the planted picture {} was not imported", planted.path))
            })?;
        let kind = match planted.kind {
            PlantKind::WrongLabel => "wrong label",
            PlantKind::Blended => "two classes",
        };
        ids.entry(kind).or_default().insert(image);
        ids.entry("any").or_default().insert(image);
    }
    Ok(ids)
}

/// Says how many of the planted errors each rule found.
fn score(demo: &Demo<'_>, findings: &Findings, planted: &PlantedIds) -> Vec<Value> {
    let mut found = Vec::new();
    for rule in default_rules() {
        let of_rule: Vec<&Finding> =
            findings.0.iter().filter(|finding| finding.rule == rule.name()).collect();
        for (kind, ids) in planted {
            let PrecisionRecall { found: flagged, known, hits, precision, recall } =
                precision_recall(of_rule.iter().map(|finding| finding.image), ids);
            if *kind == "any" || is_for(rule.name(), kind) {
                demo.say(format!(
                    "{:<38} flags {flagged:>3}; planted ({kind}): {hits} of {known}, precision {}, recall {}",
                    rule.name(),
                    share(precision),
                    share(recall)
                ));
            }
            found.push(json!({
                "rule": rule.name(), "planted": kind, "flagged": flagged, "known": known, "hits": hits,
                "precision": precision, "recall": recall,
            }));
        }
    }
    found
}

fn is_for(rule: &str, kind: &str) -> bool {
    match rule {
        "ambiguous" => kind == "two classes",
        _ => kind == "wrong label",
    }
}

fn share(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"))
}

/// Relabels what is confidently wrong and removes what is ambiguous.
fn act(session: &mut Session, pass: safelight_lineage::id::PassId) -> Result<(usize, usize), AppError> {
    let mut counts = [0, 0];
    // Dropping what nobody looked at costs more than it brings where a rule is
    // seldom right, so of the ambiguous ones only the worst of each class go.
    let acts = [("confidently-wrong", Action::Relabel, 20), ("ambiguous", Action::Remove, 2)];
    for (place, (rule, action, limit)) in acts.into_iter().enumerate() {
        let application = Application {
            rules: vec![rule.to_owned()],
            action,
            limit_per_class: Some(limit),
            force: false,
            again: false,
        };
        let frame = apply(session, pass, &application)?;
        counts[place] = frame.map_or(0, |frame| {
            frame.events.iter().filter(|event| event.kind_name() == "ReviewDecided").count()
        });
    }
    Ok((counts[0], counts[1]))
}

/// How to call this very program on that repository.
fn command_for(root: &Path) -> String {
    let program = std::env::args_os().next().map_or_else(|| PathBuf::from("safelight"), PathBuf::from);
    format!("{} -C {}", program.display(), root.display())
}
