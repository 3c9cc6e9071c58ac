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
mod examples;
mod execution;
mod files;
mod frame;
mod gate;
mod handle;
mod interpreter;
mod journal;
mod limits;
mod machine;
mod outside;
mod prepare;
mod recording;
mod registry;
#[cfg(test)]
mod replay_tests;
mod report;
mod resources;
mod snapshot;
mod steps;
mod unheard;
mod view;
mod wait;

pub(in crate::library) use engine::check;
pub(in crate::library) use interpreter::{check_packages, packages, tidy_packages};

pub use decision::Decision;
pub use engine::{Engine, Refused, Waiting};
pub use examples::Examples;
pub use execution::Execution;
pub use gate::{Asker, Gate, QuestionId};
pub use handle::Handle;
pub use interpreter::{packages_kept, version_of_uv};
pub use registry::{Active, Progress};
pub use resources::downstream;
pub use view::{RunView, StepOutput};
