//! Checks that each route, and each group of listed models, has a backend that answers.

use std::sync::Arc;

use async_trait::async_trait;

use crate::check::{
    CheckBody, CheckCategory, CheckId, CheckOutcome, CheckSeverity, ReadinessCheck,
};
use crate::environment::{ReadinessEnvironment, ServedFacts, ServingBackend};

pub(super) fn check(environment: &Arc<dyn ReadinessEnvironment>) -> ReadinessCheck {
    let body = Arc::new(ServedCheck(Arc::clone(environment)));
    ReadinessCheck::new(
        CheckId::new("R-29"),
        "Every route has a backend that answers",
        CheckCategory::Reliability,
        CheckSeverity::Blocker,
        body,
    )
    .with_dependencies([CheckId::new("R-03")])
}

struct ServedCheck(Arc<dyn ReadinessEnvironment>);

#[async_trait]
impl CheckBody for ServedCheck {
    async fn run(&self) -> CheckOutcome {
        let served = self.0.served().await;
        if served.is_empty() {
            return CheckOutcome::not_applicable("no backend offers a model yet");
        }
        let is_dead = |it: &&ServedFacts| it.backends.iter().all(|one| one.fault.is_some());
        let dead: Vec<&ServedFacts> = served.iter().filter(is_dead).collect();
        if dead.is_empty() {
            return answered(&served);
        }
        let names: Vec<&str> = dead.iter().map(|served| served.what.as_str()).collect();
        let cause = format!("nothing answers {}", names.join(", "));
        let fix = "Fix one of its backends, or add another one to the route.";
        dead.iter().fold(CheckOutcome::fail(cause, fix), |outcome, served| {
            let faults = served.backends.iter().map(|backend| {
                format!("{} {}", backend.label, backend.fault.as_deref().unwrap_or_default())
            });
            let faults: Vec<String> = faults.collect();
            outcome.with_evidence(format!("{}: {}", served.what, faults.join(", ")))
        })
    }
}

/// Everything is answered. It passes if each of them has a backend that does so well, or soon will.
fn answered(served: &[ServedFacts]) -> CheckOutcome {
    let is_bad = |one: &ServingBackend| {
        one.fault.is_some() || one.degraded.as_ref().is_some_and(|it| !it.is_recovering)
    };
    let bad: Vec<&str> = served
        .iter()
        .filter(|it| it.backends.iter().all(is_bad))
        .map(|it| it.what.as_str())
        .collect();
    let outcome = match bad.as_slice() {
        [] => CheckOutcome::pass(),
        bad => CheckOutcome::warn(
            format!("only degraded backends answer {}", bad.join(", ")),
            "Wait until they are well again, or add another backend to the routes.",
        ),
    };
    let shown = format!("{} of {} can be answered", served.len(), served.len());
    let mut degraded: Vec<String> = served
        .iter()
        .flat_map(|it| &it.backends)
        .filter_map(|one| Some(format!("{}: {}", one.label, one.degraded.as_ref()?.clause)))
        .collect();
    degraded.sort_unstable();
    degraded.dedup();
    degraded.into_iter().fold(outcome.with_evidence(shown), CheckOutcome::with_evidence)
}
