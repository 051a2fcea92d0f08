//! The device, its threads, and how it is described.

use super::super::environment::{Environment, describe};

/// The libtorch that tch 0.24 is made for; it refuses others when built.
const LIBTORCH: &str = "libtorch 2.11 by tch 0.24";

/// Makes libtorch compute with this many threads, in the whole process. Equal
/// bits need equal numbers.
pub fn use_threads(threads: usize) {
    let threads = i32::try_from(threads.max(1)).unwrap_or(i32::MAX);
    if tch::get_num_threads() != threads {
        tch::set_num_threads(threads);
    }
}

/// The environment of a run on the processor with this many threads.
pub fn environment(threads: usize) -> Environment {
    describe("cpu", threads, Some(LIBTORCH.to_owned()))
}
