//! The states of this moment.

use std::sync::atomic::AtomicU64;

use domain::{AlertSeverity, NanoUsd, ShownHealth};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use resilience::EndpointState;

use super::{MetricsExporter, PREFIX, dollars};
use crate::configured::configured_endpoints;
use crate::engine::VERSION;
use crate::ledger_file::problem::LedgerSeverity;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    backend: String,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SeverityLabels {
    severity: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BudgetLabels {
    budget: String,
}

type DollarGauge = Family<BudgetLabels, Gauge<f64, AtomicU64>>;

/// The states of a backend that is on.
const BACKEND_STATES: [ShownHealth; 4] =
    [ShownHealth::Up, ShownHealth::Degraded, ShownHealth::Down, ShownHealth::Unknown];
/// The words of a breaker's states.
const BREAKER_STATES: [&str; 4] = ["closed", "open", "half_open", "recovering"];

impl MetricsExporter {
    /// The states, read now.
    pub(super) fn states(&self) -> Registry {
        let mut registry = Registry::with_prefix(PREFIX);
        let build = Info::new([("version", VERSION)]);
        registry.register("build", "The program that serves these figures", build);
        let offline: Gauge = Gauge::default();
        offline.set(self.states.health.is_offline().into());
        registry.register("offline", "1 while no network leads off this machine", offline);
        self.add_backends(&mut registry);
        self.add_breakers(&mut registry);
        self.add_budgets(&mut registry);
        self.add_problems(&mut registry);
        self.add_local(&mut registry);
        registry
    }

    /// What was sampled last; nothing where the system says nothing.
    fn add_local(&self, registry: &mut Registry) {
        let Some(sample) = self.local.latest() else { return };
        let percents = [
            (
                "app_processor_percent",
                "Processor time of this program in percent of a core",
                sample.app_processor_percent,
            ),
            (
                "machine_processor_percent",
                "Processor time in use on this machine in percent of all cores",
                sample.machine_processor_percent,
            ),
            (
                "machine_memory_percent",
                "Memory in use on this machine in percent",
                sample.machine_memory_percent,
            ),
        ];
        for (name, help, value) in percents {
            let Some(value) = value else { continue };
            let gauge = Gauge::<f64, AtomicU64>::default();
            gauge.set(value);
            registry.register(name, help, gauge);
        }
        let counts = [
            ("app_memory_bytes", "Memory that this program holds", sample.app_memory_bytes),
            ("disk_free_bytes", "Free space on the disk with the ledger", sample.disk_free_bytes),
            ("ledger_bytes", "Size of the ledger with its log", Some(sample.ledger_bytes)),
            ("ledger_log_bytes", "Size of the ledger's log", Some(sample.ledger_log_bytes)),
            (
                "ledger_slow_statements",
                "Statements of the ledger that took 100 ms or longer since the start",
                Some(sample.slow_statements),
            ),
        ];
        for (name, help, value) in counts {
            let Some(value) = value else { continue };
            let gauge: Gauge = Gauge::default();
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
            registry.register(name, help, gauge);
        }
    }

    fn add_backends(&self, registry: &mut Registry) {
        let states = Family::<StateLabels, Gauge>::default();
        let settings = self.settings.current();
        let backends = std::iter::once(&self.mock).chain(settings.backends_on().map(|(id, _)| id));
        for id in backends {
            let Some(health) = self.states.health(id) else { continue };
            for state in BACKEND_STATES {
                let labels = StateLabels { backend: id.to_string(), state: state.word() };
                states.get_or_create(&labels).set((health.state() == state).into());
            }
        }
        let help = "1 for the state that a backend is in; one that is degraded answers, but badly";
        registry.register("backend_state", help, states);
    }

    /// Counted by backend, since a label must not name a key.
    fn add_breakers(&self, registry: &mut Registry) {
        let states = Family::<StateLabels, Gauge>::default();
        for endpoint in configured_endpoints(&self.settings.current(), &self.mock) {
            let current = breaker_word(self.states.registry.status(&endpoint).breaker);
            for state in BREAKER_STATES {
                let labels = StateLabels { backend: endpoint.backend.to_string(), state };
                states.get_or_create(&labels).inc_by((state == current).into());
            }
        }
        let help =
            "Keys of a backend, or the backend itself if it has none, by their breaker's state";
        registry.register("breakers", help, states);
    }

    fn add_budgets(&self, registry: &mut Registry) {
        let (limits, left) = (DollarGauge::default(), DollarGauge::default());
        let now = self.clock.wall();
        for status in self.budgets.statuses() {
            let labels = BudgetLabels { budget: status.id.to_string() };
            let limit = status.limit(now);
            let used = status.taken().nanos();
            let rest = NanoUsd::new(limit.nanos().saturating_sub(used));
            limits.get_or_create(&labels).set(dollars(limit));
            left.get_or_create(&labels).set(dollars(rest));
        }
        let help = "Limit of a budget in US dollars, temporary increases included";
        registry.register("budget_limit_dollars", help, limits);
        let help = "What a budget has left in US dollars; below zero if it is overspent";
        registry.register("budget_left_dollars", help, left);
    }

    fn add_problems(&self, registry: &mut Registry) {
        let alerts = Family::<SeverityLabels, Gauge>::default();
        for severity in AlertSeverity::ALL {
            alerts.get_or_create(&SeverityLabels { severity: severity.word() }).set(0);
        }
        for alert in self.alerts.alerts().iter().filter(|alert| alert.is_firing()) {
            let severity = alert.condition.severity.word();
            alerts.get_or_create(&SeverityLabels { severity }).inc();
        }
        registry.register("alerts_firing", "Alerts that fire", alerts);
        let problems = Family::<SeverityLabels, Gauge>::default();
        let found = self.ledger.problems();
        for (severity, word) in
            [(LedgerSeverity::Attention, "attention"), (LedgerSeverity::Problem, "problem")]
        {
            let count = found.iter().filter(|problem| problem.severity == severity).count();
            let labels = SeverityLabels { severity: word };
            problems.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        registry.register("ledger_problems", "Problems of the ledger", problems);
    }
}

const fn breaker_word(state: EndpointState) -> &'static str {
    match state {
        EndpointState::Closed => "closed",
        EndpointState::Open => "open",
        EndpointState::HalfOpen => "half_open",
        EndpointState::Recovering { .. } => "recovering",
    }
}
