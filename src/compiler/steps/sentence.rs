//! Plain words: the one command that they ask for is run, anything else is handed to the agent or a person.

use super::{command, place::Place};
use crate::compiler::{
    text,
    variables::{Braces, Piece, pieces},
    writer::Writer,
};

/// Writes the statements of a step in plain words.
pub(super) fn compile(sentence: &str, place: &Place<'_, '_>, out: &mut Writer) {
    // The variables of the whole sentence are asked for, also if the command uses only some of them.
    let parts = place.scope.parts(sentence.trim());
    if let Some(words) = command_in(sentence) {
        command::compile(&words, place, out);
    } else {
        let wait = out.host_call("manual_step", &text::lines(&parts));
        let keep = place.keep(&wait);
        if text::can_fail(&parts) {
            place.guard("manual step", &[keep], out);
        } else {
            out.line(&keep);
        }
    }
}

/// Words that say that what follows in back-ticks is to be executed.
const RUN_WORDS: [&str; 13] =
    ["run", "execute", "call", "invoke", "start", "use", "with", "via", "using", "do", "type", "launch", "running"];
/// Words that make a command something that is perhaps, or never, to be executed. Only a person can tell.
const DOUBTS: [&str; 22] = [
    "if",
    "unless",
    "when",
    "whenever",
    "until",
    "once",
    "only",
    "maybe",
    "perhaps",
    "otherwise",
    "or",
    "don't",
    "don’t",
    "not",
    "never",
    "no",
    "avoid",
    "without",
    "instead",
    "can't",
    "cannot",
    "should",
];
/// Commands that change the shell which they are typed in; there is none.
const SHELL_BUILTINS: [&str; 9] = ["cd", "source", "export", "alias", "set", "unset", "eval", "exec", "type"];

/// The one back-ticked command of a sentence that asks for it to be executed. `None` when there is none, more than one,
/// one that needs a shell, or any doubt: then a person knows better what is meant.
fn command_in(sentence: &str) -> Option<Vec<String>> {
    let parts: Vec<&str> = sentence.split('`').collect();
    let [before, quoted, after] = parts[..] else { return None };
    let lower = |text: &str| text.to_lowercase();
    let (before, after) = (lower(before), lower(after));
    let is_doubt = |word: &str| DOUBTS.contains(&word.trim_matches(|c: char| !c.is_alphanumeric()));
    let doubtful = before.contains('?') || before.split_whitespace().chain(after.split_whitespace()).any(is_doubt);
    let last_word = before.split_whitespace().next_back().unwrap_or_default();
    let asked_to_run = last_word.ends_with(':') || RUN_WORDS.contains(&last_word);
    let needs_shell = quoted.chars().any(|c| "|&;<>$*?()\\\n".contains(c)) || quoted.starts_with('~');
    if doubtful || !asked_to_run || needs_shell {
        return None;
    }
    let words = shlex::split(&without_spaces_in_variables(quoted))?;
    let program = words.first()?;
    let plausible = program.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && program.chars().all(|c| c.is_ascii_alphanumeric() || "._+-".contains(c))
        && !SHELL_BUILTINS.contains(&program.as_str());
    (plausible && looks_like_program(program)).then_some(words)
}

/// `{{ name }}` as `{{name}}`, so that it stays one word.
fn without_spaces_in_variables(text: &str) -> String {
    pieces(text, Braces::Double)
        .into_iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Variable { raw, .. } => raw.split_whitespace().collect(),
        })
        .collect()
}

/// `config.toml` in back-ticks is a file, not a program.
fn looks_like_program(word: &str) -> bool {
    const PROGRAM_ENDINGS: [&str; 5] = ["sh", "py", "exe", "js", "pl"];
    word.rsplit_once('.')
        .is_none_or(|(_, ending)| PROGRAM_ENDINGS.contains(&ending) || ending.chars().all(|c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_plain_command_that_is_asked_for_is_run() {
        let found = |sentence: &str| command_in(sentence).map(|words| words.join("|"));
        assert_eq!(found("Run `git status --short` first"), Some("git|status|--short".into()));
        assert_eq!(found("Check with `pytest`"), Some("pytest".into()));
        assert_eq!(found("Show the log: `git log --format='%h %s'`"), Some("git|log|--format=%h %s".into()));
        assert_eq!(found("Run `python3.12 -m build`"), Some("python3.12|-m|build".into()));
        assert_eq!(found("Here: `git push origin/{{ new }}`"), Some("git|push|origin/{{new}}".into()));
    }

    #[test]
    fn what_is_no_plain_command_or_in_doubt_is_left_to_a_person() {
        for sentence in [
            "Edit `config.toml`",
            "Turn text such as `1h 30m` into seconds",
            "Set `version` to the next one",
            "Run `git log | head`",
            "Run `rm *.tmp`",
            "Run `a` and then `b`",
            "Look at the log",
            "Rename `OldName` to something better",
            "Run `unbalanced 'quote`",
            "Do not run `git push --force`, somebody else may have pushed",
            "Never use `git push --force`",
            "If any of that looks wrong, run `alembic downgrade -1`",
            "Run `git reset --hard` only if you are sure",
            "Off by more than ten? Run `vacuumdb --analyze`",
            "Commit them apart, so that `git log --follow` keeps working",
            "Set `lock_timeout = 2s` for the session",
            "Activate it with `source .venv/bin/activate`",
            "Go to the front end: `cd frontend`",
            "Look at its end: `more C:\\logs\\service.log`",
        ] {
            assert_eq!(command_in(sentence), None, "{sentence}");
        }
    }
}
