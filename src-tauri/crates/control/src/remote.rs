//! Calls operations of an engine in another process, over its control listener.

use bytes::Bytes;
use domain::CallerKind;
use engine::{Folders, OwnerNote, find_owner};
use futures_util::future::BoxFuture;
use gateway::{LoopbackCall, LoopbackError, LoopbackEvents, LoopbackReply, loopback_call};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

use crate::caller::Caller;
use crate::panel_event::PanelEvent;
use crate::request_json::RequestJson;
use crate::{ApiError, ErrorCode};

/// Interval between checks whether the owner is gone.
const OWNER_GONE_POLL_INTERVAL: Duration = Duration::from_millis(50);
/// How long the owner may stay silent.
pub(crate) const OWNER_SILENCE_MAX: Duration = Duration::from_secs(5);
/// The part of [`OWNER_SILENCE_MAX`] for a liveness request, which a live owner answers at once.
const LIVENESS_TIMEOUT: Duration = Duration::from_secs(2);
/// Time for an operation of an owner that is alive: a model may be asked for two minutes, and a person
/// may have to unlock the vault.
const OPERATION_TIME_MAX: Duration = Duration::from_secs(600);

/// The process that owns the data folder. Cheap to clone.
#[derive(Debug, Clone)]
pub struct RemoteEngine {
    folders: Folders,
    note: Arc<Mutex<OwnerNote>>,
    caller: Caller,
}

impl RemoteEngine {
    pub(crate) fn new(folders: Folders, note: OwnerNote) -> Self {
        let caller = Caller::new(CallerKind::CommandLine);
        Self { folders, note: Arc::new(Mutex::new(note)), caller }
    }

    pub(crate) fn called_by(&self, caller: Caller) -> Self {
        Self { caller, ..self.clone() }
    }

    /// Calls an operation. If the owner has restarted, finds it again and repeats the call.
    pub(crate) async fn call<V: DeserializeOwned>(
        &self,
        operation: &str,
        request: &impl RequestJson,
    ) -> Result<V, ApiError> {
        let body = Bytes::copy_from_slice(&request.to_json());
        let view = self.send(operation, body).await?;
        serde_json::from_slice(&view).map_err(|_| unreadable_response_error())
    }

    /// Process id of the owner, for the command that stops it.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.note.lock().pid
    }

    /// Waits until the owner has released the data folder.
    pub async fn wait_until_gone(&self) {
        while engine::is_owned(&self.folders) {
            tokio::time::sleep(OWNER_GONE_POLL_INTERVAL).await;
        }
    }

    /// Subscribes to the owner's events from now on.
    pub(crate) async fn subscribe(&self) -> Result<RemoteEvents, ApiError> {
        let opening = LoopbackEvents::open(self.build_call("events")?.within(OWNER_SILENCE_MAX));
        opening.await.map(RemoteEvents).map_err(|error| no_answer_error(&error))
    }

    /// Waits for the reply as long as the owner answers liveness requests: an operation may wait for a
    /// provider, for the vault, which a person may have to unlock, or read a large file.
    async fn call_while_alive(&self, call: LoopbackCall) -> Result<LoopbackReply, LoopbackError> {
        let port = call.port();
        let mut answer = pin!(loopback_call(call));
        loop {
            if let Ok(reply) =
                tokio::time::timeout(OWNER_SILENCE_MAX - LIVENESS_TIMEOUT, &mut answer).await
            {
                return reply;
            }
            let knock = loopback_call(LoopbackCall::to(port, "/").within(LIVENESS_TIMEOUT));
            tokio::select! {
                biased;
                reply = &mut answer => return reply,
                alive = knock => if matches!(alive, Err(LoopbackError::Late(_))) {
                    return Err(LoopbackError::Late(OWNER_SILENCE_MAX));
                },
            }
        }
    }

    /// Sends a call, to the owner that has restarted if the known one is gone. Only a call that reached
    /// nobody is sent again: another may have been carried out, and billed. The same for every
    /// operation, so boxed, and compiled once.
    fn send<'a>(
        &'a self,
        operation: &'a str,
        body: Bytes,
    ) -> BoxFuture<'a, Result<Bytes, ApiError>> {
        Box::pin(async move {
            let reply = match self.call_while_alive(self.build_post(operation, &body)?).await {
                Err(LoopbackError::Connect { .. }) if self.find_owner_again() => {
                    self.call_while_alive(self.build_post(operation, &body)?).await
                }
                reply => reply,
            };
            read_reply(reply)
        })
    }

    fn build_post(&self, operation: &str, body: &Bytes) -> Result<LoopbackCall, ApiError> {
        Ok(self.build_call(operation)?.with_json(body.clone()).within(OPERATION_TIME_MAX))
    }

    fn build_call(&self, operation: &str) -> Result<LoopbackCall, ApiError> {
        let note = self.note.lock();
        let port = Url::parse(&note.address).ok().and_then(|url| url.port());
        let port = port.ok_or_else(unreadable_response_error)?;
        Ok(LoopbackCall::to(port, format!("/control/v1/{operation}"))
            .with_token(&note.token)
            .with_caller(&self.caller.header()))
    }

    fn find_owner_again(&self) -> bool {
        match find_owner(&self.folders) {
            Some(found) => {
                *self.note.lock() = found;
                true
            }
            None => false,
        }
    }
}

