//! The stub of the host module in as few words as an author needs: one line per function.

use super::STUB;

/// Signatures of all functions, without their docstrings and with defaults instead of optional types.
#[must_use]
pub fn outline() -> String {
    let mut lines: Vec<String> = Vec::new();
    let (mut open, mut quoted, mut attributes) = (String::new(), false, Vec::new());
    for line in STUB.lines() {
        let trimmed = line.trim();
        let quotes = trimmed.matches("\"\"\"").count();
        if quoted || quotes > 0 {
            quoted ^= quotes == 1;
            continue;
        }
        if let Some(class) = trimmed.strip_prefix("class ") {
            lines.push(format!("class {}", class.trim_end_matches(':')));
        } else if line.starts_with("    ") && open.is_empty() {
            if !trimmed.starts_with("def ") {
                attributes.push(trimmed.to_owned());
            }
        } else if trimmed.starts_with("def ") || !open.is_empty() {
            open.push_str(trimmed);
            open.push(' ');
            if trimmed.ends_with(':') {
                lines.push(brief(&open));
                open.clear();
            }
        }
        // The attributes of a class come between its line and the next one.
        if line.is_empty()
            && !attributes.is_empty()
            && let Some(class) = lines.last_mut()
        {
            *class = format!("{class}: {}", std::mem::take(&mut attributes).join("; "));
        }
    }
    lines.join("\n") + "\n"
}

/// The stub with `tools` instead of the general signature of `call_tool`.
#[must_use]
pub fn stub_with(tools: &str) -> String {
    let general = STUB.split("\n\n").find(|part| part.trim_start().starts_with("def call_tool("));
    general.map_or_else(|| STUB.to_owned(), |general| STUB.replace(general, &format!("\n{tools}")))
}

fn brief(signature: &str) -> String {
    let signature = signature.trim().trim_start_matches("def ").trim_end_matches(':');
    signature
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
        for name in crate::host::MODULE.names {
            assert!(outline.contains(name), "{name} is missing");
        }
        assert!(!outline.contains("\"\"\""));
    }
}
