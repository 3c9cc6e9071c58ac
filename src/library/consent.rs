//! What wants a person's word, and whether it was given.
//!
//! A decision that is not about a run (on what was learned, or a version that no longer asks for approval) is made by a
//! call. Where the policy leaves decisions to people, the call of an agent is refused with a question; whoever can put
//! that before a person makes the call again with what they agreed to. The word counts for that question alone.

use super::{Library, LibraryError};
use crate::{config::Approvals, domain::Decider};

/// In whose hands a call is.
#[derive(Debug, Clone)]
pub struct Actor {
    pub decider: Decider,
    /// Whether there is a way to ask a person.
    pub can_be_asked: bool,
    /// The question that a person said yes to.
    agreed: Option<String>,
    /// Whether code may become current that examples contradict.
    pub accepts_failing: bool,
}

impl Actor {
    /// Somebody who has asked nobody yet.
    #[must_use]
    pub const fn new(decider: Decider, can_be_asked: bool) -> Self {
        Self { decider, can_be_asked, agreed: None, accepts_failing: false }
    }

    /// The program itself, with what it changes by itself.
    #[must_use]
    pub const fn program() -> Self {
        Self::new(Decider::Nobody, false)
    }

    /// Somebody who has agreed to the question with this digest.
    #[must_use]
    pub const fn agreed(decider: Decider, digest: String) -> Self {
        Self { decider, can_be_asked: true, agreed: Some(digest), accepts_failing: false }
    }

    /// The same, who insists on code that examples contradict, or doesn't.
    #[must_use]
    pub const fn accepting_failing(mut self, accepts: bool) -> Self {
        self.accepts_failing = accepts;
        self
    }
}

/// What stands for a question where it was agreed to.
#[must_use]
pub fn digest(question: &str) -> String {
    blake3::hash(question.as_bytes()).to_hex().to_string()
}

impl Library {
    /// Whether `by` may decide `what`, of which `question` has all that a person needs to know.
    ///
    /// # Errors
    /// [`LibraryError::WantsPerson`] where only a person may, with how one does so at a terminal.
    pub(in crate::library) fn want_person(
        &self,
        by: &Actor,
        what: &str,
        question: String,
        how: impl FnOnce() -> String,
    ) -> Result<(), LibraryError> {
        let is_agreed = by.agreed.as_ref().is_some_and(|agreed| *agreed == digest(&question));
        if is_agreed || Approvals::of(self.config()?.approvals, by.can_be_asked) == Approvals::Client {
            return Ok(());
        }
        Err(LibraryError::WantsPerson { what: what.to_owned(), question, how: how() })
    }

    /// A text that says that a call of `tool` with these arguments was answered with a question, for a client that
    /// repeats the call with the answer.
    #[must_use]
    pub fn seal_consent(&self, tool: &str, arguments: &str, digest: &str) -> String {
        format!("consent.{digest}.{}", self.consent_seal(tool, arguments, digest))
    }

    /// The digest of the question that such a text names, where this home made it for the same call of the same user;
    /// `None` for a text of another kind.
    ///
    /// # Errors
    /// [`LibraryError::NotAsked`] for one that was made otherwise.
    pub fn open_consent(&self, tool: &str, arguments: &str, text: &str) -> Result<Option<String>, LibraryError> {
        let Some(rest) = text.strip_prefix("consent.") else { return Ok(None) };
        let not_asked = || LibraryError::NotAsked { tool: tool.chars().take(100).collect() };
        let (digest, given) = rest.split_once('.').ok_or_else(not_asked)?;
        let mine = self.consent_seal(tool, arguments, digest);
        // Both sides are hashed, so that comparing them takes no longer where more of the seal was guessed.
        let fits = blake3::hash(mine.as_bytes()) == blake3::hash(given.as_bytes());
        if fits { Ok(Some(digest.to_owned())) } else { Err(not_asked()) }
    }

    fn consent_seal(&self, tool: &str, arguments: &str, digest: &str) -> String {
        let parts = ["consent", tool, &self.user, arguments, digest].map(str::as_bytes);
        self.key.seal(&parts).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
