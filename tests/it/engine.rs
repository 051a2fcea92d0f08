//! The two programs: one that starts at once, and the one that it becomes to
//! compute.

use std::fs;
use std::process::Command;

use crate::support::Bench;

#[test]
fn a_program_without_its_engine_says_where_it_looked() {
    let bench = Bench::with_repository();
    let alone = bench.path("alone");
    fs::create_dir(&alone).expect("a folder");
    let program = alone.join("safelight");
    fs::copy(env!("CARGO_BIN_EXE_safelight"), &program).expect("a copy");
    let ran = Command::new(&program)
        .args(["predict", "8d41"])
        .current_dir(bench.path("repo"))
        .output()
        .expect("the program starts");
    assert_eq!(ran.status.code(), Some(1));
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(said.contains("alone/safelight-engine") && said.contains("make build"), "{said}");
    // What computes nothing does not miss it.
    let ran = Command::new(&program).arg("status").current_dir(bench.path("repo")).output();
    assert_eq!(ran.expect("the program starts").status.code(), Some(0));
}

#[test]
fn an_engine_of_another_version_refuses() {
    let ran = Command::new(env!("CARGO_BIN_EXE_safelight-engine"))
        .args(["predict", "8d41"])
        .env("SAFELIGHT_CALLER_VERSION", "0.0.0")
        .output()
        .expect("the engine starts");
    assert_eq!(ran.status.code(), Some(4));
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(said.contains("0.0.0") && said.contains(env!("CARGO_PKG_VERSION")), "{said}");
}

/// What every command would pay for otherwise.
#[cfg(target_os = "linux")]
#[test]
fn the_program_does_not_load_libtorch() {
    let bytes = fs::read(env!("CARGO_BIN_EXE_safelight")).expect("the program");
    let name = b"libtorch_cpu.so";
    assert!(!bytes.windows(name.len()).any(|window| window == name), "safelight is linked to libtorch");
    let bytes = fs::read(env!("CARGO_BIN_EXE_safelight-engine")).expect("the engine");
    assert!(bytes.windows(name.len()).any(|window| window == name), "the engine is not linked to libtorch");
}
