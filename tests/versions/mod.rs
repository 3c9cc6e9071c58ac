//! The git repository.

mod merges;
