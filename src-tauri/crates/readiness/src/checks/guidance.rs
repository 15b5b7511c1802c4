//! Checks for a missing backend or client. With the mock alone, all other checks pass.

use async_trait::async_trait;

use crate::check::{CheckBody, CheckOutcome, FixAction};

pub(super) struct BackendsCheck(pub(super) usize);

#[async_trait]
impl CheckBody for BackendsCheck {
    async fn run(&self) -> CheckOutcome {
        match self.0 {
            0 => CheckOutcome::warn(
                "no real backend has been added",
                "Add a backend: a provider with its key, or a local server.",
            )
            .with_action(FixAction::AddBackend),
            number => CheckOutcome::pass().with_evidence(format!("{number} besides the mock")),
        }
    }
}

pub(super) struct ClientsCheck(pub(super) usize);

#[async_trait]
impl CheckBody for ClientsCheck {
    async fn run(&self) -> CheckOutcome {
        match self.0 {
            0 => CheckOutcome::warn(
                "no client is connected",
                "Connect a client and point a tool at the gateway.",
            )
            .with_action(FixAction::AddClient),
            number => CheckOutcome::pass().with_evidence(format!("{number} connected")),
        }
    }
}
