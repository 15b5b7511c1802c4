//! Checks of the gateway by real requests over loopback, so that its settings are not trusted.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::chat_stream;
use crate::check::{
    CheckBody, CheckCategory, CheckId, CheckOutcome, CheckSeverity, FixAction, ReadinessCheck,
};
use crate::environment::{GatewayCall, GatewayReply, ReadinessEnvironment, SimulatedCaller};

const MODELS_PATH: &str = "/v1/models";
const CHAT_PATH: &str = "/v1/chat/completions";

pub(super) fn checks(
    environment: &Arc<dyn ReadinessEnvironment>,
    mock_model: &str,
) -> [ReadinessCheck; 3] {
    use CheckCategory::{Reliability, Security};
    let check = |id, title, category, after, body: Arc<dyn CheckBody>| {
        ReadinessCheck::new(CheckId::new(id), title, category, CheckSeverity::Blocker, body)
            .with_dependencies([CheckId::new(after)])
    };
    let environment = || Arc::clone(environment);
    let model = || mock_model.to_owned();
    [
        check(
            "R-13",
            "Gateway refuses the network, unknown programs and web pages",
            Security,
            "R-03",
            Arc::new(GatewayGuardCheck(environment())),
        ),
        check(
            "R-14a",
            "Request through the gateway to the mock",
            Reliability,
            "R-13",
            Arc::new(RequestCheck { environment: environment(), model: model() }),
        ),
        check(
            "R-14b",
            "Stream through the gateway to the mock",
            Reliability,
            "R-14a",
            Arc::new(StreamCheck { environment: environment(), model: model() }),
        ),
    ]
}

struct GatewayGuardCheck(Arc<dyn ReadinessEnvironment>);

#[async_trait]
impl CheckBody for GatewayGuardCheck {
    async fn run(&self) -> CheckOutcome {
        let listeners = self.0.gateway_listeners().await;
        if listeners.is_empty() {
            let fix = "Choose a free port in Settings, or stop the program that uses this one.";
            return CheckOutcome::fail("the gateway is not running", fix)
                .with_action(FixAction::OpenSettings);
        }
        if let Some(open) = listeners.iter().find(|address| !address.ip().is_loopback()) {
            let fix = "Quit Gatehouse now: other machines can reach it. Please report this.";
            return CheckOutcome::fail("the gateway is reachable from the network", fix)
                .with_evidence(format!("listens on {open}"));
        }
        let mut outcome = CheckOutcome::pass()
            .with_evidence(format!("listens on {}", join_addresses(&listeners)));
        for (caller, name, wanted) in [
            (SimulatedCaller::NoToken, "a request without a token", 401),
            (SimulatedCaller::WebPage, "a request from a web page", 403),
        ] {
            let call = GatewayCall { caller, path: MODELS_PATH, body: None };
            let reply = match self.0.call_gateway(call).await {
                Ok(reply) => reply,
                Err(reason) => return unreachable(reason),
            };
            let seen = format!("{name} got {}, expected {wanted}", reply.status);
            if reply.status != wanted {
                let fix = "Quit Gatehouse and report this: its access check does not work.";
                return CheckOutcome::fail(format!("{name} was not refused"), fix)
                    .with_evidence(seen);
            }
            outcome = outcome.with_evidence(seen);
        }
        outcome
    }
}

struct RequestCheck {
    environment: Arc<dyn ReadinessEnvironment>,
    model: String,
}

#[async_trait]
impl CheckBody for RequestCheck {
    async fn run(&self) -> CheckOutcome {
        let body = json!({ "model": self.model, "messages": sample_messages() });
        let reply = match self.environment.call_gateway(chat_call(&body)).await {
            Ok(reply) => reply,
            Err(reason) => return unreachable(reason),
        };
        if reply.status != 200 {
            return unexpected_status(&reply);
        }
        let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let text = answer.pointer("/choices/0/message/content").and_then(Value::as_str);
        let tokens = answer.pointer("/usage/total_tokens").and_then(Value::as_u64);
        match (text, tokens) {
            (Some(text), Some(tokens)) if !text.is_empty() && tokens > 0 => CheckOutcome::pass()
                .with_evidence(format!(
                    "{} characters, {tokens} tokens counted",
                    text.chars().count()
                )),
            (None | Some(""), _) => CheckOutcome::fail("the response has no text", RESTART)
                .with_evidence(body_start(&reply)),
            (Some(_), _) => CheckOutcome::fail("the response reports no tokens", RESTART)
                .with_evidence(body_start(&reply)),
        }
    }
}

struct StreamCheck {
    environment: Arc<dyn ReadinessEnvironment>,
    model: String,
}

#[async_trait]
impl CheckBody for StreamCheck {
    async fn run(&self) -> CheckOutcome {
        let body = json!({
            "model": self.model,
            "messages": sample_messages(),
            "stream": true,
            "stream_options": { "include_usage": true },
        });
        let reply = match self.environment.call_gateway(chat_call(&body)).await {
            Ok(reply) => reply,
            Err(reason) => return unreachable(reason),
        };
        if reply.status != 200 {
            return unexpected_status(&reply);
        }
        match chat_stream::validate_stream(&reply.body) {
            Ok(seen) => CheckOutcome::pass().with_evidence(format!(
                "{} chunks in order, finish reason {:?}, {} tokens counted, then [DONE]",
                seen.chunks, seen.finish_reason, seen.tokens
            )),
            Err(fault) => {
                CheckOutcome::fail(fault.to_string(), RESTART).with_evidence(body_start(&reply))
            }
        }
    }
}

/// Code of the gateway's refusals while it is paused.
const PAUSED_CODE: &str = "\"gateway_paused\"";
const RESTART: &str = "Restart Gatehouse. If that does not help, please report it.";

fn sample_messages() -> Value {
    json!([{ "role": "user", "content": "Say hello in a few words." }])
}

fn chat_call(body: &Value) -> GatewayCall {
    GatewayCall { caller: SimulatedCaller::Client, path: CHAT_PATH, body: Some(body.to_string()) }
}

fn unreachable(reason: String) -> CheckOutcome {
    CheckOutcome::fail("the gateway is not responding", RESTART).with_evidence(reason)
}

fn unexpected_status(reply: &GatewayReply) -> CheckOutcome {
    if reply.status == 503 && body_start(reply).contains(PAUSED_CODE) {
        return CheckOutcome::fail("the gateway is paused", "Resume it: `gatehouse resume`.");
    }
    CheckOutcome::fail(format!("the gateway answered with status {}", reply.status), RESTART)
        .with_evidence(body_start(reply))
}

/// Returns at most the first 1,024 bytes of a body as evidence; the runner cuts the line further.
fn body_start(reply: &GatewayReply) -> String {
    String::from_utf8_lossy(reply.body.get(..1_024).unwrap_or(&reply.body)).into_owned()
}

fn join_addresses(addresses: &[SocketAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
