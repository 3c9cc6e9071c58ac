//! Lessons that somebody tells: what is in their words, and which of them say the same. Pure, without a model.
//!
//! [`rules`] judge one lesson, [`likeness`] finds its nearest among others, [`Told`] is what came in.

pub mod likeness;
pub mod phrases;
pub mod rules;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::{Parameter, Step, reading, secrets};

/// A lesson as it was told: words, and what of it was said field by field.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Told {
    #[serde(alias = "text", alias = "source_lesson")]
    pub lesson: String,
    #[serde(alias = "title", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub solution: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub anti_patterns: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
}

impl Told {
    /// A lesson as it comes from outside: a text, or an object with its fields.
    ///
    /// # Errors
    /// Which field is wrong, in the words of JSON.
    pub fn read(lesson: Value) -> Result<Self, String> {
        match lesson {
            Value::String(lesson) => Ok(Self { lesson, ..Self::default() }),
            lesson @ Value::Object(_) => serde_path_to_error::deserialize(lesson).map_err(|error| {
                let path = error.path().to_string();
                format!("`{path}`: {}", reading::plain(&error.into_inner().to_string()))
            }),
            _ => Err("it is no text and no object".to_owned()),
        }
    }

    /// All its words, for whoever reads or compares it.
    #[must_use]
    pub fn words(&self) -> String {
        let fields = [self.problem.as_deref(), self.solution.as_deref(), self.reasoning.as_deref()];
        let mut texts: Vec<&str> = Vec::new();
        for text in std::iter::once(self.lesson.as_str()).chain(fields.into_iter().flatten()) {
            let text = text.trim();
            if !text.is_empty() && !texts.contains(&text) {
                texts.push(text);
            }
        }
        texts.join("\n")
    }

    /// Whether problem and solution were said apart, so that nobody need tell what they are.
    #[must_use]
    pub fn is_structured(&self) -> bool {
        let said = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
        said(&self.problem) && (said(&self.solution) || !self.steps.is_empty())
    }

    /// The same without secrets.
    #[must_use]
    pub fn scrubbed(self) -> Self {
        let text = |text: String| secrets::scrubbed(&text);
        let texts = |all: Vec<String>| all.into_iter().map(text).collect();
        // Steps and parameters go through their JSON: secrets may stand anywhere in it.
        let steps = self.steps.iter().map(|step| serde_json::to_value(step).unwrap_or_default());
        let steps = steps.map(|step| serde_json::from_value(secrets::scrubbed_value(step)));
        let parameters = self.parameters.iter().map(|parameter| serde_json::to_value(parameter).unwrap_or_default());
        let parameters = parameters.map(|parameter| serde_json::from_value(secrets::scrubbed_value(parameter)));
        Self {
            lesson: text(self.lesson),
            name: self.name,
            problem: self.problem.map(text),
            solution: self.solution.map(text),
            reasoning: self.reasoning.map(text),
            anti_patterns: texts(self.anti_patterns),
            tags: self.tags,
            steps: steps.filter_map(Result::ok).collect(),
            parameters: parameters.filter_map(Result::ok).collect(),
        }
    }
}

/// What is made of a lesson.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It has not been judged yet.
    Waiting,
    /// A candidate.
    Candidate,
    /// It says what is known already.
    Twin,
    /// An observation, an opinion or a fact: nothing that can be done again.
    NotProcedural,
    /// A failure of the environment that passes says nothing about how things are done.
    PassingFailure,
}

impl Verdict {
    /// The word used in the database and in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Candidate => "candidate",
            Self::Twin => "twin",
            Self::NotProcedural => "not_procedural",
            Self::PassingFailure => "passing_failure",
        }
    }
}
