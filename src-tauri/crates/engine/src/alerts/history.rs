//! Back-tests of alert rules: what the ledger and the settings still know of past facts goes through
//! the live judgement (`alerts::back_test`).
//!
//! A rule of whose facts too little is recorded has no back-test. Hours in which no backend was seen to
//! answer or to fail, since the program or the machine was off, are gaps: nothing fires in them. Rules
//! about this machine, its starts and services know more exactly when nobody looked.

mod gaps;
mod hours;
mod local;
mod money;
mod outcomes;
mod services;
mod spans;
mod states;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use alerts::{
    AlertRule, BudgetFact, Facts, FirstUse, KeyFact, Measurement, PastFiring, PastMetric, PastTime,
    RuleTunings, tuning_of,
};
use domain::{BackendId, ClientId, Clock, CredentialId, DAY_MS, WallTime};
use ledger::{Ledger, LedgerError, ObservedSubject, ObservedTimeRow};
use settings::{Settings, SettingsStore};

use self::gaps::{length_after, since, unobserved_hours};
use self::outcomes::PastOutcomes;
use self::services::ServiceStates;
use self::spans::{Spans, facts_at, key_faults_at, list_ends};
use self::states::PastStates;
use crate::alerts::facts::{burn_facts, error_rates, key_times};
use crate::alerts::measurements::checks_age;
use crate::budgets::watch::BudgetWatch;
use crate::costs::reports::CostReports;
use crate::health::service_level_watch::ServiceLevelWatch;
use crate::process::local_resources::{LocalResources, PastSamples, PastStarts};

/// Time judged before the days that are asked about, beside the rule's own: an alert that fired in it
/// and goes on is none of these days.
const LEAD_MS: i64 = DAY_MS;
/// Steps of the chart of what a rule compares: two hours each in a week.
const METRIC_STEPS: usize = 84;
/// Longest time judged before them.
const LEAD_MS_MAX: i64 = 3 * DAY_MS;

/// What past facts of a rule are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PastSource {
    /// Changes of health and breakers.
    States,
    /// These, and how requests ended.
    Outcomes,
    /// These, and first tokens by hour.
    Latencies,
    /// Usage by hour.
    Usage,
    /// The dates of the keys in the settings.
    KeyDates,
    /// The marks that budgets reached.
    BudgetMarks,
    /// When names were used first.
    FirstUses,
    /// When clients were stopped.
    Loops,
    /// The hours in which keys were used.
    KeyUses,
    /// What checks and requests made of keys.
    KeyFaults,
    /// Runs of all readiness checks.
    Runs,
    /// The samples of this program and its machine.
    Samples,
    /// The starts of this program.
    Starts,
    /// Changes of services' health.
    Services,
    /// What each budget spent by hour, and what was allowed more.
    BudgetPaces,
    /// What providers billed by day.
    Bills,
}

impl PastSource {
    /// `None` for a rule of whose facts too little is recorded.
    const fn of(rule: AlertRule) -> Option<Self> {
        match rule {
            AlertRule::BackendDown | AlertRule::BreakerOpen | AlertRule::RouteDead => {
                Some(Self::States)
            }
            AlertRule::BurnFast | AlertRule::BurnSlow | AlertRule::ErrorRate => {
                Some(Self::Outcomes)
            }
            AlertRule::SlowAnswers => Some(Self::Latencies),
            AlertRule::SpendAnomaly
            | AlertRule::UnusualUse
            | AlertRule::UnpricedModel
            | AlertRule::CacheHits => Some(Self::Usage),
            AlertRule::KeyExpiry | AlertRule::KeyAge => Some(Self::KeyDates),
            AlertRule::BudgetMark => Some(Self::BudgetMarks),
            AlertRule::FirstUse => Some(Self::FirstUses),
            AlertRule::StoppedLoop => Some(Self::Loops),
            AlertRule::KeyUnused => Some(Self::KeyUses),
            AlertRule::KeyBlocked => Some(Self::KeyFaults),
            AlertRule::ChecksOld => Some(Self::Runs),
            AlertRule::DiskSpace
            | AlertRule::AppMemory
            | AlertRule::AppProcessor
            | AlertRule::MachineMemory
            | AlertRule::SlowQueries
            | AlertRule::ProbeCoverage => Some(Self::Samples),
            AlertRule::SlowStart => Some(Self::Starts),
            AlertRule::ServiceDown => Some(Self::Services),
            AlertRule::BudgetForecast => Some(Self::BudgetPaces),
            AlertRule::BillDrift => Some(Self::Bills),
            AlertRule::GatewayFault
            | AlertRule::LedgerFault
            | AlertRule::ChannelFault
            | AlertRule::Digest
            | AlertRule::VaultFault
            | AlertRule::PlainKey
            | AlertRule::QuotaLow
            | AlertRule::BalanceLow => None,
        }
    }
}

