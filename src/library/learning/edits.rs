//! Words of a lesson that a reviewer changes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{domain::learning::Lesson, library::LibraryError};

/// Words of a lesson that a reviewer changes; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LessonEdits {
    problem: Option<String>,
    solution: Option<String>,
    reasoning: Option<String>,
    anti_patterns: Option<Vec<String>>,
    tags: Option<Vec<String>>,
}

impl LessonEdits {
    /// All that can be changed of a lesson, as it is.
    #[must_use]
    pub fn of(lesson: &Lesson) -> Self {
        Self {
            problem: Some(lesson.problem.clone()),
            solution: Some(lesson.solution.clone()),
            reasoning: Some(lesson.reasoning.clone()),
            anti_patterns: Some(lesson.anti_patterns.clone()),
            tags: Some(lesson.tags.clone()),
        }
    }

    /// Of these words, which may end with a line's end too many, those that differ from what there was.
    #[must_use]
    pub fn beside(self, before: &Self) -> Self {
        let text = |now: Option<String>, before: &Option<String>| {
            now.map(|text| text.trim_end().to_owned()).filter(|text| before.as_ref() != Some(text))
        };
        let list =
            |now: Option<Vec<String>>, before: &Option<Vec<String>>| now.filter(|list| before.as_ref() != Some(list));
        Self {
            problem: text(self.problem, &before.problem),
            solution: text(self.solution, &before.solution),
            reasoning: text(self.reasoning, &before.reasoning),
            anti_patterns: list(self.anti_patterns, &before.anti_patterns),
            tags: list(self.tags, &before.tags),
        }
    }

    /// Whether nothing is changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The lesson in these words.
pub(super) fn edited(lesson: &Lesson, edits: LessonEdits) -> Result<Lesson, LibraryError> {
    let LessonEdits { problem, solution, reasoning, anti_patterns, tags } = edits;
    let texts = [("problem", &problem), ("solution", &solution), ("reasoning", &reasoning)];
    if let Some((field, _)) = texts.iter().find(|(_, text)| text.as_ref().is_some_and(|text| text.trim().is_empty())) {
        return Err(LibraryError::invalid_with_hint(
            format!("`edits.{field}` is empty"),
            "leave it out to keep what it says",
        ));
    }
    let edited = Lesson {
        problem: problem.unwrap_or_else(|| lesson.problem.clone()),
        solution: solution.unwrap_or_else(|| lesson.solution.clone()),
        reasoning: reasoning.unwrap_or_else(|| lesson.reasoning.clone()),
        anti_patterns: anti_patterns.unwrap_or_else(|| lesson.anti_patterns.clone()),
        tags: tags.unwrap_or_else(|| lesson.tags.clone()),
        steps: lesson.steps.clone(),
    };
    if edited == *lesson {
        return Err(LibraryError::invalid_with_hint(
            "`edits` changes nothing",
            "pass what should be worded otherwise, or decide `approve`, `reject` or `skip`",
        ));
    }
    Ok(edited)
}
