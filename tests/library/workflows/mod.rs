//! Memory for workflows that others run.

mod artifacts;
mod checkpoints;
mod merge_states;
mod outcomes;
