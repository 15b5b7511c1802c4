//! Gathers the facts that alerts are judged by.

mod configured;
mod dead_routes;

use std::collections::BTreeMap;
use std::sync::Arc;

use alerts::{
    AlertRule, BackendFact, BackendFault, BudgetFact, BurnFact, BurnSubject, ChannelFact, Facts,
    GatewayFact, Impact, KeyFact, LedgerFact, Measurement, ServiceFact, VaultFact,
};
use budgets::BudgetStatus;
use domain::{
    BackendId, BudgetMark, Clock, CredentialId, DAY_MS, Origin, RouteId, ServiceId, ShownCurrency,
    WallTime,
};
use endpoints::EndpointRegistry;
use jiff::tz::TimeZone;
use resilience::BlockReason;
use routing::{ModelSet, ServedModels};
use service_levels::{Burn, BurnSpeed, BurnWindow};
use settings::{BackendSettings, ServiceSettings, Settings, SettingsStore};
use vault::{Vault, VaultState};

use crate::alerts::measurements::{Measured, MeasurementWatch, shown_currency};
use crate::budgets::notice::BudgetNotice;
use crate::budgets::watch::{BudgetWatch, crossing};
use crate::configured::{BackendQuota, backend_labels, backend_quotas};
use crate::gateway::server::{GatewayFault, GatewayServer};
use crate::gateway::snapshot::SnapshotStore;
use crate::health::backend_states::BackendStates;
use crate::health::backend_watch::HealthWatch;
use crate::health::objectives::LevelScope;
use crate::health::quality_watch::QualityWatch;
use crate::health::service_level_watch::{ServiceLevel, ServiceLevelWatch};
use crate::health::service_watch::ServiceWatch;
use crate::keys::balances::{KeyBalance, KeyBalances};
use crate::keys::statuses::{KeyState, KeyStatus, KeyStatuses};
use crate::ledger_file::problem::LedgerSeverity;
use crate::ledger_file::watch::LedgerWatch;
use crate::process::local_resources::LocalResources;

pub(crate) struct AlertSources {
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) snapshots: Arc<SnapshotStore>,
    pub(crate) registry: Arc<EndpointRegistry>,
    pub(crate) health: Arc<HealthWatch>,
    pub(crate) services: Arc<ServiceWatch>,
    pub(crate) states: Arc<BackendStates>,
    pub(crate) keys: Arc<KeyStatuses>,
    pub(crate) budgets: Arc<BudgetWatch>,
    pub(crate) gateway: Arc<GatewayServer>,
    pub(crate) ledger: Arc<LedgerWatch>,
    pub(crate) service_levels: Arc<ServiceLevelWatch>,
    pub(crate) measured: Arc<MeasurementWatch>,
    pub(crate) quality: Arc<QualityWatch>,
    pub(crate) local: Arc<LocalResources>,
    pub(crate) balances: Arc<KeyBalances>,
    pub(crate) vault: Vault,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) mock: BackendId,
}

impl AlertSources {
    /// `channels` are those that do not work.
    pub(crate) fn facts(&self, channels: Vec<ChannelFact>) -> Facts {
        let settings = self.settings.current();
        let served = self.snapshots.current().routes.served_models();
        let served = self.states.without_limited(&settings, served);
        let known = self.known_backends(&settings);
        let KeyFacts { faults: keys, unverified: unverified_keys, accepted: accepted_keys } =
            self.keys(&settings);
        let Measured {
            mut measurements,
            unused_keys,
            first_uses,
            stopped_clients,
            mut unmeasured,
            ..
        } = self.measured.latest();
        match self.quality.latencies() {
            Some(latencies) => measurements.extend(latencies),
            None => drop(unmeasured.insert(AlertRule::SlowAnswers)),
        }
        let levels = self.service_levels.latest();
        match levels.is_empty() {
            // They were not counted yet.
            true => drop(unmeasured.insert(AlertRule::ErrorRate)),
            false => measurements.extend(error_rates(&levels, &settings)),
        }
        measurements.extend(self.quotas(&settings));
        let (balances, unknown_balances) = self.balances(&settings);
        measurements.extend(balances);
        measurements.extend(key_times(&settings, self.clock.wall()));
        measurements.extend(self.told_ends(&settings));
        let (local, unmeasured_locally) = self.local.measurements();
        measurements.extend(local);
        unmeasured.extend(unmeasured_locally);
        if self.vault.state() == VaultState::Unchecked {
            unmeasured.insert(AlertRule::VaultFault);
        }
        if !self.gateway.is_started() {
            unmeasured.insert(AlertRule::GatewayFault);
        }
        Facts {
            is_offline: self.health.is_offline(),
            configured: Some(self.configured(&settings)),
            backends: settings
                .backends_on()
                .map(|(id, backend)| backend_fact(id, backend, &known, &served))
                .collect(),
            services: self.services(&settings),
            dead_routes: self.dead_routes(&settings, &known),
            keys,
            unverified_keys,
            accepted_keys,
            budgets: self.budgets(&settings),
            burns: burn_facts(levels, &settings, &self.mock),
            channels,
            vault: self.vault_fault(&settings),
            unused_keys,
            first_uses,
            stopped_clients,
            measurements,
            unknown_balances,
            unmeasured,
            gateway: self.gateway.fault().as_ref().map(gateway_fact),
            ledger: self.ledger.problems().into_iter().next().map(|problem| LedgerFact {
                cause: problem.id,
                title: problem.title,
                fix: problem.fix,
                is_problem: problem.severity == LedgerSeverity::Problem,
            }),
        }
    }

