//! A repository in a temporary folder and the program run in it.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
#[cfg(feature = "torch")]
use std::{
    process::Child,
    time::{Duration, Instant},
};

use safelight::demo::{SceneClass, paint};
use serde_json::Value;
use tempfile::TempDir;

/// A folder of its own for one test.
pub struct Bench {
    folder: TempDir,
}

/// How one command ended.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Tells a program to end, and gives its exit code.
#[cfg(feature = "torch")]
pub fn terminate(child: &mut Child) -> Option<i32> {
    Command::new("kill").arg(child.id().to_string()).status().expect("kill runs");
    child.wait().expect("it ends").code()
}

impl Ran {
    /// The JSON document on stdout.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}\n{}", self.stdout, self.stderr))
    }

    /// Asserts the exit code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Asserts that both the sentence and its hint are there.
    #[track_caller]
    pub fn says(self, words: &str) -> Ran {
        let all = format!("{}\n{}", self.stdout, self.stderr);
        assert!(all.contains(words), "'{words}' is not in:\n{all}");
        self
    }
}

impl Bench {
    /// An empty folder.
    pub fn new() -> Bench {
        Bench { folder: TempDir::new().expect("a temporary folder") }
    }

    /// A repository called `repo`, made with `init`, in a fresh folder.
    pub fn with_repository() -> Bench {
        let bench = Bench::new();
        fs::create_dir(bench.path("repo")).expect("a folder");
        bench.run(["init"]).expect(0);
        bench
    }

    /// A path below the folder.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(relative)
    }

    /// Runs the program in `repo` (in the folder itself while there is none).
    pub fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Ran {
        let repo = self.path("repo");
        let place = if repo.is_dir() { repo } else { self.folder.path().to_owned() };
        self.run_in(&place, arguments)
    }

    /// Runs the program in `repo` with this text on its standard input.
    pub fn run_with<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>, input: &str) -> Ran {
        let mut child = Command::new(env!("CARGO_BIN_EXE_safelight"))
            .args(arguments)
            .current_dir(self.path("repo"))
            .env("SAFELIGHT_ACTOR", "tester")
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        // The program may end before it read everything.
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        let Output { status, stdout, stderr } = child.wait_with_output().expect("the program ends");
        Ran {
            code: status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }

    /// Runs the program in `place`.
    pub fn run_in<S: AsRef<OsStr>>(&self, place: &Path, arguments: impl IntoIterator<Item = S>) -> Ran {
        let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_safelight"))
            .args(arguments)
            .current_dir(place)
            .env("SAFELIGHT_ACTOR", "tester")
            .env_remove("RUST_BACKTRACE")
            .output()
            .expect("the program starts");
        Ran {
            code: status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }

    /// Starts the program in the repository and does not wait for it.
    #[cfg(feature = "torch")]
    pub fn start(&self, arguments: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_safelight"))
            .args(arguments)
            .current_dir(self.path("repo"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts")
    }

    /// The same with a training, until the log says that it runs.
    #[cfg(feature = "torch")]
    pub fn start_training(&self, arguments: &[&str]) -> Child {
        let child = self.start(arguments);
        let patience = Instant::now();
        while self.run(["status", "--json"]).expect(0).json()["running"] != 1 {
            assert!(patience.elapsed() < Duration::from_secs(120), "no run began");
            std::thread::sleep(Duration::from_millis(20));
        }
        child
    }

    /// Writes a file below the folder, with its parents.
    pub fn write(&self, relative: impl AsRef<Path>, bytes: &[u8]) -> PathBuf {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(&path, bytes).expect("a file");
        path
    }

    /// Writes `per_class` painted scenes a class below `photos/train` and a
    /// third of that below `photos/test`; gives the folder.
    pub fn photos(&self, per_class: u32) -> PathBuf {
        for class in SceneClass::ALL {
            for (split, from, count) in [("train", 0, per_class), ("test", 1_000, per_class.div_ceil(3))] {
                for index in from..from + count {
                    self.write(
                        format!("photos/{split}/{}/{index:04}.jpg", class.name()),
                        &jpeg(class, index),
                    );
                }
            }
        }
        self.path("photos")
    }
}

/// A painted scene as a JPEG file.
pub fn jpeg(class: SceneClass, index: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 85)
        .encode_image(&paint(7, class, index))
        .expect("a picture encodes");
    bytes
}

/// Every file below `folder`, sorted.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { pending.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}
