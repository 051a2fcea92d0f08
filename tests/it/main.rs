//! Black-box tests of the program and of its structure, in one binary.

mod audit;
#[cfg(feature = "torch")]
mod chain;
mod clean;
mod dataset;
mod keeping;
mod layering;
mod support;
mod watching;
mod weights;
