//! Code of procedures: from the agent or the step compiler, checked, scored, committed.

use super::{
    Library, LibraryError, ProcedureRef, confidence,
    index::Plan,
    lookup::{find, live},
};
use crate::{
    compiler,
    domain::{Definition, Permissions, VersionKind, VersionNumber},
    sandbox::PythonError,
    storage::ProcedureRow,
    validation::{self, Analysis, Category, Checks, Context, Issue, Severity},
};

/// Rule code of what the interpreter itself refuses.
const REFUSED_BY_INTERPRETER: &str = "RPT299";
/// Rule code of remarks on how code was generated.
const GENERATION_NOTE: &str = "RPT900";

/// Where code came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeSource {
    /// The caller wrote it.
    Agent,
    /// The step compiler wrote it.
    Heuristic,
}

/// Code that may become the next version.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The code.
    pub code: String,
    /// Where it came from.
    pub source: CodeSource,
    /// Remarks for the caller.
    notes: Vec<Issue>,
}

/// What became of a proposal.
#[derive(Debug, Clone)]
pub struct Generated {
    /// The procedure afterwards.
    pub procedure: ProcedureRow,
    /// The proposed code.
    pub code: String,
    /// Where it came from.
    pub source: CodeSource,
    /// Confidence in the proposed code.
    pub confidence: f64,
    /// What the checks say of it, remarks included.
    pub validated: Validated,
    /// The version that has this code; `None` when it was not committed.
    pub version: Option<VersionNumber>,
    /// How the caller can write better code itself, where the step compiler wrote this.
    pub guide: Option<String>,
}

/// What the checks say of a piece of code.
#[derive(Debug, Clone)]
pub struct Validated {
    /// Summary of the checks.
    pub checks: Checks,
    /// Quality from 0 to 1.
    pub quality_score: f64,
    /// Everything that was found.
    pub issues: Vec<Issue>,
    /// What the code is seen to need.
    pub permissions_needed: Permissions,
}

/// Analyses `code` for `definition` and refuses it when it must not be stored.
pub(super) fn check_storable(
    code: &str,
    definition: &Definition,
    grants: Option<&Permissions>,
) -> Result<Analysis, LibraryError> {
    let name = definition.name.identifier();
    let context = Context { entry_name: Some(&name), definition: Some(definition), grants };
    let analysis = validation::analyze(code, &context);
    if analysis.is_storable() { Ok(analysis) } else { Err(LibraryError::CodeRejected { issues: analysis.issues }) }
}

impl Library {
    /// Code for a procedure: the given one, or what the step compiler makes of the definition.
    ///
    /// # Errors
    /// [`LibraryError::ProcedureNotFound`].
    pub fn propose_code(
        &self,
        wanted: &ProcedureRef,
        code: Option<String>,
        use_model: bool,
    ) -> Result<Proposal, LibraryError> {
        let row = self.procedure(wanted)?;
        if let Some(code) = code {
            return Ok(Proposal { code, source: CodeSource::Agent, notes: Vec::new() });
        }
        let mut notes = Vec::new();
        if use_model {
            notes.push(note(
                "no model is configured, so the code was compiled from the steps; pass `code` to store code that you \
                 wrote yourself"
                    .to_owned(),
            ));
        }
        Ok(Proposal { code: compiler::compile(&row.definition), source: CodeSource::Heuristic, notes })
    }

    /// Refuses a proposal that must not be stored, before anybody else looks at it.
    ///
    /// # Errors
    /// [`LibraryError::CodeRejected`].
    pub fn check_proposal(&self, wanted: &ProcedureRef, proposal: &Proposal) -> Result<(), LibraryError> {
        let row = self.procedure(wanted)?;
        check_storable(&proposal.code, &row.definition, Some(&self.config()?.policy)).map(drop)
    }