    /// What is known of each backend that requests may go to.
    fn known_backends(&self, settings: &Settings) -> KnownBackends {
        let all = settings.backends_on().map(|(id, _)| id).chain([&self.mock]);
        let known = |id: &BackendId| {
            let (fault, reason) = self.states.fault(settings, id);
            let can_answer = self.states.can_answer(settings, id);
            (id.clone(), KnownBackend { fault, reason, can_answer })
        };
        all.map(known).collect()
    }

    fn services(&self, settings: &Settings) -> Vec<ServiceFact> {
        let fact = |(id, known): (&ServiceId, &ServiceSettings)| {
            let health = self.services.health(id)?;
            Some(ServiceFact {
                id: id.clone(),
                label: known.label.clone(),
                is_local: known.address.is_loopback(),
                is_required: known.required,
                is_down: health.state.is_up().map(|is_up| !is_up),
                reason: health.reason,
            })
        };
        settings.services.iter().filter_map(fact).collect()
    }

    /// What is left of the limits of backends all of whose keys are known to have one: as much as by
    /// the best of them.
    fn quotas(&self, settings: &Settings) -> Vec<Measurement> {
        let quota = |BackendQuota { backend, label, left }| Measurement::Quota {
            backend,
            label,
            limit: left.kind.word().replace('-', " "),
            remaining: left.remaining,
            total: left.limit,
        };
        backend_quotas(&self.registry, settings, &self.mock).into_iter().map(quota).collect()
    }

    /// What is left behind keys, where it is used up or lasts for a known time; and the keys of which
    /// that is not known now.
    fn balances(&self, settings: &Settings) -> (Vec<Measurement>, Vec<CredentialId>) {
        let (shown, now) = (shown_currency(settings), self.clock.wall());
        let (mut measured, mut unknown) = (Vec::new(), Vec::new());
        for (key, known) in self.balances.balances() {
            match known {
                Some(KeyBalance { reading: Some(reading), .. }) if reading.is_current(now) => {
                    let (days, left) = (reading.days_left, reading.amount(shown));
                    let kind = reading.balance.kind;
                    if days.is_some() || reading.is_used_up() {
                        measured.push(Measurement::Balance { key, kind, left, days });
                    }
                }
                // The provider sets no limit.
                Some(KeyBalance { reading: None, problem: None, .. }) => {}
                _ => unknown.push(key),
            }
        }
        (measured, unknown)
    }

    /// When keys end whose services told it, where the user did not.
    fn told_ends(&self, settings: &Settings) -> Vec<Measurement> {
        let now = self.clock.wall().unix_ms();
        let end = |(id, service): (&ServiceId, &ServiceSettings)| {
            let key = service.credential.clone()?;
            let is_known = settings.credentials.get(&key).is_some_and(|it| it.expires.is_some());
            let expires = self.services.account(id)?.expires.filter(|_| !is_known)?;
            let days = (expires.unix_ms() - now).div_euclid(DAY_MS);
            Some(Measurement::KeyExpiry { key, days })
        };
        settings.services.iter().filter_map(end).collect()
    }

    /// A vault without keys is nobody's trouble.
    fn vault_fault(&self, settings: &Settings) -> Option<VaultFact> {
        match self.vault.state() {
            VaultState::Unchecked | VaultState::Ready => None,
            _ if settings.credentials.is_empty() => None,
            state => Some(VaultFact {
                hint: state.hint().replace('`', ""),
                is_needed: settings
                    .backends_on()
                    .any(|(_, known)| known.pool.credentials().next().is_some()),
            }),
        }
    }