/// When a rule would have fired.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleBackTest {
    /// Since when its facts are known, at most the days that were asked about.
    pub from: WallTime,
    pub until: WallTime,
    /// Time in between in which nobody looked.
    pub unseen: Duration,
    /// For each of the tunings, oldest first. What fired before `from` is left out unless it went on.
    pub firings: Vec<Vec<PastFiring>>,
    /// What the first of the tunings compares; `None` for a rule without a threshold.
    pub metric: Option<PastMetric>,
}

pub struct AlertHistory {
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) ledger: Ledger,
    pub(crate) service_levels: Arc<ServiceLevelWatch>,
    pub(crate) budgets: Arc<BudgetWatch>,
    pub(crate) cost_reports: Arc<CostReports>,
    pub(crate) local: Arc<LocalResources>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) mock: BackendId,
}

impl AlertHistory {
    /// When `rule` would have fired in the last days with each of the tunings. `None` if nothing is
    /// recorded that says so.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn back_test(
        &self,
        rule: AlertRule,
        tunings: Vec<RuleTunings>,
        days: u32,
    ) -> Result<Option<RuleBackTest>, LedgerError> {
        let Some(source) = PastSource::of(rule) else { return Ok(None) };
        let until = self.clock.wall();
        let wanted = until.minus_ms(i64::from(days) * DAY_MS);
        let hold = tunings.iter().map(|all| tuning_of(all, rule).hold).max().unwrap_or_default();
        let lead = (LEAD_MS + millis(hold)).min(LEAD_MS_MAX);
        let judged_from = wanted.minus_ms(lead);
        let mut observed = self.service_levels.observed_since(judged_from.hour_start()).await?;
        observed.retain(|row| matches!(row.subject, ObservedSubject::Backend(_)));
        let Some(begin) = self.known_since(source, judged_from, &observed).await? else {
            return Ok(None);
        };
        let Some(mut facts) = self.read(source, begin, until).await? else { return Ok(None) };
        let begin = begin.max(facts.known_from);
        let unseen = facts.gaps.take().unwrap_or_else(|| unobserved_hours(&observed, begin, until));
        let past = PastTime {
            from: begin,
            until,
            changes: facts.changes.range(begin..until).copied().collect(),
            gaps: unseen.into_iter().filter_map(|gap| since(gap, begin)).collect(),
        };
        let from = wanted.max(begin);
        let unseen = past.gaps.iter().map(|gap| length_after(gap, from)).sum();
        let judge = move || {
            let all = tunings.iter();
            let firings = all
                .map(|tunings| alerts::back_test(rule, tunings, &past, |at| facts.at(at)))
                .map(|firings| visible(firings, from))
                .collect();
            let metric = tunings.first().and_then(|tunings| {
                let tuning = tuning_of(tunings, rule);
                alerts::past_metric(rule, &tuning, &past, (from, METRIC_STEPS), |at| facts.at(at))
            });
            (firings, metric)
        };
        // Only a program that stops does not wait for it.
        let judged = tokio::task::spawn_blocking(judge).await;
        let (firings, metric) = judged.map_err(|_| LedgerError::Closed)?;
        Ok(Some(RuleBackTest { from, until, unseen, firings, metric }))
    }

    /// `from`, or the first moment after it of which something is known. `None` if nothing is.
    async fn known_since(
        &self,
        source: PastSource,
        from: WallTime,
        observed: &[ObservedTimeRow],
    ) -> Result<Option<WallTime>, LedgerError> {
        use PastSource::{Bills, KeyDates, Runs, Samples, Services, Starts};
        if matches!(source, KeyDates | Runs | Samples | Starts | Services | Bills) {
            return Ok(Some(from));
        }
        let seen = observed.iter().map(|row| row.slot).min();
        let first = self.ledger.first_hour().await?.into_iter().chain(seen).min();
        Ok(first.map(|first| first.max(from)))
    }

    /// `None` if nothing is known.
    async fn read(
        &self,
        source: PastSource,
        from: WallTime,
        until: WallTime,
    ) -> Result<Option<PastFacts>, LedgerError> {
        let settings = self.settings.current();
        let mut facts = PastFacts::new(settings, self.mock.clone(), from);
        let is_known = match source {
            PastSource::States | PastSource::Outcomes | PastSource::Latencies => {
                self.read_backends(source, &mut facts, until).await?;
                true
            }
            PastSource::Usage => {
                let hours = self.usage_measurements(from, until).await?;
                facts.take_hours(hours);
                true
            }
            PastSource::KeyDates => {
                facts.add_key_dates(from, until);
                true
            }
            PastSource::BudgetMarks => {
                let marks = self.budget_marks(&facts.settings).await?;
                facts.marks = facts.changing(marks);
                true
            }
            PastSource::BudgetPaces => {
                let marks = self.budget_paces(&facts.settings, from, until).await?;
                facts.marks = facts.changing(marks);
                true
            }
            PastSource::FirstUses => {
                let used = self.first_uses(from).await?;
                facts.first_uses = facts.changing(used);
                true
            }
            PastSource::Loops => {
                let (stopped, known_from) = self.stopped_clients(from).await?;
                facts.stopped_clients = facts.changing(stopped);
                facts.know_from(known_from);
                true
            }
            PastSource::KeyUses => {
                let unused = self.unused_keys(&facts.settings, from, until).await?;
                facts.unused_keys = facts.changing(unused);
                true
            }
            PastSource::KeyFaults => {
                let (faults, known_from) = self.key_faults(&facts.settings, until).await?;
                facts.key_faults = facts.changing(faults);
                facts.know_from(Some(known_from))
            }
            PastSource::Runs => {
                let runs = self.full_runs().await?;
                facts.know_from(Some(runs.known_from));
                let days = runs.ended.iter().flat_map(|ended| days_since(*ended, from, until));
                facts.changes.extend(days);
                facts.runs = runs.ended;
                true
            }
            PastSource::Samples => self.read_samples(&mut facts, until),
            PastSource::Starts => self.read_starts(&mut facts, until).await?,
            PastSource::Services => self.read_services(&mut facts, until).await?,
            PastSource::Bills => self.read_bills(&mut facts, until).await?,
        };
        Ok(is_known.then_some(facts))
    }

    async fn read_backends(
        &self,
        source: PastSource,
        facts: &mut PastFacts,
        until: WallTime,
    ) -> Result<(), LedgerError> {
        let from = facts.known_from;
        let states = PastStates::read(&self.ledger, &facts.settings, &self.mock, until).await?;
        facts.know_from(Some(states.known_from));
        facts.changes.extend(states.changes());
        facts.states = Some(states);
        if source == PastSource::States {
            return Ok(());
        }
        let outcomes = PastOutcomes::read(&self.ledger, &facts.settings, from, until).await?;
        facts.know_from(Some(outcomes.known_from));
        facts.changes.extend(outcomes.changes());
        facts.outcomes = Some(outcomes);
        if source == PastSource::Latencies {
            let hours = self.latency_measurements(&facts.settings, from, until).await?;
            facts.take_hours(hours);
        }
        Ok(())
    }
}

