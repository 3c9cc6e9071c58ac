//! Whether a version does worse than the one before.
//!
//! Both shares of successes are unknown; after the runs that were seen each has a Beta distribution (from a uniform one), and
//! what counts is the probability that the new share is the smaller one. For whole numbers of runs it has a closed form
//! (E. Miller, "Formulas for Bayesian A/B Testing", 2014). It is looked at again and again, which makes false alarms where 0.95
//! is the bar, as is usual for one look (R. Johari and others, "Peeking at A/B Tests", KDD 2017). So the bar is
//! [`SURE_ENOUGH`], a version must have failed [`FAILURES_AT_LEAST`] times, and be worse by [`WORSE_BY`]: nobody goes back for
//! less. What this comes to is measured in `simulation_tests`.

/// A version is worse when it is so with this probability.
pub const SURE_ENOUGH: f64 = 0.998;
/// A version that failed less often has had bad luck.
pub const FAILURES_AT_LEAST: u64 = 3;
/// How much smaller the expected share of successes must be.
pub const WORSE_BY: f64 = 0.2;
/// More runs than this say no more, and take longer to compare.
const MOST: u64 = 500;

/// How the runs of one code ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub successes: u64,
    /// Without those that say nothing of the code.
    pub failures: u64,
}

impl Tally {
    /// The expected share of successes.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    pub fn share(self) -> f64 {
        (self.successes + 1) as f64 / (self.successes + self.failures + 2) as f64
    }

    /// The parameters of the Beta distribution, where there are too many runs in the same proportion.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most MOST after the division"
    )]
    fn parameters(self) -> (u64, u64) {
        let all = self.successes + self.failures;
        let less = |count: u64| {
            if all <= MOST { count } else { (count as f64 * MOST as f64 / all as f64).round() as u64 }
        };
        (less(self.successes) + 1, less(self.failures) + 1)
    }
}

/// The probability that `after` has a smaller share of successes than `before`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "at most MOST + 1")]
pub fn probability_of_worse(before: Tally, after: Tally) -> f64 {
    // Of two independent variables with the distributions Beta(a, b) and Beta(c, d) the second one is the larger with
    // the probability Σ B(a + i, b + d) / ((d + i) B(1 + i, d) B(a, b)) over i < c. Each summand comes from the one before.
    let ((a, b), (c, d)) = (after.parameters(), before.parameters());
    let (a, b, both, d_) = (a as f64, b as f64, (b + d) as f64, d as f64);
    let mut logarithm: f64 = (0..d).map(|j| ((b + j as f64) / (a + b + j as f64)).ln()).sum();
    let mut sum = 0.0;
    for i in (0..c).map(|i| i as f64) {
        sum += logarithm.exp();
        logarithm += ((a + i) / (a + i + both) * (d_ + i) / (1.0 + i)).ln();
    }
    sum.clamp(0.0, 1.0)
}

/// The probability that a version does worse than the one before, where that is enough to go back.
#[must_use]
pub fn worse(before: Tally, after: Tally) -> Option<f64> {
    if after.failures < FAILURES_AT_LEAST || before.share() - after.share() < WORSE_BY {
        return None;
    }
    Some(probability_of_worse(before, after)).filter(|probability| *probability >= SURE_ENOUGH)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn tally(successes: u64, failures: u64) -> Tally {
        Tally { successes, failures }
    }

    #[test]
    fn the_closed_form_is_what_it_says() {
        // Worked out by hand: no run at all, and one success against one failure.
        for (before, after, expected) in [
            (tally(0, 0), tally(0, 0), 0.5),
            (tally(1, 0), tally(0, 1), 5.0 / 6.0),
            (tally(20, 0), tally(0, 2), 1.0 - 6.0 / 12_144.0),
            (tally(20, 0), tally(0, 1), 1.0 - 2.0 / 506.0),
        ] {
            let found = probability_of_worse(before, after);
            assert!((found - expected).abs() < 1e-9, "{before:?} {after:?}: {found}, not {expected}");
        }
    }

    #[test]
    fn a_bad_version_is_known_after_as_few_failures_as_are_asked_for() {
        assert_eq!(worse(tally(20, 0), tally(0, 2)), None);
        assert!(worse(tally(20, 0), tally(0, 3)).is_some());
        assert!(worse(tally(8, 0), tally(0, 3)).is_some());
        assert_eq!(worse(tally(7, 0), tally(0, 3)), None, "seven runs say too little of the version before");
        assert!(probability_of_worse(tally(5000, 50), tally(400, 60)) > 0.999);
        assert_eq!(worse(tally(5000, 50), tally(400, 60)), None, "worse, and not by much");
    }

    proptest! {
        #[test]
        fn one_is_worse_or_the_other(s in 0u64..700, f in 0u64..700, t in 0u64..700, g in 0u64..700) {
            let (one, other) = (tally(s, f), tally(t, g));
            let (there, back) = (probability_of_worse(one, other), probability_of_worse(other, one));
            prop_assert!((there + back - 1.0).abs() < 1e-6, "{} {}", there, back);
        }

        #[test]
        fn a_failure_more_makes_it_no_less_likely(s in 0u64..100, f in 0u64..20, t in 0u64..100, g in 0u64..20) {
            let before = tally(s, f);
            let now = probability_of_worse(before, tally(t, g));
            prop_assert!(probability_of_worse(before, tally(t, g + 1)) >= now - 1e-9);
            prop_assert!(probability_of_worse(before, tally(t + 1, g)) <= now + 1e-9);
        }
    }
}
