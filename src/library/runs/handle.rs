//! Naming an open question to somebody who is not trusted with more than giving the name back.

use super::gate::QuestionId;
use crate::{
    domain::RunId,
    library::{Library, home::Key},
};

/// A question of a run, and the tool whose call asked it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handle {
    /// The run at the root of its tree.
    pub run_id: RunId,
    pub question: QuestionId,
}

impl Handle {
    /// As text, for the calls of `tool` by `user`.
    fn seal(&self, key: &Key, tool: &str, user: &str) -> String {
        let Self { run_id, question } = self;
        let sequence = question.sequence.to_le_bytes();
        let parts: [&[u8]; 6] =
            [b"question", tool.as_bytes(), user.as_bytes(), run_id.as_bytes(), question.run_id.as_bytes(), &sequence];
        let seal: String = key.seal(&parts).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{run_id}.{}.{}.{seal}", question.run_id, question.sequence)
    }

    fn open(key: &Key, tool: &str, user: &str, text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (run_id, asking, sequence, _seal) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let question = QuestionId { run_id: asking.to_owned(), sequence: sequence.parse().ok()? };
        let handle = Self { run_id: run_id.to_owned(), question };
        // Both sides are hashed, so that comparing them takes no longer where more of the seal was guessed.
        let (mine, given) = (handle.seal(key, tool, user), text);
        (blake3::hash(mine.as_bytes()) == blake3::hash(given.as_bytes())).then_some(handle)
    }
}

impl Library {
    /// A text that names a question, to be given back by the client that was asked by a call of `tool`.
    #[must_use]
    pub fn seal_question(&self, tool: &str, handle: &Handle) -> String {
        handle.seal(&self.key, tool, &self.user)
    }

    /// The question that a text names, where this home has made it for a call of `tool` by the same user.
    #[must_use]
    pub fn open_question(&self, tool: &str, text: &str) -> Option<Handle> {
        Handle::open(&self.key, tool, &self.user, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_sealed_here_for_the_same_call_is_opened() {
        let home = tempfile::tempdir().unwrap();
        let (key, _) = Key::open(home.path()).unwrap();
        let question = QuestionId { run_id: "inner".to_owned(), sequence: 3 };
        let handle = Handle { run_id: "outer".to_owned(), question };
        let text = handle.seal(&key, "execute_procedure", "me");
        assert_eq!(Handle::open(&key, "execute_procedure", "me", &text), Some(handle.clone()));
        assert_eq!(Handle::open(&key, "resume_run", "me", &text), None);
        assert_eq!(Handle::open(&key, "execute_procedure", "you", &text), None);
        let forged =
            [text.replace(".3.", ".4."), text.replace("outer", "other"), format!("{text}.x"), text[1..].to_owned()];
        for text in forged.iter().map(String::as_str).chain(["", "...", "outer.inner.3."]) {
            assert_eq!(Handle::open(&key, "execute_procedure", "me", text), None, "{text}");
        }
        let other = tempfile::tempdir().unwrap();
        let (other, _) = Key::open(other.path()).unwrap();
        assert_eq!(Handle::open(&other, "execute_procedure", "me", &text), None);
    }
}
