//! The store's tests, one binary.

mod append;
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
mod samples;
mod support;
mod torn;
