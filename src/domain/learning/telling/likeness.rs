//! Which texts say the same in other words, without a model: the words that they share, weighed by how rare these are among all
//! that are compared; words of one meaning and words of one stem; sequences of letters.
//!
//! A twin stands out: its nearest neighbour is much nearer than the next. So what decides is the likeness to the nearest, and by
//! how much that is more than the likeness to the second. Words alone recognise about three in four twins that share hardly
//! any of them; of the others the nearest neighbour is nearly always the right one, which a model or a person can tell.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::LazyLock,
};

/// Words of a line mean the same where they stand in for each other.
const THESAURUS: &str = include_str!("thesaurus.txt");
/// What words of one meaning count, of what the same word counts.
const OF_MEANING: f64 = 0.7;
/// The same, of words with one beginning.
const OF_BEGINNING: f64 = 0.8;
const LETTERS_OF_BEGINNING: usize = 5;
/// The share that sequences of letters have in the likeness.
const OF_LETTERS: f64 = 0.3;
/// From here on two texts say the same: the likeness to the nearest, and what it has more than the second.
const SAME: f64 = 0.52;
/// Among few texts the second says little; it counts as near as the second usually is.
const USUAL_SECOND: f64 = 0.18;
/// Among fewer texts no word counts as common because of them.
const FEWEST: f64 = 200.0;
/// Neighbours that are compared letter by letter.
const NEAREST: usize = 12;
/// Longer texts are compared by their beginnings.
const MAX_WORDS: usize = 120;

const STOP_WORDS: &str = " a an the and or but if then else when whenever while until unless because since so that this these those \
    it its is are was were be been being am do does did done doing have has had having of in on at to from by with without for \
    as into onto than too very can could may might must shall should will would not no nor never don doesn isn t s what which \
    who whom whose how why where there here they them their you your we our i he she his her one ones each every any all some \
    such same other others another more most less least only just also both either neither about after before again against \
    between during over under up down out off above below own few many much lot lots via per within among through use using \
    used uses take takes taking make makes making made let lets get gets getting got give gives given put puts set sets keep \
    keeps kept otherwise instead rather always first finally prior ahead beforehand afterwards later yet still even already \
    ought need needs needed want wants like e g etc ";

/// From a stem to the lines of the thesaurus that it is in.
static MEANINGS: LazyLock<HashMap<String, Vec<u16>>> = LazyLock::new(|| {
    let mut meanings: HashMap<String, Vec<u16>> = HashMap::new();
    for (line, words) in (0..).zip(THESAURUS.lines()) {
        for word in words.split_whitespace() {
            let lines = meanings.entry(stem(word)).or_default();
            if lines.last() != Some(&line) {
                lines.push(line);
            }
        }
    }
    meanings
});

/// What a word and its forms have in common, roughly: it need only be the same for most forms.
fn stem(word: &str) -> String {
    const ENDINGS: [&str; 18] = [
        "ization", "isation", "ations", "ation", "ments", "ment", "ness", "ings", "ing", "edly", "ied", "ies", "ers",
        "ed", "er", "ly", "es", "s",
    ];
    let mut stem = word.to_owned();
    if !word.chars().all(char::is_alphabetic) {
        return stem;
    }
    for ending in ENDINGS {
        let Some(rest) = word.strip_suffix(ending) else { continue };
        if rest.chars().count() < 3 || (ending == "s" && rest.ends_with('s')) {
            continue;
        }
        rest.clone_into(&mut stem);
        if matches!(ending, "ied" | "ies") {
            stem.push('y');
        }
        break;
    }
    let mut last = stem.chars().rev();
    let doubled = last.next().zip(last.next()).filter(|(a, b)| a == b && "bdgmnprt".contains(*a));
    if doubled.is_some() && stem.len() > 3 {
        stem.pop();
    }
    if stem.len() > 4 && stem.ends_with('e') {
        stem.pop();
    }
    stem
}

/// The telling words of a text, in lower case.
fn telling(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
    words.filter(|word| !STOP_WORDS.contains(&format!(" {word} "))).take(MAX_WORDS).map(str::to_owned).collect()
}

