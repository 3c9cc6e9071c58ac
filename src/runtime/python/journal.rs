//! What a session is restored from: what the code asked, and what it was answered, in order.
//!
//! One line of JSON per exchange, so that saving it writes only what is new. A question is kept as a digest, and as much of its text as
//! an error shows; an answer is kept whole.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::protocol::{Answer, Reading};
use crate::runtime::{RuntimeError, Saved};

/// A run whose answers are more than this can't be saved.
pub const MOST_BYTES: usize = 64 * 1024 * 1024;
/// How much of the arguments of a call an error shows.
const SHOWN_CHARS: usize = 400;

/// What the code asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// A call of a host function.
    Call {
        function: String,
        /// Its arguments, as far as they are shown.
        shown: String,
        /// A digest of all of it.
        digest: String,
    },
    /// It waits for the answers of these calls.
    Wait(Vec<u32>),
}

impl Question {
    /// A call.
    pub fn call(function: &str, args: &[Value], kwargs: &Map<String, Value>) -> Self {
        let mut text = String::new();
        for (index, argument) in args.iter().enumerate() {
            let _ = write!(text, "{}{argument}", if index > 0 { ", " } else { "" });
        }
        for (name, argument) in kwargs {
            let _ = write!(text, "{}{name}={argument}", if text.is_empty() { "" } else { ", " });
        }
        let digest = blake3::hash(text.as_bytes()).to_hex()[..32].to_owned();
        let shown = match text.char_indices().nth(SHOWN_CHARS) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        };
        Self::Call { function: function.to_owned(), shown, digest }
    }

    fn text(&self) -> String {
        match self {
            Self::Call { function, shown, .. } => format!("`{function}({shown})`"),
            Self::Wait(calls) => {
                let calls: Vec<String> = calls.iter().map(ToString::to_string).collect();
                format!("waited for its calls {}", calls.join(", "))
            }
        }
    }
}

/// An exchange. What the code waits at has no answer yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    pub question: Question,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// What was read of the clock before the question.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<Reading>,
}

/// What makes everything that looks random the same again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seeds {
    pub hashes: u32,
    /// 32 bytes in hexadecimal digits.
    pub random: String,
}

/// What was said so far.
#[derive(Debug)]
pub struct Journal {
    /// A line for the seeds and one for each exchange that has an answer, and their ends.
    lines: String,
    /// What the code waits at.
    pub waits_at: Option<Exchange>,
}

impl Journal {
    /// Nothing was said.
    ///
    /// # Errors
    /// [`RuntimeError::Crashed`] where the seeds can't be written.
    pub fn new(seeds: &Seeds) -> Result<Self, RuntimeError> {
        let mut journal = Self { lines: String::new(), waits_at: None };
        journal.add(seeds)?;
        Ok(journal)
    }

    /// What is said now was said before: what was saved of it stays as it was written.
    pub fn replayed(&mut self, mut lines: String) {
        // What it waits at is behind the last end of a line.
        lines.truncate(lines.rfind('\n').map_or(0, |end| end + 1));
        self.lines = lines;
    }

    /// Adds the answer to what the code waits at.
    ///
    /// # Errors
    /// [`RuntimeError::Crashed`] where the code waits at nothing.
    pub fn answer(&mut self, answer: Answer) -> Result<(), RuntimeError> {
        let mut exchange = self.waits_at.take().ok_or_else(|| broken("the code asked nothing"))?;
        exchange.answer = Some(answer);
        self.add(&exchange)
    }

    fn add(&mut self, line: &impl Serialize) -> Result<(), RuntimeError> {
        self.lines.push_str(&serde_json::to_string(line).map_err(broken)?);
        self.lines.push('\n');
        Ok(())
    }

    /// All of it behind the first `known` bytes.
    ///
    /// # Errors
    /// [`RuntimeError::Journal`] where it is too long to be saved.
    pub fn save(&self, known: usize) -> Result<Saved, RuntimeError> {
        if self.lines.len() > MOST_BYTES {
            let message = format!(
                "its calls were answered with {} MiB, and at most {} MiB can be kept to go on from",
                self.lines.len() >> 20,
                MOST_BYTES >> 20
            );
            return Err(RuntimeError::Journal(message));
        }
        let grown = self.lines.as_bytes().get(known..).ok_or_else(|| broken("it is longer than what was said"))?;
        Ok(Saved { grown: grown.to_vec(), rest: serde_json::to_vec(&self.waits_at).map_err(broken)? })
    }

