//! Outcomes of whole runs: stored once per run, learned from, and recalled.
//!
//! An outcome is its user's own. One of a run of a procedure is to be recalled by whoever sees that run.

use serde_json::Value;

use crate::{
    domain::{
        artifact::MemoryType,
        learning::{Ended, Trace},
        nfc,
        scope::{Level, Scope},
        workflow::{Counts, WorkflowOutcome},
    },
    library::{Artifact, Library, LibraryError, RecallScope, learning, now_ms, rfc3339_ms},
    storage::{NewOutcome, OutcomeFilter, StorageError, Words, Writer},
};

const MAX_ERROR_CHARS: usize = 20_000;
const MAX_ARTIFACTS: usize = 100;
const MAX_ARTIFACT_BYTES: usize = 64 * 1024;
/// Checkpoints of a run that are looked at.
const MAX_CHECKPOINTS: u32 = 10_000;
/// Branches whose last states are looked at.
const MAX_STATES: usize = 20;
const MAX_QUERY_CHARS: usize = 2000;

/// How a run ended, as its caller says.
#[derive(Debug, Clone)]
pub struct OutcomeDraft {
    pub workflow_id: String,
    /// The run of that workflow.
    pub run_id: String,
    pub ended: Ended,
    pub counts: Counts,
    pub error_message: Option<String>,
    /// What it produced: names, or objects.
    pub artifacts: Vec<Value>,
    /// Whether something may be learned from it.
    pub extract: bool,
    /// Whether the checkpoints of the run go.
    pub cleanup_checkpoints: bool,
}

/// What became of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completed {
    /// `false` when the same was stored before: nothing was changed.
    pub is_new: bool,
    /// The candidates that it is evidence for.
    pub candidates: Vec<i64>,
    /// How many checkpoints were removed.
    pub checkpoints_deleted: usize,
}

/// What is asked of the outcomes.
#[derive(Debug, Clone)]
pub struct OutcomeQuery {
    /// Words; without any, the newest outcomes are wanted.
    pub text: Option<String>,
    /// Where to look.
    pub scope: RecallScope,
    pub ended: Option<Ended>,
    /// At most so many.
    pub limit: u32,
}

/// An outcome that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct RecalledOutcome {
    pub row: WorkflowOutcome,
    /// How well its text answers the query, 1 for the best; absent without a query.
    pub score: Option<f64>,
    /// What its user linked to it.
    pub linked: Vec<Artifact>,
}

/// The name of an outcome in answers.
#[must_use]
pub fn outcome_id(run_id: &str) -> String {
    format!("wo_{run_id}")
}

impl Library {
    /// Stores how a run ended, so that it survives a power cut, learns from it, and removes its checkpoints, in this
    /// order and all at once. Saying the same again changes nothing.
    ///
    /// # Errors
    /// [`LibraryError::Scope`], [`LibraryError::Argument`], [`LibraryError::RunOfOther`], or
    /// [`LibraryError::CompletedOtherwise`].
    pub fn complete_workflow(&self, draft: &OutcomeDraft) -> Result<Completed, LibraryError> {
        check(draft)?;
        let (run_id, workflow_id) = (nfc(&draft.run_id), nfc(&draft.workflow_id));
        let draft = &OutcomeDraft { workflow_id, run_id, ..draft.clone() };
        let completed = self.database.write_synced(|writer| {
            let run = writer.workflow_run(&self.user, &draft.run_id)?;
            if let Some(run) = run.as_ref().filter(|run| run.workflow_id != draft.workflow_id) {
                return Err(LibraryError::RunOfOther {
                    run: draft.run_id.clone(),
                    workflow: run.workflow_id.clone(),
                    given: draft.workflow_id.clone(),
                });
            }
            if let Some(stored) = writer.outcome_of(&self.user, &draft.run_id)? {
                compare(draft, &stored)?;
                return Ok(Completed::default());
            }
            let now = now_ms();
            let run = match run {
                Some(run) => run,
                None => writer.add_workflow_run(&self.user, &draft.run_id, &draft.workflow_id, now)?,
            };
            let (trace, whole) = trace(writer, run.id)?;
            let error = draft.error_message.as_deref();
            let pattern = draft.extract.then(|| learning::pattern(&draft.workflow_id, draft.ended, &whole, error));
            let new = NewOutcome {
                user: self.user.clone(),
                workflow_id: draft.workflow_id.clone(),
                run_id: draft.run_id.clone(),
                procedure_id: None,
                ended: draft.ended,
                pattern: pattern.flatten(),
                created_at: now,
                counts: draft.counts,
                error_message: draft.error_message.clone(),
                artifacts: draft.artifacts.clone(),
                trace,
            };
            writer.add_outcome(&new)?;
            let candidates = learning::learn(writer, &new, now)?;
            let checkpoints_deleted = if draft.cleanup_checkpoints { writer.delete_checkpoints(run.id)? } else { 0 };
            Ok(Completed { is_new: true, candidates, checkpoints_deleted })
        })?;
        if completed.is_new {
            self.learned.notify_one();
        }
        Ok(completed)
    }