    /// Checks a proposal and makes it the next version. `refused` is what the interpreter said when it compiled it.
    ///
    /// Code of the step compiler never replaces code that somebody wrote, and code that is already current makes no
    /// new version.
    ///
    /// # Errors
    /// [`LibraryError::CodeRejected`] when it has syntax or security errors.
    pub fn accept_code(
        &self,
        wanted: &ProcedureRef,
        proposal: Proposal,
        refused: Option<&PythonError>,
    ) -> Result<Generated, LibraryError> {
        let Proposal { code, source, notes } = proposal;
        let row = self.procedure(wanted)?;
        let guide = match source {
            // Where every step was automated there is little to gain.
            CodeSource::Heuristic if code.contains("manual_step(") => Some(self.authoring_guide(wanted)?),
            _ => None,
        };
        let analysis = check_storable(&code, &row.definition, Some(&self.config()?.policy))?;
        let analysis = with_refusal(analysis, refused);
        let confidence = confidence::of_analysis(&analysis, &code, &row.definition);
        let mut validated = Validated::from(analysis);
        validated.issues.extend(notes);
        let written_by_hand = row.code.as_deref().is_some_and(|current| !compiler::is_compiled(current));
        if source == CodeSource::Heuristic && written_by_hand {
            validated.issues.push(note(format!(
                "version {} of the code was written by hand and is kept; pass `code` to replace it",
                row.code_version.unwrap_or(row.version)
            )));
            return Ok(Generated { procedure: row, code, source, confidence, validated, version: None, guide });
        }
        if row.code.as_deref() == Some(code.as_str()) {
            validated.issues.push(note("this is already the current code; no new version was made".to_owned()));
            let version = row.code_version;
            return Ok(Generated { procedure: row, code, source, confidence, validated, version, guide });
        }
        let version = self.commit_change(|reader| {
            let row = live(find(reader, &ProcedureRef::Id(row.id))?)?;
            let verb = match source {
                CodeSource::Agent => "Change",
                CodeSource::Heuristic => "Compile",
            };
            Ok(Plan {
                subject: format!("{verb} the code of {}", row.definition.name),
                kind: VersionKind::Code,
                confidence: Some(confidence),
                change: Plan::change(&row.definition, Some(&code), None)?,
            })
        })?;
        let procedure = self.procedure(&ProcedureRef::Id(row.id))?;
        Ok(Generated { procedure, code, source, confidence, validated, version: Some(version), guide })
    }

    /// Checks code, for a procedure where one is named.
    ///
    /// # Errors
    /// [`LibraryError::ProcedureNotFound`]. Bad code is not an error here.
    pub fn validate(
        &self,
        code: &str,
        wanted: Option<&ProcedureRef>,
        refused: Option<&PythonError>,
    ) -> Result<(Validated, Option<i64>), LibraryError> {
        let row = wanted.map(|wanted| self.procedure(wanted)).transpose()?;
        let name = row.as_ref().map(|row| row.definition.name.identifier());
        let config = self.config()?;
        let context = Context {
            entry_name: name.as_deref(),
            definition: row.as_ref().map(|row| &row.definition),
            grants: Some(&config.policy),
        };
        Ok((judge(code, &context, refused), row.map(|row| row.id)))
    }
}

/// Everything that the checks, and perhaps the interpreter, say of `code`.
pub(super) fn judge(code: &str, context: &Context<'_>, refused: Option<&PythonError>) -> Validated {
    Validated::from(with_refusal(validation::analyze(code, context), refused))
}

impl From<Analysis> for Validated {
    fn from(analysis: Analysis) -> Self {
        let Analysis { issues, checks, quality_score, permissions_needed, .. } = analysis;
        Self { checks, quality_score, issues, permissions_needed }
    }
}

/// Adds what the interpreter said, unless the analysis has already found why it would not run.
fn with_refusal(mut analysis: Analysis, refused: Option<&PythonError>) -> Analysis {
    if let Some(error) = refused.filter(|_| analysis.checks.runnable) {
        analysis.checks.runnable = false;
        analysis.issues.push(Issue {
            severity: Severity::Error,
            category: Category::Runtime,
            message: format!("the interpreter refuses this code: {}: {}", error.kind, error.message),
            line: None,
            code: REFUSED_BY_INTERPRETER,
        });
    }
    analysis
}

const fn note(message: String) -> Issue {
    Issue { severity: Severity::Info, category: Category::Completeness, message, line: None, code: GENERATION_NOTE }
}
