//! Resources: what can be read by an address. One file per kind.

pub mod artifacts;
mod json;
mod procedures;
mod runs;

use rmcp::{
    ErrorData,
    model::{ListResourcesResult, ReadResourceResult, ResourceContents, ResourceTemplate},
};
use serde_json::json;

use crate::{
    domain::Hinted as _,
    library::{ErrorKind, LibraryError, Services},
    server::skills,
};

/// Resources in one answer.
const PAGE: u32 = 100;

/// How addresses are made.
pub fn templates() -> Vec<ResourceTemplate> {
    let mut templates = procedures::templates();
    templates.extend([runs::template(), artifacts::template()]);
    templates
}

/// Where a page of the list begins: procedures come first, then the same as skills, then linked files.
#[derive(Clone, Copy)]
enum Place {
    Procedures(u32),
    Skills(u32),
    Artifacts(i64),
}

impl Place {
    fn read(cursor: &str) -> Option<Self> {
        match cursor.split_once(':')? {
            ("procedures", offset) => offset.parse().ok().map(Self::Procedures),
            ("skills", offset) => offset.parse().ok().map(Self::Skills),
            ("artifacts", after) => after.parse().ok().map(Self::Artifacts),
            _ => None,
        }
    }

    fn cursor(self) -> String {
        match self {
            Self::Procedures(offset) => format!("procedures:{offset}"),
            Self::Skills(offset) => format!("skills:{offset}"),
            Self::Artifacts(after) => format!("artifacts:{after}"),
        }
    }
}

/// A page of resources.
pub async fn list(services: &Services, cursor: Option<String>) -> Result<ListResourcesResult, ErrorData> {
    let place = match cursor {
        None => Place::Procedures(0),
        Some(cursor) => Place::read(&cursor).ok_or_else(|| {
            ErrorData::invalid_params("`cursor` is none that resources/list gave; leave it out to begin anew", None)
        })?,
    };
    let page = async {
        let (mut listed, mut place) = (Vec::new(), Some(place));
        // A page that is not full has room for what comes after.
        while let Some(from) = place
            && listed.len() < PAGE as usize
        {
            let room = PAGE.saturating_sub(u32::try_from(listed.len()).unwrap_or(PAGE));
            let (more, next) = match from {
                Place::Procedures(offset) => {
                    let (more, next) = procedures::list(services, offset, room).await?;
                    (more, next.map_or(Place::Skills(0), Place::Procedures).into())
                }
                Place::Skills(offset) => {
                    let (more, next) = skills::resources(services, offset, room).await?;
                    (more, next.map_or(Place::Artifacts(0), Place::Skills).into())
                }
                Place::Artifacts(after) => {
                    let (more, next) = artifacts::list(services, after, room).await?;
                    (more, next.map(Place::Artifacts))
                }
            };
            listed.extend(more);
            place = next;
        }
        Ok((listed, place))
    };
    let (resources, next) = page.await.map_err(|error| failure(&error))?;
    let mut listed = ListResourcesResult::with_all_items(resources);
    listed.next_cursor = next.map(Place::cursor);
    Ok(listed)
}

/// The content of a resource.
pub async fn read(services: &Services, uri: &str) -> Result<ReadResourceResult, ErrorData> {
    let contents = contents(services, uri).await.ok_or_else(|| unknown(uri))?;
    contents.map(ReadResourceResult::new).map_err(|error| failure(&error))
}

async fn contents(services: &Services, uri: &str) -> Option<Result<Vec<ResourceContents>, LibraryError>> {
    if let Some(contents) = procedures::read(services, uri).await {
        return Some(contents);
    }
    if let Some(contents) = runs::read(services, uri).await {
        return Some(contents);
    }
    if let Some(contents) = skills::read(services, uri).await {
        return Some(contents);
    }
    artifacts::read(services, uri).await
}

/// What shows whether a resource changed since it was last looked at; `None` where there is no such resource.
pub async fn stamp(services: &Services, uri: &str) -> Option<String> {
    if let Some(stamp) = procedures::stamp(services, uri).await {
        return Some(stamp);
    }
    runs::stamp(services, uri).await
}

/// Whether there are resources of this kind, all of which can be followed.
#[must_use]
pub fn can_be_followed(uri: &str) -> bool {
    procedures::is_address(uri) || runs::is_address(uri)
}

/// # Errors
/// When a resource of this address can't be followed.
pub fn check_followed(uri: &str) -> Result<(), ErrorData> {
    if can_be_followed(uri) { Ok(()) } else { Err(unknown(uri)) }
}

fn unknown(uri: &str) -> ErrorData {
    let shown: String = uri.chars().take(100).collect();
    let message = format!("there is no resource `{shown}`; resources/list shows what there is");
    ErrorData::resource_not_found(message, Some(json!({"uri": shown})))
}

fn failure(error: &LibraryError) -> ErrorData {
    let data = Some(json!({"error_code": error.code()}));
    let is_missing = matches!(
        error,
        LibraryError::ArtifactNotFound(_)
            | LibraryError::ProcedureNotFound { .. }
            | LibraryError::ProcedureDeleted(_)
            | LibraryError::VersionNotFound { .. }
            | LibraryError::RunNotFound(_)
    );
    match error.kind() {
        _ if is_missing => ErrorData::resource_not_found(error.in_full(), data),
        ErrorKind::Setup | ErrorKind::Environment | ErrorKind::Internal => {
            ErrorData::internal_error(error.in_full(), data)
        }
        ErrorKind::Caller | ErrorKind::Conflict | ErrorKind::Denied => ErrorData::invalid_params(error.in_full(), data),
    }
}
