//! Judging a lesson by rules, where no model does: whether it says what to do, and which of its words say when, what and why.
//!
//! The rules know sentences, not meanings. They say how sure they are, and never more than [`SUREST`]: a person decides anyway.

use std::collections::BTreeSet;

use super::{
    Told, Verdict,
    phrases::{CONDITIONS, DEALING, GIVING_UP, NEEDS, ORDERS, PASSING, REASONS, REMEDIES},
};
use crate::domain::learning::Lesson;

/// Rules are no surer than this.
pub const SUREST: f64 = 0.7;
/// Of an order, of something that has to be, of a remedy.
const OF_ORDER: f64 = 0.6;
const OF_NEED: f64 = 0.5;
const OF_REMEDY: f64 = 0.4;
/// What both a condition and a reason add together.
const OF_FRAME: f64 = 0.05;
/// That what says nothing to do says nothing to do.
const OF_NOTHING: f64 = 0.6;
/// What was said field by field is what was said.
const OF_FIELDS: f64 = 0.9;
const MAX_TAGS: usize = 5;
const MAX_STEPS: usize = 50;

/// What the rules make of a lesson.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    pub verdict: Verdict,
    /// From 0 to 1.
    pub confidence: f64,
    /// Empty where it is no candidate.
    pub lesson: Lesson,
}

impl Judged {
    fn nothing(verdict: Verdict) -> Self {
        Self { verdict, confidence: OF_NOTHING, lesson: Lesson::default() }
    }
}

/// Judges a lesson.
#[must_use]
pub fn judge(told: &Told) -> Judged {
    let words = told.words();
    if is_passing_failure(&words) {
        return Judged::nothing(Verdict::PassingFailure);
    }
    if told.is_structured() {
        return Judged {
            verdict: Verdict::Candidate,
            confidence: OF_FIELDS,
            lesson: with_fields(Lesson::default(), told),
        };
    }
    let Some((confidence, lesson)) = read(&words) else {
        // Steps are something to do, whatever stands around them.
        if told.steps.is_empty() && told.solution.is_none() {
            return Judged::nothing(Verdict::NotProcedural);
        }
        let lesson = Lesson { problem: first_sentence(&words).to_owned(), ..Lesson::default() };
        return Judged { verdict: Verdict::Candidate, confidence: OF_NEED, lesson: with_fields(lesson, told) };
    };
    Judged { verdict: Verdict::Candidate, confidence, lesson: with_fields(lesson, told) }
}

/// What was said field by field counts, whatever was read in the words.
pub fn with_fields(read: Lesson, told: &Told) -> Lesson {
    let or = |said: &Option<String>, read: String| said.clone().filter(|text| !text.trim().is_empty()).unwrap_or(read);
    let some = |said: &[String], read: Vec<String>| if said.is_empty() { read } else { said.to_vec() };
    let steps = || told.steps.iter().map(|step| step.words().trim().to_owned()).collect::<Vec<_>>().join("; ");
    let mut lesson = Lesson {
        problem: or(&told.problem, read.problem),
        solution: or(&told.solution, read.solution),
        reasoning: or(&told.reasoning, read.reasoning),
        anti_patterns: some(&told.anti_patterns, read.anti_patterns),
        tags: some(&told.tags, read.tags),
        steps: read.steps,
    };
    if lesson.solution.is_empty() {
        lesson.solution = steps();
    }
    if lesson.tags.is_empty() {
        lesson.tags = tags(&told.words());
    }
    lesson
}

/// Whether a lesson concludes from a passing failure that something is no good, and has no way to deal with it.
#[must_use]
pub fn is_passing_failure(words: &str) -> bool {
    let text = format!(" {} ", words.to_lowercase().replace('’', "'"));
    let has = |phrases: &[&str]| phrases.iter().any(|phrase| text.contains(phrase));
    has(&PASSING) && has(&GIVING_UP) && !has(&DEALING)
}

