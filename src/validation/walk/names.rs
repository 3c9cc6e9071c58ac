//! Names and attributes, also those in texts: what they lead to, and whether that is forbidden or missing.

use ruff_python_ast::{Expr, ExprAttribute, ExprCall, ExprName, StmtAugAssign};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::{imports, place::Place};
use crate::validation::{
    catalogue,
    issue::Severity,
    report::{Report, quote},
    rules,
    scopes::{
        scope::{Bound, Scopes},
        uses::Uses,
    },
};

/// How many steps are taken to find a name in a text: who hides one pieces it together.
const HIDDEN_STEPS: usize = 256;

/// What is known of the names so far.
pub struct Names<'s> {
    uses: Uses<'s>,
    /// The `x.__class__` of the last `x.__class__.__name__`, which was told as a whole.
    told_class: Option<TextRange>,
}

impl<'s> Names<'s> {
    pub fn new(scopes: &'s Scopes<'s>) -> Self {
        Self { uses: Uses::new(scopes), told_class: None }
    }

    /// Which names are read.
    pub fn uses(self) -> Uses<'s> {
        self.uses
    }

    /// `x += 1` reads `x`.
    pub fn augmented(&mut self, assign: &'s StmtAugAssign, place: &Place<'_, '_>, report: &mut Report) {
        match &*assign.target {
            Expr::Name(name) => self.uses.add(name.id.as_str(), place.scope()),
            Expr::Subscript(subscript) => key(&subscript.slice, place, report),
            _ => {}
        }
    }

    /// A name that is read.
    pub fn name(&mut self, name: &'s ExprName, place: &Place<'_, '_>, report: &mut Report) {
        let id = name.id.as_str();
        self.uses.add(id, place.scope());
        let may_be_builtin = || place.lookup(id, name.start()).1;
        if matches!(id, "getattr" | "setattr" | "delattr") && !place.is_called(name) && may_be_builtin() {
            let message = format!(
                "`{id}` is handed on, so which attributes it is used for can't be checked; call it where it is needed."
            );
            report.add_as(&rules::COMPUTED_ATTRIBUTE, Severity::Error, Some(name.start()), message);
            return;
        }
        let is_dynamic = catalogue::is_dynamic(id);
        let missing = catalogue::missing_builtin(id);
        if !(is_dynamic || catalogue::is_internal(id) || missing.is_some()) || !may_be_builtin() {
            return;
        }
        if is_dynamic {
            imports::dynamic(id, name.start(), report);
        } else if let Some(instead) = missing {
            let message = format!("The interpreter has no builtin `{id}`; {instead}.");
            report.add(&rules::MISSING_BUILTIN, name.start(), message);
        } else if id.starts_with("__") {
            internal(id, name.start(), report);
        }
    }

    /// An attribute; `expr` is the same node.
    pub fn attribute(&mut self, expr: &Expr, attribute: &ExprAttribute, place: &Place<'_, '_>, report: &mut Report) {
        let name = attribute.attr.as_str();
        let at = attribute.attr.start();
        // `x.__class__.__name__` names a type and leads nowhere else.
        if let Expr::Attribute(inner) = &*attribute.value
            && inner.attr.as_str() == "__class__"
            && matches!(name, "__name__" | "__qualname__")
        {
            let message = "Only objects of the code's own classes have `__class__`; use `type(x).__name__`.".into();
            report.add(&rules::CLASS_NAME, at, message);
            self.told_class = Some(inner.range());
            return;
        }
        if self.told_class == Some(attribute.range()) {
            return;
        }
        internal(name, at, report);
        if let Expr::Name(base) = &*attribute.value
            && matches!(
                name,
                "__name__" | "__doc__" | "__qualname__" | "__module__" | "__annotations__" | "__defaults__"
            )
        {
            function_metadata(base, name, at, place, report);
        }
        for path in place.meanings(expr) {
            imports::member(&path, at, place, report);
        }
    }
}

fn function_metadata(base: &ExprName, name: &str, at: TextSize, place: &Place<'_, '_>, report: &mut Report) {
    let (bindings, _) = place.lookup(base.id.as_str(), base.start());
    if matches!(bindings, [binding] if matches!(binding.bound, Bound::Function)) {
        let message = format!(
            "Functions have no `{name}` in the interpreter, as in `{}.{name}`; write the text itself.",
            base.id
        );
        report.add(&rules::FUNCTION_METADATA, at, message);
    }
}

