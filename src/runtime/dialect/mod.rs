//! The Python of the sandbox: what its interpreter lacks, and what can be said in another way without changing what it
//! does, is said in that other way before it is executed.
//!
//! Imports of modules that are brought along (`modules`) become assignments, `del` becomes a call or, for a name, the end of an
//! `except` clause that takes the name away. What is not here stays as it is, and the interpreter refuses it. Whoever wrote
//! the code sees their own lines: places lead back to where they were.

mod bound;
mod delete;
mod edits;
mod methods;
mod modules;
mod rewrite;

use std::borrow::Cow;

pub use delete::is_deletable;
pub use edits::Edits;
pub use modules::{Brought, Wanted, all as brought_modules, named as brought_module};

/// Source for the interpreter.
#[derive(Debug)]
pub struct Rewritten<'s> {
    /// What to execute.
    pub source: Cow<'s, str>,
    /// What to define before it.
    pub modules: Vec<(Brought, Wanted)>,
    /// What was changed.
    pub edits: Edits,
}

/// Words without one of which nothing is to be rewritten.
const TRIGGERS: [&str; 7] = ["del", "import", "callable", "IOError", "EnvironmentError", "object(", "__name__"];

/// Whether there may be something to be rewritten: most code has nothing, and need not be parsed.
fn may_need_it(source: &str) -> bool {
    TRIGGERS.iter().any(|word| source.contains(word))
        || source.match_indices('.').any(|(dot, _)| {
            let rest = &source[dot + 1..];
            let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
            let (name, behind) = rest.split_at(end);
            methods::TYPES.iter().any(|kind| source[..dot].ends_with(kind))
                || methods::MISSING.contains(&name)
                || methods::OF_SEVERAL.contains(&name)
                || (!behind.starts_with('(') && methods::AS_VALUES.contains(&name))
        })
}

