//! What is written of a run while it executes, so that another process can go on with it.

pub mod read;
pub mod record;
mod saved;
pub mod write;

use std::sync::Arc;

use crate::library::Library;

/// Where a run is written down.
#[derive(Clone)]
pub enum Journal {
    /// In the stores of a home.
    Of(Arc<Library>),
    /// Nowhere: it only shows what code does, and nobody goes on with it.
    Nowhere,
}

impl Journal {
    /// The home, where it is one's.
    pub const fn library(&self) -> Option<&Arc<Library>> {
        match self {
            Self::Of(library) => Some(library),
            Self::Nowhere => None,
        }
    }
}
