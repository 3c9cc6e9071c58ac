//! `create_task`: something for somebody to do, kept in the inbox.

use jiff::{Timestamp, civil::DateTime};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    action::Action,
    context::parse,
    function::{Fallible, HostFunction, Perform, as_given, as_said},
    texts::{check_entries, check_not_empty, check_size, check_word, value_error},
};
use crate::{
    domain::{ItemKind, Nature, NewItem},
    runtime::PythonError,
};

const NAME: &str = "create_task";
const PRIORITIES: [&str; 4] = ["low", "medium", "high", "urgent"];

pub const FUNCTION: HostFunction = HostFunction {
    name: NAME,
    // It is stored together with the answer.
    nature: |_, _| Nature::Repeatable,
    grant: None,
    fallible: Fallible::No,
    shown: as_given,
    said: as_said,
    perform: Perform::AtOnce(|arguments, _| call(arguments)),
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    title: String,
    description: Option<String>,
    assignee: Option<String>,
    due: Option<String>,
    priority: Option<String>,
}

fn call(arguments: Map<String, Value>) -> Result<Action, PythonError> {
    let Arguments { title, description, assignee, due, priority } = parse(NAME, arguments)?;
    check_not_empty(NAME, "title", &title)?;
    let description = description.unwrap_or_default();
    check_size(NAME, [title.as_str(), &description])?;
    check_entries(NAME, "assignee", assignee.as_slice())?;
    if let Some(due) = &due {
        check_due(due)?;
    }
    if let Some(priority) = &priority {
        check_word(NAME, "priority", priority, &PRIORITIES)?;
    }
    let data = Map::from_iter([
        ("assignee".to_owned(), json!(assignee)),
        ("due".to_owned(), json!(due)),
        ("priority".to_owned(), json!(priority)),
    ]);
    let kind = ItemKind::Task;
    Ok(Action::File(NewItem { kind, title: Some(title), body: description, data, channel: None, undelivered: None }))
}

/// Dates only: a word such as `Friday` means another day when it is read next week.
fn check_due(due: &str) -> Result<(), PythonError> {
    if due.parse::<DateTime>().is_ok() || due.parse::<Timestamp>().is_ok() {
        return Ok(());
    }
    let shown: String = due.chars().take(60).collect();
    Err(value_error(NAME, format_args!("`due` is `{shown}`; write a date such as 2026-03-31 or 2026-03-31T09:00")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(arguments: Value) -> Result<NewItem, String> {
        let Value::Object(arguments) = arguments else { panic!("an object") };
        match call(arguments) {
            Ok(Action::File(item)) => Ok(item),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(format!("{}: {}", error.kind, error.message)),
        }
    }

    #[test]
    fn what_makes_no_task_is_refused() {
        for (arguments, wanted) in [
            (json!({"title": " "}), "ValueError: create_task(): `title` is empty"),
            (json!({"title": 5}), "TypeError: create_task(): `title`: invalid type: number"),
            (json!({}), "missing field `title`"),
            (json!({"title": "a", "prio": "low"}), "unknown field `prio`"),
            (json!({"title": "a", "priority": "asap"}), "`priority` is `asap`; it is one of `low`, `medium`"),
            (json!({"title": "a", "due": "Friday"}), "`due` is `Friday`; write a date"),
            (json!({"title": "a", "assignee": "x\ny"}), "`assignee` has `x\\ny`, which is more than one line"),
            (json!({"title": "a", "description": "x".repeat(70_000)}), "at most 64 KiB"),
        ] {
            let error = item(arguments).unwrap_err();
            assert!(error.contains(wanted), "{error}");
        }
    }

    #[test]
    fn due_is_a_date_or_a_time() {
        for due in ["2026-03-31", "2026-03-31T09:00", "2026-03-31T09:00:00Z", "2026-03-31T09:00:00-05:00"] {
            let item = item(json!({"title": "a", "due": due, "priority": "high"})).unwrap();
            assert_eq!(item.data["due"], json!(due));
        }
    }
}
