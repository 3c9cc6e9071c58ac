//! What a prompt is, and what it is asked with.

use futures_util::future::BoxFuture;
use rmcp::{ErrorData, model::JsonObject};
use serde_json::Value;

use crate::{
    domain::Hinted as _,
    library::{LibraryError, ProcedureRef, Services},
};

/// The argument that names a procedure.
pub const PROCEDURE: &str = "procedure_id";

/// A prompt that is always there.
pub struct OwnPrompt {
    pub name: &'static str,
    pub title: &'static str,
    pub description: &'static str,
    /// Name, what it is for, and whether it must be given.
    pub arguments: &'static [(&'static str, &'static str, bool)],
    pub text: for<'a> fn(&'a Services, Arguments) -> BoxFuture<'a, Result<String, ErrorData>>,
}

/// What a prompt is asked with.
pub struct Arguments {
    pub prompt: String,
    pub given: JsonObject,
}

impl Arguments {
    /// The procedure that is named.
    pub fn procedure(&self) -> Result<ProcedureRef, ErrorData> {
        match self.given.get(PROCEDURE) {
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(ProcedureRef::from(text.trim())),
            Some(Value::Number(number)) if number.is_i64() => Ok(ProcedureRef::Id(number.as_i64().unwrap_or_default())),
            _ => {
                let message = format!("`{}` needs `{PROCEDURE}`, the number or name of a procedure", self.prompt);
                Err(ErrorData::invalid_params(message, None))
            }
        }
    }

    /// A text that may be left out.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.given.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
    }
}

pub fn failure(error: &LibraryError) -> ErrorData {
    ErrorData::invalid_params(error.in_full(), None)
}
