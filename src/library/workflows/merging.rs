//! Merging the states of branches where procedures are reducers too.
//!
//! What the built-in reducers do is in [`reducers`]; here they are chosen by name, and procedures are executed for the
//! fields that name them.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value};

use crate::{
    domain::{Hinted as _, Outcome, Procedure, Reducer, reducers, reducers::Merged},
    library::{LibraryError, ProcedureRef, Services, runs::Active},
    validation::{entry_name, entry_point},
};

/// Says that a reducer is a procedure, also where a built-in one has its name.
const PREFIX: &str = "procedure:";
/// The parameter that gets what the branches have.
const VALUES: &str = "values";
/// The parameter that gets the field's name, where the procedure has one.
const FIELD: &str = "field";
/// Each of them is a run of its own.
const MAX_PROCEDURE_FIELDS: usize = 100;

/// Which states become one, and how.
#[derive(Debug, Clone, Default)]
pub struct MergeRequest {
    /// In the order of the branches.
    pub states: Vec<Map<String, Value>>,
    /// The reducers of fields, by name.
    pub field_reducers: BTreeMap<String, String>,
    /// The reducer of the others.
    pub default_reducer: Option<String>,
}

/// A reducer that was found.
#[derive(Clone)]
enum Rule {
    BuiltIn(Reducer),
    Procedure(Arc<Custom>),
}

/// A procedure that reduces.
struct Custom {
    id: i64,
    name: String,
    takes_field: bool,
}

impl Rule {
    const fn built_in(&self) -> Option<Reducer> {
        match self {
            Self::BuiltIn(reducer) => Some(*reducer),
            Self::Procedure(_) => None,
        }
    }
}

impl Services {
    /// Makes one state of several. Procedures are executed one after the other, each for one field, after everything else
    /// has been merged; `active` lets the caller stop them. Without it nothing may be executed, and a procedure is
    /// refused.
    ///
    /// A procedure gets the parameter `values`, a list of what the branches have that is not null, in their order, and
    /// `field`, the field's name, where it takes that. What it returns is the merged value. It is not asked about a field
    /// that is null in all branches.
    ///
    /// # Errors
    /// [`LibraryError::Merge`], [`LibraryError::Argument`] when a reducer can't be used, [`LibraryError::Reducer`] when a
    /// procedure did not come to an end with a value.
    pub async fn merge_states(
        &self,
        request: MergeRequest,
        active: Option<&Active>,
    ) -> Result<Map<String, Value>, LibraryError> {
        let MergeRequest { states, field_reducers, default_reducer } = request;
        let mut rules: BTreeMap<String, Rule> = BTreeMap::new();
        for (field, name) in field_reducers {
            let rule = self.rule(&name, &format!("field_reducers.{field}"), active.is_some()).await?;
            rules.insert(field, rule);
        }
        let default = match default_reducer {
            Some(name) => self.rule(&name, "default_reducer", active.is_some()).await?,
            None => Rule::BuiltIn(Reducer::LastValue),
        };
        if let [_] = states[..] {
            return Ok(states.into_iter().next().unwrap_or_default());
        }
        let rule_of = |field: &str| rules.get(field).unwrap_or(&default);
        let fields = reducers::merge_fields(&states, |field| rule_of(field).built_in())?;
        let left = fields.iter().filter(|(_, merged)| matches!(merged, Merged::Left(_))).count();
        if left > MAX_PROCEDURE_FIELDS {
            return Err(LibraryError::invalid_with_hint(
                format!(
                    "the states were not merged: procedures would have to reduce {left} fields, and at most \
                     {MAX_PROCEDURE_FIELDS} are possible in one call"
                ),
                "give the others a built-in reducer",
            ));
        }
        let mut state = Map::new();
        for (field, merged) in fields {
            let value = match (merged, rule_of(field), active) {
                (Merged::Value(value), _, _) => value,
                (Merged::Left(values), Rule::Procedure(custom), Some(active)) if !values.is_empty() => {
                    // Boxed, because a run is large and would be moved with every caller's future.
                    Box::pin(self.reduce(custom, field, values, active)).await?
                }
                (Merged::Left(_), _, _) => Value::Null,
            };
            state.insert(field.to_owned(), value);
        }
        Ok(state)
    }

