//! Facts that held from one moment to another: marks that budgets reached, names that were new, keys
//! that nothing used or that were not accepted. And the runs of all readiness checks, which grow old.

use std::collections::BTreeMap;
use std::ops::Range;

use alerts::{BudgetFact, FirstUse, KeyFact};
use domain::{BackendId, BudgetMark, CheckSet, ClientId, CredentialId, DAY_MS, HOUR_MS, WallTime};
use jiff::tz::TimeZone;
use ledger::{
    BUDGET_CROSSINGS_KEPT_MAX, GroupBy, KEY_VERDICTS_KEPT_MAX, KeyVerdict, LedgerError,
    RUNS_KEPT_MAX, STOPPED_LOOPS_MAX, StoppedLoop,
};
use resilience::TransitionState;
use settings::Settings;

use super::AlertHistory;
use super::states::transitions;
use crate::alerts::facts::{REPLACE_KEY, block_fault};
use crate::alerts::measurements::{
    FIRST_USE_DAYS, LOOP_TOLD_MS, UNUSED_DAYS, first_uses_since, keys_for_requests,
};
use crate::health::service_level_watch::kept_time;
use crate::keys::statuses::KeyState;

/// Facts, each with the time in which it held.
pub(super) type Spans<T> = Vec<(Range<WallTime>, T)>;

pub(super) fn list_ends<T>(spans: &Spans<T>) -> impl Iterator<Item = WallTime> + '_ {
    spans.iter().flat_map(|(time, _)| [time.start, time.end])
}

pub(super) fn facts_at<T: Clone>(spans: &Spans<T>, at: WallTime) -> Vec<T> {
    let own = spans.iter().filter(|(time, _)| time.contains(&at));
    own.map(|(_, fact)| fact.clone()).collect()
}

pub(super) struct PastRuns {
    /// Oldest first.
    pub(super) ended: Vec<WallTime>,
    /// Since when they are whole.
    pub(super) known_from: WallTime,
}

impl AlertHistory {
    /// The marks that budgets with periods reached, each from then to the end of its period. When a
    /// rolling budget leaves a mark again is not recorded.
    pub(super) async fn budget_marks(
        &self,
        settings: &Settings,
    ) -> Result<Spans<BudgetFact>, LedgerError> {
        let zone = TimeZone::system();
        let mut marks = Vec::new();
        for (id, budget) in settings.budgets.iter().filter(|it| !it.1.schedule.is_rolling()) {
            let crossings =
                self.ledger.budget_crossings(id.clone(), BUDGET_CROSSINGS_KEPT_MAX).await?;
            for crossing in crossings {
                let title = match crossing.mark {
                    BudgetMark::Spent(percent) => format!("Budget {id}: {percent} % used"),
                    BudgetMark::Refused => format!("Budget {id} is used up"),
                    BudgetMark::Forecast => continue,
                };
                let Some((_, end)) = budget.schedule.around(crossing.at, &zone) else { continue };
                let fact = BudgetFact {
                    id: id.clone(),
                    mark: crossing.mark,
                    period_from: crossing.period_from,
                    title,
                    message: String::new(),
                };
                marks.push((crossing.at..end, fact));
            }
        }
        Ok(marks)
    }

    /// Names that were new at a moment from `from` on: from the hour of their first request until a day
    /// after it, once the ledger was old enough.
    pub(super) async fn first_uses(&self, from: WallTime) -> Result<Spans<FirstUse>, LedgerError> {
        let Some(oldest) = self.ledger.first_hour().await? else { return Ok(Vec::new()) };
        let old_enough = oldest.plus_ms(FIRST_USE_DAYS * DAY_MS);
        let used = first_uses_since(&self.ledger, from.minus_ms(DAY_MS)).await?;
        let span = |(used, hour): (FirstUse, WallTime)| {
            (hour.max(old_enough)..hour.plus_ms(DAY_MS + 1), used)
        };
        Ok(used.into_iter().map(span).filter(|(time, _)| !time.is_empty()).collect())
    }

    /// The clients that were stopped, each from then for [`LOOP_TOLD_MS`], and from when on all of them
    /// are known if not from `from` on.
    pub(super) async fn stopped_clients(
        &self,
        from: WallTime,
    ) -> Result<(Spans<ClientId>, Option<WallTime>), LedgerError> {
        let loops = self.ledger.stopped_loops(from.minus_ms(LOOP_TOLD_MS)).await?;
        let known_from = loops.get(STOPPED_LOOPS_MAX - 1).map(|oldest| oldest.at);
        let mut spans: Spans<ClientId> = Vec::new();
        // Oldest first; one that is stopped again before that was over goes on.
        for StoppedLoop { client, at, .. } in loops.into_iter().rev() {
            let until = at.plus_ms(LOOP_TOLD_MS + 1);
            match spans.iter_mut().rfind(|(time, known)| *known == client && at < time.end) {
                Some((time, _)) => time.end = until,
                None => spans.push((at..until, client)),
            }
        }
        Ok((spans, known_from))
    }

