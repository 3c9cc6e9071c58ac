//! A figure counts only if what was measured succeeded.

use serde_json::Value;

use crate::cli::error::CliError;

pub fn expect_success(what: &str, answer: &Value) -> Result<(), CliError> {
    if answer["success"] == true {
        return Ok(());
    }
    Err(CliError::Other(format!("{what} failed: {}", answer["error"])))
}
