//! Modules of the standard library that the interpreter lacks and that need nothing but Python: written here, in Python,
//! and defined before the code of a procedure that imports them.
//!
//! Each becomes one function, which defines everything and gives it back as the attributes of one object: so that the code
//! finds a single name more, and a module keeps its hands on the builtins that it was made with, whatever the code calls its
//! own variables. `source` makes imports lead to that object.

mod parts;

use std::{collections::BTreeSet, fmt::Write as _};

/// A module, or a part of one that the interpreter has the rest of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brought {
    /// Its dotted name.
    pub name: &'static str,
    /// Whether the interpreter has a module of this name, without what is here.
    pub is_part: bool,
    source: &'static str,
    /// Its types, where the type checker has none of its own.
    pub stub: Option<&'static str>,
}

/// What stands for `builtins` that are missing.
pub const BUILTINS: Brought = part("builtins", include_str!("builtins.py"));
/// Builtins that are missing: what [`BUILTINS`] offers.
pub const MISSING_BUILTINS: [&str; 3] = ["IOError", "EnvironmentError", "callable"];
/// What `del` is made of.
pub const DELETE: Brought = whole("delete", include_str!("delete.py"), None);
/// What stands for methods that are missing, and for methods as values.
pub const METHODS: Brought = whole("methods", include_str!("methods.py"), None);
/// Has kinds of values that `isinstance` must know.
pub const COLLECTIONS_ABC: Brought = whole("collections.abc", include_str!("collections_abc.py"), None);

/// All that code may import.
const MODULES: [Brought; 16] = [
    whole("calendar", include_str!("calendar.py"), Some(include_str!("calendar.pyi"))),
    COLLECTIONS_ABC,
    whole("contextlib", include_str!("contextlib.py"), Some(include_str!("contextlib.pyi"))),
    whole("fnmatch", include_str!("fnmatch.py"), Some(include_str!("fnmatch.pyi"))),
    part("functools", include_str!("functools.py")),
    whole("heapq", include_str!("heapq.py"), Some(include_str!("heapq.pyi"))),
    whole("html", include_str!("html.py"), Some(include_str!("html.pyi"))),
    whole("operator", include_str!("operator.py"), Some(include_str!("operator.pyi"))),
    whole("queue", include_str!("queue.py"), Some(include_str!("queue.pyi"))),
    part("re", include_str!("re.py")),
    whole("shlex", include_str!("shlex.py"), Some(include_str!("shlex.pyi"))),
    whole("statistics", include_str!("statistics.py"), Some(include_str!("statistics.pyi"))),
    whole("string", include_str!("string.py"), Some(include_str!("string.pyi"))),
    whole("textwrap", include_str!("textwrap.py"), Some(include_str!("textwrap.pyi"))),
    part("typing", include_str!("typing.py")),
    BUILTINS,
];

/// Builtins that modules may use, as far as the interpreter has them.
const KNOWN: &[&str] = &[
    "ArithmeticError",
    "AssertionError",
    "Exception",
    "IndexError",
    "KeyError",
    "LookupError",
    "NotImplementedError",
    "OSError",
    "RuntimeError",
    "StopIteration",
    "TypeError",
    "ValueError",
    "abs",
    "all",
    "any",
    "bin",
    "bool",
    "bytes",
    "chr",
    "complex",
    "dict",
    "divmod",
    "enumerate",
    "filter",
    "float",
    "frozenset",
    "getattr",
    "hasattr",
    "hash",
    "hex",
    "int",
    "isinstance",
    "iter",
    "len",
    "list",
    "map",
    "max",
    "min",
    "next",
    "object",
    "ord",
    "pow",
    "print",
    "range",
    "repr",
    "reversed",
    "set",
    "setattr",
    "slice",
    "sorted",
    "str",
    "sum",
    "tuple",
    "type",
    "zip",
];

const fn whole(name: &'static str, source: &'static str, stub: Option<&'static str>) -> Brought {
    Brought { name, is_part: false, source, stub }
}

const fn part(name: &'static str, source: &'static str) -> Brought {
    Brought { name, is_part: true, source, stub: None }
}

/// All modules that are brought along, and parts of modules.
pub const fn all() -> &'static [Brought] {
    &MODULES
}

/// The module of this dotted name, or the part of it.
pub fn named(name: &str) -> Option<Brought> {
    MODULES.iter().find(|module| module.name == name).copied()
}

impl Brought {
    /// The name of the object that has what the module offers.
    pub fn object(self) -> String {
        format!("_repertoire_{}", self.name.replace('.', "_"))
    }

