//! How well a text answers a question, and how likely it is that it does at all: the whole ranking, with all its weights.
//!
//! First BM25 over what was found (S. Robertson, H. Zaragoza: The Probabilistic Relevance Framework: BM25 and Beyond, 2009; the
//! lengths are compared with those of the texts that were found). Then the best are looked at more closely: which words stand beside
//! each other as in the question, and whether one line has most of it. `docs/design/recall.md` says what was measured.

use super::text_words::{Counts, Matcher, Places};
use crate::storage::{Answering, FoundText, Role, Sought, word_weight};

/// How soon more of the same word stops to say more.
const K1: f64 = 1.2;
/// How much a long text is held against it.
const B: f64 = 0.75;
/// So many of the best are looked at more closely, where nothing is left out of them later.
pub(in crate::library) const LOOKED_AT: usize = 50;
/// How much a word of a line that is not in the question is held against the line.
const OTHER_WORD: f64 = 0.6;

/// What tells the one that is meant from others, each between 0 and 1, with its weight. The weighted sum is the relevance: a text
/// that has one more of it is e times as likely to be the one. `bench recall --fit` fits these weights.
pub(super) const SIGNALS: [(&str, f64); 7] = [
    ("BM25", 9.87),
    // Words of the question that stand beside each other in the text as well.
    ("neighbours", 1.42),
    // The line that is most like the question, as the cosine of their words.
    ("line", 5.13),
    // How much the line that has most of the question has of it: what is spread over lines is not held against a text twice.
    ("covered by a line", -4.52),
    // How much the lines have of the question, what they have beside it held against them, on average.
    ("lines", 7.9),
    // A line begins with the first word of the question: with what is to be done.
    ("opening", 0.38),
    // How much the text has of the question, words that only look alike included.
    ("covered", 5.48),
];
pub(super) const COUNT: usize = SIGNALS.len();

/// More words in common than this do not make it likelier that a text is meant.
const ENOUGH: f64 = 5.0;
/// Two letters of a language without spaces are less than a word, unless somebody asks for nothing else.
const PAIR: f64 = 0.7;
/// What makes it likely that anything is meant, with its weight: the sum are logarithms of odds. Fitted likewise.
pub(super) const LIKELY: [(&str, f64); 5] = [
    ("always", -3.36),
    // For each word that text and question have in common.
    ("matched", 2.35),
    ("neighbours", 2.04),
    // For each word that no text has.
    ("unknown", -0.34),
    // For `who is …` and `how tall …`: what a procedure answers is not asked like that.
    ("fact", -2.87),
];
/// A question is not answered where it is less likely than this that anything fits.
pub(super) const LEAST_LIKELY: f64 = 0.65;

/// What a text and a question have in common.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(in crate::library) struct Evidence {
    /// The share of what its telling words say that the text has as well.
    pub covered: f64,
    /// How many of them.
    pub matched: f64,
    /// The share of neighbours in the question that are neighbours in the text.
    pub adjacent: f64,
    /// How many no text has that was found.
    pub unknown: f64,
    /// Whether the question asks for a fact.
    pub is_fact: bool,
}

/// A text with how well it answers.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::library) struct Ranked {
    pub text: FoundText,
    pub relevance: f64,
    pub signals: [f64; COUNT],
    pub evidence: Evidence,
}

impl Evidence {
    /// How likely it is that the text is about what the question is about.
    pub(super) fn likelihood(self) -> f64 {
        let odds: f64 = LIKELY.iter().zip(self.signals()).map(|((_, weight), signal)| weight * signal).sum();
        1.0 / (1.0 + (-odds).exp())
    }

    /// In the order of [`LIKELY`].
    pub(super) fn signals(self) -> [f64; LIKELY.len()] {
        let fact = if self.is_fact { 1.0 } else { 0.0 };
        [1.0, self.matched, self.adjacent, self.unknown, fact]
    }

    /// What of several texts speaks most for one of them.
    fn strength(&self) -> f64 {
        self.covered * self.matched
    }
}

/// What speaks most for it that one of these is meant.
pub(super) fn strongest(ranked: &[Ranked]) -> Option<Evidence> {
    ranked.iter().map(|ranked| ranked.evidence).max_by(|a, b| a.strength().total_cmp(&b.strength()))
}

/// How likely each of these, the most relevant first, is the one that is meant: how likely it is that one of them is, shared among
/// them by how relevant they are.
pub(super) fn likelihoods(ranked: &[Ranked]) -> Vec<f64> {
    let likely = strongest(ranked).map_or(0.0, Evidence::likelihood);
    let best = ranked.iter().map(|ranked| ranked.relevance).fold(0.0, f64::max);
    let shares: Vec<f64> = ranked.iter().map(|ranked| (ranked.relevance - best).exp()).collect();
    let all: f64 = shares.iter().sum();
    shares.into_iter().map(|share| likely * share / all).collect()
}

