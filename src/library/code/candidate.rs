//! Code of procedures: checked, scored, committed.

use crate::{
    compiler,
    domain::{Definition, FailingExample, Permissions, Procedure, RuntimeKind, VersionKind, VersionNumber},
    library::{
        Actor, Library, LibraryError, NewCode, ProcedureRef,
        home::{Plan, confidence_left, told_examples},
        procedures::runtime_choice::{Choice, choose},
    },
    models::Usage,
    validation::{Analysis, Checks, Issue, Severity, rules},
};

/// Confidence at which a model is not asked to improve its code.
pub(super) const ENOUGH: f64 = 0.7;

/// Where code came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeSource {
    /// The caller wrote it.
    Agent,
    /// The configured model wrote it.
    Model,
    /// The step compiler wrote it.
    Heuristic,
}

impl CodeSource {
    /// The word used in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Model => "llm",
            Self::Heuristic => "heuristic",
        }
    }
}

/// Code that may become the next version of a procedure.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub code: String,
    /// Where it came from.
    pub source: CodeSource,
    /// What the checks say of it.
    pub analysis: Analysis,
    /// Confidence in it, from the checks alone.
    pub confidence: f64,
    /// What would execute it.
    pub runtime: RuntimeKind,
    /// Why it is that.
    pub note: Option<String>,
    /// The packages that it needs.
    pub lock: Option<String>,
    /// The examples that it contradicts.
    pub failing: Vec<FailingExample>,
    /// Why examples were not tried with it.
    pub untried: Vec<String>,
}

impl Candidate {
    /// Code for `definition` that was checked.
    pub fn new(code: String, source: CodeSource, choice: Choice, definition: &Definition) -> Self {
        let Choice { runtime, analysis, note } = choice;
        let confidence = analysis.confidence(definition);
        Self { code, source, analysis, confidence, runtime, note, lock: None, failing: Vec::new(), untried: Vec::new() }
    }

    /// Whether nothing is known that makes it wrong.
    pub fn is_sound(&self) -> bool {
        !self.analysis.issues.iter().any(|issue| issue.severity == Severity::Error)
    }
}

/// What a model took to write code.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelUsage {
    /// The model, as it is configured.
    pub model: String,
    /// How often it answered.
    pub rounds: u32,
    /// Tokens over all rounds.
    pub tokens: Usage,
    /// US dollars, where the configuration says what tokens cost.
    pub cost_usd: Option<f64>,
}

/// How code was made, beside the code itself.
#[derive(Debug, Clone, Default)]
pub struct Making {
    /// Remarks for the caller.
    pub notes: Vec<Issue>,
    /// The examples because of which the code is not stored.
    pub failing: Vec<FailingExample>,
    /// What a model took, where one was asked.
    pub usage: Option<ModelUsage>,
}

impl Making {
    /// Adds a remark.
    pub fn note(&mut self, message: impl Into<String>) {
        self.notes.push(rules::GENERATION_NOTE.issue(message.into()));
    }

    /// Says why the code is not stored.
    fn refuse(&mut self, failing: Vec<FailingExample>) {
        let message = format!(
            "this code was not stored, because it contradicts {}; correct it or the example and pass it as `code`, or \
             insist with `accept_failing_examples`",
            told_examples(&failing)
        );
        let issue = rules::GENERATION_NOTE.issue(message);
        self.notes.push(Issue { severity: Severity::Error, ..issue });
        self.failing = failing;
    }
}

/// What became of a candidate.
#[derive(Debug, Clone)]
pub struct Generated {
    /// The procedure afterwards.
    pub procedure: Procedure,
    pub code: String,
    /// Where it came from.
    pub source: CodeSource,
    pub confidence: f64,
    /// What the checks say of it, remarks included.
    pub validated: Validated,
    /// The version that has this code; `None` when it was not committed.
    pub version: Option<VersionNumber>,
    /// The examples because of which it was not.
    pub failing: Vec<FailingExample>,
    /// How the caller can write better code itself, where the step compiler wrote this.
    pub guide: Option<String>,
    /// What a model took, where one was asked.
    pub usage: Option<ModelUsage>,
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

impl Library {
    /// What the syntax tree of `code` shows, for a procedure where one is named, and the runtime that is wanted or fits.
    ///
    /// # Errors
    /// [`LibraryError::ProcedureNotFound`]. Bad code is not an error here.
    pub(in crate::library) fn analyze(
        &self,
        code: &str,
        wanted: Option<&ProcedureRef>,
        runtime: Option<RuntimeKind>,
    ) -> Result<(Choice, Option<Procedure>), LibraryError> {
        let row = wanted.map(|wanted| self.procedure(wanted)).transpose()?;
        let definition = row.as_ref().map(|row| &row.definition);
        Ok((choose(code, definition, runtime, &*self.config()?), row))
    }

