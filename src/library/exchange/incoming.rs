//! A procedure that comes from elsewhere, as it was found there.

use crate::{
    domain::Definition,
    library::{DefinitionPatch, LibraryError},
};

/// What stands for one procedure in a file.
#[derive(Debug)]
pub struct Item {
    /// The file, and the place in it.
    pub origin: String,
    /// The procedure, or why it is none.
    pub found: Result<Incoming, LibraryError>,
}

/// A procedure as it stands elsewhere.
#[derive(Debug, Clone)]
pub struct Incoming {
    pub name: String,
    pub(super) content: Content,
    pub(super) code: Option<String>,
    /// The packages that the code needs, each in one version, where that was resolved before.
    pub(super) lock: Option<String>,
    pub(super) dependencies: Option<Vec<String>>,
    /// What was said of it that has no place here.
    pub left_out: Vec<String>,
}

/// What is known of a definition.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// All of it.
    Whole(Box<Definition>),
    /// These fields.
    Fields(Box<DefinitionPatch>),
}
