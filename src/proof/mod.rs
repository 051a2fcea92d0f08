//! Proof for somebody who has not got the repository: that a submission, with
//! all it was made from, lies in the history that a head stands for, and who
//! vouched for that head when.

mod bundle;
pub mod key;
pub mod prove;
pub mod signed_head;
pub mod verify;

pub use bundle::{Bundle, BundleError};
pub use prove::{ProveError, prove};
pub use verify::{ProofError, Proven, verify};
