//! Calls that want a person's word: asked by a request of the server before protocol 2026-07-28, by the answer of the call
//! since, as the questions of runs are.
//!
//! The call that was asked about is made again with what the user agreed to. What the client gives back says which
//! question it means, sealed together with the call, so that it is of no use for another.

use std::collections::BTreeMap;

use rmcp::model::{CallToolRequestParams, ElicitRequest, ElicitResult, InputRequest, InputRequiredResult, JsonObject};
use serde_json::{Map, Value};

use super::{
    elicit,
    heard::Heard,
    progress::CallContext,
    reply::{self, Reply},
    review_form,
    rounds::KEY,
};
use crate::{
    domain::Asked,
    library::{Actor, Dossier, Library, LibraryError, Opened, Review, Services, digest},
};

impl CallContext {
    /// Does `work`; where that wants a person's word, asks the client's user for it, if that is possible while the call
    /// goes on, and does it again.
    ///
    /// # Errors
    /// What `work` returns, or [`LibraryError::Declined`].
    pub async fn consented<T, F>(&self, services: &Services, work: impl Fn(Actor) -> F) -> Result<T, LibraryError>
    where
        F: Future<Output = Result<T, LibraryError>>,
    {
        let refused = match work(self.actor()).await {
            Err(error @ LibraryError::WantsPerson { .. }) => error,
            done => return done,
        };
        let LibraryError::WantsPerson { question, .. } = &refused else { return Err(refused) };
        let Some((peer, limit)) = self.asks_by_request(services).await else { return Err(refused) };
        match elicit::confirm(&peer, limit, question).await {
            Some(true) => work(Actor::agreed(self.user(), digest(question))).await,
            Some(false) => Err(LibraryError::Declined(self.user().name().to_owned())),
            None => Err(refused),
        }
    }

    /// What the client's user says of a candidate, by one form: with who says so, and on which candidate.
    ///
    /// # Errors
    /// [`LibraryError::Declined`] where they don't say, or nobody can read what they say; [`LibraryError::WantsPerson`] where
    /// they were not asked, or have to be asked by the answer of this call.
    pub async fn reviewed(&self, services: &Services, dossier: &Dossier) -> Result<(Review, Actor), LibraryError> {
        let (shown, text, can_merge) = (dossier.digest(), dossier.text(), dossier.merges_with().is_some());
        let read = |answer: Option<&ElicitResult>| review_form::read(answer, &text, can_merge);
        let said = match &self.heard {
            Some(Heard::Reviewed(seen, answer)) if *seen == shown => Some(read(answer.as_ref())),
            _ => match (self.asks_by_request(services).await, review_form::form(&text, can_merge)) {
                (Some((peer, limit)), Some(form)) => {
                    let answer = elicit::ask(&peer, form, limit).await;
                    answer.map(|answer| read(answer.as_ref()))
                }
                _ => None,
            },
        };
        match said {
            Some(Some(review)) => Ok((review, Actor::deciding(self.user(), shown))),
            Some(None) => Err(LibraryError::Declined(self.user().name().to_owned())),
            None => Err(LibraryError::WantsPerson {
                what: format!("on candidate {}", dossier.id),
                question: text,
                how: format!(
                    "ask them to run `repertoire review {}` in a terminal, or pass what they said as `decision`",
                    dossier.id
                ),
                asked: Asked::ToReview { shown, can_merge },
            }),
        }
    }
}

/// A call, for whoever may have to ask about it by its answer.
pub struct Call {
    tool: &'static str,
    /// Only where it may be needed.
    arguments: Option<String>,
}

impl Call {
    /// The call of `tool` with these arguments.
    pub fn of(tool: &'static str, arguments: &Map<String, Value>, context: &CallContext) -> Self {
        Self { tool, arguments: context.asks_by_rounds().then(|| of_arguments(arguments)) }
    }

    /// The question that the call is answered with, where it was refused for the want of a person's word and the client
    /// can be asked that way.
    pub async fn question(&self, services: &Services, error: &LibraryError) -> Option<InputRequiredResult> {
        let (LibraryError::WantsPerson { question, asked, .. }, Some(arguments)) = (error, &self.arguments) else {
            return None;
        };
        if services.blocking(Library::config).await.ok()?.runs.ask_seconds == 0 {
            return None;
        }
        let form = match asked {
            Asked::ToAgree => elicit::confirmation(question)?,
            Asked::ToReview { can_merge, .. } => review_form::form(question, *can_merge)?,
        };
        let request = InputRequest::Elicitation(ElicitRequest::new(form));
        let state = services.library().seal_consent(self.tool, arguments, question, asked);
        Some(InputRequiredResult::new(Some(BTreeMap::from([(KEY.to_owned(), request)])), Some(state)))
    }
}

/// Takes the answer to such a question out of a call that brings it; the call then goes on as any other. A reply where the
/// user said no, or was never asked.
pub fn answered(services: &Services, request: &mut CallToolRequestParams, context: &mut CallContext) -> Option<Reply> {
    let state = request.request_state.as_deref()?;
    let arguments = of_arguments(request.arguments.as_ref().unwrap_or(&JsonObject::new()));
    let opened = match services.library().open_consent(&request.name, &arguments, state) {
        Ok(opened) => opened?,
        Err(error) => return Some(reply::refusal(&error)),
    };
    request.request_state = None;
    // Whoever brings no answer is asked again.
    let answer = request.input_responses.take().and_then(|mut answers| answers.remove(KEY))?;
    let answer = serde_json::from_value::<ElicitResult>(answer).ok();
    match opened {
        Opened::Agreement(digest) if elicit::is_agreed(answer.as_ref()) => context.hear(Heard::Agreed(digest)),
        Opened::Agreement(_) => {
            return Some(reply::refusal(&LibraryError::Declined(context.user().name().to_owned())));
        }
        Opened::Review(shown) => context.hear(Heard::Reviewed(shown, answer)),
    }
    None
}

fn of_arguments(arguments: &Map<String, Value>) -> String {
    digest(&serde_json::to_string(arguments).unwrap_or_default())
}