    /// The reducer of this name: a built-in one first.
    async fn rule(&self, name: &str, place: &str, may_execute: bool) -> Result<Rule, LibraryError> {
        if let Some(reducer) = Reducer::parse(name) {
            return Ok(Rule::BuiltIn(reducer));
        }
        let wanted = ProcedureRef::from(name.strip_prefix(PREFIX).unwrap_or(name).trim());
        let found = self.blocking(move |library| library.procedure(&wanted)).await;
        let row = match found {
            Err(LibraryError::ProcedureNotFound { .. }) if !name.starts_with(PREFIX) => {
                let known: Vec<&str> = Reducer::ALL.iter().map(|reducer| reducer.as_str()).collect();
                let known = known.join("`, `");
                return Err(LibraryError::invalid_with_hint(
                    format!("`{place}`: there is no reducer `{name}`"),
                    format!("use `{known}` or the name of a procedure"),
                ));
            }
            Err(error @ (LibraryError::ProcedureNotFound { .. } | LibraryError::ProcedureDeleted(_))) => {
                return Err(LibraryError::invalid_in(&format!("`{place}`"), &error));
            }
            other => other?,
        };
        if !may_execute {
            return Err(LibraryError::invalid_with_hint(
                format!(
                    "`{place}`: procedure `{}` can't be a reducer here, because this server is read-only and executes \
                     nothing",
                    row.definition.name
                ),
                "use a built-in reducer",
            ));
        }
        custom(row)
            .map(|custom| Rule::Procedure(Arc::new(custom)))
            .map_err(|(why, hint)| LibraryError::Argument { message: format!("`{place}`: {why}"), hint })
    }

    async fn reduce(
        &self,
        custom: &Custom,
        field: &str,
        values: Vec<&Value>,
        active: &Active,
    ) -> Result<Value, LibraryError> {
        let failed = |message: String| LibraryError::Reducer {
            field: field.to_owned(),
            procedure: custom.name.clone(),
            message,
        };
        let mut parameters = Map::new();
        parameters.insert(VALUES.to_owned(), values.into_iter().cloned().collect());
        if custom.takes_field {
            parameters.insert(FIELD.to_owned(), Value::String(field.to_owned()));
        }
        let executed = self.engine().execute(&ProcedureRef::Id(custom.id), parameters, active.clone()).await;
        let execution = executed.map_err(|error| failed(error.in_full()))?;
        match execution.outcome {
            Outcome::Success => Ok(execution.result.unwrap_or_default()),
            Outcome::Paused => {
                // Nobody would know what its answer is for.
                if let Err(error) = self.engine().cancel(&execution.run_id).await {
                    tracing::warn!(run = execution.run_id, %error, "the run of a reducer that paused was not cancelled");
                }
                let wanted = execution.waiting_for.unwrap_or_default();
                Err(failed(format!("it paused (\"{wanted}\") and was cancelled; a reducer has to end by itself")))
            }
            _ => {
                let why = execution.error.map_or_else(
                    || "it did not end".to_owned(),
                    |error| format!("it raised {}: {}", error.kind, error.message),
                );
                Err(failed(format!("{why}; get_run with `{}` shows more", execution.run_id)))
            }
        }
    }
}

/// A procedure as a reducer, if it has code that takes the values; otherwise why not, and what to do about it.
fn custom(row: Procedure) -> Result<Custom, (String, Option<String>)> {
    let name = row.definition.name.to_string();
    let Some(code) = row.code else {
        let hint = "generate_procedure_code makes it".to_owned();
        return Err((format!("procedure `{name}` has no code yet"), Some(hint)));
    };
    let entry = entry_point(&code, Some(&entry_name(&code, &row.definition)))
        .map_err(|issue| (format!("procedure `{name}` can't be called: {}", issue.message), None))?;
    let takes = |wanted: &str| {
        entry.as_ref().is_none_or(|entry| {
            entry.accepts_any_keyword || entry.parameters.iter().any(|parameter| parameter.name == wanted)
        })
    };
    if !takes(VALUES) {
        let hint = format!(
            "a reducer is `def {}({VALUES}: list)`, perhaps with `{FIELD}: str`, and returns the merged value",
            row.definition.name.identifier()
        );
        let why = format!("procedure `{name}` can't be a reducer, because it has no parameter `{VALUES}`");
        return Err((why, Some(hint)));
    }
    Ok(Custom { id: row.id, takes_field: takes(FIELD), name })
}
