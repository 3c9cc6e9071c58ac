//! A procedure's definition: everything about it but its code.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Example, Parameter, Permissions, ProcedureName, RuntimeKind, Step, Trigger, VersionNumber};

/// What a procedure is, as it is kept in `procedure.json`. Field order is the file's key order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// The identity that travels between machines.
    pub name: ProcedureName,
    /// What it was called, oldest first: each stays an alias.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_names: Vec<ProcedureName>,
    /// What it does and when to use it.
    #[serde(default)]
    pub description: String,
    /// A slug that groups procedures; also the folder in git.
    pub category: String,
    /// Free labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// What to do, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// What a caller passes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
    /// A text with `{{variables}}` that the procedure renders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Calls that show how it is used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<Example>,
    /// What must hold before it runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preconditions: Vec<String>,
    /// What holds after it ran.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub postconditions: Vec<String>,
    /// Situations in which it helps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applicable_contexts: Vec<String>,
    /// What calls for it, beside a caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
    /// What it may touch. Absent: whatever the policy allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Permissions>,
    /// What executes its code.
    #[serde(default, skip_serializing_if = "RuntimeKind::is_default")]
    pub runtime: RuntimeKind,
    /// Where it stands in its life.
    #[serde(default)]
    pub status: Status,
    /// A disabled procedure is kept but not executed.
    #[serde(default = "enabled_by_default")]
    pub enabled: bool,
    /// Whether it is to stay as it is: nothing that is learned is proposed for it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub pinned: bool,
    /// Whose it is; without an owner it is everybody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Whether others may read and run it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_shared: bool,
    /// Who made it.
    #[serde(default)]
    pub created_by: CreatedBy,
    /// The problem it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// How it answers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solution: Option<String>,
    /// Why that works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// What was tried and should not be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub anti_patterns: Vec<String>,
    /// The session it was learned in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_session: Option<String>,
    /// The lesson it was learned from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_lesson: Option<String>,
    /// An emoji or icon name for lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// A colour for lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// The files that travel with it: the id of their folder, which stands beside `procedure.json` as `files`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<String>,
}

const fn enabled_by_default() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl Definition {
    /// Notes a name that it had. The one that it has now is no alias.
    pub fn was_called(&mut self, name: &ProcedureName) {
        self.former_names.retain(|former| former != name && *former != self.name);
        if *name != self.name {
            self.former_names.push(name.clone());
        }
    }

    /// Whether `user` may change and remove it.
    #[must_use]
    pub fn may_be_changed_by(&self, user: &str) -> bool {
        self.owner.as_deref().is_none_or(|owner| owner == user)
    }

    /// Whether `user` may read and run it. To others it is not there.
    #[must_use]
    pub fn may_be_read_by(&self, user: &str) -> bool {
        self.is_shared || self.may_be_changed_by(user)
    }

    /// Whether it counts among the procedures of `user`: what nobody owns does, unless it is there to be shared.
    #[must_use]
    pub fn is_own_of(&self, user: &str) -> bool {
        self.may_be_changed_by(user) && !self.is_template()
    }

    /// Whether it is there to be cloned: what nobody owns and all share starts by no trigger.
    #[must_use]
    pub const fn is_template(&self) -> bool {
        self.owner.is_none() && self.is_shared
    }
}

/// Where a procedure stands in its life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Status {
    /// Proposed, waiting for review.
    Candidate,
    /// In use.
    #[default]
    Active,
    /// Kept for the record; not recalled.
    Archived,
}

impl Status {
    /// The word used in the database and in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Active => "active",
            Self::Archived => "archived",
        }
    }
}

/// Who made a procedure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum CreatedBy {
    /// A person or an agent, on purpose.
    #[default]
    User,
    /// Learned from experience.
    Learned,
    /// Shipped with the program or brought from elsewhere.
    Imported,
}

/// One procedure as the index knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Procedure {
    /// The local handle.
    pub id: i64,
    /// Its current definition.
    pub definition: Definition,
    /// Its current code.
    pub code: Option<String>,
    /// The packages of this code, each in one version, where it needs any.
    pub lock: Option<String>,
    /// Its current version.
    pub version: VersionNumber,
    /// The version that brought the current code.
    pub code_version: Option<VersionNumber>,
    /// What the checks gave the current code.
    pub code_prior: Option<f64>,
    /// Confidence in the current code: the prior, moved by the outcomes of its runs.
    pub code_confidence: Option<f64>,
    /// Seconds since 1970.
    pub created_at: i64,
    /// Seconds since 1970.
    pub updated_at: i64,
    /// Seconds since 1970; set when the procedure was removed.
    pub deleted_at: Option<i64>,
    /// Executions that succeeded.
    pub successes: u64,
    /// Executions that failed.
    pub failures: u64,
    /// Executions that were started.
    pub uses: u64,
    /// Start of the latest, in milliseconds since 1970.
    pub last_run_at: Option<i64>,
    /// Whether anybody linked something to it.
    pub has_artifacts: bool,
    /// Whether its newest commit is no version of it: it is as it was before.
    pub is_broken: bool,
}

impl Procedure {
    /// Share of finished executions that succeeded; `None` before the first.
    #[must_use]
    pub fn success_rate(&self) -> Option<f64> {
        let finished = self.successes + self.failures;
        #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
        (finished > 0).then(|| self.successes as f64 / finished as f64)
    }
}

/// What a procedure has to have done to be shown as a tool of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Earned {
    pub confidence: f64,
    /// Executions that ended, well or not.
    pub executions: u32,
}

/// Which procedures to list.
#[derive(Debug, Clone, Default)]
pub struct ProcedureFilter<'a> {
    pub category: Option<&'a str>,
    pub tag: Option<&'a str>,
    pub status: Option<Status>,
    /// Only with at least this confidence, best first (otherwise the latest change comes first).
    pub min_confidence: Option<f64>,
    /// Only with a template.
    pub has_template: bool,
    /// Only enabled ones with code which are pinned, or have at least this confidence in it and at least so many finished
    /// executions; those used most first.
    pub earned: Option<Earned>,
    /// Only what this user may read.
    pub user: Option<&'a str>,
    /// Of that, only the user's own.
    pub own_only: bool,
}
