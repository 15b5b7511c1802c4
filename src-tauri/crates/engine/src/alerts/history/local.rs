//! What is known of this program and its machine: samples in memory, the last starts, and when the
//! program watched.

use domain::WallTime;
use ledger::LedgerError;

use super::gaps::unwatched;
use super::{AlertHistory, PastFacts};

impl AlertHistory {
    pub(super) fn read_samples(&self, facts: &mut PastFacts, until: WallTime) -> bool {
        let samples = self.local.past_samples();
        let is_known = facts.know_from(samples.known_from);
        facts.changes.extend(samples.changes());
        facts.gaps = Some(samples.gaps(until));
        facts.samples = Some(samples);
        is_known
    }

    pub(super) async fn read_starts(
        &self,
        facts: &mut PastFacts,
        until: WallTime,
    ) -> Result<bool, LedgerError> {
        let starts = self.local.past_starts();
        let is_known = facts.know_from(starts.known_from);
        facts.changes.extend(starts.changes());
        let spans = self.ledger.watch_spans(facts.known_from).await?;
        facts.gaps = Some(unwatched(&spans, facts.known_from, until));
        facts.starts = Some(starts);
        Ok(is_known)
    }
}
