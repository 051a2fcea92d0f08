//! Black-box tests of the program and of its structure, in one binary.

mod dataset;
mod layering;
mod support;
