//! What can be done about generators and their samples.

use std::collections::BTreeSet;

use safelight_lineage::decide::Command;
use safelight_lineage::event::SamplesExpelled;
use safelight_lineage::id::{CheckpointId, GeneratorId, SamplesId};
use safelight_lineage::query::{Need, blast_radius_of, resolve_prefix};
use safelight_lineage::state::SamplesRecord;
use safelight_lineage::value::ClassIndex;

use super::{curate, perform};
use crate::detail;
use crate::event_text::label;
use crate::generators::{self, Row};
use crate::model::Model;
use crate::msg::Cmd;
use crate::overlay::{Choice, Chooser, Confirm, Consequence, Entry, Overlay, Prompt, PromptKind};
use crate::ports::{JobRequest, Judging};
use crate::text::{counted, cut, safe};

/// How many samples are drawn unless another number is typed.
const USUAL_COUNT: u32 = 100;
/// The least confidence that is proposed.
const USUAL_CONFIDENCE: &str = "0.8";
/// The most that can be drawn at once.
const MOST: u32 = 1_000_000;

/// Shows the grid of another epoch, so many further.
pub(super) fn epoch(model: &mut Model, step: isize) {
    let Some(row) = generators::selected(model) else { return model.complain("no generator is selected") };
    let id = row.id();
    let epochs = generators::epochs(model, row);
    let drawn: Vec<u32> =
        epochs.iter().filter(|epoch| epoch.grid.is_some()).map(|epoch| epoch.epoch).collect();
    let shown = generators::shown(model, id, &epochs).map(|epoch| epoch.epoch);
    let Some(here) = drawn.iter().position(|epoch| Some(*epoch) == shown) else {
        return model.complain("no grid of its samples was kept");
    };
    let Some(there) = here.checked_add_signed(step).and_then(|place| drawn.get(place)).copied() else {
        return model.complain(if step < 0 { "this is the first epoch" } else { "this is the last epoch" });
    };
    // At the newest, those to come are shown as they come.
    model.generator_views.epoch = (Some(&there) != drawn.last()).then_some((id, there));
    model.say(format!("epoch {there}"));
}

/// Whether a job on generators can be started now; says why not.
fn ready(model: &mut Model) -> bool {
    if model.past.is_some() {
        model.complain("this is the past; press n for the present");
        return false;
    }
    perform::allowed_jobs(model)
}

/// The selected generator that is in the log; says why there is none.
fn trained(model: &mut Model) -> Option<(GeneratorId, Option<ClassIndex>)> {
    match generators::selected(model) {
        Some(Row::Trained(record)) => Some((record.event.generator, record.event.class)),
        Some(Row::Unfinished(_)) => {
            model.complain("its training has not ended; until then it draws nothing");
            None
        }
        None => {
            model.complain("there is no generator; press t to train one");
            None
        }
    }
}

/// Asks for what to learn; then for the recipe.
pub(super) fn train(model: &mut Model) {
    if !ready(model) {
        return;
    }
    let state = model.newest();
    let classes = (0..state.classes().len().min(usize::from(u16::MAX))).map(|it| ClassIndex(it as u16));
    let entry = |class: Option<ClassIndex>| Entry {
        key: None,
        text: class.map_or_else(|| "all classes".to_owned(), |class| label(state, Some(class))),
        hint: if class.is_none() { "one generator for all".to_owned() } else { String::new() },
        choice: Choice::Learn(class),
    };
    let entries = [None].into_iter().chain(classes.map(Some)).map(entry).collect();
    let title = "Train a generator of which class?".to_owned();
    model.overlay =
        Some(Overlay::Chooser(Chooser { title, search: Some(String::new()), entries, selected: 0 }));
}

/// Goes on with the selected generator.
pub(super) fn resume(model: &mut Model, cmds: &mut Vec<Cmd>) {
    let Some(row) = generators::selected(model) else { return model.complain("no generator is selected") };
    let generator = row.id();
    match row {
        Row::Trained(_) => {
            return model.complain("its training has ended; only one that was stopped goes on");
        }
        Row::Unfinished(_) if generators::is_training(model, generator) => {
            return model.complain("it is in training");
        }
        Row::Unfinished(_) => {}
    }
    if ready(model) {
        cmds.push(Cmd::StartJob(JobRequest::ResumeGenerator { generator: generator.to_string() }));
        model.say("going on; see Jobs");
    }
}

