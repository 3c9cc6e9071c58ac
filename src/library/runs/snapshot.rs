//! What the runtime restores a program from, and how much of that is on record.

use crate::{runtime::Saved, storage::PieceRow};

/// The state of an interpreter as it was saved last; empty before that.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The journal, and behind it the rest.
    bytes: Vec<u8>,
    /// How long the journal is.
    journal: usize,
    /// In how many pieces that is on record.
    pieces: u32,
    /// The seal of the last of them; nothing where there is none.
    pub seal: Vec<u8>,
}

impl Snapshot {
    /// One that is on record.
    pub fn recorded(pieces: Vec<PieceRow>, rest: &[u8]) -> Self {
        let count = u32::try_from(pieces.len()).unwrap_or(u32::MAX);
        let seal = pieces.last().map(|piece| piece.seal.clone()).unwrap_or_default();
        let mut bytes: Vec<u8> = pieces.into_iter().flat_map(|piece| piece.text).collect();
        let journal = bytes.len();
        bytes.extend_from_slice(rest);
        Self { bytes, journal, pieces: count, seal }
    }

    /// How much of the journal it has.
    pub const fn known(&self) -> usize {
        self.journal
    }

    /// Takes in how the state stands now. What the journal has more is the piece to write down; it has no seal yet.
    pub fn take(&mut self, saved: Saved) -> Option<PieceRow> {
        let Saved { grown, rest } = saved;
        self.bytes.truncate(self.journal);
        self.bytes.extend_from_slice(&grown);
        self.journal = self.bytes.len();
        self.bytes.extend_from_slice(&rest);
        if grown.is_empty() {
            return None;
        }
        let piece = PieceRow { piece: self.pieces, text: grown, seal: Vec::new() };
        self.pieces += 1;
        Some(piece)
    }

    /// What is written anew each time.
    pub fn rest(&self) -> &[u8] {
        self.bytes.get(self.journal..).unwrap_or_default()
    }

    /// All of it.
    pub fn whole(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether nothing was saved.
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(grown: &str, rest: &str) -> Saved {
        Saved { grown: grown.into(), rest: rest.into() }
    }

    #[test]
    fn only_what_is_new_is_written_down() {
        let mut snapshot = Snapshot::default();
        assert!(snapshot.is_empty());
        let first = snapshot.take(saved("one ", "waits")).unwrap();
        assert_eq!((first.piece, first.text.as_slice(), snapshot.known()), (0, b"one ".as_slice(), 4));
        assert_eq!(snapshot.take(saved("", "waits still")), None);
        assert_eq!((snapshot.whole(), snapshot.rest()), (b"one waits still".as_slice(), b"waits still".as_slice()));
        let second = snapshot.take(saved("two ", "later")).unwrap();
        assert_eq!((second.piece, second.text.as_slice()), (1, b"two ".as_slice()));
        let again = Snapshot::recorded(vec![first, second], b"later");
        assert_eq!((again.whole(), again.known()), (snapshot.whole(), snapshot.known()));
    }

    #[test]
    fn without_a_journal_all_is_written_anew() {
        let mut snapshot = Snapshot::default();
        assert_eq!(snapshot.take(saved("", "one")), None);
        assert_eq!(snapshot.take(saved("", "two")), None);
        assert_eq!((snapshot.whole(), snapshot.rest(), snapshot.known()), (b"two".as_slice(), b"two".as_slice(), 0));
    }
}
