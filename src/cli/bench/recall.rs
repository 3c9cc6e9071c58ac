//! `repertoire bench recall`: whether the right procedures are found.
//!
//! A corpus is lines of JSON, each a procedure (`{"procedure": {"name": …, "steps": […], …}}`) or a question
//! (`{"question": …, "answer": "name"}`, with `null` where nothing should be found). `benches/recall/own.jsonl` is the project's own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use serde::{Deserialize, Serialize};

use super::{fit, population};
use crate::{
    cli::{context::Context, error::CliError},
    domain::Definition,
    library::{Library, RecallFilter},
};

const OWN: &str = include_str!("../../../benches/recall/own.jsonl");
/// Results that are looked at.
const LOOKED_AT: usize = 10;
/// Procedures of one commit.
const AT_ONCE: usize = 500;
/// Shorter words are not mistyped.
const SHORTEST_MISTYPED: usize = 4;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Procedures and questions of your own, as lines of JSON like those in `benches/recall/own.jsonl`; each file is a store.
    #[arg(long)]
    corpus: Vec<PathBuf>,
    /// Print the weights that answer these questions best, in place of the figures.
    #[arg(long)]
    fit: bool,
    /// Print the figures as JSON.
    #[arg(long)]
    json: bool,
    /// Print each question that is not answered as it should be.
    #[arg(long)]
    misses: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    procedure: Option<Definition>,
    question: Option<String>,
    answer: Option<String>,
    /// The question with a slip; one is made where there is none.
    mistyped: Option<String>,
}

#[derive(Default)]
struct Corpus {
    procedures: Vec<(Definition, Option<String>)>,
    /// With the name of the procedure that answers, and with a slip where a word can have one.
    answerable: Vec<Question>,
    unrelated: Vec<String>,
}

struct Question {
    text: String,
    mistyped: Option<String>,
    answer: String,
}

/// What came out.
#[derive(Serialize)]
struct Measured {
    procedures: usize,
    as_asked: Measures,
    mistyped: Measures,
    unrelated: usize,
    unrelated_answered: usize,
    p50_ms: f64,
    p95_ms: f64,
}

