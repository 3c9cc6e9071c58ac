//! Finding procedures by handle or name, and listing them.

use crate::{
    domain::{Procedure, ProcedureFilter, ProcedureName},
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
    /// As [`Self::procedure`], and [`LibraryError::NotOwner`].
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
        check_owner(&row, &self.user)?;
        Ok(row)
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
        ProcedureRef::Name(name) => match reader.procedure_named(name)? {
            Some(row) => Some(row),
            None => match ProcedureName::parse(name) {
                Ok(slug) if slug.as_str() != name => reader.procedure_named(slug.as_str())?,
                _ => None,
            },
        },
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

pub(in crate::library) fn live(row: Procedure) -> Result<Procedure, LibraryError> {
    if row.deleted_at.is_some() {
        Err(LibraryError::ProcedureDeleted(row.definition.name.to_string()))
    } else {
        Ok(row)
    }
}

pub(in crate::library) fn check_owner(row: &Procedure, user: &str) -> Result<(), LibraryError> {
    if row.definition.may_be_changed_by(user) {
        return Ok(());
    }
    let owner = row.definition.owner.clone().unwrap_or_default();
    Err(LibraryError::NotOwner { name: row.definition.name.to_string(), owner })
}

fn closest(name: &str, names: &[String]) -> Option<String> {
    names
        .iter()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(similarity, _)| *similarity >= SIMILAR_NAME)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate.clone())
}
