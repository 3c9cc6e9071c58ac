//! The stub of the host module in as few words as an author needs: one line per function.

use crate::domain::host_module::{self, Definition, STUB};

/// Signatures of all functions, without their docstrings and with defaults instead of optional types.
#[must_use]
pub fn outline() -> String {
    let line = |definition: &Definition| match definition {
        Definition::Function(signature) => brief(signature.text),
        Definition::Class(class) => format!("class {}: {}", class.name, class.fields.join("; ")),
    };
    host_module::definitions().iter().map(|definition| line(definition) + "\n").collect()
}

/// The stub with `tools` instead of the general signature of `call_tool`.
#[must_use]
pub fn stub_with(tools: &str) -> String {
    let general = STUB.split("\n\n").find(|part| part.trim_start().starts_with("def call_tool("));
    general.map_or_else(|| STUB.to_owned(), |general| STUB.replace(general, &format!("\n{tools}")))
}

fn brief(signature: &str) -> String {
    let words: Vec<&str> = signature.split_whitespace().collect();
    words
        .join(" ")
        .replace("( ", "(")
        .replace(", )", ")")
        .replace(" | None = None", " = None")
        .replace(" -> None", "")
        .replace(" = ", "=")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_has_one_line() {
        let outline = outline();
        insta::assert_snapshot!(outline);
        for name in host_module::names() {
            assert!(outline.contains(name), "{name} is missing");
        }
        assert!(!outline.contains("\"\"\""));
    }
}
