//! States that are kept, of workflows and of our own runs, and the files that are linked to them.
//!
//! Below `runs`, because procedures save checkpoints too; what merges states is above it, because a reducer may be a
//! procedure.

mod artifacts;
mod linked_file;
mod names;
mod store;

pub(in crate::library) use store::write_checkpoint;

pub use artifacts::ArtifactDraft;
pub use linked_file::Artifact;
pub use names::checkpoint_id;
pub use store::{CheckpointDraft, Checkpoints, Saved, State};
