//! The clock of a home, as people are told of it.

use std::collections::BTreeMap;

use crate::{
    domain::Keeper,
    library::{Clock, rfc3339_ms},
};

/// What waits for a clock, and who keeps it.
pub fn shown_clock(clock: &Clock) -> String {
    let waiting = match (clock.procedures, clock.next_due) {
        (0, _) | (_, None) => "nothing waits for it".to_owned(),
        (1, Some(due)) => format!("1 procedure waits for it, due {}", rfc3339_ms(due)),
        (count, Some(due)) => format!("{count} procedures wait for it, the next is due {}", rfc3339_ms(due)),
    };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for keeper in &clock.keepers {
        *counts
            .entry(match keeper {
                Keeper::Daemon => "daemon",
                Keeper::Server => "server",
            })
            .or_default() += 1;
    }
    let keepers = counts.into_iter().map(|(kind, count)| match count {
        1 => format!("1 {kind}"),
        _ => format!("{count} {kind}s"),
    });
    let keepers = keepers.collect::<Vec<_>>().join(" and ");
    if keepers.is_empty() { format!("{waiting}; nobody keeps it") } else { format!("{waiting}; kept by {keepers}") }
}
