//! Many small files: import, importing again, verify, reading.

use std::path::{Path, PathBuf};
use std::time::Duration;

use safelight_lineage::digest::BlobId;
use safelight_store::{Repository, VerifyDepth, verify};

use crate::table::{Setting, Table, has, median, ms, run, shell, time};

/// The photographs that the files are made from.
fn scenes() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/scenes")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|suffix| suffix == "jpg" || suffix == "jpeg") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Distinct JPEGs: each a scene with a number behind its end marker.
fn make(source: &Path, scenes: &[PathBuf], count: usize) -> (Vec<PathBuf>, u64) {
    let mut paths = Vec::new();
    let mut total = 0;
    for n in 0..count {
        let scene = &scenes[n % scenes.len()];
        let class = scene.parent().and_then(Path::file_name).expect("a folder");
        let folder = source.join("train").join(class);
        std::fs::create_dir_all(&folder).expect("folder");
        let mut bytes = std::fs::read(scene).expect("scene");
        bytes.extend_from_slice(&(n as u64).to_le_bytes());
        let path = folder.join(format!("{n:06}.jpg"));
        std::fs::write(&path, &bytes).expect("write");
        total += bytes.len() as u64;
        paths.push(path);
    }
    (paths, total)
}

fn hash_all<'a>(paths: impl Iterator<Item = &'a PathBuf>) {
    for path in paths {
        std::hint::black_box(BlobId::of(&std::fs::read(path).expect("read")));
    }
}

pub fn measure(setting: &Setting, table: &mut Table, count: usize) {
    let scenes = scenes();
    if scenes.is_empty() {
        eprintln!("skipped: the rows about files: ../shared/scenes is not there");
        return;
    }
    let dir = setting.dir.path();
    let (paths, total) = make(&dir.join("source"), &scenes, count);
    shell(dir, "sync");
    let what = format!("{count} JPEGs, {} MB", total / 1_000_000);
    let Some(root) = import(setting, table, dir, &paths, &what) else { return };
    reading(setting, table, &root, &paths);
}

fn import(
    setting: &Setting,
    table: &mut Table,
    dir: &Path,
    paths: &[PathBuf],
    what: &str,
) -> Option<PathBuf> {
    let root = dir.join("repository");
    setting.program.as_ref()?;
    let safelight = || setting.safelight(&root).expect("the program");
    let import = || run(safelight().arg("import").arg(dir.join("source")));
    let (mut copies, mut unsynced, mut imports) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..setting.rounds {
        shell(dir, "rm -rf copy; sync");
        // The sync waits for what everybody wrote: on a busy machine read the
        // ratio beside the copy alone, which syncs nothing.
        let (copy, sync) = (time(|| shell(dir, "cp -r source copy")), time(|| shell(dir, "sync")));
        copies.push(copy + sync);
        unsynced.push(copy);
        shell(dir, "rm -rf copy repository; mkdir repository; sync");
        run(safelight().arg("init"));
        shell(dir, "sync");
        imports.push(time(import));
    }
    let (copy, unsynced, took) = (median(copies), median(unsynced), median(imports));
    let ratio = took.as_secs_f64() / copy.as_secs_f64();
    table.row(
        &format!("import of {what}"),
        ms(took),
        &format!("`cp -r` + `sync`: {}, ratio {ratio:.2}; `cp -r` alone: {}", ms(copy), ms(unsynced)),
        Some(("1.5 x", ratio <= 1.5)),
    );

    let (name, hash) = if has("b3sum") {
        let line = "find source -type f -print0 | xargs -0 b3sum > /dev/null";
        ("b3sum", median((0..setting.rounds).map(|_| time(|| shell(dir, line))).collect()))
    } else {
        let all = || hash_all(paths.iter());
        ("BLAKE3 in this process, one thread (b3sum is not there)", {
            median((0..setting.rounds).map(|_| time(all)).collect())
        })
    };
    table.row("reading and hashing the same files", ms(hash), name, None);

    let again = median((0..setting.rounds).map(|_| time(import)).collect());
    let mut beside = "git is not there".to_owned();
    if has("git") {
        shell(dir, "rm -rf tracked && cp -r source tracked && cd tracked && git init -q . && sync");
        let add = time(|| shell(&dir.join("tracked"), "git add -A"));
        let author = "git -c user.name=b -c user.email=b@b -c gc.auto=0 commit -qm b";
        shell(&dir.join("tracked"), author);
        table.row("`git add` of the same files, once", ms(add), "", None);
        let tracked = dir.join("tracked");
        let status = || shell(&tracked, "git status --porcelain");
        status();
        beside = format!("`git status`: {}", ms(median((0..setting.rounds).map(|_| time(status)).collect())));
        shell(dir, "rm -rf tracked");
    }
    let limit = Some(("150 ms", again <= Duration::from_millis(150)));
    table.row("importing them again, nothing changed", ms(again), &beside, limit);
    Some(root)
}

fn reading(setting: &Setting, table: &mut Table, root: &Path, paths: &[PathBuf]) {
    let cat = || shell(root, "cat .safelight/packs/* .safelight/journal/* > /dev/null");
    let cat = median((0..setting.rounds).map(|_| time(cat)).collect());
    let deep = || drop(verify(root, VerifyDepth::Deep, &mut |_| ()).expect("verify"));
    let deep = median((0..setting.rounds).map(|_| time(deep)).collect());
    table.row("verify, deep", ms(deep), &format!("`cat` of the same bytes: {}", ms(cat)), None);

    let repository = Repository::open(root).expect("open");
    // Every tenth, in an order that jumps about.
    let mut picked: Vec<&PathBuf> = paths.iter().step_by(10).collect();
    picked.sort_by_key(|path| BlobId::of(path.as_os_str().as_encoded_bytes()));
    let ids: Vec<BlobId> =
        picked.iter().map(|path| BlobId::of(&std::fs::read(path).expect("read"))).collect();
    repository.blobs().get(ids[0]).expect("blob");
    let per = |time: Duration| format!("{:.1} µs each", time.as_secs_f64() * 1e6 / ids.len() as f64);
    let blobs = || ids.iter().for_each(|id| drop(repository.blobs().get(*id).expect("blob")));
    let blobs = median((0..setting.rounds).map(|_| time(blobs)).collect());
    let files = || hash_all(picked.iter().copied());
    let files = median((0..setting.rounds).map(|_| time(files)).collect());
    let note = format!("open, read and hash the files themselves: {}", per(files));
    table.row(&format!("{} random blobs, each checked", ids.len()), per(blobs), &note, None);
}
