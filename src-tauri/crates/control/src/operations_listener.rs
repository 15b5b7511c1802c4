//! Serves operations by name on the control listener, for the command line and the browser panel.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::CallerKind;
use engine::{Engine, ServeError, ServingAddresses};
use futures_util::StreamExt as _;
use futures_util::stream::{BoxStream, unfold};
use gateway::{Asset, ControlCaller, ControlOperations, ControlReply};

use crate::caller::Caller;
use crate::core::Core;
use crate::event::PanelEvents;
use crate::view::{AgentToolRef, ClientAdd, ClientRef};
use crate::{ApiError, ErrorCode, json, operations, request_json};

/// Finds a file of the panel by its path without a leading slash.
pub type AssetLookup = fn(&str) -> Option<Asset>;

/// Starts the gateway, the control listener and the background tasks of `engine`. `assets` finds
/// the files of the browser panel; if it finds none, no panel is served.
pub async fn serve(engine: &Engine, assets: AssetLookup) -> Result<ServingAddresses, ServeError> {
    engine.serve(Arc::new(OperationsListener { engine: engine.clone(), assets })).await
}

struct OperationsListener {
    engine: Engine,
    assets: AssetLookup,
}

#[async_trait]
impl ControlOperations for OperationsListener {
    async fn call(&self, caller: ControlCaller, name: &str, body: Bytes) -> ControlReply {
        let core = Core::Local(self.engine.clone(), read_caller(&caller));
        let answer = match (name, caller) {
            (
                "client_token" | "client_issue" | "panel_address" | "agent_authorize",
                ControlCaller::Local { .. },
            ) => call_local_operation(&core, name, &body).await,
            // A panel never sees a token and is no agent, so these do not exist for it.
            _ => operations::call(&core, name, &body).await,
        };
        match answer {
            Ok(view) => ControlReply { status: 200, body: view.into() },
            Err(error) => error_reply(&error),
        }
    }

    fn events(&self) -> BoxStream<'static, Bytes> {
        let events = PanelEvents::subscribe(&self.engine);
        unfold(events, |mut events| async move {
            let event = events.next().await?;
            let text = serde_json::to_vec(&event).unwrap_or_default();
            Some((Bytes::from(text), events))
        })
        .boxed()
    }

    fn metrics(&self) -> Option<Bytes> {
        self.engine.metrics().text().map(Bytes::from)
    }

    fn asset(&self, path: &str) -> Option<Asset> {
        (self.assets)(path)
    }
}

fn read_caller(caller: &ControlCaller) -> Caller {
    match caller {
        ControlCaller::Local { name } => Caller::from_header(name.as_deref()),
        ControlCaller::Panel => Caller::new(CallerKind::Panel),
    }
}

async fn call_local_operation(core: &Core, name: &str, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    match name {
        "client_issue" => {
            let request = json::parse_request::<ClientAdd>(body)?;
            let issued = operations::client_issue(core, request).await?;
            Ok(request_json::issued_token_json(&issued))
        }
        "agent_authorize" => {
            let tool = json::parse_request::<AgentToolRef>(body)?;
            json::serialize_view(&operations::agent_authorize(core, tool).await?)
        }
        "panel_address" => json::serialize_view(&operations::panel_address(core).await?.as_str()),
        _ => {
            let client = json::parse_request::<ClientRef>(body)?;
            Ok(request_json::token_json(&operations::client_token(core, client).await?))
        }
    }
}

fn error_reply(error: &ApiError) -> ControlReply {
    let status = match error.code {
        ErrorCode::InvalidInput => 400,
        ErrorCode::NotFound => 404,
        ErrorCode::VaultUnavailable | ErrorCode::Offline => 503,
        ErrorCode::SettingsInvalid => 409,
        ErrorCode::Failed => 500,
        ErrorCode::TimedOut => 504,
    };
    ControlReply { status, body: serde_json::to_vec(error).unwrap_or_default().into() }
}
