//! Procedures: remembered, found, owned, copied, shipped.

mod clones;
mod forms;
mod ownership;
mod parameter_types;
mod recall_scope;
mod recalling;
mod remembering;
mod renaming;
mod starters;
mod workflow_starters;
