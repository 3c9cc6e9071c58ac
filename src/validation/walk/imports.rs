//! Imports, and members of modules: what they lead to, and whether that is forbidden or missing.

use ruff_python_ast::{Identifier, StmtImport, StmtImportFrom};
use ruff_text_size::{Ranged, TextSize};

use super::place::Place;
use crate::{
    domain::{RuntimeKind, host_module},
    validation::{
        catalogue,
        issue::Severity,
        report::{Report, quote},
        rules,
    },
};

/// `import a, b`.
pub fn import(import: &StmtImport, place: &Place<'_, '_>, report: &mut Report) {
    for alias in &import.names {
        module(alias.name.as_str(), alias.start(), place, report);
    }
}

/// `from a import b, c`.
pub fn import_from(import: &StmtImportFrom, place: &Place<'_, '_>, report: &mut Report) {
    let at = import.start();
    let from = import.module.as_ref().map_or("", Identifier::as_str);
    if import.level > 0 {
        let message = "Relative imports don't work, since a procedure is one file; put the code into it or use `call_procedure` of `repertoire`.";
        report.add(&rules::UNSUPPORTED_IMPORT, at, message.into());
        return;
    }
    let is_known = module(from, at, place, report);
    for alias in &import.names {
        let name = alias.name.as_str();
        if name == "*" && catalogue::has_forbidden_members(from) {
            let message =
                format!("`from {from} import *` brings in forbidden members; import the names that are needed.");
            report.add(&rules::FORBIDDEN_MEMBER, alias.start(), message);
        } else if name == "*" {
            let message = format!("`from {from} import *` does not work; import the names that are needed.");
            report.add(&rules::UNSUPPORTED_IMPORT, alias.start(), message);
        } else if from == "__future__" {
            if name == "barry_as_FLUFL" || alias.asname.is_some() {
                let message = format!("`from __future__ import {name}` does not work here; remove it.");
                report.add(&rules::UNSUPPORTED_IMPORT, alias.start(), message);
            }
        } else if is_known {
            let path = format!("{from}.{name}");
            let path = catalogue::canonical(&path);
            if let Some(instead) = catalogue::forbidden_module(path) {
                let message = format!("The module {} is forbidden in procedures; {instead}.", quote(path));
                report.add(&rules::FORBIDDEN_MODULE, alias.start(), message);
            } else if !catalogue::has_module(path) && path != "os.path" {
                member(path, alias.start(), place, report);
            }
        }
    }
}

/// An imported module; false when nothing more is to be said about its members.
fn module(name: &str, at: TextSize, place: &Place<'_, '_>, report: &mut Report) -> bool {
    if report.runtime() == RuntimeKind::Python {
        if let Some(instead) = catalogue::missing_package(name).filter(|_| !report.has_dependencies()) {
            let message = format!("The standard library has no module {}; {instead}.", quote(name));
            report.add_as(&rules::MISSING_MODULE, severity_of_missing(place), Some(at), message);
        }
        return true;
    }
    if let Some(instead) = catalogue::forbidden_module(name) {
        let message = format!("The module {} is forbidden in procedures; {instead}.", quote(name));
        report.add(&rules::FORBIDDEN_MODULE, at, message);
        return false;
    }
    if let Some(instead) = catalogue::missing_module(name) {
        if !place.never_runs() {
            let message = format!("The interpreter has no module {}; {instead}.", quote(name));
            report.add_as(&rules::MISSING_MODULE, severity_of_missing(place), Some(at), message);
        }
        return false;
    }
    true
}

/// A member of a module, given its dotted path.
pub fn member(path: &str, at: TextSize, place: &Place<'_, '_>, report: &mut Report) {
    if let Some(name) = path.strip_prefix("repertoire.").filter(|name| !name.contains('.')) {
        if !host_module::names().contains(&name) {
            let instead = catalogue::closest_host_name(name).map_or_else(
                || format!("it offers `{}`", host_module::names().join("`, `")),
                |closest| format!("use `{closest}`"),
            );
            let message = format!("The module `repertoire` has no {}; {instead}.", quote(name));
            report.add(&rules::UNKNOWN_HOST_FUNCTION, at, message);
        }
    } else if let Some(name) = path.strip_prefix("builtins.").filter(|name| catalogue::is_dynamic(name)) {
        dynamic(name, at, report);
    } else if let Some(instead) = catalogue::forbidden_member(path) {
        let message = format!("{} is forbidden in procedures; {instead}.", quote(path));
        report.add(&rules::FORBIDDEN_MEMBER, at, message);
    } else if catalogue::is_private_member(path) {
        let message = format!("{} is private to its module; use what the module offers.", quote(path));
        report.add(&rules::FORBIDDEN_MEMBER, at, message);
    } else if let Some(instead) = catalogue::missing_member(path)
        && !place.never_runs()
    {
        let shown = quote(path.strip_prefix("builtins.").unwrap_or(path));
        let message = format!("The interpreter has no {shown}; {instead}.");
        report.add_as(&rules::MISSING_MEMBER, severity_of_missing(place), Some(at), message);
    }
}

/// A builtin that runs text as code or hands out namespaces.
pub fn dynamic(name: &str, at: TextSize, report: &mut Report) {
    let instead = match name {
        "globals" | "locals" | "vars" | "compile" | "__import__" if report.runtime() == RuntimeKind::Python => return,
        "eval" | "exec" if report.runtime() == RuntimeKind::Python => {
            let message = format!(
                "`{name}` runs text as code, so whoever writes the text decides what the procedure does; read data with `json.loads` or `ast.literal_eval`."
            );
            report.add_as(&rules::DYNAMIC_CODE, Severity::Warning, Some(at), message);
            return;
        }
        "eval" => "parse the text with `json.loads` or `int()`, or write the expression itself",
        "exec" | "compile" => "write the code itself, or call another procedure with `call_procedure` of `repertoire`",
        "__import__" => "write an `import` statement",
        "breakpoint" => "remove it",
        _ => "keep the values in a dictionary of your own",
    };
    report.add(&rules::DYNAMIC_CODE, at, format!("The builtin `{name}` is forbidden in procedures; {instead}."));
}

/// What is missing is no mistake where the code goes on without it.
fn severity_of_missing(place: &Place<'_, '_>) -> Severity {
    if place.around().is_import_optional { Severity::Info } else { Severity::Error }
}
