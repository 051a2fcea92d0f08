//! Logs of many events: fold, open, biography, memory.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use safelight_lineage::digest::BlobId;
use safelight_lineage::event::{Actor, DatasetCreated, Event, ImageImported, Origin, Split};
use safelight_lineage::id::{ImageId, TransactionId};
use safelight_lineage::state::State;
use safelight_lineage::value::{ClassIndex, PathBytes, Timestamp};
use safelight_store::{Draft, Repository, VerifyDepth, verify};

use crate::table::{Setting, Table, median, ms, run, time};

/// An import commits so many images at once.
const FRAME: u64 = 4_096;

fn draft(n: u64, events: Vec<Event>) -> Draft {
    Draft {
        transaction: TransactionId::new(n, [n as u8; 10]),
        actor: Actor::Program { name: "bench".into() },
        time: Timestamp(n),
        message: None,
        events,
    }
}

fn image(n: u64) -> ImageImported {
    let blob = BlobId::of(&n.to_le_bytes());
    let path = format!("train/mountain/{n:08}.jpg").into_bytes();
    ImageImported {
        image: ImageId::of_import(blob, &path, Split::Train),
        blob,
        path: PathBytes::new(path),
        label: Some(ClassIndex((n % 6) as u16)),
        split: Split::Train,
        origin: Origin::File,
    }
}

fn build(dir: &Path, count: u64) -> Repository {
    let mut repository = Repository::init(dir).expect("init");
    let created = DatasetCreated { name: "b".into(), classes: (0..6).map(|n| n.to_string()).collect() };
    let head = repository.head();
    repository.append(draft(0, vec![created.into()]), head).expect("append");
    for (frame, start) in (0..count).step_by(FRAME as usize).enumerate() {
        let events = (start..(start + FRAME).min(count)).map(|n| image(n).into()).collect();
        let head = repository.head();
        repository.append(draft(frame as u64 + 1, events), head).expect("append");
    }
    repository.checkpoint().expect("checkpoint");
    repository
}

/// A process of its own: opens a repository and says how long that took and how
/// much memory it needed at most.
pub fn open_and_tell(dir: &Path) {
    let began = Instant::now();
    let repository = Repository::open(dir).expect("open");
    let took = began.elapsed();
    assert!(repository.state().image_count() > 0);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0").trim();
    println!("{} {}", took.as_nanos(), peak.split(' ').next().unwrap_or("0"));
}

/// Nanoseconds of this thread on a processor: what other programs take does not
/// count. Where the system does not say, the clock.
fn processor_time() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    match text.split(' ').next().and_then(|number| number.parse().ok()) {
        Some(nanoseconds) => Duration::from_nanos(nanoseconds),
        None => START.get_or_init(Instant::now).elapsed(),
    }
}

fn open_elsewhere(dir: &Path) -> (Duration, u64) {
    let this = std::env::current_exe().expect("this program");
    let output = Command::new(this).arg("open").arg(dir).output().expect("this program");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = text.split_whitespace().map(|word| word.parse::<u64>().expect("a number"));
    (Duration::from_nanos(numbers.next().expect("a time")), numbers.next().unwrap_or_default() / 1024)
}

pub fn measure(setting: &Setting, table: &mut Table, count: u64) {
    for part in [count / 100, count / 10, count] {
        let dir = setting.dir.path().join(format!("events-{part}"));
        size(setting, table, &dir, part, part == count);
        std::fs::remove_dir_all(&dir).expect("remove");
    }
}

fn size(setting: &Setting, table: &mut Table, dir: &Path, count: u64, largest: bool) {
    let rounds = setting.rounds.max(3);
    let repository = build(dir, count);
    let digest = repository.state().digest();
    let rate = |time: Duration| count as f64 / time.as_secs_f64() / 1e6;

    let mut folds = Vec::new();
    for _ in 0..rounds {
        let mut state = State::new();
        let (mut worked, mut took) = (Duration::ZERO, Duration::ZERO);
        // One frame after another, as it is when they are read: the clocks run
        // for the fold only.
        for frame in repository.frames() {
            let frame = frame.expect("frame");
            let (began, start) = (processor_time(), Instant::now());
            state.apply(&frame);
            took += start.elapsed();
            worked += processor_time().saturating_sub(began);
        }
        assert_eq!(state.digest(), digest);
        // Processor time is told in ticks, too coarse for what takes a few.
        folds.push(if worked < Duration::from_millis(50) { took } else { worked });
    }
    let fold = median(folds);
    let limit = largest.then_some(("2 M/s", rate(fold) >= 2.0));
    let note = format!("{}{}", ms(fold), if largest { " of processor time" } else { "" });
    table.row(&format!("fold {count} image events"), format!("{:.2} M/s", rate(fold)), &note, limit);
    drop(repository);

    let opens: Vec<_> = (0..rounds).map(|_| open_elsewhere(dir)).collect();
    let open = median(opens.iter().map(|(time, _)| *time).collect());
    let limit = largest.then_some(("150 ms", open <= Duration::from_millis(150)));
    table.row(&format!("open {count} events by snapshot, cold process"), ms(open), "", limit);
    let peak = opens.iter().map(|(_, peak)| *peak).max().unwrap_or_default();
    let limit = largest.then_some(("400 MB", peak < 400));
    table.row(&format!("memory to hold {count} images, peak"), format!("{peak} MB"), "", limit);

    let snapshots = dir.join(".safelight/cache");
    let whole = median(
        (0..rounds)
            .map(|_| {
                // Few events leave none behind.
                let _ = std::fs::remove_dir_all(&snapshots);
                open_elsewhere(dir).0
            })
            .collect(),
    );
    let note = format!("{:.2} M events/s, read, checked, decoded, folded, snapshot written", rate(whole));
    table.row(&format!("open {count} events without snapshot"), ms(whole), &note, None);
    Repository::open(dir).and_then(|mut repository| repository.checkpoint()).expect("checkpoint");

    let quick = median(
        (0..rounds)
            .map(|_| time(|| drop(verify(dir, VerifyDepth::Quick, &mut |_| ()).expect("verify"))))
            .collect(),
    );
    table.row(&format!("verify {count} events, quick"), ms(quick), "", None);

    biography(setting, table, dir, count, largest);
}

fn biography(setting: &Setting, table: &mut Table, dir: &Path, count: u64, largest: bool) {
    if setting.program.is_none() {
        return;
    }
    let safelight = || setting.safelight(dir).expect("the program");
    let of = |n: u64| {
        let mut command = safelight();
        command.args(["audit", "image"]).arg(image(n).image.to_string());
        command
    };
    run(&mut of(1));
    let numbers = (0..setting.rounds.max(5) as u64).map(|n| n * 7_919 % count);
    let life = median(numbers.map(|n| time(|| run(&mut of(n)))).collect());
    let start = median((0..5).map(|_| time(|| run(safelight().arg("--version")))).collect());
    let note = format!("`--version`, the start of a process: {}", ms(start));
    let limit = largest.then_some(("10 ms", life <= Duration::from_millis(10)));
    table.row(&format!("biography of one image of {count}, cold process"), ms(life), &note, limit);
}
