//! A procedure that takes the place of another: whoever says the other's name means it from then on.

use super::{lookup::ProcedureRef, rename::Naming};
use crate::{
    domain::{Definition, Status, VersionKind, name::MAX_NAME_CHARS},
    library::{Actor, DefinitionPatch, Library, LibraryError, home::Plan},
};

/// Names that are tried for the one that is put away.
const MAX_NAMES: u32 = 100;

impl Library {
    /// Puts procedure `gone` away under another name, and has `stays` called as it was called, too.
    ///
    /// # Errors
    /// As [`Library::update`].
    pub(in crate::library) fn take_over(&self, stays: i64, gone: i64, by: &Actor) -> Result<(), LibraryError> {
        let (stays, gone) = (ProcedureRef::Id(stays), ProcedureRef::Id(gone));
        let winner = self.own_procedure(&stays)?.definition.name;
        let row = self.own_procedure(&gone)?;
        let name = row.definition.name.clone();
        let aliases: Vec<_> = row.definition.former_names.iter().cloned().chain([name.clone()]).collect();
        self.put_away(&gone, winner.as_str(), name.as_str(), by)?;
        // Its names are free only when it has given them up.
        let none = Naming { name: None, former_names: Some(Vec::new()) };
        self.change("Give up the names of", &gone, None, &DefinitionPatch::default(), &none, by)?;
        self.commit_change(by, |reader| {
            let row = self.find_own(reader, &stays)?;
            let mut definition: Definition = row.definition.clone();
            aliases.iter().for_each(|alias| definition.was_called(alias));
            Ok(Plan {
                subject: format!("Merge {name} into {winner}"),
                kind: VersionKind::Definition,
                confidence: row.code_prior,
                change: Plan::change(&definition, row.code.as_deref(), row.lock.as_deref(), None)?,
                leaves: None,
            })
        })?;
        Ok(())
    }

    fn put_away(&self, gone: &ProcedureRef, winner: &str, name: &str, by: &Actor) -> Result<(), LibraryError> {
        let patch = DefinitionPatch { status: Some(Status::Archived), ..DefinitionPatch::default() };
        for attempt in 1..=MAX_NAMES {
            let end = if attempt == 1 { "_merged".to_owned() } else { format!("_merged_{attempt}") };
            let start: String = name.chars().take(MAX_NAME_CHARS - end.len()).collect();
            let naming = Naming { name: Some(format!("{start}{end}")), former_names: None };
            match self.change("Merge", gone, None, &patch, &naming, by) {
                Err(LibraryError::NameTaken { .. } | LibraryError::NameHidden(_) | LibraryError::NameFormer { .. }) => {
                }
                done => return done.map(drop),
            }
        }
        Err(LibraryError::invalid_with_hint(
            format!("`{name}` can't be put away: {MAX_NAMES} procedures have such names already"),
            format!("archive it yourself with update_procedure; `{winner}` stays as it is"),
        ))
    }
}
