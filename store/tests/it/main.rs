//! The store's tests, one binary.

mod append;
mod blobs;
mod damage;
mod golden;
mod payloads;
mod samples;
mod support;
mod torn;
