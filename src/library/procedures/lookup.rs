//! Finding procedures by handle or name, and listing them.

use crate::{
    domain::{Broken, Procedure, ProcedureFilter, ProcedureName, folded, name::MAX_NAME_CHARS},
    library::{Library, LibraryError},
    storage::Reader,
};

/// Names this similar (Jaro-Winkler) to a wrong one are proposed.
const SIMILAR_NAME: f64 = 0.75;

/// A procedure as a caller names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProcedureRef {
    /// The local handle.
    Id(i64),
    /// The name, or what makes it.
    Name(String),
}

impl std::fmt::Display for ProcedureRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{id}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl From<&str> for ProcedureRef {
    fn from(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Id)
    }
}

impl Library {
    /// The procedure that `wanted` names.
    ///
    /// # Errors
    /// [`LibraryError::ProcedureNotFound`], with the closest name, or [`LibraryError::ProcedureDeleted`].
    pub fn procedure(&self, wanted: &ProcedureRef) -> Result<Procedure, LibraryError> {
        self.refresh()?;
        self.database.read(|reader| live(find(reader, &self.user, wanted)?))
    }

    /// The procedure that `wanted` names, also when it was removed.
    ///
    /// # Errors
    /// [`LibraryError::ProcedureNotFound`].
    pub fn procedure_or_removed(&self, wanted: &ProcedureRef) -> Result<Procedure, LibraryError> {
        self.refresh()?;
        self.database.read(|reader| find(reader, &self.user, wanted))
    }

    /// The procedure that `wanted` names, which this user may change.
    ///
    /// # Errors
    /// As [`Self::procedure`], [`LibraryError::NotOwner`] or [`LibraryError::OwnedByNobody`].
    pub(in crate::library) fn own_procedure(&self, wanted: &ProcedureRef) -> Result<Procedure, LibraryError> {
        self.refresh()?;
        self.database.read(|reader| self.find_own(reader, wanted))
    }

    pub(in crate::library) fn find_own(
        &self,
        reader: &Reader<'_>,
        wanted: &ProcedureRef,
    ) -> Result<Procedure, LibraryError> {
        let row = live(find(reader, &self.user, wanted)?)?;
        self.check_owner(reader, &row)?;
        Ok(row)
    }

    /// What nobody owns and all share is what others rely on, so nobody changes it where there are any.
    pub(in crate::library) fn check_owner(&self, reader: &Reader<'_>, row: &Procedure) -> Result<(), LibraryError> {
        let (definition, user) = (&row.definition, self.user.as_str());
        let name = definition.name.to_string();
        match &definition.owner {
            Some(owner) if owner != user => Err(LibraryError::NotOwner { name, owner: owner.clone() }),
            None if definition.is_template() && reader.has_other_users(user)? => Err(LibraryError::OwnedByNobody(name)),
            _ => Ok(()),
        }
    }

    /// The names under which runs of a workflow are kept: where it is a procedure that was renamed, all that it had.
    ///
    /// # Errors
    /// [`LibraryError::Storage`].
    pub(in crate::library) fn workflow_names(&self, workflow: &str) -> Result<Vec<String>, LibraryError> {
        let found = self.database.read(|reader| named(reader, workflow))?;
        let found = found.filter(|row| row.definition.may_be_read_by(&self.user));
        Ok(found.map_or_else(|| vec![workflow.to_owned()], |row| names_of(workflow, &row)))
    }

    /// What is wrong with the newest commit of a procedure, if anything is.
    ///
    /// # Errors
    /// [`LibraryError::Storage`].
    pub fn broken(&self, name: &str) -> Result<Option<Broken>, LibraryError> {
        Ok(self.database.read(|reader| reader.broken(name))?)
    }

    /// What in the newest commit is no procedure although it stands where one should, by name.
    ///
    /// # Errors
    /// [`LibraryError::Storage`].
    pub fn all_broken(&self) -> Result<Vec<(String, Broken)>, LibraryError> {
        Ok(self.database.read(|reader| reader.all_broken(&self.user))?)
    }