/// Over questions that a procedure answers.
#[derive(Default, Serialize)]
struct Measures {
    questions: usize,
    /// The share whose procedure is the first result.
    recall_at_1: f64,
    /// The share whose procedure is among five.
    recall_at_5: f64,
    /// The mean of 1 over the place of the procedure, among ten.
    reciprocal_rank: f64,
    /// The share that nothing is found for.
    unanswered: f64,
    /// The mean square of how far the score of the first result is from 1 where it is right, and from 0 where it is not.
    brier: f64,
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let mut corpora = Vec::new();
    for path in &arguments.corpus {
        corpora.push(read(&fs::read_to_string(path).map_err(CliError::io("the corpus can't be read"))?)?);
    }
    if corpora.is_empty() {
        corpora.push(read(OWN)?);
    }
    if arguments.fit {
        let mut samples = fit::Samples::default();
        for corpus in &corpora {
            gather(corpus, &mut samples)?;
        }
        for line in samples.fitted() {
            context.output.line(line);
        }
        return Ok(ExitCode::SUCCESS);
    }
    corpora.iter().try_for_each(|corpus| report(corpus, arguments, context))?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the figures of one corpus.
fn report(corpus: &Corpus, arguments: &Arguments, context: &Context) -> Result<(), CliError> {
    let out = context.output;
    let (measured, misses) = measure(corpus)?;
    if arguments.misses {
        misses.iter().for_each(|miss| out.line(miss));
    }
    if arguments.json {
        out.line(serde_json::to_string_pretty(&measured).unwrap_or_default());
        return Ok(());
    }
    let row = |what: &str, measures: &Measures| {
        let shares =
            [measures.recall_at_1, measures.recall_at_5, measures.reciprocal_rank, measures.unanswered, measures.brier];
        let shares = shares.map(|share| format!("{share:.3}"));
        [what.to_owned(), measures.questions.to_string()].into_iter().chain(shares).collect::<Vec<_>>()
    };
    let header = ["", "questions", "R@1", "R@5", "MRR@10", "unanswered", "Brier"];
    out.table(&header, &[row("as asked", &measured.as_asked), row("with a slip", &measured.mistyped)]);
    out.line(format_args!(
        "{} of {} questions that nothing fits were answered. {} procedures; {:.1} ms, p95 {:.1} ms.",
        measured.unrelated_answered, measured.unrelated, measured.procedures, measured.p50_ms, measured.p95_ms
    ));
    Ok(())
}

/// A store with the procedures of a corpus.
fn filled(corpus: &Corpus, folder: &Path) -> Result<Library, CliError> {
    let library = population::open(folder)?;
    for procedures in corpus.procedures.chunks(AT_ONCE) {
        library.import("Add procedures to find", procedures)?;
    }
    library.tidy(false)?;
    Ok(library)
}

/// What is looked at for the questions of a corpus, as asked and mistyped.
fn gather(corpus: &Corpus, samples: &mut fit::Samples) -> Result<(), CliError> {
    let folder = tempfile::tempdir().map_err(CliError::io("no temporary folder can be made"))?;
    let library = filled(corpus, folder.path())?;
    samples.begin();
    for Question { text, mistyped, answer } in &corpus.answerable {
        samples.add(library.look_for(text)?, Some(answer));
        if let Some(mistyped) = mistyped {
            samples.add(library.look_for(mistyped)?, Some(answer));
        }
    }
    for text in &corpus.unrelated {
        samples.add(library.look_for(text)?, None);
    }
    Ok(())
}

/// The figures, and the questions that are not answered as they should be.
fn measure(corpus: &Corpus) -> Result<(Measured, Vec<String>), CliError> {
    let folder = tempfile::tempdir().map_err(CliError::io("no temporary folder can be made"))?;
    let library = filled(corpus, folder.path())?;
    let mut asking = Asking { library: &library, times: Vec::new(), misses: Vec::new() };
    let as_asked =
        asking.measure(corpus.answerable.iter().map(|asked| (asked.text.as_str(), asked.answer.as_str())))?;
    let mistyped =
        corpus.answerable.iter().filter_map(|asked| Some((asked.mistyped.as_deref()?, asked.answer.as_str())));
    let mistyped = asking.measure(mistyped)?;
    let mut unrelated_answered = 0;
    for text in &corpus.unrelated {
        let found = asking.ask(text)?;
        if let Some((name, score)) = found.first() {
            unrelated_answered += 1;
            asking.misses.push(format!("{text}: {name} {score:.2}, but nothing fits"));
        }
    }
    let Asking { mut times, misses, .. } = asking;
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| times.get((times.len() * percent / 100).min(times.len().saturating_sub(1))).copied();
    let measured = Measured {
        procedures: corpus.procedures.len(),
        as_asked,
        mistyped,
        unrelated: corpus.unrelated.len(),
        unrelated_answered,
        p50_ms: at(50).unwrap_or_default(),
        p95_ms: at(95).unwrap_or_default(),
    };
    Ok((measured, misses))
}

struct Asking<'l> {
    library: &'l Library,
    /// Of each question, in milliseconds.
    times: Vec<f64>,
    misses: Vec<String>,
}

impl Asking<'_> {
    fn ask(&mut self, text: &str) -> Result<Vec<(String, f64)>, CliError> {
        let began = Instant::now();
        let found = self.library.recall(text, LOOKED_AT, &RecallFilter::default())?;
        self.times.push(began.elapsed().as_secs_f64() * 1000.0);
        Ok(found.into_iter().map(|found| (found.procedure.definition.name.to_string(), found.score)).collect())
    }

    fn measure<'q>(&mut self, questions: impl Iterator<Item = (&'q str, &'q str)>) -> Result<Measures, CliError> {
        let mut sums = Measures::default();
        for (text, answer) in questions {
            let found = self.ask(text)?;
            let place = found.iter().position(|(name, _)| name == answer);
            sums.questions += 1;
            let is = |is: bool| f64::from(u8::from(is));
            sums.recall_at_1 += is(place == Some(0));
            sums.recall_at_5 += is(place.is_some_and(|place| place < 5));
            #[expect(clippy::cast_precision_loss, reason = "at most ten")]
            let reciprocal = place.map_or(0.0, |place| 1.0 / (place + 1) as f64);
            sums.reciprocal_rank += reciprocal;
            sums.unanswered += is(found.is_empty());
            let score = found.first().map_or(0.0, |(_, score)| *score);
            sums.brier += (score - is(place == Some(0))).powi(2);
            if place != Some(0) {
                let instead =
                    found.first().map_or_else(|| "nothing".to_owned(), |(name, score)| format!("{name} {score:.2}"));
                let place = place.map_or_else(|| "not found".to_owned(), |place| format!("at {}", place + 1));
                self.misses.push(format!("{text}: {instead} instead of {answer}, {place}"));
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        let count = sums.questions.max(1) as f64;
        Ok(Measures {
            questions: sums.questions,
            recall_at_1: sums.recall_at_1 / count,
            recall_at_5: sums.recall_at_5 / count,
            reciprocal_rank: sums.reciprocal_rank / count,
            unanswered: sums.unanswered / count,
            brier: sums.brier / count,
        })
    }
}

