//! `review_candidates`

use super::prompt::OwnPrompt;

pub const PROMPT: OwnPrompt = OwnPrompt {
    name: "review_candidates",
    title: "Review what was learned",
    description: "Has the agent go through what waits for review, one by one, with its user deciding.",
    arguments: &[],
    text: |_, _| Box::pin(async { Ok(TEXT.to_owned()) }),
};

const TEXT: &str = "\
Call list_candidates and go through what waits, one candidate at a time, with me deciding.

For each show in a few lines: what it is, what it was learned from (the evidence), how it differs from what is there \
already (`similar_to`), and what it would be allowed to do. Then ask me: approve, change first, merge with the similar one, \
reject, or later. Don't recommend what the evidence does not carry, and don't decide for me.

Call review_candidate with what I say, and nothing else. At the end say what is live now and what still waits. If a \
decision is refused because only people may decide, tell me to run `repertoire review` in a terminal.";
