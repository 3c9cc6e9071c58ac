//! Copying a procedure under another name, for whoever copies it to own and change.

use super::{
    definition::DefinitionPatch,
    lookup::ProcedureRef,
    remember::{NewCode, Remembered},
};
use crate::{
    compiler,
    domain::{CreatedBy, Definition, ProcedureName, Status, name::MAX_NAME_CHARS},
    library::{Actor, Library, LibraryError},
    validation,
};

/// How often another free name is looked for when somebody else was faster.
const ATTEMPTS: u32 = 5;

/// What is to be copied, and what is to be different.
#[derive(Debug, Clone)]
pub struct CloneRequest {
    /// A procedure that the user may read.
    pub source: ProcedureRef,
    /// The name of the copy; the source's with a number when it is left out.
    pub name: Option<String>,
    /// Fields that replace those of the source.
    pub fields: DefinitionPatch,
    /// Code that replaces the source's.
    pub code: Option<String>,
    /// The packages that this code needs.
    pub lock: Option<String>,
}

impl Library {
    /// Copies the definition and the code of a procedure. The copy belongs to this user, is not shared and not disabled,
    /// and keeps the trigger: what starts no template starts its copy.
    ///
    /// # Errors
    /// As [`Library::procedure`] for the source and [`Library::remember`] for the copy.
    pub fn clone_procedure(&self, request: &CloneRequest, by: &Actor) -> Result<Remembered, LibraryError> {
        let source = self.procedure(&request.source)?;
        let mut attempt = 1;
        loop {
            let name = match &request.name {
                Some(name) => ProcedureName::parse(name)?,
                None => self.free_name(&source.definition.name)?,
            };
            let mut definition = Definition {
                name,
                former_names: Vec::new(),
                owner: Some(self.user.clone()),
                is_shared: false,
                enabled: true,
                created_by: CreatedBy::User,
                // A copy of what waits for a review still waits for one.
                status: if source.definition.status == Status::Candidate { Status::Candidate } else { Status::Active },
                ..source.definition.clone()
            };
            request.fields.clone().apply(&mut definition)?;
            let code = match (&request.code, &source.code) {
                (Some(code), _) => Some(code.clone()),
                (None, Some(code)) => Some(copied(code, &source.definition, &definition)),
                (None, None) => None,
            };
            let wanted = request.fields.runtime.or_else(|| request.code.is_none().then_some(definition.runtime));
            let lock = if request.code.is_some() { &request.lock } else { &source.lock };
            let code = code.as_deref().map(|text| NewCode { text, lock: lock.as_deref() });
            match self.store(definition, code, wanted, by) {
                Err(LibraryError::NameTaken { .. } | LibraryError::NameFormer { .. } | LibraryError::NameHidden(_))
                    if request.name.is_none() && attempt < ATTEMPTS =>
                {
                    attempt += 1;
                }
                Ok(mut remembered) => {
                    // It resembles its source, of course.
                    remembered.similar.retain(|similar| similar.id != source.id);
                    return Ok(remembered);
                }
                error => return error,
            }
        }
    }

    /// `name` with the first number that nobody has used.
    fn free_name(&self, name: &ProcedureName) -> Result<ProcedureName, LibraryError> {
        let mut number = 2_u32;
        loop {
            let ending = format!("_{number}");
            let beginning: String = name.as_str().chars().take(MAX_NAME_CHARS - ending.len()).collect();
            let numbered = ProcedureName::parse(&format!("{beginning}{ending}"))?;
            if self.database.read(|reader| reader.procedure_named(numbered.as_str()))?.is_none() {
                return Ok(numbered);
            }
            number += 1;
        }
    }
}

/// The code of a copy: compiled anew where it is what the steps give, else with its function renamed where that is safe.
fn copied(code: &str, source: &Definition, copy: &Definition) -> String {
    let other_steps =
        (&source.steps, &source.parameters, &source.template) != (&copy.steps, &copy.parameters, &copy.template);
    if compiler::compile(source) == code || (other_steps && compiler::is_compiled(code)) {
        return compiler::compile(copy);
    }
    let (from, to) = (source.name.identifier(), copy.name.identifier());
    validation::rename_entry(code, &from, &to).unwrap_or_else(|| code.to_owned())
}
