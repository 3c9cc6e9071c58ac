//! The line that says how much waits for the user, below what they asked for.

use super::output::{DIM, Output};
use crate::library::{Library, LibraryError, Pending};

/// Says how much waits; nothing where nothing does.
pub fn tell(library: &Library, out: Output) -> Result<(), LibraryError> {
    if let Some(line) = line(library.pending()?) {
        out.line(format_args!("{DIM}{line}{DIM:#}"));
    }
    Ok(())
}

fn line(Pending { candidates, inbox }: Pending) -> Option<String> {
    let count = |count: u64, one: &str, many: &str| {
        (count > 0).then(|| format!("{count} {}", if count == 1 { one } else { many }))
    };
    let candidates = count(candidates, "candidate waits", "candidates wait");
    let inbox = count(inbox, "entry is in the inbox", "entries are in the inbox");
    let parts = [
        candidates.map(|text| format!("{text} (`repertoire review`)")),
        inbox.map(|text| format!("{text} (`repertoire inbox`)")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_waits_is_told() {
        let line = |candidates, inbox| line(Pending { candidates, inbox });
        assert_eq!(line(0, 0), None);
        assert_eq!(line(1, 0).as_deref(), Some("1 candidate waits (`repertoire review`)"));
        assert_eq!(line(0, 2).as_deref(), Some("2 entries are in the inbox (`repertoire inbox`)"));
        assert_eq!(
            line(3, 1).as_deref(),
            Some("3 candidates wait (`repertoire review`), 1 entry is in the inbox (`repertoire inbox`)")
        );
    }
}
