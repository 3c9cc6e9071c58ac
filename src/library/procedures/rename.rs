//! New names for procedures. The old one stays an alias: whoever says it means the same procedure, until somebody gives it up.

use super::lookup::alike;
use crate::{
    domain::{Definition, Procedure, ProcedureName},
    library::{Library, LibraryError},
    storage::Reader,
};

/// More than anybody remembers.
const MAX_FORMER_NAMES: usize = 100;

/// How a procedure is to be called.
#[derive(Debug, Clone, Default)]
pub struct Naming {
    /// Any text that makes a slug.
    pub name: Option<String>,
    /// Which of its former names stay aliases; the others are free for other procedures.
    pub former_names: Option<Vec<String>>,
}

impl Library {
    /// Gives `definition`, which is that of `row`, its names; gives the one that it had, where it has another one now.
    ///
    /// # Errors
    /// [`LibraryError::NameTaken`], [`LibraryError::NameHidden`] or [`LibraryError::NameFormer`].
    pub(super) fn rename(
        &self,
        reader: &Reader<'_>,
        row: &Procedure,
        naming: &Naming,
        definition: &mut Definition,
    ) -> Result<Option<ProcedureName>, LibraryError> {
        if let Some(kept) = &naming.former_names {
            let kept = kept.iter().map(|name| ProcedureName::parse(name)).collect::<Result<Vec<_>, _>>()?;
            if let Some(other) = kept.iter().find(|name| !definition.former_names.contains(name)) {
                let had = definition.former_names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
                let had = if had.is_empty() { "it has none".to_owned() } else { format!("it has {}", had.join(", ")) };
                return Err(LibraryError::invalid_with_hint(
                    format!("`{other}` is no former name of `{}`: {had}", definition.name),
                    "list the aliases that stay; a new `name` makes one of the old name",
                ));
            }
            definition.former_names.retain(|name| kept.contains(name));
        }
        let Some(name) = naming.name.as_deref().map(ProcedureName::parse).transpose()? else { return Ok(None) };
        if name == definition.name {
            return Ok(None);
        }
        self.check_name(reader, name.as_str(), Some(row.id))?;
        let before = std::mem::replace(&mut definition.name, name);
        definition.was_called(&before);
        if definition.former_names.len() > MAX_FORMER_NAMES {
            return Err(LibraryError::invalid_with_hint(
                format!("`{before}` was called otherwise {MAX_FORMER_NAMES} times already"),
                "give aliases up: pass those that should stay as `former_names`",
            ));
        }
        Ok(Some(before))
    }

    /// Whether a procedure may be called so: `id`, or a new one.
    ///
    /// A removed procedure's name is free for whom it belonged to: for a new one that comes with its versions and stats, and a
    /// procedure that is renamed leaves these behind.
    pub(super) fn check_name(&self, reader: &Reader<'_>, name: &str, id: Option<i64>) -> Result<(), LibraryError> {
        let is_other = |row: &Procedure| Some(row.id) != id;
        let hidden = || LibraryError::NameHidden(name.to_owned());
        match reader.procedure_named(name)? {
            Some(row) if row.deleted_at.is_some() => {
                if !row.definition.may_be_read_by(&self.user) {
                    return Err(hidden());
                }
                self.check_owner(reader, &row)?;
            }
            Some(row) => return Err(self.taken(&row, name)),
            // Nobody tells two names apart that differ only in form.
            None => {
                if let Some(row) = alike(reader, name)?.filter(is_other) {
                    return Err(self.taken(&row, name));
                }
            }
        }
        match reader.procedure_formerly(name)?.filter(is_other) {
            Some(row) if !row.definition.may_be_read_by(&self.user) => Err(hidden()),
            Some(row) => {
                Err(LibraryError::NameFormer { name: name.to_owned(), of: row.definition.name.into(), id: row.id })
            }
            None => Ok(()),
        }
    }

    fn taken(&self, row: &Procedure, name: &str) -> LibraryError {
        if row.definition.may_be_read_by(&self.user) {
            LibraryError::NameTaken { name: row.definition.name.to_string(), id: row.id, version: row.version }
        } else {
            LibraryError::NameHidden(name.to_owned())
        }
    }
}
