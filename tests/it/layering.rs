//! The import rules of the design, as a test: who may know whom.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `folder`, relative to the root.
fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![root().join(folder)];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is part of the tree") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no sources below {folder}");
    found
}

/// The code of a file: without comments, so that prose may name anything.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a readable source");
    text.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

/// Asserts that `word` occurs in code below `folder` only where `allowed` says.
fn only_where(folder: &str, word: &str, allowed: impl Fn(&str) -> bool) {
    let mut offenders = Vec::new();
    for path in sources(folder) {
        let relative = path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned();
        if !allowed(&relative) && names(&code(&path), word) {
            offenders.push(relative);
        }
    }
    assert!(offenders.is_empty(), "`{word}` is not allowed in {offenders:?}");
}

/// Whether `word` stands in `code` and is not the end of a longer name.
fn names(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        !code[..at].chars().next_back().is_some_and(|before| before.is_alphanumeric() || before == '_')
    })
}

fn dependencies(manifest: &str) -> String {
    let text = fs::read_to_string(root().join(manifest)).expect("a readable manifest");
    let from = text.find("\n[dependencies]").expect("dependencies");
    let rest = &text[from + 1..];
    rest[..rest[1..].find("\n[").map_or(rest.len(), |end| end + 1)].to_owned()
}

#[test]
fn the_lineage_crate_does_no_input_or_output() {
    for word in [
        "std::fs",
        "std::net",
        "std::io",
        "std::env",
        "std::thread",
        "SystemTime",
        "Instant",
        "HashMap",
        "HashSet",
    ] {
        only_where("store/lineage/src", word, |_| false);
    }
    let allowed = ["bincode", "blake3", "bytemuck", "proptest", "serde", "thiserror"];
    for line in dependencies("store/lineage/Cargo.toml").lines().skip(1).filter(|line| line.contains('=')) {
        let name = line.split(['.', ' ', '=']).next().unwrap_or("");
        assert!(allowed.contains(&name), "the lineage crate depends on {name}");
    }
}

#[test]
fn the_store_knows_lineage_only() {
    let text = dependencies("store/Cargo.toml");
    assert!(text.contains("safelight-lineage"));
    assert!(!text.contains("safelight-tui") && !text.contains("\nsafelight."));
}

#[test]
fn the_terminal_interface_never_knows_the_store() {
    let text = dependencies("tui/Cargo.toml");
    assert!(text.contains("safelight-lineage"));
    assert!(!text.contains("safelight-store") && !text.contains("sled"));
    only_where("tui/src", "safelight_store", |_| false);
}

#[test]
fn sled_stays_in_the_index() {
    only_where("store/src", "sled::", |path| path.starts_with("store/src/index"));
    only_where("src", "sled::", |_| false);
}

#[test]
fn tch_stays_below_train_torch() {
    only_where("src", "tch::", |path| path.starts_with("src/train/torch"));
}

#[test]
fn clap_stays_in_the_command_line() {
    only_where("src", "clap::", |path| path.starts_with("src/cli"));
    only_where("src", "use clap", |path| path.starts_with("src/cli"));
}

#[test]
fn bincode_is_used_through_one_codec_only() {
    only_where("src", "bincode", |_| false);
    only_where("tui/src", "bincode", |_| false);
}

#[test]
fn no_file_grows_past_eight_hundred_lines() {
    let mut long = Vec::new();
    for folder in ["src", "store/src", "store/lineage/src", "tui/src"] {
        for path in sources(folder) {
            let lines = fs::read_to_string(&path).expect("a readable source").lines().count();
            if lines > 800 {
                long.push((path, lines));
            }
        }
    }
    assert!(long.is_empty(), "one concept a file: {long:?}");
}
