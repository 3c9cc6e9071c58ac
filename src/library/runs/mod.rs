//! Executing procedures: one engine for all of them.
//!
//! A run is a tree of frames, one per procedure that is being executed. While a frame waits for procedures that it
//! called, its interpreter state is put aside as bytes, so only those that execute have a worker and a tree of any depth
//! can't exhaust the pool. The same mechanism pauses a run for a person. Start at [`Engine`].

mod bind;
mod drive;
mod engine;
mod frame;
mod gate;
mod handle;
mod journal;
mod machine;
mod registry;
mod report;
mod steps;
mod view;

pub(in crate::library) use {engine::execute::check, journal::record::blocking};

pub use drive::ask::{QuestionId, Waiting};
pub use engine::execute::{Engine, Execution};
pub use gate::{Asker, Decider, Decision, Gate};
pub use handle::Handle;
pub use registry::{Active, Progress};
pub use view::{RunView, StepOutput};
