//! What a home takes on the disk, as `repertoire doctor` shows it.

use super::output::{GREEN, Output, YELLOW};
use crate::library::{Taken, Taking};

/// A log of the database that is larger was left by a burst.
const LARGE_LOG: u64 = 16 << 20;
/// Loose objects that are not worth a word yet.
const FEW_OBJECTS: usize = 2000;
/// Free room that is not worth a word yet.
const LITTLE_ROOM: u64 = 64 << 20;

/// Bytes as people read them.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    let mut value = bytes as f64 / 1024.0;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        if value < 1024.0 {
            break;
        }
        (value, unit) = (value / 1024.0, next);
    }
    format!("{value:.1} {unit}")
}

/// Shows what the stores take, and what of it would be freed.
pub fn show(taking: &Taking, out: Output) {
    let Taking { database, history, data } = taking;
    let log = size(database.log);
    say(out, database.log <= LARGE_LOG, "size", &format!("database {}, log {log}", size(database.file)));
    let free = size(database.free);
    if database.free > LITTLE_ROOM {
        let how = if database.gives_back { "`repertoire tidy`" } else { "`repertoire tidy --compact`" };
        say(out, false, "size", &format!("{free} of the database are free and used again; {how} gives them back"));
    }
    let loose = format!("{} loose objects with {}", history.loose, size(history.loose_bytes));
    let packs = match history.packs {
        1 => format!("1 pack with {}", size(history.pack_bytes)),
        count => format!("{count} packs with {}", size(history.pack_bytes)),
    };
    let hint = if history.loose > FEW_OBJECTS { "; a server packs them, and so does `repertoire tidy`" } else { "" };
    say(out, history.loose <= FEW_OBJECTS, "size", &format!("history {packs}, {loose}{hint}"));
    for taken in data {
        let limits = limits(taken);
        let excess = match taken.excess {
            0 => String::new(),
            excess => format!("; {} too much, a server or `repertoire tidy` removes the oldest", size(excess)),
        };
        say(out, taken.excess == 0, "size", &format!("{} {} ({limits}){excess}", taken.name, size(taken.bytes)));
    }
}

fn limits(taken: &Taken) -> String {
    let age = match taken.max_age_days {
        0 => "kept for ever".to_owned(),
        1 => "kept for a day".to_owned(),
        days => format!("kept for {days} days"),
    };
    let most = match taken.max_mib {
        0 => String::new(),
        mib => format!(", at most {}", size(u64::from(mib) << 20)),
    };
    format!("{age}{most}")
}

fn say(out: Output, is_good: bool, what: &str, how: &str) {
    if is_good {
        out.line(format_args!("{GREEN}ok{GREEN:#}    {what}: {how}"));
    } else {
        out.line(format_args!("{YELLOW}note{YELLOW:#}  {what}: {how}"));
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_have_a_unit_that_people_can_read() {
        for (bytes, text) in
            [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.0 KiB"), (1_572_864, "1.5 MiB"), (5 << 40, "5.0 TiB")]
        {
            assert_eq!(size(bytes), text);
        }
    }
}
