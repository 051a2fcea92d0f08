//! Folds, stores and loads a million images, and says how much processor time
//! that took (Linux; what other programs take does not count).

use std::time::Duration;

use safelight_lineage::decide::{Command, decide};
use safelight_lineage::digest::{BlobId, FrameDigest, Hasher};
use safelight_lineage::event::{
    Actor, ClassesAdded, DatasetCreated, Event, Frame, FrameHeader, ImageImported, Origin, RevertTarget,
    Split,
};
use safelight_lineage::id::{ImageId, TransactionId};
use safelight_lineage::query::{ManifestFilter, manifest};
use safelight_lineage::state::{State, TransactionRecord};
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
    let mut folding = Duration::ZERO;
    for number in 0..FRAMES {
        let events = (number * EVENTS..(number + 1) * EVENTS).map(image).collect();
        let frame = frame(number + 1, 3 + number * EVENTS, events);
        let start = processor_time();
        state.apply(&frame);
        folding += since(start);
    }
    assert!(state.anomalies().is_empty());
    let rate = (FRAMES * EVENTS) as f64 / folding.as_secs_f64() / 1e6;
    println!("fold        {folding:8.1?}  {rate:.2} M events/s");
    print_memory();

    let start = processor_time();
    let bytes = state.to_snapshot();
    println!("to bytes    {:8.1?}  {} MB", since(start), bytes.len() / 1_000_000);
    for _ in 0..3 {
        let start = processor_time();
        let loaded = State::from_snapshot(&bytes).expect("a snapshot just written");
        println!("from bytes  {:8.1?}  {} images", since(start), loaded.present_count());
    }
    let start = processor_time();
    let digest = state.digest();
    println!("digest      {:8.1?}  {}", since(start), digest.short());
    let start = processor_time();
    let rows = manifest(&state, &ManifestFilter::default()).rows().len();
    println!("manifest    {:8.1?}  {rows} rows", since(start));

    undo_everything(&mut state);
    undo_everything(&mut state);
}

/// Reverts the import at first, then the revert of it.
fn undo_everything(state: &mut State) {
    let number = state.transactions().len() as u64;
    let whole =
        |record: &TransactionRecord| RevertTarget { transaction: record.transaction, events: Vec::new() };
    let targets: Vec<_> = match state.reverts().last() {
        None => state.transactions().iter().skip(1).map(whole).collect(),
        Some(_) => state.transactions().last().map(whole).into_iter().collect(),
    };
    let start = processor_time();
    let command = Command::Revert { targets, reason: "everything".to_owned() };
    let events = decide(state, command).expect("nothing happened since");
    println!("decide undo {:8.1?}", since(start));
    let frame = frame(number, state.seq().0 + 1, events);
    let start = processor_time();
    state.apply(&frame);
    println!("fold undo   {:8.1?}  {} images left", since(start), state.present_count());
}

/// The first number of schedstat: nanoseconds on a processor so far.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|number| number.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}

fn since(start: Duration) -> Duration {
    processor_time().saturating_sub(start)
}

fn print_memory() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status.lines().filter(|line| line.starts_with("VmHWM") || line.starts_with("VmRSS")) {
        println!("{line}");
    }
}
