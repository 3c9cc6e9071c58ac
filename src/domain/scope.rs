//! What a memory belongs to: a workflow, one run of it, one node of that run. Each lies within the one before.
//!
//! User and tenant are not here: they come from the process, never from a caller.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Hinted;

/// Longest name of a workflow, a run, a node or a branch.
pub const MAX_ID_BYTES: usize = 200;

/// Names, from the outermost to the innermost that is meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scope<'a> {
    pub workflow_id: Option<&'a str>,
    /// One run of the workflow.
    pub run_id: Option<&'a str>,
    /// One node of the run.
    pub node_id: Option<&'a str>,
}

/// How far a search goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Level {
    /// One node of a run.
    Node,
    /// One run.
    Run,
    /// One workflow.
    Workflow,
    /// Everything of the user's own.
    User,
    /// Everything in the store that the user may read.
    Tenant,
}

impl Level {
    /// The word used in calls.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Run => "run",
            Self::Workflow => "workflow",
            Self::User => "user",
            Self::Tenant => "tenant",
        }
    }
}

/// Why a scope makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// A part lacks what it lies in.
    #[error("`{inner}` needs `{outer}`")]
    Outer {
        /// What was given.
        inner: &'static str,
        /// What was not.
        outer: &'static str,
    },
    /// A search has no name to keep to.
    #[error("scope `{}` needs `{field}`", level.as_str())]
    Missing {
        /// How far the search was to go.
        level: Level,
        /// What was not given.
        field: &'static str,
    },
    /// A name is empty or blank.
    #[error("`{0}` is empty")]
    Empty(&'static str),
    /// A name is too long.
    #[error("`{field}` has {bytes} bytes, and at most {MAX_ID_BYTES} are allowed")]
    TooLong { field: &'static str, bytes: usize },
    /// A name has a character that can't be seen.
    #[error("`{field}` has the control character {character:?}")]
    Control { field: &'static str, character: char },
}

impl Hinted for ScopeError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::Outer { .. } => "say which one it belongs to",
            Self::Missing { .. } => "say which one is meant",
            Self::Empty(_) => "give it a name",
            Self::TooLong { .. } => "use a shorter name",
            Self::Control { .. } => "use letters, digits and punctuation",
        };
        Some(hint.into())
    }
}

impl<'a> Scope<'a> {
    /// How far a search goes, and the names that it keeps to: by default the innermost that is given, else `otherwise`.
    /// Names within the level are left out.
    ///
    /// # Errors
    /// [`ScopeError`] when a name is missing or can't be used.
    pub fn at(self, level: Option<Level>, otherwise: Level) -> Result<(Level, Scope<'a>), ScopeError> {
        self.check()?;
        let Self { workflow_id, run_id, node_id } = self;
        let level = level.unwrap_or(match (workflow_id, run_id, node_id) {
            (_, _, Some(_)) => Level::Node,
            (_, Some(_), _) => Level::Run,
            (Some(_), _, _) => Level::Workflow,
            _ => otherwise,
        });
        let need = |field, id: Option<&'a str>| id.map(Some).ok_or(ScopeError::Missing { level, field });
        let kept = match level {
            Level::User | Level::Tenant => Scope::default(),
            Level::Workflow => Scope { workflow_id: need("workflow_id", workflow_id)?, ..Scope::default() },
            Level::Run => {
                let workflow_id = need("workflow_id", workflow_id)?;
                Scope { workflow_id, run_id: need("run_id", run_id)?, node_id: None }
            }
            Level::Node => {
                let (workflow_id, run_id) = (need("workflow_id", workflow_id)?, need("run_id", run_id)?);
                Scope { workflow_id, run_id, node_id: need("node_id", node_id)? }
            }
        };
        Ok((level, kept))
    }

