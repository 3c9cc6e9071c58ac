//! Holding code to the examples of its definition, before it becomes what a procedure is.
//!
//! Who changes a procedure here is told which examples the new version contradicts, and nothing is changed. What somebody
//! else committed is in the history already: it is a version, and the procedure stays as it was before. That code may have to
//! be executed is why nobody waits for the database meanwhile.

use std::{fmt::Write as _, sync::Arc};

use crate::{
    config::Config,
    domain::{Definition, FailingExample, Procedure, example::Verdict},
    library::LibraryError,
};

/// What is said of a version that nobody had the time to try.
pub const UNTRIED: &str = "has code whose examples were not tried yet";
/// Failing examples that a sentence names.
const NAMED: usize = 2;

/// Code and the definition whose examples it is held to.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    pub definition: Definition,
    pub code: String,
    /// The packages that it needs.
    pub lock: Option<String>,
}

/// Executes code with examples. Blocks.
pub trait Trier: Send + Sync {
    /// What each example of the definition says of the code, in their order.
    ///
    /// # Errors
    /// When nothing can be executed at all.
    fn try_examples(&self, trial: &Trial, config: &Arc<Config>) -> Result<Vec<Verdict>, LibraryError>;
}

impl Trial {
    /// What has to be tried before a procedure becomes this; nothing where what is executed stays as it is.
    pub fn needed(
        before: Option<&Procedure>,
        definition: &Definition,
        code: Option<&str>,
        lock: Option<&str>,
    ) -> Option<Self> {
        let code = code.filter(|_| !definition.examples.is_empty())?;
        let stays = |row: &Procedure| {
            let was = &row.definition;
            row.code.as_deref() == Some(code)
                && row.lock.as_deref() == lock
                && was.runtime == definition.runtime
                && was.parameters == definition.parameters
                && was.examples == definition.examples
        };
        let is_known = before.is_some_and(|row| row.deleted_at.is_none() && stays(row));
        (!is_known).then(|| Self {
            definition: definition.clone(),
            code: code.to_owned(),
            lock: lock.map(str::to_owned),
        })
    }

    /// The examples that the code contradicts.
    #[must_use]
    pub fn failing(&self, verdicts: Vec<Verdict>) -> Vec<FailingExample> {
        let numbered = self.definition.examples.iter().zip(verdicts).zip(1..);
        let failing = numbered.filter_map(|((example, verdict), number)| match verdict {
            Verdict::Failed { expected, got } => {
                let parameters = serde_json::json!(example.parameters);
                let parameters = crate::domain::example::short(&parameters);
                Some(FailingExample { example: number, parameters, expected, got })
            }
            Verdict::Passed | Verdict::Untried(_) => None,
        });
        failing.collect()
    }
}

/// Whether that is all that is said of a version.
pub fn is_untried(reason: &str) -> bool {
    reason == UNTRIED
}

/// Failing examples in a sentence.
pub fn told(failing: &[FailingExample]) -> String {
    let mut text: String = failing.iter().take(NAMED).map(ToString::to_string).collect::<Vec<_>>().join("; ");
    if let Some(more) = failing.len().checked_sub(NAMED).filter(|more| *more > 0) {
        let _ = write!(text, "; and {more} more");
    }
    text
}

/// What is left of the confidence in code that contradicts some of the examples that there are.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "at most a hundred examples")]
pub fn confidence_left(confidence: f64, failing: usize, examples: usize) -> f64 {
    confidence * (1.0 - 0.5 * failing as f64 / examples.max(1) as f64)
}
