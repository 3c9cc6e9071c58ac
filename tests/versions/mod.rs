//! The git repository.

mod authors;
mod merges;
