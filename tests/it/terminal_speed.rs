//! How quick the interface is on a million images, measured from outside: the
//! program on a pseudo-terminal, keys in, frames out. It is no test of this
//! machine, so nothing here depends on a time; it is ignored because it writes a
//! repository of some hundred megabytes. `make bench-tui` runs it. With a folder
//! in `SAFELIGHT_BENCH_WORK`, that repository is kept there and used again.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use safelight::clean::{Finding, Findings, Rule};
use safelight::demo::SceneClass;
use safelight::predictions::Probabilities;
use safelight_lineage::digest::BlobId;
use safelight_lineage::event::{
    Actor, CleaningPassProposed, DatasetCreated, Event, Honesty, ImageImported, Origin, PredictionSource,
    PredictionsRecorded, Split, ViewPolicy,
};
use safelight_lineage::id::{ImageId, PassId, PredictionsId, TransactionId};
use safelight_lineage::query::{ManifestFilter, manifest};
use safelight_lineage::value::{ClassIndex, PathBytes, Timestamp};
use safelight_store::{Draft, Repository};

use crate::pty::Pty;
use crate::support::{Bench, jpeg};

const FRAME: u64 = 4_000;
const CLASSES: u64 = 6;
/// Different pictures; images share them.
const PICTURES: u64 = 600;
const FINDINGS: u64 = 500;
const PASS: PassId = PassId([0xcb; 16]);
const SIZE: (u16, u16) = (120, 40);

fn images() -> u64 {
    std::env::var("SAFELIGHT_BENCH_IMAGES").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000)
}

fn path(number: u64) -> String {
    format!("train/class {}/{number:07}.jpg", number % CLASSES)
}

struct Log {
    repository: Repository,
    frames: u64,
}

impl Log {
    fn append(&mut self, events: Vec<Event>) {
        self.frames += 1;
        let time = Timestamp(1_700_000_000_000 + self.frames * 1_000);
        let draft = Draft {
            transaction: TransactionId::new(self.frames, [7; 10]),
            actor: Actor::Person { name: "importer".to_owned() },
            time,
            message: None,
            events,
        };
        let head = self.repository.head();
        self.repository.append(draft, head).expect("appended");
    }
}

/// So many images of real pictures, predictions on all, and a pass on some.
fn make(root: &Path, count: u64) {
    let mut log = Log { repository: Repository::open(root).expect("opened"), frames: 0 };
    let classes = (0..CLASSES).map(|class| format!("class {class}")).collect();
    log.append(vec![DatasetCreated { name: "million".to_owned(), classes }.into()]);
    let pictures: Vec<BlobId> = (0..PICTURES)
        .map(|nth| {
            let class = SceneClass::ALL[nth as usize % SceneClass::ALL.len()];
            log.repository.blobs().put(&jpeg(class, nth as u32)).expect("stored")
        })
        .collect();
    let mut ids = Vec::with_capacity(count as usize);
    for first in (0..count).step_by(FRAME as usize) {
        let events = (first..(first + FRAME).min(count)).map(|number| {
            let blob = pictures[(number % PICTURES) as usize];
            let path = path(number).into_bytes();
            let image = ImageId::of_import(blob, &path, Split::Train);
            ids.push(image);
            let label = Some(ClassIndex((number % CLASSES) as u16));
            let (split, origin) = (Split::Train, Origin::File);
            ImageImported { image, blob, path: PathBytes::new(path), label, split, origin }.into()
        });
        let events = events.collect();
        log.append(events);
    }
    let at = log.repository.head();
    let now = manifest(log.repository.state(), &ManifestFilter::split(Split::Train));
    let values = (0..count).flat_map(|number| {
        let mut row = [0.02f32; CLASSES as usize];
        row[((number + number / 100 % 2) % CLASSES) as usize] = 0.9;
        row
    });
    let said = Probabilities::new(CLASSES as usize, ids.clone(), values.collect()).expect("probabilities");
    let probabilities = log.repository.blobs().put(&said.to_bytes()).expect("stored");
    log.append(vec![
        PredictionsRecorded {
            predictions: PredictionsId([9; 16]),
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
    ]);
    let finding = |number: u64| Finding {
        image: ids[number as usize],
        rule: Rule::DEFAULTS[0].name().to_owned(),
        score: 0.9 - number as f64 / 1_000.0,
        rank: number as u32 + 1,
        reason: "made up to measure".to_owned(),
        label: Some(ClassIndex((number % CLASSES) as u16)),
        suggested: Some(ClassIndex(((number + 1) % CLASSES) as u16)),
        related: vec![],
    };
    let found = Findings((0..FINDINGS.min(count)).map(finding).collect());
    let findings = log.repository.blobs().put(&found.to_bytes()).expect("stored");
    log.append(vec![
        CleaningPassProposed {
            pass: PASS,
            predictions: vec![PredictionsId([9; 16])],
            rules: vec![Rule::DEFAULTS[0].recorded().expect("a rule")],
            manifest: now.digest(),
            at,
            findings,
            found: FINDINGS.min(count),
        }
        .into(),
    ]);
    log.repository.checkpoint().expect("a snapshot");
}

/// The repository that [`make`] makes, in a folder for this run: what the run
/// does to it is not kept.
fn made(bench: &Bench, count: u64) -> PathBuf {
    let root = bench.path("repo");
    let Some(work) = std::env::var_os("SAFELIGHT_BENCH_WORK").filter(|work| !work.is_empty()) else {
        make(&root, count);
        return root;
    };
    let kept = Path::new(&work).join(format!("images-{count}"));
    if !kept.join("whole").exists() {
        let _ = fs::remove_dir_all(&kept);
        fs::create_dir_all(&kept).expect("a folder to keep it in");
        Repository::init(&kept.join("repo")).expect("a repository");
        make(&kept.join("repo"), count);
        fs::write(kept.join("whole"), "").expect("a mark");
    }
    fs::remove_dir_all(&root).expect("the empty one goes");
    copy(&kept.join("repo"), &root);
    root
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a readable folder") {
        let entry = entry.expect("an entry");
        let (path, copied) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            // Every process may make the index anew.
            if entry.file_name() == OsStr::new("index") {
                fs::create_dir(copied).expect("a folder");
            } else {
                copy(&path, &copied);
            }
        } else {
            fs::copy(&path, &copied).expect("copied");
        }
    }
}

