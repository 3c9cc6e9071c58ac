//! What a caller sees of a run.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::domain::{DecisionRecord, HostCall, Run, RunStatus};

/// A run with its journal, summed up by step.
#[derive(Debug, Clone, PartialEq)]
pub struct RunView {
    pub run: Run,
    pub calls: Vec<HostCall>,
    /// What was decided on its questions.
    pub decisions: Vec<DecisionRecord>,
    /// Steps that are done, where the code marks its steps.
    pub steps_completed: u32,
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
    /// The result of its last host call.
    pub output: Value,
}

impl RunView {
    /// Sums up a run. `under_way` are the steps that its code waits in: several where branches run in parallel.
    #[must_use]
    pub fn new(run: Run, calls: Vec<HostCall>, decisions: Vec<DecisionRecord>, under_way: &BTreeSet<u32>) -> Self {
        let mut step_outputs: Vec<StepOutput> = Vec::new();
        for call in &calls {
            if let (Some(step), Some(result)) = (call.step, &call.result) {
                match step_outputs.iter_mut().find(|output| output.step == step) {
                    Some(output) => output.output = result.clone(),
                    None => step_outputs.push(StepOutput { step, output: result.clone() }),
                }
            }
        }
        let steps_total = run.steps_total;
        let current_step = under_way.first().copied();
        let answered: BTreeSet<u32> =
            calls.iter().filter(|call| call.error.is_none()).filter_map(|call| call.step).collect();
        // A step that calls nothing leaves no trace but that a later one has begun.
        let is_done = |step: &u32| answered.contains(step) || current_step.is_some_and(|first| *step < first);
        let done = (1..=steps_total).filter(|step| is_done(step) && !under_way.contains(step)).count();
        let steps_completed = match run.status {
            RunStatus::Succeeded => steps_total,
            _ => u32::try_from(done).unwrap_or(u32::MAX),
        };
        Self { run, calls, decisions, steps_completed, steps_total, current_step, step_outputs }
    }

    /// Share of the steps that are done, from 0 to 1.
    #[must_use]
    pub fn progress(&self) -> f64 {
        if self.steps_total == 0 {
            return f64::from(u8::from(self.run.status == RunStatus::Succeeded));
        }
        (f64::from(self.steps_completed) / f64::from(self.steps_total) * 100.0).round() / 100.0
    }
}