    fn keys(&self, settings: &Settings) -> KeyFacts {
        let mut users: BTreeMap<&CredentialId, Vec<&BackendId>> = BTreeMap::new();
        for (backend, known) in settings.backends_on() {
            for key in known.pool.credentials() {
                users.entry(key).or_default().push(backend);
            }
        }
        let fault_at = |key: &CredentialId, backend: &BackendId| {
            let of_key = self.keys.status(key).state.fault().map(|what| (what, REPLACE_KEY));
            of_key.or_else(|| self.states.key_block(settings, backend, key).map(block_fault))
        };
        let mut all = KeyFacts::default();
        for (id, backends) in users {
            let found = backends.iter().find_map(|backend| fault_at(id, backend));
            let Some((what, fix)) = found else {
                all.add_accepted(id, &self.keys.status(id));
                continue;
            };
            let has_no_other = |backend: &&BackendId| {
                let known = settings.backends.get(*backend);
                let is_lost = |key| fault_at(key, backend).is_some();
                known.is_some_and(|known| known.pool.credentials().all(is_lost))
            };
            let needed_by = backends.into_iter().filter(has_no_other).cloned().collect();
            all.faults.push(KeyFact { id: id.clone(), what, fix, needed_by });
        }
        all
    }

    fn budgets(&self, settings: &Settings) -> Vec<BudgetFact> {
        let (now, zone) = (self.clock.wall(), TimeZone::system());
        let shown = settings.currency.shown().0;
        let statuses = self.budgets.statuses();
        statuses.iter().flat_map(|status| budget_facts(status, now, &zone, shown)).collect()
    }
}

/// What is to be told of a budget at a moment.
pub(crate) fn budget_facts(
    status: &BudgetStatus,
    at: WallTime,
    zone: &TimeZone,
    shown: ShownCurrency,
) -> Vec<BudgetFact> {
    let mut marks = status.marks(at);
    if marks.contains(&BudgetMark::Refused) {
        marks.retain(|mark| *mark != BudgetMark::Forecast);
    }
    let fact = |mark: BudgetMark| {
        let notice = BudgetNotice::of(status, crossing(status, mark, at), zone, shown);
        BudgetFact {
            id: status.id.clone(),
            mark,
            // A rolling budget has no period: its marks are told again when they come again.
            period_from: match status.budget.schedule.is_rolling() {
                true => WallTime::default(),
                false => status.from,
            },
            title: notice.title,
            message: notice.message,
        }
    };
    marks.into_iter().map(fact).collect()
}

/// What is known of the keys of enabled backends.
#[derive(Default)]
struct KeyFacts {
    faults: Vec<KeyFact>,
    unverified: Vec<CredentialId>,
    accepted: BTreeMap<CredentialId, WallTime>,
}

impl KeyFacts {
    /// Adds a key without a fault.
    fn add_accepted(&mut self, id: &CredentialId, status: &KeyStatus) {
        match (status.state, status.verified_at) {
            (KeyState::Unverified, _) => self.unverified.push(id.clone()),
            (KeyState::Valid, Some(at)) => drop(self.accepted.insert(id.clone(), at)),
            _ => {}
        }
    }
}

/// What is known of a backend that requests may go to.
struct KnownBackend {
    fault: BackendFault,
    reason: String,
    can_answer: bool,
}

type KnownBackends = BTreeMap<BackendId, KnownBackend>;

fn backend_fact(
    id: &BackendId,
    backend: &BackendSettings,
    known: &KnownBackends,
    served: &[ServedModels],
) -> BackendFact {
    let own = known.get(id).map(|it| (it.fault, it.reason.clone()));
    let (fault, reason) = own.unwrap_or((BackendFault::Unknown, String::new()));
    BackendFact {
        id: id.clone(),
        label: backend.label.clone(),
        server: server_name(id, backend),
        is_local: backend.is_local(),
        fault,
        reason,
        impact: impact(id, known, served),
    }
}

fn impact(id: &BackendId, known: &KnownBackends, served: &[ServedModels]) -> Impact {
    let mut impact = Impact::default();
    let can_answer = |other: &BackendId| known.get(other).is_some_and(|it| it.can_answer);
    for models in served.iter().filter(|it| it.backends.contains(id)) {
        match (&models.models, models.require(id, can_answer)) {
            (ModelSet::Route(route), true) => drop(impact.uncovered.insert(route.clone())),
            (ModelSet::Route(route), false) => drop(impact.covered.insert(route.clone())),
            (ModelSet::Listed(names), true) => impact.models_uncovered += names.len() as u64,
            (ModelSet::Listed(_), false) => impact.models_covered = true,
            // Any other name: there is no telling whether anybody uses one.
            (ModelSet::Unlisted, _) => {}
        }
    }
    impact
}

