//! What a step becomes, one file per kind; here is what they share.

mod action;
mod approval;
mod command;
mod details;
mod procedure;
mod sentence;
mod tool;

use super::{python, scope::Scope, writer::Writer};
use crate::domain::{OnFailure, Step};

/// Where a step stands: its number in the definition, the key of its result, and what its texts may refer to.
struct Place<'s, 'd> {
    number: usize,
    key: String,
    id: Option<&'s str>,
    scope: &'s Scope<'d>,
    is_branch: bool,
}

/// Writes the statements of step `number`; `is_branch` says that others run at the same time.
pub fn compile(step: &Step, number: usize, scope: &Scope<'_>, is_branch: bool, out: &mut Writer) {
    let place = Place { number, key: step.key(number), id: step.id(), scope, is_branch };
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
    /// What errors call the step beside its number: its identity, or what it does.
    fn title<'t>(&'t self, what: &'t str) -> &'t str {
        self.id.unwrap_or(what)
    }

    /// A call that others need not wait for.
    fn awaited(&self, call: &str) -> String {
        if self.is_branch { format!("await {call}") } else { call.to_owned() }
    }

    /// The statement that keeps what the step gives.
    fn keep(&self, expression: &str) -> String {
        format!("{}[{}] = {expression}", self.scope.own_name("results"), python::string(&self.key))
    }

    /// The statement that waits before another attempt, longer each time.
    fn wait(&self, seconds: &str, out: &mut Writer) -> String {
        let module = if self.is_branch { "asyncio" } else { "time" };
        let name = self.scope.own_name(module);
        out.module(module, &name);
        self.awaited(&format!("{name}.sleep({seconds})"))
    }

    /// A text that names the step, says what became of it, and why.
    fn told(&self, what: &str, how: &str) -> String {
        let step = python::in_f_string(&format!("step {} ({what})", self.number));
        format!("f\"{step} {how}: {{{}}}\"", self.scope.own_name("error"))
    }

    /// The statement that ends the run because of the step.
    fn failure(&self, what: &str, how: &str) -> String {
        format!("raise RuntimeError({}) from {}", self.told(what, how), self.scope.own_name("error"))
    }

    /// Writes `statements` such that a failure names the step.
    ///
    /// Outside workflows an error keeps its class if that is not `RuntimeError`, so that a missing permission stays one.
    fn guard(&self, what: &str, statements: &[String], out: &mut Writer) {
        let class = if self.id.is_some() { "Exception" } else { "RuntimeError" };
        self.attempt(class, statements, out, |out| out.line(&self.failure(what, "failed")));
    }

    /// Writes `statements` such that a failure names the step, and does to the run what `policy` says.
    fn guard_by(&self, policy: OnFailure, what: &str, statements: &[String], out: &mut Writer) {
        match policy {
            OnFailure::Stop => {
                self.attempt("Exception", statements, out, |out| out.line(&self.failure(what, "failed")));
            }
            OnFailure::Skip => self.attempt("Exception", statements, out, |out| {
                let log = out.host_call("log", &self.told(what, "failed and is skipped"));
                out.line(&log);
                out.line(&self.keep("None"));
            }),
            OnFailure::Retry => {
                let (error, attempt) = (self.scope.own_name("error"), self.scope.own_name("attempt"));
                let statements = [statements, &["break".to_owned()]].concat();
                out.block(&format!("for {attempt} in (1, 2, 3):"), |out| {
                    self.attempt("Exception", &statements, out, |out| {
                        // Nobody who refused is asked again.
                        let is_over = format!("if {attempt} == 3 or isinstance({error}, PermissionError):");
                        let failure = self.failure(what, &format!("failed at attempt {{{attempt}}}"));
                        out.block(&is_over, |out| out.line(&failure));
                        let log = out.host_call("log", &self.told(what, "failed and is tried again"));
                        out.line(&log);
                        let wait = self.wait(&attempt, out);
                        out.line(&wait);
                    });
                });
            }
        }
    }

    /// Writes `statements`, and what is done about errors of `class`.
    fn attempt(&self, class: &str, statements: &[String], out: &mut Writer, handle: impl FnOnce(&mut Writer)) {
        out.block("try:", |out| statements.iter().for_each(|statement| out.line(statement)));
        out.block(&format!("except {class} as {}:", self.scope.own_name("error")), handle);
    }
}
