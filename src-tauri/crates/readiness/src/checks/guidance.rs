//! Checks for a missing backend or client. With the mock alone, all other checks pass.

use std::sync::Arc;

use async_trait::async_trait;

use crate::check::{
    CheckBody, CheckCategory, CheckId, CheckOutcome, CheckSeverity, FixAction, ReadinessCheck,
};

pub(super) fn checks(backends: usize, clients: usize) -> [ReadinessCheck; 2] {
    let check = |id, title, severity, body: Arc<dyn CheckBody>| {
        ReadinessCheck::new(CheckId::new(id), title, CheckCategory::Guidance, severity, body)
    };
    [
        check(
            "R-09",
            "A real backend is configured",
            CheckSeverity::Setup,
            Arc::new(BackendsCheck(backends)),
        ),
        check(
            "R-25",
            "A client is connected",
            CheckSeverity::Info,
            Arc::new(ClientsCheck(clients)),
        ),
    ]
}

struct BackendsCheck(usize);

#[async_trait]
impl CheckBody for BackendsCheck {
    async fn run(&self) -> CheckOutcome {
        match self.0 {
            0 => CheckOutcome::fail(
                "no real backend has been added",
                "Add a backend: a provider with its key, or a local server.",
            )
            .with_action(FixAction::AddBackend),
            number => CheckOutcome::pass().with_evidence(format!("{number} besides the mock")),
        }
    }
}

struct ClientsCheck(usize);

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
