//! What somebody decides about a run that waits.

use serde_json::Value;

/// What somebody decides.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// It is done, or agreed to, with this value.
    Approve(Option<Value>),
    /// It won't be done; the code sees an exception with this reason.
    Reject(Option<String>),
    /// Nobody decided before it stopped waiting.
    Expire,
}

impl Decision {
    /// The word that is recorded.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Approve(_) => "approve",
            Self::Reject(_) => "reject",
            Self::Expire => "expired",
        }
    }
}
