//! Tests of the training of generators, on pictures made here.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};

use safelight_lineage::digest::BlobId;
use safelight_lineage::event::Split;
use safelight_lineage::id::ImageId;
use safelight_lineage::manifest::{Manifest, ManifestRow};
use safelight_lineage::value::ClassIndex;
use tch::{Device, Kind, Tensor};

use super::super::super::plan::BlobSource;
use super::super::super::progress::SinkError;
use super::super::super::weights::{WeightsError, decode};
use super::super::error::TrainError;
use super::super::tests::alone;
use super::critic::Critic;
use super::state::{read, save};
use super::step::slope_penalty;
use super::*;
use crate::generate::grid::picture_png;
use crate::generate::history::{GeneratorEnding, GeneratorHistory};
use crate::generate::network::{GeneratorNote, NOTE};
use crate::generate::plan::GeneratorPlan;
use crate::generate::progress::{EpochSamples, GenerateLine, GenerateOutcome, GenerateSink};
use crate::generate::recipe::{CriticNorm, GeneratorRecipe};

/// All tests of a process share libtorch's threads, so they use the same number.
const THREADS: usize = 2;
static NEVER: AtomicBool = AtomicBool::new(false);

const TINY: &str =
    "seed = 3\nsize = 16\nbatch = 32\nepochs = 2\nlatent = 6\nfeatures = 4\ncritic_steps = 2\n";

struct Pictures(HashMap<BlobId, Vec<u8>>);

impl BlobSource for Pictures {
    fn read(&self, blob: BlobId) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        self.0.get(&blob).cloned().ok_or_else(|| "no such blob".into())
    }
}

/// Fifty stripes down and fifty across, of many phases and colours.
fn plan(recipe: &str) -> (GeneratorPlan, Pictures) {
    let mut pictures = HashMap::new();
    let mut rows = Vec::new();
    for index in 0..50usize {
        for class in 0..2usize {
            let pixel = |place: usize| {
                let along = if class == 0 { place % 16 } else { place / 16 };
                let light = if (along + index) % 6 < 3 { 230 } else { 20 };
                [light, (index * 37 % 256) as u8, 255 - light]
            };
            let png = picture_png(&(0..256).flat_map(pixel).collect::<Vec<u8>>(), 16).expect("encodes");
            let blob = BlobId::of(&png);
            let image = ImageId::of_import(blob, &[index as u8, class as u8], Split::Train);
            let label = Some(ClassIndex(class as u16));
            rows.push(ManifestRow { image, blob, label, split: Split::Train });
            pictures.insert(blob, png);
        }
    }
    let manifest = Manifest::new(vec!["down".into(), "across".into()], rows);
    let recipe = GeneratorRecipe::parse(recipe).expect("valid");
    (GeneratorPlan::from_manifest(recipe, &manifest).expect("fits"), Pictures(pictures))
}

/// Keeps what it is given; raises `stop` after so many steps.
#[derive(Default)]
struct Keep {
    steps: usize,
    stop_after: Option<usize>,
    stop: AtomicBool,
    state: Vec<u8>,
    grids: usize,
    judged: Vec<usize>,
}

struct Shared<'a>(&'a mut Keep, &'a AtomicBool);

impl GenerateSink for Shared<'_> {
    fn progress(&mut self, line: &GenerateLine) {
        if let GenerateLine::CriticStep { .. } = line {
            self.0.steps += 1;
            if Some(self.0.steps) == self.0.stop_after {
                self.1.store(true, Ordering::Relaxed);
            }
        }
    }

    fn wants_to_judge(&self, epoch: u32) -> Option<usize> {
        (epoch == 1).then_some(5)
    }

    fn judge(&mut self, samples: &EpochSamples) -> Result<f64, SinkError> {
        self.0.judged.extend(samples.classes.iter().map(Vec::len));
        Ok(2.5)
    }

    fn keep_grid(&mut self, _: u32, png: &[u8]) -> Result<(Option<String>, Option<String>), SinkError> {
        safelight::image::decode::decode(png)?;
        self.0.grids += 1;
        Ok((None, None))
    }

    fn resume_point(&mut self, state: &dyn Fn() -> Result<Vec<u8>, SinkError>) -> Result<(), SinkError> {
        self.0.state = state()?;
        Ok(())
    }
}