/// The lesson in free words, and how sure it is that there is one.
fn read(words: &str) -> Option<(f64, Lesson)> {
    let steps = listed_steps(words);
    let prose = if steps.is_empty() { words } else { words.split_once('\n').map_or("", |(head, _)| head) };
    let sentences = sentences(prose);
    let best = sentences
        .iter()
        .enumerate()
        .filter_map(|(at, sentence)| Some((strength(sentence)?, at)))
        .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
    let (strength, at) = match best {
        Some(best) => best,
        None if steps.is_empty() => return None,
        None => (OF_ORDER, 0),
    };
    let sentence = sentences.get(at).copied().unwrap_or_default();
    let (sentence, mut reason) = apart(sentence);
    let (condition, action) = framed(sentence);
    let rest: Vec<&str> =
        sentences.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, text)| *text).collect();
    if reason.is_empty()
        && let Some(said) = rest.first()
    {
        (*said).clone_into(&mut reason);
    }
    let solution = if steps.is_empty() { sentence_of(action) } else { steps.join("; ") };
    let problem = match condition {
        Some(condition) => sentence_of(condition),
        None if !steps.is_empty() && !sentence.is_empty() => sentence_of(sentence.trim_end_matches(':')),
        None if !reason.is_empty() => sentence_of(&reason),
        None => solution.clone(),
    };
    let is_framed = condition.is_some() && !reason.is_empty();
    let confidence = (strength + if is_framed { OF_FRAME } else { 0.0 }).min(SUREST);
    let anti_patterns = what_not_to_do(prose);
    let lesson = Lesson {
        problem,
        solution,
        reasoning: if reason.is_empty() { String::new() } else { sentence_of(&reason) },
        anti_patterns,
        tags: tags(words),
        steps,
    };
    Some((confidence, lesson))
}

/// How surely a sentence says what to do; `None` when it does not.
fn strength(sentence: &str) -> Option<f64> {
    let lower = sentence.to_lowercase();
    // What follows a comma, a colon or a semicolon may be the order: `When it fails, run …`.
    let clauses = lower.split([',', ':', ';', '—', '–']).flat_map(|clause| clause.split(" and then "));
    let is_order = |clause: &str| {
        let mut words = clause.split_whitespace().map(|word| word.trim_matches(|c: char| "\"'`().".contains(c)));
        let mut word = words.next().unwrap_or_default();
        while matches!(
            word,
            "please" | "so" | "then" | "therefore" | "just" | "only" | "first" | "and" | "simply" | "do" | "but"
        ) {
            word = words.next().unwrap_or_default();
        }
        !word.is_empty() && ORDERS.contains(&format!(" {word} ")) && !is_subject(clause)
    };
    if clauses.map(str::trim).any(is_order) {
        return Some(OF_ORDER);
    }
    let padded = format!(" {} ", lower.replace(['.', ',', ';', ':'], " "));
    let has = |phrase: &&str| padded.contains(&format!(" {phrase} "));
    if NEEDS.iter().any(&has) {
        return Some(OF_NEED);
    }
    // `Errors vanish after …`, `… are found by running …`
    let has_way = padded.split(" by ").skip(1).any(|after| after.split_whitespace().next().is_some_and(is_doing))
        || padded.contains(" by `")
        || padded.contains(" via ")
        || padded.contains(" with `")
        || padded.contains('`')
        || padded.contains(" once ");
    (REMEDIES.iter().any(has) || has_way || CONDITIONS[..3].iter().any(|it| lower.starts_with(it))).then_some(OF_REMEDY)
}

fn is_doing(word: &str) -> bool {
    word.len() > 4 && word.ends_with("ing")
}

/// Whether the first word is rather what the clause is about: `test runs are slow`, `cache is full`.
fn is_subject(clause: &str) -> bool {
    const VERBS: [&str; 12] =
        ["is", "are", "was", "were", "has", "have", "took", "takes", "seems", "looks", "feels", "became"];
    clause.split_whitespace().skip(1).take(2).any(|word| VERBS.contains(&word))
}

/// A sentence without its reason, and the reason.
fn apart(sentence: &str) -> (&str, String) {
    let lower = sentence.to_ascii_lowercase();
    let found = REASONS.iter().filter_map(|reason| Some((lower.find(reason)?, *reason))).min();
    match found {
        // `so that` and `otherwise` are part of what follows, `because` is not.
        Some((at, reason)) if at > 0 => {
            let from = at + reason.len();
            let said = sentence.get(from..).unwrap_or_default().trim();
            (sentence.get(..at).unwrap_or(sentence).trim_end_matches([',', ';', ' ']), said.to_owned())
        }
        _ => (sentence, String::new()),
    }
}

