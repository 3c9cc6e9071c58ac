//! The memory of workflows that others run: checkpoints, merged states, outcomes, artifacts.

mod artifacts;
mod checkpoints;
mod linked_file;
mod merging;
mod outcomes;
mod retention;
mod section;

pub use artifacts::ArtifactDraft;
pub use checkpoints::{CheckpointDraft, Checkpoints, Saved, State, checkpoint_id};
pub use linked_file::Artifact;
pub use merging::MergeRequest;
pub use outcomes::{Completed, OutcomeDraft, OutcomeQuery, RecalledOutcome, outcome_id};
pub use section::{Group, Section};
