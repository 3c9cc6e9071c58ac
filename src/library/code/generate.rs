//! Getting code for a procedure: from the caller, from a model in a few rounds, or from the step compiler.
//!
//! The only part of the services that speaks to a model. What it gets is a candidate like any other: the same checks
//! judge it, and the same place commits it.

use std::{
    cmp::Reverse,
    sync::{Arc, Mutex, PoisonError},
};

use tokio_util::sync::CancellationToken;

use super::{
    answer,
    candidate::{Candidate, CodeSource, ENOUGH, Generated, Making, ModelUsage},
    prompt,
};
use crate::{
    compiler,
    config::ModelSettings,
    domain::{Definition, Hinted as _, Procedure, RunFilter, RunStatus, RuntimeKind, example::Verdict},
    library::{
        Actor, LibraryError, ProcedureRef, Services, Trial, model_use::ModelMeter,
        procedures::runtime_choice::with_dependencies,
    },
    models::{Message, Model, ModelError, Role, Usage},
};

/// How often a model gets its code back.
const MAX_REFINEMENTS: usize = 2;
/// How many failures of the current code a model is shown.
const FAILURES_SHOWN: u32 = 3;
/// How many examples are named that say nothing.
const UNTRIED_SHOWN: usize = 3;

/// What is wanted.
#[derive(Debug, Clone)]
pub struct GenerateRequest {
    pub wanted: ProcedureRef,
    /// The caller's own code.
    pub code: Option<String>,
    /// The packages that this code needs.
    pub dependencies: Option<Vec<String>>,
    /// What is to execute it; otherwise what can.
    pub runtime: Option<RuntimeKind>,
    /// Whether the configured model may write it.
    pub use_model: bool,
    /// Whether the model may correct what the checks find.
    pub refine: bool,
    /// Who wants it.
    pub by: Actor,
}

/// A handle on a generation: to watch it, and to stop it.
#[derive(Clone, Default)]
pub struct Activity {
    /// Stops it.
    pub cancel: CancellationToken,
    doing: Arc<Mutex<String>>,
}

impl Activity {
    /// What it is doing.
    #[must_use]
    pub fn doing(&self) -> String {
        self.doing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, doing: String) {
        *self.doing.lock().unwrap_or_else(PoisonError::into_inner) = doing;
    }
}

impl Services {
    /// Makes code for a procedure, checks it, and commits it.
    ///
    /// # Errors
    /// [`LibraryError::CodeRejected`] when it has syntax or security errors; nothing is stored then.
    /// [`LibraryError::Model`] when the model can't be used and the configuration wants no fallback.
    pub async fn generate(&self, request: GenerateRequest, activity: &Activity) -> Result<Generated, LibraryError> {
        let GenerateRequest { wanted, code, dependencies, runtime, use_model, refine, by } = request;
        let code = code.map(|code| with_dependencies(&code, dependencies.as_deref())).transpose()?;
        let (row, config, uncallable) = self
            .blocking(move |library| {
                let row = library.own_procedure(&wanted)?;
                let uncallable = library.uncallable(&row.definition)?;
                Ok((row, library.config()?, uncallable))
            })
            .await?;
        let mut making = Making::default();
        uncallable.into_iter().for_each(|remark| making.note(remark));
        let written = match (code, &config.model) {
            (Some(code), _) => {
                let lock = self.lock_packages(&code, runtime).await?;
                let candidate = self.candidate(&row, code, (CodeSource::Agent, lock.as_deref()), runtime).await?;
                Some(Candidate { lock, ..candidate })
            }
            (None, Some(settings)) if use_model => {
                let written = self.ask_model(&row, settings, refine, activity, &mut making).await;
                match written {
                    Err(LibraryError::Model(error)) if settings.fallback && !matches!(error, ModelError::Cancelled) => {
                        making.note(format!(
                            "the model was not used: {}. The code was compiled from the steps",
                            error.in_full()
                        ));
                        None
                    }
                    written => Some(written?),
                }
            }
            (None, None) if use_model => {
                making.note(
                    "no model is configured, so the code was compiled from the steps; pass `code` to store code that \
                     you wrote yourself",
                );
                None
            }
            (None, _) => None,
        };
        let candidate = if let Some(candidate) = written {
            candidate
        } else {
            compiler::remarks(&row.definition).into_iter().for_each(|remark| making.note(remark));
            let code = compiler::compile(&row.definition);
            self.candidate(&row, code, (CodeSource::Heuristic, None), Some(RuntimeKind::Sandbox)).await?
        };
        self.blocking(move |library| library.commit_candidate(row.id, candidate, making, &by)).await
    }

