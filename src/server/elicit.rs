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
        ElicitationSchema, EnumSchema, ProtocolVersion, ServerRequest, StringSchema,
    },
    service::{ElicitationMode, PeerRequestOptions, RequestContext, RequestHandle},
};
use serde_json::Value;

use crate::{
    domain::GateKind,
    library::runs::{Asker, Decider, Decision, Gate},
};

const APPROVE: &str = "approve";
const COMMENT: &str = "comment";
const ANSWER: &str = "answer";

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
        let request = ServerRequest::ElicitRequest(ElicitRequest::new(form(gate)?));
        let sent = self.peer.send_request_with_option(request, PeerRequestOptions::no_options()).await;
        let mut question = match sent {
            Ok(handle) => Sent(Some(handle)),
            Err(error) => {
                tracing::debug!(%error, "the client could not be asked");
                return None;
            }
        };
        let answered =
            tokio::time::timeout(self.limit.min(time_left(gate)), &mut question.0.as_mut()?.rx).await.ok()?;
        question.0 = None;
        match answered {
            Ok(Ok(ClientResult::ElicitResult(result))) => Some(decision(gate, Some(result))),
            Ok(Ok(_)) => Some(decision(gate, None)),
            Ok(Err(error)) => {
                tracing::info!(%error, "the client has not put a question before its user");
                None
            }
            Err(_) => None,
        }
    }
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
        GateKind::Approval => (
            "asks for approval",
            ElicitationSchema::builder()
                .required_bool_property(APPROVE, |field: BooleanSchema| {
                    field.title("Approve").description("Yes lets it go on, no refuses it.")
                })
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
        GateKind::Step => return None,
    };
    Some(ElicitRequestParams::FormElicitationParams {
        meta: None,
        // Its name first: what follows was written by somebody who may want to look like somebody else.
        message: format!("Procedure `{}` {asks}: {question}", gate.procedure),
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
    match (gate.request.kind, field(APPROVE)) {
        (GateKind::Approval, Some(Value::Bool(true))) => Decision::Approve(text(COMMENT).map(Value::from)),
        (GateKind::Approval, Some(Value::Bool(false))) => Decision::Reject(text(COMMENT).map(str::to_owned)),
        (GateKind::Question, _) => {
            text(ANSWER).map_or_else(unreadable, |answer| Decision::Approve(Some(Value::from(answer))))
        }
        _ => unreadable(),
    }
}
