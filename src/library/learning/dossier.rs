//! What a person is shown of a candidate before they decide on it, whatever it is: data, which terminals and forms only draw.
//!
//! A new kind of candidate is described in [`super::describe`]; no terminal and no form need know that there is one.

use std::{fmt::Write as _, time::Duration};

use similar::{ChangeTag, TextDiff};

use crate::{domain::learning::Lesson, library::digest};

/// Lines that are shown around those that differ.
const CONTEXT: usize = 2;
/// Comparing may take this long; what was not compared by then is shown as other lines.
const PATIENCE: Duration = Duration::from_millis(300);

/// A candidate as a person is shown it.
#[derive(Debug, Clone, PartialEq)]
pub struct Dossier {
    /// Its number.
    pub id: i64,
    /// What kind of candidate it is, in a word or two.
    pub kind: String,
    /// What it is called.
    pub title: String,
    /// What it says: names and texts, in order.
    pub says: Vec<(String, String)>,
    /// What speaks for it, a line each.
    pub evidence: Vec<String>,
    /// Where it was recorded: what was done, and what would be done again.
    pub recorded: Option<(Vec<String>, Vec<String>)>,
    /// How it differs from what there is.
    pub change: Option<Change>,
    /// What would have to be granted: lines for `[policy]` in `config.toml`.
    pub needs: Vec<String>,
    /// What is nearest to it.
    pub neighbour: Option<Neighbour>,
    /// What a reviewer may put in other words; nothing where that is not possible.
    pub words: Option<Lesson>,
    /// The code that a reviewer may correct; nothing where it is no change of code.
    pub code: Option<String>,
    /// What stands for all of it, also for what is not said above.
    pub basis: String,
}

/// What is nearest to a candidate.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbour {
    /// Its handle.
    pub id: i64,
    pub name: String,
    /// Share of common words, 0 to 1.
    pub likeness: f64,
    /// Whether the user may change it, so that a candidate can become a part of it.
    pub is_own: bool,
}

/// How a candidate differs from what there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// From what.
    pub title: String,
    pub lines: Vec<(Sign, String)>,
}

/// What a line of a [`Change`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// Only the candidate has it.
    Added,
    /// Only what there is has it.
    Removed,
    Same,
    /// Lines that both have are left out here.
    Gap,
}

impl Sign {
    /// What stands before such a line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "+",
            Self::Removed => "-",
            Self::Same => " ",
            Self::Gap => "⋯",
        }
    }
}

impl Change {
    /// How one text became another; nothing where they are the same.
    #[must_use]
    pub fn between(title: String, before: &str, after: &str) -> Option<Self> {
        let lines = compared(before, after);
        (!lines.is_empty()).then_some(Self { title, lines })
    }

    /// The same of named texts, of which those that are the same are left out.
    #[must_use]
    pub fn between_all(title: String, before: &[(String, String)], after: &[(String, String)]) -> Option<Self> {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in after.iter().chain(before) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        let text = |says: &[(String, String)], name: &str| -> String {
            let texts = says.iter().filter(|(other, _)| other == name);
            texts.map(|(_, text)| format!("{name}: {}\n", text.replace('\n', "\n  "))).collect()
        };
        let lines: Vec<_> =
            names.into_iter().flat_map(|name| compared(&text(before, name), &text(after, name))).collect();
        (!lines.is_empty()).then_some(Self { title, lines })
    }
}

fn compared(before: &str, after: &str) -> Vec<(Sign, String)> {
    let compared = TextDiff::configure().timeout(PATIENCE).diff_lines(before, after);
    let mut lines = Vec::new();
    for (at, group) in compared.grouped_ops(CONTEXT).iter().enumerate() {
        if at > 0 {
            lines.push((Sign::Gap, String::new()));
        }
        for change in group.iter().flat_map(|op| compared.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Insert => Sign::Added,
                ChangeTag::Delete => Sign::Removed,
                ChangeTag::Equal => Sign::Same,
            };
            lines.push((sign, change.value().trim_end().to_owned()));
        }
    }
    lines
}

impl Dossier {
    /// What stands for everything by which somebody decides. More evidence for the same is no other candidate.
    #[must_use]
    pub fn digest(&self) -> String {
        let Self { id, kind, title, says, evidence: _, recorded, change, needs, neighbour, words, code: _, basis } =
            self;
        let neighbour = neighbour.as_ref().map(|near| near.id);
        digest(&format!("{:?}", (id, kind, title, says, recorded, change, needs, neighbour, words, basis)))
    }

    /// Whether it can become a part of what is nearest to it.
    #[must_use]
    pub fn merges_with(&self) -> Option<&Neighbour> {
        self.neighbour.as_ref().filter(|near| near.is_own)
    }

    /// All of it as text, for whoever shows nothing else.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("candidate {} · {} · {}", self.id, self.kind, self.title);
        for (name, said) in &self.says {
            let _ = write!(text, "\n{name}: {said}");
        }
        let mut section = |name: &str, lines: &mut dyn Iterator<Item = String>| {
            let lines: Vec<String> = lines.collect();
            if !lines.is_empty() {
                let _ = write!(text, "\n\n{name}:\n{}", lines.join("\n"));
            }
        };
        section("evidence", &mut self.evidence.iter().cloned());
        if let Some((done, again)) = &self.recorded {
            section("what was done", &mut done.iter().cloned());
            section("what would be done again", &mut again.iter().cloned());
        }
        if let Some(Change { title, lines }) = &self.change {
            section(title, &mut lines.iter().map(|(sign, line)| format!("{} {line}", sign.as_str())));
        }
        section("to be granted under [policy] in config.toml", &mut self.needs.iter().cloned());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_has_the_lines_that_differ_and_those_around_them() {
        let before = "a\nb\nc\nd\ne\nf\ng\nh\n";
        let after = before.replace("b\n", "B\n").replace("h\n", "h\ni\n");
        let change = Change::between("beside".to_owned(), before, &after).unwrap();
        let lines: Vec<String> = change.lines.iter().map(|(sign, line)| format!("{}{line}", sign.as_str())).collect();
        assert_eq!(lines, [" a", "-b", "+B", " c", " d", "⋯", " g", " h", "+i"]);
        assert_eq!(Change::between(String::new(), before, before), None);
    }

    #[test]
    fn named_texts_are_compared_by_their_names() {
        let says = |texts: &[(&str, &str)]| -> Vec<(String, String)> {
            texts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
        };
        let before = says(&[("problem", "a"), ("tags", "x"), ("steps", "1. b\n2. c"), ("why", "w")]);
        let after = says(&[("problem", "A"), ("avoid", "p"), ("avoid", "q"), ("tags", "x"), ("steps", "1. b\n2. d")]);
        let change = Change::between_all(String::new(), &before, &after).unwrap();
        let lines: Vec<String> = change.lines.iter().map(|(sign, line)| format!("{}{line}", sign.as_str())).collect();
        let wanted =
            ["-problem: a", "+problem: A", "+avoid: p", "+avoid: q", " steps: 1. b", "-  2. c", "+  2. d", "-why: w"];
        assert_eq!(lines, wanted);
    }
}
