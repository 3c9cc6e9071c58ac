//! Procedures: remembered, found, owned, copied, shipped.

mod clones;
mod ownership;
mod recall_scope;
mod remembering;
mod starters;
mod workflow_starters;
