//! Procedures that stand on their own feet: those that a client may be shown as tools.

use crate::{
    domain::{Earned, Parameter, Procedure, ProcedureFilter, Status, reading::Shape},
    library::{Library, LibraryError},
    validation::{self, EntryParameter},
};

/// Five executions at least, and after them four in five expected to go well: what a person would call reliable, reached by
/// well checked code that never failed, and by code that failed once after some twenty.
const EARNED: Earned = Earned { confidence: 0.8, executions: 5 };

/// A procedure as a function.
#[derive(Debug, Clone, PartialEq)]
pub struct Callable {
    pub procedure: Procedure,
    pub parameters: Vec<CallableParameter>,
    /// What it returns, where its code says so.
    pub result: Shape,
    /// Whether it calls nothing that leaves the interpreter.
    pub only_computes: bool,
    /// Whether it may only read, of files.
    pub only_reads: bool,
    /// Whether it reaches programs, hosts, tools or a model.
    pub reaches_out: bool,
}

/// What a procedure takes.
#[derive(Debug, Clone, PartialEq)]
pub struct CallableParameter {
    pub name: String,
    pub shape: Shape,
    pub description: Option<String>,
    pub is_required: bool,
}

impl Library {
    /// The procedures that have earned to be called by their own name, those that are used most first.
    ///
    /// # Errors
    /// [`LibraryError::Storage`].
    pub fn callables(&self, most: u32) -> Result<Vec<Callable>, LibraryError> {
        let filter =
            ProcedureFilter { status: Some(Status::Active), earned: Some(EARNED), ..ProcedureFilter::default() };
        Ok(self.list(&filter, most, 0)?.0.into_iter().filter_map(callable).collect())
    }
}

/// `None` where the code has no function that could be called by name.
fn callable(row: Procedure) -> Option<Callable> {
    let code = row.code.as_deref()?;
    let analysis = validation::analyze_for(code, &row.definition);
    let entry = analysis.entry?;
    if entry.parameters.iter().any(|parameter| parameter.positional_only) {
        return None;
    }
    let declared = |name: &str| row.definition.parameters.iter().find(|parameter| parameter.name == name);
    let parameters = entry.parameters.iter().map(|own| parameter(own, declared(&own.name))).collect();
    let needs = row.definition.permissions.clone().unwrap_or(analysis.permissions_needed);
    let reaches_out = !(needs.commands.is_empty() && needs.tools.is_empty() && needs.network.is_empty()) || needs.model;
    Some(Callable {
        parameters,
        result: entry.returns.map_or(Shape::Anything, |annotation| annotation.shape().clone()),
        only_computes: needs.is_empty() && analysis.facts.manual_steps == 0 && !analysis.facts.calls_other_tools,
        only_reads: needs.write.is_empty() && !reaches_out,
        reaches_out,
        procedure: row,
    })
}

fn parameter(own: &EntryParameter, declared: Option<&Parameter>) -> CallableParameter {
    let is_narrow = declared.is_some_and(Parameter::is_narrow);
    let shape = match own.annotation.as_ref().map(|annotation| annotation.shape()) {
        Some(shape) if *shape != Shape::Anything && !is_narrow => shape.clone(),
        _ => declared.map_or(Shape::Anything, Parameter::shape),
    };
    let has_default =
        own.has_default || declared.is_some_and(|declared| !declared.is_required() || declared.default.is_some());
    CallableParameter {
        name: own.name.clone(),
        shape,
        description: declared.and_then(|declared| declared.description.clone()),
        is_required: !has_default,
    }
}
