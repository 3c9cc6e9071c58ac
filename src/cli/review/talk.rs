//! One candidate after the other: the panel, an answer, what becomes of it.

use std::io::BufRead as _;

use anstyle::Style;
use textwrap::core::display_width;

use super::{
    answer::{Answer, choices},
    edit::{self, Draft},
    layout::{cut, wrapped},
    panel,
};
use crate::{
    cli::{
        asking,
        error::CliError,
        output::{BOLD, CYAN, DIM, GREEN, Output, RED},
    },
    domain::Hinted as _,
    library::{Actor, Decided, Dossier, Library, LibraryError, Review},
};

/// Where no terminal says how wide it is.
pub const COLUMNS: usize = 80;

/// A review that is going on.
pub struct Talk<'l> {
    library: &'l Library,
    out: Output,
    /// Whether a person types the answers.
    is_terminal: bool,
    decided: usize,
}

/// What comes after a candidate.
enum Next {
    Candidate,
    /// The same candidate is shown again.
    Again,
    /// The same candidate, which is still on the screen.
    Answer,
    End,
}

impl<'l> Talk<'l> {
    pub fn new(library: &'l Library, out: Output) -> Self {
        Self { library, out, is_terminal: asking::is_terminal(), decided: 0 }
    }

    /// Shows these candidates one after the other, and does what is answered. Where the answers end, everything stays as it is.
    pub fn go_through(mut self, ids: &[i64]) -> Result<(), CliError> {
        for (at, id) in (1..).zip(ids) {
            if !self.one(*id, (ids.len() > 1).then_some((at, ids.len())))? {
                break;
            }
        }
        let (count, waits) = (self.decided, self.library.pending()?.candidates);
        let decided = if count == 1 { "1 decided".to_owned() } else { format!("{count} decided") };
        let waits = if waits == 1 { "1 waits".to_owned() } else { format!("{waits} wait") };
        self.tell(&format!("{decided}, {waits}."), DIM);
        Ok(())
    }

    /// Whether to go on after a candidate.
    fn one(&mut self, id: i64, place: Option<(usize, usize)>) -> Result<bool, CliError> {
        let mut all = false;
        loop {
            let dossier = match self.library.dossier(id) {
                Ok(dossier) => dossier,
                // Somebody was faster.
                Err(
                    error @ (LibraryError::CandidateReviewed { .. }
                    | LibraryError::CandidateNotFound(_)
                    | LibraryError::CandidateBusy(_)),
                ) => {
                    self.fail(&error.into());
                    return Ok(true);
                }
                Err(error) => return Err(error.into()),
            };
            let panel = panel::draw(&dossier, place, self.width(), all);
            panel.lines.iter().for_each(|line| self.out.line(line));
            self.out.line("");
            loop {
                let Some(answer) = self.answer(&dossier, panel.is_cut)? else { return Ok(false) };
                match answer {
                    Answer::View => {
                        all = true;
                        break;
                    }
                    answer => match self.act(&dossier, answer) {
                        Ok(Next::Candidate) => return Ok(true),
                        Ok(Next::End) => return Ok(false),
                        Ok(Next::Again) => break,
                        Ok(Next::Answer) => {}
                        // Nobody is there who could answer otherwise.
                        Err(error) if !self.is_terminal => return Err(error),
                        Err(error) => {
                            self.fail(&error);
                            if matches!(error, CliError::Library(LibraryError::CandidateChanged(_))) {
                                break;
                            }
                        }
                    },
                }
            }
        }
    }

    fn act(&mut self, dossier: &Dossier, answer: Answer) -> Result<Next, CliError> {
        let review = match answer {
            Answer::Approve(name) => Review::Approve(name, Box::default()),
            Answer::Reject(None) if self.is_terminal => {
                self.out.ask(format_args!("{DIM}Why? (Enter: no reason){DIM:#} › "));
                let Some(line) = read_line()? else { return Ok(Next::End) };
                Review::Reject(Some(line.trim().to_owned()).filter(|reason| !reason.is_empty()))
            }
            Answer::Reject(reason) => Review::Reject(reason),
            Answer::Merge => Review::Merge,
            Answer::Skip => Review::Skip,
            Answer::Edit => return self.edit(dossier),
            Answer::View => return Ok(Next::Again),
            Answer::Quit => return Ok(Next::End),
        };
        let decided = self.decide(dossier, review.clone())?;
        self.decided += usize::from(!matches!(review, Review::Skip));
        self.tell(&format!("✓ {}", said(dossier, &review, &decided)), GREEN);
        self.out.line("");
        Ok(Next::Candidate)
    }

    /// A person at the terminal decides on what the panel showed; a program asks as every client does.
    fn decide(&self, dossier: &Dossier, review: Review) -> Result<Decided, CliError> {
        let (id, user) = (dossier.id, self.library.user());
        if self.is_terminal {
            let by = Actor::deciding(asking::decider(user), dossier.digest());
            return Ok(self.library.review_candidate(id, review, &by)?);
        }
        asking::confirmed(user, self.out, |by| self.library.review_candidate(id, review.clone(), &by))
    }

