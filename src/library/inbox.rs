//! The inbox: what procedures put before the user, and the runs that wait for somebody.

use serde_json::{Map, Value, json};

use super::{Library, LibraryError, now_ms, rfc3339_ms};
use crate::{
    domain::{Decider, GateKind, ItemKind, Run, RunFilter, RunStatus, visible},
    host,
    storage::{ItemRow, StorageError},
};

/// Which entries of the inbox to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct InboxFilter {
    pub kind: Option<ItemKind>,
    /// Also those that were done with.
    pub include_resolved: bool,
}

/// An entry of the inbox.
#[derive(Debug, Clone, PartialEq)]
pub enum InboxEntry {
    /// An item that a procedure put there.
    Item(ItemRow),
    /// A run that waits for somebody; `resume_run` goes on.
    Run(ItemKind, Run),
}

impl InboxEntry {
    /// Milliseconds since 1970.
    #[must_use]
    pub const fn created_at(&self) -> i64 {
        match self {
            Self::Item(row) => row.created_at,
            Self::Run(_, run) => run.started_at,
        }
    }

    /// Everything about it, flat, without what it does not have.
    #[must_use]
    pub fn fields(&self) -> Map<String, Value> {
        let known = match self {
            Self::Item(row) => vec![
                ("id", json!(row.id)),
                ("kind", json!(row.item.kind)),
                ("title", json!(row.item.title.as_deref().map(visible))),
                ("body", json!(visible(&row.item.body))),
                ("channel", json!(row.item.channel)),
                ("undelivered", json!(row.item.undelivered)),
                ("procedure", json!(row.procedure)),
                ("run_id", json!(row.run_id)),
                ("created_at", json!(rfc3339_ms(row.created_at))),
                ("resolved_at", json!(row.resolved_at.map(rfc3339_ms))),
                ("resolved_by", json!(row.resolved_by)),
                ("resolved_by_agent", json!(row.by_agent.then_some(true))),
            ],
            Self::Run(kind, run) => vec![
                ("kind", json!(kind)),
                ("body", json!(run.waiting_for.as_deref().unwrap_or_default())),
                ("procedure", json!(run.procedure_name)),
                ("run_id", json!(run.id)),
                ("created_at", json!(rfc3339_ms(run.started_at))),
            ],
        };
        let data = match self {
            Self::Item(row) => row.item.data.clone(),
            Self::Run(..) => Map::new(),
        };
        let known = known.into_iter().map(|(name, value)| (name.to_owned(), value));
        // People decide by it.
        known
            .chain(data.into_iter().map(|(name, value)| (name, shown(value))))
            .filter(|(_, value)| !value.is_null() && *value != json!([]))
            .collect()
    }
}

/// How much waits for the user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pending {
    /// Candidates to decide on.
    pub candidates: u64,
    /// Entries of the inbox.
    pub inbox: u64,
}

impl Library {
    /// How much waits for the user.
    ///
    /// # Errors
    /// [`LibraryError::Storage`].
    pub fn pending(&self) -> Result<Pending, LibraryError> {
        let users = self.seen_users();
        Ok(self.database.read::<_, StorageError>(|reader| {
            Ok(Pending { candidates: reader.count_candidates(&self.user)?, inbox: reader.count_open(&users)? })
        })?)
    }

    /// The newest `limit` entries, newest first.
    ///
    /// # Errors
    /// [`LibraryError::Storage`].
    pub fn inbox(&self, filter: &InboxFilter, limit: u32) -> Result<Vec<InboxEntry>, LibraryError> {
        let InboxFilter { kind, include_resolved } = *filter;
        let users = self.seen_users();
        let (items, runs) = self.database.read(|reader| {
            let items = match kind {
                Some(kind) if kind.is_run() => Vec::new(),
                kind => reader.list_items(&users, kind, include_resolved, limit)?,
            };
            let runs = match kind {
                Some(kind) if !kind.is_run() => Vec::new(),
                _ => {
                    let paused = RunFilter { status: Some(RunStatus::Paused), ..RunFilter::default() };
                    let runs = reader.list_runs(&users, &paused, limit)?;
                    // What waits for the clock wants nothing of anybody.
                    runs.into_iter().filter(|run| run.waiting_for.is_some()).collect()
                }
            };
            let kind_of = |run: Run| Ok((kind_of_wait(reader.awaited_function(&run.id)?.as_deref()), run));
            let runs = runs.into_iter().map(kind_of).collect::<Result<Vec<_>, StorageError>>()?;
            Ok::<_, StorageError>((items, runs))
        })?;
        let runs = runs.into_iter().filter(|(of, _)| kind.is_none_or(|kind| kind == *of));
        let runs = runs.map(|(kind, run)| InboxEntry::Run(kind, run));
        let mut entries: Vec<InboxEntry> = items.into_iter().map(InboxEntry::Item).chain(runs).collect();
        // Stable: items of the same moment stay in the order of their numbers.
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.created_at()));
        entries.truncate(limit as usize);
        Ok(entries)
    }

    /// One item.
    ///
    /// # Errors
    /// [`LibraryError::ItemNotFound`].
    pub fn inbox_item(&self, id: i64) -> Result<ItemRow, LibraryError> {
        let users = self.seen_users();
        let found = self.database.read(|reader| reader.item(&users, id))?;
        found.ok_or(LibraryError::ItemNotFound(id))
    }

    /// Says that the user is done with an item; it leaves the inbox, and stays readable. Where an agent says so, that is
    /// kept.
    ///
    /// # Errors
    /// [`LibraryError::ItemNotFound`] or [`LibraryError::ItemResolved`].
    pub fn resolve_inbox_item(&self, id: i64, by: &Decider) -> Result<ItemRow, LibraryError> {
        let users = self.seen_users();
        self.database.write(|writer| {
            let found = writer.item(&users, id)?.ok_or(LibraryError::ItemNotFound(id))?;
            if !writer.resolve_item(id, &self.user, by.is_agent(), now_ms())? {
                let by = found.resolved_by.unwrap_or_default();
                return Err(LibraryError::ItemResolved { id, by, at: rfc3339_ms(found.resolved_at.unwrap_or(0)) });
            }
            writer.item(&users, id)?.ok_or(LibraryError::ItemNotFound(id))
        })
    }
}

/// A value with what can't be seen in its texts written out.
fn shown(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(visible(&text).into_owned()),
        Value::Array(items) => items.into_iter().map(shown).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, shown(value))).collect(),
        other => other,
    }
}

/// What a run is for whoever reads the inbox, by the host function that it waits at.
fn kind_of_wait(function: Option<&str>) -> ItemKind {
    match function.map(host::gate_kind) {
        // What waits and asks nothing by itself is held by the policy.
        Some(Some(GateKind::Approval) | None) => ItemKind::Approval,
        Some(Some(GateKind::Question)) => ItemKind::Question,
        Some(Some(GateKind::Step)) | None => ItemKind::Step,
    }
}
