//! `del` in another way: items and slices are a call, a name is the end of an `except` clause that takes the name away.

use ruff_python_ast::{Expr, ExprSubscript, StmtDelete};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::{modules::DELETE, rewrite::Rewriting};

/// Whether `del` of this can be written in another way: items, slices, and names that stand on a line of their own.
#[must_use]
pub fn is_deletable(delete: &StmtDelete, source: &str) -> bool {
    let is_alone = stands_alone(delete, source);
    delete.targets.iter().all(|target| match target {
        Expr::Name(_) => is_alone,
        Expr::Subscript(item) => !has_slice_in_tuple(item),
        _ => false,
    })
}

fn has_slice_in_tuple(item: &ExprSubscript) -> bool {
    matches!(&*item.slice, Expr::Tuple(tuple) if tuple.elts.iter().any(|element| element.is_slice_expr() || element.is_starred_expr()))
}

/// The blanks before a statement that has its line, or lines, for itself.
fn indent<'s>(delete: &StmtDelete, source: &'s str) -> Option<&'s str> {
    let (start, end) = (delete.start().to_usize(), delete.end().to_usize());
    let line = source[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let before = &source[line..start];
    let rest = source[end..].split('\n').next().unwrap_or_default().trim_start();
    let is_alone = before.trim().is_empty() && (rest.is_empty() || rest.starts_with('#'));
    is_alone.then_some(before)
}

fn stands_alone(delete: &StmtDelete, source: &str) -> bool {
    indent(delete, source).is_some()
}

impl Rewriting<'_> {
    pub(super) fn delete(&mut self, delete: &StmtDelete) {
        if !is_deletable(delete, self.source) {
            return;
        }
        for target in &delete.targets {
            let takes = match target {
                Expr::Subscript(item) if item.slice.is_slice_expr() => "span",
                Expr::Subscript(_) => "item",
                _ => "gone",
            };
            self.needs(DELETE, Some(takes));
        }
        let object = DELETE.object();
        if delete.targets.iter().any(Expr::is_name_expr) {
            let blanks = indent(delete, self.source).unwrap_or_default();
            let lines: Vec<String> = delete.targets.iter().map(|target| self.deleted(target, blanks)).collect();
            self.edits.replace(delete.range(), lines.join(&format!("\n{blanks}")));
            return;
        }
        // Between what stays, so that it may be rewritten itself.
        let mut at = delete.start();
        for (index, target) in delete.targets.iter().enumerate() {
            let Expr::Subscript(item) = target else { continue };
            let before = if index > 0 { "; " } else { "" };
            let function = if item.slice.is_slice_expr() { "span" } else { "item" };
            self.edits.replace(TextRange::new(at, item.value.start()), format!("{before}{object}.{function}("));
            at = self.arguments(item);
        }
        self.edits.replace(TextRange::new(at, delete.end()), "");
    }

    /// Makes arguments of what is in the brackets; returns where they end.
    fn arguments(&mut self, item: &ExprSubscript) -> TextSize {
        let mut at = item.value.end();
        let mut gap = String::from(", ");
        match &*item.slice {
            Expr::Slice(slice) => {
                let parts = [&slice.lower, &slice.upper, &slice.step];
                for (index, part) in parts.into_iter().enumerate() {
                    let after = if index == 2 { ")" } else { ", " };
                    if let Some(part) = part {
                        self.edits.replace(TextRange::new(at, part.start()), std::mem::take(&mut gap));
                        at = part.end();
                    } else {
                        gap.push_str("None");
                    }
                    gap.push_str(after);
                }
                self.edits.replace(TextRange::new(at, item.end()), gap);
            }
            key => {
                let is_bare = matches!(key, Expr::Tuple(tuple) if !tuple.parenthesized);
                let (open, close) = if is_bare { (", (", "))") } else { (", ", ")") };
                self.edits.replace(TextRange::new(at, key.start()), open);
                self.edits.replace(TextRange::new(key.end(), item.end()), close);
            }
        }
        item.end()
    }

    /// The lines that delete one of several targets.
    fn deleted(&self, target: &Expr, blanks: &str) -> String {
        let object = DELETE.object();
        match target {
            Expr::Subscript(item) => {
                let value = self.text(&*item.value);
                let part =
                    |part: &Option<Box<Expr>>| part.as_ref().map_or("None", |part| self.text(&**part)).to_owned();
                match &*item.slice {
                    Expr::Slice(slice) => {
                        let parts = [&slice.lower, &slice.upper, &slice.step].map(part);
                        format!("{object}.span({value}, {})", parts.join(", "))
                    }
                    key => format!("{object}.item({value}, ({}))", self.text(key)),
                }
            }
            other => {
                let name = self.text(other);
                format!(
                    "{name}\n{blanks}try:\n{blanks}    raise {object}.gone\n{blanks}except {object}.gone as {name}:\n\
                     {blanks}    pass"
                )
            }
        }
    }
}
