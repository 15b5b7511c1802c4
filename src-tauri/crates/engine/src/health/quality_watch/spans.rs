//! When backends were degraded, as the ledger keeps it: each time is a span whose end moves on with
//! every judgement. So a stop, a kill or a sleep ends it where it was last seen.

use std::collections::BTreeMap;

use domain::{BackendId, WallTime};
use ledger::DegradedSpan;
use service_levels::{AnswerQuality, Degraded};

/// Longest time between two judgements in which a span goes on, in milliseconds: twice the usual one.
/// In a longer one this machine slept, and nobody looked.
const UNSEEN_MS_MAX: i64 = 120_000;

/// The spans that go on.
#[derive(Debug, Default)]
pub(crate) struct DegradedSpans(Vec<GoingOn>);

#[derive(Debug)]
struct GoingOn {
    /// Since when the backend is degraded; its span begins later if a sleep cut it.
    since: WallTime,
    span: DegradedSpan,
}

impl DegradedSpans {
    /// Takes in what was judged now; returns what is to be saved: the spans that go on, and those that
    /// ended.
    pub(super) fn update(
        &mut self,
        judged: &BTreeMap<BackendId, AnswerQuality>,
        now: WallTime,
    ) -> Vec<DegradedSpan> {
        let mut changed: Vec<DegradedSpan> = self.going_on(now).collect();
        let next = |(id, quality): (&BackendId, &AnswerQuality)| {
            Some(self.next(id, &quality.degraded()?, now))
        };
        self.0 = judged.iter().filter_map(next).collect();
        changed.retain(|old| !self.has(old));
        changed.extend(self.0.iter().map(|own| own.span.clone()));
        changed
    }

    /// True for a span that goes on, whatever its end is.
    pub(super) fn has(&self, span: &DegradedSpan) -> bool {
        self.0.iter().any(|own| own.span.backend == span.backend && own.span.from == span.from)
    }

    /// They hold until now, or until they were last seen.
    pub(super) fn going_on(&self, now: WallTime) -> impl Iterator<Item = DegradedSpan> {
        self.0.iter().map(move |own| {
            let until = if own.is_over(now) { own.span.until } else { now };
            DegradedSpan { until, ..own.span.clone() }
        })
    }

    fn next(&self, id: &BackendId, degraded: &Degraded, now: WallTime) -> GoingOn {
        let since = degraded.since;
        let known = self.0.iter().find(|own| own.span.backend == *id && own.since == since);
        let from = match known {
            Some(own) if own.is_over(now) => now,
            Some(own) => own.span.from,
            None => since.min(now),
        };
        let (backend, reason) = (id.clone(), degraded.what.clause());
        GoingOn { since, span: DegradedSpan { backend, from, until: now, reason } }
    }
}

impl GoingOn {
    /// True if it was not seen for too long, or the clock was set back since.
    const fn is_over(&self, now: WallTime) -> bool {
        let unseen_ms = now.unix_ms() - self.span.until.unix_ms();
        unseen_ms < 0 || unseen_ms > UNSEEN_MS_MAX
    }
}