/// The best of what was found, the most relevant first; of those that are equally so, the oldest.
pub(in crate::library) fn ranked(answering: Answering, looked_at: usize) -> Vec<Ranked> {
    let Answering { mut words, order, is_fact, texts, found } = answering;
    let mut matcher = Matcher::new(&words);
    let mut counted: Vec<Counts> = found.iter().map(|text| matcher.count(&text.columns)).collect();
    if take_as_beginnings(&mut words, &counted) {
        matcher = Matcher::new(&words);
        counted = found.iter().map(|text| matcher.count(&text.columns)).collect();
    }
    let question = Asked { is_fact, ..Asked::new(words, order, texts, &counted) };
    let average = counted.iter().map(|counts| counts.length).sum::<f64>() / as_float(counted.len().max(1));
    let mut ranked: Vec<Ranked> = found
        .into_iter()
        .zip(&counted)
        .map(|(text, counts)| Ranked {
            text,
            relevance: question.bm25(counts, average),
            signals: [0.0; COUNT],
            evidence: Evidence::default(),
        })
        .collect();
    sort(&mut ranked);
    ranked.truncate(looked_at);
    for Ranked { text, relevance, signals, evidence } in &mut ranked {
        let places = matcher.places(&text.columns);
        *evidence = question.evidence(&places);
        *signals = question.signals(&places, *relevance, *evidence);
        *relevance = SIGNALS.iter().zip(&*signals).map(|((_, weight), signal)| weight * signal).sum();
    }
    sort(&mut ranked);
    ranked
}

/// Words that the index knows, and of which no text that was found has a form, are beginnings of words, as `certific`; whether
/// there are any.
fn take_as_beginnings(words: &mut [Sought], counted: &[Counts]) -> bool {
    let mut any = false;
    for (place, word) in words.iter_mut().enumerate() {
        let is_seen = counted.iter().any(|counts| counts.of_words.get(place).is_some_and(|count| *count > 0.0));
        if word.having > 0.0 && !word.is_beginning && !word.is_pair && !is_seen {
            word.is_beginning = true;
            any = true;
        }
    }
    any
}

fn sort(ranked: &mut [Ranked]) {
    ranked.sort_by(|a, b| b.relevance.total_cmp(&a.relevance).then(a.text.id.cmp(&b.text.id)));
}

/// A question, with how much each of its words says.
struct Asked {
    words: Vec<Sought>,
    order: Vec<usize>,
    weights: Vec<f64>,
    /// Whether some text has the word.
    is_known: Vec<bool>,
    is_fact: bool,
}

impl Asked {
    fn new(words: Vec<Sought>, order: Vec<usize>, texts: f64, counted: &[Counts]) -> Self {
        let in_texts = |place: usize| counted.iter().filter(|counts| counts.of_words[place] > 0.0).count();
        let seen: Vec<usize> = (0..words.len()).map(in_texts).collect();
        let weigh = |(word, seen): (&Sought, &usize)| match (word.role, seen) {
            // The index has it in another form only.
            (_, 0) => word_weight(texts, 0.0),
            (Role::Telling, _) => word_weight(texts, word.having),
            // As common as in what was found.
            (Role::Glue, seen) => word_weight(texts, texts * as_float(*seen) / as_float(counted.len())),
        };
        let weights = words.iter().zip(&seen).map(weigh).collect();
        Self { words, order, weights, is_known: seen.into_iter().map(|seen| seen > 0).collect(), is_fact: false }
    }

    fn bm25(&self, counts: &Counts, average: f64) -> f64 {
        let slowness = K1 * (1.0 - B + B * counts.length / average.max(1.0));
        let of_word = |(weight, count): (&f64, &f64)| weight * count / (count + slowness);
        let sum: f64 = self.weights.iter().zip(&counts.of_words).map(of_word).sum();
        sum / self.weights.iter().sum::<f64>().max(f64::MIN_POSITIVE)
    }

    fn telling(&self) -> impl Iterator<Item = usize> {
        (0..self.words.len()).filter(|place| self.words[*place].role == Role::Telling)
    }

    fn evidence(&self, places: &Places) -> Evidence {
        let mut evidence = Evidence { is_fact: self.is_fact, ..Evidence::default() };
        let mut all = 0.0;
        let is_alone = self.telling().nth(1).is_none();
        for place in self.telling() {
            let counts_as = if self.words[place].is_pair && !is_alone { PAIR } else { 1.0 };
            let has = places.of_words[place].meant;
            all += self.weights[place];
            evidence.covered += self.weights[place] * has;
            if has > 0.0 {
                evidence.matched += counts_as;
            } else if !self.is_known[place] && !self.words[place].is_pair {
                evidence.unknown += 1.0;
            }
        }
        evidence.covered /= all.max(f64::MIN_POSITIVE);
        evidence.matched = evidence.matched.min(ENOUGH);
        evidence.adjacent = self.adjacent(places).unwrap_or(evidence.covered);
        evidence
    }

