//! What a caller sees of a run.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{call::CUT_OFF, steps::StepLines};
use crate::{
    domain::{DecisionRecord, HostCall, Outcome, Run, RunStatus, host_module::SKIP_STEP},
    host,
};

/// A run with its journal, summed up by step.
#[derive(Debug, Clone, PartialEq)]
pub struct RunView {
    pub run: Run,
    pub calls: Vec<HostCall>,
    /// What was decided on its questions.
    pub decisions: Vec<DecisionRecord>,
    /// Steps that did what they are for, where the code marks its steps.
    pub steps_completed: u32,
    /// Steps that failed: the one that ended the run, and those whose calls all failed.
    pub steps_failed: u32,
    /// Steps that the run went on without.
    pub steps_skipped: u32,
    pub steps_total: u32,
    /// The step that it is at; the first of them, where branches run in parallel.
    pub current_step: Option<u32>,
    /// What the steps gave.
    pub step_outputs: Vec<StepOutput>,
}

/// What a step gave.
#[derive(Debug, Clone, PartialEq)]
pub struct StepOutput {
    /// Which step, from 1.
    pub step: u32,
    /// The result of its last host call that is no remark.
    pub output: Value,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StepState {
    Completed,
    Failed,
    Skipped,
    /// It has not come to its end, or never began.
    Open,
}

/// Whether a call does nothing of what a step is about.
fn is_remark(call: &HostCall) -> bool {
    call.function == "log" || call.function == SKIP_STEP || host::is_timer(&call.function)
}

impl RunView {
    /// Sums up a run. `under_way` are the steps that its code waits in, several where branches run in parallel;
    /// `failed_in` is the one that ended it.
    #[must_use]
    pub fn new(
        run: Run,
        calls: Vec<HostCall>,
        decisions: Vec<DecisionRecord>,
        under_way: &BTreeSet<u32>,
        failed_in: Option<u32>,
    ) -> Self {
        let mut step_outputs: Vec<StepOutput> = Vec::new();
        for call in calls.iter().filter(|call| !is_remark(call)) {
            if let (Some(step), Some(result)) = (call.step, &call.result) {
                match step_outputs.iter_mut().find(|output| output.step == step) {
                    Some(output) => output.output = result.clone(),
                    None => step_outputs.push(StepOutput { step, output: result.clone() }),
                }
            }
        }
        let failed_in = failed_in.or_else(|| {
            // It was stopped in the middle of a call.
            let last = calls.iter().rev().find(|call| call.step.is_some()).filter(|call| call.error.is_some());
            last.and_then(|call| call.step).filter(|_| run.status == RunStatus::Failed)
        });
        let seen = Seen { run: &run, calls: &calls, under_way, failed_in };
        let states: Vec<StepState> = (1..=run.steps_total).map(|step| seen.state_of(step)).collect();
        let count = |wanted| u32::try_from(states.iter().filter(|state| **state == wanted).count()).unwrap_or(u32::MAX);
        let (steps_completed, steps_total) = (count(StepState::Completed), run.steps_total);
        let (steps_failed, steps_skipped) = (count(StepState::Failed), count(StepState::Skipped));
        let current_step = under_way.first().copied();
        Self {
            run,
            calls,
            decisions,
            steps_completed,
            steps_failed,
            steps_skipped,
            steps_total,
            current_step,
            step_outputs,
        }
    }

    /// Share of the steps that are completed, from 0 to 1.
    #[must_use]
    pub fn progress(&self) -> f64 {
        if self.steps_total == 0 {
            return f64::from(u8::from(self.run.status == RunStatus::Succeeded));
        }
        (f64::from(self.steps_completed) / f64::from(self.steps_total) * 100.0).round() / 100.0
    }
}

/// What tells how far each step is.
struct Seen<'r> {
    run: &'r Run,
    calls: &'r [HostCall],
    under_way: &'r BTreeSet<u32>,
    failed_in: Option<u32>,
}

impl Seen<'_> {
    fn state_of(&self, step: u32) -> StepState {
        let calls = || self.calls.iter().filter(|call| call.step == Some(step));
        if self.run.outcome == Some(Outcome::Skipped) {
            return StepState::Open;
        }
        if self.under_way.contains(&step) {
            return StepState::Open;
        }
        if calls().any(|call| call.function == SKIP_STEP) {
            return StepState::Skipped;
        }
        if self.failed_in == Some(step) {
            return StepState::Failed;
        }
        let mut made = calls().filter(|call| !is_remark(call)).peekable();
        if made.peek().is_some() {
            let (mut has_succeeded, mut was_cut_off) = (false, false);
            for call in made {
                has_succeeded |= call.error.is_none();
                was_cut_off |= call.error.as_deref().is_some_and(|error| error.starts_with(CUT_OFF));
            }
            return match (has_succeeded, was_cut_off) {
                (true, _) => StepState::Completed,
                (false, true) => StepState::Open,
                (false, false) => StepState::Failed,
            };
        }
        // A step that calls nothing leaves no trace but that a later one has begun.
        let reached = self.under_way.first().copied().or(self.failed_in);
        let is_passed = self.run.status == RunStatus::Succeeded || reached.is_some_and(|reached| step < reached);
        if is_passed || calls().next().is_some() { StepState::Completed } else { StepState::Open }
    }
}

/// The step in which the code `source` raised, by its traceback: the innermost line that belongs to one.
#[must_use]
pub fn step_of_traceback(source: &str, traceback: &str) -> Option<u32> {
    let lines = StepLines::read(source);
    let frames = traceback.lines().filter(|line| line.trim_start().starts_with("File \""));
    let numbers = frames.filter_map(|frame| {
        let digits = frame.rsplit_once(", line ")?.1;
        digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    });
    numbers.rev().find_map(|line| lines.step_at(line))
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
