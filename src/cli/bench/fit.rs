//! Weights of recall that answer given questions best: what stands in the tables of `library/procedures/relevance.rs`.
//!
//! Those of relevance make it likeliest that, of what is looked at for a question, the procedure that is meant comes out (a softmax
//! over the candidates of each question); those of likelihood tell questions that are answered from those that nothing fits (logistic
//! regression). Both by gradients, from the same beginning, so that the same questions give the same weights.

use crate::library::{Looked, signals_of_likelihood, signals_of_relevance};

const STEPS: i32 = 800;
const RATE: f64 = 0.1;
/// How much large weights are held against a fit, each in units of how much its signal varies.
const PENALTY: f64 = 1e-3;
/// How much of the past the gradient and its square keep (Adam: D. Kingma, J. Ba, 2015).
const KEPT: (f64, f64) = (0.9, 0.99);
/// Shares of the questions that nothing fits that may be answered, for which is said what that costs.
const ANSWERED_AMISS: [f64; 4] = [0.035, 0.05, 0.075, 0.1];

/// Questions, with what was looked at for them.
#[derive(Default)]
pub struct Samples {
    /// The signals of each candidate, and which of them is meant.
    meant: Vec<(Vec<Vec<f64>>, usize)>,
    /// What tells that anything fits, and whether something does; of each corpus by itself.
    fits: Vec<Vec<(Vec<f64>, bool)>>,
}

impl Samples {
    /// Begins another corpus: each counts the same for the likelihood, however many questions it has.
    pub fn begin(&mut self) {
        self.fits.push(Vec::new());
    }

    /// Adds a question; `answer` is the procedure that is meant, `None` where nothing fits.
    pub fn add(&mut self, looked: Looked, answer: Option<&str>) {
        let place = answer.map(|answer| looked.procedures.iter().position(|procedure| procedure.name == answer));
        // What was not found tells nothing about how to rank it, nor was there anything to answer.
        if let Some(likely) = looked.likely.filter(|_| place != Some(None)) {
            self.fits.last_mut().into_iter().for_each(|fits| fits.push((likely.clone(), place.is_some())));
        }
        if let Some(Some(place)) = place {
            let signals = looked.procedures.into_iter().map(|procedure| procedure.signals).collect();
            self.meant.push((signals, place));
        }
    }

    /// Lines with the weights, and how well they do.
    pub fn fitted(&self) -> Vec<String> {
        let relevance = descend(signals_of_relevance().len(), &self.spread_of_candidates(), |weights| {
            self.slope_of_relevance(weights)
        });
        let spread = spread(self.all().map(|(signals, _)| signals.as_slice()), signals_of_likelihood().len());
        let likely = descend(spread.len(), &spread, |weights| self.slope_of_likelihood(weights));
        let mut lines = vec![format!("Relevance, of {} questions:", self.meant.len())];
        lines.extend(table(signals_of_relevance(), &relevance));
        lines.push(format!("Likelihood, of {} questions:", self.all().count()));
        lines.extend(table(signals_of_likelihood(), &likely));
        let now: Vec<f64> = signals_of_likelihood().iter().map(|(_, weight)| *weight).collect();
        for (whose, weights) in [("Fitted", &likely), ("Now", &now)] {
            lines.extend(ANSWERED_AMISS.iter().map(|amiss| format!("{whose}: {}", self.answered(weights, *amiss))));
        }
        lines
    }

    fn all(&self) -> impl Iterator<Item = &(Vec<f64>, bool)> {
        self.fits.iter().flatten()
    }

    /// What is answered with these weights of likelihood, where no more than a share is of what nothing fits.
    fn answered(&self, weights: &[f64], amiss: f64) -> String {
        let least = self.least_likely(weights, amiss);
        let is = |fits: bool| self.all().filter(move |(_, does)| *does == fits);
        let answered = |fits: bool| is(fits).filter(|(signals, _)| chance(weights, signals) >= least).count();
        format!(
            "answered from {least:.3} on are {} of {} that something fits, {} of {} that nothing fits.",
            answered(true),
            is(true).count(),
            answered(false),
            is(false).count()
        )
    }

    fn spread_of_candidates(&self) -> Vec<f64> {
        let all = self.meant.iter().flat_map(|(candidates, _)| candidates.iter().map(Vec::as_slice));
        spread(all, signals_of_relevance().len())
    }

    fn slope_of_relevance(&self, weights: &[f64]) -> Vec<f64> {
        let mut slope = vec![0.0; weights.len()];
        for (candidates, meant) in &self.meant {
            let relevance: Vec<f64> = candidates.iter().map(|signals| sum(weights, signals)).collect();
            let best = relevance.iter().copied().fold(f64::MIN, f64::max);
            let shares: Vec<f64> = relevance.iter().map(|relevance| (relevance - best).exp()).collect();
            let all: f64 = shares.iter().sum();
            for (index, (signals, share)) in candidates.iter().zip(&shares).enumerate() {
                let error = share / all - if index == *meant { 1.0 } else { 0.0 };
                slope.iter_mut().zip(signals).for_each(|(slope, signal)| *slope += error * signal);
            }
        }
        let count = as_float(self.meant.len().max(1));
        slope.into_iter().map(|slope| slope / count).collect()
    }

