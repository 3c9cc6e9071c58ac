//! The panel of a candidate. It draws what a [`Dossier`] has, and knows no kinds of candidates.

use anstyle::Style;

use super::layout::{cut, padded, wrapped};
use crate::{
    cli::output::{BOLD, CYAN, DIM, GREEN, RED, YELLOW},
    library::{Change, Dossier, Sign},
};

/// Below this, what stands beside each other is put one below the other.
const NARROW: usize = 60;
const INDENT: usize = 2;
/// The column of names is no wider.
const MAX_NAME: usize = 14;
/// Longer lines are hard to read.
const WIDEST: usize = 120;
/// Lines of one part that are shown, unless all are wanted.
const MAX_LINES: usize = 24;

/// What is drawn.
pub struct Panel {
    width: usize,
    /// Lines of a part that are shown.
    most: usize,
    pub lines: Vec<String>,
    /// Whether something is left out.
    pub is_cut: bool,
}

/// Draws a candidate; `place` says which of how many it is, `all` that nothing is left out.
pub fn draw(dossier: &Dossier, place: Option<(usize, usize)>, width: usize, all: bool) -> Panel {
    let Dossier { id, kind, title, says, evidence, recorded, change, needs, neighbour: _, words: _, code: _, basis: _ } =
        dossier;
    let most = if all { usize::MAX } else { MAX_LINES };
    let mut panel = Panel { width: width.min(WIDEST), most, lines: Vec::new(), is_cut: false };
    panel.rule(place);
    panel.text(&format!("candidate {id} · {kind} {title}"), 0, BOLD);
    panel.gap();
    panel.names_and_texts(says);
    if !evidence.is_empty() {
        panel.head("what speaks for it");
        evidence.iter().for_each(|line| panel.item("·", line, Style::new()));
    }
    if let Some((done, again)) = recorded {
        panel.side_by_side(("what was done", done), ("what would be done again", again));
    }
    if let Some(Change { title, lines }) = change {
        panel.head(title);
        let (shown, left) = panel.first(lines);
        for (sign, line) in shown {
            let style = match sign {
                Sign::Added => GREEN,
                Sign::Removed => RED,
                Sign::Gap => DIM,
                Sign::Same => Style::new(),
            };
            panel.item(sign.as_str(), line, style);
        }
        panel.left_out(left);
    }
    if !needs.is_empty() {
        panel.head("to be granted, under [policy] in config.toml");
        needs.iter().for_each(|line| panel.item(" ", line, YELLOW));
    }
    if panel.is_cut {
        panel.gap();
        panel.text("v shows what is left out here.", 0, DIM);
    }
    panel
}

impl Panel {
    fn push(&mut self, indent: usize, text: &str, style: Style) {
        if text.is_empty() {
            return self.gap();
        }
        self.lines.push(format!("{}{style}{text}{style:#}", " ".repeat(indent)));
    }

    fn gap(&mut self) {
        self.lines.push(String::new());
    }

    fn rule(&mut self, place: Option<(usize, usize)>) {
        let place = place.map_or_else(String::new, |(at, of)| format!("── {at} of {of} "));
        let left = self.width.saturating_sub(place.chars().count());
        self.push(0, &format!("{place}{}", "─".repeat(left)), DIM);
    }

    fn text(&mut self, text: &str, indent: usize, style: Style) {
        for line in wrapped(text, self.width.saturating_sub(indent), 0) {
            self.push(indent, &line, style);
        }
    }

    fn head(&mut self, text: &str) {
        self.gap();
        self.text(text, 0, CYAN);
    }

    /// A line with a sign before it.
    fn item(&mut self, sign: &str, text: &str, style: Style) {
        let indent = INDENT + 2;
        let mut lines = wrapped(text, self.width.saturating_sub(indent), 0);
        if lines.is_empty() {
            lines.push(String::new());
        }
        for (number, line) in lines.iter().enumerate() {
            let line = format!("{} {line}", if number == 0 { sign } else { " " });
            self.push(INDENT, line.trim_end(), style);
        }
    }