struct PastFacts {
    settings: Arc<Settings>,
    mock: BackendId,
    /// Since when they are whole.
    known_from: WallTime,
    /// When they changed.
    changes: BTreeSet<WallTime>,
    /// When nobody looked; `None` if no better is known than the hours of the backends.
    gaps: Option<Vec<Range<WallTime>>>,
    states: Option<PastStates>,
    outcomes: Option<PastOutcomes>,
    /// Measurements by the end of their hour.
    hours: BTreeMap<WallTime, Vec<Measurement>>,
    has_key_dates: bool,
    marks: Spans<BudgetFact>,
    first_uses: Spans<FirstUse>,
    stopped_clients: Spans<ClientId>,
    unused_keys: Spans<CredentialId>,
    key_faults: Spans<KeyFact>,
    /// When all readiness checks had run, oldest first.
    runs: Vec<WallTime>,
    samples: Option<PastSamples>,
    starts: Option<PastStarts>,
    services: Option<ServiceStates>,
}

impl PastFacts {
    fn new(settings: Arc<Settings>, mock: BackendId, known_from: WallTime) -> Self {
        Self {
            settings,
            mock,
            known_from,
            changes: BTreeSet::new(),
            gaps: None,
            states: None,
            outcomes: None,
            hours: BTreeMap::new(),
            has_key_dates: false,
            marks: Vec::new(),
            first_uses: Vec::new(),
            stopped_clients: Vec::new(),
            unused_keys: Vec::new(),
            key_faults: Vec::new(),
            runs: Vec::new(),
            samples: None,
            starts: None,
            services: None,
        }
    }

