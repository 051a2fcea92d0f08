//! The store's tests, one binary.

mod append;
mod blobs;
mod damage;
mod payloads;
mod support;
mod torn;
