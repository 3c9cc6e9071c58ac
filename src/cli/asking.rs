//! Putting what a run waits for before the person at the terminal.

use std::io::IsTerminal as _;

use serde_json::Value;

use super::{
    error::CliError,
    output::{BOLD, DIM, Output, YELLOW, printable},
};
use crate::{
    domain::{Decider, GateKind, json, visible},
    library::{
        Actor, LibraryError, digest, rfc3339_ms,
        runs::{Active, Decision, Gate},
    },
};

/// Whether there is a person at the terminal.
pub fn is_terminal() -> bool {
    std::io::stdin().is_terminal()
}

/// Who decides here: whoever sits at the terminal, else a program.
pub fn decider(user: &str) -> Decider {
    if is_terminal() { Decider::Person(user.to_owned()) } else { Decider::Agent(user.to_owned()) }
}

/// Whether the person at the terminal says yes.
///
/// # Errors
/// When there is no terminal, or it is closed.
pub fn yes(hint: &str, out: Output) -> Result<bool, CliError> {
    if !is_terminal() {
        return Err(CliError::Wrong {
            what: "only a person may decide this, and stdin is no terminal".to_owned(),
            hint: "run the command in one".to_owned(),
        });
    }
    loop {
        out.line(format_args!("{DIM}  {hint}{DIM:#}"));
        let mut line = String::new();
        let count = std::io::stdin().read_line(&mut line).map_err(CliError::io("the terminal can't be read"))?;
        match line.trim().to_lowercase().as_str() {
            "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            _ if count == 0 => return Err(CliError::Other("nothing was decided".to_owned())),
            _ => {}
        }
    }
}

/// Does `work`; where that wants a person's word, asks for it at the terminal and does it again.
///
/// # Errors
/// What `work` returns, and that nobody said yes.
pub fn confirmed<T>(user: &str, out: Output, work: impl Fn(Actor) -> Result<T, LibraryError>) -> Result<T, CliError> {
    let question = match work(Actor::new(decider(user), true)) {
        Err(LibraryError::WantsPerson { question, .. }) => question,
        done => return Ok(done?),
    };
    for (number, line) in visible(&question).lines().enumerate() {
        let mark = if number == 0 { "►" } else { " " };
        out.line(format_args!("{YELLOW}{mark}{YELLOW:#} {line}"));
    }
    if !yes("y to allow it, n to leave everything as it is", out)? {
        return Err(LibraryError::Declined(user.to_owned()).into());
    }
    Ok(work(Actor::agreed(decider(user), digest(&question)))?)
}

/// A value as it is typed: JSON, or else text.
pub fn value(text: &str) -> Value {
    json::read(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

/// A handle on a run that Ctrl-C stops, and that asks for grants where somebody sits here.
pub fn stoppable() -> Active {
    let active = Active::granting(is_terminal());
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
        out.line(format_args!("{YELLOW}{mark}{YELLOW:#} {BOLD}{}{BOLD:#}", visible(line)));
    }
    for (number, choice) in gate.request.choices.iter().enumerate() {
        out.line(format_args!("  {}. {}", number + 1, visible(choice)));
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
        GateKind::Approval if gate.missing.is_some() => {
            "Type the answer or its number, or n to refuse (what follows the n is the reason)"
        }
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
                _ => chosen(gate, typed),
            }
        }
        GateKind::Question => {
            let choices = &gate.request.choices;
            if choices.is_empty() {
                return (!typed.is_empty()).then(|| Decision::Approve(Some(Value::from(typed))));
            }
            chosen(gate, typed)
        }
        GateKind::Step => Some(match typed {
            "reject" => Decision::Reject(None),
            "" => Decision::Approve(None),
            text => Decision::Approve(Some(value(text))),
        }),
    }
}

/// One of the choices, as it is written or by its number.
fn chosen(gate: &Gate, typed: &str) -> Option<Decision> {
    let choices = &gate.request.choices;
    let by_number = || typed.parse::<usize>().ok().and_then(|number| choices.get(number.checked_sub(1)?));
    let chosen = choices.iter().find(|choice| *choice == typed).or_else(by_number)?;
    Some(Decision::Approve(Some(Value::from(chosen.as_str()))))
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
