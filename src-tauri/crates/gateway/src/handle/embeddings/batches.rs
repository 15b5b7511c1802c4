//! Combines the results of several batches: one usage, one failure.

use std::ops::Range;

use domain::Usage;
use tokens::TokenEstimator;
use wire::{
    EmbeddingBatch, EmbeddingFailure, EmbeddingRequest, UpstreamClass, UpstreamError, UsageReading,
    UsageReport,
};

use crate::handle::failure::Failure;
use crate::snapshot::Backend;

/// If a batch reports no usage, puts `usage`, the estimate for all batches, into the first and clears the
/// others.
pub(super) fn share_usage(batches: &mut [EmbeddingBatch], usage: Option<UsageReport>) {
    if batches.iter().all(|batch| batch.usage.is_some()) {
        return;
    }
    batches.iter_mut().for_each(|batch| batch.usage = None);
    if let Some(first) = batches.first_mut() {
        first.usage = usage;
    }
}

/// Combines the failures of batches into one that names the inputs. If a single batch had all inputs, its
/// failure is returned unchanged.
pub(super) fn failure_of(
    backend: &Backend,
    indexes: &[usize],
    mut failures: Vec<(Range<usize>, Failure)>,
) -> Option<Failure> {
    let inputs = indexes.len();
    let is_all = failures.first().is_some_and(|(range, _)| range.len() == inputs);
    if is_all {
        return failures.pop().map(|(_, failure)| failure);
    }
    let named: Vec<EmbeddingFailure> = failures
        .iter()
        .flat_map(|(items, failure)| {
            let named = runs(indexes.get(items.clone()).unwrap_or_default());
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

/// Groups ascending indexes into ranges: `1 2 3 7` becomes `1..4` and `7..8`.
fn runs(indexes: &[usize]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for index in indexes {
        match runs.last_mut() {
            Some(run) if run.end == *index => run.end += 1,
            _ => runs.push(*index..index.saturating_add(1)),
        }
    }
    runs
}

/// The usage of all batches, or an estimate if one reports none.
pub(super) fn usage(batches: &[EmbeddingBatch], request: &EmbeddingRequest) -> UsageReport {
    let reported: Option<Vec<_>> = batches.iter().map(|batch| batch.usage.clone()).collect();
    if let Some(reports) = reported.filter(|reports| !reports.is_empty()) {
        let adjusted = reports.iter().any(|report| report.reading != UsageReading::AsReported);
        let reading = if adjusted { UsageReading::Adjusted } else { UsageReading::AsReported };
        let usage = reports.iter().map(|report| report.usage.clone()).reduce(Usage::plus);
        let usage = usage.unwrap_or_default();
        let raw = match reports.as_slice() {
            [only] => only.raw.clone(),
            _ => None,
        };
        return UsageReport { usage, reading, raw };
    }
    let mut tally = TokenEstimator::new();
    request.texts().for_each(|text| tally.push(text));
    let tokens = domain::TokenUsage { input_uncached: tally.tokens().max(1), ..Default::default() };
    UsageReport::of_text(tokens, UsageReading::Estimated)
}

/// A usage that includes shares of earlier counts, so it is an estimate.
pub(super) fn counted(tokens: u64) -> UsageReport {
    let tokens = domain::TokenUsage { input_uncached: tokens, ..Default::default() };
    UsageReport::of_text(tokens, UsageReading::Estimated)
}
