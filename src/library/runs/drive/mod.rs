//! Driving the frames of a run.

pub mod ask;
pub mod frame;
mod intake;
pub mod perform;
pub mod tree;
