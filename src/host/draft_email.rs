//! `draft_email`: an e-mail for somebody to look over, kept in the inbox. Nothing here sends it.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    action::Action,
    context::parse,
    function::{Fallible, HostFunction, Perform, as_given, as_said},
    texts::{check_entries, check_not_empty, check_size, value_error},
};
use crate::{
    domain::{ItemKind, Nature, NewItem},
    runtime::PythonError,
};

const NAME: &str = "draft_email";

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
    to: Several,
    subject: String,
    body: String,
    cc: Option<Several>,
    bcc: Option<Several>,
    attachments: Option<Several>,
}

/// One or several.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a string or a list of strings")]
enum Several {
    One(String),
    Many(Vec<String>),
}

impl Several {
    fn into_list(self) -> Vec<String> {
        match self {
            Self::One(entry) => vec![entry],
            Self::Many(entries) => entries,
        }
    }

    /// The people that it names: a text may have several with commas, where each has an address.
    fn into_people(self) -> Vec<String> {
        let entries = self.into_list().into_iter().flat_map(|entry| {
            let parts: Vec<String> = entry.split([',', ';']).map(|part| part.trim().to_owned()).collect();
            if parts.len() > 1 && parts.iter().all(|part| part.contains('@')) { parts } else { vec![entry] }
        });
        entries.map(|entry| entry.trim().to_owned()).collect()
    }
}

fn call(arguments: Map<String, Value>) -> Result<Action, PythonError> {
    let Arguments { to, subject, body, cc, bcc, attachments } = parse(NAME, arguments)?;
    check_not_empty(NAME, "subject", &subject)?;
    if subject.chars().any(char::is_control) {
        return Err(value_error(NAME, "`subject` has more than one line"));
    }
    let to = people("to", Some(to))?;
    if to.is_empty() {
        return Err(value_error(NAME, "`to` is empty; name who gets the e-mail"));
    }
    let (cc, bcc) = (people("cc", cc)?, people("bcc", bcc)?);
    let attachments = attachments.map_or_else(Vec::new, Several::into_list);
    check_entries(NAME, "attachments", &attachments)?;
    let lists = to.iter().chain(&cc).chain(&bcc).chain(&attachments).map(String::as_str);
    check_size(NAME, lists.chain([subject.as_str(), &body]))?;
    let data = Map::from_iter([
        ("to".to_owned(), json!(to)),
        ("cc".to_owned(), json!(cc)),
        ("bcc".to_owned(), json!(bcc)),
        ("attachments".to_owned(), json!(attachments)),
    ]);
    let kind = ItemKind::EmailDraft;
    Ok(Action::File(NewItem { kind, title: Some(subject), body, data, channel: None, undelivered: None }))
}

fn people(name: &str, several: Option<Several>) -> Result<Vec<String>, PythonError> {
    let people = several.map_or_else(Vec::new, Several::into_people);
    check_entries(NAME, name, &people)?;
    if let Some(wrong) = people.iter().find(|entry| !is_person(entry)) {
        let shown: String = wrong.chars().take(60).collect();
        let message = format!(
            "`{name}` has `{shown}`; write an address (`ada@example.org`, `Ada <ada@example.org>`) or a name (`Ada`)"
        );
        return Err(value_error(NAME, message));
    }
    Ok(people)
}

/// An address, a name with an address, or a name that somebody will look up.
fn is_person(text: &str) -> bool {
    match text.split_once('<') {
        Some((_, rest)) => rest.strip_suffix('>').is_some_and(is_address),
        None if text.contains('@') => is_address(text),
        None => text.chars().any(char::is_alphabetic) && !text.contains(['>', '{', '}', '[', ']']),
    }
}

fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_plain = |part: &str| !part.is_empty() && !part.contains([' ', '<', '>', ',', ';', '@']);
    is_plain(local) && is_plain(domain) && domain.split('.').all(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(arguments: Value) -> Result<NewItem, String> {
        let Value::Object(arguments) = arguments else { panic!("an object") };
        match call(arguments) {
            Ok(Action::File(item)) => Ok(item),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.message),
        }
    }

    #[test]
    fn people_are_addresses_or_names() {
        for (to, wanted) in [
            (json!("ada@example.org"), json!(["ada@example.org"])),
            (json!("Ada Lovelace"), json!(["Ada Lovelace"])),
            (json!("ada@example.org, Bob <bob@x.org>"), json!(["ada@example.org", "Bob <bob@x.org>"])),
            (json!("Lovelace, Ada <ada@x.org>"), json!(["Lovelace, Ada <ada@x.org>"])),
            (json!(["ada@localhost", " Team Sales "]), json!(["ada@localhost", "Team Sales"])),
        ] {
            let item = item(json!({"to": to, "subject": "Hello", "body": ""})).unwrap();
            assert_eq!(item.data["to"], wanted);
            assert_eq!(item.data["cc"], json!([]));
        }
    }

    #[test]
    fn what_makes_no_email_is_refused() {
        let email = |fields: Value| {
            let mut email = json!({"to": "ada@x.org", "subject": "Hello", "body": "…"});
            let changes = fields.as_object().unwrap().clone();
            email.as_object_mut().unwrap().extend(changes);
            item(email).unwrap_err()
        };
        for (fields, wanted) in [
            (json!({"to": []}), "`to` is empty"),
            (json!({"to": ""}), "`to` is empty"),
            (json!({"to": 5}), "expected a string or a list of strings"),
            (json!({"to": "ada@"}), "`to` has `ada@`; write an address"),
            (json!({"to": "{{meeting_attendees}}"}), "write an address"),
            (json!({"to": "a b@x.org"}), "write an address"),
            (json!({"cc": ["Ada <ada.x.org>"]}), "`cc` has `Ada <ada.x.org>`"),
            (json!({"bcc": "x@y.org\nTo: z@y.org"}), "more than one line"),
            (json!({"subject": "Hello\nBcc: x@y.org"}), "`subject` has more than one line"),
            (json!({"subject": " "}), "`subject` is empty"),
            (json!({"body": "x".repeat(65 * 1024)}), "at most 64 KiB"),
            (json!({"attachments": vec!["a.txt"; 300]}), "has 300 entries"),
        ] {
            let error = email(fields);
            assert!(error.contains(wanted), "{error}");
        }
    }
}
