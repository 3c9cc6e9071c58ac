//! Where the words of a question stand in a text.

use super::{
    letters::Lookalikes,
    word_forms::{relatives, stem},
};
use crate::{
    domain::unaccented,
    storage::{Sought, is_glue, is_word_letter},
};

/// Longer columns are ranked by their beginnings.
const RANKED_BYTES: usize = 4000;
/// A word that is nearly the one that was asked for, against that one.
const NEARLY: f64 = 0.8;
/// One that only has to do with it.
const RELATED: f64 = 0.6;

/// Knows the words of a question when it sees them.
pub(super) struct Matcher {
    count: usize,
    /// Stems, each with the place of the word that it stands for and how surely.
    stems: Vec<(String, usize, f64)>,
    /// Beginnings, likewise.
    beginnings: Vec<(String, usize)>,
    lookalikes: Lookalikes,
    /// The first bytes of all of these: most words of a text are none.
    first: [bool; 256],
}

/// How often a text has each word of a question, and how many words it has.
pub(super) struct Counts {
    pub of_words: Vec<f64>,
    pub length: f64,
}

/// Where a text has them.
pub(super) struct Places {
    pub of_words: Vec<At>,
    pub lines: Vec<Line>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct At {
    positions: Vec<u32>,
    /// How surely the word is meant; 0 where the text has none of its forms.
    pub meant: f64,
    /// How much the word of the text that looks most like it does so, where the text has none of its forms.
    pub alike: f64,
}

/// A line of a text.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Line {
    /// The telling words of the question that it has, each once, and how surely.
    pub words: Vec<(usize, f64)>,
    /// How many words it has that are not glue.
    pub length: usize,
    /// The word of the question that it begins with.
    pub opening: Option<usize>,
}

impl Matcher {
    pub(super) fn new(words: &[Sought]) -> Self {
        let mut stems: Vec<(String, usize, f64)> = Vec::new();
        let mut beginnings = Vec::new();
        for (place, word) in words.iter().enumerate() {
            let own = stem(&word.word);
            stems.push((own.to_owned(), place, 1.0));
            stems.extend(word.slips.iter().map(|slip| (stem(slip).to_owned(), place, NEARLY)));
            if word.is_beginning || word.is_pair && word.is_single() {
                beginnings.push((word.word.clone(), place));
            }
        }
        for (place, word) in words.iter().enumerate().filter(|(_, word)| !word.is_glue()) {
            stems.extend(relatives(stem(&word.word)).into_iter().map(|relative| (relative, place, RELATED)));
        }
        let mut first = [false; 256];
        let texts = stems.iter().map(|(stem, ..)| stem).chain(beginnings.iter().map(|(beginning, _)| beginning));
        for byte in texts.filter_map(|text| text.bytes().next()) {
            first[usize::from(byte)] = true;
        }
        let whole = words.iter().enumerate().filter(|(_, word)| !word.is_glue() && !word.is_pair);
        let lookalikes = Lookalikes::of(whole.map(|(place, word)| (place, word.word.as_str())));
        Self { count: words.len(), stems, beginnings, lookalikes, first }
    }

    pub(super) fn count(&self, columns: &[String; 5]) -> Counts {
        let mut counts = Counts { of_words: vec![0.0; self.count], length: 0.0 };
        for column in columns {
            for word in words(&comparable(column)) {
                counts.length += 1.0;
                if let Some((place, meant)) = self.find(word) {
                    counts.of_words[place] += meant;
                }
            }
        }
        counts
    }

    pub(super) fn places(&self, columns: &[String; 5]) -> Places {
        let mut places = Places { of_words: vec![At::default(); self.count], lines: Vec::new() };
        let mut position = 0;
        for column in columns {
            for text in comparable(column).lines() {
                let mut line = Line::default();
                for (index, word) in words(text).enumerate() {
                    position += 1;
                    let is_glue = is_glue(word);
                    line.length += usize::from(!is_glue);
                    let Some((place, meant)) = self.find(word) else {
                        for (place, alike) in self.lookalikes.like(word) {
                            let at = &mut places.of_words[place];
                            at.alike = at.alike.max(alike);
                        }
                        continue;
                    };
                    if index == 0 {
                        line.opening = Some(place);
                    }
                    let at = &mut places.of_words[place];
                    at.positions.push(position);
                    at.meant = at.meant.max(meant);
                    match line.words.iter_mut().find(|(known, _)| *known == place) {
                        Some((_, known)) => *known = known.max(meant),
                        None if !is_glue => line.words.push((place, meant)),
                        None => {}
                    }
                }
                places.lines.push(line);
            }
            // Columns are not neighbours.
            position += 1;
        }
        places
    }

    /// The word of the question that this word is a form of, and how surely.
    fn find(&self, word: &str) -> Option<(usize, f64)> {
        if !self.first[usize::from(*word.as_bytes().first()?)] {
            return None;
        }
        let form = stem(word);
        let found = self.stems.iter().find(|(stem, ..)| stem == form).map(|(_, place, meant)| (*place, *meant));
        let begun = || self.beginnings.iter().find(|(beginning, _)| word.starts_with(beginning.as_str()));
        found.or_else(|| begun().map(|(_, place)| (*place, NEARLY)))
    }
}

impl Places {
    /// Whether one word follows the other somewhere.
    pub(super) fn are_neighbours(&self, first: usize, second: usize) -> bool {
        let seconds = &self.of_words[second].positions;
        self.of_words[first].positions.iter().any(|at| seconds.binary_search(&(at + 1)).is_ok())
    }
}

fn comparable(column: &str) -> String {
    unaccented(column.get(..column.floor_char_boundary(RANKED_BYTES)).unwrap_or_default())
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !is_word_letter(letter)).filter(|word| !word.is_empty())
}
