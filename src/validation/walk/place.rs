//! Where in the code the walk is, and what an expression means there.

use ruff_python_ast::{CmpOp, Expr, ModModule, Stmt};
use ruff_text_size::{Ranged, TextRange, TextSize};

use crate::validation::scopes::{
    meaning,
    scope::{Binding, Bound, ScopeId, Scopes},
};

/// How many steps are taken to find the text of an expression.
const TEXT_STEPS: usize = 64;

/// What surrounds a statement within its own function.
#[derive(Debug, Clone, Copy, Default)]
pub struct Around {
    pub is_loop: bool,
    /// The body of a `try` whose handlers do something about a failure.
    pub is_handled: bool,
    /// The body of a `try` that catches a failing import.
    pub is_import_optional: bool,
}

/// A place in the code. The walk keeps it in step; whoever is told of a node asks it.
pub struct Place<'s, 'a> {
    scopes: &'s Scopes<'a>,
    code: &'a str,
    /// The scopes that are open, innermost last.
    stack: Vec<ScopeId>,
    /// Names of the functions that are open, innermost last.
    functions: Vec<&'a str>,
    pub(super) around: Around,
    /// Whether the code is executed as a program: it has no function that is called.
    is_script: bool,
    /// Inside the body of `if TYPE_CHECKING`.
    pub(super) never_runs: bool,
    /// Inside the body of `if __name__ == "__main__"` of code that has a function to call.
    pub(super) is_of_programs: bool,
    /// What the call calls that was seen last.
    pub(super) called: Option<TextRange>,
}

impl<'s, 'a> Place<'s, 'a> {
    /// The top of a module.
    pub fn top(module: &ModModule, scopes: &'s Scopes<'a>, code: &'a str) -> Self {
        Self {
            scopes,
            code,
            stack: vec![0],
            functions: Vec::new(),
            around: Around::default(),
            is_script: !module.body.iter().any(Stmt::is_function_def_stmt),
            never_runs: false,
            is_of_programs: false,
            called: None,
        }
    }

    /// The code.
    pub fn code(&self) -> &'a str {
        self.code
    }

    /// All scopes of the module.
    pub fn scopes(&self) -> &'s Scopes<'a> {
        self.scopes
    }

    /// The innermost scope.
    pub fn scope(&self) -> ScopeId {
        self.stack.last().copied().unwrap_or_default()
    }

    /// The innermost function.
    pub fn function(&self) -> Option<&'a str> {
        self.functions.last().copied()
    }

    /// What surrounds the place in its function.
    pub fn around(&self) -> Around {
        self.around
    }

    /// Whether this condition only holds where the code is executed as a program, and it is not.
    pub fn is_for_programs(&self, test: &Expr) -> bool {
        let is_main = |one: &Expr, other: &Expr| {
            matches!(one, Expr::Name(name) if name.id.as_str() == "__name__")
                && matches!(other, Expr::StringLiteral(text) if text.value.to_str() == "__main__")
        };
        let asks = matches!(test, Expr::Compare(compare)
            if matches!((&*compare.ops, &*compare.operands), ([CmpOp::Eq], [one, other])
                if is_main(one, other) || is_main(other, one)));
        asks && !self.is_script && self.scope() == 0
    }

    /// Whether no run comes here: the runtimes see to it that the code is no program.
    pub fn is_of_programs(&self) -> bool {
        self.is_of_programs
    }

    /// Whether the interpreter never comes here, because only type checkers do.
    pub fn never_runs(&self) -> bool {
        self.never_runs
    }

    /// Whether an expression is what the call around it calls.
    pub fn is_called(&self, expr: &impl Ranged) -> bool {
        self.called == Some(expr.range())
    }

    /// The meanings of an expression.
    pub fn meanings(&self, expr: &Expr) -> Vec<String> {
        self.scopes.meanings(expr, self.scope())
    }

    /// Whether one of the meanings of an expression is this path.
    pub fn means(&self, expr: &Expr, path: &str) -> bool {
        self.scopes.means(expr, self.scope(), path)
    }

    /// What a name that stands at `at` is bound to, and whether the builtin of that name may be meant.
    pub fn lookup(&self, name: &str, at: TextSize) -> (&'s [Binding<'a>], bool) {
        self.scopes.lookup(name, self.scope(), at)
    }

    /// The text that an expression always has, where that can be told in a few steps.
    pub fn text(&self, expr: &Expr) -> Option<String> {
        self.text_within(expr, TEXT_STEPS)
    }

    /// The text that an expression always has, where that can be told in so many steps.
    pub fn text_within(&self, expr: &Expr, mut steps: usize) -> Option<String> {
        meaning::text(self.scopes, expr, self.scope(), &mut steps)
    }

    /// The expression that a name is bound to, when it is bound once; of anything else, itself.
    pub fn value(&self, expr: &'a Expr) -> &'a Expr {
        let mut current = expr;
        for _ in 0..8 {
            let Expr::Name(name) = current else { break };
            match self.lookup(name.id.as_str(), name.start()).0 {
                [Binding { bound: Bound::Value(value, _), .. }] => current = value,
                _ => break,
            }
        }
        current
    }

    /// The source text of a node.
    pub fn source(&self, node: &impl Ranged) -> &'a str {
        self.code.get(node.start().to_usize()..node.end().to_usize()).unwrap_or_default()
    }

    pub(super) fn enter_scope(&mut self, range: TextRange) {
        let scope = self.scopes.opened_by(range).unwrap_or_else(|| self.scope());
        self.stack.push(scope);
    }

    pub(super) fn leave_scope(&mut self) {
        self.stack.pop();
    }

    pub(super) fn enter_function(&mut self, name: &'a str) {
        self.functions.push(name);
    }

    pub(super) fn leave_function(&mut self) {
        self.functions.pop();
    }
}
