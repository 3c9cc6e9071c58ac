//! The parts of a module's source: what each defines, and which others it takes.

use std::collections::BTreeSet;

/// The parts of a source that define these names, and what those take, in their order.
pub fn taken(source: &str, names: &[&str]) -> String {
    let parts = parts(source);
    let mut wanted: BTreeSet<&str> = names.iter().copied().collect();
    let mut is_taken = vec![false; parts.len()];
    loop {
        let next = (0..parts.len())
            .find(|index| !is_taken[*index] && defined_by(parts[*index]).iter().any(|name| wanted.contains(name)));
        let Some(index) = next else { break };
        is_taken[index] = true;
        wanted.extend(words(parts[index]));
    }
    parts.iter().zip(is_taken).filter(|(_, is_taken)| *is_taken).map(|(part, _)| *part).collect()
}

/// What is defined at the top of a source: functions, classes, and names with a value.
pub fn defined(source: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for part in parts(source) {
        if !part.starts_with("import ") && !part.starts_with("from ") {
            names.extend(defined_by(part).into_iter().filter(|name| !names.contains(name)).collect::<Vec<_>>());
        }
    }
    names
}

/// The words of a source that may be names: no attributes.
pub fn words(source: &str) -> impl Iterator<Item = &str> {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    source.split(move |letter: char| !is_part(letter) && letter != '.').filter_map(|word| word.split('.').next())
}

/// A part begins where a line has no indent, unless that line only closes a bracket.
fn parts(source: &str) -> Vec<&str> {
    let (mut parts, mut start, mut at) = (Vec::new(), 0, 0);
    for line in source.split_inclusive('\n') {
        let is_begin = !line.starts_with([' ', '\n', ')', ']', '}', '#']);
        if is_begin && at > start {
            parts.push(&source[start..at]);
            start = at;
        }
        at += line.len();
    }
    parts.push(&source[start..]);
    parts
}

/// The names that a part defines, or imports.
fn defined_by(part: &str) -> Vec<&str> {
    let line = part.lines().find(|line| !line.is_empty() && !line.starts_with('#')).unwrap_or_default();
    if let Some((_, imported)) =
        line.split_once("import ").filter(|_| line.starts_with("import ") || line.starts_with("from "))
    {
        return imported.split(", ").filter_map(|name| name.rsplit(' ').next()).collect();
    }
    let rest = line.strip_prefix("def ").or_else(|| line.strip_prefix("class "));
    let name = match rest {
        Some(rest) => rest.split(['(', ':']).next(),
        None => line.split_once(" = ").map(|(name, _)| name).filter(|name| is_identifier(name)),
    };
    name.into_iter().collect()
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
