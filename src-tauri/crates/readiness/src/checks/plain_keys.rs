//! Whether keys lie in plain text where programs and people keep them.

use std::sync::Arc;

use async_trait::async_trait;

use crate::check::{
    CheckBody, CheckCategory, CheckId, CheckOutcome, CheckSeverity, FixAction, ReadinessCheck,
};
use crate::environment::ReadinessEnvironment;

/// Places listed as evidence.
const PLACES_NAMED_MAX: usize = 8;

pub(super) fn check(environment: &Arc<dyn ReadinessEnvironment>) -> ReadinessCheck {
    ReadinessCheck::new(
        CheckId::new("R-23"),
        "No keys in plain text",
        CheckCategory::Security,
        CheckSeverity::Major,
        Arc::new(PlainKeysCheck(Arc::clone(environment))),
    )
}

struct PlainKeysCheck(Arc<dyn ReadinessEnvironment>);

#[async_trait]
impl CheckBody for PlainKeysCheck {
    async fn run(&self) -> CheckOutcome {
        let facts = match self.0.plain_keys().await {
            Ok(facts) => facts,
            Err(reason) => return CheckOutcome::not_applicable(reason),
        };
        if facts.places.is_empty() {
            return CheckOutcome::pass().with_evidence(format!("read {} files", facts.files));
        }
        let cause = match facts.keys {
            1 => "a key is in plain text, where every program can read it".to_owned(),
            keys => format!("{keys} keys are in plain text, where every program can read them"),
        };
        let fix = "Import them with `gatehouse keys scan --import`, then remove them from the files with `gatehouse keys scan --remove`.";
        let named = facts.places.iter().take(PLACES_NAMED_MAX);
        let outcome = named
            .fold(CheckOutcome::warn(cause, fix), |outcome, place| outcome.with_evidence(place));
        let outcome = match facts.places.len().checked_sub(PLACES_NAMED_MAX) {
            None | Some(0) => outcome,
            Some(more) => outcome.with_evidence(format!("and {more} more places")),
        };
        outcome.with_action(FixAction::FindKeys)
    }
}
