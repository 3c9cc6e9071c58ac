//! Calls that can fail, and whether somebody does something about it.

use std::collections::{HashMap, HashSet};

use ruff_python_ast::ExprCall;
use ruff_text_size::{Ranged, TextSize};

use super::place::Place;
use crate::validation::{
    report::{Report, quote},
    rules,
};

/// A call that can fail and stands in no `try`.
struct Unhandled<'a> {
    /// The function of the code's own that it stands in.
    function: Option<&'a str>,
    at: TextSize,
    what: String,
}

/// The calls that can fail, and who calls the code's own functions.
#[derive(Default)]
pub struct Failures<'a> {
    unhandled: Vec<Unhandled<'a>>,
    /// Own functions that are called inside a handled `try`.
    called_handled: HashSet<&'a str>,
    /// Own functions, with those that call them.
    callers: HashMap<&'a str, HashSet<&'a str>>,
}

impl<'a> Failures<'a> {
    /// Notes that a function or method of the code's own is called.
    pub fn own_call(&mut self, name: &'a str, place: &Place<'_, 'a>) {
        if place.around().is_handled {
            self.called_handled.insert(name);
        }
        if let Some(caller) = place.function() {
            self.callers.entry(name).or_default().insert(caller);
        }
    }

    /// Notes a call that can fail in the normal course of things.
    pub fn fallible(&mut self, call: &'a ExprCall, place: &Place<'_, 'a>) {
        if !place.around().is_handled {
            let (function, at) = (place.function(), call.start());
            let what = quote(&format!("{}(…)", place.source(&*call.func)));
            self.unhandled.push(Unhandled { function, at, what });
        }
    }

    /// Reports the first call that can fail outside any `try`; true when there is none.
    pub fn report(self, report: &mut Report) -> bool {
        let Self { unhandled, called_handled: mut called, callers } = self;
        // A helper whose caller handles its failures needs no `try` of its own.
        loop {
            let before = called.len();
            let is_covered = |callers: &HashSet<&str>| callers.iter().any(|caller| called.contains(caller));
            let covered: Vec<&str> =
                callers.iter().filter(|(_, callers)| is_covered(callers)).map(|(name, _)| *name).collect();
            called.extend(covered);
            if called.len() == before {
                break;
            }
        }
        let first = unhandled.into_iter().find(|call| !call.function.is_some_and(|name| called.contains(name)));
        let Some(call) = first else { return true };
        let message = format!(
            "{} can fail and stands in no `try` that catches it and does something; catch the exception and say which step failed.",
            call.what
        );
        report.add(&rules::UNHANDLED, call.at, message);
        false
    }
}
