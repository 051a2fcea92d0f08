//! Watching a folder, as a person leaves it running.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use safelight::demo::SceneClass;
use serde_json::{Value, json};

use crate::support::{Bench, jpeg};

/// A watch that is running, and what it says.
struct Watch {
    child: Child,
    lines: Receiver<Value>,
}

impl Watch {
    fn start(bench: &Bench, options: &[&str]) -> Watch {
        let mut child = Command::new(env!("CARGO_BIN_EXE_safelight"))
            .args(["watch", "../photos", "--json", "--settle", "0.2s"])
            .args(options)
            .current_dir(bench.path("repo"))
            .env("SAFELIGHT_ACTOR", "tester")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let stdout: ChildStdout = child.stdout.take().expect("a pipe");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).expect("a line of JSON"));
            }
        });
        Watch { child, lines }
    }

    /// The next line of this kind.
    fn next(&self, kind: &str) -> Value {
        // Not what is tested: only so that a failure does not wait for ever.
        let patience = Duration::from_secs(60);
        loop {
            let line = self.lines.recv_timeout(patience).unwrap_or_else(|_| panic!("no line '{kind}' came"));
            if line["watch"] == kind {
                return line;
            }
        }
    }

    /// Ends it as Ctrl-C does.
    fn interrupt(mut self) -> i32 {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill").success());
        self.child.wait().expect("it ends").code().expect("by itself")
    }
}

fn imported() -> Bench {
    let bench = Bench::with_repository();
    bench.photos(2);
    bench.run(["import", "../photos"]).expect(0);
    bench
}

fn follows_changes(options: &[&str]) {
    let bench = imported();
    let watch = Watch::start(&bench, &[options, &["--auto"]].concat());
    watch.next("begun");
    bench.write("photos/train/sea/new.jpg", &jpeg(SceneClass::Sea, 500));
    assert_eq!(watch.next("imported")["imported"], json!(1));
    bench.write("photos/train/sea/0000.jpg", &jpeg(SceneClass::Sea, 501));
    assert_eq!(watch.next("imported")["revised"], json!(1));
    // A folder that is new, too.
    bench.write("photos/train/desert/0.jpg", &jpeg(SceneClass::Glacier, 502));
    assert_eq!(watch.next("imported")["imported"], json!(1));
    fs::remove_file(bench.path("photos/train/sea/0001.jpg")).expect("removed");
    assert_eq!(watch.next("vanished")["path"], json!("train/sea/0001.jpg"));
    bench.write("photos/train/sea/words.jpg", b"no picture at all");
    assert_eq!(watch.next("imported")["refused"][0]["path"], json!("train/sea/words.jpg"));
    assert_eq!(watch.interrupt(), 130);
    let status = bench.run(["status", "--json"]).expect(0).json();
    assert_eq!(status["images"]["present"], json!(20), "what vanished stays");
    bench.run(["verify", "--deep"]).expect(0);
}

#[test]
fn a_watch_brings_in_what_changes() {
    follows_changes(&[]);
}

#[test]
fn a_watch_that_polls_brings_in_the_same() {
    follows_changes(&["--poll", "0.3s"]);
}

#[test]
fn without_auto_it_only_says() {
    let bench = imported();
    bench.write("photos/train/sea/new.jpg", &jpeg(SceneClass::Sea, 500));
    bench.write("photos/train/sea/0000.jpg", &jpeg(SceneClass::Sea, 501));
    fs::remove_file(bench.path("photos/test/sea/1000.jpg")).expect("removed");
    let before = bench.run(["status", "--json"]).expect(0).json();
    let ran = bench.run(["watch", "../photos", "--once", "--settle", "0.2s"]).expect(0);
    ran.says("new: train/sea/new.jpg (sea, for train)")
        .says("changed: train/sea/0000.jpg")
        .says("vanished: test/sea/1000.jpg");
    let after = bench.run(["status", "--json"]).expect(0).json();
    assert_eq!(before["head"], after["head"]);
    bench
        .run(["watch", "../photos", "--once", "--auto", "--settle", "0.2s"])
        .expect(0)
        .says("1 imported, 1 revised");
    bench.run(["watch", "../nowhere", "--once"]).expect(1);
}