/// The names that a call takes as texts; `meanings` are those of what it calls.
pub fn in_call(call: &ExprCall, meanings: &[String], place: &Place<'_, '_>, report: &mut Report) {
    // `"{0.__class__}".format(x)` walks attributes as well.
    if let Expr::Attribute(method) = &*call.func
        && matches!(method.attr.as_str(), "format" | "format_map")
        && let Some(template) = place.text_within(&method.value, HIDDEN_STEPS)
    {
        for field in template.split(['{', '}']).skip(1).step_by(2) {
            for name in field.split(['.', '[', ']', '!', ':']).skip(1) {
                internal(name, call.start(), report);
            }
        }
    }
    for argument in call.arguments.args.iter().chain(call.arguments.keywords.iter().map(|keyword| &keyword.value)) {
        path_in_text(argument, place, report);
    }
    let takes_name =
        |meaning: &&String| matches!(meaning.as_str(), "builtins.getattr" | "builtins.setattr" | "builtins.hasattr");
    for _ in meanings.iter().filter(takes_name) {
        if let [base, name, ..] = &*call.arguments.args {
            computed(base, name, place, report);
        }
    }
}

/// A text that is nothing but a path of attributes, such as `__class__.__base__`, wherever it is handed to.
fn path_in_text(expr: &Expr, place: &Place<'_, '_>, report: &mut Report) {
    let Some(text) = place.text_within(expr, HIDDEN_STEPS) else { return };
    let is_path = text.contains(['.', '[']) && text.chars().all(|c| c.is_alphanumeric() || "_.[]".contains(c));
    if is_path {
        text.split(['.', '[', ']']).for_each(|name| internal(name, expr.start(), report));
    }
}

/// An attribute name, however it was written.
pub fn internal(name: &str, at: TextSize, report: &mut Report) {
    if catalogue::is_internal(name) {
        let message = format!(
            "`{name}` leads to the interpreter's internals and is forbidden in procedures; use the value's own methods, `type()` or `isinstance()`."
        );
        report.add(&rules::DUNDER, at, message);
    }
}

/// A subscript: `x["__globals__"]`.
pub fn key(key: &Expr, place: &Place<'_, '_>, report: &mut Report) {
    if matches!(key, Expr::StringLiteral(_) | Expr::BinOp(_) | Expr::FString(_) | Expr::Call(_) | Expr::Subscript(_))
        && let Some(text) = place.text_within(key, HIDDEN_STEPS)
        && text.starts_with("__")
    {
        internal(&text, key.start(), report);
    }
}

/// The name in `getattr(x, name)` and its kin.
fn computed(base: &Expr, name: &Expr, place: &Place<'_, '_>, report: &mut Report) {
    let at = name.start();
    if let Some(text) = place.text_within(name, HIDDEN_STEPS) {
        internal(&text, at, report);
        for path in place.meanings(base) {
            imports::member(catalogue::canonical(&format!("{path}.{text}")), at, place, report);
        }
        return;
    }
    let base_is_module = place.meanings(base).iter().any(|path| !path.contains('.'));
    if base_is_module {
        let message = format!(
            "Which member of the module {} is taken is only known at run time; write the member's name.",
            quote(place.source(base))
        );
        report.add_as(&rules::COMPUTED_ATTRIBUTE, Severity::Error, Some(at), message);
    } else if is_pieced_together(name) {
        let message = format!(
            "The attribute name {} is pieced together at run time and can't be checked; use a dictionary from names to values.",
            quote(place.source(name))
        );
        report.add(&rules::COMPUTED_ATTRIBUTE, at, message);
    }
}

/// Whether a text that is not constant shows signs of hiding a name: underscores in pairs, or reversed, decoded pieces.
fn is_pieced_together(expr: &Expr) -> bool {
    match expr {
        Expr::StringLiteral(literal) => literal.value.to_str().contains("__"),
        Expr::BinOp(operation) => is_pieced_together(&operation.left) || is_pieced_together(&operation.right),
        Expr::FString(literal) => literal
            .value
            .elements()
            .any(|element| element.as_literal().is_some_and(|literal| literal.value.contains("__"))),
        Expr::Subscript(subscript) => subscript.slice.is_slice_expr(),
        Expr::Call(call) => match &*call.func {
            Expr::Attribute(method) => {
                matches!(method.attr.as_str(), "join" | "decode" | "replace" | "format" | "translate")
            }
            Expr::Name(function) => matches!(function.id.as_str(), "chr" | "reversed" | "bytes"),
            _ => false,
        },
        _ => false,
    }
}