    async fn candidate(
        &self,
        row: &Procedure,
        code: String,
        (source, lock): (CodeSource, Option<&str>),
        runtime: Option<RuntimeKind>,
    ) -> Result<Candidate, LibraryError> {
        let (code, choice, _) = self.check(code, Some(ProcedureRef::Id(row.id)), runtime).await?;
        let mut candidate = Candidate::new(code, source, choice, &row.definition);
        if row.definition.examples.is_empty() || !candidate.analysis.is_storable() {
            return Ok(candidate);
        }
        let definition = Definition { runtime: candidate.runtime, ..row.definition.clone() };
        let trial = Trial { definition, code: candidate.code.clone(), lock: lock.map(str::to_owned) };
        let (trial, verdicts) = self
            .blocking(move |library| {
                let verdicts = library.try_examples(&trial)?.unwrap_or_default();
                Ok((trial, verdicts))
            })
            .await?;
        let untried = verdicts.iter().zip(1..).filter_map(|(verdict, number)| match verdict {
            Verdict::Untried(why) => Some(format!("example {number} says nothing about this code: {why}")),
            _ => None,
        });
        candidate.untried = untried.take(UNTRIED_SHOWN).collect();
        candidate.failing = trial.failing(verdicts);
        Ok(candidate)
    }

    /// The best of what the model writes in a few rounds.
    pub(super) async fn ask_model(
        &self,
        row: &Procedure,
        settings: &ModelSettings,
        refine: bool,
        activity: &Activity,
        making: &mut Making,
    ) -> Result<Candidate, LibraryError> {
        let model = Model::new(settings)?.metered(Arc::new(ModelMeter::new(self.library_handle(), None)));
        let mut messages = self.messages(row.clone()).await?;
        let mut usage =
            ModelUsage { model: settings.name.clone(), rounds: 0, tokens: Usage::default(), cost_usd: None };
        let mut best: Option<Candidate> = None;
        let rounds = if refine { 1 + MAX_REFINEMENTS } else { 1 };
        for round in 1..=rounds {
            let asking = format!("asking {}, round {round} of at most {rounds}", settings.name);
            activity.set(asking.clone());
            let retrying = |note: &str| activity.set(format!("{asking}: {note}"));
            let completion = match model.complete(&messages, &activity.cancel, retrying).await {
                Ok(completion) => completion,
                Err(error) if best.is_some() && !matches!(error, ModelError::Cancelled) => {
                    making.note(format!(
                        "the model failed in round {round}, so the best code until then is used: {}",
                        error.in_full()
                    ));
                    break;
                }
                Err(error) => return Err(error.into()),
            };
            usage.rounds += 1;
            usage.tokens.add(completion.usage);
            usage.cost_usd = usage.tokens.cost_usd(settings);
            making.usage = Some(usage.clone());
            let name = row.definition.name.identifier();
            let feedback = match answer::code(&completion.text, &name) {
                _ if completion.truncated => prompt::CUT_OFF.to_owned(),
                None => prompt::NO_CODE.to_owned(),
                Some(code) => {
                    let source = (CodeSource::Model, None);
                    let candidate = self.candidate(row, code, source, Some(RuntimeKind::Sandbox)).await?;
                    let is_enough =
                        candidate.is_sound() && candidate.confidence >= ENOUGH && candidate.failing.is_empty();
                    let feedback = prompt::feedback(&candidate);
                    if best.as_ref().is_none_or(|best| rank(&candidate) > rank(best)) {
                        best = Some(candidate);
                    }
                    if is_enough {
                        break;
                    }
                    feedback
                }
            };
            messages.push(Message { role: Role::Assistant, text: completion.text });
            messages.push(Message { role: Role::User, text: feedback });
        }
        best.ok_or_else(|| {
            let reason = match usage.rounds {
                1 => "it held no complete Python code".to_owned(),
                rounds => format!("none of {rounds} held complete Python code"),
            };
            model
                .unusable(format!("{reason}; try again, choose a better model, or pass `code` that you wrote yourself"))
                .into()
        })
    }

    async fn messages(&self, row: Procedure) -> Result<Vec<Message>, LibraryError> {
        self.blocking(move |library| {
            let filter = RunFilter { procedure_id: Some(row.id), status: Some(RunStatus::Failed) };
            let mut failures = library.runs(&filter, FAILURES_SHOWN)?;
            failures.retain(|run| Some(run.version) >= row.code_version);
            Ok(prompt::request(&row, &library.config()?.policy, &failures))
        })
        .await
    }
}

/// Code that may be stored beats code that may not, then what fewer examples speak against, then code without errors, then confidence.
fn rank(candidate: &Candidate) -> (bool, Reverse<usize>, bool, f64) {
    (candidate.analysis.is_storable(), Reverse(candidate.failing.len()), candidate.is_sound(), candidate.confidence)
}
