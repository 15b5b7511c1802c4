//! Raw HTTP requests to the gateway and the control API, so that tests see the bytes on the wire.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use serde_json::Value;
use test_support::{RawAnswer, RawClient};

use crate::program::await_or_fail;

#[must_use]
pub fn loopback_address(port: u16) -> SocketAddr {
    SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)
}

#[must_use]
pub fn json_body(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

/// Sends one POST with `host`, its length and these headers, and reads the answer.
pub async fn post_json(to: SocketAddr, path: &str, headers: &[&str], body: &[u8]) -> RawAnswer {
    let host = format!("host: {to}");
    let headers = [&[host.as_str()], headers].concat();
    await_or_fail("an answer", async {
        let mut client = RawClient::connect(to).await.expect("connected");
        client.send_request(&format!("POST {path} HTTP/1.1"), &headers, body).await.expect("sent");
        client.read_answer().await.expect("an answer")
    })
    .await
}

/// Sends a chat request to the gateway with a client's token.
pub async fn post_chat(gateway: SocketAddr, token: &str, request: &Value) -> RawAnswer {
    let authorization = format!("authorization: Bearer {token}");
    let headers = [authorization.as_str(), "content-type: application/json"];
    post_json(gateway, "/v1/chat/completions", &headers, &json_body(request)).await
}

/// The control API of a running server.
#[derive(Debug, Clone)]
pub struct ControlClient {
    pub address: SocketAddr,
    /// The token from the runtime folder, which the command line reads.
    pub token: String,
}

impl ControlClient {
    /// Reads address and token from the runtime folder of `home`.
    pub(crate) fn from_home(home: &Path) -> Self {
        let note = std::fs::read(home.join("runtime/control.json")).expect("a note");
        let note: Value = serde_json::from_slice(&note).expect("a note in JSON");
        let text = |name: &str| note.get(name).and_then(Value::as_str).expect(name).to_owned();
        let address = text("address");
        let address = address.strip_prefix("http://").and_then(|rest| rest.parse().ok());
        Self { address: address.expect("an address"), token: text("token") }
    }

    /// The authorization header of the command line.
    #[must_use]
    pub fn authorization(&self) -> String {
        format!("authorization: Bearer {}", self.token)
    }

    /// The origin header of a page on this listener, as a browser sends it.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("origin: http://{}", self.address)
    }

    /// Calls an operation as the command line does.
    pub async fn call(&self, operation: &str, request: &Value) -> RawAnswer {
        self.send(operation, &[&self.authorization()], &json_body(request)).await
    }

    /// Ends the session in `authorization`, like "Sign out" in the panel.
    pub async fn sign_out(&self, authorization: &str) -> RawAnswer {
        post_json(self.address, "/panel/sign-out", &[authorization, &self.origin()], b"").await
    }

    /// Calls an operation with these additional headers.
    pub async fn send(&self, operation: &str, headers: &[&str], body: &[u8]) -> RawAnswer {
        let headers = [&["content-type: application/json"], headers].concat();
        post_json(self.address, &format!("/control/v1/{operation}"), &headers, body).await
    }

    /// Exchanges a one-time token for a session, as the panel does when it opens.
    pub async fn exchange(&self, one_time: &str) -> RawAnswer {
        let body = json_body(&serde_json::json!({"one_time": one_time}));
        let headers = [&self.origin(), "content-type: application/json"];
        post_json(self.address, "/panel/exchange", &headers, &body).await
    }
}

/// The authorization header of a panel, with the session in `exchanged`.
#[must_use]
#[track_caller]
pub fn session_header(exchanged: &RawAnswer) -> String {
    let answer = exchanged.json();
    let session = answer.get("session").and_then(Value::as_str);
    format!("authorization: Bearer {}", session.expect("a session"))
}
