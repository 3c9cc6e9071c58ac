//! Saying, while somebody is there to hear it, that a trigger could not start its procedure.

use super::events::{Cause, fields_for};
use crate::{
    domain::{Hinted as _, Procedure, Trigger},
    library::{Library, rfc3339_ms},
};

impl Library {
    /// Why the trigger of a procedure could not start it as things are. What an event brings nobody knows before.
    #[must_use]
    pub fn trigger_warning(&self, procedure: &Procedure) -> Option<String> {
        let Some(Trigger::Time(time)) = &procedure.definition.trigger else { return None };
        let schedule = time.schedule().ok()?;
        let now = jiff::Timestamp::now();
        let cause = Cause::tick(&rfc3339_ms(now.as_millisecond()), &schedule.wall_clock(now), &time.timezone);
        let parameters = cause.parameters_of(procedure);
        let why = match self.refusal_of(procedure, &parameters) {
            Some(error) => error.in_full(),
            None if procedure.code.is_some() => return None,
            None => {
                let needed = procedure.definition.parameters.iter().filter(|parameter| parameter.is_required());
                let missing = needed.filter(|parameter| !parameters.contains_key(&parameter.name));
                let missing: Vec<String> = missing.map(|parameter| format!("`{}`", parameter.name)).collect();
                if missing.is_empty() {
                    return None;
                }
                format!("nothing gives it {}", missing.join(", "))
            }
        };
        Some(format!(
            "the clock could not start it: {why}. A tick has only {}; give the others a default",
            fields_for()
        ))
    }
}
