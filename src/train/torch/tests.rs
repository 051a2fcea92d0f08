//! Tests of the engine on pictures made here: stripes of two directions.

use std::collections::HashMap;
use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use safelight_lineage::digest::BlobId;
use safelight_lineage::event::Split;
use safelight_lineage::id::ImageId;
use safelight_lineage::manifest::{Manifest, ManifestRow};
use safelight_lineage::value::ClassIndex;
use tch::{Device, Kind, Tensor};

use super::super::device::processor_has_bf16;
use super::super::metrics::{History, Judgement};
use super::super::plan::{BlobSource, Plan, Sample};
use super::super::progress::{Outcome, Progress, SinkError, StageCheckpoint, TrainSink};
use super::super::recipe::{Precision, Recipe};
use super::super::renditions::RenditionError;
use super::super::views::Views;
use super::super::weights::{WeightsError, decode_weights, encode_weights};
use super::error::DeviceError;
use super::*;

/// All tests of a process share libtorch's threads, so they use the same number.
const THREADS: usize = 2;
static NEVER: AtomicBool = AtomicBool::new(false);

/// Held by each test: several at once would wait for each other's threads.
static ALONE: Mutex<()> = Mutex::new(());

/// Waits until no other test computes.
pub(super) fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Pictures by blob.
struct Pictures(
    HashMap<BlobId, Vec<u8>>,
    #[expect(dead_code, reason = "held, not read")] MutexGuard<'static, ()>,
);

impl BlobSource for Pictures {
    fn read(&self, blob: BlobId) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        self.0.get(&blob).cloned().ok_or_else(|| "no such blob".into())
    }
}

/// Stripes, down for class 0 and across for class 1, of a phase and colour that
/// depend on `index`.
fn stripes(class: usize, index: usize) -> Vec<u8> {
    let mut pixels = Vec::new();
    for y in 0..36 {
        for x in 0..36 {
            let along = if class == 0 { x } else { y };
            let light = (along + index) % 6 < 3;
            pixels.extend([
                if light { 220 } else { 30 },
                (index * 16 % 256) as u8,
                if light { 90 } else { 160 },
            ]);
        }
    }
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes).write_image(&pixels, 36, 36, ExtendedColorType::Rgb8).expect("encodes");
    bytes
}

/// A plan for `images` pictures of each class, half as many for validation.
fn plan(recipe: &str, images: usize) -> (Plan, Pictures) {
    let alone = alone();
    let mut pictures = HashMap::new();
    let mut rows = Vec::new();
    for index in 0..images * 3 / 2 {
        for class in 0..2 {
            let bytes = stripes(class, index);
            let blob = BlobId::of(&bytes);
            let split = if index < images { Split::Train } else { Split::Valid };
            let image = ImageId::of_import(blob, &[index as u8, class as u8], split);
            rows.push(ManifestRow { image, blob, label: Some(ClassIndex(class as u16)), split });
            pictures.insert(blob, bytes);
        }
    }
    let manifest = Manifest::new(vec!["down".into(), "across".into()], rows);
    let recipe = Recipe::parse(recipe).expect("valid");
    (Plan::from_manifest(recipe, &manifest, &Default::default()).expect("fits"), Pictures(pictures, alone))
}

/// Keeps checkpoints and the state of the last epoch that has one.
#[derive(Default)]
struct Keep {
    checkpoints: Vec<StageCheckpoint>,
    steps: usize,
    state: Vec<u8>,
    broken_off: Option<History>,
}

impl TrainSink for Keep {
    fn progress(&mut self, progress: &Progress) {
        if let Progress::Step { .. } = progress {
            self.steps += 1;
        }
    }

    fn checkpoint(&mut self, checkpoint: StageCheckpoint) -> Result<(), SinkError> {
        self.checkpoints.push(checkpoint);
        Ok(())
    }

    fn resume_point(
        &mut self,
        _: u32,
        _: u32,
        state: &dyn Fn() -> Result<Vec<u8>, SinkError>,
    ) -> Result<(), SinkError> {
        self.state = state()?;
        Ok(())
    }

    fn broken_off(&mut self, metrics_json: Vec<u8>) {
        self.broken_off = Some(serde_json::from_slice(&metrics_json).expect("a history"));
    }
}

/// A sink that raises a flag after a number of steps.
struct StopAfter<'a> {
    left: usize,
    flag: &'a AtomicBool,
}

