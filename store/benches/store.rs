//! Measures the store against the limits it is held to.
//!
//! `cargo bench -p safelight-store -- [EVENTS] [FILES]`

use std::path::Path;
use std::time::{Duration, Instant};

use safelight_lineage::digest::BlobId;
use safelight_lineage::event::{Actor, DatasetCreated, Event, ImageImported, Origin, Split};
use safelight_lineage::id::{ImageId, TransactionId};
use safelight_lineage::state::State;
use safelight_lineage::value::{ClassIndex, PathBytes, Timestamp};
use safelight_store::{Draft, Repository, VerifyDepth, verify};

fn draft(n: u64, events: Vec<Event>) -> Draft {
    Draft {
        transaction: TransactionId::new(n, [n as u8; 10]),
        actor: Actor::Program { name: "bench".into() },
        time: Timestamp(n),
        message: None,
        events,
    }
}

fn image(n: u64) -> Event {
    let blob = BlobId::of(&n.to_le_bytes());
    let path = format!("train/mountain/{n:08}.jpg").into_bytes();
    Event::ImageImported(ImageImported {
        image: ImageId::of_import(blob, &path, Split::Train),
        blob,
        path: PathBytes::new(path),
        label: Some(ClassIndex((n % 6) as u16)),
        split: Split::Train,
        origin: Origin::File,
    })
}

fn row(name: &str, time: Duration, note: &str) {
    println!("{name:<44} {:>10.1} ms  {note}", time.as_secs_f64() * 1e3);
}

fn events(dir: &Path, count: u64) {
    let mut repository = Repository::init(dir).expect("init");
    let created = DatasetCreated { name: "b".into(), classes: (0..6).map(|n| n.to_string()).collect() };
    let head = repository.head();
    repository.append(draft(0, vec![created.into()]), head).expect("append");
    let mut total = Duration::ZERO;
    for (frame, start) in (0..count).step_by(5000).enumerate() {
        let events = (start..(start + 5000).min(count)).map(image).collect();
        let (head, began) = (repository.head(), Instant::now());
        repository.append(draft(frame as u64 + 1, events), head).expect("append");
        total += began.elapsed();
    }
    row(&format!("append {count} events, 5,000 a frame"), total, "");
    let began = Instant::now();
    repository.checkpoint().expect("checkpoint");
    row("snapshot", began.elapsed(), "");
    let digest = repository.state().digest();
    drop(repository);

    let began = Instant::now();
    let repository = Repository::open(dir).expect("open");
    row("open through the snapshot", began.elapsed(), "limit 150 ms at 1 M");
    assert_eq!(repository.state().digest(), digest);
    let began = Instant::now();
    let mut decoded = 0;
    for frame in repository.frames() {
        decoded += frame.expect("frame").events.len();
    }
    let rate = decoded as f64 / began.elapsed().as_secs_f64() / 1e6;
    row("read and decode all frames", began.elapsed(), &format!("{rate:.2} M events/s"));
    let frames: Vec<_> = repository.frames().map(|frame| frame.expect("frame")).collect();
    let began = Instant::now();
    let mut state = State::new();
    frames.iter().for_each(|frame| state.apply(frame));
    let rate = decoded as f64 / began.elapsed().as_secs_f64() / 1e6;
    row("fold decoded frames", began.elapsed(), &format!("{rate:.2} M events/s"));
    drop((frames, state));
    let began = Instant::now();
    assert_eq!(repository.frames_rev().take(20).count(), (count as usize / 5000 + 1).min(20));
    row("last 20 frames", began.elapsed(), "");
    drop(repository);
    std::fs::remove_dir_all(dir.join(".safelight/cache")).expect("remove");
    let began = Instant::now();
    drop(Repository::open(dir).expect("open"));
    let rate = decoded as f64 / began.elapsed().as_secs_f64() / 1e6;
    row("open without the snapshot, and write one", began.elapsed(), &format!("{rate:.2} M events/s"));
    let began = Instant::now();
    verify(dir, VerifyDepth::Quick, &mut |_| ()).expect("verify");
    row("verify, quick", began.elapsed(), "");
}

fn blobs(dir: &Path, files: usize) {
    let source = dir.join("source");
    std::fs::create_dir_all(&source).expect("folder");
    let mut paths = Vec::new();
    let mut noise: Vec<u8> =
        (0..15_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    noise.truncate(15_000);
    for n in 0..files {
        noise[..8].copy_from_slice(&(n as u64).to_le_bytes());
        let path = source.join(format!("{n:06}.jpg"));
        std::fs::write(&path, &noise).expect("write");
        paths.push(path);
    }
    let run = |command: &str| {
        let began = Instant::now();
        let status = std::process::Command::new("sh").arg("-c").arg(command).current_dir(dir).status();
        assert!(status.expect("sh").success());
        began.elapsed()
    };
    run("sync");
    let root = dir.join("repository");
    for round in 0..3 {
        let _ = std::fs::remove_dir_all(&root);
        run("rm -rf copy; sync");
        row(&format!("cp -r + sync, {files} files of 15 KB"), run("cp -r source copy && sync"), "");
        run("rm -rf copy; sync");
        let repository = Repository::init(&root).expect("init");
        let began = Instant::now();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for chunk in paths.chunks(files.div_ceil(threads)) {
                let blobs = repository.blobs().clone();
                scope.spawn(move || {
                    for path in chunk {
                        blobs.put_file(path).expect("put");
                    }
                });
            }
        });
        let put = began.elapsed();
        repository.blobs().sync().expect("sync");
        let synced = began.elapsed();
        row("import the blobs, to the disk", synced, &format!("{} ms before the sync", put.as_millis()));
        repository.blobs().seal().expect("seal");
        drop(repository);
        if round < 2 {
            continue;
        }
        let repository = Repository::open(&root).expect("open");
        let ids: Vec<BlobId> =
            paths.iter().step_by(10).map(|path| BlobId::of(&std::fs::read(path).expect("read"))).collect();
        let began = Instant::now();
        repository.blobs().get(ids[0]).expect("get");
        row("first blob", began.elapsed(), "");
        let began = Instant::now();
        for id in ids.iter().rev() {
            repository.blobs().get(*id).expect("get");
        }
        row(&format!("{} random blobs", ids.len()), began.elapsed(), "");
        let began = Instant::now();
        let report = verify(&root, VerifyDepth::Deep, &mut |_| ()).expect("verify");
        row("verify, deep", began.elapsed(), &format!("{} MB", report.bytes >> 20));
        row("cat all packs", run("cat repository/.safelight/packs/* > /dev/null"), "");
        row(
            "hash every file, one thread",
            {
                let began = Instant::now();
                for path in &paths {
                    BlobId::of(&std::fs::read(path).expect("read"));
                }
                began.elapsed()
            },
            "",
        );
    }
}

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let dir = tempfile::tempdir_in(std::env::var_os("BENCH_DIR").unwrap_or("/tmp".into())).expect("folder");
    let count = numbers.first().copied().unwrap_or(1_000_000);
    for part in [count / 100, count / 10, count] {
        println!("-- {part} events");
        events(&dir.path().join(part.to_string()), part);
    }
    println!("-- blobs");
    blobs(dir.path(), numbers.get(1).copied().unwrap_or(25_000) as usize);
}
