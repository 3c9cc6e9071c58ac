//! What confidence and the bar for going back are worth, on streams of outcomes whose chances are known.
//!
//! Confidence is what the program computes ([`posterior`]) before each outcome; the static score is what the checks gave and
//! nothing moves. The Brier score is the mean square of what either was off. `cargo test simulation -- --nocapture` prints all figures.

#![allow(clippy::print_stdout, reason = "the figures are for whoever asks for them")]

use super::regression::{FAILURES_AT_LEAST, Tally, worse};
use crate::domain::confidence::posterior;

const STREAMS: u32 = 400;
const RUNS: u32 = 200;
/// What checks give typical code.
const PRIORS: [f64; 3] = [0.6, 0.75, 0.9];

/// `SplitMix64`: small, and the same everywhere.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        f64::from(u32::try_from((z ^ (z >> 31)) >> 32).unwrap()) / f64::from(u32::MAX)
    }

    fn between(&mut self, least: f64, most: f64) -> f64 {
        least + (most - least) * self.next()
    }
}

/// The chance of a success at each moment of a stream, and where new code comes with evidence of its own.
struct Regime {
    name: &'static str,
    chances: fn(&mut Chance) -> (f64, f64),
    /// How the chance goes from the first to the second.
    course: fn(f64) -> f64,
    has_new_code: bool,
}

const REGIMES: [Regime; 4] = [
    Regime {
        name: "stable, good",
        chances: |chance| {
            let share = chance.between(0.9, 1.0);
            (share, share)
        },
        course: |_| 0.0,
        has_new_code: false,
    },
    Regime {
        name: "stable, bad",
        chances: |chance| {
            let share = chance.between(0.05, 0.35);
            (share, share)
        },
        course: |_| 0.0,
        has_new_code: false,
    },
    Regime {
        name: "drift",
        chances: |chance| (chance.between(0.9, 1.0), chance.between(0.5, 0.8)),
        course: |at| at,
        has_new_code: false,
    },
    Regime {
        name: "regression with a new version",
        chances: |chance| (chance.between(0.9, 1.0), chance.between(0.05, 0.4)),
        course: |at| if at < 0.5 { 0.0 } else { 1.0 },
        has_new_code: true,
    },
];

#[derive(Default)]
struct Scores {
    confidence: f64,
    fixed: f64,
    /// Of whoever knew the chances: nobody does better.
    knowing: f64,
    count: f64,
}

impl Scores {
    fn add(&mut self, other: &Self) {
        self.confidence += other.confidence;
        self.fixed += other.fixed;
        self.knowing += other.knowing;
        self.count += other.count;
    }

    fn means(&self) -> [f64; 3] {
        [self.confidence, self.fixed, self.knowing].map(|sum| sum / self.count)
    }
}

fn stream(regime: &Regime, prior: f64, chance: &mut Chance) -> Scores {
    let (first, second) = (regime.chances)(chance);
    let mut scores = Scores::default();
    let mut tally = Tally::default();
    for run in 0..RUNS {
        let at = f64::from(run) / f64::from(RUNS);
        if regime.has_new_code && run == RUNS / 2 {
            tally = Tally::default();
        }
        let share = first + (second - first) * (regime.course)(at);
        let succeeds = chance.next() < share;
        let ended = f64::from(u8::from(succeeds));
        let off = |said: f64| (said - ended).powi(2);
        scores.add(&Scores {
            confidence: off(posterior(prior, tally.successes, tally.failures)),
            fixed: off(prior),
            knowing: off(share),
            count: 1.0,
        });
        if succeeds {
            tally.successes += 1;
        } else {
            tally.failures += 1;
        }
    }
    scores
}

#[test]
fn confidence_says_what_happens_next_better_than_the_static_score() {
    let mut all = Scores::default();
    for (seed, regime) in (1..).zip(&REGIMES) {
        let mut chance = Chance(seed);
        let mut of_regime = Scores::default();
        for _ in 0..STREAMS {
            for prior in PRIORS {
                of_regime.add(&stream(regime, prior, &mut chance));
            }
        }
        let [confidence, fixed, knowing] = of_regime.means();
        println!("{:<30} confidence {confidence:.3}, static {fixed:.3}, knowing all {knowing:.3}", regime.name);
        assert!(confidence < fixed, "{}", regime.name);
        assert!(confidence <= 0.19, "{}", regime.name);
        all.add(&of_regime);
    }
    let [confidence, fixed, knowing] = all.means();
    println!("{:<30} confidence {confidence:.3}, static {fixed:.3}, knowing all {knowing:.3}", "all");
    assert!(confidence <= 0.16 && confidence < fixed, "{confidence} {fixed}");
}

/// Runs of a new version until it is proposed to go back, and the failures until then.
fn until_proposed(before: Tally, share: f64, chance: &mut Chance) -> Option<(u64, u64)> {
    let mut after = Tally::default();
    for run in 1..=u64::from(RUNS) {
        if chance.next() < share {
            after.successes += 1;
        } else {
            after.failures += 1;
        }
        if worse(before, after).is_some() {
            return Some((run, after.failures));
        }
    }
    None
}

/// Of how many new versions it is proposed to go back, and after how many failures, in the mean.
fn proposed(before_runs: u32, before: f64, after: (f64, f64), seed: u64) -> (f64, f64) {
    const VERSIONS: u32 = 5000;
    let mut chance = Chance(seed);
    let (mut count, mut failures) = (0.0, 0.0);
    for _ in 0..VERSIONS {
        let mut known = Tally::default();
        for _ in 0..before_runs {
            if chance.next() < before {
                known.successes += 1;
            } else {
                known.failures += 1;
            }
        }
        let share = chance.between(after.0, after.1);
        if let Some((_, failed)) = until_proposed(known, share, &mut chance) {
            count += 1.0;
            failures += f64::from(u32::try_from(failed).unwrap());
        }
    }
    (count / f64::from(VERSIONS), failures / f64::max(count, 1.0))
}

#[test]
fn a_bad_version_is_proposed_for_going_back_soon_and_a_good_one_practically_never() {
    for before_runs in [10, 30, 100] {
        let (rate, failures) = proposed(before_runs, 0.95, (0.0, 0.0), 11);
        println!("{before_runs} runs before; always fails: {rate:.4}, after {failures:.2} failures");
        assert!(rate > 0.999 && failures < 4.0, "{rate} {failures}");
        let (rate, failures) = proposed(before_runs, 0.95, (0.1, 0.4), 12);
        println!("{before_runs} runs before; bad: {rate:.4}, after {failures:.2} failures");
        assert!(rate > 0.98 && failures < 8.0, "{rate} {failures}");
        for (name, share, most) in [("as good", 0.95, 0.012), ("better", 0.99, 0.001)] {
            let (rate, _) = proposed(before_runs, 0.95, (share, share), 13);
            println!("{before_runs} runs before; {name}: {rate:.4} in {RUNS} runs");
            assert!(rate <= most, "{rate}");
        }
    }
    assert!(worse(Tally { successes: 30, failures: 0 }, Tally { successes: 0, failures: FAILURES_AT_LEAST }).is_some());
}
