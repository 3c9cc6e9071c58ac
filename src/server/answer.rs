//! What a tool answers, before it becomes a reply of the protocol.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::library::runs::Gate;

/// Fields that are in an answer also when nothing is known of what they stand for: null then. Others that say nothing are
/// left out.
pub const ALWAYS_TOLD: [&str; 3] = ["success_rate", "code_confidence", "avg_completion_time_ms"];

/// The answer of a tool.
pub trait Answer: Serialize + JsonSchema + Send {
    /// Whether a program goes on with it: then its structured content is never cut, only the text beside it.
    const WHOLE: bool = false;

    /// Its structured content. One that holds something large moves it there: a copy takes longer than the answer.
    ///
    /// # Errors
    /// When it can't be JSON.
    fn into_content(self) -> serde_json::Result<Value>
    where
        Self: Sized,
    {
        serde_json::to_value(self)
    }

    /// The error code, when the answer tells of something that went wrong.
    fn error_code(&self) -> Option<&'static str> {
        None
    }

    /// The run that it tells of, when that waits for the user to decide something.
    fn asked(&self) -> Option<(&str, &Gate)> {
        None
    }
}
