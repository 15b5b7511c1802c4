//! What settled requests count.

use std::collections::HashSet;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use domain::{Meter, TokenClass};
use gateway::RequestSummary;
use ledger::Purpose;
use parking_lot::Mutex;
use pricing::Cost;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::{PREFIX, dollars};
use crate::telemetry::model_names::{ModelNames, OTHER};

/// Most sets of labels of one metric. Further ones count for [`OTHER`].
const LABEL_SETS_MAX: usize = 1_000;

/// Upper bounds of the buckets, in seconds: from an answer of the cache to a long reasoning.
const SECONDS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// Labels of a metric. A label without a value is empty, which Prometheus reads as absent.
trait Labels: EncodeLabelSet + Clone + Eq + Hash + Debug {
    /// The set that counts what is over the limit.
    fn other() -> Self;
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    backend: String,
    route: String,
    model: String,
    dialect: String,
    status: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ModelLabels {
    backend: String,
    model: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TokenLabels {
    backend: String,
    model: String,
    meter: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BackendLabels {
    backend: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheLabels {
    result: &'static str,
}

impl Labels for RequestLabels {
    fn other() -> Self {
        let [backend, route, model, dialect] = [OTHER; 4].map(str::to_owned);
        Self { backend, route, model, dialect, status: OTHER, outcome: OTHER }
    }
}

impl Labels for ModelLabels {
    fn other() -> Self {
        Self { backend: OTHER.to_owned(), model: OTHER.to_owned() }
    }
}

impl Labels for TokenLabels {
    fn other() -> Self {
        Self { backend: OTHER.to_owned(), model: OTHER.to_owned(), meter: OTHER }
    }
}

impl Labels for BackendLabels {
    fn other() -> Self {
        Self { backend: OTHER.to_owned() }
    }
}

type DollarCounter = Counter<f64, AtomicU64>;
type Seconds = LimitedFamily<BackendLabels, Histogram, fn() -> Histogram>;

/// A metric with at most [`LABEL_SETS_MAX`] sets of labels.
struct LimitedFamily<L, M, C = fn() -> M> {
    family: Family<L, M, C>,
    known: Mutex<HashSet<L>>,
}

impl<L: Labels, M: Clone, C: MetricConstructor<M>> LimitedFamily<L, M, C> {
    fn new(constructor: C) -> Self {
        Self { family: Family::new_with_constructor(constructor), known: Mutex::default() }
    }

    /// The metric of `labels`, or of the others where there are as many sets as there may be.
    fn get(&self, labels: L) -> M {
        let mut known = self.known.lock();
        // One place is kept for the others.
        let fits = known.contains(&labels) || known.len() < LABEL_SETS_MAX - 1;
        let labels = if fits { labels } else { L::other() };
        if !known.contains(&labels) {
            known.insert(labels.clone());
        }
        self.family.get_or_create_owned(&labels)
    }
}

pub(crate) struct TrafficMetrics {
    registry: Registry,
    requests: LimitedFamily<RequestLabels, Counter>,
    tokens: LimitedFamily<TokenLabels, Counter>,
    cost: LimitedFamily<ModelLabels, DollarCounter>,
    unpriced: LimitedFamily<ModelLabels, Counter>,
    cache: Family<CacheLabels, Counter>,
    queue: Histogram,
    first_token: Seconds,
    total: Seconds,
    models: Arc<ModelNames>,
}

impl TrafficMetrics {
    pub(crate) fn new(models: Arc<ModelNames>) -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix(PREFIX),
            requests: LimitedFamily::new(Counter::default),
            tokens: LimitedFamily::new(Counter::default),
            cost: LimitedFamily::new(DollarCounter::default),
            unpriced: LimitedFamily::new(Counter::default),
            cache: Family::default(),
            queue: histogram(),
            first_token: LimitedFamily::new(histogram),
            total: LimitedFamily::new(histogram),
            models,
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "requests",
            "Settled requests of clients. A model is named once a backend has answered for it",
            self.requests.family.clone(),
        );
        registry.register("tokens", "Tokens of settled requests", self.tokens.family.clone());
        registry.register(
            "cost_dollars",
            "Known cost of settled requests in US dollars",
            self.cost.family.clone(),
        );
        registry.register(
            "unpriced_requests",
            "Settled requests whose cost is unknown and so is in no sum",
            self.unpriced.family.clone(),
        );
        registry.register(
            "cache_requests",
            "Settled requests by the result of the response cache",
            self.cache.clone(),
        );
        let times = [
            ("first_token", "Time from the arrival to the first content", &self.first_token),
            ("request", "Time from the arrival to the end of the answer", &self.total),
        ];
        for (name, help, seconds) in times {
            registry.register_with_unit(name, help, Unit::Seconds, seconds.family.clone());
        }
        let help = "Time from the arrival until a slot was free";
        registry.register_with_unit("queue", help, Unit::Seconds, self.queue.clone());
    }

    pub(super) const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Counts a request of a client; checks and probes count for nothing.
    pub(super) fn record(&self, summary: &RequestSummary) {
        if summary.purpose != Purpose::User {
            return;
        }
        let backend = summary.backend.as_ref().map(ToString::to_string).unwrap_or_default();
        let model = self.models.label(&summary.model_asked, summary.is_answered_by_backend());
        let labels = RequestLabels {
            backend: backend.clone(),
            route: summary.route.clone(),
            model: model.clone(),
            dialect: summary.dialect.clone(),
            status: status_class(summary.http_status),
            outcome: summary.outcome.word(),
        };
        self.requests.get(labels).inc();
        self.cache.get_or_create(&CacheLabels { result: summary.cache.word() }).inc();
        self.record_usage(summary, &ModelLabels { backend: backend.clone(), model });
        self.record_times(summary, &BackendLabels { backend });
    }

    fn record_usage(&self, summary: &RequestSummary, labels: &ModelLabels) {
        let counts = summary.usage.iter().flat_map(|usage| {
            TokenClass::ALL.iter().map(|class| (Meter::of_text(*class), usage.get(*class)))
        });
        for (meter, count) in counts.filter(|(_, count)| *count > 0) {
            let ModelLabels { backend, model } = labels.clone();
            self.tokens.get(TokenLabels { backend, model, meter: meter.word() }).inc_by(count);
        }
        // The mock's money is pretended, and counts in no sum.
        if labels.backend == settings::MOCK_BACKEND_ID {
            return;
        }
        match (&summary.cost, summary.cost.amount()) {
            (Cost::NotBilled, _) => {}
            (_, Some(amount)) => {
                // A counter never falls, and no cost is below zero.
                self.cost.get(labels.clone()).inc_by(dollars(amount).max(0.0));
            }
            (_, None) => drop(self.unpriced.get(labels.clone()).inc()),
        }
    }

    fn record_times(&self, summary: &RequestSummary, labels: &BackendLabels) {
        let timings = summary.timings;
        if let Some(waited) = timings.queue {
            self.queue.observe(waited.as_secs_f64());
        }
        let observe = |seconds: &Seconds, taken: Option<Duration>| {
            if let Some(taken) = taken {
                seconds.get(labels.clone()).observe(taken.as_secs_f64());
            }
        };
        observe(&self.first_token, timings.first_token);
        observe(&self.total, timings.total);
    }
}

fn histogram() -> Histogram {
    Histogram::new(SECONDS)
}

/// The class of a status; `none` for a client that left before it got one.
const fn status_class(status: Option<u16>) -> &'static str {
    match status {
        None => "none",
        Some(..=299) => "2xx",
        Some(300..=399) => "3xx",
        Some(400..=499) => "4xx",
        Some(500..) => "5xx",
    }
}

#[cfg(test)]
mod tests;
