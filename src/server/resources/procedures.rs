//! Procedures, under `repertoire://procedures/<name>`: definition and stats, and the code as it is; and as they were in each
//! version.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rmcp::model::{Resource, ResourceContents, ResourceTemplate};
use serde_json::{Value, json};

use super::json::as_json;
use crate::{
    domain::{Procedure, ProcedureFilter, Status, visible},
    library::{self, LibraryError, ProcedureRef, Services, VersionRef},
    server::{reply::window, tools::get_procedure_stats},
};

const PREFIX: &str = "repertoire://procedures/";
const VERSIONS: &str = "/versions/";
const CODE: &str = "text/x-python";
const MAX_DESCRIPTION_CHARS: usize = 200;
/// What stands in an address as it is.
const IN_ADDRESS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-').remove(b'.').remove(b'~');

/// The address of the procedure of this name.
#[must_use]
pub fn uri(name: &str) -> String {
    format!("{PREFIX}{}", utf8_percent_encode(name, IN_ADDRESS))
}

/// How addresses are made.
pub fn templates() -> Vec<ResourceTemplate> {
    vec![
        ResourceTemplate::new(format!("{PREFIX}{{name}}"), "procedure")
            .with_title("Procedure")
            .with_description("A procedure: definition, stats and code."),
        ResourceTemplate::new(format!("{PREFIX}{{name}}{VERSIONS}{{version}}"), "procedure_version")
            .with_title("Version of a procedure")
            .with_description("A procedure as it was in a version: definition and code."),
    ]
}

/// What an address leads to.
enum Address {
    Now(ProcedureRef),
    At(ProcedureRef, VersionRef),
}

impl Address {
    fn read(uri: &str) -> Option<Self> {
        let path = uri.strip_prefix(PREFIX)?;
        let decoded = |part: &str| {
            let text = percent_decode_str(part).decode_utf8().ok()?;
            (!text.is_empty() && !text.contains('/')).then(|| text.into_owned())
        };
        match path.split_once(VERSIONS) {
            // A name that looks like a number is a name all the same.
            None => decoded(path).map(|name| Self::Now(ProcedureRef::Name(name))),
            Some((name, version)) => {
                Some(Self::At(ProcedureRef::Name(decoded(name)?), VersionRef::Text(decoded(version)?)))
            }
        }
    }
}

/// Whether this is the address of one.
#[must_use]
pub fn is_address(uri: &str) -> bool {
    Address::read(uri).is_some()
}

/// A page of those in use, and where the next begins.
pub async fn list(services: &Services, offset: u32, most: u32) -> Result<(Vec<Resource>, Option<u32>), LibraryError> {
    let list = move |library: &library::Library| {
        let filter = ProcedureFilter { status: Some(Status::Active), ..ProcedureFilter::default() };
        library.list(&filter, most, offset)
    };
    let (rows, total) = services.blocking(list).await?;
    let end = offset.saturating_add(most);
    let next = (u64::from(end) < total && !rows.is_empty()).then_some(end);
    Ok((rows.iter().map(resource).collect(), next))
}

fn resource(row: &Procedure) -> Resource {
    let definition = &row.definition;
    let (description, _) = window(&definition.description, 0, MAX_DESCRIPTION_CHARS);
    let resource =
        Resource::new(uri(definition.name.as_str()), definition.name.to_string()).with_mime_type("application/json");
    if description.is_empty() { resource } else { resource.with_description(visible(&description)) }
}

/// The content of the one with this address; `None` where it is the address of something else.
pub async fn read(services: &Services, uri: &str) -> Option<Result<Vec<ResourceContents>, LibraryError>> {
    let address = Address::read(uri)?;
    Some(content(services, uri, address).await)
}

async fn content(services: &Services, uri: &str, address: Address) -> Result<Vec<ResourceContents>, LibraryError> {
    let (row, mut shown) = match address {
        Address::Now(wanted) => {
            let read = move |library: &library::Library| {
                let row = library.procedure(&wanted)?;
                let (_, stats) = library.stats(&ProcedureRef::Id(row.id))?;
                Ok((row, stats))
            };
            let (row, stats) = services.blocking(read).await?;
            let stats = serde_json::to_value(get_procedure_stats::Output::of(&row, stats)).unwrap_or_default();
            let shown = json!({"procedure_id": row.id, "version": row.version, "code_version": row.code_version,
                "code_confidence": row.code_confidence, "stats": stats});
            (row, shown)
        }
        Address::At(wanted, version) => {
            let row = services.blocking(move |library| library.procedure_at(&wanted, &version)).await?;
            let shown = json!({"procedure_id": row.id, "version": row.version});
            (row, shown)
        }
    };
    shown["definition"] = serde_json::to_value(&row.definition).unwrap_or(Value::Null);
    let mut contents = vec![as_json(uri, &shown)?];
    if let Some(code) = row.code {
        contents.push(ResourceContents::text(code, format!("{uri}#code")).with_mime_type(CODE));
    }
    Ok(contents)
}

/// What shows whether it changed: its version and what its runs came to.
pub async fn stamp(services: &Services, uri: &str) -> Option<String> {
    let Address::Now(wanted) = Address::read(uri)? else { return None };
    let row = services.blocking(move |library| library.procedure(&wanted)).await.ok()?;
    Some(format!("{} {} {} {}", row.version, row.uses, row.successes, row.failures))
}
