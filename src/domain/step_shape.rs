//! What the schema says of a step: one object with the fields of every kind.
//!
//! Agents pay for every byte of a schema, and a schema for each kind would repeat most of it. Which fields go together
//! is said in words, and by the errors of [`Step`].

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde_json::Value;

#[cfg(doc)]
use super::Step;
use super::{
    action::{ActionType, OnFailure},
    seconds::MOST_SECONDS,
};

/// Stands for a [`Step`] in schemas.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
pub enum StepShape {
    /// A sentence.
    Sentence(String),
    /// Any other kind.
    Fields(Box<Fields>),
}

/// The fields of all kinds that are objects.
#[derive(JsonSchema)]
#[schemars(inline)]
// Each field is described at the kinds of steps that have it.
pub struct Fields {
    // A command in one text is words that a shell would tell apart: taken as one word it would be another program.
    #[schemars(extend("x-list-only" = true))]
    pub command: Option<Vec<String>>,
    pub tool: Option<String>,
    pub procedure: Option<String>,
    pub arguments: Option<BTreeMap<String, Value>>,
    pub description: Option<String>,
    pub step_id: Option<String>,
    pub depends_on: Option<Vec<String>>,
    pub action_type: Option<ActionType>,
    pub config: Option<BTreeMap<String, Value>>,
    pub input_mapping: Option<BTreeMap<String, String>>,
    pub requires_approval: Option<bool>,
    #[schemars(range(min = 1, max = MOST_SECONDS))]
    pub timeout_seconds: Option<u32>,
    pub on_failure: Option<OnFailure>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use schemars::{Schema, schema_for};

    use super::*;
    use crate::domain::{ActionStep, CommandStep, ProcedureStep, ToolStep};

    fn fields(schema: &Schema) -> BTreeSet<String> {
        schema.get("properties").unwrap().as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn the_schema_has_the_fields_of_every_kind_and_no_others() {
        let kinds =
            [schema_for!(CommandStep), schema_for!(ToolStep), schema_for!(ProcedureStep), schema_for!(ActionStep)];
        let expected: BTreeSet<String> = kinds.iter().flat_map(fields).collect();
        assert_eq!(fields(&schema_for!(Fields)), expected);
    }
}
