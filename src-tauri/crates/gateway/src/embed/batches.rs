//! What comes of several batches: one count of tokens, one failure.

use std::ops::Range;

use tokens::Tally;
use wire::{
    EmbeddingBatch, EmbeddingFailure, EmbeddingRequest, UpstreamClass, UpstreamError, UsageReading,
    UsageReport,
};

use crate::failure::Failure;
use crate::snapshot::Backend;

/// Where one batch does not say what it used, the estimate is for all of them and stands in one.
pub(super) fn tell_usage_once(batches: &mut [EmbeddingBatch], usage: Option<UsageReport>) {
    if batches.iter().all(|batch| batch.usage.is_some()) {
        return;
    }
    batches.iter_mut().for_each(|batch| batch.usage = None);
    if let Some(first) = batches.first_mut() {
        first.usage = usage;
    }
}

/// The failure of a request, some of whose batches failed. A request of one batch fails with the
/// backend's own words.
pub(super) fn in_one(
    backend: &Backend,
    places: &[usize],
    mut failures: Vec<(Range<usize>, Failure)>,
) -> Option<Failure> {
    let inputs = places.len();
    let is_all = failures.first().is_some_and(|(range, _)| range.len() == inputs);
    if is_all {
        return failures.pop().map(|(_, failure)| failure);
    }
    let named: Vec<EmbeddingFailure> = failures
        .iter()
        .flat_map(|(items, failure)| {
            let named = runs(places.get(items.clone()).unwrap_or_default());
            named.into_iter().map(move |items| (items, failure))
        })
        .map(|(items, failure)| EmbeddingFailure {
            items,
            error: UpstreamError {
                status: failure.refusal.status,
                class: UpstreamClass::Failed,
                message: failure.refusal.message.to_string(),
                kind: None,
                code: None,
                param: None,
                retry_after: None,
            },
        })
        .collect();
    let (_, mut worst) = failures.into_iter().next()?;
    let message = EmbeddingFailure::summary(&named, inputs);
    worst.refusal.message = format!("The backend {}: {message}", backend.id).into();
    worst.refusal.param = Some("input".into());
    Some(worst)
}

/// Places in order as ranges: `1 2 3 7` as 1 to 3 and 7.
fn runs(places: &[usize]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for place in places {
        match runs.last_mut() {
            Some(run) if run.end == *place => run.end += 1,
            _ => runs.push(*place..place.saturating_add(1)),
        }
    }
    runs
}

/// Tokens of all batches, or an estimate where one does not say.
pub(super) fn usage(batches: &[EmbeddingBatch], request: &EmbeddingRequest) -> UsageReport {
    let told: Option<Vec<_>> = batches.iter().map(|batch| batch.usage.clone()).collect();
    if let Some(reports) = told.filter(|reports| !reports.is_empty()) {
        let adjusted = reports.iter().any(|report| report.reading != UsageReading::AsReported);
        let reading = if adjusted { UsageReading::Adjusted } else { UsageReading::AsReported };
        let mut tokens = domain::TokenUsage::default();
        for report in &reports {
            tokens += report.tokens;
        }
        let raw = match reports.as_slice() {
            [only] => only.raw.clone(),
            _ => None,
        };
        return UsageReport { tokens, reading, raw };
    }
    let mut tally = Tally::new();
    request.texts().for_each(|text| tally.push(text));
    let tokens = domain::TokenUsage { input_uncached: tally.tokens().max(1), ..Default::default() };
    UsageReport { tokens, reading: UsageReading::Estimated, raw: None }
}

/// Tokens of which some are shares of earlier counts.
pub(super) fn counted(tokens: u64) -> UsageReport {
    let tokens = domain::TokenUsage { input_uncached: tokens, ..Default::default() };
    UsageReport { tokens, reading: UsageReading::Estimated, raw: None }
}
