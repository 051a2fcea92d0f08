//! Order, bounds, cancelling and errors of reading many files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use safelight_lineage::event::Split;
use safelight_lineage::value::PathBytes;

use super::*;

fn picture(number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let pixels: Vec<u8> = (0..64).map(|place| (place * number) as u8).collect();
    PngEncoder::new(&mut bytes).write_image(&pixels, 8, 8, ExtendedColorType::L8).unwrap();
    bytes
}

fn found(path: PathBuf) -> Found {
    let none = Stamp { device: 0, inode: 0, size: 0, modified: 0, changed: 0 };
    let stamp = fs::metadata(&path).map_or(none, |data| Stamp::of(&data));
    let name = path.file_name().unwrap().to_str().unwrap().as_bytes().to_vec();
    Found {
        path: PathBytes::new(name),
        absolute: path,
        label: None,
        split: Split::Test,
        size: stamp.size,
        stamp,
    }
}

/// A folder with so many pictures.
fn folder(count: usize) -> (tempfile::TempDir, Vec<Found>) {
    let home = tempfile::tempdir().unwrap();
    let files = (0..count)
        .map(|number| {
            let path = home.path().join(format!("{number:04}.png"));
            fs::write(&path, picture(number)).unwrap();
            found(path)
        })
        .collect();
    (home, files)
}

fn options(threads: usize) -> ReadOptions {
    ReadOptions { threads, ..ReadOptions::default() }
}

static GO_ON: AtomicBool = AtomicBool::new(false);

#[test]
fn files_arrive_in_order_whole_and_hashed_with_any_number_of_threads() {
    let (_home, files) = folder(300);
    for (threads, ahead) in [(1, 64 << 20), (4, 64 << 20), (3, 1), (2, 0)] {
        let mut seen = 0;
        let options = ReadOptions { ahead, ..options(threads) };
        let summary = read_all::<()>(&files, &options, &GO_ON, |file, outcome| {
            let read = outcome.unwrap();
            assert_eq!(file.path, files[seen].path);
            assert_eq!(read.bytes, picture(seen));
            assert_eq!(read.blob, BlobId::of(&read.bytes));
            assert_eq!((read.probe.width, read.probe.height), (8, 8));
            seen += 1;
            Ok(())
        });
        assert_eq!(seen, 300);
        let bytes = files.iter().map(|file| file.size).sum();
        assert_eq!(summary, Ok(ReadSummary { read: 300, bytes, refused: 0, cancelled: false }));
    }
    assert_eq!(read_all::<()>(&[], &options(2), &GO_ON, |_, _| Err(())), Ok(ReadSummary::default()));
}

#[test]
fn what_is_wrong_with_one_file_is_delivered_in_its_place() {
    let (home, mut files) = folder(8);
    fs::remove_file(&files[1].absolute).unwrap();
    fs::write(&files[2].absolute, "").unwrap();
    fs::set_permissions(&files[3].absolute, fs::Permissions::from_mode(0o000)).unwrap();
    let readable = fs::read(&files[3].absolute).is_ok();
    fs::write(&files[4].absolute, vec![0; 5000]).unwrap();
    let pipe = home.path().join("pipe.png");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    files[5] = found(pipe);
    let mut codes = Vec::new();
    let options = ReadOptions { max_file: 4000, ..options(2) };
    let summary = read_all::<()>(&files, &options, &GO_ON, |_, outcome| {
        codes.push(outcome.map_or_else(|kind| kind.code(), |_| "read"));
        Ok(())
    });
    // Nothing is unreadable to root.
    let third = if readable { "read" } else { "unreadable" };
    assert_eq!(codes, ["read", "vanished", "empty", third, "too_large", "not_a_file", "read", "read"]);
    assert_eq!(summary.unwrap().refused, if readable { 4 } else { 5 });
}

#[test]
fn an_error_of_the_consumer_ends_the_reading_and_comes_back() {
    let (_home, files) = folder(500);
    let mut seen = 0;
    let outcome = read_all(&files, &ReadOptions { ahead: 10_000, ..options(2) }, &GO_ON, |_, _| {
        seen += 1;
        if seen == 100 { Err("no space left") } else { Ok(()) }
    });
    assert_eq!((outcome, seen), (Err("no space left"), 100));
}

#[test]
fn cancelling_stops_and_says_so() {
    let (_home, files) = folder(500);
    let cancel = AtomicBool::new(false);
    let mut seen = 0;
    let summary = read_all::<()>(&files, &options(2), &cancel, |_, _| {
        seen += 1;
        cancel.store(seen == 70, Ordering::Relaxed);
        Ok(())
    })
    .unwrap();
    assert_eq!((seen, summary.read, summary.cancelled), (70, 70, true));
    let summary = read_all::<()>(&files, &options(2), &AtomicBool::new(true), |_, _| Err(())).unwrap();
    assert_eq!((summary.read, summary.cancelled), (0, true));
}

#[test]
fn no_more_is_read_ahead_than_allowed() {
    let (_home, mut files) = folder(400);
    // Files count with the size they had when walked.
    files.iter_mut().for_each(|file| file.size = 1000);
    let queue = Queue::new(&files, 128_000);
    let claims: Vec<_> = (0..2).map(|_| queue.claim().unwrap()).collect();
    assert_eq!(claims, [(0, 0..64), (1, 64..128)]);
    let claimed = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            queue.claim();
            claimed.store(1, Ordering::SeqCst);
        });
        thread::sleep(Duration::from_millis(60));
        assert_eq!(claimed.load(Ordering::SeqCst), 0);
        queue.release(0);
    });
    assert_eq!(claimed.load(Ordering::SeqCst), 1);
}

#[test]
fn a_panic_of_the_consumer_does_not_leave_threads_waiting() {
    let (_home, files) = folder(500);
    let outcome = std::panic::catch_unwind(|| {
        read_all::<()>(&files, &ReadOptions { ahead: 1, ..options(2) }, &GO_ON, |_, _| panic!("consumer"))
    });
    assert!(outcome.is_err());
}
