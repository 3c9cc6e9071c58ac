//! Static confidence in code: the prior that outcomes will move.

use super::Analysis;
use crate::domain::{Definition, confidence::MAX_PRIOR};

/// Code that the interpreter can't execute is not worth more than this, however tidy it is.
const NOT_RUNNABLE: f64 = 0.3;
/// What code keeps of its quality when every step is still left to a person.
const MANUAL_SHARE: f64 = 0.6;

impl Analysis {
    /// Confidence in the code of `definition` from 0 to 1, from static checks alone.
    ///
    /// 0.9 × quality × coverage, at most 0.3 when it can't run. Coverage falls from 1 to 0.6 with the share of the steps
    /// that are calls of `manual_step`: such code is right, but it does little by itself. Rounded to two digits.
    #[must_use]
    pub fn confidence(&self, definition: &Definition) -> f64 {
        let steps = definition.steps.len();
        #[expect(clippy::cast_precision_loss, reason = "a handful of steps")]
        let manual = if steps == 0 { 0.0 } else { (self.facts.manual_steps.min(steps) as f64) / steps as f64 };
        let coverage = 1.0 - (1.0 - MANUAL_SHARE) * manual;
        let confidence = MAX_PRIOR * self.quality_score * coverage;
        let capped = if self.checks.runnable { confidence } else { confidence.min(NOT_RUNNABLE) };
        (capped * 100.0).round() / 100.0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::validation::analyze_for;

    const CODE: &str = "from repertoire import manual_step\n\n\ndef tidy() -> None:\n    \"\"\"Tidies up.\"\"\"\n    ";

    fn confidence(body: &str) -> f64 {
        let definition = json!({"name": "tidy", "category": "general", "steps": ["Look around", "Tidy up"]});
        let definition: Definition = serde_json::from_value(definition).unwrap();
        analyze_for(&format!("{CODE}{body}\n"), &definition).confidence(&definition)
    }

    #[test]
    fn only_steps_that_are_left_to_people_lower_it() {
        let present = confidence("print(manual_step)");
        assert!(present > 0.85, "{present}");
        for body in [
            "print(manual_step)  # this replaced the old manual_step(\"x\") call",
            "print(manual_step, 'manual_step(1), manual_step(2)')",
        ] {
            assert!((confidence(body) - present).abs() < 1e-9, "{body}");
        }
        let half = confidence("manual_step('Look around')");
        let all = confidence("manual_step('Look around')\n    manual_step('Tidy up')");
        assert!((half - 0.8 * present).abs() < 0.01 && (all - 0.6 * present).abs() < 0.01, "{present} {half} {all}");
    }
}
