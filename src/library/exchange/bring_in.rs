//! Storing a procedure that came from elsewhere, or saying what that would change.

use super::incoming::{Content, Incoming};
use crate::{
    domain::{CreatedBy, Definition, Procedure, RuntimeKind, Status, VersionKind, VersionNumber},
    library::{
        Actor, DefinitionDraft, Library, LibraryError, NewCode, ProcedureRef, Services,
        home::Plan,
        procedures::runtime_choice::{choose, with_dependencies},
    },
};

/// What became of an incoming procedure, or would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Became {
    /// There was none of its name.
    Added,
    /// The one that was there got a new version.
    Changed(VersionNumber),
    /// It is there already.
    Unchanged,
    /// A script that can't be called: it is a file of its skill, and no procedure. With why.
    OnlyFile(String),
}

/// What is to be stored.
struct Prepared {
    definition: Definition,
    code: Option<String>,
    lock: Option<String>,
    confidence: Option<f64>,
    /// The one of this name.
    present: Option<Procedure>,
}

impl Services {
    /// Stores a procedure, or only says what that would do. Where one of its name is there, it becomes the next version of
    /// that; a candidate stays one. With it comes what it is called.
    ///
    /// # Errors
    /// What is wrong with it, and as [`Library::remember`]; [`LibraryError::NotOwner`] where the one that is there is not
    /// this user's.
    pub async fn bring_in(
        &self,
        incoming: Incoming,
        is_dry: bool,
        by: &Actor,
    ) -> Result<(String, Became), LibraryError> {
        if !incoming.is_script {
            return self.bring_in_whole(incoming, is_dry, by).await;
        }
        let name = incoming.name.clone();
        if incoming.code.is_none() {
            return Ok((name, Became::OnlyFile(incoming.left_out.join("; "))));
        }
        match self.bring_in_whole(incoming, is_dry, by).await {
            Err(
                error @ (LibraryError::CodeRejected { .. }
                | LibraryError::Packages(_)
                | LibraryError::PackagesNotGranted { .. }
                | LibraryError::Argument { .. }),
            ) => Ok((name, Became::OnlyFile(error.to_string()))),
            other => other,
        }
    }

    async fn bring_in_whole(
        &self,
        incoming: Incoming,
        is_dry: bool,
        by: &Actor,
    ) -> Result<(String, Became), LibraryError> {
        let Incoming { code, lock, dependencies, .. } = &incoming;
        let code = code.as_deref().map(|code| with_dependencies(code, dependencies.as_deref())).transpose()?;
        let runtime = match &incoming.content {
            Content::Whole(definition) => Some(definition.runtime),
            Content::Fields(fields) => fields.runtime,
        };
        let lock = match (&code, lock) {
            (Some(_), Some(lock)) => Some(lock.clone()),
            // Nothing is looked up for what is not stored; whether the packages are allowed is said when it is.
            (Some(code), None) if !is_dry => self.lock_packages(code, runtime).await?,
            _ => None,
        };
        let by = by.clone();
        self.blocking(move |library| library.bring_in(&incoming, code, lock, runtime, is_dry, &by)).await
    }
}

