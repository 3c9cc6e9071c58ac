//! `quality_score`: one number from the checks and the issues.
//!
//! | part | share |
//! |---|---|
//! | valid Python that breaks no security rule | 0.40 |
//! | docstring, error handling, runnable | 0.15 each |
//! | type-hint coverage | up to 0.10 |
//! | types that fit together | 0.05 |
//!
//! From that sum each error takes 0.10 (at most 0.30), each warning 0.04 (at most 0.20), each note 0.01 (at most 0.05).
//! Code that breaks a security rule keeps 0.3 of the result; code that can't be read, or does nothing, scores 0.
//!
//! Every term falls or stays as issues are added and rises or stays as checks are met, so fixing an issue never lowers it.

use crate::validation::{
    issue::{Checks, Issue, Severity},
    rules,
};

/// The score, from 0 to 1, rounded to two digits.
#[must_use]
pub fn quality_score(checks: &Checks, issues: &[Issue]) -> f64 {
    if !checks.syntax || is_nothing(issues) {
        return 0.0;
    }
    let share = |met: bool| if met { 0.15 } else { 0.0 };
    let gained = 0.40
        + share(checks.docstring)
        + share(checks.error_handling)
        + share(checks.runnable)
        + 0.10 * checks.type_hints.clamp(0.0, 1.0)
        + if checks.types { 0.05 } else { 0.0 };
    let lost = penalty(issues, Severity::Error, 0.10, 0.30)
        + penalty(issues, Severity::Warning, 0.04, 0.20)
        + penalty(issues, Severity::Info, 0.01, 0.05);
    let score = (gained - lost).clamp(0.0, 1.0) * if checks.security { 1.0 } else { 0.3 };
    round(score)
}

/// Whether it was found that there is no code at all.
#[must_use]
pub fn is_nothing(issues: &[Issue]) -> bool {
    issues.iter().any(|issue| issue.code == rules::NOTHING.code && issue.severity == Severity::Error)
}

/// Rounds to two digits.
#[must_use]
pub fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn penalty(issues: &[Issue], severity: Severity, each: f64, most: f64) -> f64 {
    issues.iter().filter(|issue| issue.severity == severity).fold(0.0_f64, |sum, _| (sum + each).min(most))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::validation::issue::Category;

    fn issue(severity: Severity) -> Issue {
        Issue { severity, category: Category::Style, message: String::new(), line: None, column: None, code: "RPT000" }
    }

    fn severity() -> impl Strategy<Value = Severity> {
        prop_oneof![Just(Severity::Error), Just(Severity::Warning), Just(Severity::Info)]
    }

    fn checks() -> impl Strategy<Value = Checks> {
        (any::<[bool; 5]>(), 0.0..=1.0).prop_map(
            |([security, docstring, error_handling, types, runnable], type_hints)| Checks {
                syntax: true,
                security,
                docstring,
                error_handling,
                type_hints,
                types,
                runnable,
            },
        )
    }

    #[test]
    fn the_ends_of_the_scale() {
        let perfect = Checks {
            syntax: true,
            security: true,
            docstring: true,
            error_handling: true,
            type_hints: 1.0,
            types: true,
            runnable: true,
        };
        assert!((quality_score(&perfect, &[]) - 1.0).abs() < f64::EPSILON);
        assert!(quality_score(&Checks { syntax: false, ..perfect }, &[]).abs() < f64::EPSILON);
        assert!(quality_score(&Checks { security: false, ..perfect }, &[]) <= 0.3);
    }

    proptest! {
        #[test]
        fn fixing_never_lowers(checks in checks(), severities in prop::collection::vec(severity(), 1..30), drop in any::<prop::sample::Index>()) {
            let issues: Vec<Issue> = severities.into_iter().map(issue).collect();
            let before = quality_score(&checks, &issues);
            let mut fixed = issues.clone();
            fixed.remove(drop.index(issues.len()));
            prop_assert!(quality_score(&checks, &fixed) >= before);
            for better in [
                Checks { security: true, ..checks },
                Checks { docstring: true, ..checks },
                Checks { error_handling: true, ..checks },
                Checks { runnable: true, ..checks },
                Checks { type_hints: 1.0, ..checks },
                Checks { types: true, ..checks },
            ] {
                prop_assert!(quality_score(&better, &issues) >= before);
            }
            prop_assert!((0.0..=1.0).contains(&before));
        }
    }
}