/// Service levels whose allowed failures are used up too fast.
pub(crate) fn burn_facts(
    levels: Vec<ServiceLevel>,
    settings: &Settings,
    mock: &BackendId,
) -> Vec<BurnFact> {
    let labels = backend_labels(settings, mock);
    let candidates = |id: &RouteId| -> Vec<BackendId> {
        let route = settings.routes.get(id);
        let all = route.into_iter().flat_map(|route| &route.candidates);
        all.map(|candidate| candidate.backend.clone()).collect()
    };
    let fact = |level: ServiceLevel| {
        let Burn::Burning { rule, rate } = level.burn else { return None };
        let subject = match level.scope {
            LevelScope::Gateway => BurnSubject::Gateway,
            LevelScope::Route(id) => BurnSubject::Route { backends: candidates(&id), id },
            LevelScope::Backend(id) => BurnSubject::Backend {
                label: labels.get(id.as_str()).cloned().unwrap_or_else(|| id.to_string()),
                id,
            },
            // It has no requests that could fail.
            LevelScope::Service(_) => return None,
        };
        let counts = level.counts.get(&rule.long).copied().unwrap_or_default();
        Some(BurnFact {
            subject,
            is_fast: rule.speed == BurnSpeed::Fast,
            failed: counts.bad,
            requests: counts.valid(),
            window: rule.long.word().to_owned(),
            times_allowed: rate,
        })
    };
    levels.into_iter().filter_map(fact).collect()
}

/// Failed requests to each enabled backend.
pub(crate) fn error_rates(levels: &[ServiceLevel], settings: &Settings) -> Vec<Measurement> {
    let rate = |level: &ServiceLevel| {
        let LevelScope::Backend(id) = &level.scope else { return None };
        let known = settings.backends.get(id).filter(|_| settings.is_backend_on(id))?;
        let counts = level.counts(BurnWindow::HalfHour);
        let (backend, label) = (id.clone(), known.label.clone());
        Some(Measurement::Errors { backend, label, failed: counts.bad, requests: counts.valid() })
    };
    levels.iter().filter_map(rate).collect()
}

/// How old each key is at a moment, and when it ends. Nothing is known of one before it was made or
/// replaced.
pub(crate) fn key_times(settings: &Settings, at: WallTime) -> Vec<Measurement> {
    let days = |ms: i64| ms.div_euclid(DAY_MS);
    let mut found = Vec::new();
    for (key, known) in &settings.credentials {
        let since = known.replaced.unwrap_or(known.created);
        if since > at {
            continue;
        }
        let age = days(at.unix_ms() - since.unix_ms());
        found.push(Measurement::KeyAge { key: key.clone(), days: age });
        if let Some(expires) = known.expires {
            let left = days(expires.unix_ms() - at.unix_ms());
            found.push(Measurement::KeyExpiry { key: key.clone(), days: left });
        }
    }
    found
}

/// A port is chosen in the settings; why it does not answer is for the checks to find out.
fn gateway_fact(fault: &GatewayFault) -> GatewayFact {
    let path = if fault.is_listening { "/readiness" } else { "/settings?part=Gateway" };
    GatewayFact { title: fault.title(), fix: fault.fix().replace('`', ""), path }
}

pub(crate) const REPLACE_KEY: &str = "Replace the key.";

/// Completes "the key …", and what to do.
#[must_use]
pub const fn block_fault(block: BlockReason) -> (&'static str, &'static str) {
    match block {
        BlockReason::KeyRejected => ("was rejected", REPLACE_KEY),
        BlockReason::Forbidden => ("has no permission", REPLACE_KEY),
        BlockReason::Unpaid => ("has no credit left", alerts::ADD_CREDIT),
        BlockReason::QuotaExhausted => ("has reached its spend limit", alerts::ADD_CREDIT),
    }
}

/// Host and port in short form, or the id of a backend that has none. Backends with the same one fail
/// together.
pub(crate) fn server_name(id: &BackendId, known: &BackendSettings) -> String {
    let Ok(origin) = Origin::from_url(&known.base_url) else { return id.to_string() };
    let text = origin.to_string();
    let host = text.split_once("://").map_or(text.as_str(), |(_, host)| host);
    host.strip_suffix(":443").unwrap_or(host).to_owned()
}
