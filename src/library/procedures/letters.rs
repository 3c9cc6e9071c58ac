//! Words that look alike: how many sequences of three to five letters they have in common.
//!
//! `timestamps` and `timestamp`, `decompress` and `compression`, `filesystem` and `system` have no form in common, and mostly mean
//! the same thing.

/// Shorter words look like too many others.
const SHORTEST: usize = 4;
/// Longer ones are no words.
const LONGEST: usize = 40;
const SEQUENCES: std::ops::RangeInclusive<usize> = 3..=5;
/// Words that are less alike have nothing to do with each other.
const LEAST: f64 = 0.3;
/// Bits of the sieve; nearly no word of a text passes it that has nothing in common with the question.
const BITS: usize = 4096;

/// The sequences of letters of a word, its borders among them, in order.
struct Sequences(Vec<u64>);

impl Sequences {
    /// `None` for what is too short, too long, or no word of letters without accents.
    fn of(word: &str) -> Option<Self> {
        if !(SHORTEST..=LONGEST).contains(&word.len()) || !word.is_ascii() {
            return None;
        }
        let mut all: Vec<u64> = SEQUENCES.flat_map(|length| sequences(word, length)).collect();
        all.sort_unstable();
        all.dedup();
        Some(Self(all))
    }

    /// What two have in common, from 0 to 1 (Dice).
    fn alike(&self, other: &Self) -> f64 {
        let common = self.0.iter().filter(|sequence| other.0.binary_search(sequence).is_ok()).count();
        2.0 * as_float(common) / as_float((self.0.len() + other.0.len()).max(1))
    }
}

/// Knows what looks like one of several words.
pub(super) struct Lookalikes {
    words: Vec<(usize, Sequences)>,
    /// Which sequences of three letters the words have: a word of a text that has none of them is like none.
    sieve: [u64; BITS / 64],
}

impl Lookalikes {
    /// Of these words, with what each is known by.
    pub(super) fn of<'w>(words: impl Iterator<Item = (usize, &'w str)>) -> Self {
        let mut lookalikes = Self { words: Vec::new(), sieve: [0; BITS / 64] };
        for (place, word) in words {
            let Some(own) = Sequences::of(word) else { continue };
            for sequence in sequences(word, *SEQUENCES.start()) {
                let (at, bit) = bit(sequence);
                lookalikes.sieve[at] |= bit;
            }
            lookalikes.words.push((place, own));
        }
        lookalikes
    }

    /// The words that this one looks like, and how much.
    pub(super) fn like(&self, word: &str) -> impl Iterator<Item = (usize, f64)> {
        let may_be = !self.words.is_empty()
            && word.is_ascii()
            && sequences(word, *SEQUENCES.start()).any(|sequence| {
                let (at, bit) = bit(sequence);
                self.sieve[at] & bit != 0
            });
        let own = may_be.then(|| Sequences::of(word)).flatten();
        let alike = own.map(|own| self.words.iter().map(move |(place, other)| (*place, own.alike(other))));
        alike.into_iter().flatten().filter(|(_, alike)| *alike > LEAST)
    }
}

fn bit(sequence: u64) -> (usize, u64) {
    let at = usize::try_from(sequence % BITS as u64).unwrap_or_default();
    (at / 64, 1 << (at % 64))
}

/// The sequences of so many letters, borders included, each as a number (FNV-1a).
fn sequences(word: &str, length: usize) -> impl Iterator<Item = u64> {
    const BORDER: u8 = b' ';
    let at = move |index: usize| match index.checked_sub(1) {
        Some(index) => word.as_bytes().get(index).copied().unwrap_or(BORDER),
        None => BORDER,
    };
    let hash = move |first: usize| {
        let letters = (first..first + length).map(at);
        letters
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, letter| (hash ^ u64::from(letter)).wrapping_mul(0x0100_0000_01b3))
    };
    (0..(word.len() + 3).saturating_sub(length)).map(hash)
}

#[expect(clippy::cast_precision_loss, reason = "sequences of a word")]
fn as_float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(word: &str, other: &str) -> f64 {
        Lookalikes::of([(7, word)].into_iter()).like(other).map(|(_, alike)| alike).fold(0.0, f64::max)
    }

    #[test]
    fn words_look_alike_that_share_most_of_their_letters() {
        for (one, other) in [("timestamps", "timestamp"), ("filesystem", "system"), ("config", "configuration")] {
            assert!(alike(one, other) > LEAST && alike(one, other) < 1.0, "{one} {other}");
        }
        assert!((alike("deploy", "deploy") - 1.0).abs() < 1e-9);
        for (one, other) in [("deploy", "report"), ("test", "text"), ("the", "the"), ("", "deploy"), ("naïve", "naïve")]
        {
            assert!(alike(one, other) < 1e-9, "{one} {other}");
        }
    }

    #[test]
    fn a_word_has_its_borders_among_its_sequences() {
        assert_eq!(sequences("abc", 3).count(), 3);
        assert_eq!(sequences("", 3).count(), 0);
        assert_eq!(sequences("a", 3).count(), 1);
    }
}