fn read(text: &str) -> Result<Corpus, CliError> {
    let mut corpus = Corpus::default();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let number = index + 1;
        let line: Line = serde_json::from_str(line)
            .map_err(|error| CliError::Other(format!("line {number} of the corpus can't be read: {error}")))?;
        match line {
            Line { procedure: Some(definition), question: None, .. } => corpus.procedures.push((definition, None)),
            Line { procedure: None, question: Some(text), answer: Some(answer), mistyped } => {
                let mistyped = mistyped.or_else(|| slip(&text, number));
                corpus.answerable.push(Question { text, mistyped, answer });
            }
            Line { procedure: None, question: Some(text), answer: None, .. } => corpus.unrelated.push(text),
            _ => {
                let text = format!("line {number} of the corpus is neither a `procedure` nor a `question`");
                return Err(CliError::Other(text));
            }
        }
    }
    Ok(corpus)
}

/// The text with one word mistyped, the same each time; `None` where all are short.
fn slip(text: &str, number: usize) -> Option<String> {
    let is_long = |word: &&str| word.len() >= SHORTEST_MISTYPED && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    let words: Vec<&str> = text.split(' ').filter(is_long).collect();
    let word = words.get(number % words.len().max(1))?;
    let mut letters: Vec<char> = word.chars().collect();
    let at = number / 3 % (letters.len() - 1);
    match number % 4 {
        0 => letters.swap(at, at + 1),
        1 => drop(letters.remove(at)),
        2 => letters.insert(at, 'x'),
        _ => letters[at] = if letters[at] == 'r' { 't' } else { 'r' },
    }
    Some(text.replacen(word, &letters.into_iter().collect::<String>(), 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First and among five: as asked, then mistyped.
    const OWN_AT_LEAST: [f64; 4] = [0.6, 0.65, 0.55, 0.6];

    #[test]
    fn a_corpus_is_read_and_what_is_none_is_named() {
        let corpus = read(OWN).unwrap();
        assert!(corpus.procedures.len() >= 100 && corpus.answerable.len() >= 150 && corpus.unrelated.len() >= 200);
        for asked in &corpus.answerable {
            assert!(corpus.procedures.iter().any(|(known, _)| known.name.as_str() == asked.answer), "{}", asked.answer);
        }
        for (text, part) in [("{}", "line 1"), ("\n{\"question\": 1}", "line 2"), ("{\"other\": 1}", "other")] {
            assert!(read(text).err().unwrap().to_string().contains(part), "{text}");
        }
    }

    #[test]
    fn most_questions_of_the_project_are_answered_and_nearly_none_that_nothing_fits() {
        let (measured, misses) = measure(&read(OWN).unwrap()).unwrap();
        let misses = misses.join("\n");
        let Measured { as_asked, mistyped, .. } = &measured;
        assert!(as_asked.recall_at_1 >= OWN_AT_LEAST[0] && as_asked.recall_at_5 >= OWN_AT_LEAST[1], "{misses}");
        assert!(mistyped.recall_at_1 >= OWN_AT_LEAST[2] && mistyped.recall_at_5 >= OWN_AT_LEAST[3], "{misses}");
        assert!(measured.unrelated_answered * 20 <= measured.unrelated, "{misses}");
    }

    #[test]
    fn one_word_is_mistyped_by_one_slip() {
        for number in 0..40 {
            let mistyped = slip("get the database back now", number).unwrap();
            assert!(strsim::osa_distance("get the database back now", &mistyped) <= 1, "{mistyped}");
        }
        assert_eq!(slip("备份 the db", 3), None);
    }
}
