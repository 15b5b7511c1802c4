//! Checks for a missing backend or client. With the mock alone, all other checks pass.

use async_trait::async_trait;

use crate::check::{Action, Outcome, Run};

pub(super) struct BackendsCheck(pub(super) usize);

#[async_trait]
impl Run for BackendsCheck {
    async fn run(&self) -> Outcome {
        match self.0 {
            0 => Outcome::warn(
                "no real backend has been added",
                "Add a backend: a provider with its key, or a local server.",
            )
            .at(Action::AddBackend),
            number => Outcome::pass().saw(format!("{number} besides the mock")),
        }
    }
}

pub(super) struct ClientsCheck(pub(super) usize);

#[async_trait]
impl Run for ClientsCheck {
    async fn run(&self) -> Outcome {
        match self.0 {
            0 => Outcome::warn(
                "no client is connected",
                "Connect a client and point a tool at the gateway.",
            )
            .at(Action::AddClient),
            number => Outcome::pass().saw(format!("{number} connected")),
        }
    }
}