    /// What was saved: the journal without its exchanges, and those, the one without an answer last.
    ///
    /// # Errors
    /// [`RuntimeError::Crashed`] where it was not saved by this.
    pub fn read(saved: &[u8]) -> Result<(Seeds, Vec<Exchange>), RuntimeError> {
        let text = std::str::from_utf8(saved).map_err(broken)?;
        let (head, lines) = text.split_once('\n').ok_or_else(|| broken("it has no lines"))?;
        let seeds = serde_json::from_str(head).map_err(broken)?;
        let exchanges: Result<Vec<Exchange>, _> = lines.split('\n').map(serde_json::from_str).collect();
        Ok((seeds, exchanges.map_err(broken)?))
    }
}

/// The error for code that asks something else than it did before.
pub fn differs(number: usize, before: &Question, now: Option<&Question>) -> RuntimeError {
    let before = before.text();
    let now =
        now.map_or_else(|| "it ended without a call".to_owned(), |question| format!("it was {}", question.text()));
    RuntimeError::Nondeterministic(format!(
        "executed again to go on, the code did not call what it had called before: call {number} was {before}, and now \
         {now}. Code must call the same in the same order: take what may differ (files, other processes, the order of a \
         set, `secrets`) from host functions, whose answers are kept"
    ))
}

fn broken(why: impl std::fmt::Display) -> RuntimeError {
    RuntimeError::Crashed(format!("the saved state can't be used: {why}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn question(word: &str) -> Question {
        Question::call("run_command", &[json!(["echo", word])], &Map::from_iter([("check".to_owned(), json!(true))]))
    }

    fn exchange(question: Question, answer: Option<Answer>) -> Exchange {
        Exchange { question, answer, reads: vec![(1_700_000_000_000, 2)] }
    }

    #[test]
    fn what_is_saved_is_read_back() {
        let seeds = Seeds { hashes: 7, random: "00".repeat(32) };
        let mut journal = Journal::new(&seeds).unwrap();
        let begun = journal.save(0).unwrap();
        let first = exchange(question("line\none"), None);
        journal.waits_at = Some(first.clone());
        let answer = Answer::Value(json!({"text": "a\nb", "number": 1.5}));
        journal.answer(answer.clone()).unwrap();
        let last = exchange(Question::Wait(vec![2, 3]), None);
        journal.waits_at = Some(last.clone());
        let saved = journal.save(begun.grown.len()).unwrap();
        let whole = [begun.grown, saved.grown, saved.rest].concat();
        let (read, exchanges) = Journal::read(&whole).unwrap();
        assert_eq!(read, seeds);
        assert_eq!(exchanges, [Exchange { answer: Some(answer), ..first }, last]);
        // Whoever goes on from that has it as it was.
        let mut restored = Journal::new(&seeds).unwrap();
        restored.replayed(String::from_utf8(whole).unwrap());
        restored.waits_at.clone_from(&journal.waits_at);
        assert_eq!(restored.save(0).unwrap(), journal.save(0).unwrap());
        assert!(restored.save(usize::MAX).is_err());
        assert!(Journal::read(b"{}").is_err() && Journal::read(b"\xff").is_err());
    }

    #[test]
    fn an_answer_needs_a_question() {
        let mut journal = Journal::new(&Seeds { hashes: 0, random: String::new() }).unwrap();
        assert!(journal.answer(Answer::Promise).is_err());
    }

    #[test]
    fn long_arguments_are_told_apart_beyond_what_is_shown() {
        let long = |last: &str| question(&format!("{}{last}", "x".repeat(2 * SHOWN_CHARS)));
        let (Question::Call { shown: one, .. }, Question::Call { shown: other, .. }) = (long("a"), long("b")) else {
            panic!("calls")
        };
        assert_eq!(one, other);
        assert_ne!(long("a"), long("b"));
    }

    #[test]
    fn both_calls_are_shown() {
        let RuntimeError::Nondeterministic(message) = differs(2, &question("a"), Some(&question("b"))) else {
            panic!("another error")
        };
        for part in ["call 2 was", r#"`run_command(["echo","a"], check=true)`"#, r#"["echo","b"]"#] {
            assert!(message.contains(part), "{message}");
        }
    }
}
