//! Look-ups in the lists of what is forbidden and of what the interpreter has.
//!
//! No syntax trees here, only names and dotted paths; the lists themselves are in the files below.

mod forbidden;
mod interpreter;
mod methods;

use forbidden::{DYNAMIC, FORBIDDEN_MEMBERS, FORBIDDEN_MODULES, INTERNALS};
pub(super) use interpreter::IGNORED_METHODS;
use interpreter::{MEMBER_ALTERNATIVES, MEMBERS, MISSING_BUILTINS, MISSING_MEMBERS, MODULE_ALTERNATIVES, MODULES};
use methods::MISSING_METHODS;

use ruff_python_stdlib::sys::is_known_standard_library;

use crate::{domain::host_module, runtime::dialect};

/// Which Python is known: the oldest version that executes procedures.
pub(super) const PYTHON_MINOR: u8 = 11;

/// The standard modules that code may import: those of the interpreter, and those that are brought along.
pub(super) fn modules() -> Vec<&'static str> {
    let brought = dialect::brought_modules().iter().filter(|module| !module.is_part).map(|module| module.name);
    let mut all: Vec<&str> = MODULES.into_iter().chain(brought).collect();
    all.sort_unstable();
    all
}

/// Finds a word in groups of words that share an advice.
fn advice(groups: &[(&'static str, &[&str])], word: &str) -> Option<&'static str> {
    groups.iter().find(|(_, words)| words.contains(&word)).map(|(advice, _)| *advice)
}

fn root(path: &str) -> &str {
    path.split('.').next().unwrap_or(path)
}

/// What to do instead of importing a forbidden module.
pub(super) fn forbidden_module(path: &str) -> Option<&'static str> {
    advice(FORBIDDEN_MODULES, root(path))
}

/// Whether some members of a module are forbidden, so that not all of them may be imported at once.
pub(super) fn has_forbidden_members(module: &str) -> bool {
    FORBIDDEN_MEMBERS.iter().any(|(of, _, _)| *of == module)
}

/// Whether a dotted path is a private member of a standard module, such as `random._os`: what it imports for itself.
pub(super) fn is_private_member(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(module, member)| {
        has_module(root(module)) && member.starts_with('_') && !member.starts_with("__")
    })
}

/// What to do instead of using a forbidden member, given its dotted path.
pub(super) fn forbidden_member(path: &str) -> Option<&'static str> {
    let (module, rest) = path.split_once('.')?;
    let member = root(rest);
    FORBIDDEN_MEMBERS
        .iter()
        .find(|(of, _, names)| *of == module && names.contains(&member))
        .map(|(_, advice, _)| *advice)
}

/// The path as it would be without a detour through another module's imports: `pathlib.os.system` is `os.system`.
pub(super) fn canonical(path: &str) -> &str {
    let mut start = 0;
    for (dot, _) in path.match_indices('.') {
        let rest = &path[dot + 1..];
        let next = root(rest);
        if has_module(root(path)) && (matches!(next, "os" | "sys") || forbidden_module(next).is_some()) {
            start = dot + 1;
        }
    }
    &path[start..]
}

/// Whether a builtin runs text as code or hands out namespaces.
pub(super) fn is_dynamic(name: &str) -> bool {
    DYNAMIC.contains(&name)
}

/// Whether an attribute leads to the interpreter's internals.
pub(super) fn is_internal(name: &str) -> bool {
    INTERNALS.contains(&name)
}

/// What to do instead of calling a method that the interpreter's objects lack.
pub(super) fn missing_method(name: &str) -> Option<&'static str> {
    advice(MISSING_METHODS, name)
}

/// Whether the interpreter has this top-level module.
pub(super) fn has_module(name: &str) -> bool {
    MODULES.contains(&name)
}

/// Why a module can't be imported, as what to do instead.
pub(super) fn missing_module(path: &str) -> Option<&'static str> {
    let is_brought = dialect::brought_module(path).is_some_and(|module| !module.is_part);
    if has_module(path) || is_brought || path == "os.path" || path == "repertoire" || path == "__future__" {
        return None;
    }
    Some(
        advice(MODULE_ALTERNATIVES, path)
            .or_else(|| advice(MODULE_ALTERNATIVES, root(path)))
            .unwrap_or("write what is needed of it in the code, or run a program with `run_command` of `repertoire`"),
    )
}

/// What to do about a module that no Python has by itself; `None` for those of the standard library.
pub(super) fn missing_package(path: &str) -> Option<&'static str> {
    let is_known = root(path) == "repertoire" || is_known_standard_library(PYTHON_MINOR, root(path));
    (!is_known).then_some("name the package that has it in `dependencies`")
}

/// What to use instead of a member that its module lacks, given the dotted path of the member.
pub(super) fn missing_member(path: &str) -> Option<&'static str> {
    let (module, member) = path.rsplit_once('.')?;
    let brought = dialect::brought_module(module);
    if brought.is_some_and(|brought| brought.has(member)) || dialect::brought_module(path).is_some() {
        return None;
    }
    let missing = match MEMBERS.iter().find(|(of, _)| *of == module) {
        Some((_, members)) => !members.contains(&member),
        None if brought.is_some_and(|brought| !brought.is_part) => true,
        None => MISSING_MEMBERS.iter().any(|(of, members)| *of == module && members.contains(&member)),
    };
    missing.then(|| {
        MEMBER_ALTERNATIVES
            .iter()
            .find(|(of, _)| *of == path)
            .map_or("write what is needed of it in the code", |(_, advice)| *advice)
    })
}

/// What to use instead of a builtin that the interpreter lacks.
pub(super) fn missing_builtin(name: &str) -> Option<&'static str> {
    advice(MISSING_BUILTINS, name)
}

/// The host name that looks most like `name`, if one does.
pub(super) fn closest_host_name(name: &str) -> Option<&'static str> {
    host_module::names()
        .iter()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), *candidate))
        .filter(|(similarity, _)| *similarity > 0.75)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detours_are_straightened() {
        assert_eq!(canonical("pathlib.os.system"), "os.system");
        assert_eq!(canonical("asyncio.subprocess.run"), "subprocess.run");
        assert_eq!(canonical("os.path.join"), "os.path.join");
        assert_eq!(canonical("tool.os.system"), "tool.os.system");
    }

    #[test]
    fn a_host_name_is_found_by_one_that_looks_like_it() {
        assert_eq!(closest_host_name("run_comand"), Some("run_command"));
        assert_eq!(closest_host_name("zzz"), None);
    }
}
