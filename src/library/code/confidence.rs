//! Static confidence in code: the prior that outcomes will move.

use crate::{
    domain::{Definition, confidence::MAX_PRIOR},
    validation::{self, Analysis, Context},
};

/// Code that the interpreter can't execute is not worth more than this, however tidy it is.
const NOT_RUNNABLE: f64 = 0.3;
/// What code keeps of its quality when every step is still left to a person.
const MANUAL_SHARE: f64 = 0.6;

/// Confidence of `code` from 0 to 1, from static checks alone.
pub fn prior(code: &str, definition: &Definition) -> f64 {
    let name = definition.name.identifier();
    let context = Context { entry_name: Some(&name), definition: Some(definition), ..Context::default() };
    of_analysis(&validation::analyze(code, &context), code, definition)
}

/// 0.9 × quality × coverage, at most 0.3 when it can't run.
///
/// Coverage falls from 1 to 0.6 with the share of the steps that are `manual_step` calls: such code is right, but it
/// does little by itself. Rounded to two digits.
pub fn of_analysis(analysis: &Analysis, code: &str, definition: &Definition) -> f64 {
    let steps = definition.steps.len();
    #[expect(clippy::cast_precision_loss, reason = "a handful of steps")]
    let manual = if steps == 0 { 0.0 } else { (code.matches("manual_step(").count().min(steps) as f64) / steps as f64 };
    let coverage = 1.0 - (1.0 - MANUAL_SHARE) * manual;
    let confidence = MAX_PRIOR * analysis.quality_score * coverage;
    let capped = if analysis.checks.runnable { confidence } else { confidence.min(NOT_RUNNABLE) };
    (capped * 100.0).round() / 100.0
}
