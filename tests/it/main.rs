//! Black-box tests of the program and of its structure, in one binary.

mod audit;
#[cfg(feature = "torch")]
mod chain;
mod clean;
mod dataset;
#[cfg(feature = "torch")]
mod engine;
mod ensemble;
#[cfg(feature = "torch")]
mod generate;
mod jobs;
mod keeping;
mod layering;
mod million;
mod mutation;
mod proof;
mod pty;
mod replay;
#[cfg(feature = "torch")]
mod replay_torch;
mod screenshots;
mod story;
mod support;
mod terminal;
mod terminal_generators;
mod terminal_speed;
#[cfg(feature = "torch")]
mod training;
mod watching;
mod weights;
