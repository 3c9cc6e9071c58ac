//! Contents that are JSON.

use rmcp::model::ResourceContents;
use serde_json::Value;

use crate::library::LibraryError;

/// Indented, because people read it.
pub fn as_json(uri: &str, value: &Value) -> Result<ResourceContents, LibraryError> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| LibraryError::internal_because(format!("`{uri}` can't be written"), &error))?;
    Ok(ResourceContents::text(text, uri).with_mime_type("application/json"))
}
