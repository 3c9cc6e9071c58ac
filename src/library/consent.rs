//! What wants a person's word, and whether it was given.
//!
//! A decision that is not about a run (on what was learned, or a version that no longer asks for approval) is made by a
//! call. Where the policy leaves decisions to people, the call of an agent is refused with a question; whoever can put
//! that before a person makes the call again with what they agreed to. The word counts for that question alone.

use super::{Library, LibraryError};
use crate::{
    config::Approvals,
    domain::{Asked, Decider},
};

/// What a person has said, as far as a call brings it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    /// Nothing yet.
    None,
    /// Yes to the question with this digest.
    Agreed(String),
    /// What to do with a candidate, of which they saw what has this digest.
    Decided(String),
    /// The same, and it was seen to be so: nothing of it is left to ask.
    Given,
}

/// The words with which texts begin that stand for questions.
const CONSENT: &str = "consent";
const REVIEW: &str = "review";

/// A question that a call was answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// Whether the user agrees to the question with this digest.
    Agreement(String),
    /// What becomes of a candidate, of which what was shown has this digest.
    Review(String),
}

/// In whose hands a call is.
#[derive(Debug, Clone)]
pub struct Actor {
    pub decider: Decider,
    /// Whether there is a way to ask a person.
    pub can_be_asked: bool,
    word: Word,
    /// Whether code may become current that examples contradict.
    pub accepts_failing: bool,
}

impl Actor {
    /// Somebody who has asked nobody yet.
    #[must_use]
    pub const fn new(decider: Decider, can_be_asked: bool) -> Self {
        Self { decider, can_be_asked, word: Word::None, accepts_failing: false }
    }

    /// The program itself, with what it changes by itself.
    #[must_use]
    pub const fn program() -> Self {
        Self::new(Decider::Nobody, false)
    }

    /// Somebody who has agreed to the question with this digest.
    #[must_use]
    pub const fn agreed(decider: Decider, digest: String) -> Self {
        Self { decider, can_be_asked: true, word: Word::Agreed(digest), accepts_failing: false }
    }

    /// A person who says what becomes of a candidate, of which they saw what has this digest.
    #[must_use]
    pub const fn deciding(decider: Decider, digest: String) -> Self {
        Self { decider, can_be_asked: true, word: Word::Decided(digest), accepts_failing: false }
    }

    /// The digest of what they saw of the candidate that they decide on.
    pub(in crate::library) fn saw(&self) -> Option<&str> {
        match &self.word {
            Word::Decided(digest) => Some(digest),
            _ => None,
        }
    }

    /// The same, whose word on what is to be done is beyond doubt.
    pub(in crate::library) fn believed(&self) -> Self {
        Self { word: Word::Given, ..self.clone() }
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
        let has_word = match &by.word {
            Word::None | Word::Decided(_) => false,
            Word::Agreed(agreed) => *agreed == digest(&question),
            Word::Given => true,
        };
        if has_word || Approvals::of(self.config()?.approvals, by.can_be_asked) == Approvals::Client {
            return Ok(());
        }
        Err(LibraryError::WantsPerson { what: what.to_owned(), question, how: how(), asked: Asked::ToAgree })
    }

    /// A text that says that a call of `tool` with these arguments was answered with a question, for a client that
    /// repeats the call with the answer.
    #[must_use]
    pub fn seal_consent(&self, tool: &str, arguments: &str, question: &str, asked: &Asked) -> String {
        let (kind, digest) = match asked {
            Asked::ToAgree => (CONSENT, &digest(question)),
            Asked::ToReview { shown, .. } => (REVIEW, shown),
        };
        format!("{kind}.{digest}.{}", self.consent_seal(kind, tool, arguments, digest))
    }

    /// The question that such a text names, where this home made it for the same call of the same user; `None` for a text of
    /// another kind.
    ///
    /// # Errors
    /// [`LibraryError::NotAsked`] for one that was made otherwise.
    pub fn open_consent(&self, tool: &str, arguments: &str, text: &str) -> Result<Option<Opened>, LibraryError> {
        let Some((kind @ (CONSENT | REVIEW), rest)) = text.split_once('.') else { return Ok(None) };
        let not_asked = || LibraryError::NotAsked { tool: tool.chars().take(100).collect() };
        let (digest, given) = rest.split_once('.').ok_or_else(not_asked)?;
        let mine = self.consent_seal(kind, tool, arguments, digest);
        // Both sides are hashed, so that comparing them takes no longer where more of the seal was guessed.
        if blake3::hash(mine.as_bytes()) != blake3::hash(given.as_bytes()) {
            return Err(not_asked());
        }
        let digest = digest.to_owned();
        Ok(Some(if kind == REVIEW { Opened::Review(digest) } else { Opened::Agreement(digest) }))
    }

    fn consent_seal(&self, kind: &str, tool: &str, arguments: &str, digest: &str) -> String {
        let parts = [kind, tool, &self.user, arguments, digest].map(str::as_bytes);
        self.key.seal(&parts).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
