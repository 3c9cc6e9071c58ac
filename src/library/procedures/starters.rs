//! The procedures that ship with the program.

use include_dir::{Dir, include_dir};

use crate::{
    domain::Definition,
    library::{Library, LibraryError},
    versions::Author,
};

static STARTERS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/procedures");

/// Every starter with its code, by name.
///
/// # Errors
/// [`LibraryError::Internal`] names a file that is not what it should be; a test keeps that from being released.
pub fn all() -> Result<Vec<(Definition, Option<String>)>, LibraryError> {
    let mut found = Vec::new();
    for folder in STARTERS.dirs().flat_map(Dir::dirs) {
        let text = |name: &str| folder.get_file(folder.path().join(name)).and_then(|file| file.contents_utf8());
        let Some(definition) = text("procedure.json") else { continue };
        let mut definition: Definition = serde_json::from_str(definition).map_err(|error| broken(folder, &error))?;
        definition.is_shared = true;
        found.push((definition, text("procedure.py").map(str::to_owned)));
    }
    found.sort_by(|(a, _), (b, _): &(Definition, _)| a.name.cmp(&b.name));
    Ok(found)
}

fn broken(folder: &Dir<'_>, error: &serde_json::Error) -> LibraryError {
    let what = format!("the starter procedure in `{}` is not what it should be", folder.path().display());
    LibraryError::internal_because(what, error)
}

impl Library {
    /// Adds procedures that have a definition, and perhaps code, in one commit.
    ///
    /// # Errors
    /// [`LibraryError`] when the stores refuse.
    pub fn import(&self, subject: &str, procedures: &[(Definition, Option<String>)]) -> Result<(), LibraryError> {
        self.commit_import(Author::User(self.user()), subject, procedures, false)
    }

    pub(in crate::library) fn install_starters(&self) -> Result<(), LibraryError> {
        self.commit_import(Author::Program, "Add the starter procedures", &all()?, true)
    }
}