/// Rewrites code, which `is_main` where it is executed as a program and not for a function of it. What can't be parsed stays
/// as it is.
#[must_use]
pub fn rewrite(source: &str, is_main: bool) -> Rewritten<'_> {
    if may_need_it(source)
        && let Ok(parsed) = ruff_python_parser::parse_module(source)
    {
        let (edits, modules) = rewrite::edits(source, parsed.syntax(), is_main);
        if !edits.is_empty() || !modules.is_empty() {
            return Rewritten { source: Cow::Owned(edits.apply(source)), modules, edits };
        }
    }
    Rewritten { source: Cow::Borrowed(source), modules: Vec::new(), edits: Edits::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(source: &str) -> String {
        rewrite(source, true).source.into_owned()
    }

    #[test]
    fn imports_become_assignments() {
        for (source, wanted) in [
            ("import heapq", "heapq = _repertoire_heapq"),
            ("import json, heapq as h", "import json; h = _repertoire_heapq"),
            ("import collections.abc", "import collections"),
            ("import collections.abc as a", "a = _repertoire_collections_abc"),
            ("from collections import abc, deque", "from collections import deque; abc = _repertoire_collections_abc"),
            (
                "from string import digits as d, capwords",
                "d = _repertoire_string.digits; capwords = _repertoire_string.capwords",
            ),
            (
                "from functools import (\n    reduce,\n    wraps,\n)\n",
                "from functools import reduce; wraps = _repertoire_functools.wraps\n",
            ),
            ("if 1: import heapq", "if 1: heapq = _repertoire_heapq"),
            ("import functools\nfunctools.wraps(f)", "import functools\n_repertoire_functools.wraps(f)"),
            (
                "import functools as f\nf.reduce(f.wraps)",
                "import functools as f\nf.reduce(_repertoire_functools.wraps)",
            ),
            ("import collections.abc\ncollections.abc.Sized", "import collections\n_repertoire_collections_abc.Sized"),
            ("from typing import List\nX = List[int]", "from typing import List\nX = List"),
            ("import typing\nX = typing.Deque[int]", "import typing\nX = _repertoire_typing.Deque"),
            ("callable(f)", "_repertoire_builtins.callable(f)"),
        ] {
            assert_eq!(rewritten(source), wanted);
        }
        for same in [
            "import json",
            "from functools import reduce",
            "from . import heapq",
            "import functools\ndef f(functools): return functools.wraps",
            "def callable(x): return 1\ncallable(f)",
            "from typing import List\ndef f(x: List[int]) -> List[str]: return x",
            "from fractions import Fraction",
            "import heapq(",
        ] {
            assert_eq!(rewritten(same), same);
        }
    }

    #[test]
    fn del_becomes_what_the_interpreter_has() {
        for (source, wanted) in [
            ("del d[k]", "_repertoire_delete.item(d, k)"),
            ("del d['a'][1], e[f(x)]", "_repertoire_delete.item(d['a'], 1); _repertoire_delete.item(e, f(x))"),
            ("del (l[1:])", "_repertoire_delete.span(l, 1, None, None)"),
            ("del l[:], l[a:b:c]", "_repertoire_delete.span(l, None, None, None); _repertoire_delete.span(l, a, b, c)"),
            ("del d[1, 2]", "_repertoire_delete.item(d, (1, 2))"),
            ("if 1: del d[(yes)]", "if 1: _repertoire_delete.item(d, yes)"),
        ] {
            assert_eq!(rewritten(source), wanted);
        }
        let named = rewritten("def f():\n    x = 1\n    del x  # gone\n    return 2\n");
        let wanted = "def f():\n    x = 1\n    x\n    try:\n        raise _repertoire_delete.gone\n    \
                      except _repertoire_delete.gone as x:\n        pass  # gone\n    return 2\n";
        assert_eq!(named, wanted);
        for same in ["del a.b", "if 1: del x", "x = 1; del x", "del x; y = 1", "del (a, b.c)", "del m[1:2, 3]"] {
            assert_eq!(rewritten(same), same);
        }
    }

    #[test]
    fn methods_become_values_and_missing_ones_are_there() {
        for (source, wanted) in [
            ("map(str.lower, x)", "map((lambda o, /, *a, **k: o.lower(*a, **k)), x)"),
            ("f = seen.add", "f = _repertoire_methods.bound(seen, 'add', lambda o: lambda *a, **k: o.add(*a, **k))"),
            ("(n + 1).bit_length()", "_repertoire_methods.bit_length(n + 1)"),
            ("a.b.translate(t)", "_repertoire_methods.translate(a.b, t)"),
            ("str.maketrans('a', 'b')", "_repertoire_methods.maketrans('a', 'b')"),
            ("''.maketrans('a', 'b')", "_repertoire_methods.maketrans('a', 'b')"),
            ("t = 'x'\nt.maketrans({})", "t = 'x'\n_repertoire_methods.maketrans({})"),
            ("f().maketrans('a', 'b')", "f().maketrans('a', 'b')"),
            ("x = object()", "x = _repertoire_methods.blank()"),
            ("a.union(*b)", "_repertoire_methods.union(a, *b)"),
            ("str.join(',', x)", "(lambda o, /, *a, **k: o.join(*a, **k))(',', x)"),
            ("reduce(set.union, b)", "reduce(_repertoire_methods.union, b)"),
        ] {
            assert_eq!(rewritten(source), wanted);
        }
        for same in [
            "seen.add(1)",
            "a.union(b)",
            "import math\nf = math.index",
            "def f(self): return self.items",
            "x.items = 1",
            "def bit_length(): pass\nx.bit_length()",
            "object(1)",
            "def f(str): return str.lower",
        ] {
            let left = rewritten(same);
            assert!(left == same || left.contains("bound(str"), "{left}");
        }
    }

    #[test]
    fn code_with_a_function_to_call_is_no_program() {
        let source = "def f():\n    return f'{__name__}'\n\nif __name__ == '__main__':\n    f()\n";
        assert_eq!(rewritten(source), source);
        let wanted = "def f():\n    return f'{'procedure'}'\n\nif 'procedure' == '__main__':\n    f()\n";
        assert_eq!(rewrite(source, false).source, wanted);
        let typed = "def f(x):\n    return type(x).__name__\n";
        assert_eq!(rewrite(typed, false).source, typed);
    }

    #[test]
    fn places_lead_back() {
        let source = "import heapq\nx = [1]\ndel x\ndel y[0]; call(1)\nend\n";
        let Rewritten { source: new, edits, .. } = rewrite(source, true);
        let lines: Vec<u32> =
            (1..=new.lines().count()).map(|line| edits.line(&new, source, u32::try_from(line).unwrap())).collect();
        assert_eq!(lines, [1, 2, 3, 3, 3, 3, 3, 4, 5]);
        for word in ["call", "end", "x = "] {
            assert_eq!(edits.offset(new.find(word).unwrap()), source.find(word).unwrap(), "{word}");
        }
        assert_eq!(edits.offset(new.find("raise").unwrap()), source.find("del x").unwrap());
    }
}