    /// The outcomes that answer a query: by their text, those that do so equally by their age.
    ///
    /// Those that have all telling words come alone where they are enough; otherwise any word counts. The newest 500
    /// matches are ranked.
    ///
    /// # Errors
    /// [`LibraryError::Scope`].
    pub fn recall_outcomes(&self, query: &OutcomeQuery) -> Result<Vec<RecalledOutcome>, LibraryError> {
        let (level, scope) = query.scope.at(Level::User)?;
        let workflow = scope.workflow_id.map(nfc);
        let filter = OutcomeFilter {
            user: self.user.clone(),
            of_runs_of: (level == Level::Tenant).then(|| self.seen_users()),
            workflows: workflow.map(|workflow| self.workflow_names(&workflow)).transpose()?,
            run_id: scope.run_id.map(nfc),
            node_id: scope.node_id.map(nfc),
            ended: query.ended,
        };
        let text = query.text.as_deref().unwrap_or_default().trim();
        let text: String = text.chars().take(MAX_QUERY_CHARS).collect();
        let found = self.database.read::<_, StorageError>(|reader| {
            if text.is_empty() {
                let rows = reader.newest_outcomes(&filter, query.limit)?;
                return Ok(rows.into_iter().map(|row| (row, None)).collect::<Vec<_>>());
            }
            let mut hits = reader.search_outcomes(&filter, &text, Words::All, query.limit)?;
            if hits.len() < query.limit as usize {
                hits = reader.search_outcomes(&filter, &text, Words::Any, query.limit)?;
            }
            let best = hits.iter().map(|(_, relevance)| *relevance).fold(f64::MIN_POSITIVE, f64::max);
            Ok(hits.into_iter().map(|(row, relevance)| (row, Some(relevance / best))).collect())
        })?;
        let with_links = found.into_iter().map(|(row, score)| {
            let linked = self.artifacts_of(MemoryType::Outcome, &row.run_id)?;
            Ok(RecalledOutcome { row, score, linked })
        });
        with_links.collect()
    }
}

fn refused(why: &str, hint: &str) -> LibraryError {
    LibraryError::invalid_with_hint(format!("nothing was stored: {why}"), hint)
}

fn check(draft: &OutcomeDraft) -> Result<(), LibraryError> {
    Scope { workflow_id: Some(&draft.workflow_id), run_id: Some(&draft.run_id), node_id: None }.check()?;
    let Counts { duration_ms, node_count, nodes_succeeded, nodes_failed } = draft.counts;
    for (field, value) in [
        ("duration_ms", duration_ms),
        ("node_count", node_count),
        ("nodes_succeeded", nodes_succeeded),
        ("nodes_failed", nodes_failed),
    ] {
        if value < 0 {
            return Err(refused(&format!("`{field}` is {value}"), "it counts from 0"));
        }
    }
    if nodes_succeeded.saturating_add(nodes_failed) > node_count {
        let why = format!(
            "`nodes_succeeded` {nodes_succeeded} and `nodes_failed` {nodes_failed} are more than `node_count` {node_count}"
        );
        return Err(refused(&why, "count every node once"));
    }
    if let Some(message) = &draft.error_message {
        let length = message.chars().count();
        if length > MAX_ERROR_CHARS {
            let why = format!("`error_message` has {length} characters, and at most {MAX_ERROR_CHARS} are kept");
            return Err(refused(&why, "cut it"));
        }
    }
    let is_named = |artifact: &Value| match artifact {
        Value::String(name) => !name.trim().is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => false,
    };
    if let Some(wrong) = draft.artifacts.iter().find(|artifact| !is_named(artifact)) {
        return Err(refused(&format!("`artifacts` has {wrong}"), "give a name or an object for each"));
    }
    let bytes: usize = draft.artifacts.iter().map(|artifact| artifact.to_string().len()).sum();
    if draft.artifacts.len() > MAX_ARTIFACTS || bytes > MAX_ARTIFACT_BYTES {
        let why = format!(
            "`artifacts` has {} entries of {bytes} bytes, and at most {MAX_ARTIFACTS} of {MAX_ARTIFACT_BYTES} bytes are \
             kept",
            draft.artifacts.len()
        );
        return Err(refused(&why, "name the files, not what is in them"));
    }
    Ok(())
}

/// Whether the same was said before.
fn compare(draft: &OutcomeDraft, stored: &WorkflowOutcome) -> Result<(), LibraryError> {
    let counts = |pick: fn(&Counts) -> i64| pick(&draft.counts) == pick(&stored.counts);
    let fields = [
        ("workflow_id", draft.workflow_id == stored.workflow_id),
        ("outcome", draft.ended == stored.ended),
        ("duration_ms", counts(|counts| counts.duration_ms)),
        ("node_count", counts(|counts| counts.node_count)),
        ("nodes_succeeded", counts(|counts| counts.nodes_succeeded)),
        ("nodes_failed", counts(|counts| counts.nodes_failed)),
        ("error_message", draft.error_message == stored.error_message),
        ("artifacts", draft.artifacts == stored.artifacts),
    ];
    let differing: Vec<String> =
        fields.into_iter().filter(|(_, same)| !same).map(|(field, _)| format!("`{field}`")).collect();
    if differing.is_empty() {
        return Ok(());
    }
    Err(LibraryError::CompletedOtherwise {
        run: draft.run_id.clone(),
        ended: stored.ended.as_str(),
        workflow: stored.workflow_id.clone(),
        at: rfc3339_ms(stored.created_at),
        differs: differing.join(", "),
    })
}

/// What is kept of a run, and the same with its whole path, which is what runs are compared by.
fn trace(writer: &Writer<'_>, workflow_run: i64) -> Result<(Trace, Trace), StorageError> {
    let mut trace = Trace::default();
    let nodes = writer.nodes_of_run(workflow_run, MAX_CHECKPOINTS)?;
    let mut branches: Vec<Option<&str>> = Vec::new();
    for (branch, node) in &nodes {
        trace.path.push(branch.as_deref(), node);
        if !branches.contains(&branch.as_deref()) && branches.len() < MAX_STATES {
            branches.push(branch.as_deref());
        }
    }
    for branch in branches {
        if let Some(state) = writer.latest_state(workflow_run, branch)? {
            trace.add_state(branch, &state);
        }
    }
    trace.last_node = writer.last_node(workflow_run)?;
    Ok((trace.clone().cut(), trace))
}
