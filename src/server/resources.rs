//! Resources: the linked files that lie in a granted directory, under `repertoire://artifacts/<number>`.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use rmcp::{
    ErrorData,
    model::{ListResourcesResult, ReadResourceResult, Resource, ResourceContents, ResourceTemplate},
};
use serde_json::json;

use crate::{
    domain::{Hinted as _, artifact::LinkedArtifact},
    library::{ErrorKind, LibraryError, Services},
};

const PREFIX: &str = "repertoire://artifacts/";
/// Resources in one answer.
const PAGE: u32 = 100;

/// The address of the artifact with this number.
#[must_use]
pub fn uri(id: i64) -> String {
    format!("{PREFIX}{id}")
}

/// How addresses are made.
pub fn templates() -> Vec<ResourceTemplate> {
    let description = "A file that was linked with link_artifact.";
    vec![ResourceTemplate::new(format!("{PREFIX}{{artifact_id}}"), "artifact").with_description(description)]
}

/// A page of resources.
pub async fn list(services: &Services, cursor: Option<String>) -> Result<ListResourcesResult, ErrorData> {
    let after = match cursor {
        None => 0,
        Some(cursor) => cursor.parse().map_err(|_| {
            ErrorData::invalid_params("`cursor` is none that resources/list gave; leave it out to begin anew", None)
        })?,
    };
    let found = services.blocking(move |library| library.readable_artifacts(after, PAGE)).await;
    let (rows, next) = found.map_err(|error| failure(&error))?;
    let mut listed = ListResourcesResult::with_all_items(rows.iter().map(resource).collect());
    listed.next_cursor = next.map(|after| after.to_string());
    Ok(listed)
}

/// The content of a resource.
pub async fn read(services: &Services, uri: String) -> Result<ReadResourceResult, ErrorData> {
    let id = uri.strip_prefix(PREFIX).and_then(|digits| {
        // One address per resource.
        digits.parse::<i64>().ok().filter(|id| id.to_string() == digits)
    });
    let Some(id) = id else {
        let shown: String = uri.chars().take(100).collect();
        let message = format!("there is no resource `{shown}`; resources/list shows what there is");
        return Err(ErrorData::resource_not_found(message, Some(json!({"uri": shown}))));
    };
    let read = services.blocking(move |library| library.read_artifact(id)).await;
    let (row, content) = read.map_err(|error| failure(&error))?;
    let mime = mime_of(&row);
    let contents = match String::from_utf8(content) {
        Ok(text) => ResourceContents::text(text, uri).with_mime_type(mime.unwrap_or_else(|| "text/plain".to_owned())),
        Err(binary) => ResourceContents::blob(BASE64_STANDARD.encode(binary.as_bytes()), uri)
            .with_mime_type(mime.unwrap_or_else(|| "application/octet-stream".to_owned())),
    };
    Ok(ReadResourceResult::new(vec![contents]))
}

fn resource(row: &LinkedArtifact) -> Resource {
    let name = row.location.rsplit(['/', std::path::MAIN_SEPARATOR]).next().unwrap_or_default();
    let resource = Resource::new(uri(row.id), name)
        .with_description(format!("{} of {} {}", row.kind, row.memory_type, row.memory_id));
    let resource = match mime_of(row) {
        Some(mime) => resource.with_mime_type(mime),
        None => resource,
    };
    match row.size_bytes {
        Some(size) => resource.with_size(size),
        None => resource,
    }
}

fn mime_of(row: &LinkedArtifact) -> Option<String> {
    mime_guess::from_path(&row.location).first().map(|mime| mime.essence_str().to_owned())
}

fn failure(error: &LibraryError) -> ErrorData {
    let data = Some(json!({"error_code": error.code()}));
    match (error, error.kind()) {
        (LibraryError::ArtifactNotFound(_), _) => ErrorData::resource_not_found(error.in_full(), data),
        (_, ErrorKind::Setup | ErrorKind::Environment | ErrorKind::Internal) => {
            ErrorData::internal_error(error.in_full(), data)
        }
        (_, ErrorKind::Caller | ErrorKind::Conflict | ErrorKind::Denied) => {
            ErrorData::invalid_params(error.in_full(), data)
        }
    }
}
