//! Checks of the gateway by real requests over loopback, so that its settings are not trusted.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::stream;
use crate::check::{Action, Outcome, Run};
use crate::ground::{Caller, GatewayCall, GatewayReply, Ground};

const MODELS_PATH: &str = "/v1/models";
const CHAT_PATH: &str = "/v1/chat/completions";

pub(super) struct DoorCheck(pub(super) Arc<dyn Ground>);

#[async_trait]
impl Run for DoorCheck {
    async fn run(&self) -> Outcome {
        let listeners = self.0.gateway_listeners().await;
        if listeners.is_empty() {
            let fix = "Choose a free port in Settings, or stop the program that uses this one.";
            return Outcome::fail("the gateway is not running", fix).at(Action::OpenSettings);
        }
        if let Some(open) = listeners.iter().find(|address| !address.ip().is_loopback()) {
            let fix = "Quit Gatehouse now: other machines can reach it. Please report this.";
            return Outcome::fail("the gateway is reachable from the network", fix)
                .saw(format!("listens on {open}"));
        }
        let mut outcome = Outcome::pass().saw(format!("listens on {}", list(&listeners)));
        for (caller, name, wanted) in [
            (Caller::Stranger, "a request without a token", 401),
            (Caller::WebPage, "a request from a web page", 403),
        ] {
            let call = GatewayCall { caller, path: MODELS_PATH, body: None };
            let reply = match self.0.call_gateway(call).await {
                Ok(reply) => reply,
                Err(reason) => return unreachable(reason),
            };
            let seen = format!("{name} got {}, expected {wanted}", reply.status);
            if reply.status != wanted {
                let fix = "Quit Gatehouse and report this: its access check does not work.";
                return Outcome::fail(format!("{name} was not refused"), fix).saw(seen);
            }
            outcome = outcome.saw(seen);
        }
        outcome
    }
}

pub(super) struct RequestCheck {
    pub(super) ground: Arc<dyn Ground>,
    pub(super) model: String,
}

#[async_trait]
impl Run for RequestCheck {
    async fn run(&self) -> Outcome {
        let body = json!({ "model": self.model, "messages": question() });
        let reply = match self.ground.call_gateway(chat(&body)).await {
            Ok(reply) => reply,
            Err(reason) => return unreachable(reason),
        };
        if reply.status != 200 {
            return refused(&reply);
        }
        let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let text = answer.pointer("/choices/0/message/content").and_then(Value::as_str);
        let tokens = answer.pointer("/usage/total_tokens").and_then(Value::as_u64);
        match (text, tokens) {
            (Some(text), Some(tokens)) if !text.is_empty() && tokens > 0 => Outcome::pass()
                .saw(format!("{} characters, {tokens} tokens counted", text.chars().count())),
            (None | Some(""), _) => {
                Outcome::fail("the response has no text", RESTART).saw(start(&reply))
            }
            (Some(_), _) => {
                Outcome::fail("the response reports no tokens", RESTART).saw(start(&reply))
            }
        }
    }
}

pub(super) struct StreamCheck {
    pub(super) ground: Arc<dyn Ground>,
    pub(super) model: String,
}

#[async_trait]
impl Run for StreamCheck {
    async fn run(&self) -> Outcome {
        let body = json!({
            "model": self.model,
            "messages": question(),
            "stream": true,
            "stream_options": { "include_usage": true },
        });
        let reply = match self.ground.call_gateway(chat(&body)).await {
            Ok(reply) => reply,
            Err(reason) => return unreachable(reason),
        };
        if reply.status != 200 {
            return refused(&reply);
        }
        match stream::examine(&reply.body) {
            Ok(seen) => Outcome::pass().saw(format!(
                "{} chunks in order, finish reason {:?}, {} tokens counted, then [DONE]",
                seen.pieces, seen.finish_reason, seen.tokens
            )),
            Err(fault) => Outcome::fail(fault.to_string(), RESTART).saw(start(&reply)),
        }
    }
}

const RESTART: &str = "Restart Gatehouse. If that does not help, please report it.";

fn question() -> Value {
    json!([{ "role": "user", "content": "Say hello in a few words." }])
}

fn chat(body: &Value) -> GatewayCall {
    GatewayCall { caller: Caller::Client, path: CHAT_PATH, body: Some(body.to_string()) }
}

fn unreachable(reason: String) -> Outcome {
    Outcome::fail("the gateway is not responding", RESTART).saw(reason)
}

fn refused(reply: &GatewayReply) -> Outcome {
    Outcome::fail(format!("the gateway answered with status {}", reply.status), RESTART)
        .saw(start(reply))
}

/// Returns at most the first 1,024 bytes of a body as evidence; the runner cuts the line further.
fn start(reply: &GatewayReply) -> String {
    String::from_utf8_lossy(reply.body.get(..1_024).unwrap_or(&reply.body)).into_owned()
}

fn list(addresses: &[SocketAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
