//! `repertoire approve`

use std::process::ExitCode;

use serde_json::Value;

use super::{
    asking,
    context::Context,
    error::CliError,
    output::{printable, short},
    programs::worker_program,
    run::show as show_end,
};
use crate::{
    config::Approvals,
    domain::{GateKind, Outcome, RunFilter, RunStatus},
    library::{
        Services, rfc3339_ms,
        runs::{Active, Decision, Execution, Gate, Waiting},
    },
};

const MAX_LISTED: u32 = 100;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which run. [default: list those that wait]
    run: Option<String>,
    /// Approve without being asked, where the policy lets clients decide (`approvals = "client"`).
    #[arg(long, conflicts_with = "reject")]
    yes: bool,
    /// Refuse.
    #[arg(long)]
    reject: bool,
    /// Why it is refused.
    #[arg(long, value_name = "TEXT", requires = "reject")]
    reason: Option<String>,
    /// The answer, or what a step gave: JSON, or else text.
    #[arg(long, value_name = "JSON", conflicts_with = "reject", value_parser = |text: &str| Ok::<_, String>(asking::value(text)))]
    value: Option<Value>,
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let Some(run_id) = &arguments.run else { return list(context) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(CliError::io("the async runtime can't be started"))?;
    let execution = runtime.block_on(approve(run_id, arguments, context));
    // A read of the terminal may still block a thread.
    runtime.shutdown_background();
    let execution = execution?;
    let out = context.output;
    show_end(&execution, out);
    Ok(match execution.outcome {
        Outcome::Success => ExitCode::SUCCESS,
        Outcome::Paused => {
            let until = execution.waits_until.map(|until| format!("until {}", rfc3339_ms(until)));
            let waits = execution.waiting_for.or(until).unwrap_or_default();
            out.line(format_args!("The run waits again: {}", printable(&waits)));
            ExitCode::SUCCESS
        }
        _ => ExitCode::FAILURE,
    })
}

async fn approve(run_id: &str, arguments: &Arguments, context: &Context) -> Result<Execution, CliError> {
    let services = Services::open(context.config()?, context.starters, worker_program()?).await?;
    let is_person = asking::is_terminal();
    let decider = asking::decider(services.library().user());
    let out = context.output;
    // What was said on the command line is about what waits now, not about what comes after it.
    let mut is_first = true;
    let execution = loop {
        let Waiting { gate, approvals, .. } = services.engine().waiting(run_id, &Active::default()).await?;
        asking::show(&gate, run_id, out);
        let given = if is_first { given(arguments, &gate, approvals)? } else { None };
        let decision = match given {
            Some(decision) => decision,
            None => with_value(asking::ask(&gate, out).await?, arguments.value.as_ref().filter(|_| is_first)),
        };
        // What is no answer is told, rather than taken for a refusal.
        gate.reply(&decision, &decider)?;
        let active = asking::stoppable();
        let execution = services.engine().answer(run_id, &gate.id(), decision, decider.clone(), active).await?;
        if execution.outcome != Outcome::Paused || execution.gate.is_none() || !is_person {
            break execution;
        }
        is_first = false;
    };
    services.engine().shut_down().await;
    Ok(execution)
}

/// What the command line says about the question; `None` when the person is to be asked.
fn given(arguments: &Arguments, gate: &Gate, approvals: Approvals) -> Result<Option<Decision>, CliError> {
    let wants_person = approvals == Approvals::Human && gate.asks_person(approvals);
    let is_terminal = asking::is_terminal();
    let key = match (&gate.missing, gate.is_of_policy) {
        (Some(_), _) => "offer_grants",
        (None, true) => "ask",
        (None, false) => "approvals",
    };
    if wants_person && !is_terminal {
        return Err(CliError::Wrong {
            what: format!(
                "only a person may decide this (`{key}` under [policy] in config.toml), and stdin is no terminal"
            ),
            hint: "run the command in one".to_owned(),
        });
    }
    if wants_person && arguments.yes {
        return Err(CliError::Wrong {
            what: format!("only a person may decide this (`{key}` under [policy] in config.toml)"),
            hint: "leave `--yes` out to be asked".to_owned(),
        });
    }
    let kind = gate.request.kind;
    let decision = match &arguments.value {
        _ if arguments.reject => Some(Decision::Reject(arguments.reason.clone())),
        value if arguments.yes => Some(Decision::Approve(value.clone())),
        Some(value) if kind != GateKind::Approval => Some(Decision::Approve(Some(value.clone()))),
        _ => None,
    };
    if decision.is_none() && !is_terminal {
        let ways = match kind {
            GateKind::Question => "`--value ANSWER` or `--reject`",
            GateKind::Approval | GateKind::Step => "`--yes` or `--reject`",
        };
        return Err(CliError::Wrong {
            what: "stdin is no terminal, so nobody can be asked".to_owned(),
            hint: format!("decide with {ways}"),
        });
    }
    Ok(decision)
}

fn with_value(decision: Decision, value: Option<&Value>) -> Decision {
    match decision {
        Decision::Approve(None) => Decision::Approve(value.cloned()),
        other => other,
    }
}

fn list(context: &Context) -> Result<ExitCode, CliError> {
    let paused = RunFilter { status: Some(RunStatus::Paused), ..RunFilter::default() };
    let mut runs = context.library()?.runs(&paused, MAX_LISTED)?;
    runs.retain(|run| run.waiting_for.is_some());
    let out = context.output;
    if runs.is_empty() {
        out.line("No run waits.");
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<String>> = runs
        .into_iter()
        .map(|run| {
            let until = run.expires_at.map_or_else(|| "–".to_owned(), rfc3339_ms);
            let what = printable(&short(&run.waiting_for.unwrap_or_default(), 70));
            vec![run.id, run.procedure_name, until, what]
        })
        .collect();
    out.table(&["RUN", "PROCEDURE", "UNTIL", "WAITS FOR"], &rows);
    Ok(ExitCode::SUCCESS)
}