/// The condition that a sentence has, and what is to be done under it.
fn framed(sentence: &str) -> (Option<&str>, &str) {
    let lower = sentence.to_ascii_lowercase();
    if CONDITIONS.iter().any(|word| lower.starts_with(word))
        && let Some((condition, action)) = sentence.split_once([',', ':'])
        && action.split_whitespace().count() > 1
    {
        return (Some(condition), action.trim());
    }
    // `Pass `--locked` to cargo when …`
    let behind = [" when ", " if ", " whenever ", " before "].iter().filter_map(|word| lower.find(word)).min();
    match behind {
        Some(at) if at > 12 => (sentence.get(at + 1..), sentence.get(..at).unwrap_or(sentence)),
        _ => (None, sentence),
    }
}

/// What a lesson warns of: what comes behind `never` and `instead of`.
fn what_not_to_do(prose: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for sentence in sentences(prose) {
        let lower = sentence.to_ascii_lowercase();
        for marker in ["instead of ", "rather than "] {
            if let Some(at) = lower.find(marker) {
                let what = sentence.get(at + marker.len()..).unwrap_or_default();
                let end = what.find([',', ';', '.', ':']).unwrap_or(what.len());
                found.push(sentence_of(&what[..end]));
            }
        }
        if ["never ", "don't ", "do not ", "avoid "].iter().any(|word| lower.starts_with(word)) {
            found.push(sentence_of(apart(sentence).0));
        }
    }
    found.retain(|text| text.len() > 2);
    found.dedup();
    found.truncate(3);
    found
}

/// Lines with numbers or dots in front of them.
fn listed_steps(words: &str) -> Vec<String> {
    let steps: Vec<String> = words
        .lines()
        .filter_map(|line| {
            let line = line.trim();
            let item = line.strip_prefix(['-', '*', '•']).or_else(|| {
                let digits = line.chars().take_while(char::is_ascii_digit).count();
                let is_number = (1..=2).contains(&digits);
                line.get(digits..).filter(|_| is_number).and_then(|rest| rest.strip_prefix(['.', ')']))
            })?;
            item.starts_with(' ').then(|| item.trim().to_owned()).filter(|step| !step.is_empty())
        })
        .take(MAX_STEPS)
        .collect();
    if steps.len() > 1 { steps } else { Vec::new() }
}

/// A text cut where a full stop ends a sentence; dots in names and numbers don't.
fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut from = 0;
    let mut is_quoted = false;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'`' => is_quoted = !is_quoted,
            b'\n' => {
                found.push(&text[from..at]);
                (from, is_quoted) = (at + 1, false);
            }
            b'.' | b'!' | b'?' if !is_quoted && bytes.get(at + 1).is_none_or(u8::is_ascii_whitespace) => {
                found.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    found.push(&text[from..]);
    found.into_iter().map(str::trim).filter(|sentence| !sentence.is_empty()).collect()
}

fn first_sentence(text: &str) -> &str {
    sentences(text).into_iter().next().unwrap_or_default()
}

/// With a capital in front and a full stop behind.
fn sentence_of(text: &str) -> String {
    let text = text.trim().trim_end_matches(['.', ',', ';', ':']).trim();
    let mut letters = text.chars();
    let Some(first) = letters.next() else { return String::new() };
    let mut sentence: String = first.to_uppercase().chain(letters).collect();
    sentence.push('.');
    sentence
}

/// What a lesson is about: programs in back-ticks, and names.
fn tags(words: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let quoted = words.split('`').skip(1).step_by(2).filter_map(|quoted| quoted.split_whitespace().next());
    let quoted = quoted.filter(|word| word.len() > 1 && word.chars().all(|c| c.is_ascii_lowercase()));
    let outside = words.split('`').step_by(2);
    let names = outside.flat_map(|text| {
        let is_name =
            |word: &&str| word.chars().skip(1).any(char::is_uppercase) || word.starts_with(char::is_uppercase);
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 1);
        // The first word of a sentence has a capital anyway.
        words.skip(1).filter(is_name).collect::<Vec<_>>()
    });
    let tags = quoted.chain(names).map(str::to_lowercase).filter(|tag| seen.insert(tag.clone()));
    tags.take(MAX_TAGS).collect()
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
