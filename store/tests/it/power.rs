//! Power cuts: acknowledged commits on a file system that is shut down at once,
//! without writing anything more, and mounted again.
//!
//! Needs root and loop devices, and says so when it has to skip.
//! `SAFELIGHT_POWER_CUTS` is the number of cuts (40 without it).

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use safelight_lineage::digest::FrameDigest;
use safelight_lineage::event::Event;
use safelight_store::{LARGE_BLOB, Repository, VerifyDepth, verify};

use crate::child;
use crate::support::{append, created, draft, imported};

/// FS_IOC_SHUTDOWN with "do not even flush the log".
const SHUTDOWN: rustix::ioctl::Opcode = 0x8004_587d;
const NO_LOG_FLUSH: u32 = 2;

/// An ext4 file system in a file, mounted while this lives.
struct Disk {
    image: PathBuf,
    mount: PathBuf,
    mounted: bool,
    _dir: tempfile::TempDir,
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim())),
    }
}

impl Disk {
    fn new() -> Result<Disk, String> {
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let dir = dir.map_err(|error| error.to_string())?;
        let (image, mount) = (dir.path().join("image"), dir.path().join("mount"));
        std::fs::create_dir(&mount).map_err(|error| error.to_string())?;
        let file = File::create(&image).map_err(|error| error.to_string())?;
        file.set_len(256 << 20).map_err(|error| error.to_string())?;
        run(Command::new("mkfs.ext4").arg("-q").arg(&image))?;
        let mut disk = Disk { image, mount, mounted: false, _dir: dir };
        disk.mount()?;
        Ok(disk)
    }

    fn mount(&mut self) -> Result<(), String> {
        run(Command::new("mount").args(["-o", "loop"]).arg(&self.image).arg(&self.mount))?;
        self.mounted = true;
        Ok(())
    }

    fn unmount(&mut self) {
        for _ in 0..200 {
            if run(Command::new("umount").arg(&self.mount)).is_ok() {
                self.mounted = false;
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("the file system stays busy");
    }

    /// From here on nothing reaches the disk any more.
    fn cut(&self) {
        let root = File::open(&self.mount).unwrap();
        // SAFETY: the call takes a pointer to a u32, which the setter gives.
        unsafe {
            let shutdown = rustix::ioctl::Setter::<SHUTDOWN, u32>::new(NO_LOG_FLUSH);
            rustix::ioctl::ioctl(&root, shutdown).unwrap();
        }
    }

    /// Runs a child on this disk, cuts the power after `after` acknowledgements,
    /// and gives all that were made, when the disk is back.
    fn cut_under(&mut self, name: &str, task: &str, after: usize) -> Vec<String> {
        let mut process = child::command(name, task).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap());
        let mut acknowledged = Vec::new();
        let mut line = String::new();
        let mut cut = false;
        loop {
            line.clear();
            if lines.read_line(&mut line).unwrap() == 0 {
                break;
            }
            acknowledged.extend(line.trim().split_once("acknowledged ").map(|(_, what)| what.to_owned()));
            if acknowledged.len() >= after && !cut {
                // Stopped first, wherever it is: a sync that is under way when
                // ext4 is shut down now and then returns success although its
                // data is lost (so it does to a bare write and fdatasync), and
                // where the power is gone nobody is left to say so.
                let pid = rustix::process::Pid::from_child(&process);
                rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
                rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::UNTRACED).unwrap();
                self.cut();
                cut = true;
                process.kill().unwrap();
            }
        }
        let mut cried = String::new();
        process.stderr.take().unwrap().read_to_string(&mut cried).unwrap();
        process.wait().unwrap();
        assert!(cut, "the child ended by itself: {cried}");
        self.unmount();
        self.mount().unwrap();
        acknowledged
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted {
            let _ = run(Command::new("umount").arg("-l").arg(&self.mount));
        }
    }
}

fn say(what: &dyn std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "acknowledged {what}").and_then(|()| out.flush()).unwrap();
}

/// A disk, or none with the reason said aloud.
fn disk_or_skip(what: &str) -> Option<Disk> {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: {what}: only root can mount a file system");
        return None;
    }
    match Disk::new() {
        Ok(disk) => Some(disk),
        Err(why) => {
            eprintln!("skipped: {what}: {why}");
            None
        }
    }
}

fn cuts() -> u64 {
    std::env::var("SAFELIGHT_POWER_CUTS").ok().and_then(|text| text.parse().ok()).unwrap_or(40)
}

