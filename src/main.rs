//! The program: parses the command line, runs one command, gives its exit code.
//! What needs libtorch is run by `safelight-engine`, which it then becomes.

use std::process::ExitCode;

fn main() -> ExitCode {
    safelight::cli::run(std::env::args_os())
}
