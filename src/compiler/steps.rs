//! One step as Python statements.

use super::python;
use crate::domain::{CommandStep, Definition, ProcedureStep, Step};

/// The variable in which compiled code collects what its steps gave.
pub const RESULTS: &str = "results";

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
                    "    {RESULTS}[\"step_{number}\"] = manual_step({})\n",
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
fn guarded(statement: &str, number: usize, what: &str) -> String {
    let message = python::string(&format!("step {number} ({what}) failed: "));
    format!(
        "    try:\n        {RESULTS}[\"step_{number}\"] = {statement}\n    except RuntimeError as error:\n        \
         raise RuntimeError({message} + str(error))\n"
    )
}

fn run(command: &[String], number: usize, definition: &Definition) -> Compiled {
    let words: Vec<String> = command.iter().map(|word| python::template(word, definition)).collect();
    let program = command.first().map_or("", String::as_str);
    let what = command.get(1).map_or_else(|| program.to_owned(), |first| format!("{program} {first}"));
    Compiled {
        function: "run_command",
        body: guarded(&format!("run_command([{}]).stdout", words.join(", ")), number, &what),
    }
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
    Compiled { function: "call_procedure", body: guarded(&statement, number, &step.procedure) }
}

/// Words that say that what follows in back-ticks is to be executed.
const RUN_WORDS: [&str; 12] =
    ["run", "execute", "call", "invoke", "start", "use", "with", "via", "using", "do", "type", "launch"];

/// The one back-ticked command of a sentence. `None` when there is none, more than one, or one that needs a shell:
/// then a person knows better what is meant.
fn command_in(sentence: &str) -> Option<Vec<String>> {
    let parts: Vec<&str> = sentence.split('`').collect();
    let [before, quoted, _] = parts[..] else { return None };
    let words = shlex::split(quoted)?;
    let program = words.first()?;
    let last_word = before.split_whitespace().next_back().unwrap_or_default().to_lowercase();
    let asked_to_run = RUN_WORDS.contains(&last_word.trim_end_matches(':'));
    let plausible = program.starts_with(|c: char| c.is_ascii_lowercase() || (asked_to_run && c.is_ascii_digit()))
        && program.chars().all(|c| c.is_ascii_alphanumeric() || "._+-".contains(c));
    let needs_shell = quoted.chars().any(|c| "|&;<>$*?()\n".contains(c)) || quoted.starts_with('~');
    (plausible && !needs_shell && (words.len() > 1 || asked_to_run) && looks_like_program(program)).then_some(words)
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
    fn one_plain_command_in_backticks_is_run() {
        let found = |sentence: &str| command_in(sentence).map(|words| words.join("|"));
        assert_eq!(found("Run `git status --short` first"), Some("git|status|--short".into()));
        assert_eq!(found("Check with `pytest`"), Some("pytest".into()));
        assert_eq!(found("Show `git log --format='%h %s'`"), Some("git|log|--format=%h %s".into()));
        assert_eq!(found("Run `python3.12 -m build`"), Some("python3.12|-m|build".into()));
    }

    #[test]
    fn what_is_no_plain_command_is_left_to_a_person() {
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
        ] {
            assert_eq!(command_in(sentence), None, "{sentence}");
        }
    }
}
