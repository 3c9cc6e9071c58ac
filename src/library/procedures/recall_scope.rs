//! Recall within a scope: what a workflow, a run of it, or a node of that run has to do with.

use std::collections::BTreeSet;

use super::{
    lookup::{named, names_of},
    recall::{Found, RecallFilter, track_record},
};
use crate::{
    domain::{
        Status,
        scope::{Level, Scope, ScopeError},
    },
    library::{Library, LibraryError},
    storage::{CandidateStatus, Reader, Users},
};

/// Lessons of one workflow that are looked at.
const MAX_LESSONS: u32 = 500;
/// Runs of a procedure in which calls of others are looked for: the newest.
const MAX_RUNS: u32 = 200;

/// Where to look, as a caller says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecallScope {
    /// How far; by default as far as the innermost name.
    pub level: Option<Level>,
    pub workflow_id: Option<String>,
    /// The run of that workflow.
    pub run_id: Option<String>,
    /// The node of that run.
    pub node_id: Option<String>,
}

impl RecallScope {
    /// The same; without a level or a name, everything that the user may read.
    #[must_use]
    pub fn or_tenant(self) -> Self {
        let is_open = self.level.is_none() && self.workflow_id.is_none();
        if is_open { Self { level: Some(Level::Tenant), ..self } } else { self }
    }

    /// The level and its names, checked.
    pub(in crate::library) fn at(&self, otherwise: Level) -> Result<(Level, Scope<'_>), ScopeError> {
        let Self { level, workflow_id, run_id, node_id } = self;
        let (workflow_id, run_id, node_id) = (workflow_id.as_deref(), run_id.as_deref(), node_id.as_deref());
        Scope { workflow_id, run_id, node_id }.at(*level, otherwise)
    }
}

impl Library {
    /// Like [`Library::recall`], within a scope. Without words, everything in a workflow, a run or a node is found, what
    /// did best first.
    ///
    /// # Errors
    /// [`LibraryError::Scope`].
    pub fn recall_within(
        &self,
        scope: &RecallScope,
        query: &str,
        limit: usize,
        filter: RecallFilter,
    ) -> Result<Vec<Found>, LibraryError> {
        let (level, scope) = scope.at(Level::Tenant)?;
        let filter = match level {
            Level::Tenant => filter,
            Level::User => RecallFilter { own_only: true, ..filter },
            Level::Workflow | Level::Run | Level::Node => {
                self.refresh()?;
                let users = self.seen_users();
                let only = self.database.read(|reader| self.procedures_within(reader, &users, scope))?;
                RecallFilter { only: Some(only), ..filter }
            }
        };
        match &filter.only {
            Some(only) if query.trim().is_empty() => self.best_of(only, limit, &filter),
            _ => self.recall(query, limit, &filter),
        }
    }

    fn best_of(&self, only: &BTreeSet<i64>, limit: usize, filter: &RecallFilter) -> Result<Vec<Found>, LibraryError> {
        let rows = self.database.read(|reader| {
            let rows = only.iter().map(|id| reader.procedure(*id));
            rows.collect::<Result<Vec<_>, _>>()
        })?;
        let mut found: Vec<Found> = rows
            .into_iter()
            .flatten()
            .filter(|row| {
                row.deleted_at.is_none() && row.definition.status == Status::Active && filter.admits(row, &self.user)
            })
            .map(|procedure| Found { score: track_record(procedure.successes, procedure.failures), procedure })
            .collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.procedure.id.cmp(&b.procedure.id)));
        found.truncate(limit);
        Ok(found)
    }

    /// The handles of the procedures that were learned from a workflow, are it, or were called by it; of a run: that its
    /// outcome is evidence for, or that it executed; of a node: that were learned about it, or that it called.
    fn procedures_within(
        &self,
        reader: &Reader<'_>,
        users: &Users,
        scope: Scope<'_>,
    ) -> Result<BTreeSet<i64>, LibraryError> {
        let Scope { workflow_id: Some(workflow), run_id, node_id } = scope else { return Ok(BTreeSet::new()) };
        let own = named(reader, workflow)?.filter(|row| row.definition.may_be_read_by(&self.user));
        let workflows = own.as_ref().map_or_else(|| vec![workflow.to_owned()], |row| names_of(workflow, row));
        let mut lessons = Vec::new();
        for workflow in &workflows {
            lessons.extend(reader.candidates_of_workflow(
                &self.user,
                workflow,
                CandidateStatus::Active,
                MAX_LESSONS,
            )?);
        }
        let mut names: BTreeSet<String> = BTreeSet::new();
        let mut ids: BTreeSet<i64> = BTreeSet::new();
        match run_id {
            None => {
                names.extend(lessons.into_iter().filter_map(|lesson| lesson.procedure_name));
                if let Some(row) = own {
                    ids.insert(row.id);
                    ids.extend(reader.procedures_called_by(users, row.id, MAX_RUNS)?);
                }
            }
            Some(run) => {
                let outcome =
                    reader.outcome_of(&self.user, run)?.filter(|outcome| workflows.contains(&outcome.workflow_id));
                let taught = outcome.filter(|outcome| node_id.is_none_or(|node| outcome.trace.path.has(node)));
                if let Some(pattern) = taught.and_then(|outcome| outcome.pattern) {
                    let lessons = lessons.into_iter().filter(|lesson| lesson.pattern == pattern);
                    names.extend(lessons.filter_map(|lesson| lesson.procedure_name));
                }
                let is_of_own = match (reader.run(run)?.filter(|run| users.see(run)), &own) {
                    (Some(run), Some(own)) => run.procedure_id == own.id,
                    _ => false,
                };
                if is_of_own {
                    match node_id {
                        None => ids.extend(reader.procedures_of_run(run)?),
                        Some(node) => {
                            let called = node.strip_prefix("call_procedure ").map(str::to_owned);
                            names.extend(called);
                        }
                    }
                }
            }
        }
        for name in names {
            ids.extend(named(reader, &name)?.map(|row| row.id));
        }
        Ok(ids)
    }
}