fn start(root: &Path, screen: &str) -> (Pty, Instant) {
    let began = Instant::now();
    let mut pty = Pty::start(root, &["tui", "--images", "halfblocks", "--fresh"], SIZE);
    if !screen.is_empty() {
        pty.press(screen);
    }
    (pty, began)
}

fn leave(mut pty: Pty) {
    pty.press("\x03");
    assert_eq!(pty.end(), 0);
}

/// The value that a share of the sorted times does not exceed.
fn percentile(times: &mut [Duration], share: f64) -> Duration {
    times.sort_unstable();
    times[((times.len() as f64 * share).ceil() as usize).clamp(1, times.len()) - 1]
}

fn tell(what: &str, times: &mut [Duration], limit: &str) {
    let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
    println!(
        "{what:<52} median {:>7.1} ms   p99 {:>7.1} ms   most {:>7.1} ms   of {:>4}   limit {limit}",
        ms(percentile(times, 0.5)),
        ms(percentile(times, 0.99)),
        ms(percentile(times, 1.0)),
        times.len(),
    );
}

/// Presses a key and waits for the frame that comes of it; so many times.
fn frames(pty: &mut Pty, key: &str, times: usize) -> Vec<Duration> {
    let mut took = Vec::with_capacity(times);
    for _ in 0..times {
        // Frames that pictures cause come at any time: let them pass first.
        let before = settled(pty);
        let began = Instant::now();
        pty.press(key);
        took.push(pty.wait("a frame", |shown| shown.frames > before) - began);
    }
    took
}

/// Waits until nothing was drawn for a moment; gives how many frames there were.
fn settled(pty: &Pty) -> usize {
    loop {
        let before = pty.shown().frames;
        thread::sleep(Duration::from_millis(25));
        if pty.shown().frames == before {
            return before;
        }
    }
}

/// A figure of the process, in kibibytes.
fn memory(pty: &Pty, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", pty.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0");
    line.trim_start_matches(':').trim().split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Seconds that the process has had on processors.
fn processor_time(pty: &Pty) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pty.id())).unwrap_or_default();
    let after = stat.rsplit(") ").next().unwrap_or_default();
    let fields: Vec<f64> = after.split(' ').filter_map(|text| text.parse().ok()).collect();
    // From the third field on, the state, which is no number: utime and stime
    // are the fourteenth and fifteenth.
    fields.get(10).zip(fields.get(11)).map_or(0.0, |(user, system)| (user + system) / 100.0)
}

