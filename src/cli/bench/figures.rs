//! Samples, what they come to, and how they are shown.

use std::time::Duration;

use serde::Serialize;

use crate::cli::output::{GREEN, Output, RED};

/// Times of one operation, in milliseconds.
#[derive(Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    pub fn add(&mut self, time: Duration) {
        self.0.push(time.as_secs_f64() * 1000.0);
    }

    /// What they come to, beside the budget.
    pub fn figure(self, what: &str, budget: Budget) -> Figure {
        let figure = self.without_budget(what);
        let judged_by = if matches!(budget, Budget::P95(_)) { "p95" } else { "p50" };
        Figure { budget: Some(budget.milliseconds()), judged_by, ..figure }
    }

    /// What they come to, where nothing is asked of that.
    pub fn without_budget(mut self, what: &str) -> Figure {
        self.0.sort_by(f64::total_cmp);
        let at = |share: f64| {
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "small"
            )]
            let rank = ((self.0.len() as f64 * share).ceil() as usize).saturating_sub(1);
            self.0.get(rank).copied().unwrap_or_default()
        };
        Figure {
            what: what.to_owned(),
            unit: "ms",
            p50: Some(at(0.50)),
            p95: Some(at(0.95)),
            budget: None,
            judged_by: "p50",
            more_is_better: false,
            why_not: None,
        }
    }
}

/// What a time is held against, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub enum Budget {
    /// For the median.
    P50(f64),
    /// For the 95th percentile.
    P95(f64),
}

impl Budget {
    const fn milliseconds(self) -> f64 {
        match self {
            Self::P50(limit) | Self::P95(limit) => limit,
        }
    }
}

/// One measured figure beside its budget.
#[derive(Debug, Serialize)]
pub struct Figure {
    what: String,
    unit: &'static str,
    p50: Option<f64>,
    p95: Option<f64>,
    budget: Option<f64>,
    judged_by: &'static str,
    more_is_better: bool,
    /// Why it could not be taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    why_not: Option<String>,
}

impl Figure {
    /// One that could not be taken here.
    pub fn absent(what: &str, why: &str) -> Self {
        Self {
            what: what.to_owned(),
            unit: "ms",
            p50: None,
            p95: None,
            budget: None,
            judged_by: "p50",
            more_is_better: false,
            why_not: Some(why.to_owned()),
        }
    }

    /// The median of times, where it was taken.
    pub const fn median(&self) -> Option<f64> {
        self.p50
    }

    #[expect(clippy::cast_precision_loss, reason = "sizes far below 2^52")]
    pub fn size(what: &str, bytes: usize, budget: usize) -> Self {
        let kib = |bytes: usize| bytes as f64 / 1024.0;
        Self {
            what: what.to_owned(),
            unit: "KiB",
            p50: Some(kib(bytes)),
            p95: None,
            budget: Some(kib(budget)),
            judged_by: "p50",
            more_is_better: false,
            why_not: None,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    pub fn rate(what: &str, count: usize, time: Duration, budget: f64) -> Self {
        Self {
            what: what.to_owned(),
            unit: "per s",
            p50: Some(count as f64 / time.as_secs_f64()),
            p95: None,
            budget: Some(budget),
            judged_by: "p50",
            more_is_better: true,
            why_not: None,
        }
    }

    fn is_within(&self) -> Option<bool> {
        let judged = self.p95.filter(|_| self.judged_by == "p95").or(self.p50);
        judged
            .zip(self.budget)
            .map(|(judged, budget)| if self.more_is_better { judged >= budget } else { judged <= budget })
    }
}

/// The figures as a table.
pub fn print(out: Output, figures: &[Figure]) {
    let number = |value: f64| if value < 100.0 { format!("{value:.3}") } else { format!("{value:.0}") };
    for figure in figures {
        let Some(p50) = figure.p50 else {
            let why = figure.why_not.as_deref().unwrap_or_default();
            out.line(format_args!("{:<28} {:>14}  {why}", figure.what, "not here"));
            continue;
        };
        let p95 = figure.p95.map_or_else(String::new, |p95| format!("p95 {}", number(p95)));
        let budget = figure.budget.map_or_else(String::new, |budget| {
            let relation = if figure.more_is_better { "≥" } else { "≤" };
            let judged = if figure.judged_by == "p95" { "p95 " } else { "" };
            format!("{judged}{relation} {}", number(budget))
        });
        let verdict = match figure.is_within() {
            Some(true) => format!("{GREEN}ok{GREEN:#}"),
            Some(false) => format!("{RED}over{RED:#}"),
            None => String::new(),
        };
        let value = format!("{} {}", number(p50), figure.unit);
        out.line(format_args!("{:<28} {value:>14}  {p95:<12} {budget:<12} {verdict}", figure.what));
    }
}

/// Memory of a process that is resident, where the system tells.
pub fn resident_bytes(process: u32) -> Option<usize> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
