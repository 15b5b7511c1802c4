//! What the playground needs from the program around it.

use std::pin::Pin;
use std::time::Duration;

use domain::{ClientId, Secret};

use crate::parameters::{PromptSender, TokenLimitField};
use crate::run::PlaygroundEvent;

pub trait PlaygroundHost: Send + Sync {
    /// How prompts of `sender` reach the gateway, or why it is not listening.
    fn gateway(&self, sender: PromptSender) -> Result<GatewayTarget, String>;

    /// The field that limits the response length at the backend to which `model` leads `client`, or else
    /// the playground: OpenAI's newer models reject the older name, other servers do not know the newer one.
    fn token_limit_field(&self, model: &str, client: Option<&ClientId>) -> TokenLimitField;

    fn publish(&self, event: PlaygroundEvent);

    /// Runs `run` as a task.
    fn spawn(&self, run: Pin<Box<dyn Future<Output = ()> + Send>>);
}

/// How the gateway is reached.
pub struct GatewayTarget {
    pub port: u16,
    /// Token of the sender.
    pub token: Secret,
    /// The gateway's limit for a whole request.
    pub total_timeout: Duration,
}
