//! Linked files that lie in a granted directory, under `repertoire://artifacts/<number>`.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use rmcp::model::{Resource, ResourceContents, ResourceTemplate};

use crate::{
    domain::artifact::LinkedArtifact,
    library::{LibraryError, Services},
};

const PREFIX: &str = "repertoire://artifacts/";

/// The address of the artifact with this number.
#[must_use]
pub fn uri(id: i64) -> String {
    format!("{PREFIX}{id}")
}

/// How addresses are made.
pub fn template() -> ResourceTemplate {
    ResourceTemplate::new(format!("{PREFIX}{{artifact_id}}"), "artifact")
        .with_title("Linked file")
        .with_description("A file that was linked with link_artifact.")
}

/// A page of them, and where the next begins.
pub async fn list(services: &Services, after: i64, most: u32) -> Result<(Vec<Resource>, Option<i64>), LibraryError> {
    let (rows, next) = services.blocking(move |library| library.readable_artifacts(after, most)).await?;
    Ok((rows.iter().map(resource).collect(), next))
}

/// The content of the one with this address; `None` where it is the address of something else.
pub async fn read(services: &Services, uri: &str) -> Option<Result<Vec<ResourceContents>, LibraryError>> {
    // One address per resource.
    let digits = uri.strip_prefix(PREFIX)?;
    let id = digits.parse::<i64>().ok().filter(|id| id.to_string() == digits)?;
    Some(content(services, id, uri).await)
}

async fn content(services: &Services, id: i64, uri: &str) -> Result<Vec<ResourceContents>, LibraryError> {
    let (row, content) = services.blocking(move |library| library.read_artifact(id)).await?;
    let mime = mime_of(&row);
    Ok(vec![match String::from_utf8(content) {
        Ok(text) => ResourceContents::text(text, uri).with_mime_type(mime.unwrap_or_else(|| "text/plain".to_owned())),
        Err(binary) => ResourceContents::blob(BASE64_STANDARD.encode(binary.as_bytes()), uri)
            .with_mime_type(mime.unwrap_or_else(|| "application/octet-stream".to_owned())),
    }])
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
