//! The command that a sentence has in back-ticks, and whether it is to be run.
//!
//! A command that a sentence asks for is run. Where its words leave a doubt (it is to be run under a condition, or never, or it
//! is only talked about), a person knows better what is meant.

use crate::compiler::variables::{Braces, Piece, pieces};

/// What the back-ticks of a sentence have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A command that is to be run, word by word.
    Command(Vec<String>),
    /// What looks like a command and is not run, for this reason.
    Doubt(&'static str),
    /// No command.
    Nothing,
}

const SEVERAL: &str = "it has more than one command; make each a step of its own";
const SHELL: &str = "it needs a shell; write {\"command\": [\"sh\", \"-c\", …]} where that is wanted";
const CONDITION: &str = "its words leave open whether it is to be run; write {\"command\": […]} to have it run always";

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
/// Words of sentences that talk about a command, or change a text that has it.
const ABOUT: [&str; 34] = [
    "that", "so", "like", "such", "as", "because", "how", "why", "what", "whether", "means", "keeps", "works", "named",
    "called", "example", "explain", "mention", "document", "describe", "write", "note", "replace", "rename", "add",
    "insert", "remove", "delete", "edit", "change", "turn", "set", "alias", "teach",
];
/// Commands that change the shell which they are typed in; there is none.
const SHELL_BUILTINS: [&str; 9] = ["cd", "source", "export", "alias", "set", "unset", "eval", "exec", "type"];
/// Programs that are known by their names, so that a sentence with one of them need not say that it is one.
const PROGRAMS: &str = " ansible apt aws az basename black brew bundle bun cargo cat cmake composer cp curl date deno df diff \
     dig dirname docker dotnet du echo env eslint ffmpeg file find flake8 free gcc gcloud gem gh git glab go gradle grep gunzip \
     gzip head helm hostname htop id ip isort java javac jest jq journalctl just kubectl ls lsof make mkdir mv mvn mypy nc \
     netstat ninja node npm npx nslookup openssl pandoc pg_dump ping pip pip3 pipx pnpm podman poetry pre-commit prettier ps psql \
     pwd py.test pytest python python3 rake readlink realpath redis-cli rg rm rsync ruby ruff rustc rustup scp sed sh sleep sort \
     sqlite3 ss ssh stat systemctl tail tar tee terraform tokei touch tox traceroute tree tsc uname uniq unzip uptime uv uvx vitest \
     wc wget which who whoami xz yarn yq zip ";

/// The command of a sentence: the only one in back-ticks, where nothing speaks against running it.
pub fn command_in(sentence: &str) -> Found {
    let parts: Vec<&str> = sentence.split('`').collect();
    let [before, quoted, after] = parts[..] else {
        let quoted = parts.iter().skip(1).step_by(2).take(parts.len() / 2);
        let commands = quoted.filter(|quoted| command(quoted).is_some_and(|words| is_known(&words))).count();
        return if commands > 0 { Found::Doubt(SEVERAL) } else { Found::Nothing };
    };
    let (before, after) = (before.to_lowercase(), after.to_lowercase());
    let word = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
    let around: Vec<String> = before.split_whitespace().chain(after.split_whitespace()).map(word).collect();
    let has = |words: &[&str]| around.iter().any(|word| words.contains(&word.as_str()));
    let last_word = before.split_whitespace().next_back().unwrap_or_default();
    let is_alone = around.iter().all(|word| word.chars().all(char::is_numeric));
    let is_asked_for = is_alone || last_word.ends_with(':') || RUN_WORDS.contains(&last_word);
    let needs_shell = quoted.chars().any(|c| "|&;<>$*?()\\\n".contains(c)) || quoted.starts_with('~');
    let Some(words) = command(quoted) else {
        let is_plain = quoted.split_whitespace().next().is_some_and(|first| is_known(&[first.to_owned()]));
        return if needs_shell && (is_asked_for || is_plain) { Found::Doubt(SHELL) } else { Found::Nothing };
    };
    let is_said_to_be_one = is_asked_for || (is_known(&words) && !has(&ABOUT));
    if !is_said_to_be_one {
        return if is_known(&words) { Found::Doubt(CONDITION) } else { Found::Nothing };
    }
    if before.contains('?') || has(&DOUBTS) {
        return Found::Doubt(CONDITION);
    }
    if needs_shell { Found::Doubt(SHELL) } else { Found::Command(words) }
}