/// A text as it is compared.
#[derive(Debug, Clone)]
pub struct Fingerprint {
    /// Its stems in order, each with the lines of the thesaurus that it is in.
    stems: Vec<(String, &'static [u16])>,
    letters: BTreeSet<[char; 4]>,
}

impl Fingerprint {
    #[must_use]
    pub fn of(text: &str) -> Self {
        let words = telling(text);
        let line: Vec<char> = format!(" {} ", words.join(" ")).chars().collect();
        let letters = line.windows(4).filter_map(|window| <[char; 4]>::try_from(window).ok()).collect();
        let stems: BTreeSet<String> = words.iter().map(|word| stem(word)).collect();
        let with_meanings = |stem: String| {
            let meanings = MEANINGS.get(&stem).map_or(&[][..], Vec::as_slice);
            (stem, meanings)
        };
        Self { stems: stems.into_iter().map(with_meanings).collect(), letters }
    }

    fn has(&self, stem: &str) -> bool {
        self.stems.binary_search_by(|(own, _)| own.as_str().cmp(stem)).is_ok()
    }
}

/// A text that is near another, by its place among those that were compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Near {
    pub place: usize,
    /// From 0, nothing in common, to 1.
    pub likeness: f64,
}

/// Texts that others are compared with.
#[derive(Debug, Default)]
pub struct Texts {
    all: Vec<Fingerprint>,
    /// How many have a stem, a meaning, a sequence of letters.
    stems: HashMap<String, usize>,
    meanings: HashMap<u16, usize>,
    letters: HashMap<[char; 4], usize>,
}

impl Texts {
    /// Adds a text; its place is how many there were.
    pub fn push(&mut self, text: Fingerprint) {
        let mut meanings = BTreeSet::new();
        for (stem, lines) in &text.stems {
            *self.stems.entry(stem.clone()).or_default() += 1;
            meanings.extend(lines.iter().copied());
        }
        meanings.into_iter().for_each(|meaning| *self.meanings.entry(meaning).or_default() += 1);
        text.letters.iter().for_each(|letters| *self.letters.entry(*letters).or_default() += 1);
        self.all.push(text);
    }

    /// The nearest texts, nearest first.
    #[must_use]
    pub fn nearest(&self, text: &Fingerprint) -> Vec<Near> {
        let own: Vec<f64> = text.stems.iter().map(|(stem, _)| self.weight(stem)).collect();
        let mut near: Vec<Near> = self
            .all
            .iter()
            .enumerate()
            .map(|(place, other)| Near { place, likeness: self.by_words(text, &own, other) })
            .filter(|near| near.likeness > 0.0)
            .collect();
        near.sort_by(|a, b| b.likeness.total_cmp(&a.likeness).then(a.place.cmp(&b.place)));
        near.truncate(NEAREST);
        for one in &mut near {
            let letters = self.by_letters(text, &self.all[one.place]);
            one.likeness = (1.0 - OF_LETTERS) * one.likeness + OF_LETTERS * letters;
        }
        near.sort_by(|a, b| b.likeness.total_cmp(&a.likeness).then(a.place.cmp(&b.place)));
        near
    }

    fn weight(&self, stem: &str) -> f64 {
        self.rarity(self.stems.get(stem).copied())
    }

    /// How much it says that a text has what so many have.
    #[expect(clippy::cast_precision_loss, reason = "counts of texts")]
    fn rarity(&self, having: Option<usize>) -> f64 {
        let all = (self.all.len() as f64).max(FEWEST);
        let having = having.unwrap_or_default() as f64;
        (1.0 + (all - having + 0.5).max(0.0) / (having + 0.5)).ln()
    }

    /// The likeness of words; `own` are the weights of those of the text.
    fn by_words(&self, text: &Fingerprint, own: &[f64], other: &Fingerprint) -> f64 {
        let theirs: Vec<f64> = other.stems.iter().map(|(stem, _)| self.weight(stem)).collect();
        let (own_sum, their_sum) = (own.iter().sum::<f64>(), theirs.iter().sum::<f64>());
        if own_sum <= 0.0 || their_sum <= 0.0 {
            return 0.0;
        }
        // What the text has too stands for itself.
        let others = other.stems.iter().zip(&theirs).filter(|((stem, _), _)| !text.has(stem));
        let others: Vec<_> = others.collect();
        let shared = text.stems.iter().zip(own).map(|((stem, meanings), weight)| {
            if other.has(stem) {
                return *weight;
            }
            let stand_in = |((theirs, their_meanings), their_weight): &(&(String, &[u16]), &f64)| {
                let common = meanings.iter().filter(|meaning| their_meanings.contains(meaning));
                let of_meaning = common.map(|meaning| self.rarity(self.meanings.get(meaning).copied()));
                let least = weight.min(**their_weight);
                match of_meaning.min_by(f64::total_cmp) {
                    Some(rarity) => OF_MEANING * least.min(rarity),
                    None if has_one_beginning(stem, theirs) => OF_BEGINNING * least,
                    None => 0.0,
                }
            };
            others.iter().map(stand_in).fold(0.0, f64::max)
        });
        shared.sum::<f64>() / (own_sum * their_sum).sqrt()
    }