    /// The procedures that match, latest change first (or best first, where a confidence is asked for), and how many
    /// there are in all.
    ///
    /// # Errors
    /// [`LibraryError::Storage`].
    pub fn list(
        &self,
        filter: &ProcedureFilter<'_>,
        limit: u32,
        offset: u32,
    ) -> Result<(Vec<Procedure>, u64), LibraryError> {
        self.refresh()?;
        let filter = ProcedureFilter { user: Some(&self.user), ..filter.clone() };
        Ok(self.database.read(|reader| reader.list_procedures(&filter, limit, offset))?)
    }
}

/// What `user` may not read is not there.
pub(in crate::library) fn find(
    reader: &Reader<'_>,
    user: &str,
    wanted: &ProcedureRef,
) -> Result<Procedure, LibraryError> {
    let found = match wanted {
        ProcedureRef::Id(id) => reader.procedure(*id)?,
        ProcedureRef::Name(name) => named(reader, name)?,
    };
    match found.filter(|row| row.definition.may_be_read_by(user)) {
        Some(row) => Ok(row),
        None => Err(LibraryError::ProcedureNotFound {
            given: wanted.to_string().chars().take(100).collect(),
            closest: match wanted {
                ProcedureRef::Name(name) => closest(name, &reader.procedure_names(user)?),
                ProcedureRef::Id(_) => None,
            },
        }),
    }
}

/// `workflow`, and all names of the procedure that it is, if that was renamed.
pub(super) fn names_of(workflow: &str, row: &Procedure) -> Vec<String> {
    let mut names = vec![workflow.to_owned()];
    if !row.definition.former_names.is_empty() {
        let all = row.definition.former_names.iter().chain([&row.definition.name]);
        names.extend(all.map(ToString::to_string).filter(|name| name != workflow));
    }
    names
}

/// The procedure that is called so, was called so, or whose name differs from that only in form; also a removed one.
pub(super) fn named(reader: &Reader<'_>, name: &str) -> Result<Option<Procedure>, LibraryError> {
    let slug = ProcedureName::parse(name).map_or_else(|_| name.to_owned(), String::from);
    let mut removed = None;
    for name in [name, &slug] {
        match reader.procedure_named(name)? {
            Some(row) if row.deleted_at.is_none() => return Ok(Some(row)),
            found => removed = removed.or(found),
        }
    }
    // What was renamed is meant before what was removed.
    match reader.procedure_formerly(&slug)?.or(removed) {
        Some(row) => Ok(Some(row)),
        None => alike(reader, &slug),
    }
}

/// The procedure whose name differs from `name` only in form.
pub(in crate::library) fn alike(reader: &Reader<'_>, name: &str) -> Result<Option<Procedure>, LibraryError> {
    let wanted = folded(name);
    if wanted != name
        && let Some(row) = reader.procedure_named(&wanted)?
    {
        return Ok(Some(row));
    }
    // All others of its form have letters beyond ASCII.
    match reader.names_beyond_ascii()?.into_iter().find(|other| other != name && folded(other) == wanted) {
        Some(other) => Ok(reader.procedure_named(&other)?),
        None => Ok(None),
    }
}

pub(in crate::library) fn live(row: Procedure) -> Result<Procedure, LibraryError> {
    if row.deleted_at.is_some() {
        Err(LibraryError::ProcedureDeleted(row.definition.name.to_string()))
    } else {
        Ok(row)
    }
}

fn closest(name: &str, names: &[String]) -> Option<String> {
    // Comparing takes as long as the names are, and what is longer than a name is like none.
    let name: String = name.chars().take(2 * MAX_NAME_CHARS).collect();
    names
        .iter()
        .map(|candidate| (strsim::jaro_winkler(&name, candidate), candidate))
        .filter(|(similarity, _)| *similarity >= SIMILAR_NAME)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate.clone())
}
