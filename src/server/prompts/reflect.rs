//! `reflect_on_session`

use super::prompt::OwnPrompt;

const SESSION: &str = "session_name";

pub const PROMPT: OwnPrompt = OwnPrompt {
    name: "reflect_on_session",
    title: "Reflect on this session",
    description: "Has the agent look back at a session and hand in what it taught, for review.",
    arguments: &[(SESSION, "What the session was about.", false)],
    text: |_, arguments| {
        Box::pin(async move {
            let session = arguments.text(SESSION).map(|name| format!(" (\"{name}\")")).unwrap_or_default();
            Ok(TEXT.replace("{session}", &session))
        })
    },
};

const TEXT: &str = "\
Look back at this session{session} and find what is worth knowing the next time: what took several attempts until it \
worked, what turned out otherwise than expected, and what you did in steps that somebody will have to do again.

For each of these write one lesson that holds beyond this session:
- `problem`: the situation in which it helps, in the words in which somebody would ask for it;
- `solution`: what to do, so that it can be done without having been here; with `steps` where there is an order, and \
`parameters` for what differs from case to case;
- `reasoning`: the principle behind it, why this works and the obvious way does not;
- `anti_patterns`: what was tried and should not be tried again.

Leave out what only a passing failure taught (a network that was down, a limit that was hit), what is in the documentation \
anyway, and everything that is secret. Two good lessons are better than ten; if there is none, say so.

Then call submit_lessons once with all of them. They become candidates: nothing is live before your user has reviewed it. \
Where the work was a sequence of tool calls that will be repeated, call submit_trace with them as well.";
