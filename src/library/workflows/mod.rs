//! The memory of workflows that others run: their outcomes, and merging the states of their branches.

mod merging;
mod outcomes;
mod section;

pub use merging::MergeRequest;
pub use outcomes::{Completed, OutcomeDraft, OutcomeQuery, RecalledOutcome, outcome_id};
pub use section::{Group, Section};
