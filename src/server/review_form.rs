//! The form by which a client's user decides on a candidate: all that there is to know, one choice, and a reason.

use rmcp::model::{ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationSchema, EnumSchema, StringSchema};
use serde_json::Value;

use crate::{domain::visible, library::Review};

const DECISION: &str = "decision";
const REASON: &str = "reason";
const APPROVE: &str = "Approve";
const REJECT: &str = "Reject";
const MERGE: &str = "Merge with the nearest";
const LATER: &str = "Later";
/// Clients show questions in windows of their own size. What is longer is not decided on by a form.
const MAX_CHARS: usize = 6000;

/// The form for a candidate, of which `said` is all that there is to say.
#[must_use]
pub fn form(said: &str, can_merge: bool) -> Option<ElicitRequestParams> {
    let offered = offered(said, can_merge).into_iter().map(str::to_owned).collect();
    let choices = EnumSchema::builder(offered).title("Decision").build();
    let schema = ElicitationSchema::builder()
        .required_enum_schema(DECISION, choices)
        .string_property(REASON, |field: StringSchema| {
            field.title("Reason").description("Why it is rejected, if you like.")
        });
    let mut shown: String = said.chars().take(MAX_CHARS).collect();
    if !is_shown(said) {
        shown.push_str("…\n(`repertoire review` in a terminal shows the rest, and there it can be approved)");
    }
    Some(ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: format!("Repertoire asks what becomes of this: {}", visible(&shown)),
        requested_schema: schema.build().ok()?,
    })
}

fn is_shown(said: &str) -> bool {
    said.chars().nth(MAX_CHARS).is_none()
}

/// What can be chosen: nobody approves what they have not seen.
fn offered(said: &str, can_merge: bool) -> Vec<&'static str> {
    let is_shown = is_shown(said);
    let choices = [(APPROVE, is_shown), (REJECT, true), (MERGE, is_shown && can_merge), (LATER, true)];
    choices.into_iter().filter(|(_, is_offered)| *is_offered).map(|(choice, _)| choice).collect()
}

/// What an answer to the form says; nothing where the user declined, or where it can't be read.
#[must_use]
pub fn read(answer: Option<&ElicitResult>, said: &str, can_merge: bool) -> Option<Review> {
    let answer = answer.filter(|answer| answer.action == ElicitationAction::Accept)?;
    let text = |name: &str| answer.content.as_ref()?.get(name).and_then(Value::as_str);
    let reason = text(REASON).map(str::trim).filter(|reason| !reason.is_empty()).map(str::to_owned);
    let choice = text(DECISION).filter(|choice| offered(said, can_merge).contains(choice))?;
    match choice {
        APPROVE => Some(Review::Approve(None, Box::default())),
        REJECT => Some(Review::Reject(reason)),
        MERGE => Some(Review::Merge),
        LATER => Some(Review::Skip),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(answer: Value, can_merge: bool) -> Option<Review> {
        let answer: Option<ElicitResult> = serde_json::from_value(answer).ok();
        read(answer.as_ref(), "all", can_merge)
    }

    #[test]
    fn only_what_was_offered_and_accepted_decides() {
        let accept = |content: Value| json!({"action": "accept", "content": content});
        assert!(matches!(said(accept(json!({"decision": "Approve"})), false), Some(Review::Approve(None, _))));
        let reject = said(accept(json!({"decision": "Reject", "reason": " too slow "})), false);
        assert!(matches!(reject, Some(Review::Reject(Some(reason))) if reason == "too slow"));
        assert!(matches!(said(accept(json!({"decision": "Later", "reason": ""})), false), Some(Review::Skip)));
        assert!(matches!(said(accept(json!({"decision": MERGE})), true), Some(Review::Merge)));
        for answer in [
            accept(json!({"decision": MERGE})),
            accept(json!({"decision": "approve"})),
            accept(json!({"decision": true})),
            accept(json!({})),
            json!({"action": "accept"}),
            json!({"action": "decline", "content": {"decision": "Approve"}}),
            json!({"action": "cancel"}),
            json!({"action": "perhaps", "content": {"decision": "Approve"}}),
            json!("yes"),
        ] {
            assert!(said(answer.clone(), false).is_none(), "{answer}");
        }
    }

    #[test]
    fn what_is_shown_is_visible_and_ends() {
        let Some(ElicitRequestParams::FormElicitationParams { message, .. }) =
            form(&format!("\u{1b}[2J{}", "x".repeat(MAX_CHARS)), true)
        else {
            panic!("no form")
        };
        assert!(message.contains("⟨U+001B⟩[2J") && message.ends_with("it can be approved)"), "{message}");
    }

    #[test]
    fn what_is_not_shown_in_full_is_not_approved() {
        let long = "x".repeat(MAX_CHARS + 1);
        assert_eq!(offered(&long, true), [REJECT, LATER]);
        let approve = serde_json::from_value(json!({"action": "accept", "content": {"decision": APPROVE}})).ok();
        assert!(read(approve.as_ref(), &long, true).is_none());
        assert!(read(approve.as_ref(), &long[1..], true).is_some());
    }
}