/// Events of an engine in another process.
pub struct RemoteEvents(LoopbackEvents);

impl RemoteEvents {
    /// Returns the next event, or `None` when the owner is gone.
    pub async fn next(&mut self) -> Option<PanelEvent> {
        loop {
            let data = self.0.next().await?;
            if let Ok(event) = serde_json::from_slice(&data) {
                return Some(event);
            }
        }
    }
}

fn read_reply(reply: Result<LoopbackReply, LoopbackError>) -> Result<Bytes, ApiError> {
    let reply = reply.map_err(|error| no_answer_error(&error))?;
    if reply.status == 200 {
        return Ok(reply.body);
    }
    Err(serde_json::from_slice(&reply.body).unwrap_or_else(|_| unreadable_response_error()))
}

fn no_answer_error(error: &LoopbackError) -> ApiError {
    if let LoopbackError::Late(_) = error {
        return ApiError {
            code: ErrorCode::TimedOut,
            message: error.to_string(),
            hint: Some(
                "It may be suspended, or its disk may be stuck. Check its log, or end it and start \
                 it again."
                    .to_owned(),
            ),
            field: None,
        };
    }
    ApiError {
        code: ErrorCode::Offline,
        message: error.to_string(),
        hint: Some("Start it with `gatehouse serve`, or open the window.".to_owned()),
        field: None,
    }
}

fn unreadable_response_error() -> ApiError {
    ApiError::failed("the running Gatehouse sent a response that this version cannot read")
        .with_hint("Restart it so that both have the same version.")
}

#[cfg(test)]
mod tests {
    use domain::{Clock, Secret, SystemClock};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn owner_at(listener: &TcpListener) -> RemoteEngine {
        let folders = Folders::resolve(Some("/nowhere".as_ref())).expect("folders");
        let address = listener.local_addr().expect("an address");
        let token = Secret::parse("ghc_x".to_owned()).expect("a token");
        let note = OwnerNote {
            address: format!("http://{address}"),
            token,
            pid: 1,
            version: String::new(),
        };
        RemoteEngine::new(folders, note)
    }

    /// The listener accepts connections, as the system does for a stopped process.
    #[tokio::test(start_paused = true)]
    async fn a_silent_owner_times_out_after_five_seconds() {
        let silent = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let (owner, clock) = (owner_at(&silent), SystemClock::new());
        for operation in ["status", "backend_test"] {
            let begun = clock.now();
            let error = owner.call::<()>(operation, &()).await.expect_err("silence");
            assert_eq!(error.code, ErrorCode::TimedOut, "{operation}: {error}");
            assert!(error.message.contains("5s"), "{error}");
            let took = clock.now().since(begun);
            assert!(took <= Duration::from_millis(5_100), "{operation}: {took:?}");
        }
        let begun = clock.now();
        assert_eq!(
            owner.subscribe().await.err().map(|error| error.code),
            Some(ErrorCode::TimedOut)
        );
        assert!(clock.now().since(begun) <= Duration::from_millis(5_100));
    }

    #[tokio::test(start_paused = true)]
    async fn a_live_owner_gets_the_time_that_its_operation_takes() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let owner = owner_at(&listener);
        let serving = async {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let head_bytes = stream.read(&mut [0; 1_024]).await.expect("a head");
            assert!(head_bytes > 0);
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(120)) => {}
                never = answer_liveness_requests(&listener) => match never {},
            }
            answer(&mut stream, "null").await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            outcome = owner.call::<()>("backend_test", &()) => outcome.expect("an answer"),
            () = serving => {}
        }
    }

    /// Answers every liveness request.
    async fn answer_liveness_requests(listener: &TcpListener) -> std::convert::Infallible {
        loop {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let head_bytes = stream.read(&mut [0; 1_024]).await.expect("a head");
            assert!(head_bytes > 0);
            answer(&mut stream, "").await;
        }
    }

    async fn answer(stream: &mut tokio::net::TcpStream, body: &str) {
        let length = body.len();
        let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
        stream.write_all(text.as_bytes()).await.expect("sent");
    }
}