impl TrainSink for StopAfter<'_> {
    fn progress(&mut self, progress: &Progress) {
        if let Progress::Step { .. } = progress {
            self.left -= 1;
            if self.left == 0 {
                self.flag.store(true, Ordering::Relaxed);
            }
        }
    }

    fn checkpoint(&mut self, _: StageCheckpoint) -> Result<(), SinkError> {
        Ok(())
    }
}

fn trained(plan: &Plan, pictures: &Pictures) -> (Keep, History) {
    let mut keep = Keep::default();
    let outcome = train(plan, pictures, None, THREADS, &mut keep, &NEVER).expect("trains");
    let Outcome::Finished { metrics_json } = outcome else { panic!("{outcome:?}") };
    (keep, serde_json::from_slice(&metrics_json).expect("a history"))
}

fn last(keep: &Keep) -> &[u8] {
    &keep.checkpoints.last().expect("a checkpoint").weights
}

const TWO_STAGES: &str = r#"
    seed = 5
    architecture = "mobilenet_v2"
    head = "fastai"
    mixup = 0.4
    batch = 4
    validation = { split = "valid" }
    [[stage]]
    size = 32
    epochs = 2
    frozen = "body"
    [[stage]]
    size = 40
    epochs = 1
    first_learning_rate = 1e-4
"#;

#[test]
fn the_same_recipe_gives_the_same_weights_and_another_seed_others() {
    let (plan_one, pictures) = plan(TWO_STAGES, 6);
    let (one, history) = trained(&plan_one, &pictures);
    let (again, _) = trained(&plan_one, &pictures);
    assert_eq!(one.checkpoints.len(), 2);
    assert_eq!((one.checkpoints[1].stage, one.checkpoints[1].image_size), (1, 40));
    assert!(one.checkpoints == again.checkpoints, "equal in every byte");
    assert_eq!((history.steps.len(), history.epochs.len()), (9, 3));
    let mut other_plan = plan_one.clone();
    other_plan.recipe.seed = 6;
    let (other, _) = trained(&other_plan, &pictures);
    assert!(last(&one) != last(&other));
}

#[test]
fn a_run_resumed_anywhere_ends_as_one_that_was_not_interrupted() {
    let (mut plan, pictures) = plan(TWO_STAGES, 6);
    let (whole, whole_history) = trained(&plan, &pictures);
    for steps in [1, 3, 5, 7] {
        let stop = AtomicBool::new(false);
        let mut sink = StopAfter { left: steps, flag: &stop };
        let outcome = train(&plan, &pictures, None, THREADS, &mut sink, &stop).expect("trains");
        let Outcome::Cancelled { resume, metrics_json } = outcome else { panic!("not cancelled") };
        let history: History = serde_json::from_slice(&metrics_json).expect("a history");
        assert_eq!(history.steps.len(), steps);
        plan.resume = Some(resume);
        let (rest, history) = trained(&plan, &pictures);
        plan.resume = None;
        assert!(last(&rest) == last(&whole), "stopped after {steps} steps");
        assert_eq!(history.steps, whole_history.steps);
    }
    // A run that was killed goes on from the state of its last epoch.
    plan.resume = Some(whole.state.clone());
    assert!(last(&trained(&plan, &pictures).0) == last(&whole));
    plan.recipe.weight_decay = 0.02;
    let refused = train(&plan, &pictures, None, THREADS, &mut Keep::default(), &NEVER);
    assert!(matches!(refused, Err(TrainError::OtherPlan { .. })));
}

#[test]
fn cancelling_before_anything_leaves_a_run_that_can_be_taken_up() {
    let (mut plan, pictures) = plan("batch = 4\n[[stage]]\nsize = 32\nepochs = 1", 6);
    let now = AtomicBool::new(true);
    let outcome = train(&plan, &pictures, None, THREADS, &mut Keep::default(), &now).expect("stops");
    let Outcome::Cancelled { resume, .. } = outcome else { panic!("not cancelled") };
    let (whole, _) = trained(&plan, &pictures);
    plan.resume = Some(resume);
    assert!(last(&trained(&plan, &pictures).0) == last(&whole));
}

