//! Runs that nobody called: what goes wrong with them is told in the inbox, because nobody waits for an answer.

use serde_json::{Map, json};

use crate::{
    domain::{ItemKind, NewItem},
    runtime::PythonError,
};

const MAX_BODY_CHARS: usize = 2000;

/// What the inbox says of a run that failed.
pub fn failed(name: &str, error: Option<&PythonError>) -> NewItem {
    let why =
        error.map_or_else(|| "it did not say why".to_owned(), |error| format!("{}: {}", error.kind, error.message));
    notice(format!("`{name}` failed"), &why, "error")
}

/// What the inbox says where there was nothing to run.
pub fn skipped(name: &str) -> NewItem {
    let why = "it was called for, but it has no code yet; generate_procedure_code makes it";
    notice(format!("`{name}` did nothing"), why, "warning")
}

fn notice(title: String, why: &str, level: &str) -> NewItem {
    NewItem {
        kind: ItemKind::Notification,
        title: Some(title),
        body: why.chars().take(MAX_BODY_CHARS).collect(),
        data: Map::from_iter([("level".to_owned(), json!(level))]),
        channel: None,
        undelivered: None,
    }
}
