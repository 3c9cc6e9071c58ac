//! Finding the code in what a model answered.

use crate::validation;

/// Lines that are taken off the end of an answer without a fence until what is left is Python.
const MAX_CLOSING_LINES: usize = 20;

/// The Python code of an answer: the longest fenced block that looks like code, or an answer that is nothing but code,
/// perhaps with a sentence before and after it. `None` when there is none.
pub fn code(answer: &str, entry_name: &str) -> Option<String> {
    let blocks = fenced(answer);
    let longest = |only_python: bool| {
        blocks.iter().filter(|block| block.is_python || !only_python).max_by_key(|block| block.text.len())
    };
    let code = match longest(true).or_else(|| longest(false)) {
        Some(block) => block.text.clone(),
        None => bare(answer, entry_name)?,
    };
    let code = code.trim_end().trim_start_matches('\n');
    (!code.is_empty()).then(|| format!("{code}\n"))
}

struct Block {
    is_python: bool,
    text: String,
}

/// The blocks between fences. One that is never closed goes to the end of the answer.
fn fenced(answer: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, usize, Block)> = None;
    for line in answer.lines() {
        let content = line.trim_start();
        let indentation = line.len() - content.len();
        let ticks = &content[..content.len() - content.trim_start_matches('`').len()];
        open = match open.take() {
            None if ticks.len() >= 3 => {
                let language = content[ticks.len()..].trim().to_lowercase();
                let is_python = matches!(language.as_str(), "python" | "py" | "python3");
                Some((ticks, indentation, Block { is_python, text: String::new() }))
            }
            None => None,
            Some((fence, _, block)) if ticks.len() >= fence.len() && content.trim_end() == ticks => {
                blocks.push(block);
                None
            }
            Some((fence, indentation, mut block)) => {
                // A block in a list is indented as a whole.
                let shared = line.len().min(indentation).min(line.len() - line.trim_start_matches(' ').len());
                block.text.push_str(&line[shared..]);
                block.text.push('\n');
                Some((fence, indentation, block))
            }
        };
    }
    blocks.extend(open.map(|(_, _, block)| block));
    blocks
}

/// Code without a fence: from the first line that can begin a module to the last with which it is Python.
fn bare(answer: &str, entry_name: &str) -> Option<String> {
    const BEGINNINGS: [&str; 7] = ["def ", "async def ", "import ", "from ", "#", "\"\"\"", "@"];
    let lines: Vec<&str> = answer.lines().collect();
    let is_module = |code: &str| matches!(validation::entry_point(code, Some(entry_name)), Ok(Some(_)));
    let starts = lines.iter().enumerate().filter(|(_, line)| BEGINNINGS.iter().any(|start| line.starts_with(start)));
    starts.take(3).find_map(|(start, _)| {
        (0..=MAX_CLOSING_LINES.min(lines.len() - start - 1))
            .map(|dropped| lines[start..lines.len() - dropped].join("\n"))
            .find(|code| is_module(code))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CODE: &str = "def tidy() -> int:\n    return 1\n";

    fn found(answer: &str) -> Option<String> {
        code(answer, "tidy")
    }

    #[test]
    fn fenced_code_is_found_among_prose_and_other_blocks() {
        for answer in [
            format!("```python\n{CODE}```"),
            format!("Sure!\n\n```py\n{CODE}```\nIt returns 1."),
            format!("```\n{CODE}```"),
            format!(
                "First `run` this:\n```sh\npip install a-very-long-name-of-a-package-that-is-longer-than-the-code\n```\nthen\n```python\n{CODE}```"
            ),
            format!("````python\n{CODE}````"),
            format!("```python\n{CODE}"),
            format!(
                "- like this:\n  ```python\n{}  ```",
                CODE.lines().map(|line| format!("  {line}\n")).collect::<String>()
            ),
        ] {
            assert_eq!(found(&answer).as_deref(), Some(CODE), "{answer}");
        }
    }

    #[test]
    fn bare_code_is_found_with_sentences_around_it() {
        for answer in
            [CODE.to_owned(), format!("Here it is:\n{CODE}"), format!("{CODE}\nThis returns 1.\nAnything else?")]
        {
            assert_eq!(found(&answer).as_deref(), Some(CODE), "{answer}");
        }
    }

    #[test]
    fn prose_is_no_code() {
        for answer in
            ["", "Sorry", "I can't write that.", "from here on you do it yourself", "``````", "```python\n\n```"]
        {
            assert_eq!(found(answer), None, "{answer}");
        }
    }

    #[test]
    fn fenced_code_that_is_wrong_is_returned_so_that_its_error_can_be_told() {
        assert_eq!(found("```python\ndef tidy(:\n```").as_deref(), Some("def tidy(:\n"));
    }

    proptest! {
        #[test]
        fn any_answer_is_read(answer in "(```(python|sh)?\n)?([`a-z :\n]|def tidy\\(\\):|    pass\n|é){0,40}") {
            let _ = found(&answer);
        }

        #[test]
        fn code_survives_prose_around_it(before in "[A-Za-z ,.]{0,60}", after in "[A-Za-z ,.]{0,60}") {
            let answer = format!("{before}\n```python\n{CODE}```\n{after}");
            prop_assert_eq!(found(&answer), Some(CODE.to_owned()));
        }
    }
}
