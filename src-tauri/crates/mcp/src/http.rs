//! MCP over streamable HTTP, at `/mcp` of the gateway, which has checked Host, Origin and token.
//!
//! Each client has sessions of its own: a session of one is unknown to the token of another.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use control::view::CallerKind;
use control::{AgentBody, AgentEndpoint, Caller, Core, Engine};
use domain::ClientId;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use parking_lot::Mutex;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use tokio_util::sync::CancellationToken;

use crate::core_source::CoreSource;
use crate::server::Server;

/// Most sessions of a client. One without a call for five minutes ends.
const SESSIONS_MAX: usize = 16;

const SESSION_ID: &str = "mcp-session-id";

type ClientServer = StreamableHttpService<Server, LocalSessionManager>;

/// Serves agents at the gateway of `engine`, until it stops. What they may do is read from the
/// settings, as everywhere. Call it once the gateway is served.
pub fn serve_http(engine: &Engine, version: &str) {
    let core = Core::Local(engine.clone(), Caller::new(CallerKind::Mcp));
    engine.gateway().serve_agents(Arc::new(HttpAgents {
        core,
        version: version.to_owned(),
        clients: Mutex::default(),
        stop: CancellationToken::new(),
    }));
}

struct HttpAgents {
    core: Core,
    version: String,
    clients: Mutex<HashMap<ClientId, ClientSessions>>,
    stop: CancellationToken,
}

#[derive(Clone)]
struct ClientSessions {
    service: ClientServer,
    sessions: Arc<LocalSessionManager>,
}

impl HttpAgents {
    fn sessions_of(&self, client: &ClientId) -> ClientSessions {
        let mut clients = self.clients.lock();
        clients.entry(client.clone()).or_insert_with(|| self.new_sessions()).clone()
    }

    fn new_sessions(&self) -> ClientSessions {
        let sessions = Arc::new(LocalSessionManager::default());
        // The gateway compares hosts exactly, and refuses every foreign page.
        let config = StreamableHttpServerConfig::default()
            .disable_allowed_hosts()
            .with_cancellation_token(self.stop.clone());
        let (core, version) = (self.core.clone(), self.version.clone());
        let server = move || Ok(Server::new(Arc::new(CoreSource::of(core.clone())), &version));
        let service = StreamableHttpService::new(server, Arc::clone(&sessions), config);
        ClientSessions { service, sessions }
    }
}

#[async_trait]
impl AgentEndpoint for HttpAgents {
    async fn answer(&self, client: &ClientId, request: Request<Bytes>) -> Response<AgentBody> {
        let ClientSessions { service, sessions } = self.sessions_of(client);
        let begins =
            request.method() == Method::POST && !request.headers().contains_key(SESSION_ID);
        if begins && sessions.sessions.read().await.len() >= SESSIONS_MAX {
            return too_many_sessions();
        }
        service.handle(request.map(Full::new)).await
    }

    fn stop(&self) {
        self.stop.cancel();
    }
}

fn too_many_sessions() -> Response<AgentBody> {
    let text = format!("This client has {SESSIONS_MAX} sessions open. End one, then try again.");
    let mut answer = Response::new(Full::new(Bytes::from(text)).boxed());
    *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    answer.headers_mut().insert("content-type", HeaderValue::from_static("text/plain"));
    answer
}