#[test]
#[ignore = "writes a repository of a million images to time the interface on it"]
fn the_interface_on_a_million_images() {
    let bench = Bench::with_repository();
    let count = images();
    let root = made(&bench, count);
    let grouped = safelight_group(count);

    let mut first = Vec::new();
    let (mut version, mut status) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        let began = Instant::now();
        bench.run(["--version"]).expect(0);
        version.push(began.elapsed());
        let began = Instant::now();
        bench.run(["status"]).expect(0);
        status.push(began.elapsed());
        let (pty, began) = start(&root, "");
        first.push(pty.wait_for(&format!("{grouped} images")) - began);
        leave(pty);
    }
    tell("beside it: safelight --version, whole process", &mut version, "–");
    tell("beside it: safelight status, whole process", &mut status, "–");
    tell("exec to the first frame with data", &mut first, "300 ms");

    let (mut pty, _) = start(&root, "2");
    pty.wait_for(&format!("{grouped} images"));
    pty.wait("a picture", |shown| shown.screen.screen().contents().contains('▀'));
    tell("list: key to frame, one row", &mut frames(&mut pty, "j", 300), "8 ms");
    tell("list: key to frame, one window", &mut frames(&mut pty, "\x04", 300), "8 ms");
    pty.press("t");
    tell("wall: key to frame, one line", &mut frames(&mut pty, "j", 300), "8 ms");
    tell("wall: key to frame, one window", &mut frames(&mut pty, "\x04", 100), "8 ms");
    pty.press("t");
    println!("{:<52} {} MiB", "memory after scrolling, peak", memory(&pty, "VmHWM") / 1_024);

    for filter in ["label:3", "0000", "-removed path:9.jpg"] {
        let mut took = Vec::new();
        for _ in 0..7 {
            settled(&pty);
            pty.press(&format!("/\x15{filter}"));
            settled(&pty);
            let began = Instant::now();
            pty.press("\r");
            let came = pty.wait("what was found", |shown| {
                let screen = shown.screen.screen().contents();
                screen.contains(&format!("images · {filter}")) && !screen.contains("looking …")
            });
            took.push(came - began);
            pty.press("/\x15\r");
            pty.wait_for(&format!("{grouped} images"));
        }
        tell(&format!("filter '{filter}': Enter to results"), &mut took, "100 ms");
    }
    for (filter, note) in [("conf<.5", "the first by what models say"), ("disagree", "then")] {
        settled(&pty);
        pty.press(&format!("/\x15{filter}"));
        settled(&pty);
        let began = Instant::now();
        pty.press("\r");
        let came = pty.wait("what was found", |shown| {
            let screen = shown.screen.screen().contents();
            screen.contains(&format!("· {filter}")) && !screen.contains("looking …")
        });
        tell(&format!("filter '{filter}', {note}"), &mut [came - began], "–");
        pty.press("/\x15\r");
        pty.wait_for(&format!("{grouped} images"));
    }
    println!("{:<52} {} MiB   limit 500 MiB", "memory with everything, peak", memory(&pty, "VmHWM") / 1_024);
    println!("{:<52} {} MiB", "memory with everything, now", memory(&pty, "VmRSS") / 1_024);
    settled(&pty);
    thread::sleep(Duration::from_secs(2));
    let (before, began) = (processor_time(&pty), Instant::now());
    thread::sleep(Duration::from_secs(10));
    let share = (processor_time(&pty) - before) / began.elapsed().as_secs_f64();
    println!("{:<52} {:.2} %   limit 1 %", "idle, share of one processor", share * 100.0);
    leave(pty);

    log_search(&root, count);
    review(&root, &bench);
}

/// The filter of the timeline, from Enter to the first results and to the end of
/// the search, for words of the newest events, of the oldest, and of none.
fn log_search(root: &Path, count: u64) {
    let (mut pty, _) = start(root, "1");
    pty.wait_for("frames");
    for (what, words) in
        [("the newest", path(count - 1)), ("the oldest", path(0)), ("none", "no such words".into())]
    {
        settled(&pty);
        pty.press(&format!("/\x15{words}"));
        settled(&pty);
        let began = Instant::now();
        pty.press("\r");
        let first = pty.wait("results, or that it looks", |shown| {
            let screen = shown.screen.screen().contents();
            screen.contains(&format!("with '{words}'"))
        });
        let all = pty.wait("the end of the search", |shown| {
            let screen = shown.screen.screen().contents();
            screen.contains(&format!("with '{words}'")) && !screen.contains("looking")
        });
        tell(&format!("timeline, words of {what}: Enter to a frame"), &mut [first - began], "100 ms");
        tell(&format!("timeline, words of {what}: Enter to the end"), &mut [all - began], "–");
    }
    leave(pty);
}

/// `1 234 567`, as the interface writes counts.
fn safelight_group(count: u64) -> String {
    let digits = count.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|part| std::str::from_utf8(part).ok()).collect();
    groups.join(" ")
}

/// Decisions, each from the key to the frame with the next image painted.
fn review(root: &Path, bench: &Bench) {
    let (mut pty, _) = start(root, "3");
    pty.wait_for("0/500 of pass");
    let mut took = Vec::new();
    for nth in 0..200u64 {
        let painted = |shown: &crate::pty::Shown, number: u64| {
            let screen = shown.screen.screen();
            // The middle of the picture, and the path below it.
            screen.contents().contains(&format!("path        {}", path(number)))
                && screen.cell(10, 56).is_some_and(|cell| cell.contents() == "▀")
        };
        pty.wait("the picture", |shown| painted(shown, nth));
        settled(&pty);
        let began = Instant::now();
        pty.press("a");
        took.push(pty.wait("the next picture", |shown| painted(shown, nth + 1)) - began);
    }
    tell("review: key to the next image painted", &mut took, "50 ms");
    println!(
        "{:<52} {} MiB   limit 500 MiB",
        "memory after 200 decisions, peak",
        memory(&pty, "VmHWM") / 1_024
    );
    leave(pty);
    let repository = Repository::open(&bench.path("repo")).expect("opened");
    assert_eq!(repository.state().reviews(PASS).count(), 200, "each key decided one image");
}
