//! Putting a run's question before the client's user, where the client can do that.
//!
//! Up to protocol 2025-11-25 the server sends a request and waits for its answer. Later ones know no requests of the
//! server: there the call is answered with the question, and repeated with the answer; that is in [`super::rounds`].

use std::time::Duration;

use futures_util::future::BoxFuture;
use rmcp::{
    Peer, RoleServer,
    model::{
        BooleanSchema, ClientResult, ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction,
        ElicitationSchema, ElicitationSchemaBuilder, EnumSchema, ProtocolVersion, ServerRequest, StringSchema,
    },
    service::{ElicitationMode, PeerRequestOptions, RequestContext, RequestHandle},
};
use serde_json::Value;

use crate::{
    domain::{Decider, GateKind, offer::NO, visible},
    library::runs::{Asker, Decision, Gate},
};

const APPROVE: &str = "approve";
const COMMENT: &str = "comment";
/// How far a grant goes, or that there is none.
const GRANT: &str = "grant";
const ANSWER: &str = "answer";
const WAY: &str = "what_happened";
const RESULT: &str = "result";
/// What may have become of a call that was interrupted.
const WAYS: [&str; 3] = ["It took effect", "It did not: execute it again", "Let the code see an error"];

/// How the client of a call can be asked something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By a request, while the call goes on.
    Request,
    /// By the call's answer; the client then calls again.
    Round,
}

impl Way {
    /// The way that the client of a call declares to have.
    #[must_use]
    pub fn of(context: &RequestContext<RoleServer>) -> Option<Self> {
        let version = context.protocol_version()?;
        if version < ProtocolVersion::V_2026_07_28 {
            return context
                .peer
                .supported_elicitation_modes()
                .contains(&ElicitationMode::Form)
                .then_some(Self::Request);
        }
        let modes = context.meta.client_capabilities()?.elicitation?;
        // Without any mode it is the one that there was first.
        (modes.form.is_some() || modes.url.is_none()).then_some(Self::Round)
    }
}

/// The client's user.
pub struct Elicitation {
    /// How they are asked.
    pub way: Way,
    /// Over which connection.
    pub peer: Peer<RoleServer>,
    /// How long they may take.
    pub limit: Duration,
    pub decider: Decider,
}

impl Asker for Elicitation {
    fn ask<'a>(&'a self, gate: &'a Gate) -> BoxFuture<'a, Option<(Decision, Decider)>> {
        Box::pin(async move {
            match self.way {
                Way::Request => Some((self.request(gate).await?, self.decider.clone())),
                // The run pauses, and the paused run becomes the question.
                Way::Round => None,
            }
        })
    }
}

impl Elicitation {
    async fn request(&self, gate: &Gate) -> Option<Decision> {
        let answer = ask(&self.peer, form(gate)?, self.limit.min(time_left(gate))).await?;
        Some(decision(gate, answer))
    }
}

/// Sends a form and waits for what the user says: `None` when nobody answers, `Some(None)` for what can't be read.
pub async fn ask(peer: &Peer<RoleServer>, form: ElicitRequestParams, limit: Duration) -> Option<Option<ElicitResult>> {
    let request = ServerRequest::ElicitRequest(ElicitRequest::new(form));
    let sent = peer.send_request_with_option(request, PeerRequestOptions::no_options()).await;
    let mut question = match sent {
        Ok(handle) => Sent(Some(handle)),
        Err(error) => {
            tracing::debug!(%error, "the client could not be asked");
            return None;
        }
    };
    let answered = tokio::time::timeout(limit, &mut question.0.as_mut()?.rx).await.ok()?;
    question.0 = None;
    match answered {
        Ok(Ok(ClientResult::ElicitResult(result))) => Some(Some(result)),
        Ok(Ok(_)) => Some(None),
        Ok(Err(error)) => {
            tracing::info!(%error, "the client has not put a question before its user");
            None
        }
        Err(_) => None,
    }
}

/// Whether the user agrees to something that is about no run; `None` when nobody answers.
pub async fn confirm(peer: &Peer<RoleServer>, limit: Duration, question: &str) -> Option<bool> {
    let answer = ask(peer, confirmation(question)?, limit).await?;
    Some(is_agreed(answer.as_ref()))
}

/// The form that a client shows for that.
#[must_use]
pub fn confirmation(question: &str) -> Option<ElicitRequestParams> {
    Some(ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: format!("Repertoire asks: {}", visible(question)),
        requested_schema: yes_or_no().build().ok()?,
    })
}

/// Whether such an answer is a yes. Whatever can't be read is none.
#[must_use]
pub fn is_agreed(answer: Option<&ElicitResult>) -> bool {
    let accepted = answer.filter(|answer| answer.action == ElicitationAction::Accept);
    let content = accepted.and_then(|answer| answer.content.as_ref());
    content.and_then(|content| content.get(APPROVE)) == Some(&Value::Bool(true))
}

