//! The inbox: what procedures put before the user, and what waits for them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Where a notification goes that goes nowhere else: to the inbox alone.
pub const IN_APP: &str = "in_app";

/// What an entry of the inbox is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ItemKind {
    /// Something to know.
    Notification,
    /// Something to do.
    Task,
    /// An e-mail to look over and send; nothing sends it by itself.
    EmailDraft,
    /// A run that waits for somebody's yes or no.
    Approval,
    /// A run that waits for somebody's answer.
    Question,
    /// A run that waits for what somebody has to do.
    Step,
}

impl ItemKind {
    const ALL: [Self; 6] =
        [Self::Notification, Self::Task, Self::EmailDraft, Self::Approval, Self::Question, Self::Step];

    /// The word used in the database and in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notification => "notification",
            Self::Task => "task",
            Self::EmailDraft => "email_draft",
            Self::Approval => "approval",
            Self::Question => "question",
            Self::Step => "step",
        }
    }

    /// The kind that [`Self::as_str`] names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether it is a paused run, which is derived from the runs and not stored a second time.
    #[must_use]
    pub const fn is_run(self) -> bool {
        matches!(self, Self::Approval | Self::Question | Self::Step)
    }
}

/// Something for the inbox, as a procedure gives it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewItem {
    pub kind: ItemKind,
    /// The title of a notification or task, the subject of an e-mail.
    pub title: Option<String>,
    pub body: String,
    /// What only items of this kind have.
    pub data: Map<String, Value>,
    /// Where a notification was sent too; `None` when it is in the inbox alone.
    pub channel: Option<String>,
    /// Why it did not get to the channel.
    pub undelivered: Option<String>,
}

impl NewItem {
    /// What the code gets when the item is stored under this id.
    ///
    /// # Errors
    /// The text of the exception, when the item did not get to its channel.
    pub fn answer(&self, id: i64) -> Result<Value, String> {
        if let Some(why) = &self.undelivered {
            let channel = self.channel.as_deref().unwrap_or(IN_APP);
            return Err(format!(
                "the notification did not get to the channel `{channel}`: {why}; it is kept in the inbox as item {id}"
            ));
        }
        let (title, body) = match self.kind {
            ItemKind::Task => ("title", "description"),
            ItemKind::EmailDraft => ("subject", "body"),
            _ => ("title", "message"),
        };
        let mut answer = Map::from_iter([
            ("id".to_owned(), json!(id)),
            (title.to_owned(), json!(self.title)),
            (body.to_owned(), json!(self.body)),
        ]);
        answer.extend(self.data.clone());
        match self.kind {
            ItemKind::Notification => {
                answer.insert("channel".to_owned(), json!(self.channel.as_deref().unwrap_or(IN_APP)));
                answer.insert("sent".to_owned(), json!(true));
            }
            ItemKind::EmailDraft => {
                answer.insert("draft".to_owned(), json!(true));
            }
            _ => {}
        }
        Ok(Value::Object(answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_gets_what_was_stored_or_why_it_did_not_arrive() {
        let mut item = NewItem {
            kind: ItemKind::Notification,
            title: None,
            body: "Ready".to_owned(),
            data: Map::from_iter([("level".to_owned(), json!("info"))]),
            channel: Some("slack".to_owned()),
            undelivered: None,
        };
        let expected = json!({
            "id": 7, "title": null, "message": "Ready", "level": "info", "channel": "slack", "sent": true,
        });
        assert_eq!(item.answer(7), Ok(expected));
        item.undelivered = Some("status 500".to_owned());
        let error = item.answer(7).unwrap_err();
        assert!(error.contains("`slack`: status 500") && error.contains("item 7"), "{error}");
    }

    #[test]
    fn kinds_are_read_as_they_are_written() {
        for kind in ItemKind::ALL {
            assert_eq!(ItemKind::parse(kind.as_str()), Some(kind));
            assert_eq!(json!(kind), json!(kind.as_str()));
        }
    }
}
