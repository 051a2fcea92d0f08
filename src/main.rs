//! The program: parses the command line, runs one command, gives its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    safelight::cli::run(std::env::args_os())
}