fn run(plan: &GeneratorPlan, pictures: &Pictures, keep: &mut Keep) -> Result<GenerateOutcome, TrainError> {
    let stop = std::mem::take(&mut keep.stop);
    train_generator(plan, pictures, None, THREADS, &mut Shared(keep, &stop), &stop)
}

fn trained(plan: &GeneratorPlan, pictures: &Pictures) -> (Vec<u8>, GeneratorHistory, GeneratorEnding) {
    match run(plan, pictures, &mut Keep::default()).expect("trains") {
        GenerateOutcome::Trained { weights, history, ending } => (weights, *history, ending),
        GenerateOutcome::Cancelled { .. } => panic!("nobody cancelled"),
    }
}

#[test]
fn the_weights_are_a_function_of_the_recipe() {
    let _alone = alone();
    for more in
        ["", "penalty = \"gradient\"", "class = \"across\"\nextra_layers = 1\ncritic_norm = \"layer\""]
    {
        let (plan, pictures) = plan(&format!("{TINY}{more}"));
        let (weights, history, ending) = trained(&plan, &pictures);
        assert_eq!(ending, GeneratorEnding::Finished);
        assert_eq!(weights, trained(&plan, &pictures).0, "{more}");
        let steps = plan.steps() as usize * 2;
        assert_eq!((history.critic_distance.len(), history.generator_loss.len()), (steps, steps / 2));
        assert_eq!(history.gradient_penalty.is_empty(), !more.contains("gradient"));
        assert_eq!(history.epochs[1].frechet_distance, Some(2.5));
        assert!(history.epochs.iter().all(|epoch| epoch.diversity.is_some_and(|share| share > 0.0)));
    }
    let (one, pictures) = plan(TINY);
    let (other, _) = plan(&TINY.replace("seed = 3", "seed = 4"));
    assert_ne!(trained(&one, &pictures).0, trained(&other, &pictures).0);
}

#[test]
fn a_run_that_was_stopped_goes_on_to_the_same_bits() {
    let _alone = alone();
    let (mut plan, pictures) = plan(&format!("{TINY}penalty = \"gradient\""));
    let (whole, history, _) = trained(&plan, &pictures);
    // In the middle of each of the epochs, and at their ends, as after a kill.
    for stop_after in [1, 2, 4, 5] {
        let mut keep = Keep { stop_after: Some(stop_after), ..Keep::default() };
        plan.resume = None;
        let GenerateOutcome::Cancelled { resume } = run(&plan, &pictures, &mut keep).expect("stops") else {
            panic!("it was told to stop after {stop_after}")
        };
        plan.resume = Some(resume);
        let (weights, resumed, _) = trained(&plan, &pictures);
        assert_eq!(weights, whole, "stopped after {stop_after}");
        assert_eq!(resumed.critic_distance, history.critic_distance);
        if keep.state.is_empty() {
            continue;
        }
        plan.resume = Some(keep.state);
        assert_eq!(trained(&plan, &pictures).0, whole, "killed after {stop_after}");
    }
    // What was stopped can be kept as it is.
    let resumed = plan.resume.clone().expect("a state");
    let (place, parts, _) = read(&resumed, &plan.digest()).expect("reads");
    plan.keep = true;
    let (kept, _, ending) = trained(&plan, &pictures);
    assert_eq!(ending, GeneratorEnding::Kept { epochs: place.epoch });
    assert_eq!(decode(&kept, NOTE).expect("weights").0, parts["average"]);
    plan.keep = false;
    plan.recipe.seed += 1;
    let other = run(&plan, &pictures, &mut Keep::default());
    assert!(matches!(other, Err(TrainError::OtherPlan { .. })));
}

#[test]
fn what_is_not_finite_ends_it_and_the_last_good_is_kept() {
    let _alone = alone();
    let (mut plan, pictures) = plan(TINY);
    let mut keep = Keep::default();
    run(&plan, &pictures, &mut keep).expect("trains");
    let digest = plan.digest();
    let (place, mut parts, history) = read(&keep.state, &digest).expect("a state");
    assert_eq!((place.epoch, place.step), (1, 0));
    let good = parts["average"].clone();
    let critic = parts.get_mut("critic").expect("a critic");
    critic.values_mut().for_each(|values| values.values.fill(f32::NAN));
    plan.resume = Some(save(&digest, place, &parts, &history));
    let (weights, history, ending) = trained(&plan, &pictures);
    assert_eq!(ending, GeneratorEnding::NotFinite { epoch: 1, step: 0 });
    assert_eq!(decode(&weights, NOTE).expect("weights").0, good);
    assert_eq!(history.epochs.len(), 1, "the epoch that failed is none");
}