    /// Those that are shown, and how many are not.
    fn first<'l, T>(&mut self, lines: &'l [T]) -> (&'l [T], usize) {
        let shown = &lines[..lines.len().min(self.most)];
        self.is_cut |= shown.len() < lines.len();
        (shown, lines.len() - shown.len())
    }

    fn left_out(&mut self, count: usize) {
        if count > 0 {
            let lines = if count == 1 { "line" } else { "lines" };
            self.text(&format!("… {count} {lines} more"), INDENT + 2, DIM);
        }
    }

    fn names_and_texts(&mut self, says: &[(String, String)]) {
        let longest = says.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).min(MAX_NAME);
        let is_narrow = self.width < NARROW;
        let indent = if is_narrow { INDENT } else { INDENT + longest + 2 };
        let mut before = "";
        for (name, text) in says {
            let lines = wrapped(text, self.width.saturating_sub(indent), 0);
            let (shown, left) = self.first(&lines);
            // A name that is said again is understood.
            let label = if name == before { String::new() } else { cut(name, longest) };
            let mut shown = shown.iter();
            if is_narrow {
                if !label.is_empty() {
                    self.push(0, &label, CYAN);
                }
            } else if let Some(first) = shown.next() {
                let gap = " ".repeat(INDENT);
                self.lines.push(format!("{gap}{CYAN}{}{CYAN:#}  {first}", padded(&label, longest)));
            }
            shown.for_each(|line| self.push(indent, line, Style::new()));
            if left > 0 {
                self.text(&format!("… {left} more"), indent, DIM);
            }
            before = name;
        }
    }

    fn side_by_side(&mut self, (left_head, left): (&str, &[String]), (right_head, right): (&str, &[String])) {
        if self.width < NARROW {
            for (head, lines) in [(left_head, left), (right_head, right)] {
                self.head(head);
                let (shown, more) = self.first(lines);
                shown.iter().for_each(|line| self.item(" ", line, Style::new()));
                self.left_out(more);
            }
            return;
        }
        let column = (self.width - INDENT - 3) / 2;
        let flow = |lines: &[String]| lines.iter().flat_map(|line| wrapped(line, column, 3)).collect::<Vec<_>>();
        let (left, right) = (flow(left), flow(right));
        self.gap();
        let mut row = |left: &str, right: &str, style: Style| {
            let (gap, left) = (" ".repeat(INDENT), padded(left, column));
            let right = if right.is_empty() { String::new() } else { format!(" {style}{right}{style:#}") };
            self.lines.push(format!("{gap}{style}{left}{style:#} {DIM}│{DIM:#}{right}"));
        };
        row(&cut(left_head, column), &cut(right_head, column), CYAN);
        let count = left.len().max(right.len());
        let shown = count.min(self.most);
        for at in 0..shown {
            let side = |lines: &[String]| lines.get(at).cloned().unwrap_or_default();
            row(&side(&left), &side(&right), Style::new());
        }
        self.is_cut |= shown < count;
        self.left_out(count - shown);
    }
}

#[cfg(test)]
mod tests {
    use textwrap::core::display_width;

    use super::*;
    use crate::library::Neighbour;

    fn dossier() -> Dossier {
        let texts = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        Dossier {
            id: 7,
            kind: "recorded".to_owned(),
            title: "say_hello".to_owned(),
            says: vec![
                (
                    "problem".to_owned(),
                    "Somebody has to be greeted, 日本語の人も, in whatever way they like best. ".repeat(3),
                ),
                ("avoid".to_owned(), "Shouting\u{1b}[31m".to_owned()),
                ("avoid".to_owned(), "Whispering".to_owned()),
                ("code".to_owned(), "def say_hello():\n\treturn 1\n".repeat(20)),
            ],
            evidence: texts(&["asked: Say hello to Ada"]),
            recorded: Some((texts(&["Bash ls", "Bash printf '%s' Ada"]), texts(&["1. printf %s {{name}}"]))),
            change: Change::between("beside `greet`, which is nearest".to_owned(), "a\nb\n", "a\nc\u{7}\n"),
            needs: texts(&["commands = ['printf']"]),
            neighbour: Some(Neighbour { id: 1, name: "greet".to_owned(), likeness: 0.5, is_own: true }),
            words: None,
            code: None,
            basis: String::new(),
        }
    }

    #[test]
    fn a_panel_has_all_there_is_in_any_width() {
        for width in [20, 40, 59, 60, 80, 200] {
            for all in [false, true] {
                let lines = draw(&dossier(), Some((1, 3)), width, all).lines;
                let plain = anstream::adapter::strip_str(&lines.join("\n")).to_string();
                for line in plain.lines() {
                    assert!(display_width(line) <= width, "{width}: {line:?}");
                    assert!(!line.chars().any(char::is_control), "{line:?}");
                }
                let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
                for wanted in ["1 of 3", "candidate 7 ·", "⟨U+001B⟩", "Bash ls", "+ c⟨U+0007⟩", "['printf']"] {
                    assert!(words.contains(wanted), "{width}: no {wanted:?} in\n{plain}");
                }
                assert_eq!(plain.matches("def say_hello").count(), if all { 20 } else { 12 }, "{plain}");
                assert_eq!(plain.contains("v shows what"), !all, "{plain}");
            }
        }
    }

    #[test]
    fn what_was_done_stands_beside_what_would_be_done_where_there_is_room() {
        let shown =
            |width| anstream::adapter::strip_str(&draw(&dossier(), None, width, false).lines.join("\n")).to_string();
        assert!(shown(80).contains(&format!("Bash ls{}│ 1. printf %s {{{{name}}}}", " ".repeat(31))), "{}", shown(80));
        assert!(!shown(59).contains('│'));
    }
}
