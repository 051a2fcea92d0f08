//! How fast pictures come to the network, without a network: from files to
//! renditions, cold and warm, and from renditions to the batches of an epoch.
//! Beside it the decoder alone on the same files, in the same process; Pillow
//! decodes 2,980 such files a second and core.
//!
//! `make bench-train` runs it: `pipeline FOLDER`, all JPEG files below.

use std::collections::HashMap;
use std::error::Error;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;
use std::{fs, hint};

use safelight::image::decode::decode;
use safelight::train::batch::Batches;
use safelight::train::keyed::Moment;
use safelight::train::plan::{BlobSource, Sample};
use safelight::train::recipe::Recipe;
use safelight::train::renditions::{Renditions, Workshop};
use safelight_lineage::digest::BlobId;
use safelight_lineage::event::Split;
use safelight_lineage::id::ImageId;

const ROUNDS: usize = 5;
const EDGES: [u32; 2] = [64, 128];
static NEVER: AtomicBool = AtomicBool::new(false);

struct Files(HashMap<BlobId, Vec<u8>>);

impl BlobSource for Files {
    fn read(&self, blob: BlobId) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        self.0.get(&blob).cloned().ok_or_else(|| "no such blob".into())
    }
}

fn main() {
    // cargo bench adds an argument of its own.
    let Some(folder) = std::env::args().skip(1).find(|argument| !argument.starts_with("--")) else {
        eprintln!("skipped: no folder of photographs was given");
        return;
    };
    let (files, samples) = read(Path::new(&folder));
    if samples.is_empty() {
        eprintln!("skipped: there is no .jpg below {folder}");
        return;
    }
    let images: Vec<(ImageId, BlobId)> = samples.iter().map(|sample| (sample.image, sample.blob)).collect();
    println!("{} photographs, one thread, medians of {ROUNDS} rounds", images.len());
    let decoded = rate(images.len(), || {
        for bytes in files.0.values() {
            hint::black_box(decode(bytes).expect("a photograph"));
        }
    });
    println!("| what | images/s | of the decoder alone |");
    println!("| --- | --- | --- |");
    let say = |what: &str, rate: f64| println!("| {what} | {rate:.0} | {:.2} |", rate / decoded);
    say("the decoder alone", decoded);
    for edge in EDGES {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let edge_of = NonZeroU32::new(edge).expect("not zero");
        let prepare = |cache: &Path| {
            let workshop = Workshop { source: &files, cache: Some(cache), threads: 1, cancel: &NEVER };
            Renditions::prepare(&images, edge_of, workshop, &mut |_, _| {}).expect("all decode");
        };
        let mut round = 0;
        let cold = rate(images.len(), || {
            round += 1;
            prepare(&folder.path().join(round.to_string()));
        });
        say(&format!("renditions of {edge} px, cold: decoded, resized, cached"), cold);
        let warm = rate(images.len(), || prepare(&folder.path().join("1")));
        say(&format!("renditions of {edge} px, warm: read from the cache and checked"), warm);

        let recipe = Recipe::parse(&format!("[[stage]]\nsize = {edge}")).expect("valid");
        let cache = folder.path().join("1");
        let workshop = Workshop { source: &files, cache: Some(&cache), threads: 1, cancel: &NEVER };
        let renditions =
            Renditions::prepare(&images, edge_of, workshop, &mut |_, _| {}).expect("all are cached");
        let batches = Batches::new(&recipe, 0, &samples, 2, &renditions);
        let mut epoch = 0;
        let made = rate(batches.steps() * batches.batch, || {
            epoch += 1;
            std::thread::scope(|scope| {
                let moment = Moment { seed: 1, stage: 0, epoch };
                for batch in batches.start(scope, moment, 0, 1) {
                    hint::black_box(batch.expect("made"));
                }
            });
        });
        say(&format!("batches of an epoch at {edge} px, augmented"), made);
    }
}

/// Reads every photograph below a folder.
fn read(folder: &Path) -> (Files, Vec<Sample>) {
    let (mut pending, mut found): (Vec<PathBuf>, Vec<PathBuf>) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "jpg") {
                found.push(path);
            }
        }
    }
    found.sort();
    let (mut files, mut samples) = (HashMap::new(), Vec::new());
    for (index, path) in found.iter().enumerate() {
        let bytes = fs::read(path).expect("a readable file");
        let blob = BlobId::of(&bytes);
        let image = ImageId::of_import(blob, path.to_string_lossy().as_bytes(), Split::Train);
        if files.insert(blob, bytes).is_none() {
            samples.push(Sample { image, blob, label: (index % 2) as u16 });
        }
    }
    samples.sort_unstable_by_key(|sample| sample.image);
    (Files(files), samples)
}

/// Things a second, by the median of some rounds.
fn rate(count: usize, mut work: impl FnMut()) -> f64 {
    let mut seconds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            work();
            began.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_unstable_by(f64::total_cmp);
    count as f64 / seconds[ROUNDS / 2]
}
