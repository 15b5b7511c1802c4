//! The monitor of backends and that of services, with the interval of the settings, and the health of
//! backends with its network gate and the quality of their answers.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use domain::Entropy;
use endpoints::EndpointRegistry;
use gateway::Upstream;
use monitor::{Monitor, WatchedId};
use parking_lot::Mutex;

use crate::alerts::history::AlertHistory;
use crate::alerts::measurements::MeasurementWatch;
use crate::budgets::watch::BudgetWatch;
use crate::costs::reports::CostReports;
use crate::engine::{BackendParts, BaseParts};
use crate::gateway::server::GatewayServer;
use crate::health::backend_states::BackendStates;
use crate::health::backend_watch::HealthWatch;
use crate::health::network_gate::NetworkGate;
use crate::health::quality_watch::QualityWatch;
use crate::health::service_level_watch::ServiceLevelWatch;
use crate::keys::balances::KeyBalances;
use crate::process::local_resources::LocalResources;
use crate::wiring::client_wiring::ClientWiring;
use crate::wiring::tool_watch::ToolWatch;

pub(super) fn health_watch(
    base: &BaseParts,
    network: Arc<dyn Upstream>,
    registry: &Arc<EndpointRegistry>,
) -> HealthWatch {
    let gate = NetworkGate {
        has_no_route: base.is_offline,
        network,
        settings: Arc::clone(&base.settings),
        clock: Arc::clone(&base.clock),
        events: base.events.clone(),
        registry: Arc::clone(registry),
        reach: Mutex::default(),
        judged: tokio::sync::Mutex::default(),
    };
    HealthWatch {
        monitor: monitor(base),
        settings: Arc::clone(&base.settings),
        ledger: base.ledger.clone(),
        clock: Arc::clone(&base.clock),
        events: base.events.clone(),
        mock: base.mock.clone(),
        gate: Arc::new(gate),
        tasks: base.tasks.clone(),
        last_use: Mutex::new(base.clock.now()),
        is_on_battery: AtomicBool::new(false),
    }
}

pub(super) fn quality_watch(
    base: &BaseParts,
    backends: &BackendParts,
    service_levels: &Arc<ServiceLevelWatch>,
    measured: &Arc<MeasurementWatch>,
) -> Arc<QualityWatch> {
    Arc::new(QualityWatch {
        settings: Arc::clone(&base.settings),
        ledger: base.ledger.clone(),
        health: Arc::clone(&backends.health),
        service_levels: Arc::clone(service_levels),
        measured: Arc::clone(measured),
        clock: Arc::clone(&base.clock),
        events: base.events.clone(),
        judged: Mutex::default(),
        spans: Mutex::default(),
    })
}

pub(super) fn backend_states(
    base: &BaseParts,
    backends: &BackendParts,
    quality: &Arc<QualityWatch>,
) -> Arc<BackendStates> {
    Arc::new(BackendStates {
        settings: Arc::clone(&base.settings),
        registry: Arc::clone(&backends.registry),
        health: Arc::clone(&backends.health),
        quality: Arc::clone(quality),
        keys: Arc::clone(&backends.keys),
        clock: Arc::clone(&base.clock),
        mock: base.mock.clone(),
    })
}

pub(super) fn tool_watch(
    base: &BaseParts,
    wiring: &ClientWiring,
    gateway: &Arc<GatewayServer>,
) -> Arc<ToolWatch> {
    Arc::new(ToolWatch {
        wiring: wiring.clone(),
        settings: Arc::clone(&base.settings),
        gateway: Arc::clone(gateway),
        events: base.events.clone(),
        seen: Mutex::default(),
        looking: tokio::sync::Mutex::default(),
    })
}

/// What alerts are judged by that others watch.
pub(super) struct Judged {
    pub(super) measured: Arc<MeasurementWatch>,
    pub(super) quality: Arc<QualityWatch>,
    pub(super) states: Arc<BackendStates>,
    pub(super) local: Arc<LocalResources>,
    pub(super) balances: Arc<KeyBalances>,
}

impl Judged {
    pub(super) fn of(
        measured: &Arc<MeasurementWatch>,
        quality: &Arc<QualityWatch>,
        states: &Arc<BackendStates>,
        local: &Arc<LocalResources>,
        balances: &Arc<KeyBalances>,
    ) -> Self {
        Self {
            measured: Arc::clone(measured),
            quality: Arc::clone(quality),
            states: Arc::clone(states),
            local: Arc::clone(local),
            balances: Arc::clone(balances),
        }
    }
}

pub(super) fn monitor<Id: WatchedId>(base: &BaseParts) -> Monitor<Id> {
    let interval = Duration::from_secs(base.settings.current().health.interval_secs);
    Monitor::new(interval, Box::new(SharedEntropy(Arc::clone(&base.entropy))))
}

/// Shares one entropy source between several owners.
struct SharedEntropy(Arc<dyn Entropy>);

impl Entropy for SharedEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}

pub(super) fn alert_history(
    base: &BaseParts,
    (budgets, cost_reports): (&Arc<BudgetWatch>, &Arc<CostReports>),
    (service_levels, local): (&Arc<ServiceLevelWatch>, &Arc<LocalResources>),
) -> AlertHistory {
    AlertHistory {
        settings: Arc::clone(&base.settings),
        ledger: base.ledger.clone(),
        service_levels: Arc::clone(service_levels),
        budgets: Arc::clone(budgets),
        cost_reports: Arc::clone(cost_reports),
        local: Arc::clone(local),
        clock: Arc::clone(&base.clock),
        mock: base.mock.clone(),
    }
}