#[test]
fn it_learns_and_its_checkpoint_predicts_what_validation_saw() {
    let recipe = "batch = 8\nvalidation = { split = \"valid\" }\n[augmentation]\npreset = \"crop_flip\"\n\
                  [[stage]]\nsize = 32\nepochs = 8\nlearning_rate = 2e-3";
    let (plan, pictures) = plan(recipe, 16);
    let (keep, history) = trained(&plan, &pictures);
    let judgement = history.epochs.last().and_then(|epoch| epoch.judgement.clone()).expect("judged");
    // So few steps end a little better or worse with the processor's rounding.
    let accuracies = history.epochs.iter().filter_map(|epoch| Some(epoch.judgement.as_ref()?.accuracy()));
    assert!(accuracies.fold(0.0, f64::max) >= 0.9, "{history:?}");
    assert!(judgement.accuracy() >= 0.75, "{history:?}");
    assert_eq!(keep.checkpoints[0].metrics["accuracy"], judgement.accuracy());

    let images: Vec<_> = plan.valid.iter().map(|sample| (sample.image, sample.blob)).collect();
    let labels: Vec<u16> = plan.valid.iter().map(|sample| sample.label).collect();
    let prediction = Prediction {
        weights: last(&keep),
        architecture: "resnet18",
        classes: &plan.classes,
        size: 32,
        images: &images,
        views: Views::Plain,
    };
    let run =
        |prediction: &Prediction<'_>| predict(prediction, &pictures, None, THREADS, &mut |_| {}, &NEVER);
    let plain = run(&prediction).expect("predicts");
    assert_eq!(Judgement::new(&plain, &labels, 2), judgement);
    let tta = Views::TestTimeAugmentation { views: 2, plain_weight: 0.25, seed: 3 };
    for views in [tta, Views::TenCrop { resize: 40 }] {
        let rows = run(&Prediction { views, ..prediction }).expect("predicts");
        assert_ne!(rows, plain);
        assert!(rows.chunks_exact(2).all(|row| (row[0] + row[1] - 1.0).abs() < 1e-5));
        assert_eq!(rows, run(&Prediction { views, ..prediction }).expect("predicts"));
    }
    let features = embeddings(&prediction, &pictures, None, THREADS, &mut |_| {}, &NEVER).expect("embeds");
    assert_eq!(features.len(), images.len() * 512);

    let other = run(&Prediction { architecture: "resnet34", ..prediction });
    assert!(matches!(other, Err(PredictError::Weights(WeightsError::OtherArchitecture { .. }))));
    let classes = ["across".to_owned(), "down".to_owned()];
    let other = run(&Prediction { classes: &classes, ..prediction });
    assert!(matches!(other, Err(PredictError::Weights(WeightsError::OtherClasses { .. }))));
}

