//! The procedure that does again what was recorded: steps, and parameters for what a caller would say.
//!
//! A value is a parameter where it stands in the prompt, or where two recordings of the same task differ in it. What an earlier
//! step gave is taken from there.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    Recording,
    deed::{Deed, Done},
    distill::{Distilled, Source, distill},
    names::Names,
    values::{self, Leaf},
};
use crate::domain::{
    CommandStep, Example, OnFailure, Parameter, Permissions, ProcedureStep, Step, ToolStep, learning::lesson::plain,
};

const MAX_STEPS: usize = 100;

/// What was made of recordings of one task.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Made {
    pub steps: Vec<Step>,
    pub parameters: Vec<Parameter>,
    /// What the parameters were when it was recorded.
    pub examples: Vec<Example>,
    /// What it needs, and no more.
    pub permissions: Option<Permissions>,
    pub is_worth_it: bool,
}

/// What kind of things were done, in order: recordings of the same task have the same.
#[must_use]
pub fn kind(recording: &Recording) -> String {
    distill(recording).steps.iter().map(|done| done.deed.kind()).collect::<Vec<_>>().join("\n")
}

/// Makes a procedure of a recording, and of an earlier one of the same kind where there is one. `None` where nothing was done.
#[must_use]
pub fn make(recording: &Recording, earlier: Option<&Recording>) -> Option<Made> {
    let distilled = distill(recording);
    if distilled.steps.is_empty() || distilled.steps.len() > MAX_STEPS {
        return None;
    }
    let earlier = earlier.map(|earlier| (earlier, distill(earlier))).filter(|(_, other)| is_alike(&distilled, other));
    let mut names = Names::default();
    let mut steps = Vec::with_capacity(distilled.steps.len());
    for (at, done) in distilled.steps.iter().enumerate() {
        let own = values::leaves(&done.deed);
        let other = earlier.as_ref().map(|(_, other)| values::leaves(&other.steps[at].deed));
        let is_by_hand = matches!(done.deed, Deed::Manual(_));
        let filled = own.iter().enumerate().map(|(leaf, value)| {
            if let Some(linked) = link(&distilled, at, leaf) {
                return linked;
            }
            let before = other.as_ref().and_then(|other| other.get(leaf));
            // A step gave it that can't be asked for it: whoever calls has to say it.
            if distilled.links.iter().any(|link| (link.step, link.leaf) == (at, leaf)) && !is_by_hand {
                return names.variable(value.name.clone(), &value.value, before.map(|before| &before.value)).into();
            }
            let prompts = (recording.prompt.as_str(), earlier.as_ref().map(|(earlier, _)| earlier.prompt.as_str()));
            fill(value, before, prompts, is_by_hand, &mut names)
        });
        let filled: Vec<Value> = filled.collect();
        steps.push(step(&values::with_values(&done.deed, &filled), asks_back(&distilled, at)));
    }
    let examples = names.examples(earlier.is_some());
    let permissions = permissions(&distilled.steps);
    Some(Made { steps, parameters: names.parameters(), examples, permissions, is_worth_it: distilled.is_worth_it() })
}

fn is_alike(a: &Distilled, b: &Distilled) -> bool {
    let kinds = |one: &Distilled| one.steps.iter().map(|done| done.deed.kind()).collect::<Vec<_>>();
    let counts = |one: &Distilled| one.steps.iter().map(|done| values::leaves(&done.deed).len()).collect::<Vec<_>>();
    kinds(a) == kinds(b) && counts(a) == counts(b)
}

/// The variable that takes a value from an earlier step.
fn link(distilled: &Distilled, step: usize, leaf: usize) -> Option<Value> {
    let link = distilled.links.iter().find(|link| (link.step, link.leaf) == (step, leaf))?;
    let from = &distilled.steps[link.from];
    let number = link.from + 1;
    let path = match (&link.source, &from.deed) {
        // A command's output ends with a line; a step by hand is asked for the value alone.
        (Source::Whole, Deed::Command(_)) => ".trimmed".to_owned(),
        (Source::Field(path), Deed::Tool(..) | Deed::Procedure(..)) => format!(".{path}"),
        (Source::Whole, Deed::Tool(..) | Deed::Procedure(..)) => String::new(),
        (_, Deed::Manual(_)) if first_asked(distilled, link.from) == Some((step, leaf)) => String::new(),
        _ => return None,
    };
    Some(format!("{{{{step_{number}_output{path}}}}}").into())
}

