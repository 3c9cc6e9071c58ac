//! Who decides, and what they are asked.

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

    /// Whether an agent did, which is said wherever the decision is shown. A policy that wants a person is not satisfied
    /// then; what nobody decided was decided by no agent either.
    #[must_use]
    pub const fn is_agent(&self) -> bool {
        matches!(self, Self::Agent(_))
    }
}

/// What a person is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Whether they agree.
    ToAgree,
    /// What becomes of a candidate.
    ToReview {
        /// The digest of what they are shown of it.
        shown: String,
        /// Whether there is another that it could become a part of.
        can_merge: bool,
    },
}