    /// Checks that every part lies in another and that the names can be used.
    ///
    /// # Errors
    /// [`ScopeError`] says which part is wrong.
    pub fn check(&self) -> Result<(), ScopeError> {
        let parts = [("workflow_id", self.workflow_id), ("run_id", self.run_id), ("node_id", self.node_id)];
        for pair in parts.windows(2) {
            if let [(outer, None), (inner, Some(_))] = *pair {
                return Err(ScopeError::Outer { inner, outer });
            }
        }
        parts.into_iter().try_for_each(|(field, id)| id.map_or(Ok(()), |id| check_id(field, id)))
    }
}

/// Checks a name that a caller made up; `field` is the argument that has it.
///
/// # Errors
/// [`ScopeError`].
pub fn check_id(field: &'static str, id: &str) -> Result<(), ScopeError> {
    if id.trim().is_empty() {
        return Err(ScopeError::Empty(field));
    }
    if id.len() > MAX_ID_BYTES {
        return Err(ScopeError::TooLong { field, bytes: id.len() });
    }
    match id.chars().find(|character| character.is_control()) {
        Some(character) => Err(ScopeError::Control { field, character }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_needs_the_one_around_it() {
        let (workflow_id, run_id, node_id) = (Some("w"), Some("r"), Some("n"));
        for scope in [
            Scope::default(),
            Scope { workflow_id, ..Scope::default() },
            Scope { workflow_id, run_id, ..Scope::default() },
            Scope { workflow_id, run_id, node_id },
        ] {
            assert_eq!(scope.check(), Ok(()), "{scope:?}");
        }
        let outer = |inner, outer| Err(ScopeError::Outer { inner, outer });
        assert_eq!(Scope { run_id, ..Scope::default() }.check(), outer("run_id", "workflow_id"));
        assert_eq!(Scope { workflow_id, node_id, ..Scope::default() }.check(), outer("node_id", "run_id"));
        assert_eq!(Scope { run_id, node_id, ..Scope::default() }.check(), outer("run_id", "workflow_id"));
    }

    #[test]
    fn a_search_keeps_to_the_names_that_its_level_needs() {
        let (workflow_id, run_id, node_id) = (Some("w"), Some("r"), Some("n"));
        let all = Scope { workflow_id, run_id, node_id };
        let run = Scope { node_id: None, ..all };
        let workflow = Scope { workflow_id, ..Scope::default() };
        assert_eq!(Scope::default().at(None, Level::Tenant), Ok((Level::Tenant, Scope::default())));
        assert_eq!(all.at(None, Level::Tenant), Ok((Level::Node, all)));
        assert_eq!(run.at(None, Level::Tenant), Ok((Level::Run, run)));
        assert_eq!(workflow.at(None, Level::User), Ok((Level::Workflow, workflow)));
        assert_eq!(all.at(Some(Level::Workflow), Level::User), Ok((Level::Workflow, workflow)));
        assert_eq!(all.at(Some(Level::User), Level::Tenant), Ok((Level::User, Scope::default())));
        let missing = |level, field| Err(ScopeError::Missing { level, field });
        assert_eq!(Scope::default().at(Some(Level::Node), Level::User), missing(Level::Node, "workflow_id"));
        assert_eq!(workflow.at(Some(Level::Run), Level::User), missing(Level::Run, "run_id"));
        assert_eq!(run.at(Some(Level::Node), Level::User), missing(Level::Node, "node_id"));
        assert!(Scope { run_id, ..Scope::default() }.at(Some(Level::User), Level::User).is_err());
    }

    #[test]
    fn names_are_short_and_can_be_seen() {
        assert_eq!(check_id("run_id", "Lauf 7 / größer: 日本"), Ok(()));
        assert_eq!(check_id("run_id", " \t"), Err(ScopeError::Empty("run_id")));
        assert_eq!(check_id("run_id", &"ü".repeat(101)), Err(ScopeError::TooLong { field: "run_id", bytes: 202 }));
        let control = ScopeError::Control { field: "run_id", character: '\n' };
        assert_eq!(control.in_full(), "`run_id` has the control character '\\n'; use letters, digits and punctuation");
        assert_eq!(check_id("run_id", "a\nb"), Err(control));
    }
}
