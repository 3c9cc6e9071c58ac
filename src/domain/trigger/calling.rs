//! When a condition calls: as it becomes true, and not at every event while it is.

/// What is remembered of a condition and whose value it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Called {
    /// Whether it has called for the value that holds now.
    pub is_over: bool,
    /// When it called last; milliseconds since 1970.
    pub at: i64,
}

/// What is to be remembered once a value was looked at `now`, and whether the condition calls. After it has called it does
/// not for `cooldown_ms`; where it holds then, again, it does so at the next event.
#[must_use]
pub fn after(known: Option<Called>, holds: bool, cooldown_ms: i64, now: i64) -> (Option<Called>, bool) {
    let is_cooling = |called: &Called| (0..cooldown_ms).contains(&(now - called.at));
    match (known, holds) {
        (Some(called), true) if called.is_over || is_cooling(&called) => (known, false),
        (_, true) => (Some(Called { is_over: true, at: now }), true),
        (known, false) => (known.filter(is_cooling).map(|called| Called { is_over: false, ..called }), false),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The moments at which a condition calls that is looked at every second.
    fn calls(holds: &[u8], cooldown: i64) -> Vec<usize> {
        let mut known = None;
        let mut calls = Vec::new();
        for (second, holds) in holds.iter().enumerate() {
            let now = 1_000_000 + 1000 * i64::try_from(second).unwrap();
            let is_called;
            (known, is_called) = after(known, *holds == 1, cooldown * 1000, now);
            calls.extend(is_called.then_some(second));
        }
        calls
    }

    #[test]
    fn it_calls_as_it_becomes_true() {
        assert_eq!(calls(&[1, 1, 1], 0), [0]);
        assert_eq!(calls(&[0, 1, 1, 0, 0, 1, 0, 1], 0), [1, 5, 7]);
        assert_eq!(calls(&[0, 0], 0), [0; 0]);
    }

    #[test]
    fn what_became_true_while_it_was_silent_is_said_afterwards() {
        assert_eq!(calls(&[1, 0, 1, 0, 1, 1, 1, 1], 5), [0, 5]);
        assert_eq!(calls(&[1, 0, 1, 0, 0, 0, 0, 0], 5), [0]);
        assert_eq!(calls(&[1, 1, 1, 1, 1, 1, 1, 1], 3), [0], "it holds all the time");
        // A clock that was set back does not keep it silent.
        assert!(after(Some(Called { is_over: false, at: 5000 }), true, 1000, 4000).1);
    }

    proptest! {
        #[test]
        fn each_call_has_a_beginning_of_its_own(holds in proptest::collection::vec(0_u8..2, 0..60), cooldown in 0_i64..9) {
            let calls = calls(&holds, cooldown);
            for pair in calls.windows(2) {
                prop_assert!(holds[pair[0]..pair[1]].contains(&0), "it was false in between");
                prop_assert!(i64::try_from(pair[1] - pair[0]).unwrap() >= cooldown);
            }
            prop_assert!(calls.iter().all(|second| holds[*second] == 1));
            prop_assert_eq!(calls.first().copied(), holds.iter().position(|holds| *holds == 1));
        }
    }
}
