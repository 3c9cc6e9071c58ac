//! Confidence in code: a prior from static checks, moved by outcomes. Equal code has equal evidence, in whichever versions of a
//! procedure it stands.

/// How many executions the prior is worth. With four, five failures in a row sink the best code below 0.5, and ten
/// successes lift it visibly.
const PRIOR_WEIGHT: f64 = 4.0;

/// Most that checks alone can give. They can't know whether the code does what somebody wants.
pub const MAX_PRIOR: f64 = 0.9;

/// The expected share of successes, 0 to 1, after `successes` and `failures` of code whose checks gave `prior`.
///
/// The mean of a Beta distribution whose parameters are `PRIOR_WEIGHT` split by the prior, plus the outcomes. Rounded to
/// two digits.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
pub fn posterior(prior: f64, successes: u64, failures: u64) -> f64 {
    let mean = (prior * PRIOR_WEIGHT + successes as f64) / (PRIOR_WEIGHT + (successes + failures) as f64);
    (mean * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn outcomes_move_it_the_right_way(hundredths in 0u8..=90, successes in 0u64..1000, failures in 0u64..1000) {
            let prior = f64::from(hundredths) / 100.0;
            let now = posterior(prior, successes, failures);
            prop_assert!((0.0..=1.0).contains(&now));
            prop_assert!(posterior(prior, successes + 1, failures) >= now);
            prop_assert!(posterior(prior, successes, failures + 1) <= now);
        }

        #[test]
        fn what_keeps_failing_sinks_and_what_runs_well_rises(hundredths in 0u8..=90, more in 0u64..50) {
            let prior = f64::from(hundredths) / 100.0;
            prop_assert!(posterior(prior, 0, 5 + more) < 0.5);
            prop_assert!(posterior(prior, 10 + more, 0) > prior);
            prop_assert!((posterior(prior, 0, 0) - prior).abs() < 1e-9);
        }
    }
}