    /// Both kinds of questions count the same, however many there are.
    fn slope_of_likelihood(&self, weights: &[f64]) -> Vec<f64> {
        let mut slope = vec![0.0; weights.len()];
        for corpus in &self.fits {
            let of = |kind: bool| as_float(corpus.iter().filter(|(_, fits)| *fits == kind).count().max(1));
            let shares = [of(false), of(true)].map(|count| 0.5 / count / as_float(self.fits.len()));
            for (signals, fits) in corpus {
                let (truth, share) = if *fits { (1.0, shares[1]) } else { (0.0, shares[0]) };
                let error = (chance(weights, signals) - truth) * share;
                slope.iter_mut().zip(signals).for_each(|(slope, signal)| *slope += error * signal);
            }
        }
        slope
    }

    /// The likelihood below which nothing is answered.
    fn least_likely(&self, weights: &[f64], share: f64) -> f64 {
        let amiss = self.all().filter(|(_, fits)| !fits).map(|(signals, _)| chance(weights, signals));
        let mut amiss: Vec<f64> = amiss.collect();
        amiss.sort_by(|a, b| b.total_cmp(a));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
        let allowed = (as_float(amiss.len()) * share) as usize;
        amiss.get(allowed).map_or(0.0, |chance| chance + 0.001)
    }
}

fn table(names: &[(&str, f64)], weights: &[f64]) -> Vec<String> {
    let row = |((name, now), weight): (&(&str, f64), &f64)| format!("  {name:<20} {weight:>8.3}   now {now:>8.3}");
    names.iter().zip(weights).map(row).collect()
}

fn sum(weights: &[f64], signals: &[f64]) -> f64 {
    weights.iter().zip(signals).map(|(weight, signal)| weight * signal).sum()
}

fn chance(weights: &[f64], signals: &[f64]) -> f64 {
    1.0 / (1.0 + (-sum(weights, signals)).exp())
}

/// How much each signal varies; 1 where it does not.
fn spread<'s>(all: impl Iterator<Item = &'s [f64]>, count: usize) -> Vec<f64> {
    let (mut number, mut sums, mut squares) = (0_usize, vec![0.0; count], vec![0.0; count]);
    for signals in all {
        number += 1;
        for ((sum, square), signal) in sums.iter_mut().zip(&mut squares).zip(signals) {
            *sum += signal;
            *square += signal * signal;
        }
    }
    let number = as_float(number.max(1));
    let of = |(sum, square): (&f64, &f64)| (square / number - (sum / number).powi(2)).max(0.0).sqrt();
    sums.iter().zip(&squares).map(of).map(|spread| if spread > 1e-9 { spread } else { 1.0 }).collect()
}

/// Weights where the slope is none.
fn descend(count: usize, spread: &[f64], slope: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    let mut scaled = vec![0.0; count];
    let (mut first, mut second) = (vec![0.0; count], vec![0.0; count]);
    let weights =
        |scaled: &[f64]| scaled.iter().zip(spread).map(|(weight, spread)| weight / spread).collect::<Vec<_>>();
    for step in 1..=STEPS {
        let slopes = slope(&weights(&scaled));
        for (index, slope) in slopes.into_iter().enumerate() {
            let slope = slope / spread[index] + PENALTY * scaled[index];
            first[index] = KEPT.0 * first[index] + (1.0 - KEPT.0) * slope;
            second[index] = KEPT.1 * second[index] + (1.0 - KEPT.1) * slope * slope;
            let (mean, square) = (first[index] / (1.0 - KEPT.0.powi(step)), second[index] / (1.0 - KEPT.1.powi(step)));
            scaled[index] -= RATE * mean / (square.sqrt() + 1e-9);
        }
    }
    weights(&scaled)
}

#[expect(clippy::cast_precision_loss, reason = "counts of questions")]
fn as_float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::LookedAt;

    fn looked(right: f64, wrong: f64, matched: f64) -> Looked {
        let procedure = |name: &str, signal: f64| {
            let mut signals = vec![0.0; signals_of_relevance().len()];
            signals[0] = signal;
            LookedAt { name: name.to_owned(), signals }
        };
        let mut likely = vec![0.0; signals_of_likelihood().len()];
        (likely[0], likely[1]) = (1.0, matched);
        Looked { procedures: vec![procedure("right", right), procedure("wrong", wrong)], likely: Some(likely) }
    }

    #[test]
    fn what_tells_the_right_one_gains_weight_and_what_says_nothing_has_none() {
        let mut samples = Samples::default();
        samples.begin();
        for index in 0..40_u32 {
            let more = f64::from(index % 10) / 10.0;
            samples.add(looked(0.5 + more, 0.4, 3.0 + more), Some("right"));
            samples.add(looked(0.3, 0.4, more), None);
            samples.add(looked(0.3, 0.4, 1.0), Some("missing"));
        }
        assert_eq!((samples.meant.len(), samples.all().count()), (40, 80));
        let relevance =
            descend(signals_of_relevance().len(), &samples.spread_of_candidates(), |at| samples.slope_of_relevance(at));
        assert!(relevance[0] > 5.0 && relevance[1..].iter().all(|weight| weight.abs() < 1e-9), "{relevance:?}");
        let lines = samples.fitted().join("\n");
        assert!(lines.contains("are 40 of 40 that something fits, 0 of 40 that nothing fits"), "{lines}");
    }
}
