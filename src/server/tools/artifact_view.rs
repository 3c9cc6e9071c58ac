//! An artifact in answers.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    library::{Artifact, rfc3339_ms},
    server::resources::artifacts,
};

// An artifact, without what it belongs to. No doc comment: the schema would have it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ArtifactView {
    artifact_id: i64,
    r#type: String,
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Map<String, Value>>,
    linked_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
}

impl From<Artifact> for ArtifactView {
    fn from(Artifact { row, status }: Artifact) -> Self {
        let (uri, path) = if row.is_file { (artifacts::uri(row.id), Some(row.location)) } else { (row.location, None) };
        Self {
            artifact_id: row.id,
            r#type: row.kind,
            uri,
            path,
            content_hash: row.content_hash,
            size_bytes: row.size_bytes,
            metadata: row.metadata,
            linked_at: rfc3339_ms(row.created_at),
            status,
        }
    }
}

/// Those of several.
pub fn views(artifacts: Vec<Artifact>) -> Vec<ArtifactView> {
    artifacts.into_iter().map(ArtifactView::from).collect()
}
