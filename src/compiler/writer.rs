//! The body of a compiled function while it is written, and the imports that it turns out to need.

use std::collections::BTreeSet;

/// Lines of a function body; nesting is kept here, the layout of long lines is the formatter's.
#[derive(Debug, Default)]
pub struct Writer {
    lines: String,
    depth: usize,
    functions: BTreeSet<&'static str>,
    modules: BTreeSet<String>,
}

impl Writer {
    /// Adds a line.
    pub fn line(&mut self, text: &str) {
        self.lines.push_str(&"    ".repeat(self.depth + 1));
        self.lines.push_str(text);
        self.lines.push('\n');
    }

    /// Adds an empty line.
    pub fn gap(&mut self) {
        self.lines.push('\n');
    }

    /// Adds a compound statement: its first line, and what `write` adds below it.
    pub fn block(&mut self, header: &str, write: impl FnOnce(&mut Self)) {
        self.line(header);
        self.depth += 1;
        write(self);
        self.depth -= 1;
    }

    /// A call of a host function, which is imported.
    pub fn host_call(&mut self, function: &'static str, arguments: &str) -> String {
        self.functions.insert(function);
        format!("{function}({arguments})")
    }

    /// Imports a module of the standard library; `name` is what it is called here.
    pub fn module(&mut self, module: &str, name: &str) {
        let alias = if name == module { String::new() } else { format!(" as {name}") };
        self.modules.insert(format!("import {module}{alias}"));
    }

    /// The import statements, in the customary order.
    pub fn imports(&self) -> String {
        let mut imports: Vec<String> = self.modules.iter().cloned().collect();
        imports.push("from typing import Any\n".to_owned());
        if !self.functions.is_empty() {
            let functions: Vec<&str> = self.functions.iter().copied().collect();
            imports.push(format!("from repertoire import {}\n", functions.join(", ")));
        }
        imports.join("\n")
    }

    /// Whether a function of this name is called.
    pub fn calls(&self, function: &str) -> bool {
        self.lines.contains(&format!("{function}("))
    }

    /// The lines.
    pub fn into_lines(self) -> String {
        self.lines
    }
}
