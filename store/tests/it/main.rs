//! The store's tests, one binary.

mod append;
mod archive;
mod blobs;
mod child;
mod concurrency;
mod corpus;
mod damage;
mod faults;
mod gc;
mod glimpse;
mod golden;
mod index;
mod laws;
mod payloads;
mod power;
mod repair;
mod samples;
mod support;
mod torn;
