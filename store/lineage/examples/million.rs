//! Folds, stores and loads a million images, and says how long that took.

use std::time::Instant;

use safelight_lineage::digest::{BlobId, FrameDigest, Hasher};
use safelight_lineage::event::{
    Actor, ClassesAdded, DatasetCreated, Event, Frame, FrameHeader, ImageImported, Origin, Split,
};
use safelight_lineage::id::{ImageId, TransactionId};
use safelight_lineage::query::{ManifestFilter, manifest};
use safelight_lineage::state::State;
use safelight_lineage::value::{ClassIndex, PathBytes, Seq, Timestamp};

const FRAMES: u64 = 250;
const EVENTS: u64 = 4_000;

fn image(number: u64) -> Event {
    let mut hasher = Hasher::derive_key("safelight example");
    let blob = BlobId(hasher.update(&number.to_le_bytes()).finish());
    let path = format!("train/forest/{number:07}.jpg").into_bytes();
    Event::ImageImported(ImageImported {
        image: ImageId::of_import(blob, &path, Split::Train),
        blob,
        path: PathBytes::new(path),
        label: Some(ClassIndex((number % 6) as u16)),
        split: Split::Train,
        origin: Origin::File,
    })
}

fn frame(number: u64, first_seq: u64, events: Vec<Event>) -> Frame {
    let digest = |number: u64| FrameDigest(Hasher::derive_key("f").update(&number.to_le_bytes()).finish());
    let header = FrameHeader {
        digest: digest(number),
        parent: number.checked_sub(1).map_or(FrameDigest::ROOT, digest),
        transaction: TransactionId::new(number, [0; 10]),
        actor: Actor::Program { name: "example".to_owned() },
        time: Timestamp(number),
        message: None,
        first_seq: Seq(first_seq),
    };
    Frame { header, events }
}

fn main() {
    let classes = (0..6).map(|class| format!("class {class}")).collect();
    let opening = vec![
        DatasetCreated { name: "million".to_owned(), classes }.into(),
        ClassesAdded { classes: vec!["other".to_owned()] }.into(),
    ];
    let mut state = State::new();
    state.apply(&frame(0, 1, opening));
    let mut folding = std::time::Duration::ZERO;
    for number in 0..FRAMES {
        let events = (number * EVENTS..(number + 1) * EVENTS).map(image).collect();
        let frame = frame(number + 1, 3 + number * EVENTS, events);
        let start = Instant::now();
        state.apply(&frame);
        folding += start.elapsed();
    }
    assert!(state.anomalies().is_empty());
    let rate = (FRAMES * EVENTS) as f64 / folding.as_secs_f64() / 1e6;
    println!("fold        {folding:8.1?}  {rate:.2} M events/s");
    print_memory();

    let start = Instant::now();
    let bytes = state.to_snapshot();
    println!("to bytes    {:8.1?}  {} MB", start.elapsed(), bytes.len() / 1_000_000);
    for _ in 0..3 {
        let start = Instant::now();
        let loaded = State::from_snapshot(&bytes).expect("a snapshot just written");
        println!("from bytes  {:8.1?}  {} images", start.elapsed(), loaded.present_count());
    }
    let start = Instant::now();
    let digest = state.digest();
    println!("digest      {:8.1?}  {}", start.elapsed(), digest.short());
    let start = Instant::now();
    let rows = manifest(&state, &ManifestFilter::default()).rows().len();
    println!("manifest    {:8.1?}  {rows} rows", start.elapsed());
}

fn print_memory() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status.lines().filter(|line| line.starts_with("VmHWM") || line.starts_with("VmRSS")) {
        println!("{line}");
    }
}
