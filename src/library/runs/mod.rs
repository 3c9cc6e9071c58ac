//! Executing procedures: one engine for all of them.
//!
//! A run is a tree of frames, one per procedure that is being executed. While a frame waits for procedures that it
//! called, its interpreter state is put aside as bytes, so only those that execute have a worker and a tree of any depth
//! can't exhaust the pool. The same mechanism pauses a run for a person. Start at [`Engine`].

mod bind;
mod call;
mod decision;
mod drive;
mod engine;
mod execution;
mod frame;
mod gate;
mod handle;
mod journal;
mod limits;
mod machine;
mod prepare;
mod registry;
#[cfg(test)]
mod replay_tests;
mod report;
mod resources;
mod steps;
mod view;

pub(in crate::library) use engine::check;

pub use decision::{Decider, Decision};
pub use engine::{Engine, Waiting};
pub use execution::Execution;
pub use gate::{Asker, Gate, QuestionId};
pub use handle::Handle;
pub use registry::{Active, Progress};
pub use view::{RunView, StepOutput};
