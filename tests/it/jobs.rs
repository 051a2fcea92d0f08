//! Jobs that outlive whoever started them.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::Bench;

/// Waits until the job of this id stands as wanted; gives what is said of it.
fn wait(bench: &Bench, id: &str, wanted: &str) -> Value {
    let begin = Instant::now();
    loop {
        let job = bench.run(["jobs", "show", id, "--json"]).expect(0).json();
        if job["status"] == wanted {
            return job;
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "it is not {wanted}: {job}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn start(bench: &Bench, command: &[&str]) -> String {
    let arguments = ["--json", "jobs", "start", "--"].iter().chain(command);
    let started = bench.run(arguments).expect(0).json();
    started["job"].as_str().expect("an id").to_owned()
}

fn with_photos() -> Bench {
    let bench = Bench::with_repository();
    bench.photos(2);
    bench.run(["import", "../photos"]).expect(0);
    bench
}

#[test]
fn a_cleaning_pass_goes_on_by_itself_and_is_followed() {
    let bench = with_photos();
    let id = start(&bench, &["clean", "propose", "--rule", "near-duplicate"]);
    bench.run(["jobs", "follow", &id]).expect(0).says("images found");
    let job = wait(&bench, &id, "done");
    assert_eq!(job["exit_code"], 0);
    let pass = job["result"]["pass"].as_str().expect("a pass").to_owned();
    bench.run(["clean", "show", &pass]).expect(0);
    // The beginning of an id is enough; one that is none is refused.
    bench.run(["jobs", "show", &id[..6]]).expect(0).says("clean propose --rule near-duplicate");
    bench.run(["jobs", "show", "zz"]).expect(4).says("no job");
    bench.run(["jobs", "cancel", &id]).expect(4).says("does not run");
}

#[test]
fn what_a_job_is_refused_for_is_told_later() {
    let bench = with_photos();
    let id = start(&bench, &["clean", "propose", "--rule", "nonsense"]);
    let job = wait(&bench, &id, "failed");
    assert_eq!(job["exit_code"], 2);
    bench.run(["jobs", "show", &id]).expect(0).says("nonsense");
    // What cannot even be read is refused at once.
    let before = bench.run(["jobs", "--json"]).expect(0).json().as_array().expect("a list").len();
    bench.run(["jobs", "start", "--", "no-such-command"]).expect(2).says("no-such-command");
    let after = bench.run(["jobs", "--json"]).expect(0).json().as_array().expect("a list").len();
    assert_eq!(before, after);
}

#[test]
fn a_job_is_stopped_and_one_that_was_killed_is_noticed() {
    let bench = with_photos();
    let watched = bench.path("photos").display().to_string();
    let id = start(&bench, &["watch", &watched]);
    let job = wait(&bench, &id, "running");
    bench.run(["jobs", "cancel", &id]).expect(0).says("stopped");
    wait(&bench, &id, "cancelled");
    assert!(job["processes"][0]["pid"].as_i64().is_some_and(|pid| pid > 1));

    let id = start(&bench, &["watch", &watched]);
    let job = wait(&bench, &id, "running");
    let pid = job["processes"][0]["pid"].to_string();
    assert!(Command::new("kill").args(["-9", &pid]).status().expect("kill").success());
    wait(&bench, &id, "died");
    bench.run(["jobs"]).expect(0).says("died");
}

#[test]
fn long_work_at_a_terminal_is_a_job_too() {
    let bench = with_photos();
    bench.run(["clean", "propose", "--rule", "blank"]).expect(0);
    let jobs = bench.run(["jobs", "--json"]).expect(0).json();
    assert_eq!(jobs[0]["arguments"], serde_json::json!(["clean", "propose", "--rule", "blank"]));
    assert_eq!(jobs[0]["status"], "done");
    assert!(jobs[0]["result"]["pass"].is_string());
}
