//! Having the interpreter's own compiler and type checker look at code, without executing any of it.

use std::sync::Arc;

use monty_pool::{Checkout, PoolError, ReplConfig, ResumeValue, TurnEvent, on_print_sync};
use monty_types::{
    IMPORT_STUBS_CALL, MontyObject, NamedValues, ResourceLimits, TypeCheckingConfig, TypeCheckingFormat,
};
use serde::Deserialize;
use tokio::time::Instant;

use super::{
    Monty,
    errors::{self, Origin},
};
use crate::runtime::{
    Budget, Limits, MODULE, RuntimeError, TypeFinding, Verdict,
    dialect::{brought_module, rewrite},
    guarded,
};

/// What the checker must know beside its own, incomplete, list of built-ins.
const BUILTINS: &str = include_str!("builtins.pyi");
/// A name of [`BUILTINS`] that is true while code is checked.
const GUARD: &str = "repertoire_only_checks";
const MARK: &str = "compiled";

impl Monty {
    /// Compiles `code` and checks its types against `stub`, which describes the host module. Nothing of it is executed.
    ///
    /// # Errors
    /// [`RuntimeError`] when no worker can be had, or the check does not end in time.
    pub(super) async fn check_types(
        &self,
        code: &str,
        stub: &str,
        limits: Limits,
        budget: Arc<Budget>,
    ) -> Result<Verdict, RuntimeError> {
        let left = budget.deadline.saturating_duration_since(Instant::now());
        let config = ReplConfig {
            limits: Some(ResourceLimits::default().max_feed_duration(left).max_memory(limits.memory_bytes)),
            type_check: true,
            type_check_stubs: Some(BUILTINS.to_owned()),
            type_check_config: TypeCheckingConfig { format: TypeCheckingFormat::Json, color: false },
            ..ReplConfig::default()
        };
        let mut checkout = self.checkout(&config, &budget).await?;
        // The whole source is compiled before its first line is executed, and that line ends it. It is no constant, or
        // the checker would take the rest for unreachable and not look at it.
        let guarded_code = |code: &str| format!("if {GUARD}: raise SystemExit('{MARK}')\n{code}");
        // Types are those of the code as it was written, and it is compiled as it will be executed.
        let executed = rewrite(code, true).source;
        let (written, executed) = (guarded_code(code), guarded_code(&executed));
        let mut verdict = Verdict::default();
        let mut has_types = false;
        loop {
            let source = if has_types { &executed } else { &written };
            let event = guarded(&budget, feed(&mut checkout, source, stub, has_types)).await?;
            match event {
                Err(PoolError::Typing(report)) if !has_types => {
                    verdict.types = findings(&report);
                    // Code with such findings was not compiled yet.
                    has_types = true;
                }
                Err(PoolError::Runtime(_)) if !has_types && written != executed => has_types = true,
                Err(PoolError::Runtime(exception)) => {
                    let error = errors::python_error(&exception, &Origin::default());
                    verdict.refused = (error.message != MARK).then_some(error);
                    break;
                }
                Err(error) => return Err(error.into()),
                Ok(_) => break,
            }
        }
        if let Err(error) = checkout.finish().await {
            tracing::debug!(%error, "a worker was not reused");
        }
        Ok(verdict)
    }
}

async fn feed(checkout: &mut Checkout, code: &str, stub: &str, skip_types: bool) -> Result<TurnEvent, PoolError> {
    let mut inputs = NamedValues::new();
    inputs.push(GUARD, MontyObject::bool(true));
    let mut silent = on_print_sync(|_, _| {});
    let event = checkout.feed(code, inputs, Vec::new(), skip_types, &mut silent).await?;
    match &event {
        TurnEvent::OsCall { function_name, args, .. } if function_name == IMPORT_STUBS_CALL => {
            let asked = args.arg(0).and_then(|names| names.items()).unwrap_or_default();
            let stubs = asked.iter().filter_map(|name| {
                let name = name.as_str()?;
                let stub =
                    if name == MODULE { Some(stub) } else { brought_module(name).and_then(|module| module.stub) };
                Some((MontyObject::string(name), MontyObject::string(stub?)))
            });
            checkout.resume(ResumeValue::Return(MontyObject::dict(stubs)), &mut silent).await
        }
        _ => Ok(event),
    }
}

/// The part of the checker's JSON that is used.
#[derive(Deserialize)]
struct Reported {
    code: Option<String>,
    message: String,
    location: Option<Location>,
}

#[derive(Deserialize)]
struct Location {
    row: u32,
    column: u32,
}

/// The findings of a report; the guard is the first line of what was checked.
fn findings(report: &str) -> Vec<TypeFinding> {
    let reported: Vec<Reported> = serde_json::from_str(report).unwrap_or_else(|error| {
        tracing::warn!(%error, "the report of the type checker can't be read");
        Vec::new()
    });
    reported
        .into_iter()
        .filter_map(|found| {
            let Location { row, column } = found.location?;
            let line = row.checked_sub(1).filter(|line| *line > 0)?;
            Some(TypeFinding { rule: found.code.unwrap_or_default(), message: found.message, line, column })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_the_code_and_not_of_what_was_checked() {
        let report = r#"[{"code":"invalid-argument-type","message":"no","location":{"row":3,"column":5},"url":null},
            {"code":"x","message":"about the guard","location":{"row":1,"column":1}},
            {"code":null,"message":"nowhere","location":null}]"#;
        let expected = TypeFinding { rule: "invalid-argument-type".into(), message: "no".into(), line: 2, column: 5 };
        assert_eq!(findings(report), [expected]);
        assert_eq!(findings("not JSON"), []);
    }
}
