//! What somebody decides about a run that waits, and who that is.

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

/// Who decides, with their name for the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decider {
    /// Certainly a person: they were asked by their client, or sit at a terminal.
    Person(String),
    /// An agent, or somebody of whom no more is known than that a program speaks for them.
    Agent(String),
    /// Nobody did, in time.
    Nobody,
}

impl Decider {
    /// The name that is recorded.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Person(name) | Self::Agent(name) => name,
            Self::Nobody => "nobody",
        }
    }

    /// Whether a policy that wants a person is satisfied: what nobody decided was decided by no agent either.
    #[must_use]
    pub const fn satisfies_human_policy(&self) -> bool {
        !matches!(self, Self::Agent(_))
    }
}
