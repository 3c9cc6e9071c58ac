//! One step as Python statements.

use super::{
    python,
    variables::{self, Piece},
};
use crate::domain::{CommandStep, Definition, ProcedureStep, Step};

/// The variable in which compiled code collects what its steps gave: `results`, unless a parameter has that name.
pub fn results_name(definition: &Definition) -> String {
    let mut name = "results".to_owned();
    while definition.parameters.iter().any(|parameter| parameter.name == name) {
        name.insert_str(0, "step_");
    }
    name
}

/// The statements of a step, and the host function that they need.
pub struct Compiled {
    pub function: &'static str,
    pub body: String,
}

/// Statements for step `number`.
pub fn compile(step: &Step, number: usize, definition: &Definition) -> Compiled {
    match step {
        Step::Command(CommandStep { command, .. }) => run(command, number, definition),
        Step::Procedure(step) => call(step, number, definition),
        Step::Sentence(sentence) => match command_in(sentence) {
            Some(command) => run(&command, number, definition),
            None => Compiled {
                function: "manual_step",
                body: format!(
                    "    {}[\"step_{number}\"] = manual_step({})\n",
                    results_name(definition),
                    python::template(sentence.trim(), definition)
                ),
            },
        },
    }
}

/// A step in a few words.
pub fn summary(step: &Step) -> String {
    match step {
        Step::Sentence(sentence) => sentence.trim().to_owned(),
        Step::Command(step) => step.description.clone().unwrap_or_else(|| format!("run {}", step.command.join(" "))),
        Step::Procedure(step) => format!("call {}", step.procedure),
    }
}

/// An error keeps its class, so that a missing permission stays one; what fails inside gets the number of the step.
fn guarded(statement: &str, number: usize, what: &str, definition: &Definition) -> String {
    let results = results_name(definition);
    let step = python::in_f_string(&format!("step {number} ({what}) failed: "));
    format!(
        "    try:\n        {results}[\"step_{number}\"] = {statement}\n    except RuntimeError as error:\n        \
         raise RuntimeError(f\"{step}{{error}}\")\n"
    )
}

fn run(command: &[String], number: usize, definition: &Definition) -> Compiled {
    let words: Vec<String> = command.iter().map(|word| python::template(word, definition)).collect();
    let program = command.first().map_or("", String::as_str);
    let what = command.get(1).map_or_else(|| program.to_owned(), |first| format!("{program} {first}"));
    let statement = format!("run_command([{}]).stdout", words.join(", "));
    Compiled { function: "run_command", body: guarded(&statement, number, &what, definition) }
}

fn call(step: &ProcedureStep, number: usize, definition: &Definition) -> Compiled {
    let name = python::string(&step.procedure);
    let arguments: Vec<String> = step
        .arguments
        .iter()
        .map(|(key, value)| format!("{}: {}", python::string(key), python::templated_literal(value, definition)))
        .collect();
    let statement = if arguments.is_empty() {
        format!("call_procedure({name})")
    } else {
        format!("call_procedure({name}, {{{}}})", arguments.join(", "))
    };
    Compiled { function: "call_procedure", body: guarded(&statement, number, &step.procedure, definition) }
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
    variables::pieces(text)
        .into_iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Variable(name) => format!("{{{{{name}}}}}"),
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
