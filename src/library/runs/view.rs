//! What a caller sees of a run.

use serde_json::Value;

use super::registry::Progress;
use crate::{
    domain::{HostCall, RunStatus},
    storage::{DecisionRow, RunRow},
};

/// A run with its journal, summed up by step.
#[derive(Debug, Clone, PartialEq)]
pub struct RunView {
    /// It.
    pub run: RunRow,
    /// Its host calls.
    pub calls: Vec<HostCall>,
    /// What was decided on its questions.
    pub decisions: Vec<DecisionRow>,
    /// Steps that are done, where the code marks its steps.
    pub steps_completed: u32,
    /// Steps in all.
    pub steps_total: u32,
    /// The step that it is at.
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
    /// Sums up a run. `progress` is that of a run which is being executed here.
    #[must_use]
    pub fn new(run: RunRow, calls: Vec<HostCall>, decisions: Vec<DecisionRow>, progress: Option<Progress>) -> Self {
        let mut step_outputs: Vec<StepOutput> = Vec::new();
        for call in &calls {
            if let (Some(step), Some(result)) = (call.step, &call.result) {
                match step_outputs.iter_mut().find(|output| output.step == step) {
                    Some(output) => output.output = result.clone(),
                    None => step_outputs.push(StepOutput { step, output: result.clone() }),
                }
            }
        }
        let last_done = calls.iter().filter(|call| call.error.is_none()).filter_map(|call| call.step).max();
        let steps_total = run.steps_total;
        let (steps_completed, current_step) = match (run.status, progress) {
            (RunStatus::Succeeded, _) => (steps_total, None),
            (RunStatus::Running, Some(progress)) => {
                (progress.step.map_or(0, |step| step.saturating_sub(1)), progress.step)
            }
            (RunStatus::Paused, _) => {
                let done = last_done.unwrap_or(0);
                (done, Some(done + 1).filter(|step| *step <= steps_total))
            }
            _ => (last_done.unwrap_or(0), None),
        };
        Self {
            run,
            calls,
            decisions,
            steps_completed: steps_completed.min(steps_total),
            steps_total,
            current_step,
            step_outputs,
        }
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
