//! MCP over streamable HTTP, at `/mcp` of the gateway, which has checked Host, Origin and token.
//!
//! Each client has sessions of its own: a session of one is unknown to the token of another.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use control::view::CallerKind;
use control::{AgentBody, AgentEndpoint, Caller, Core, Engine};
use domain::{ClientId, Clock, Entropy};
use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use parking_lot::Mutex;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::session::{SessionId, SessionManager as _};
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use tokio_util::sync::CancellationToken;

use crate::core_source::CoreSource;
use crate::open_questions::OpenQuestions;
use crate::server::{CallSlots, Server};

/// Most sessions of a client. One without a call for five minutes ends. Many clients never end
/// theirs, so a further one takes the place of the session unused for longest.
const SESSIONS_MAX: usize = 16;

const SESSION_ID: &str = "mcp-session-id";

type ClientServer = StreamableHttpService<Server, LocalSessionManager>;

/// Serves agents at the gateway of `engine`, until it stops. What they may do is read from the
/// settings, as everywhere. Call it once the gateway is served.
pub fn serve_http(engine: &Engine, version: &str) {
    let core = Core::Local(engine.clone(), Caller::new(CallerKind::Mcp));
    engine.gateway().serve_agents(Arc::new(HttpAgents {
        core,
        clock: engine.shared_clock(),
        entropy: engine.shared_entropy(),
        version: version.to_owned(),
        clients: Mutex::default(),
        stop: CancellationToken::new(),
    }));
}

struct HttpAgents {
    core: Core,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    version: String,
    clients: Mutex<HashMap<ClientId, ClientSessions>>,
    stop: CancellationToken,
}

#[derive(Clone)]
struct ClientSessions {
    service: ClientServer,
    sessions: Arc<LocalSessionManager>,
    uses: Arc<Mutex<SessionUses>>,
}

/// Open sessions in the order of their last use, the latest at the end.
#[derive(Default)]
struct SessionUses(Vec<SessionId>);

impl SessionUses {
    fn touch(&mut self, id: &SessionId) {
        self.0.retain(|known| known != id);
        self.0.push(Arc::clone(id));
    }

    /// Forgets the sessions that are over, and takes those out that are too many.
    fn take_surplus(&mut self, is_open: impl Fn(&SessionId) -> bool) -> Vec<SessionId> {
        self.0.retain(is_open);
        let surplus = self.0.len().saturating_sub(SESSIONS_MAX);
        self.0.drain(..surplus).collect()
    }
}

impl ClientSessions {
    async fn end_surplus(&self) {
        let open = self.sessions.sessions.read().await;
        let surplus = self.uses.lock().take_surplus(|id| open.contains_key(id));
        drop(open);
        for id in surplus {
            if let Err(error) = self.sessions.close_session(&id).await {
                tracing::debug!(%error, "a session of an agent was over");
            }
        }
    }

    /// Answers a request. Sessions that it begins or uses count as used now. Since 2026-07-28 of the
    /// protocol, a request needs no session and begins none.
    async fn answer(&self, request: Request<Bytes>) -> Response<AgentBody> {
        let named = session_id(request.headers());
        // An id that is not open must not take a place.
        if let Some(id) = &named
            && self.sessions.sessions.read().await.contains_key(id)
        {
            self.uses.lock().touch(id);
        }
        let answer = self.service.handle(request.map(Full::new)).await;
        if let (None, Some(begun)) = (named, session_id(answer.headers())) {
            self.uses.lock().touch(&begun);
            self.end_surplus().await;
        }
        answer
    }
}

fn session_id(headers: &HeaderMap) -> Option<SessionId> {
    headers.get(SESSION_ID)?.to_str().ok().map(SessionId::from)
}

impl HttpAgents {
    fn sessions_of(&self, client: &ClientId) -> ClientSessions {
        let mut clients = self.clients.lock();
        clients.entry(client.clone()).or_insert_with(|| self.new_sessions(client)).clone()
    }

    fn new_sessions(&self, client: &ClientId) -> ClientSessions {
        let sessions = Arc::new(LocalSessionManager::default());
        // The gateway compares hosts exactly, and refuses every foreign page.
        let config = StreamableHttpServerConfig::default()
            .disable_allowed_hosts()
            .with_cancellation_token(self.stop.clone());
        let (core, version) = (self.core.clone(), self.version.clone());
        let open = OpenQuestions::new(Arc::clone(&self.clock), Arc::clone(&self.entropy));
        let (calls, client) = (Arc::new(CallSlots::new(open)), Arc::new(client.clone()));
        let server = move || {
            let cores = Arc::new(CoreSource::of(core.clone()));
            let server = Server::new(cores, &version, Arc::clone(&calls));
            Ok(server.of_client(Arc::clone(&client)))
        };
        let service = StreamableHttpService::new(server, Arc::clone(&sessions), config);
        ClientSessions { service, sessions, uses: Arc::default() }
    }
}

#[async_trait]
impl AgentEndpoint for HttpAgents {
    async fn answer(&self, client: &ClientId, request: Request<Bytes>) -> Response<AgentBody> {
        self.sessions_of(client).answer(request).await
    }

    fn stop(&self) {
        self.stop.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_unused_for_longest_makes_room() {
        let id = |number: usize| SessionId::from(number.to_string());
        let mut uses = SessionUses::default();
        for number in 1..=SESSIONS_MAX {
            uses.touch(&id(number));
        }
        assert!(uses.take_surplus(|_| true).is_empty(), "each has a place");
        uses.touch(&id(1));
        uses.touch(&id(SESSIONS_MAX + 1));
        assert_eq!(uses.take_surplus(|_| true), [id(2)]);
        uses.touch(&id(99));
        assert!(uses.take_surplus(|known| *known != id(7)).is_empty(), "one was over");
    }
}
