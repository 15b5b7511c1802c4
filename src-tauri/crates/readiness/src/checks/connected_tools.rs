//! Whether the tools that were connected would still reach the gateway.

use std::sync::Arc;

use async_trait::async_trait;

use crate::check::{
    CheckBody, CheckCategory, CheckId, CheckOutcome, CheckSeverity, FixAction, ReadinessCheck,
};
use crate::environment::{ConnectedToolFacts, ReadinessEnvironment};

pub(super) fn check(environment: &Arc<dyn ReadinessEnvironment>) -> ReadinessCheck {
    ReadinessCheck::new(
        CheckId::new("R-30"),
        "Connected tools are as they were connected",
        CheckCategory::Reliability,
        CheckSeverity::Major,
        Arc::new(ConnectedToolsCheck(Arc::clone(environment))),
    )
}

struct ConnectedToolsCheck(Arc<dyn ReadinessEnvironment>);

#[async_trait]
impl CheckBody for ConnectedToolsCheck {
    async fn run(&self) -> CheckOutcome {
        let tools = match self.0.connected_tools().await {
            Ok(tools) => tools,
            Err(reason) => return CheckOutcome::not_applicable(reason),
        };
        if tools.is_empty() {
            return CheckOutcome::not_applicable("no tool is connected");
        }
        let failing: Vec<_> = tools.iter().filter(|tool| tool.trouble.is_some()).collect();
        match failing.as_slice() {
            [] => tools
                .iter()
                .fold(CheckOutcome::pass(), |outcome, tool| outcome.with_evidence(&tool.name)),
            [one] => warn(format!("{} would not work as it was connected", one.name), &failing),
            several => {
                let cause =
                    format!("{} tools would not work as they were connected", several.len());
                warn(cause, &failing)
            }
        }
    }
}

fn warn(cause: String, failing: &[&ConnectedToolFacts]) -> CheckOutcome {
    let commands: Vec<_> = failing.iter().map(|tool| format!("`{}`", tool.command)).collect();
    let fix = format!("Connect again: {}.", commands.join(", "));
    let troubles = failing.iter().filter_map(|tool| tool.trouble.as_ref());
    let outcome = CheckOutcome::warn(cause, fix);
    let told = troubles.fold(outcome, |outcome, trouble| outcome.with_evidence(trouble));
    told.with_action(FixAction::AddClient)
}
