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
/// Words of the question that stand beside each other in the text as well, against BM25, which is between 0 and 1.
const ADJACENT: f64 = 0.4;
/// The line that has most of the question, and least beside it.
const LINE: f64 = 0.2;
/// How much a word of a line that is not in the question is held against the line.
const OTHER_WORD: f64 = 0.6;
/// More words in common than this do not make it likelier that a text is meant.
const ENOUGH: f64 = 5.0;
/// Two letters of a language without spaces are less than a word.
const PAIR: f64 = 0.5;

/// What makes it likely that a procedure is meant, as logarithms of odds. Fitted to the project's own questions and to half of a
/// public corpus, together with questions about the world.
const LIKELY_WITHOUT: f64 = -1.2;
/// For each word that text and question have in common, as far as the question is covered.
const LIKELY_COVERED: f64 = 2.05;
const LIKELY_MATCHED: f64 = 0.45;
const LIKELY_ADJACENT: f64 = 1.5;
/// For each word that no text has.
const LIKELY_UNKNOWN: f64 = -0.46;
/// For `who is …` and `how tall …`: what a procedure answers is not asked like that.
const LIKELY_FACT: f64 = -3.5;
/// How far apart in relevance a procedure is that is e times less likely to be the one.
const SPREAD: f64 = 0.06;
/// A question is not answered where it is less likely than this that anything fits.
pub(super) const LEAST_LIKELY: f64 = 0.6;

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
    pub evidence: Evidence,
}

impl Evidence {
    /// How likely it is that the text is about what the question is about.
    pub(super) fn likelihood(self) -> f64 {
        let odds = LIKELY_WITHOUT
            + LIKELY_COVERED * self.strength()
            + LIKELY_MATCHED * self.matched
            + LIKELY_ADJACENT * self.adjacent
            + LIKELY_UNKNOWN * self.unknown
            + if self.is_fact { LIKELY_FACT } else { 0.0 };
        1.0 / (1.0 + (-odds).exp())
    }

    /// What of several texts speaks most for one of them.
    fn strength(&self) -> f64 {
        self.covered * self.matched
    }
}

/// How likely each of these, the most relevant first, is the one that is meant: how likely it is that one of them is, shared among
/// them by how relevant they are.
pub(super) fn likelihoods(ranked: &[Ranked]) -> Vec<f64> {
    let strongest = ranked.iter().max_by(|a, b| a.evidence.strength().total_cmp(&b.evidence.strength()));
    let likely = strongest.map_or(0.0, |ranked| ranked.evidence.likelihood());
    let best = ranked.iter().map(|ranked| ranked.relevance).fold(0.0, f64::max);
    let shares: Vec<f64> = ranked.iter().map(|ranked| ((ranked.relevance - best) / SPREAD).exp()).collect();
    let all: f64 = shares.iter().sum();
    shares.into_iter().map(|share| likely * share / all).collect()
}

/// The best of what was found, the most relevant first; of those that are equally so, the oldest.
pub(in crate::library) fn ranked(answering: Answering, looked_at: usize) -> Vec<Ranked> {
    let Answering { words, order, is_fact, texts, found } = answering;
    let matcher = Matcher::new(&words);
    let counted: Vec<Counts> = found.iter().map(|text| matcher.count(&text.columns)).collect();
    let question = Asked { is_fact, ..Asked::new(words, order, texts, &counted) };
    let average = counted.iter().map(|counts| counts.length).sum::<f64>() / as_float(counted.len().max(1));
    let mut ranked: Vec<Ranked> = found
        .into_iter()
        .zip(&counted)
        .map(|(text, counts)| Ranked { text, relevance: question.bm25(counts, average), evidence: Evidence::default() })
        .collect();
    sort(&mut ranked);
    ranked.truncate(looked_at);
    for Ranked { text, relevance, evidence } in &mut ranked {
        let places = matcher.places(&text.columns);
        *evidence = question.evidence(&places);
        *relevance += ADJACENT * evidence.adjacent + LINE * question.best_line(&places);
    }
    sort(&mut ranked);
    ranked
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
        for place in self.telling() {
            let counts_as = if self.words[place].is_pair { PAIR } else { 1.0 };
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

    /// How much the best line has of the question, with what it has beside that held against it.
    fn best_line(&self, places: &Places) -> f64 {
        let count = self.telling().count();
        let all: f64 = self.telling().map(|place| self.weights[place]).sum();
        let average = all / as_float(count.max(1));
        let of_line = |line: &super::text_words::Line| {
            let has: f64 = line.words.iter().map(|(place, meant)| self.weights[*place] * meant).sum();
            let others = line.length.saturating_sub(line.words.len());
            has / (all + OTHER_WORD * average * as_float(others)).max(f64::MIN_POSITIVE)
        };
        places.lines.iter().map(of_line).fold(0.0, f64::max)
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
        let found = vec![text(1, "copy it", "The old database"), text(2, "it", "The database copy old")];
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
