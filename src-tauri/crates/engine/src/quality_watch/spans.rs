//! When backends were degraded, as the ledger keeps it: each time is a span whose end moves on with
//! every judgement. So a stop or a kill ends it where it was last seen.

use std::collections::BTreeMap;

use domain::{BackendId, WallTime};
use ledger::DegradedSpan;
use service_levels::AnswerQuality;

/// The spans that go on.
#[derive(Debug, Default)]
pub(crate) struct DegradedSpans(Vec<DegradedSpan>);

impl DegradedSpans {
    /// Takes in what was judged now; returns what is to be saved: the spans that go on, and those that
    /// ended.
    pub(super) fn update(
        &mut self,
        judged: &BTreeMap<BackendId, AnswerQuality>,
        now: WallTime,
    ) -> Vec<DegradedSpan> {
        let mut changed: Vec<DegradedSpan> = self.going_on(now).collect();
        self.0 = judged.iter().filter_map(|(id, own)| span(id, own, now)).collect();
        changed.retain(|old| !self.has(old));
        changed.extend(self.0.iter().cloned());
        changed
    }

    /// True for a span that goes on, whatever its end is.
    pub(super) fn has(&self, span: &DegradedSpan) -> bool {
        self.0.iter().any(|own| own.backend == span.backend && own.from == span.from)
    }

    /// They hold until now.
    pub(super) fn going_on(&self, now: WallTime) -> impl Iterator<Item = DegradedSpan> {
        self.0.iter().map(move |span| DegradedSpan { until: now, ..span.clone() })
    }
}

fn span(id: &BackendId, quality: &AnswerQuality, now: WallTime) -> Option<DegradedSpan> {
    let degraded = quality.degraded()?;
    Some(DegradedSpan {
        backend: id.clone(),
        from: degraded.since,
        until: now,
        reason: degraded.what.clause(),
    })
}
