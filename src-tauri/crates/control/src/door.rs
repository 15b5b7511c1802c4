//! Serves operations by name on the control listener, for the command line and the browser panel.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use engine::{Engine, ServeError, Served};
use futures_util::StreamExt as _;
use futures_util::stream::{BoxStream, unfold};
use gateway::{Asset, Caller, Door, DoorReply};

use crate::core::Core;
use crate::event::PanelEvents;
use crate::view::{ClientAdd, ClientRef};
use crate::{ApiError, ErrorCode, inward, json, operation, operations};

/// Finds a file of the panel by its path without a leading slash.
pub type Assets = fn(&str) -> Option<Asset>;

/// Starts the gateway, the control listener and the background tasks of `engine`. `assets` finds
/// the files of the browser panel; if it finds none, no panel is served.
pub async fn serve(engine: &Engine, assets: Assets) -> Result<Served, ServeError> {
    engine.serve(Arc::new(OperationsDoor { engine: engine.clone(), assets })).await
}

struct OperationsDoor {
    engine: Engine,
    assets: Assets,
}

#[async_trait]
impl Door for OperationsDoor {
    async fn call(&self, caller: Caller, name: &str, body: Bytes) -> DoorReply {
        let answer = match (name, caller) {
            ("client_token" | "client_issue" | "panel_address", Caller::Local) => {
                self.token(name, &body).await
            }
            // A panel never sees a token, so these operations do not exist for it.
            _ => operations::call(&Core::Local(self.engine.clone()), name, &body).await,
        };
        match answer {
            Ok(view) => DoorReply { status: 200, body: view.into() },
            Err(error) => refused(&error),
        }
    }

    fn events(&self) -> BoxStream<'static, Bytes> {
        let events = PanelEvents::of(&self.engine);
        unfold(events, |mut events| async move {
            let event = events.next().await?;
            let text = serde_json::to_vec(&event).unwrap_or_default();
            Some((Bytes::from(text), events))
        })
        .boxed()
    }

    fn asset(&self, path: &str) -> Option<Asset> {
        (self.assets)(path)
    }
}

impl OperationsDoor {
    async fn token(&self, name: &str, body: &[u8]) -> Result<Vec<u8>, ApiError> {
        match name {
            "client_issue" => {
                let issued =
                    operation::client_issue(&self.engine, json::read::<ClientAdd>(body)?).await?;
                operations::client_changed(&self.engine);
                Ok(inward::issued_answer(&issued))
            }
            "panel_address" => json::write(&operation::panel_address(&self.engine)?.as_str()),
            _ => {
                let client = json::read::<ClientRef>(body)?;
                Ok(inward::token_answer(&operation::client_token(&self.engine, client).await?))
            }
        }
    }
}

fn refused(error: &ApiError) -> DoorReply {
    let status = match error.code {
        ErrorCode::InvalidInput => 400,
        ErrorCode::NotFound => 404,
        ErrorCode::VaultUnavailable | ErrorCode::Offline => 503,
        ErrorCode::SettingsInvalid => 409,
        ErrorCode::Failed => 500,
        ErrorCode::TimedOut => 504,
    };
    DoorReply { status, body: serde_json::to_vec(error).unwrap_or_default().into() }
}
