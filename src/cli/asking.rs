//! Putting what a run waits for before the person at the terminal.

use std::io::IsTerminal as _;

use serde_json::Value;

use super::{
    error::CliError,
    output::{BOLD, DIM, Output, YELLOW, printable},
};
use crate::{
    domain::GateKind,
    library::{
        rfc3339_ms,
        runs::{Active, Decision, Gate},
    },
};

/// Whether there is a person at the terminal.
pub fn is_terminal() -> bool {
    std::io::stdin().is_terminal()
}

/// A value as it is typed: JSON, or else text.
pub fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

/// A handle on a run that Ctrl-C stops.
pub fn stoppable() -> Active {
    let active = Active::default();
    let cancel = active.cancel.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            cancel.cancel();
        }
    });
    active
}

/// Shows what is asked, by which procedure, and until when.
pub fn show(gate: &Gate, run_id: &str, out: Output) {
    let step = gate.step.map_or_else(String::new, |step| format!(", step {step}"));
    out.line(format_args!("{DIM}{}{step} · run {run_id}{DIM:#}", printable(&gate.procedure)));
    for (number, line) in gate.request.question.lines().enumerate() {
        let mark = if number == 0 { "►" } else { " " };
        out.line(format_args!("{YELLOW}{mark}{YELLOW:#} {BOLD}{}{BOLD:#}", printable(line)));
    }
    for (number, choice) in gate.request.choices.iter().enumerate() {
        out.line(format_args!("  {}. {}", number + 1, printable(choice)));
    }
    if let Some(expires_at) = gate.expires_at {
        out.line(format_args!(
            "{DIM}  It waits until {}, and counts as refused after that.{DIM:#}",
            rfc3339_ms(expires_at)
        ));
    }
}

/// Asks until there is a decision.
///
/// # Errors
/// When the terminal is closed, or Ctrl-C is pressed; the run goes on waiting then.
pub async fn ask(gate: &Gate, out: Output) -> Result<Decision, CliError> {
    out.line(format_args!("{DIM}  {}{DIM:#}", hint(gate)));
    loop {
        let typed = read_line().await?;
        match decision(gate, typed.trim()) {
            Some(decision) => return Ok(decision),
            None => out.line(format_args!("{DIM}  {}{DIM:#}", hint(gate))),
        }
    }
}

const fn hint(gate: &Gate) -> &'static str {
    match gate.request.kind {
        GateKind::Approval => "y to approve, n to refuse (what follows the n is the reason)",
        GateKind::Question if gate.request.choices.is_empty() => "Type the answer",
        GateKind::Question => "Type the answer, or its number",
        GateKind::Step => "Enter when done (what you type is the result), `reject` to refuse",
    }
}

fn decision(gate: &Gate, typed: &str) -> Option<Decision> {
    match gate.request.kind {
        GateKind::Approval => {
            let (word, reason) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
            match word.to_lowercase().as_str() {
                "y" | "yes" if reason.is_empty() => Some(Decision::Approve(None)),
                "n" | "no" => {
                    Some(Decision::Reject(Some(reason.trim().to_owned()).filter(|reason| !reason.is_empty())))
                }
                _ => None,
            }
        }
        GateKind::Question => {
            let choices = &gate.request.choices;
            if choices.is_empty() {
                return (!typed.is_empty()).then(|| Decision::Approve(Some(Value::from(typed))));
            }
            let by_number = || typed.parse::<usize>().ok().and_then(|number| choices.get(number.checked_sub(1)?));
            let chosen = choices.iter().find(|choice| *choice == typed).or_else(by_number)?;
            Some(Decision::Approve(Some(Value::from(chosen.as_str()))))
        }
        GateKind::Step => Some(match typed {
            "reject" => Decision::Reject(None),
            "" => Decision::Approve(None),
            text => Decision::Approve(Some(value(text))),
        }),
    }
}

async fn read_line() -> Result<String, CliError> {
    let reading = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|count| (count > 0).then_some(line))
    });
    let undecided = || CliError::Other("nothing was decided; the run goes on waiting".to_owned());
    tokio::select! {
        read = reading => match read {
            Ok(read) => read.map_err(CliError::io("the terminal can't be read"))?.ok_or_else(undecided),
            Err(_) => Err(undecided()),
        },
        _ = tokio::signal::ctrl_c() => Err(undecided()),
    }
}