/// The first value that is taken from a step by hand: it can give one.
fn first_asked(distilled: &Distilled, from: usize) -> Option<(usize, usize)> {
    distilled.links.iter().find(|link| link.from == from).map(|link| (link.step, link.leaf))
}

/// What a step by hand is to give back, as it was when it was recorded.
fn asks_back(distilled: &Distilled, step: usize) -> Option<String> {
    let (of, leaf) = first_asked(distilled, step)?;
    values::leaves(&distilled.steps[of].deed).get(leaf).map(Leaf::text)
}

/// A value with variables in it.
fn fill(
    leaf: &Leaf,
    before: Option<&Leaf>,
    (prompt, prompt_before): (&str, Option<&str>),
    is_by_hand: bool,
    names: &mut Names,
) -> Value {
    if leaf.is_fixed {
        return literal(&leaf.value, is_by_hand);
    }
    let text = leaf.text();
    let hint = |value: &str| leaf.name.clone().filter(|_| !is_by_hand).or_else(|| values::said_before(prompt, value));
    if let Some(before) = before.filter(|before| before.value != leaf.value) {
        let other = before.text();
        if !leaf.value.is_string() || !before.value.is_string() {
            return names.variable(hint(&text), &leaf.value, Some(&before.value)).into();
        }
        let (start, end) = common(&text, &other);
        let (own, theirs) = (&text[start..text.len() - end], &other[start..other.len() - end]);
        let variable = names.variable(hint(own), &own.into(), Some(&theirs.into()));
        let around = |part: &str| escaped(part, is_by_hand);
        return format!("{}{variable}{}", around(&text[..start]), around(&text[text.len() - end..])).into();
    }
    let is_same = before.is_some();
    let repeated = |value: &Value| is_same.then(|| value.clone());
    let tokens = values::of_prompt(prompt).into_iter();
    let was_said = |token: &String| !is_same || prompt_before.is_some_and(|before| values::stands_in(before, token));
    let tokens: Vec<String> = tokens.filter(was_said).collect();
    let is_whole = |token: &&String| {
        let is_word = !is_by_hand && (values::is_special(token) || token.chars().count() > 2) && !is_common(token);
        **token == text && (leaf.value.is_number() || is_word)
    };
    let has_words = text.contains(' ') && text.len() > 5 && !is_by_hand;
    if tokens.iter().any(|token| is_whole(&token)) || (has_words && !is_same && values::stands_in(prompt, &text)) {
        return names.variable(hint(&text), &leaf.value, repeated(&leaf.value).as_ref()).into();
    }
    if !leaf.value.is_string() {
        return leaf.value.clone();
    }
    let mut variable = |token: &str, is_option: bool, names: &mut Names| {
        let said = values::said_before(prompt, token);
        let hint =
            if is_option { leaf.name.clone().or(said) } else { said.or(leaf.name.clone().filter(|_| !is_by_hand)) };
        let value = Value::String(token.to_owned());
        names.variable(hint, &value, repeated(&value).as_ref())
    };
    with_tokens(&text, &tokens, is_by_hand, &mut variable, names).into()
}

/// A text with variables for the tokens in it, longer ones first.
fn with_tokens(
    text: &str,
    tokens: &[String],
    is_by_hand: bool,
    variable: &mut impl FnMut(&str, bool, &mut Names) -> String,
    names: &mut Names,
) -> String {
    for (number, token) in (1..).zip(tokens).filter(|(_, token)| token.len() > 2) {
        // A mere word counts only where it is known to be a value.
        let place = match part_after(text, token) {
            Some(at) => Some((at, true)),
            None if values::is_special(token) || names.knows(token) => place_of(text, token).map(|at| (at, false)),
            None => None,
        };
        if let Some((at, is_option)) = place {
            let variable_here = variable(token, is_option, names);
            let before = with_tokens(&text[..at], &tokens[number..], is_by_hand, variable, names);
            let after = with_tokens(&text[at + token.len()..], &tokens[number..], is_by_hand, variable, names);
            return format!("{before}{variable_here}{after}");
        }
    }
    escaped(text, is_by_hand)
}

/// Where a token stands, also that of `v1.2.3`.
fn place_of(text: &str, token: &str) -> Option<usize> {
    let is_version = token.starts_with(|c: char| c.is_ascii_digit()) && text.strip_prefix('v') == Some(token);
    if is_version { Some(1) } else { values::place_in(text, token) }
}

