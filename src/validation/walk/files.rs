//! Files and folders that calls touch, through `open`, `os` and the methods of paths.

use std::collections::HashSet;

use ruff_python_ast::{Expr, ExprCall, Operator, WithItem};
use ruff_text_size::{Ranged, TextRange};

use super::{
    needs::{self, Needs},
    place::Place,
};
use crate::validation::{report::Report, rules, scopes::meaning};

/// Functions of `os` that fail when a file is not as expected.
const FALLIBLE_OS: [&str; 11] =
    ["chdir", "listdir", "makedirs", "mkdir", "remove", "rename", "replace", "rmdir", "scandir", "stat", "unlink"];

/// Methods that only paths have and that fail when a file is not as expected.
const FALLIBLE_PATH: [&str; 5] = ["read_text", "read_bytes", "write_text", "write_bytes", "iterdir"];

/// Which files are closed again.
#[derive(Default)]
pub struct Files {
    /// The contexts of `with`.
    managed: HashSet<TextRange>,
}

impl Files {
    /// Notes the context of a `with`.
    pub fn with_item(&mut self, item: &WithItem) {
        self.managed.insert(item.context_expr.range());
    }

    /// A call of `open`.
    pub fn open<'a>(&self, call: &'a ExprCall, place: &Place<'_, 'a>, needs: &mut Needs, report: &mut Report) {
        if !self.managed.contains(&call.range()) {
            let message =
                "`open` is called without `with`, so the file may stay open; write `with open(…) as file:`.".into();
            report.add(&rules::OPEN_WITHOUT_WITH, call.start(), message);
        }
        let path = call.arguments.find_argument_value("file", 0);
        if let Some(path) = path.and_then(|path| path_text(path, place)) {
            needs.directory(&path, opens_for_writing(call, 1, place), false, call.start());
        }
    }
}

/// What a method call touches if `base` is a path.
pub fn method<'a>(call: &'a ExprCall, method: &str, base: &'a Expr, place: &Place<'_, 'a>, needs: &mut Needs) {
    if let Some(access) = needs::path_access(method)
        && let Some(path) = path(base, place)
    {
        let write = access.write || (method == "open" && opens_for_writing(call, 0, place));
        needs.directory(&path, write, access.is_directory, call.start());
    }
}

/// What a call of a function of `os` touches.
pub fn os<'a>(call: &'a ExprCall, function: &str, place: &Place<'_, 'a>, needs: &mut Needs) {
    let Some((access, paths)) = needs::os_access(function) else { return };
    for path in call.arguments.args.iter().take(paths) {
        if let Some(path) = path_text(path, place) {
            needs.directory(&path, access.write, access.is_directory, call.start());
        }
    }
}

/// Whether a function of `os` fails when a file is not as expected.
pub fn os_can_fail(function: &str) -> bool {
    FALLIBLE_OS.contains(&function)
}

/// Whether a method fails when a file is not as expected.
pub fn method_can_fail<'a>(method: &str, base: &'a Expr, place: &Place<'_, 'a>) -> bool {
    FALLIBLE_PATH.contains(&method) || (method == "open" && path(base, place).is_some())
}

/// A path that is given as a text or as a `Path`.
pub fn path_text<'a>(expr: &'a Expr, place: &Place<'_, 'a>) -> Option<String> {
    place.text(expr).or_else(|| path(expr, place))
}

/// The text of `Path("/a") / "b"`, also through a name.
fn path<'a>(expr: &'a Expr, place: &Place<'_, 'a>) -> Option<String> {
    match place.value(expr) {
        Expr::Call(call) if place.means(&call.func, "pathlib.Path") => joined(None, &call.arguments.args, place),
        Expr::Call(call) => match &*call.func {
            Expr::Attribute(method) if method.attr.as_str() == "joinpath" => {
                joined(Some(path(&method.value, place)?), &call.arguments.args, place)
            }
            _ => None,
        },
        Expr::BinOp(operation) if operation.op == Operator::Div => {
            let base = path(&operation.left, place)?;
            let rest = place.text(&operation.right)?;
            Some(meaning::join_paths(&base, &rest))
        }
        _ => None,
    }
}

fn joined<'a>(base: Option<String>, parts: &'a [Expr], place: &Place<'_, 'a>) -> Option<String> {
    parts.iter().try_fold(base, |path, part| {
        let part = path_text(part, place)?;
        Some(Some(path.map_or_else(|| part.clone(), |path| meaning::join_paths(&path, &part))))
    })?
}

fn opens_for_writing(call: &ExprCall, position: usize, place: &Place<'_, '_>) -> bool {
    call.arguments
        .find_argument_value("mode", position)
        .and_then(|mode| place.text(mode))
        .is_some_and(|mode| mode.contains(['w', 'a', 'x', '+']))
}