    fn edit(&mut self, dossier: &Dossier) -> Result<Next, CliError> {
        if !self.is_terminal {
            return Err(CliError::Other("an editor needs a terminal, and stdin is none".to_owned()));
        }
        if let Some(code) = &dossier.code {
            let Some(code) = edit::code(dossier.id, code)? else {
                self.tell("Nothing was changed.", DIM);
                return Ok(Next::Answer);
            };
            let review = Review::ApproveWith(code);
            let decided = self.decide(dossier, review.clone())?;
            self.decided += 1;
            self.tell(&format!("✓ {}", said(dossier, &review, &decided)), GREEN);
            self.out.line("");
            return Ok(Next::Candidate);
        }
        let Some(lesson) = &dossier.words else {
            return Err(CliError::Other(format!("the words of candidate {} can't be changed", dossier.id)));
        };
        let draft = Draft::of(dossier.id, lesson)?;
        loop {
            match draft.edit()? {
                Ok(edits) if edits.is_empty() => {
                    self.tell("Nothing was changed.", DIM);
                    return Ok(Next::Answer);
                }
                Ok(edits) => {
                    self.decide(dossier, Review::Edit(edits))?;
                    return Ok(Next::Again);
                }
                Err(why) => {
                    self.fail(&CliError::Other(why));
                    self.out.ask(format_args!("{DIM}Enter to edit it again, n to leave it as it is{DIM:#} › "));
                    if read_line()?.is_none_or(|line| !line.trim().is_empty()) {
                        return Ok(Next::Answer);
                    }
                }
            }
        }
    }

    /// The next answer that says something; nothing where there are no more.
    fn answer(&self, dossier: &Dossier, can_view: bool) -> Result<Option<Answer>, CliError> {
        let merges_with = dossier.merges_with().map(|near| near.name.as_str());
        let can_edit = dossier.words.is_some() || dossier.code.is_some();
        let choices = choices(merges_with, can_edit, can_view);
        loop {
            self.show_choices(&choices);
            self.out.ask(format_args!("{CYAN}›{CYAN:#} "));
            let Some(line) = read_line()? else {
                self.out.line("");
                return Ok(None);
            };
            if !self.is_terminal {
                // What was typed stands behind the question otherwise.
                self.out.line(cut(&line, self.width().saturating_sub(2)));
            }
            match Answer::read(&line) {
                Some(answer) => return Ok(Some(answer)),
                None if line.trim().is_empty() => {}
                None => self.tell("Answer with one of these letters.", DIM),
            }
        }
    }

    /// As many in a line as there is room for.
    fn show_choices(&self, choices: &[(char, String)]) {
        let (mut line, mut used, width) = (String::new(), 0, self.width());
        for (letter, what) in choices {
            let what = cut(what, width.saturating_sub(2));
            let columns = 2 + display_width(&what);
            if used > 0 && used + 3 + columns > width {
                self.out.line(std::mem::take(&mut line));
                used = 0;
            }
            if used > 0 {
                line.push_str(&format!("{DIM} · {DIM:#}"));
                used += 3;
            }
            line.push_str(&format!("{BOLD}{letter}{BOLD:#} {what}"));
            used += columns;
        }
        self.out.line(line);
    }

    fn tell(&self, text: &str, style: Style) {
        wrapped(text, self.width(), 2).iter().for_each(|line| self.out.line(format_args!("{style}{line}{style:#}")));
    }

    fn fail(&self, error: &CliError) {
        self.tell(&format!("error: {error}"), RED);
        if let Some(hint) = error.hint() {
            self.tell(&format!("hint: {hint}"), CYAN);
        }
    }

    fn width(&self) -> usize {
        self.out.columns().unwrap_or(COLUMNS)
    }
}

/// What became of a candidate, in a sentence.
pub fn said(dossier: &Dossier, review: &Review, decided: &Decided) -> String {
    let id = dossier.id;
    match (review, &decided.procedure) {
        // What has no words of its own is a change of something that is there.
        (Review::Approve(..) | Review::ApproveWith(_), Some((_, name))) if dossier.words.is_none() => {
            format!("`{name}` is changed so.")
        }
        (Review::Approve(..), Some((id, name))) => format!("It is procedure `{name}` (id {id}) now."),
        (Review::Merge, Some((_, name))) => format!("Candidate {id} is a part of `{name}` now."),
        (Review::Skip, _) => format!("Candidate {id} waits behind the others."),
        _ => format!("Candidate {id} is {}.", decided.status.as_str()),
    }
}

/// What is typed next; nothing where there is no more.
fn read_line() -> Result<Option<String>, CliError> {
    let mut line = Vec::new();
    let count =
        std::io::stdin().lock().read_until(b'\n', &mut line).map_err(CliError::io("the answer can't be read"))?;
    Ok((count > 0).then(|| String::from_utf8_lossy(&line).into_owned()))
}
