//! Connects the playground to this engine's gateway, router and events.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use domain::{BackendId, ClientId, Secret};
use playground::{GatewayTarget, PlaygroundEvent, PlaygroundHost, PromptSender, TokenLimitField};
use routing::Needs;
use settings::{BackendKind, SettingsStore};

use crate::events::{EngineEvent, EventBus};
use crate::gateway::route_explainer::{RouteExplainer, RouteQuery};
use crate::gateway::server::{GatewayServer, GatewayStatus};
use crate::gateway::snapshot::PLAYGROUND_CLIENT;
use crate::process::tasks::Tasks;

pub(crate) struct EnginePlaygroundHost {
    pub(crate) gateway: Arc<GatewayServer>,
    pub(crate) routes: Arc<RouteExplainer>,
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) events: EventBus,
    pub(crate) tasks: Tasks,
    pub(crate) user_token: Secret,
    pub(crate) health_token: Secret,
}

impl PlaygroundHost for EnginePlaygroundHost {
    fn gateway(&self, sender: PromptSender) -> Result<GatewayTarget, String> {
        let token = match sender {
            PromptSender::User | PromptSender::Agent => &self.user_token,
            PromptSender::HealthCheck => &self.health_token,
        };
        match self.gateway.status() {
            GatewayStatus::Listening => Ok(GatewayTarget {
                port: self.gateway.port(),
                token: token.clone(),
                total_timeout: Duration::from_millis(
                    self.settings.current().gateway.total_timeout_ms,
                ),
            }),
            GatewayStatus::Paused => Err("it is paused".to_owned()),
            GatewayStatus::Stopped => Err("it was not started".to_owned()),
            GatewayStatus::Failed(reason) => Err(reason),
        }
    }

    fn token_limit_field(&self, model: &str, client: Option<&ClientId>) -> TokenLimitField {
        let settings = self.settings.current();
        let backend = self.first_candidate_backend(model, client);
        match backend.and_then(|id| settings.backends.get(&id).map(|known| known.kind)) {
            Some(BackendKind::OpenAi) => TokenLimitField::MaxCompletionTokens,
            _ => TokenLimitField::MaxTokens,
        }
    }

    fn publish(&self, event: PlaygroundEvent) {
        self.events.send(EngineEvent::Playground(event));
    }

    fn spawn(&self, run: Pin<Box<dyn Future<Output = ()> + Send>>) {
        self.tasks.spawn("playground run", run);
    }
}

impl EnginePlaygroundHost {
    /// First candidate for a request with `model` of `client`, or else of the playground.
    fn first_candidate_backend(&self, model: &str, client: Option<&ClientId>) -> Option<BackendId> {
        let client = match client {
            Some(client) => client.clone(),
            None => ClientId::new(PLAYGROUND_CLIENT).ok()?,
        };
        let (needs, project) = (Needs::default(), None);
        let question = RouteQuery { model: model.to_owned(), client, project, needs };
        let chosen = self.routes.explain(&question).ok()?;
        chosen.candidates.first().map(|first| first.endpoint.backend.clone())
    }
}