/// Asks whether to stop the training of the selected generator.
pub(super) fn stop(model: &mut Model) {
    let Some(row) = generators::selected(model) else { return model.complain("no generator is selected") };
    let generator = row.id();
    let job = generators::job(model, generator).filter(|_| generators::is_training(model, generator));
    let Some(id) = job.map(|job| job.id.clone()) else { return model.complain("it is not in training") };
    let question =
        format!("Stop training generator {}? It can be gone on with, or kept as it is.", generator.short());
    model.overlay = Some(Overlay::Confirm(Confirm { question, consequence: Consequence::CancelJob(id) }));
}

/// Asks for the class to draw, where the generator knows several.
pub(super) fn draw(model: &mut Model) {
    if !ready(model) {
        return;
    }
    let Some((generator, own)) = trained(model) else { return };
    if let Some(class) = own {
        return how_many(model, generator, class);
    }
    let state = model.newest();
    let classes = (0..state.classes().len().min(usize::from(u16::MAX))).map(|it| ClassIndex(it as u16));
    let entries = classes.map(|class| Entry {
        key: None,
        text: label(state, Some(class)),
        hint: String::new(),
        choice: Choice::Draw(generator, class),
    });
    let title = format!("Draw samples of which class by {}?", generator.short());
    let entries = entries.collect();
    model.overlay =
        Some(Overlay::Chooser(Chooser { title, search: Some(String::new()), entries, selected: 0 }));
}

/// Asks how many samples to draw; the seed proposed is one that was not used.
pub(super) fn how_many(model: &mut Model, generator: GeneratorId, class: ClassIndex) {
    let of_class = generators::batches(model.newest(), generator)
        .map(|batch| &batch.generated.event)
        .filter(|drawn| drawn.class == class);
    let seed = of_class.map(|drawn| drawn.seed.saturating_add(1)).max().unwrap_or(0);
    let prompt = Prompt::new(PromptKind::Draw(generator, class), format!("{USUAL_COUNT} {seed}"));
    model.overlay = Some(Overlay::Prompt(prompt));
}

/// Starts drawing what was typed: a number and, after it, a seed.
pub(super) fn drawn(
    model: &mut Model,
    generator: GeneratorId,
    class: ClassIndex,
    text: &str,
    cmds: &mut Vec<Cmd>,
) -> Result<(), String> {
    let mut words = text.split_whitespace();
    let count = words.next().and_then(|word| word.parse::<u32>().ok()).filter(|it| (1..=MOST).contains(it));
    let count = count.ok_or_else(|| format!("how many is a number from 1 to {MOST}"))?;
    let seed = words.next().map_or(Ok(0), str::parse).map_err(|_| "a seed is a number".to_owned())?;
    if words.next().is_some() {
        return Err("only a number and a seed".to_owned());
    }
    let class = model.newest().classes().get(usize::from(class.0)).cloned();
    let class = class.ok_or_else(|| "the class is gone".to_owned())?;
    let request = JobRequest::Sample { generator: generator.to_string(), class, count, seed };
    cmds.push(Cmd::StartJob(request));
    model.say("drawing; see Jobs");
    Ok(())
}

/// The batch that the selected line of the detail is about, else all that the
/// selected generator drew.
fn candidates(model: &Model) -> Vec<SamplesId> {
    let of_line = model.in_detail.then(|| detail::batch_at(model, model.detail.selected)).flatten();
    if let Some(samples) = of_line {
        return vec![samples];
    }
    let Some(row) = generators::selected(model) else { return Vec::new() };
    generators::batches(model.newest(), row.id()).rev().map(|batch| batch.generated.event.samples).collect()
}

/// A batch in words.
fn batch_in_words(model: &Model, batch: &SamplesRecord) -> String {
    let drawn = &batch.generated.event;
    format!(
        "{} of {}, seed {}",
        counted(drawn.blobs.len() as u64, "sample", "samples"),
        label(model.newest(), Some(drawn.class)),
        drawn.seed
    )
}

/// Something to choose from batches.
fn choose_batch(
    model: &Model,
    title: String,
    batches: &[SamplesId],
    choice: fn(SamplesId) -> Choice,
) -> Chooser {
    let state = model.newest();
    let found = batches.iter().filter_map(|samples| state.samples().get(*samples));
    let entries = found.map(|batch| Entry {
        key: None,
        text: batch_in_words(model, batch),
        hint: format!(
            "{} in · {}",
            generators::inside(state, batch).present,
            batch.generated.event.samples.short()
        ),
        choice: choice(batch.generated.event.samples),
    });
    Chooser { title, search: Some(String::new()), entries: entries.collect(), selected: 0 }
}

