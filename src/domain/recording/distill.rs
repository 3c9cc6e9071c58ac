//! What of a recording has to be done again: failed and repeated attempts are left out, and looking around of which nothing is
//! used. And which values of what is left come from what was done before.

use serde_json::Value;

use super::{
    Recording,
    deed::{self, Deed, Done},
    values::{self, Leaf},
};

/// Where in an earlier result a value was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// It is the result.
    Whole,
    /// In a field, `a.b.0`.
    Field(String),
    /// Somewhere in a text.
    Within,
}

/// A value of a step that an earlier step gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The step, and the place of the value in it.
    pub step: usize,
    pub leaf: usize,
    /// The step that gave it, and where.
    pub from: usize,
    pub source: Source,
}

/// What has to be done again, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Distilled {
    pub steps: Vec<Done>,
    pub links: Vec<Link>,
}

/// Distils a recording.
#[must_use]
pub fn distill(recording: &Recording) -> Distilled {
    let done = without_repeats(recording.calls.iter().flat_map(deed::of).collect());
    let all_links = links(&done, &recording.prompt);
    let mut is_kept: Vec<bool> = done.iter().map(|done| !done.is_looking).collect();
    if !is_kept.contains(&true)
        && let Some(last) = is_kept.last_mut()
    {
        // Who only looked wanted to see what came last.
        *last = true;
    }
    for step in (0..done.len()).rev().filter(|step| is_kept[*step]).collect::<Vec<_>>() {
        keep_sources(step, &all_links, &mut is_kept);
    }
    let mut places = vec![None; done.len()];
    let mut steps = Vec::new();
    for (at, done) in done.into_iter().enumerate().filter(|(at, _)| is_kept[*at]) {
        places[at] = Some(steps.len());
        steps.push(done);
    }
    let links = all_links.into_iter().filter_map(|link| {
        let (step, from) = (places[link.step]?, places[link.from]?);
        Some(Link { step, from, ..link })
    });
    let links = links.collect();
    Distilled { steps, links }
}

fn keep_sources(step: usize, links: &[Link], is_kept: &mut [bool]) {
    for link in links.iter().filter(|link| link.step == step) {
        if !std::mem::replace(&mut is_kept[link.from], true) {
            keep_sources(link.from, links, is_kept);
        }
    }
}

/// Of the same thing done twice with nothing done in between, the last.
fn without_repeats(done: Vec<Done>) -> Vec<Done> {
    let mut kept: Vec<Done> = Vec::with_capacity(done.len());
    for one in done {
        let before = if one.is_looking {
            kept.iter().rposition(|other| other.deed == one.deed)
        } else {
            kept.iter().rposition(|other| !other.is_looking).filter(|at| kept[*at].deed == one.deed)
        };
        if let Some(before) = before
            && kept[before + 1..].iter().all(|other| other.is_looking)
        {
            kept.remove(before);
        }
        kept.push(one);
    }
    kept
}

/// The values of steps that earlier steps gave, and nobody knew before.
fn links(done: &[Done], prompt: &str) -> Vec<Link> {
    let leaves: Vec<Vec<Leaf>> = done.iter().map(|done| values::leaves(&done.deed)).collect();
    let mut links = Vec::new();
    for (step, own) in leaves.iter().enumerate() {
        for (leaf, value) in own.iter().enumerate().filter(|(_, value)| !value.is_fixed) {
            let text = value.text();
            if !is_telling(&text) && !value.value.is_number() || values::stands_in(prompt, &text) {
                continue;
            }
            let known_at = leaves[..step].iter().position(|own| own.iter().any(|other| other.text() == text));
            let sources =
                (0..step).rev().filter_map(|from| Some((from, source(done[from].result.as_ref()?, value, &text)?)));
            // A field says more than a text that has it somewhere.
            let best = sources.min_by_key(|(from, source)| (*source == Source::Within, std::cmp::Reverse(*from)));
            if let Some((from, source)) = best
                && known_at.is_none_or(|known| known > from)
            {
                links.push(Link { step, leaf, from, source });
            }
        }
    }
    links
}

/// Whether a value is no word that stands anywhere.
fn is_telling(text: &str) -> bool {
    let length = text.chars().count();
    let has = |of: fn(char) -> bool| text.chars().any(of);
    (4..=500).contains(&length)
        && (has(|c| c.is_ascii_digit()) || has(|c| "._-/@:".contains(c)) || has(char::is_uppercase) || length >= 12)
}

fn source(result: &Value, leaf: &Leaf, text: &str) -> Option<Source> {
    match result {
        Value::String(whole) if whole.trim() == text => Some(Source::Whole),
        Value::String(whole) => (is_telling(text) && values::stands_in(whole, text)).then_some(Source::Within),
        _ => {
            let mut path = Vec::new();
            field_with(result, leaf, text, &mut path).then(|| Source::Field(path.join(".")))
        }
    }
}

/// Finds the field that has the value; only names and numbers that a variable can follow.
fn field_with(value: &Value, leaf: &Leaf, text: &str, path: &mut Vec<String>) -> bool {
    let is_name = |name: &str| {
        !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    match value {
        Value::Object(fields) => fields.iter().filter(|(name, _)| is_name(name)).any(|(name, inner)| {
            path.push(name.clone());
            let is_found = field_with(inner, leaf, text, path);
            if !is_found {
                path.pop();
            }
            is_found
        }),
        Value::Array(items) => items.iter().take(50).enumerate().any(|(at, inner)| {
            path.push(at.to_string());
            let is_found = field_with(inner, leaf, text, path);
            if !is_found {
                path.pop();
            }
            is_found
        }),
        Value::String(found) => found == text && is_telling(text),
        Value::Number(_) if *value == leaf.value || value == text => {
            // Small numbers stand anywhere: their names have to say that they are the same.
            let (name, wanted) = (path.last().map_or("", String::as_str), leaf.name.as_deref().unwrap_or_default());
            text.len() >= 4 || values::share_word(name, wanted)
        }
        _ => false,
    }
}

impl Distilled {
    /// Whether it is worth a person's time without having been asked for: several steps, most of which run by themselves.
    #[must_use]
    pub fn is_worth_it(&self) -> bool {
        let by_hand = self.steps.iter().filter(|done| matches!(done.deed, Deed::Manual(_))).count();
        self.steps.len() >= 2 && by_hand * 2 <= self.steps.len()
    }
}