/// The child: commits for ever, saying each as it is acknowledged.
#[test]
fn child_commits() {
    let Some(task) = child::task() else { return };
    let mut repository = Repository::init(Path::new(&task)).unwrap();
    repository.roll_at(20_000);
    append(&mut repository, 1, vec![created()]);
    for n in 2u64.. {
        let mut events = Vec::new();
        for part in 0..n % 5 + 1 {
            let mut bytes = vec![n as u8; (n * 997 % 30_000) as usize];
            if (n, part) == (13, 0) {
                bytes.resize(LARGE_BLOB as usize, 1);
            }
            bytes.extend_from_slice(&(n * 10 + part).to_le_bytes());
            let blob = repository.blobs().put(&bytes).unwrap();
            events.push(imported(n * 10 + part, blob));
        }
        let head = repository.head();
        say(&repository.append(draft(n, events), head).unwrap().header.digest);
        if n % 9 == 0 {
            repository.checkpoint().unwrap();
        }
    }
}

#[test]
fn a_power_cut_loses_nothing_that_was_acknowledged() {
    let Some(mut disk) = disk_or_skip("power cuts") else { return };
    let mut seen = 0;
    for run in 0..cuts() {
        let dir = disk.mount.join("repository");
        // Spread over the first hundred commits, the same way every time.
        let after = 1 + (run * 37 % 97) as usize;
        let acknowledged = disk.cut_under("power::child_commits", child::text(&dir), after);
        let acknowledged: Vec<FrameDigest> = acknowledged.iter().map(|text| text.parse().unwrap()).collect();
        assert!(acknowledged.len() >= after);
        let mut repository = Repository::open(&dir).unwrap_or_else(|error| panic!("cut {run}: {error}"));
        let frames: Vec<_> = repository.frames().map(Result::unwrap).collect();
        let digests: Vec<_> = frames.iter().skip(1).map(|frame| frame.header.digest).collect();
        assert!(
            digests.starts_with(&acknowledged),
            "cut {run}: of {} acknowledged commits {} are there; {:?}",
            acknowledged.len(),
            digests.len(),
            repository.notices()
        );
        for event in frames.iter().flat_map(|frame| &frame.events) {
            if let Event::ImageImported(event) = event {
                repository.blobs().get(event.blob).unwrap_or_else(|error| panic!("cut {run}: {error}"));
            }
        }
        let blob = repository.blobs().put(b"after").unwrap();
        append(&mut repository, 9_999_999, vec![imported(9_999_999, blob)]);
        repository.checkpoint().unwrap();
        drop(repository);
        let report = verify(&dir, VerifyDepth::Deep, &mut |_| ()).unwrap();
        assert_eq!(report.problems, [], "cut {run}");
        seen += acknowledged.len();
        std::fs::remove_dir_all(&dir).unwrap();
    }
    println!("{} power cuts, {seen} acknowledged commits, all there", cuts());
}

/// The child: the same with nothing but sled.
#[test]
fn child_trusts_sled() {
    let Some(task) = child::task() else { return };
    let db = sled::Config::default().path(task).cache_capacity(16 << 20).open().unwrap();
    for n in 0u64.. {
        db.insert(n.to_be_bytes(), vec![n as u8; 64]).unwrap();
        db.flush().unwrap();
        say(&n);
    }
}

/// The child: says whether everything up to a number is there.
#[test]
fn child_asks_sled() {
    let Some(task) = child::task() else { return };
    let (count, dir) = task.split_once(' ').unwrap();
    let db = sled::Config::default().path(dir).cache_capacity(16 << 20).open().unwrap();
    for n in 0..count.parse::<u64>().unwrap() {
        assert!(db.get(n.to_be_bytes()).unwrap().is_some(), "{n} of {count} is gone");
    }
}

/// The control: were this harness blind, it would not see sled lose anything
/// either. Bare sled 0.34.7 says that a write is flushed when it is not.
#[test]
fn the_same_cuts_are_seen_to_lose_what_sled_calls_flushed() {
    let Some(mut disk) = disk_or_skip("the control of the power cuts") else { return };
    let most = cuts().max(40);
    for run in 0..most {
        let dir = disk.mount.join("sled");
        let after = 20 + (run * 37 % 97) as usize;
        let acknowledged = disk.cut_under("power::child_trusts_sled", child::text(&dir), after);
        let task = format!("{} {}", acknowledged.len(), child::text(&dir));
        let output = child::command("power::child_asks_sled", &task).output().unwrap();
        if !output.status.success() {
            let cried = String::from_utf8_lossy(&output.stderr);
            let why = cried.lines().find(|line| !line.is_empty() && !line.starts_with("thread"));
            println!("cut {run} lost what sled had flushed: {}", why.unwrap_or_default());
            return;
        }
        std::fs::remove_dir_all(&dir).unwrap();
    }
    panic!("{most} power cuts and sled lost nothing: does this harness cut anything?");
}
