//! Reports of runs, under `repertoire://runs/<run id>`.

use rmcp::model::{ResourceContents, ResourceTemplate};

use super::json::as_json;
use crate::{
    domain::artifact::MemoryType,
    library::{LibraryError, Services},
    server::tools::get_run,
};

const PREFIX: &str = "repertoire://runs/";

/// How addresses are made. There is no list of them: `list_runs` has one that can be asked.
pub fn template() -> ResourceTemplate {
    ResourceTemplate::new(format!("{PREFIX}{{run_id}}"), "run")
        .with_title("Run")
        .with_description("The report of a run: how it stands, its steps, decisions and host calls.")
}

fn id_in(uri: &str) -> Option<String> {
    uri.strip_prefix(PREFIX).filter(|id| !id.is_empty() && !id.contains('/')).map(str::to_owned)
}

/// Whether this is the address of one.
#[must_use]
pub fn is_address(uri: &str) -> bool {
    id_in(uri).is_some()
}

/// The content of the one with this address; `None` where it is the address of something else.
pub async fn read(services: &Services, uri: &str) -> Option<Result<Vec<ResourceContents>, LibraryError>> {
    let id = id_in(uri)?;
    Some(content(services, uri, id).await)
}

async fn content(services: &Services, uri: &str, id: String) -> Result<Vec<ResourceContents>, LibraryError> {
    let view = services.engine().view(&id).await?;
    let artifacts = services.blocking(move |library| library.artifacts_of(MemoryType::Run, &id)).await?;
    let (result, output) = (view.run.result.clone(), view.run.output.clone());
    let report = get_run::Output::of(view, artifacts, true);
    let mut shown = serde_json::to_value(report)
        .map_err(|error| LibraryError::internal_because(format!("`{uri}` can't be written"), &error))?;
    if let Some(fields) = shown.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
        if let Some(result) = result.and_then(|result| serde_json::from_str(&result).ok()) {
            fields.insert("result".to_owned(), result);
        }
        if let Some(output) = output.filter(|output| !output.is_empty()) {
            fields.insert("output".to_owned(), output.into());
        }
    }
    Ok(vec![as_json(uri, &shown)?])
}

/// What shows whether it changed: where it stands, and how far it is.
pub async fn stamp(services: &Services, uri: &str) -> Option<String> {
    let view = services.engine().view(&id_in(uri)?).await.ok()?;
    Some(format!(
        "{} {} {:?} {:?}",
        view.run.status.as_str(),
        view.calls.len(),
        view.current_step,
        view.run.waiting_for
    ))
}
