//! Several models decide together: votes, how unlike the members are, and
//! which of them to choose.

mod agreement;
pub mod cast;
pub mod choose;
mod greedy;
mod leak;
mod vote;
mod votes;

pub use agreement::{Agreement, PairAgreement, agreement};
pub use greedy::{GreedyError, GreedySelection, GreedyStep, greedy};
pub use leak::{Leak, leaks, twins};
pub use vote::{Ballot, VoteError, break_tie, vote};
pub use votes::{Votes, VotesError, VotesRow};
