//! A procedure that comes from elsewhere, as it was found there.

use std::sync::Arc;

use crate::{
    domain::Definition,
    library::{DefinitionPatch, LibraryError},
    versions::Bundle,
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
    /// The files that travel with it, where they are known.
    pub(super) files: Option<Arc<Bundle>>,
    /// Whether a person is to look at it before it is used, unless the one who brings it trusts it.
    pub(super) is_proposed: bool,
    /// Whether it is a script that is kept with a skill anyhow, so that nothing is lost where it can't be called.
    pub(super) is_script: bool,
}

/// What is known of a definition.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// All of it.
    Whole(Box<Definition>),
    /// These fields.
    Fields(Box<DefinitionPatch>),
}

impl Incoming {
    /// The same, where the one who brings it vouches for it.
    #[must_use]
    pub fn trusted(self) -> Self {
        Self { is_proposed: false, ..self }
    }
}