    fn by_letters(&self, text: &Fingerprint, other: &Fingerprint) -> f64 {
        let square = |letters: &[char; 4]| self.rarity(self.letters.get(letters).copied()).powi(2);
        let length = |letters: &BTreeSet<[char; 4]>| letters.iter().map(square).sum::<f64>().sqrt();
        let (own, theirs) = (length(&text.letters), length(&other.letters));
        if own <= 0.0 || theirs <= 0.0 {
            return 0.0;
        }
        text.letters.intersection(&other.letters).map(square).sum::<f64>() / (own * theirs)
    }
}

fn has_one_beginning(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    a.len().min(b.len()) >= LETTERS_OF_BEGINNING && a[..LETTERS_OF_BEGINNING] == b[..LETTERS_OF_BEGINNING]
}

/// Whether the nearest of these says the same.
#[must_use]
pub fn is_same(nearest: &[Near]) -> bool {
    let Some(first) = nearest.first() else { return false };
    let second = nearest.get(1).map_or(0.0, |near| near.likeness).max(USUAL_SECOND);
    2.0 * first.likeness - second >= SAME
}

/// Those of several texts of each owner that are nearest: an owner is as near as its nearest text.
#[must_use]
pub fn nearest_owners<O: Copy + Ord>(nearest: &[Near], owner: impl Fn(usize) -> O) -> Vec<(O, Near)> {
    let mut best: BTreeMap<O, Near> = BTreeMap::new();
    for near in nearest {
        let known = best.entry(owner(near.place)).or_insert(*near);
        if near.likeness > known.likeness {
            *known = *near;
        }
    }
    let mut owners: Vec<(O, Near)> = best.into_iter().collect();
    owners.sort_by(|a, b| b.1.likeness.total_cmp(&a.1.likeness).then(a.1.place.cmp(&b.1.place)));
    owners
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(all: &[&str]) -> Texts {
        let mut texts = Texts::default();
        all.iter().for_each(|text| texts.push(Fingerprint::of(text)));
        texts
    }

    #[test]
    fn forms_of_a_word_have_one_stem() {
        for (a, b) in [("retries", "retry"), ("testing", "tests"), ("stopped", "stopping"), ("profiles", "profiler")] {
            assert_eq!(stem(a), stem(b), "{a} {b}");
        }
        assert_ne!(stem("press"), stem("pres"));
        assert_eq!(stem("http2"), "http2");
    }

    #[test]
    fn a_twin_in_other_words_is_the_nearest_and_the_same() {
        let texts = texts(&[
            "Quote variables in shell scripts, because file names with spaces are split into several words.",
            "Use a connection pool for Postgres with a limit below `max_connections`, because each connection is a process.",
            "Pin base images by digest, because tags such as `latest` change under you.",
        ]);
        let twin = "PostgreSQL spends a process per connection, so pool them and keep the pool smaller than `max_connections`.";
        let nearest = texts.nearest(&Fingerprint::of(twin));
        assert_eq!(nearest[0].place, 1);
        assert!(is_same(&nearest), "{nearest:?}");
        let other = "Use a replica of Postgres for reports, because analytical queries slow down orders.";
        assert!(!is_same(&texts.nearest(&Fingerprint::of(other))));
    }

    #[test]
    fn nothing_is_like_nothing() {
        assert!(!is_same(&Texts::default().nearest(&Fingerprint::of("Deploy the docs."))));
        assert!(texts(&["", "the of"]).nearest(&Fingerprint::of("")).is_empty());
        let own = nearest_owners(&[Near { place: 0, likeness: 0.2 }, Near { place: 1, likeness: 0.7 }], |_| 5);
        assert_eq!(own, [(5, Near { place: 1, likeness: 0.7 })]);
    }
}