impl Library {
    fn bring_in(
        &self,
        incoming: &Incoming,
        code: Option<String>,
        lock: Option<String>,
        runtime: Option<RuntimeKind>,
        is_dry: bool,
        by: &Actor,
    ) -> Result<(String, Became), LibraryError> {
        let prepared = self.prepare(incoming, code, lock, runtime)?;
        let name = prepared.definition.name.to_string();
        let Some(present) = &prepared.present else {
            if !is_dry {
                let Prepared { definition, code, lock, .. } = prepared;
                let code = code.as_deref().map(|text| NewCode { text, lock: lock.as_deref() });
                let wanted = Some(definition.runtime);
                self.store_with(definition, code, wanted, incoming.files.as_ref(), by)?;
            }
            return Ok((name, Became::Added));
        };
        // A dry run does not know the packages.
        let has_same_lock = prepared.lock == present.lock || (is_dry && prepared.lock.is_none());
        if prepared.definition == present.definition && prepared.code == present.code && has_same_lock {
            return Ok((name, Became::Unchanged));
        }
        if is_dry {
            return Ok((name, Became::Changed(present.version + 1)));
        }
        let id = present.id;
        let version = self.commit_change(by, |reader| {
            let row = self.find_own(reader, &ProcedureRef::Id(id))?;
            let Prepared { definition, code, lock, confidence, .. } = &prepared;
            let kind = if *code == row.code { VersionKind::Definition } else { VersionKind::Code };
            let category = Some(row.definition.category.as_str());
            Ok(Plan {
                subject: format!("Import {}", definition.name),
                kind,
                confidence: *confidence,
                change: Plan::bringing(
                    Plan::change(definition, code.as_deref(), lock.as_deref(), category)?,
                    incoming.files.as_ref(),
                ),
                leaves: None,
            })
        })?;
        Ok((name, Became::Changed(version)))
    }

    fn prepare(
        &self,
        incoming: &Incoming,
        code: Option<String>,
        lock: Option<String>,
        runtime: Option<RuntimeKind>,
    ) -> Result<Prepared, LibraryError> {
        let wanted = match &incoming.content {
            Content::Whole(definition) => definition.name.to_string(),
            Content::Fields(_) => crate::domain::ProcedureName::parse(&incoming.name)?.to_string(),
        };
        let present = match self.own_procedure(&ProcedureRef::Name(wanted)) {
            Ok(row) => Some(row),
            Err(LibraryError::ProcedureNotFound { .. } | LibraryError::ProcedureDeleted(_)) => None,
            Err(other) => return Err(other),
        };
        let mut definition = match (&incoming.content, &present) {
            (Content::Whole(definition), _) => {
                crate::library::procedures::check_definition(definition)?;
                // Files travel with skills and with the history, not with an export in JSON.
                let files = definition.files.clone().filter(|id| self.versions.files(id).is_ok());
                Definition { files, ..(**definition).clone() }
            }
            (Content::Fields(fields), None) => {
                let (name, fields) = (incoming.name.clone(), (**fields).clone());
                DefinitionDraft { name, fields }.build()?
            }
            (Content::Fields(fields), Some(row)) => {
                let mut definition = row.definition.clone();
                fields.as_ref().clone().apply(&mut definition)?;
                definition
            }
        };
        if let Some(row) = &present {
            definition.name.clone_from(&row.definition.name);
            definition.owner.clone_from(&row.definition.owner);
            definition.former_names.clone_from(&row.definition.former_names);
            // What waits for a review is not decided by a file.
            if row.definition.status == Status::Candidate {
                definition.status = Status::Candidate;
            }
        } else {
            definition.owner = Some(self.user().to_owned());
            if incoming.is_proposed {
                definition.status = Status::Candidate;
            }
            if incoming.is_script || incoming.files.is_some() {
                definition.created_by = CreatedBy::Imported;
            }
        }
        if let Some(files) = &incoming.files {
            definition.files = Some(files.id().to_owned());
        }
        // A file that has no code says nothing of the code that is there, unless it says all.
        let (code, lock) = match (&present, code) {
            (Some(row), None) if matches!(incoming.content, Content::Fields(_)) => (row.code.clone(), row.lock.clone()),
            (_, code) => (code, lock),
        };
        let mut confidence = None;
        if let Some(code) = &code {
            let choice = choose(code, Some(&definition), runtime, &*self.config()?);
            definition.runtime = choice.runtime;
            if !choice.analysis.is_storable() {
                return Err(LibraryError::CodeRejected { issues: choice.analysis.issues });
            }
            confidence = Some(choice.analysis.confidence(&definition));
        }
        Ok(Prepared { definition, code, lock, confidence, present })
    }
}
