//! Running a procedure now, with what its trigger would have given it.

use jiff::{Timestamp, Unit};
use serde_json::{Map, Value};

use super::events::Cause;
use crate::{
    domain::{Procedure, Trigger},
    library::{
        Library, LibraryError, ProcedureRef, Services,
        runs::{Active, Execution},
    },
};

impl Library {
    /// What a run that somebody starts by hand is given: what its clock says, `context` over that, and `parameters` over
    /// both. A procedure without a schedule gets nothing but what is passed.
    fn given_now(
        &self,
        wanted: &ProcedureRef,
        parameters: Map<String, Value>,
        context: Option<Map<String, Value>>,
    ) -> Result<Map<String, Value>, LibraryError> {
        let row = self.procedure(wanted)?;
        let has_context = context.as_ref().is_some_and(|context| !context.is_empty());
        let mut given = cause(&row, context).map(|cause| cause.parameters_of(&row)).unwrap_or_default();
        if has_context && given.is_empty() {
            return Err(LibraryError::invalid_with_hint(
                format!("`{}` takes nothing of this context", row.definition.name),
                "its fields go to parameters of their names, all of them to a parameter `trigger`; `get_procedure` shows the parameters",
            ));
        }
        given.extend(parameters);
        Ok(given)
    }
}

/// Why a run starts that nothing but a caller starts, where there is more to say than that.
fn cause(row: &Procedure, context: Option<Map<String, Value>>) -> Option<Cause> {
    match (&row.definition.trigger, context) {
        (Some(Trigger::Time(trigger)), context) => {
            let now = Timestamp::now().round(Unit::Millisecond).ok()?;
            let shown = trigger.schedule().ok()?.wall_clock(now);
            let cause = Cause::tick(&now.to_string(), &shown, &trigger.timezone);
            Some(cause.with(context.unwrap_or_default()))
        }
        (Some(Trigger::Event(trigger)), Some(context)) => {
            // What it is started by has at least what the filter asks for.
            Some(Cause::event(&trigger.event_type, trigger.filter.clone()).with(context))
        }
        (_, Some(context)) => Some(Cause::event("manual", context)),
        (_, None) => None,
    }
}

impl Services {
    /// Executes a procedure as its trigger would now, with `context` for what is not known of that.
    ///
    /// # Errors
    /// As [`crate::library::runs::Engine::execute`], and a context of which the procedure takes nothing.
    pub async fn run_now(
        &self,
        wanted: &ProcedureRef,
        parameters: Map<String, Value>,
        context: Option<Map<String, Value>>,
        active: Active,
    ) -> Result<Execution, LibraryError> {
        let procedure = wanted.clone();
        let given = self.blocking(move |library| library.given_now(&procedure, parameters, context)).await?;
        self.engine().execute(wanted, given, active).await
    }
}