#[test]
fn first_weights_are_taken_over_but_for_a_head_that_does_not_fit() {
    let recipe = "batch = 4\n[[stage]]\nsize = 32\nepochs = 1";
    let (mut plan, pictures) = plan(recipe, 6);
    let (first, _) = trained(&plan, &pictures);
    let (mut values, note) = decode_weights(last(&first)).expect("reads");
    let mut note = note.expect("has a note");
    note.classes = vec!["one".into(), "two".into(), "three".into()];
    values.remove("fc.weight");
    plan.initial = Some(encode_weights(&values, &note));
    plan.recipe.stage[0].learning_rate = 1e-8;
    plan.recipe.weight_decay = 0.0;
    let (second, _) = trained(&plan, &pictures);
    let (after, _) = decode_weights(last(&second)).expect("reads");
    let distance = |name: &str| -> f32 {
        values[name].values.iter().zip(&after[name].values).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    assert!(distance("layer4.1.conv2.weight") < 1e-5, "the body was taken over");

    values.remove("conv1.weight");
    plan.initial = Some(encode_weights(&values, &note));
    let refused = train(&plan, &pictures, None, THREADS, &mut Keep::default(), &NEVER);
    let Err(TrainError::Weights(WeightsError::Tensors { missing, .. })) = refused else { panic!("taken") };
    assert_eq!(missing, ["conv1.weight"]);
    note.architecture = "vgg11_bn".into();
    plan.initial = Some(encode_weights(&values, &note));
    let refused = train(&plan, &pictures, None, THREADS, &mut Keep::default(), &NEVER);
    assert!(matches!(refused, Err(TrainError::Weights(WeightsError::OtherArchitecture { .. }))));
}

#[test]
fn a_loss_that_is_no_number_stops_the_run_with_its_step() {
    let (mut plan, pictures) = plan("batch = 4\n[[stage]]\nsize = 32\nepochs = 1", 6);
    let (keep, _) = trained(&plan, &pictures);
    let (mut values, note) = decode_weights(last(&keep)).expect("reads");
    values.get_mut("conv1.weight").expect("there").values[0] = f32::NAN;
    plan.initial = Some(encode_weights(&values, &note.expect("has a note")));
    let mut sink = Keep::default();
    let failed = train(&plan, &pictures, None, THREADS, &mut sink, &NEVER);
    assert!(matches!(failed, Err(TrainError::NotFinite { stage: 0, epoch: 0, step: 0, .. })), "{failed:?}");
    assert!(sink.checkpoints.is_empty());
}

#[test]
fn every_bad_picture_is_listed_before_the_first_step() {
    let (mut plan, mut pictures) = plan("batch = 4\n[[stage]]\nsize = 32\nepochs = 1", 6);
    let cut = pictures.0[&plan.train[0].blob][..60].to_vec();
    pictures.0.insert(plan.train[0].blob, cut);
    plan.valid.push(Sample { image: ImageId([255; 16]), blob: BlobId([1; 32]), label: 0 });
    let mut sink = Keep::default();
    let failed = train(&plan, &pictures, None, THREADS, &mut sink, &NEVER);
    let Err(TrainError::Renditions(RenditionError::Undecodable { pictures: bad })) = failed else {
        panic!("{failed:?}")
    };
    assert_eq!(bad.len(), 2);
    assert_eq!((bad[0].image, bad[1].image), (plan.train[0].image, ImageId([255; 16])));
    assert!(bad[0].reason.contains("PNG") && bad[1].reason.contains("no such blob"), "{bad:?}");
    assert_eq!(sink.steps, 0);
}

/// Trains twice, and once stopped and taken up, and wants the same bits.
fn repeats_and_resumes(recipe: &str, stop_after: &[usize]) -> (Plan, Pictures, Keep) {
    let (mut plan, pictures) = plan(recipe, 6);
    let (whole, history) = trained(&plan, &pictures);
    assert!(whole.checkpoints == trained(&plan, &pictures).0.checkpoints, "equal in every byte");
    for steps in stop_after {
        let stop = AtomicBool::new(false);
        let mut sink = StopAfter { left: *steps, flag: &stop };
        let outcome = train(&plan, &pictures, None, THREADS, &mut sink, &stop).expect("trains");
        let Outcome::Cancelled { resume, .. } = outcome else { panic!("not cancelled") };
        plan.resume = Some(resume);
        let (rest, resumed) = trained(&plan, &pictures);
        plan.resume = None;
        assert!(last(&rest) == last(&whole), "stopped after {steps} steps");
        let judged =
            |history: &History| history.epochs.iter().map(|e| e.judgement.clone()).collect::<Vec<_>>();
        assert_eq!(judged(&resumed), judged(&history), "stopped after {steps} steps");
    }
    plan.resume = Some(whole.state.clone());
    assert!(last(&trained(&plan, &pictures).0) == last(&whole), "killed after an epoch");
    plan.resume = None;
    (plan, pictures, whole)
}

#[test]
fn an_average_is_kept_repeated_and_resumed() {
    let with = |decay: &str| TWO_STAGES.replace("batch = 4", &format!("batch = 4\n{decay}"));
    let (mut averaged, pictures, whole) = repeats_and_resumes(&with("moving_average = 0.9"), &[1, 3, 7]);
    averaged.recipe.moving_average = None;
    assert!(last(&trained(&averaged, &pictures).0) != last(&whole));
    // Nothing of the past: the average is the weights.
    let (plain, _) = trained(&averaged, &pictures);
    averaged.recipe.moving_average = Some(0.0);
    assert!(last(&trained(&averaged, &pictures).0) == last(&plain));
}

#[test]
fn trivial_augment_is_repeated_and_resumed() {
    let recipe = format!("{TWO_STAGES}\n[augmentation]\npreset = \"trivial_augment\"");
    let (mut plan, pictures, whole) = repeats_and_resumes(&recipe, &[2]);
    plan.recipe.augmentation =
        Recipe::parse("[augmentation]\npreset = \"crop_flip\"").expect("valid").augmentation;
    assert!(last(&trained(&plan, &pictures).0) != last(&whole), "it changes pictures");
}

#[test]
fn bfloat16_is_repeated_and_resumed_where_the_processor_has_it() {
    if !processor_has_bf16() {
        eprintln!("skipped: this processor has no instructions for bfloat16");
        let (plan, pictures) = plan("precision = \"bf16\"\nbatch = 4\n[[stage]]\nsize = 32\nepochs = 1", 6);
        let refused = train(&plan, &pictures, None, THREADS, &mut Keep::default(), &NEVER);
        assert!(matches!(refused, Err(TrainError::Device(DeviceError::NoBf16))), "{refused:?}");
        return;
    }
    let recipe = format!("precision = \"bf16\"\n{TWO_STAGES}");
    let (mut plan, pictures, whole) = repeats_and_resumes(&recipe, &[2, 7]);
    plan.recipe.precision = Precision::Fp32;
    assert!(last(&trained(&plan, &pictures).0) != last(&whole), "it is another precision");
    let (values, _) = decode_weights(last(&whole)).expect("reads");
    let coarse = |value: &f32| value.to_bits() & 0xffff == 0;
    let kept = values["features.18.0.weight"].values.iter().filter(|value| !coarse(value)).count();
    assert!(kept > 1_000, "weights stay in 32 bits");
}

#[test]
fn a_loss_that_grows_to_no_number_keeps_the_last_good_epoch() {
    // Decay by ten times itself: what decays grows ninefold a step, and overflows.
    let recipe = "batch = 4\nweight_decay = 1.0\n[[stage]]\nsize = 32\nepochs = 1\nlearning_rate = 1e-3\n\
                  [[stage]]\nsize = 32\nepochs = 40\nlearning_rate = 10.0\nschedule = \"constant\"";
    let (plan, pictures) = plan(recipe, 6);
    let mut sink = Keep::default();
    let failed = train(&plan, &pictures, None, THREADS, &mut sink, &NEVER).expect_err("it overflows");
    let TrainError::NotFinite { stage, epoch, step, .. } = failed else { panic!("{failed:?}") };
    assert!(stage == 1 && epoch > 0, "stage {stage}, epoch {epoch}");
    let words = failed.to_string();
    assert!(words.contains(&format!("in stage 2, epoch {}, step {}", epoch + 1, step + 1)), "{words}");
    let kept: Vec<u32> = sink.checkpoints.iter().map(|checkpoint| checkpoint.stage).collect();
    assert_eq!(kept, [0, 1]);
    let good = &sink.checkpoints[1];
    assert!(good.epoch > 0 && good.epoch <= epoch, "epoch {} of {epoch}", good.epoch);
    assert!(good.metrics.contains_key("train_loss"));
    let (values, _) = decode_weights(last(&sink)).expect("reads");
    assert!(values.values().flat_map(|values| &values.values).all(|value| value.is_finite()));
    let history = sink.broken_off.expect("what was measured is told");
    let steps = |stage| history.steps.iter().filter(|step| step.stage == stage).count() as u32;
    let each = steps(0);
    assert_eq!(steps(1), epoch * each + step);
    // The same again keeps the same.
    let mut again = Keep::default();
    train(&plan, &pictures, None, THREADS, &mut again, &NEVER).expect_err("it overflows");
    assert!(last(&again) == good.weights);
}

#[test]
fn too_little_memory_is_a_sentence() {
    // More than an address can reach.
    let refused = Tensor::f_zeros([1 << 46], (Kind::Float, Device::Cpu)).expect_err("nobody has it");
    let words = TrainError::from(refused).to_string();
    assert!(
        words.starts_with("out of memory: ") && words.ends_with("a smaller batch or image size needs less")
    );
    assert_eq!(words.lines().count(), 1, "{words}");
    let refused = Tensor::f_zeros([1 << 46], (Kind::Float, Device::Cpu)).expect_err("nobody has it");
    assert!(matches!(PredictError::from(refused), PredictError::OutOfMemory { .. }));
}

#[test]
fn the_rate_finder_draws_the_same_curve_and_changes_nothing() {
    let (plan, pictures) = plan("batch = 8\n[[stage]]\nsize = 32\nepochs = 1", 8);
    let find = || {
        find_rate(&plan, 0, &pictures, None, THREADS, &mut |_| {}, &NEVER).expect("runs").expect("a curve")
    };
    let curve = find();
    assert!(curve.losses.len() > 20, "{curve:?}");
    assert_eq!(curve, find());
    assert!(curve.losses.iter().all(|loss| loss.is_finite()));
}
