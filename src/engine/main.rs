//! `safelight-engine`: the program with libtorch in it, which `safelight`
//! becomes when a command trains, generates or predicts (see
//! `safelight::cli::engine` for why there are two). It takes the same commands.
//!
//! Everything that names libtorch is compiled into this program and never into
//! the library: the network code of `src/train/torch`, the use-cases on it, and
//! the halves of commands that call them. A module of the library is found here
//! under its own name, so `crate::session` means the same in both.

use std::process::ExitCode;

use safelight::cli::engine::Engine;
use safelight::{clean, cli, demo, ensemble, error, import, predictions, session, stop, submit};

mod demonstrate;
mod embed;
mod folds;
mod generate;
mod job;
mod predict;
mod replay;
mod runs;
mod train;
mod what_if;

static ENGINE: Engine = Engine {
    demo: demonstrate::run,
    embed: embed::embed,
    job: job::run,
    judge: generate::judge,
    out_of_fold: folds::out_of_fold,
    predict: predict::run,
    probe: embed::probe,
    replay: replay::torch::engine,
    sample: generate::sample,
    with_labels_as_of: what_if::with_labels_as_of,
};

fn main() -> ExitCode {
    cli::run_engine(std::env::args_os(), &ENGINE)
}
