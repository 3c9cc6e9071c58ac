//! Command lines of shells: cut into commands that run without one, or left whole where they need one.

use crate::domain::secrets::HIDDEN;

/// A command of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Words that run without a shell.
    Command(Vec<String>),
    /// What needs a shell: pipes, redirections, variables, patterns.
    Shell(String),
}

/// Programs that begin a line for another shell.
const SHELLS: [&str; 6] = ["sh", "bash", "zsh", "dash", "/bin/sh", "/bin/bash"];
/// What only a shell can do.
const NEEDS_SHELL: [char; 14] = ['|', ';', '<', '>', '$', '*', '?', '(', ')', '`', '&', '\n', '~', '!'];

/// The commands of a line, in order. A change of folder in front of them is left out: procedures run where they run.
#[must_use]
pub fn lines(text: &str) -> Vec<Line> {
    let mut found = Vec::new();
    for part in cut(text) {
        let part = part.trim();
        if part.is_empty() || part.starts_with("cd ") || part == "cd" || part.starts_with('#') {
            continue;
        }
        // Redirections of what goes wrong say nothing about what is done.
        let plain = part.strip_suffix("2>&1").or_else(|| part.strip_suffix("2>/dev/null")).unwrap_or(part).trim();
        let words = if needs_shell(&plain.replace(HIDDEN, "")) {
            None
        } else {
            shlex::split(plain).filter(|words| !words.is_empty())
        };
        match words {
            Some(words) if !words[0].contains('=') => found.push(Line::Command(words)),
            _ => found.push(Line::Shell(part.to_owned())),
        }
    }
    found
}

/// The commands of a list of words, which may be `bash -lc "…"`.
#[must_use]
pub fn lines_of_words(words: &[String]) -> Vec<Line> {
    match words {
        [shell, options, script]
            if SHELLS.contains(&shell.as_str()) && options.starts_with('-') && options.ends_with('c') =>
        {
            lines(script)
        }
        [] => Vec::new(),
        words => vec![Line::Command(words.to_vec())],
    }
}

/// Cuts at `&&` and at ends of lines outside of quotes.
fn cut(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quote: Option<char> = None;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('\\', _) => {
                push(&mut parts, letter);
                if let Some(next) = letters.next() {
                    push(&mut parts, next);
                }
            }
            ('\'' | '"', None) => {
                quote = Some(letter);
                push(&mut parts, letter);
            }
            (_, Some(open)) if letter == open => {
                quote = None;
                push(&mut parts, letter);
            }
            ('&', None) if letters.peek() == Some(&'&') => {
                letters.next();
                parts.push(String::new());
            }
            ('\n', None) if !text.contains("<<") => parts.push(String::new()),
            _ => push(&mut parts, letter),
        }
    }
    parts
}

fn push(parts: &mut [String], letter: char) {
    if let Some(last) = parts.last_mut() {
        last.push(letter);
    }
}

/// Whether something outside of single quotes is for a shell alone.
fn needs_shell(text: &str) -> bool {
    let mut quote: Option<char> = None;
    for letter in text.chars() {
        match (letter, quote) {
            ('\'' | '"', None) => quote = Some(letter),
            (_, Some(open)) if letter == open => quote = None,
            ('$' | '`', Some('"')) => return true,
            (_, None) if NEEDS_SHELL.contains(&letter) => return true,
            _ => {}
        }
    }
    quote.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(words: &[&str]) -> Line {
        Line::Command(words.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn lines_are_cut_into_commands() {
        assert_eq!(
            lines("cd /work && git add -A && git commit -m 'Fix a && b' 2>&1"),
            [command(&["git", "add", "-A"]), command(&["git", "commit", "-m", "Fix a && b"])]
        );
        assert_eq!(lines("git log | head -3"), [Line::Shell("git log | head -3".to_owned())]);
        assert_eq!(lines("echo \"$HOME\""), [Line::Shell("echo \"$HOME\"".to_owned())]);
        assert_eq!(lines("grep -n 'a|b$' file"), [command(&["grep", "-n", "a|b$", "file"])]);
        assert_eq!(lines("A=1 make"), [Line::Shell("A=1 make".to_owned())]);
        assert_eq!(lines("make\n# done\nmake install"), [command(&["make"]), command(&["make", "install"])]);
        assert!(lines("cd x").is_empty());
    }

    #[test]
    fn a_shell_in_front_is_left_out() {
        let words = ["bash", "-lc", "cargo test"].map(str::to_owned);
        assert_eq!(lines_of_words(&words), [command(&["cargo", "test"])]);
        assert_eq!(lines_of_words(&["ls".to_owned()]), [command(&["ls"])]);
    }
}