#[test]
fn samples_that_are_all_alike_are_reported_and_end_it_when_asked() {
    let _alone = alone();
    // Nothing is diverse enough for this recipe; it may take its time at first.
    let strict = TINY.replace("epochs = 2", "epochs = 13\nlearning_rate = 1e-8\naverage = 0.0");
    let strict = format!("{strict}collapse_below = 1.0\ncollapse_patience = 2\n");
    let (plan_, pictures) = plan(&format!("{strict}stop_on_collapse = true"));
    let (_, history, ending) = trained(&plan_, &pictures);
    assert!(history.diversities().iter().all(|share| *share < 1.0), "{:?}", history.diversities());
    assert_eq!(ending, GeneratorEnding::Collapsed { epoch: 11 });
    let (plan_, pictures) = plan(&strict);
    let (_, history, ending) = trained(&plan_, &pictures);
    assert_eq!(ending, GeneratorEnding::Finished);
    let collapsed: Vec<u32> =
        history.epochs.iter().filter(|epoch| epoch.collapsed).map(|epoch| epoch.epoch).collect();
    assert_eq!(collapsed, [11, 12]);
}

#[test]
fn samples_are_a_function_of_weights_class_and_seed() {
    let _alone = alone();
    let (plan, pictures) = plan(TINY);
    let (weights, ..) = trained(&plan, &pictures);
    let sample = |class, count, seed| {
        draw(&weights, ClassIndex(class), count, seed, THREADS, &mut |_| {}, &NEVER)
            .map(|(_, pictures)| pictures)
    };
    let few = sample(0, 3, 7).expect("draws");
    let many = sample(0, 70, 7).expect("draws");
    assert_eq!((few.len(), many.len(), few[0].len()), (3, 70, 16 * 16 * 3));
    assert_eq!(many[..3], few[..], "more begin with the same");
    assert_ne!(sample(1, 3, 7).expect("draws"), few, "another class");
    assert_ne!(sample(0, 3, 8).expect("draws"), few, "another seed");
    assert!(matches!(sample(2, 1, 7), Err(DrawError::OtherClass { class: 2, .. })));
    let damaged = draw(&weights[..weights.len() - 4], ClassIndex(0), 1, 7, THREADS, &mut |_| {}, &NEVER);
    assert!(matches!(damaged, Err(DrawError::Weights(WeightsError::Format { .. }))));
}

#[test]
fn the_penalty_can_be_differentiated() {
    let _alone = alone();
    let recipe = GeneratorRecipe::parse(TINY).expect("valid");
    let note = GeneratorNote::new(&recipe, vec![(0, "down".into()), (1, "across".into())]);
    let critic = Critic::new(&note, CriticNorm::None, 5, Device::Cpu).expect("a critic");
    let count = || Tensor::arange(2 * 3 * 256, (Kind::Float, Device::Cpu)).view([2, 3, 16, 16]);
    let (real, fake) = ((count() * 0.37).sin(), (count() * 0.11).cos());
    let classes = Tensor::from_slice(&[0i64, 1]);
    let penalty = || slope_penalty(&critic, (&real, &fake), &classes, &[0.25, 0.75]).expect("a penalty");
    // The derivative along the gradient, by differences, is the gradient's length.
    let names: BTreeMap<&str, &Tensor> =
        critic.parameters().iter().map(|parameter| (parameter.name.as_str(), &parameter.tensor)).collect();
    let weight = names["critic.1.weight"];
    let gradient = Tensor::run_backward(&[penalty()], &[weight], false, false).remove(0);
    let length = gradient.norm().double_value(&[]);
    let step = 1e-2 / length;
    let value_at = |share: f64| {
        let _guard = tch::no_grad_guard();
        let _ = weight.shallow_clone().f_add_(&(&gradient * (share * step))).expect("moves");
        let value = tch::with_grad(penalty).double_value(&[]);
        let _ = weight.shallow_clone().f_sub_(&(&gradient * (share * step))).expect("moves back");
        value
    };
    let numeric = (value_at(1.0) - value_at(-1.0)) / (2.0 * step);
    let exact = length * length;
    assert!(length > 1e-4 && (numeric - exact).abs() < 0.03 * exact, "{numeric} instead of {exact}");
}