    /// `None` where the question has no neighbours.
    fn adjacent(&self, places: &Places) -> Option<f64> {
        let (mut together, mut all) = (0.0, 0.0);
        let pairs = self.order.windows(2).filter_map(|pair| <[usize; 2]>::try_from(pair).ok());
        for [first, second] in pairs.filter(|[first, second]| first != second) {
            let weight = self.weights[first] + self.weights[second];
            all += weight;
            if places.are_neighbours(first, second) {
                together += weight;
            }
        }
        (all > 0.0).then(|| together / all)
    }

    /// In the order of [`SIGNALS`].
    fn signals(&self, places: &Places, bm25: f64, evidence: Evidence) -> [f64; COUNT] {
        let count = self.telling().count();
        let all: f64 = self.telling().map(|place| self.weights[place]).sum::<f64>().max(f64::MIN_POSITIVE);
        let average = all / as_float(count.max(1));
        let (mut best, mut most, mut sum) = (0.0_f64, 0.0_f64, 0.0);
        for line in &places.lines {
            let has: f64 = line.words.iter().map(|(place, meant)| self.weights[*place] * meant).sum();
            let others = average * as_float(line.length.saturating_sub(line.words.len()));
            best = best.max(has / (all * (has + others)).sqrt().max(f64::MIN_POSITIVE));
            most = most.max(has / all);
            sum += has / (all + OTHER_WORD * others);
        }
        let first = self.telling().next();
        let opens = first.is_some() && places.lines.iter().any(|line| line.opening == first);
        let look_alike = |place: usize| {
            let at = &places.of_words[place];
            if at.meant > 0.0 { 0.0 } else { self.weights[place] * at.alike }
        };
        let alike: f64 = self.telling().map(look_alike).sum();
        let mean = sum / as_float(places.lines.len().max(1));
        [bm25, evidence.adjacent, best, most, mean, if opens { 1.0 } else { 0.0 }, evidence.covered + alike / all]
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of words")]
fn as_float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(id: i64, name: &str, steps: &str) -> FoundText {
        let columns = [name.to_owned(), String::new(), String::new(), steps.to_owned(), String::new()];
        FoundText { id, is_active: true, successes: 0, failures: 0, last_run_at: 0, columns }
    }

    /// These texts as they answer words that so many of a thousand have.
    fn ranking(words: &[(&str, f64)], found: Vec<FoundText>) -> Vec<Ranked> {
        let order = (0..words.len()).collect();
        let words = words.iter().map(|(word, having)| Sought::known(word, *having)).collect();
        ranked(Answering { words, order, is_fact: false, texts: 1000.0, found }, LOOKED_AT)
    }

    fn order(words: &[(&str, f64)], found: Vec<FoundText>) -> Vec<i64> {
        ranking(words, found).into_iter().map(|ranked| ranked.text.id).collect()
    }

    #[test]
    fn a_rare_word_says_more_than_a_common_one_and_two_say_more_than_one() {
        let found =
            || vec![text(1, "update invoice", ""), text(2, "update zeppelin", ""), text(3, "update update", "")];
        assert_eq!(order(&[("update", 900.0), ("zeppelin", 1.0)], found())[0], 2);
        assert_eq!(order(&[("update", 300.0), ("invoice", 300.0)], found()), [1, 3, 2]);
        assert!(ranked(Answering::default(), LOOKED_AT).is_empty());
    }

    #[test]
    fn a_short_text_says_more_than_a_long_one_and_equals_stand_in_their_order() {
        let long = "and much more that has to do with other things ".repeat(9);
        let found = vec![text(2, "deploy", &long), text(5, "deploy", ""), text(4, "deploy", "")];
        assert_eq!(order(&[("deploy", 3.0)], found), [4, 5, 2]);
    }

    #[test]
    fn words_that_stand_together_say_more_than_words_that_do_not() {
        let words = [("database", 90.0), ("copy", 90.0)];
        let found = vec![text(1, "x", "The copy one old database"), text(2, "x", "The one old database copy")];
        assert_eq!(order(&words, found), [2, 1]);
    }

    #[test]
    fn one_line_that_says_it_is_more_than_several_that_have_to_do_with_it() {
        let words = [("restore", 90.0), ("snapshot", 90.0)];
        let found = vec![
            text(1, "x", "restore the old ones first\nthen look at each snapshot"),
            text(2, "x", "restore a snapshot\nthen look at each of old ones first"),
        ];
        assert_eq!(order(&words, found), [2, 1]);
    }

    #[test]
    fn likelihoods_are_shared_among_equals_and_small_where_little_fits() {
        let found = vec![text(1, "restore snapshot", ""), text(2, "restore snapshot", ""), text(3, "restore", "x y z")];
        let all = likelihoods(&ranking(&[("restore", 9.0), ("snapshot", 9.0)], found.clone()));
        assert!((all[0] - all[1]).abs() < 1e-9 && all[0] > 0.4 && all[2] < 0.01, "{all:?}");
        let none = likelihoods(&ranking(&[("meaning", 0.0), ("life", 0.0), ("restore", 9.0)], found));
        assert!(none.iter().sum::<f64>() < LEAST_LIKELY, "{none:?}");
        assert!(likelihoods(&[]).is_empty());
    }
}
