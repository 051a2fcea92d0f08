//! The store's tests, one binary.

mod append;
mod blobs;
mod child;
mod concurrency;
mod damage;
mod gc;
mod golden;
mod index;
mod payloads;
mod samples;
mod support;
mod torn;