fn yes_or_no() -> ElicitationSchemaBuilder {
    ElicitationSchema::builder().required_bool_property(APPROVE, |field: BooleanSchema| {
        field.title("Approve").description("Yes lets it go on, no refuses it.")
    })
}

/// A question that was sent. Whoever stops waiting for the answer takes it back.
struct Sent(Option<RequestHandle<RoleServer>>);

impl Drop for Sent {
    fn drop(&mut self) {
        if let (Some(handle), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(handle.cancel(Some("the question is not open any more".to_owned())));
        }
    }
}

fn time_left(gate: &Gate) -> Duration {
    let left = gate.expires_at.map(|expires_at| expires_at - jiff::Timestamp::now().as_millisecond());
    left.map_or(Duration::MAX, |left| Duration::from_millis(u64::try_from(left).unwrap_or_default()))
}

/// The form that a client shows for a question.
#[must_use]
pub fn form(gate: &Gate) -> Option<ElicitRequestParams> {
    let question = &gate.request.question;
    let (asks, schema) = match gate.request.kind {
        GateKind::Approval if gate.missing.is_some() => {
            let answers = gate.request.choices.iter().cloned().chain([NO.to_owned()]).collect();
            let answers = EnumSchema::builder(answers).title("Grant it").build();
            ("lacks a grant", ElicitationSchema::builder().required_enum_schema(GRANT, answers))
        }
        GateKind::Approval => (
            if gate.is_of_policy { "wants to do what the policy asks about" } else { "asks for approval" },
            yes_or_no()
                .string_property(COMMENT, |field: StringSchema| field.title("Comment").description("If you like.")),
        ),
        GateKind::Question if gate.request.choices.is_empty() => (
            "asks",
            ElicitationSchema::builder()
                .required_string_property(ANSWER, |field: StringSchema| field.title("Answer").min_length(1)),
        ),
        GateKind::Question => {
            let choices = EnumSchema::builder(gate.request.choices.clone()).title("Answer").build();
            ("asks", ElicitationSchema::builder().required_enum_schema(ANSWER, choices))
        }
        GateKind::Step if gate.is_uncertain => {
            let ways = EnumSchema::builder(WAYS.map(str::to_owned).to_vec()).title("What happened").build();
            let schema = ElicitationSchema::builder()
                .required_enum_schema(WAY, ways)
                .string_property(RESULT, |field: StringSchema| {
                    field.title("Result").description("What it returned, as JSON. Empty: nothing.")
                });
            ("was interrupted", schema)
        }
        GateKind::Step => return None,
    };
    Some(ElicitRequestParams::FormElicitationParams {
        meta: None,
        // Its name first: what follows was written by somebody who may want to look like somebody else.
        message: format!("Procedure `{}` {asks}: {}", gate.procedure, visible(question)),
        requested_schema: schema.build().ok()?,
    })
}

/// What an answer means. One that can't be read is a refusal.
#[must_use]
pub fn decision(gate: &Gate, answer: Option<ElicitResult>) -> Decision {
    let unreadable = || Decision::Reject(Some("the client's answer could not be read".to_owned()));
    let Some(ElicitResult { action, content, .. }) = answer else { return unreadable() };
    match action {
        ElicitationAction::Accept => {}
        ElicitationAction::Decline => return Decision::Reject(None),
        ElicitationAction::Cancel => return Decision::Reject(Some("the question was closed".to_owned())),
        _ => return unreadable(),
    }
    let field = |name: &str| content.as_ref().and_then(|content| content.get(name));
    let text = |name: &str| field(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    if gate.missing.is_some() {
        return match text(GRANT) {
            Some(NO) => Decision::Reject(None),
            Some(extent) if gate.request.choices.iter().any(|choice| choice == extent) => {
                Decision::Approve(Some(Value::from(extent)))
            }
            _ => unreadable(),
        };
    }
    match (gate.request.kind, field(APPROVE)) {
        (GateKind::Approval, Some(Value::Bool(true))) => Decision::Approve(text(COMMENT).map(Value::from)),
        (GateKind::Approval, Some(Value::Bool(false))) => Decision::Reject(text(COMMENT).map(str::to_owned)),
        (GateKind::Step, _) => match text(WAY).and_then(|way| WAYS.iter().position(|known| *known == way)) {
            Some(0) => {
                let result = text(RESULT).unwrap_or("null");
                Decision::Approve(Some(serde_json::from_str(result).unwrap_or_else(|_| Value::from(result))))
            }
            Some(1) => Decision::Approve(None),
            Some(_) => Decision::Reject(None),
            None => unreadable(),
        },
        (GateKind::Question, _) => {
            text(ANSWER).map_or_else(unreadable, |answer| Decision::Approve(Some(Value::from(answer))))
        }
        _ => unreadable(),
    }
}