/// `staging` of `--env=staging`.
fn part_after(text: &str, token: &str) -> Option<usize> {
    let at = text.len().checked_sub(token.len())?;
    (text.is_char_boundary(at) && &text[at..] == token && text[..at].ends_with(['=', ':'])).then_some(at)
}

/// Words of prompts that are seldom meant when they stand alone.
fn is_common(word: &str) -> bool {
    const COMMON: &str = " all and any add are can for from get has into new not now off out run set the this that use was with you \
                          true false none null yes please make file files ";
    COMMON.contains(&format!(" {} ", word.to_lowercase()))
}

/// What two texts have in common at their beginnings and ends, in bytes, cut where words end.
fn common(a: &str, b: &str) -> (usize, usize) {
    let is_edge = |c: char| c.is_whitespace() || "=:/,;\"'@#()[]".contains(c);
    let mut start = 0;
    let mut at = 0;
    for (x, y) in a.chars().zip(b.chars()) {
        if x != y {
            break;
        }
        at += x.len_utf8();
        if is_edge(x) {
            start = at;
        }
    }
    let (rest_a, rest_b) = (&a[start..], &b[start..]);
    let (mut end, mut at) = (0, 0);
    for (x, y) in rest_a.chars().rev().zip(rest_b.chars().rev()) {
        if x != y {
            break;
        }
        at += x.len_utf8();
        if is_edge(x) {
            end = at;
        }
    }
    // Neither may be left empty.
    if rest_a.len() <= end || rest_b.len() <= end { (start, 0) } else { (start, end) }
}

fn literal(value: &Value, is_by_hand: bool) -> Value {
    match value {
        Value::String(text) => escaped(text, is_by_hand).into(),
        other => other.clone(),
    }
}

/// A text whose braces are no variables.
fn escaped(text: &str, is_by_hand: bool) -> String {
    if is_by_hand {
        return plain(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, braced) = rest.split_at(at);
        out.push_str(before);
        let inner = braced.trim_start_matches('{');
        let length = inner.find(|c: char| !(c.is_alphanumeric() || "_. ".contains(c))).unwrap_or(inner.len());
        if length > 0 && inner[length..].starts_with('}') {
            out.push('\\');
        }
        let braces = braced.len() - inner.len();
        out.push_str(&braced[..braces]);
        rest = inner;
    }
    out.push_str(rest);
    out
}

fn step(deed: &Deed, gives_back: Option<String>) -> Step {
    match deed {
        Deed::Command(words) => Step::Command(CommandStep {
            command: words.clone(),
            description: None,
            step_id: None,
            timeout_seconds: None,
            on_failure: OnFailure::default(),
            depends_on: Vec::new(),
        }),
        Deed::Tool(tool, arguments) => Step::Tool(ToolStep {
            tool: tool.clone(),
            arguments: arguments.clone().into_iter().collect(),
            description: None,
            step_id: None,
            timeout_seconds: None,
            on_failure: OnFailure::default(),
            depends_on: Vec::new(),
        }),
        Deed::Procedure(name, arguments) => Step::Procedure(ProcedureStep {
            procedure: name.clone(),
            arguments: arguments.clone().into_iter().collect(),
            step_id: None,
            timeout_seconds: None,
            on_failure: OnFailure::default(),
            depends_on: Vec::new(),
        }),
        Deed::Manual(text) => Step::Sentence(match gives_back {
            Some(value) => format!("{text}\nGive back the value that is used later (it was: {})", plain(&value)),
            None => text.clone(),
        }),
    }
}

/// The commands, tools and procedures that were used.
fn permissions(steps: &[Done]) -> Option<Permissions> {
    let (mut commands, mut tools) = (BTreeSet::new(), BTreeSet::new());
    for done in steps {
        match &done.deed {
            Deed::Command(words) => {
                let command = words.get(1).filter(|word| super::deed::is_subcommand(word));
                let program = words.first().map(String::as_str).unwrap_or_default();
                commands.insert(command.map_or_else(|| program.to_owned(), |command| format!("{program} {command}")));
            }
            Deed::Tool(tool, _) => {
                tools.insert(tool.clone());
            }
            // What it calls may need anything.
            Deed::Procedure(..) => return None,
            Deed::Manual(_) => {}
        }
    }
    serde_json::from_value(json!({"commands": commands, "tools": tools})).ok()
}

#[cfg(test)]
#[path = "procedure_tests.rs"]
mod tests;