/// Asks which samples to let in, where there are several, and how they are judged.
pub(super) fn admit(model: &mut Model) {
    if !ready(model) || !curate::allowed(model) || trained(model).is_none() {
        return;
    }
    match candidates(model).as_slice() {
        [] => model.complain("no samples were drawn yet; press d to draw some"),
        [one] => how_to_judge(model, *one),
        several => {
            let chooser = choose_batch(model, "Admit which samples?".to_owned(), several, Choice::Admit);
            model.overlay = Some(Overlay::Chooser(chooser));
        }
    }
}

/// Asks by whom samples are judged before they are let in.
pub(super) fn how_to_judge(model: &mut Model, samples: SamplesId) {
    let Some(batch) = model.newest().samples().get(samples) else { return };
    let newest = model.newest().checkpoints().last().map(|record| record.event.checkpoint.short());
    let by = newest.unwrap_or_else(|| "none yet".to_owned());
    let entry =
        |key, text: &str, hint: String, choice| Entry { key: Some(key), text: text.to_owned(), hint, choice };
    let entries = vec![
        entry('n', "all, judged by the newest model", by, Choice::AskAdmit(samples, Judging::Newest)),
        entry('c', "those a model is sure of …", String::new(), Choice::AskConfidence(samples)),
        entry('u', "all, judged by nobody", String::new(), Choice::AskAdmit(samples, Judging::Nobody)),
        entry(
            'm',
            "none: only measure them",
            String::new(),
            Choice::Job(JobRequest::Quality { samples: samples.to_string() }),
        ),
    ];
    let title = format!("Admit which of {}?", batch_in_words(model, batch));
    model.overlay = Some(Overlay::Chooser(Chooser { title, search: None, entries, selected: 0 }));
}

/// Asks for the least confidence.
pub(super) fn ask_confidence(model: &mut Model, samples: SamplesId) {
    let prompt = Prompt::new(PromptKind::Confidence(samples), USUAL_CONFIDENCE);
    model.overlay = Some(Overlay::Prompt(prompt));
}

/// Takes what was typed: a probability and, after it, a checkpoint.
pub(super) fn confidence(model: &mut Model, samples: SamplesId, text: &str) -> Result<(), String> {
    let mut words = text.split_whitespace();
    let least = words.next().unwrap_or_default();
    let valid = least.parse::<f64>().is_ok_and(|least| (0.0..=1.0).contains(&least));
    if !valid {
        return Err("a probability is a number from 0 to 1".to_owned());
    }
    let by = match words.next() {
        Some(prefix) => Some(
            resolve_prefix::<CheckpointId>(model.newest(), prefix)
                .map_err(|_| format!("'{prefix}' begins the id of no checkpoint, or of several"))?,
        ),
        None if model.newest().checkpoints().is_empty() => {
            return Err("there is no checkpoint to be sure; train a model first".to_owned());
        }
        None => None,
    };
    if words.next().is_some() {
        return Err("only a probability and a checkpoint".to_owned());
    }
    let by = by.map(|checkpoint| checkpoint.to_string());
    ask_admit(model, samples, &Judging::Sure { least: least.to_owned(), by });
    Ok(())
}

/// Asks whether to let samples in, with what keeps some of them out.
pub(super) fn ask_admit(model: &mut Model, samples: SamplesId, judging: &Judging) {
    let Some(batch) = model.newest().samples().get(samples) else { return };
    let state = model.newest();
    let class = batch.generated.event.class;
    let real = state
        .images()
        .filter(|image| image.present && image.label == Some(class))
        .filter(|image| image.split == safelight_lineage::event::Split::Train)
        .fold([0u64; 2], |[real, drawn], image| match image.origin {
            safelight_lineage::event::Origin::File => [real + 1, drawn],
            safelight_lineage::event::Origin::Generated { .. } => [real, drawn + 1],
        });
    let sure = match judging {
        Judging::Newest | Judging::Nobody => String::new(),
        Judging::Sure { least, by } => {
            let by = by.as_deref().map_or("the newest checkpoint", |by| by.get(..8).unwrap_or(by));
            format!(", and those whose class has less than {least} for {by}")
        }
    };
    let measured = measured(model, samples);
    let measured = if measured.is_empty() {
        String::new()
    } else {
        format!(" Last measured: {}.", measured.join(" · "))
    };
    let question = format!(
        "Admit {} into the training split? {} of them are in; beside them {} of the class and {} generated. \
         They are measured first: copies of training images stay out{sure}, and nothing goes in when they \
         differ less than 0.3 of how real ones do.{measured}",
        batch_in_words(model, batch),
        generators::inside(state, batch).present,
        counted(real[0], "real image", "real images"),
        real[1],
    );
    let request = JobRequest::Admit { samples: samples.to_string(), judging: judging.clone() };
    let consequence = Consequence::Start(request);
    model.overlay = Some(Overlay::Confirm(Confirm { question, consequence }));
}

