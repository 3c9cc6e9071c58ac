//! Where a step stands, and what the statements of all kinds of steps have in common: how their results are kept, how
//! errors name them, what is done about failures.

use crate::{
    compiler::{python, scope::Scope, writer::Writer},
    domain::OnFailure,
};

/// Where a step stands: its number in the definition, the key of its result, what its texts may refer to, and what it says
/// of time and failures.
pub(super) struct Place<'s, 'd> {
    pub(super) number: usize,
    pub(super) key: String,
    pub(super) id: Option<&'s str>,
    pub(super) scope: &'s Scope<'d>,
    pub(super) is_branch: bool,
    /// How long it may take, in seconds.
    pub(super) timeout: Option<u32>,
    pub(super) on_failure: OnFailure,
}

impl Place<'_, '_> {
    /// What errors call the step beside its number: its identity, or what it does.
    pub(super) fn title<'t>(&'t self, what: &'t str) -> &'t str {
        self.id.unwrap_or(what)
    }

    /// A call that others need not wait for.
    pub(super) fn awaited(&self, call: &str) -> String {
        if self.is_branch { format!("await {call}") } else { call.to_owned() }
    }

    /// The statement that keeps what the step gives.
    pub(super) fn keep(&self, expression: &str) -> String {
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
    pub(super) fn failure(&self, what: &str, how: &str) -> String {
        format!("raise RuntimeError({}) from {}", self.told(what, how), self.scope.own_name("error"))
    }

    /// The argument that passes the time limit of the step on.
    pub(super) fn limit(&self) -> String {
        self.timeout.map(|seconds| format!(", timeout={seconds}")).unwrap_or_default()
    }

    /// Writes down that the step is skipped; `reason` is a text.
    pub(super) fn skip(&self, reason: &str, out: &mut Writer) {
        let skip = out.host_call("skip_step", reason);
        out.line(&skip);
        out.line(&self.keep("None"));
    }

    /// Writes `statements` such that a failure names the step, and does to the run what the step says.
    ///
    /// Outside workflows an error that stops the run keeps its class if that is not `RuntimeError`, so that a missing
    /// permission stays one.
    pub(super) fn guard(&self, what: &str, statements: &[String], out: &mut Writer) {
        match self.on_failure {
            OnFailure::Stop => {
                let class = if self.id.is_some() { "Exception" } else { "RuntimeError" };
                self.attempt(class, statements, out, |out| out.line(&self.failure(what, "failed")));
            }
            OnFailure::Skip => self.attempt("Exception", statements, out, |out| {
                self.skip(&self.told(what, "failed and is skipped"), out);
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
    pub(super) fn attempt(
        &self,
        class: &str,
        statements: &[String],
        out: &mut Writer,
        handle: impl FnOnce(&mut Writer),
    ) {
        out.block("try:", |out| statements.iter().for_each(|statement| out.line(statement)));
        out.block(&format!("except {class} as {}:", self.scope.own_name("error")), handle);
    }
}
