//! Measures the store against the limits it is held to: one table, each row
//! beside its reference in the same run, medians of several rounds.
//!
//! `make bench`, or `cargo bench -p safelight-store`. Variables: `SAFELIGHT` is
//! the program, for the rows that are whole processes; `BENCH_FILES` (25000),
//! `BENCH_EVENTS` (1000000), `BENCH_ROUNDS` (3) and `BENCH_DIR` (where to work).

mod events;
mod files;
mod table;

use std::path::PathBuf;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [word, dir, ..] = words.as_slice()
        && word == "open"
    {
        return events::open_and_tell(dir.as_ref());
    }
    let number = |name: &str, otherwise: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let program = std::env::var_os("SAFELIGHT").map(PathBuf::from).filter(|path| path.is_file());
    if program.is_none() {
        eprintln!("skipped: the rows that are whole processes: SAFELIGHT does not name the program");
    }
    let setting = table::Setting {
        rounds: number("BENCH_ROUNDS", 3) as usize,
        program,
        dir: tempfile::tempdir_in(std::env::var_os("BENCH_DIR").unwrap_or("/tmp".into())).expect("a folder"),
    };
    let mut table = table::Table::default();
    events::measure(&setting, &mut table, number("BENCH_EVENTS", 1_000_000));
    files::measure(&setting, &mut table, number("BENCH_FILES", 25_000) as usize);
    table.print();
}