    /// What it offers, in its order.
    pub fn names(self) -> Vec<&'static str> {
        parts::defined(self.source).into_iter().filter(|name| !name.starts_with('_')).collect()
    }

    /// Whether it offers this.
    pub fn has(self, name: &str) -> bool {
        self.names().contains(&name)
    }

    /// Source that defines its object, with what is wanted of it and what that takes.
    pub fn definition(self, wanted: &Wanted) -> String {
        let mut names = self.names();
        if let Wanted::Names(some) = wanted {
            // `isinstance` knows kinds by one of them.
            let is_kept = |name: &str| some.contains(name) || (self == COLLECTIONS_ABC && name == "Mapping");
            names.retain(|name| is_kept(name));
        }
        let source = parts::taken(self.source, &names);
        let object = self.object();
        let mut text = format!("def {object}({}):\n", builtins_of(&source));
        for line in source.lines() {
            let (indent, end) = if line.is_empty() { ("", "\n") } else { ("    ", "\n") };
            let _ = write!(text, "{indent}{line}{end}");
        }
        text.push_str("\n    class Module:\n        pass\n\n    module = Module()\n");
        for name in names {
            let _ = writeln!(text, "    module.{name} = {name}");
        }
        let _ = writeln!(text, "    return module\n\n\n{object} = {object}()");
        if self == COLLECTIONS_ABC {
            text.push_str(include_str!("isinstance.py"));
        }
        text
    }
}

/// What is wanted of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Everything: nobody knows what will be asked for.
    All,
    /// These.
    Names(BTreeSet<String>),
}

impl Wanted {
    /// Nothing yet.
    pub const fn nothing() -> Self {
        Self::Names(BTreeSet::new())
    }

    /// One more, or everything.
    pub fn add(&mut self, name: Option<&str>) {
        match (&mut *self, name) {
            (Self::Names(names), Some(name)) => {
                names.insert(name.to_owned());
            }
            (_, None) => *self = Self::All,
            (Self::All, Some(_)) => {}
        }
    }
}

/// Parameters that keep the builtins which a source uses.
fn builtins_of(source: &str) -> String {
    let (own, words): (Vec<&str>, BTreeSet<&str>) = (parts::defined(source), parts::words(source).collect());
    let kept = KNOWN.iter().filter(|known| words.contains(**known)).flat_map(|known| {
        // A module that has a function of the same name calls the builtin by a name of its own.
        let renamed = format!("_{known}");
        let is_hidden = own.contains(known);
        let plain = (!is_hidden).then(|| format!("{known}={known}"));
        let hidden = (is_hidden && words.contains(renamed.as_str())).then(|| format!("{renamed}={known}"));
        [plain, hidden]
    });
    let kept: Vec<String> = kept.flatten().collect();
    kept.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_defined_is_offered() {
        let heapq = named("heapq").unwrap();
        assert_eq!(
            heapq.names(),
            ["heappush", "heappop", "heapreplace", "heappushpop", "heapify", "nsmallest", "nlargest", "merge"]
        );
        assert!(named("statistics").unwrap().has("StatisticsError") && !named("string").unwrap().has("_hole"));
        assert_eq!(named("fractions"), None);
    }

    #[test]
    fn missing_builtins_are_listed() {
        assert_eq!(BUILTINS.names(), MISSING_BUILTINS);
    }

    #[test]
    fn builtins_are_kept_as_they_were() {
        let first = |name: &str| named(name).unwrap().definition(&Wanted::All).lines().next().unwrap().to_owned();
        let operator = first("operator");
        assert!(operator.starts_with("def _repertoire_operator(") && operator.contains("_abs=abs"), "{operator}");
        assert!(!operator.contains("(abs=abs") && operator.contains("isinstance=isinstance"), "{operator}");
        assert!(
            named("heapq").unwrap().definition(&Wanted::All).ends_with("\n_repertoire_heapq = _repertoire_heapq()\n")
        );
    }

    #[test]
    fn only_what_is_wanted_is_defined() {
        let mut wanted = Wanted::nothing();
        wanted.add(Some("heappush"));
        let definition = named("heapq").unwrap().definition(&wanted);
        assert!(definition.contains("def heappush") && definition.contains("def _rise"), "{definition}");
        assert!(!definition.contains("_sink") && !definition.contains("module.merge"), "{definition}");
        wanted.add(None);
        assert_eq!(wanted, Wanted::All);
    }
}
