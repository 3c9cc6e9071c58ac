//! What a step becomes, one file per kind; what they share is in `place`.

mod action;
mod approval;
mod back_ticks;
mod command;
mod details;
mod place;
mod procedure;
mod sentence;
mod tool;
mod wait;

use super::{scope::Scope, writer::Writer};
use crate::domain::Step;
pub use back_ticks::{Found, command_in};
use place::Place;

/// Writes the statements of step `number`; `is_branch` says that others run at the same time.
pub fn compile(step: &Step, number: usize, scope: &Scope<'_>, is_branch: bool, out: &mut Writer) {
    let (timeout, on_failure) = (step.timeout_seconds(), step.on_failure());
    let place = Place { number, key: step.key(number), id: step.id(), scope, is_branch, timeout, on_failure };
    match step {
        Step::Sentence(sentence) => sentence::compile(sentence, &place, out),
        Step::Command(step) => command::compile(&step.command, &place, out),
        Step::Tool(step) => tool::compile(step, &place, out),
        Step::Procedure(step) => procedure::compile(step, &place, out),
        Step::Wait(step) => {
            let scope = place.scope.of_arguments();
            wait::compile(&step.config, place.title(&wait::summary(&step.config)), &scope, &place, out);
        }
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
        Step::Wait(step) => step.description.clone().unwrap_or_else(|| wait::summary(&step.config)),
        Step::Action(step) => step.description.clone().unwrap_or_else(|| action::summary(step)),
    }
}
