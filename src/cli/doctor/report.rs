//! What `doctor` says: a line per thing that it looked at, and at the end what to do next.

use std::{cell::RefCell, fmt::Display};

use crate::{
    cli::output::{BOLD, GREEN, Output, RED, YELLOW, printable},
    domain::Hinted,
};

/// Says what is found, and keeps what is to be done about it.
pub struct Report {
    out: Output,
    is_healthy: RefCell<bool>,
    next: RefCell<Vec<String>>,
}

impl Report {
    pub fn new(out: Output) -> Self {
        Self { out, is_healthy: RefCell::new(true), next: RefCell::default() }
    }

    pub fn good(&self, what: &str, how: impl Display) {
        self.out.line(format_args!("{GREEN}ok{GREEN:#}    {what}: {}", printable(&how.to_string())));
    }

    pub fn note(&self, what: &str, how: impl Display) {
        self.out.line(format_args!("{YELLOW}note{YELLOW:#}  {what}: {}", printable(&how.to_string())));
    }

    /// Something that has to be mended; `next` says how.
    pub fn bad(&self, what: &str, how: impl Display, next: impl Into<String>) {
        self.out.line(format_args!("{RED}bad{RED:#}   {what}: {}", printable(&how.to_string())));
        *self.is_healthy.borrow_mut() = false;
        self.then(next);
    }

    /// The same of an error, which knows itself what can be done.
    pub fn failed(&self, what: &str, error: &impl Hinted) {
        let next = error.hint().map_or_else(|| format!("look at what is said of the {what}"), |hint| hint.into_owned());
        self.bad(what, error, next);
    }

    /// Something to do next.
    pub fn then(&self, next: impl Into<String>) {
        let next = next.into();
        if !self.next.borrow().contains(&next) {
            self.next.borrow_mut().push(next);
        }
    }

    /// Says what to do next; whether all is well.
    pub fn end(self) -> bool {
        let (next, is_healthy) = (self.next.into_inner(), self.is_healthy.into_inner());
        if next.is_empty() {
            self.out.line(format_args!("{BOLD}Next{BOLD:#}  nothing: connect your client, and it remembers"));
        }
        for next in next {
            self.out.line(format_args!("{BOLD}Next{BOLD:#}  {}", printable(&next)));
        }
        is_healthy
    }
}