    /// Makes a candidate the next version of a procedure.
    ///
    /// Code that is already current makes no new version. Code of the step compiler never replaces code that somebody
    /// wrote, and a model's never replaces code that is worth more.
    ///
    /// # Errors
    /// [`LibraryError::CodeRejected`] when it has syntax or security errors, [`LibraryError::WantsPerson`] when it no longer
    /// asks for approval.
    pub(in crate::library) fn commit_candidate(
        &self,
        id: i64,
        candidate: Candidate,
        mut making: Making,
        by: &Actor,
    ) -> Result<Generated, LibraryError> {
        let Candidate { code, source, analysis, mut confidence, runtime, note, lock, failing: _, untried } = candidate;
        untried.into_iter().for_each(|why| making.note(why));
        making.notes.extend(note.map(|note| rules::GENERATION_NOTE.issue(note)));
        if !analysis.is_storable() {
            return Err(LibraryError::CodeRejected { issues: analysis.issues });
        }
        let wanted = ProcedureRef::Id(id);
        let row = self.procedure(&wanted)?;
        let is_current =
            row.code.as_deref() == Some(code.as_str()) && row.definition.runtime == runtime && row.lock == lock;
        let version = if is_current {
            making.note("this is already the current code; no new version was made");
            row.code_version
        } else if let Some(reason) = reason_to_keep(&row, source, confidence) {
            making.note(reason);
            None
        } else {
            let code = NewCode { text: &code, lock: lock.as_deref() };
            match self.commit_code(id, code, (source, runtime), confidence, by) {
                Ok(version) => Some(version),
                Err(LibraryError::ExamplesFail { failing, .. }) => {
                    confidence = confidence_left(confidence, failing.len(), row.definition.examples.len());
                    making.refuse(failing);
                    None
                }
                Err(error) => return Err(error),
            }
        };
        let guide = match source {
            // Where every step was automated there is little to gain.
            CodeSource::Heuristic if analysis.facts.manual_steps > 0 => self
                .authoring_guide(&wanted)
                .inspect_err(|error| tracing::warn!(%error, "code was stored without the guide to better code"))
                .ok(),
            _ => None,
        };
        let mut validated = Validated::from(analysis);
        let (refusal, notes): (Vec<Issue>, Vec<Issue>) =
            making.notes.into_iter().partition(|note| note.severity == Severity::Error);
        // Nothing else matters as much.
        validated.issues.splice(0..0, refusal);
        validated.issues.extend(notes);
        let procedure = self.procedure(&wanted)?;
        if version.is_some() && by.accepts_failing {
            confidence = procedure.code_prior.unwrap_or(confidence);
        }
        Ok(Generated {
            procedure,
            code,
            source,
            confidence,
            validated,
            version,
            failing: making.failing,
            guide,
            usage: making.usage,
        })
    }

    fn commit_code(
        &self,
        id: i64,
        code: NewCode<'_>,
        (source, runtime): (CodeSource, RuntimeKind),
        confidence: f64,
        by: &Actor,
    ) -> Result<VersionNumber, LibraryError> {
        self.commit_change(by, |reader| {
            let mut row = self.find_own(reader, &ProcedureRef::Id(id))?;
            let verb = match source {
                CodeSource::Agent => "Change",
                CodeSource::Model => "Generate",
                CodeSource::Heuristic => "Compile",
            };
            row.definition.runtime = runtime;
            Ok(Plan {
                subject: format!("{verb} the code of {}", row.definition.name),
                kind: VersionKind::Code,
                confidence: Some(confidence),
                change: Plan::change(&row.definition, Some(code.text), code.lock, None)?,
                leaves: None,
            })
        })
    }
}

/// Why the current code of `row` stays, although there is new code from `source`.
fn reason_to_keep(row: &Procedure, source: CodeSource, confidence: f64) -> Option<String> {
    let current = row.code.as_deref()?;
    let version = row.code_version.unwrap_or(row.version);
    match source {
        CodeSource::Heuristic if !compiler::is_compiled(current) => Some(format!(
            "version {version} of the code was not compiled from the steps and is kept; pass `code` to replace it"
        )),
        CodeSource::Model => row.code_confidence.filter(|present| confidence < *present).map(|present| {
            format!(
                "version {version} is kept, its confidence of {present:.2} is higher than the {confidence:.2} of this \
                 code; pass this code as `code` to store it all the same"
            )
        }),
        CodeSource::Agent | CodeSource::Heuristic => None,
    }
}

impl From<Analysis> for Validated {
    fn from(analysis: Analysis) -> Self {
        let Analysis { issues, checks, quality_score, permissions_needed, .. } = analysis;
        Self { checks, quality_score, issues, permissions_needed }
    }
}
