//! Operations of an engine in another process, over its control listener.

use bytes::Bytes;
use engine::{Folders, OwnerNote, find_owner};
use gateway::{LoopbackCall, LoopbackError, LoopbackEvents, loopback_call};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use url::Url;

use crate::event::PanelEvent;
use crate::inward::Inward;
use crate::{ApiError, ErrorCode};

/// The engine that owns the data folder. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Owner {
    folders: Folders,
    note: Arc<Mutex<OwnerNote>>,
}

impl Owner {
    pub(crate) fn new(folders: Folders, note: OwnerNote) -> Self {
        Self { folders, note: Arc::new(Mutex::new(note)) }
    }

    /// Calls an operation. An owner that has been started anew since is found again.
    pub(crate) async fn call<V: DeserializeOwned>(
        &self,
        operation: &str,
        request: &impl Inward,
    ) -> Result<V, ApiError> {
        let body = Bytes::copy_from_slice(&request.body());
        match self.send(operation, body.clone()).await {
            Err(error) if error.code == ErrorCode::Offline && self.find_again() => {
                self.send(operation, body).await
            }
            outcome => outcome,
        }
    }

    /// What happens there, from now on.
    pub(crate) async fn events(&self) -> Result<RemoteEvents, ApiError> {
        let events =
            LoopbackEvents::open(self.to("events")?).await.map_err(|error| offline(&error))?;
        Ok(RemoteEvents(events))
    }

    async fn send<V: DeserializeOwned>(&self, operation: &str, body: Bytes) -> Result<V, ApiError> {
        let call = self.to(operation)?.with_json(body);
        let reply = loopback_call(call).await.map_err(|error| offline(&error))?;
        if reply.status == 200 {
            return serde_json::from_slice(&reply.body).map_err(|_| unreadable());
        }
        Err(serde_json::from_slice(&reply.body).unwrap_or_else(|_| unreadable()))
    }

    fn to(&self, operation: &str) -> Result<LoopbackCall, ApiError> {
        let note = self.note.lock();
        let port = Url::parse(&note.address).ok().and_then(|url| url.port());
        let port = port.ok_or_else(unreadable)?;
        Ok(LoopbackCall::to(port, format!("/control/v1/{operation}")).with_token(&note.token))
    }

    fn find_again(&self) -> bool {
        match find_owner(&self.folders) {
            Some(found) => {
                *self.note.lock() = found;
                true
            }
            None => false,
        }
    }
}

/// The events of an engine in another process.
pub struct RemoteEvents(LoopbackEvents);

impl RemoteEvents {
    /// The next event; `None` when the owner is gone.
    pub async fn next(&mut self) -> Option<PanelEvent> {
        loop {
            let data = self.0.next().await?;
            if let Ok(event) = serde_json::from_slice(&data) {
                return Some(event);
            }
        }
    }
}

fn offline(error: &LoopbackError) -> ApiError {
    ApiError {
        code: ErrorCode::Offline,
        message: error.to_string(),
        hint: Some("Start it with `gatehouse serve`, or open the window.".to_owned()),
        field: None,
    }
}

fn unreadable() -> ApiError {
    ApiError::failed("the running Gatehouse gave an answer that this version cannot read")
        .with_hint("Stop it and start it again, so that both are of the same version.")
}
