//! What a step becomes, one file per kind; here is what they share.

mod action;
mod command;
mod procedure;
mod sentence;
mod tool;

use super::{python, scope::Scope, writer::Writer};
use crate::domain::{OnFailure, Step};

/// Where a step stands: its number in the definition, the key of its result, and what its texts may refer to.
struct Place<'s, 'd> {
    number: usize,
    key: String,
    scope: &'s Scope<'d>,
}

/// Writes the statements of step `number`.
pub fn compile(step: &Step, number: usize, scope: &Scope<'_>, out: &mut Writer) {
    let place = Place { number, key: step.key(number), scope };
    match step {
        Step::Sentence(sentence) => sentence::compile(sentence, &place, out),
        Step::Command(step) => command::compile(&step.command, &place, out),
        Step::Tool(step) => tool::compile(step, &place, out),
        Step::Procedure(step) => procedure::compile(step, &place, out),
        Step::Action(step) => action::compile(step, &place, out),
    }
}

/// A step in a few words.
pub fn summary(step: &Step) -> String {
    match step {
        Step::Sentence(sentence) => sentence.trim().to_owned(),
        Step::Command(step) => step.description.clone().unwrap_or_else(|| format!("run {}", step.command.join(" "))),
        Step::Tool(step) => step.description.clone().unwrap_or_else(|| format!("call the tool {}", step.tool)),
        Step::Procedure(step) => format!("call {}", step.procedure),
        Step::Action(step) => step.description.clone().unwrap_or_else(|| action::summary(step)),
    }
}

impl Place<'_, '_> {
    /// The statement that keeps what the step gives.
    fn keep(&self, expression: &str) -> String {
        format!("{}[{}] = {expression}", self.scope.own_name("results"), python::string(&self.key))
    }

    /// Writes `statements` such that a failure names the step, and does to the run what `policy` says.
    ///
    /// An error that stops the run keeps its class if that is not [`RuntimeError`], so that a missing permission stays
    /// one.
    fn guard(&self, what: &str, policy: OnFailure, statements: &[String], out: &mut Writer) {
        let error = self.scope.own_name("error");
        let told = |how: &str| {
            let step = python::in_f_string(&format!("step {} ({what}) {how}: ", self.number));
            format!("f\"{step}{{{error}}}\"")
        };
        let raise = |how: &str| format!("raise RuntimeError({}) from {error}", told(how));
        let write = |out: &mut Writer| statements.iter().for_each(|statement| out.line(statement));
        match policy {
            OnFailure::Stop => {
                out.block("try:", write);
                out.block(&format!("except RuntimeError as {error}:"), |out| out.line(&raise("failed")));
            }
            OnFailure::Skip => {
                out.block("try:", write);
                out.block(&format!("except Exception as {error}:"), |out| {
                    let log = out.host_call("log", &told("failed and is skipped"));
                    out.line(&log);
                    out.line(&self.keep("None"));
                });
            }
            OnFailure::Retry => {
                let attempt = self.scope.own_name("attempt");
                out.block(&format!("for {attempt} in (1, 2):"), |out| {
                    out.block("try:", |out| {
                        write(out);
                        out.line("break");
                    });
                    out.block(&format!("except Exception as {error}:"), |out| {
                        out.block(&format!("if {attempt} == 2:"), |out| out.line(&raise("failed twice")));
                        let log = out.host_call("log", &told("failed and is tried again"));
                        out.line(&log);
                    });
                });
            }
        }
    }
}