/// What the newest job that measured these samples said of them.
fn measured(model: &Model, samples: SamplesId) -> Vec<String> {
    let id = samples.to_string();
    let of = |title: &str| {
        let mut words = title.split_whitespace().skip_while(|word| *word != "quality").skip(1);
        title.starts_with("generate quality") && words.next().is_some_and(|word| id.starts_with(word))
    };
    let Some(job) = model.jobs.views.iter().find(|job| of(&job.title)) else { return Vec::new() };
    let figures = ["diversity", "copies", "Fréchet distance", "recognised"];
    let lines = job.output.iter().map(|line| line.trim());
    let told = lines.filter(|line| figures.iter().any(|figure| line.starts_with(figure)));
    told.map(|line| safe(&line.split_whitespace().collect::<Vec<_>>().join(" "))).collect()
}

/// Asks which samples to take out, where there are several batches, then whether.
pub(super) fn expel(model: &mut Model) {
    if !curate::allowed(model) || trained(model).is_none() {
        return;
    }
    let state = model.newest();
    let there = |samples: &SamplesId| {
        state.samples().get(*samples).is_some_and(|batch| generators::inside(state, batch).there > 0)
    };
    let batches: Vec<SamplesId> = candidates(model).into_iter().filter(there).collect();
    match batches.as_slice() {
        [] => model.complain("none of these samples is in the dataset"),
        [_] => ask_expel(model, &batches),
        several => {
            let title = "Expel which samples?".to_owned();
            let mut chooser = choose_batch(model, title, several, |samples| Choice::Expel(vec![samples]));
            let all = Entry {
                key: None,
                text: "all that the generator drew".to_owned(),
                hint: counted(several.len() as u64, "batch", "batches"),
                choice: Choice::Expel(batches.clone()),
            };
            chooser.entries.insert(0, all);
            model.overlay = Some(Overlay::Chooser(chooser));
        }
    }
}

/// Asks whether to take samples out, with what rests on them.
pub(super) fn ask_expel(model: &mut Model, batches: &[SamplesId]) {
    let state = model.newest();
    let records = batches.iter().filter_map(|samples| state.samples().get(*samples));
    let images: u64 = records.map(|batch| generators::inside(state, batch).there).sum();
    let needs: BTreeSet<Need> = batches.iter().map(|samples| Need::Samples(*samples)).collect();
    let radius = blast_radius_of(state, &needs);
    let runs: Vec<String> = radius.runs.iter().map(|run| run.short()).collect();
    let learned = match runs.as_slice() {
        [] => "No run had them in its dataset.".to_owned(),
        [one] => format!("1 run had them in its dataset: {one}."),
        several => {
            format!("{} runs had them in their datasets: {}.", several.len(), cut(&several.join(", "), 60))
        }
    };
    let rests = match radius.submissions.len() {
        0 => String::new(),
        count => format!(" {} on those.", counted(count as u64, "submission rests", "submissions rest")),
    };
    let question = format!(
        "Take {} of {} out of the dataset? {learned}{rests} An undo brings them back.",
        counted(images, "image", "images"),
        counted(batches.len() as u64, "batch", "batches"),
    );
    let command = |samples: &SamplesId| {
        let expelled = SamplesExpelled { samples: *samples, reason: "taken back".to_owned() };
        Command::Record(Box::new(expelled.into()))
    };
    let consequence = Consequence::Execute(batches.iter().map(command).collect());
    model.overlay = Some(Overlay::Confirm(Confirm { question, consequence }));
}
