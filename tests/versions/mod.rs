//! The git repository.

mod authors;
mod merges;
mod packing;