    /// Takes in since when some of the facts are whole. False if nothing of them is known.
    fn know_from(&mut self, from: Option<WallTime>) -> bool {
        self.known_from = self.known_from.max(from.unwrap_or_default());
        from.is_some()
    }

    fn take_hours(&mut self, hours: BTreeMap<WallTime, Vec<Measurement>>) {
        self.changes.extend(hours.keys());
        self.hours = hours;
    }

    /// Takes in when these facts change.
    fn changing<T>(&mut self, spans: Spans<T>) -> Spans<T> {
        self.changes.extend(list_ends(&spans));
        spans
    }

    fn add_key_dates(&mut self, from: WallTime, until: WallTime) {
        self.has_key_dates = true;
        for key in self.settings.credentials.values() {
            let since = key.replaced.unwrap_or(key.created);
            // A day before the end is over a moment later than a day after the beginning begins.
            let end = key.expires.map(|at| at.plus_ms(1));
            for day in std::iter::once(since).chain(end) {
                self.changes.extend(days_since(day, from, until));
            }
            self.changes.insert(since);
        }
    }

    fn at(&self, at: WallTime) -> Facts {
        let mut facts = Facts::default();
        if let Some(states) = &self.states {
            facts.backends = states.backends(at);
            facts.dead_routes = states.dead_routes(at);
        }
        if let Some(outcomes) = &self.outcomes {
            let levels = outcomes.levels(at);
            facts.measurements.extend(error_rates(&levels, &self.settings));
            facts.burns = burn_facts(levels, &self.settings, &self.mock);
        }
        if let Some((_, latest)) = self.hours.range(..=at).next_back() {
            facts.measurements.extend(latest.iter().cloned());
        }
        if self.has_key_dates {
            facts.measurements.extend(key_times(&self.settings, at));
        }
        if let Some(ended) = self.runs.iter().rfind(|ended| **ended <= at) {
            facts.measurements.push(checks_age(*ended, at));
        }
        if let Some(samples) = &self.samples {
            let (found, missing) = samples.at(at);
            facts.measurements.extend(found);
            facts.unmeasured.extend(missing);
        }
        if let Some(starts) = &self.starts {
            facts.measurements.extend(starts.at(at));
        }
        if let Some(services) = &self.services {
            facts.is_offline = services.is_offline(at);
            facts.services = services.at(at);
        }
        facts.budgets = facts_at(&self.marks, at);
        facts.first_uses = facts_at(&self.first_uses, at);
        facts.stopped_clients = facts_at(&self.stopped_clients, at);
        facts.unused_keys = facts_at(&self.unused_keys, at);
        facts.keys = key_faults_at(&self.key_faults, at);
        facts
    }
}

/// The moments in `from..until` that are whole days before or after `day`.
fn days_since(
    day: WallTime,
    from: WallTime,
    until: WallTime,
) -> impl Iterator<Item = WallTime> + use<> {
    let first = from.unix_ms() + (day.unix_ms() - from.unix_ms()).rem_euclid(DAY_MS);
    let step = usize::try_from(DAY_MS).unwrap_or(1);
    (first..until.unix_ms()).step_by(step).map(WallTime::from_unix_ms)
}

fn visible(firings: Vec<PastFiring>, from: WallTime) -> Vec<PastFiring> {
    firings.into_iter().filter(|it| it.ended.is_none_or(|ended| ended > from)).collect()
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
