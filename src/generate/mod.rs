//! Generated images: generators that learn the training images of a class, the
//! samples they draw, and what those are worth.
//!
//! All of it is plain Rust; `execute.rs` and `judge.rs` do the work, on libtorch:
//! they are compiled into the engine, not into the library.

pub mod admission;
pub mod collapse;
pub mod diversity;
pub mod frechet;
pub mod grid;
pub mod held_out;
pub mod history;
pub mod neighbours;
pub mod network;
pub mod pictures;
pub mod plan;
pub mod prepare;
pub mod progress;
pub mod quality;
pub mod recipe;
