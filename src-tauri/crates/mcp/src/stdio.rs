//! One client on standard input and output.

use std::pin::pin;
use std::sync::Arc;

use domain::{Clock, Entropy};
use rmcp::service::{QuitReason, RunningService, ServerInitializeError};
use rmcp::transport::stdio;
use rmcp::{RoleServer, ServiceExt as _};
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use crate::core_source::{ConfigReader, CoreSource};
use crate::line_transport::LineTransport;
use crate::open_questions::OpenQuestions;
use crate::server::{CallSlots, Server};

#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error("the client did not begin a session: {0}")]
    Handshake(String),
    #[error("the session ended by an internal error: {0}")]
    Session(String),
}

/// Serves one client on standard input and output until it closes its side or `stop` ends. Prompts and
/// checks that go on then are cancelled at once; other calls have the few seconds of the transport.
pub async fn serve_stdio(
    read_config: ConfigReader,
    (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>),
    version: &str,
    stop: impl Future<Output = ()>,
) -> Result<(), SessionError> {
    let cores = Arc::new(CoreSource::new(read_config));
    let calls = Arc::new(CallSlots::new(OpenQuestions::new(clock, entropy)));
    let server = Server::new(Arc::clone(&cores), version, calls);
    let gone = server.gone.clone();
    let mut stop = pin!(stop);
    let session = tokio::select! {
        session = server.serve(LineTransport::new(stdio(), gone.clone())) => session,
        () = &mut stop => return Ok(()),
    };
    let served = match session {
        Ok(session) => wait_for_end(session, gone, stop).await,
        // The client went away before it began.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(SessionError::Handshake(error.to_string())),
    };
    cores.close().await;
    match served {
        Ok(QuitReason::Closed | QuitReason::Cancelled) => Ok(()),
        Ok(reason) => Err(SessionError::Session(format!("{reason:?}"))),
        Err(error) => Err(SessionError::Session(error.to_string())),
    }
}

async fn wait_for_end(
    session: RunningService<RoleServer, Server>,
    gone: CancellationToken,
    stop: impl Future<Output = ()>,
) -> Result<QuitReason, JoinError> {
    let cancellation = session.cancellation_token();
    let mut ended = pin!(session.waiting());
    tokio::select! {
        served = &mut ended => served,
        () = stop => {
            gone.cancel();
            cancellation.cancel();
            ended.await
        }
    }
}
