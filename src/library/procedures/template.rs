//! Templates of procedures as texts, for whoever wants one without executing anything.

use serde_json::{Map, Value};

use super::lookup::ProcedureRef;
use crate::{
    compiler,
    domain::{Parameter, Procedure, ProcedureFilter, Status},
    library::{Library, LibraryError},
};

/// What a template asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateVariable {
    pub name: String,
    pub description: Option<String>,
    pub is_required: bool,
}

impl Library {
    /// The procedures in use that have a template, latest change first, with what each asks for.
    ///
    /// # Errors
    /// [`LibraryError::Storage`].
    pub fn templates(&self, most: u32) -> Result<Vec<(Procedure, Vec<TemplateVariable>)>, LibraryError> {
        let filter = ProcedureFilter { status: Some(Status::Active), has_template: true, ..ProcedureFilter::default() };
        let rows = self.list(&filter, most, 0)?.0.into_iter().filter(|row| row.definition.enabled);
        Ok(rows.map(|row| (variables(&row), row)).map(|(variables, row)| (row, variables)).collect())
    }

    /// The template of a procedure with `given` in the place of its variables, or their defaults.
    ///
    /// # Errors
    /// [`LibraryError::ProcedureNotFound`]; [`LibraryError::Argument`] where it has no template, or something is missing.
    pub fn fill_template(&self, wanted: &ProcedureRef, given: &Map<String, Value>) -> Result<String, LibraryError> {
        let row = self.procedure(wanted)?;
        let name = &row.definition.name;
        let Some(template) = row.definition.template.as_deref() else {
            return Err(LibraryError::invalid(format!("`{name}` has no template")));
        };
        let value_of = |variable: &str| match given.get(variable).filter(|value| !value.is_null()) {
            // Clients pass texts only; what is more than a text comes as JSON.
            Some(Value::String(text)) if text.trim_start().starts_with(['{', '[']) => {
                Some(serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str())))
            }
            Some(value) => Some(value.clone()),
            None => parameter(&row, variable).and_then(|parameter| parameter.default.clone()),
        };
        match compiler::variables_of(template).iter().find(|variable| value_of(variable).is_none()) {
            Some(missing) => Err(LibraryError::invalid(format!("the template of `{name}` needs `{missing}`"))),
            None => Ok(compiler::filled(template, value_of)),
        }
    }
}

fn variables(row: &Procedure) -> Vec<TemplateVariable> {
    let names = row.definition.template.as_deref().map(compiler::variables_of).unwrap_or_default();
    let variable = |name: String| {
        let declared = parameter(row, &name);
        TemplateVariable {
            description: declared.and_then(|parameter| parameter.description.clone()),
            is_required: declared.is_none_or(Parameter::is_required),
            name,
        }
    };
    names.into_iter().map(variable).collect()
}

fn parameter<'p>(row: &'p Procedure, name: &str) -> Option<&'p Parameter> {
    row.definition.parameters.iter().find(|parameter| parameter.name == name)
}