/// The words of what may be a command.
fn command(quoted: &str) -> Option<Vec<String>> {
    let words = shlex::split(&without_spaces_in_variables(quoted))?;
    let program = words.first()?;
    let plausible = program.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && program.chars().all(|c| c.is_ascii_alphanumeric() || "._+-".contains(c))
        && !SHELL_BUILTINS.contains(&program.as_str());
    (plausible && looks_like_program(program)).then_some(words)
}

/// Whether it surely is a command: its program is well known, or gets a flag.
fn is_known(words: &[String]) -> bool {
    let has_flag = || words.iter().skip(1).any(|word| word.len() > 1 && word.starts_with('-'));
    words.first().is_some_and(|program| PROGRAMS.contains(&format!(" {program} ")) || has_flag())
}

/// `{{ name }}` as `{{name}}`, so that it stays one word.
fn without_spaces_in_variables(text: &str) -> String {
    pieces(text, Braces::Double)
        .into_iter()
        .map(|piece| match piece {
            Piece::Text(text) | Piece::Escaped { raw: text, .. } => text.to_owned(),
            Piece::Variable { raw, .. } => raw.split_whitespace().collect(),
        })
        .collect()
}

/// `config.toml` in back-ticks is a file, not a program.
fn looks_like_program(word: &str) -> bool {
    const PROGRAM_ENDINGS: [&str; 6] = ["sh", "py", "exe", "js", "pl", "test"];
    word.rsplit_once('.')
        .is_none_or(|(_, ending)| PROGRAM_ENDINGS.contains(&ending) || ending.chars().all(|c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(sentence: &str) -> Option<String> {
        match command_in(sentence) {
            Found::Command(words) => Some(words.join("|")),
            Found::Doubt(_) | Found::Nothing => None,
        }
    }

    #[test]
    fn one_plain_command_that_is_asked_for_is_run() {
        for (sentence, expected) in [
            ("Run `git status --short` first", "git|status|--short"),
            ("Check with `pytest`", "pytest"),
            ("Show the log: `git log --format='%h %s'`", "git|log|--format=%h %s"),
            ("Run `python3.12 -m build`", "python3.12|-m|build"),
            ("Here: `git push origin/{{ new }}`", "git|push|origin/{{new}}"),
        ] {
            assert_eq!(found(sentence).as_deref(), Some(expected), "{sentence}");
        }
    }

    #[test]
    fn a_sentence_that_is_a_command_or_has_one_runs_it() {
        for (sentence, expected) in [
            ("`git status`", "git|status"),
            (" `deploy-all staging`. ", "deploy-all|staging"),
            ("1. `make`", "make"),
            ("Print a greeting `echo hello`", "echo|hello"),
            ("Look at the output of `df -h`", "df|-h"),
            ("Fetch everything, `our-fetch --all`, and wait for it", "our-fetch|--all"),
        ] {
            assert_eq!(found(sentence).as_deref(), Some(expected), "{sentence}");
        }
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
            "Document `git rebase -i` in the handbook",
            "Set the title to `weekly report`",
            "Compare the `main` branch with ours",
        ] {
            assert_eq!(found(sentence), None, "{sentence}");
        }
    }

    #[test]
    fn a_command_that_is_not_run_has_a_reason() {
        for (sentence, expected) in [
            ("`git log | head`", Found::Doubt(SHELL)),
            ("Look at `git log | head`", Found::Doubt(SHELL)),
            ("Run `git fetch` and then `git status`", Found::Doubt(SEVERAL)),
            ("Run `git reset --hard` only if you are sure", Found::Doubt(CONDITION)),
            ("Explain `git rebase -i`", Found::Doubt(CONDITION)),
            ("Set `version` to `2.0`", Found::Nothing),
            ("Edit `config.toml`", Found::Nothing),
        ] {
            assert_eq!(command_in(sentence), expected, "{sentence}");
        }
    }
}