    /// The keys of today while no request had used them for [`UNUSED_DAYS`], by whole hours.
    pub(super) async fn unused_keys(
        &self,
        settings: &Settings,
        from: WallTime,
        until: WallTime,
    ) -> Result<Spans<CredentialId>, LedgerError> {
        let Some(oldest) = self.ledger.first_hour().await? else { return Ok(Vec::new()) };
        let unused = UNUSED_DAYS * DAY_MS;
        let mut spans = Vec::new();
        for (id, key) in keys_for_requests(settings) {
            let own = [(GroupBy::Credential, id.to_string())].into_iter().collect();
            let used = self.ledger.usage_by_hour(from.minus_ms(unused), until, own).await?;
            let mut start = oldest.max(key.created).plus_ms(unused);
            for (hour, _) in used {
                spans.push((start..hour, id.clone()));
                start = start.max(hour.plus_ms(HOUR_MS + unused));
            }
            spans.push((start..WallTime::from_unix_ms(i64::MAX), id.clone()));
        }
        spans.retain(|(time, _)| !time.is_empty());
        Ok(spans)
    }

    /// The keys of today's backends while a check or a request had them not accepted, and since when
    /// that is known.
    pub(super) async fn key_faults(
        &self,
        settings: &Settings,
        until: WallTime,
    ) -> Result<(Spans<KeyFact>, WallTime), LedgerError> {
        let kept_from = until - kept_time(settings);
        let (mut spans, mut known_from) = (Vec::new(), kept_from);
        for (backend, known) in settings.backends_on() {
            let (all, oldest) = transitions(&self.ledger, backend, until).await?;
            known_from = known_from.max(oldest.unwrap_or_default());
            let keys: Vec<_> = known.pool.credentials().collect();
            for &key in &keys {
                let needed_by = if keys.len() == 1 { vec![backend.clone()] } else { Vec::new() };
                let fact = |(what, fix)| KeyFact {
                    id: key.clone(),
                    what,
                    fix,
                    needed_by: needed_by.clone(),
                };
                let own = all.iter().filter(|it| it.endpoint.credential.as_ref() == Some(key));
                let blocks = own.filter(|it| it.model.is_none()).filter_map(|it| {
                    match it.to.parse::<TransitionState>().ok()? {
                        // The words of causes and of reasons are the same.
                        TransitionState::Blocked => {
                            Some((it.at, it.rule.parse().ok().map(block_fault).map(fact)))
                        }
                        TransitionState::Ready => Some((it.at, None)),
                        _ => None,
                    }
                });
                spans.extend(spans_of(blocks));
                let (verdicts, oldest) = self.verdicts(key, backend).await?;
                known_from = known_from.max(oldest);
                let rejected = || KeyState::Rejected.fault().map(|what| fact((what, REPLACE_KEY)));
                let changes = verdicts
                    .into_iter()
                    .map(|(at, is_rejected)| (at, is_rejected.then(rejected).flatten()));
                spans.extend(spans_of(changes));
            }
        }
        Ok((spans, known_from))
    }

    /// When checks of a backend rejected a key, and when that was over, oldest first; and since when
    /// that is known.
    async fn verdicts(
        &self,
        key: &CredentialId,
        backend: &BackendId,
    ) -> Result<(Vec<(WallTime, bool)>, WallTime), LedgerError> {
        let all = self.ledger.key_verdicts(key.clone()).await?;
        let oldest = all.first().filter(|_| all.len() >= KEY_VERDICTS_KEPT_MAX).map(|it| it.at);
        let is_own =
            |place: &Option<String>| place.as_ref().is_none_or(|place| place == backend.as_str());
        let own = all.into_iter().filter(|it| is_own(&it.place));
        let own = own.map(|it| (it.at, it.verdict == KeyVerdict::Rejected));
        Ok((own.collect(), oldest.unwrap_or_default()))
    }

    pub(super) async fn full_runs(&self) -> Result<PastRuns, LedgerError> {
        // Newest first; a full list may lack what was before.
        let runs = self.ledger.runs(RUNS_KEPT_MAX).await?;
        let oldest = runs.last().filter(|_| runs.len() >= RUNS_KEPT_MAX);
        let known_from = oldest.map_or_else(WallTime::default, |run| run.ended);
        // The last full run is kept, however many came after it.
        let last = self.ledger.last_run(CheckSet::Full).await?;
        let full = runs.iter().filter(|run| run.set == CheckSet::Full).chain(&last);
        let mut ended: Vec<_> = full.map(|run| run.ended).collect();
        ended.sort_unstable();
        ended.dedup();
        Ok(PastRuns { ended, known_from })
    }
}

/// What holds from each change to the next, oldest first; the last one holds still.
fn spans_of<T>(changes: impl Iterator<Item = (WallTime, Option<T>)>) -> Spans<T> {
    let mut spans = Spans::new();
    let mut held: Option<(WallTime, T)> = None;
    for (at, fact) in changes {
        spans.extend(held.take().map(|(since, fact)| (since..at, fact)));
        held = fact.map(|fact| (at, fact));
    }
    spans.extend(held.map(|(since, fact)| (since..WallTime::from_unix_ms(i64::MAX), fact)));
    spans
}

/// At most one fact of each key; a key with any other place where it is needed is as bad.
pub(super) fn key_faults_at(spans: &Spans<KeyFact>, at: WallTime) -> Vec<KeyFact> {
    let mut faults: BTreeMap<CredentialId, KeyFact> = BTreeMap::new();
    for fact in facts_at(spans, at) {
        match faults.get_mut(&fact.id) {
            Some(known) => known.needed_by.extend(fact.needed_by),
            None => drop(faults.insert(fact.id.clone(), fact)),
        }
    }
    faults.into_values().collect()
}
