//! Figures for Prometheus, in the OpenMetrics text format.
//!
//! States are read when they are asked for; traffic is counted as it settles. No label holds a key, a
//! prompt or a path, and each set of labels has a limit.

mod state;
mod traffic;

use std::sync::Arc;

use domain::{BackendId, Clock, NanoUsd};
use gateway::{MetricsSource, RequestSummary};
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use settings::SettingsStore;

use crate::alerts::watch::AlertWatch;
use crate::budgets::watch::BudgetWatch;
use crate::health::backend_states::BackendStates;
use crate::ledger_file::watch::LedgerWatch;
use crate::process::local_resources::LocalResources;

pub(crate) use traffic::TrafficMetrics;

/// Begin of the name of every metric.
const PREFIX: &str = "gatehouse";

pub struct MetricsExporter {
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) states: Arc<BackendStates>,
    pub(crate) budgets: Arc<BudgetWatch>,
    pub(crate) ledger: Arc<LedgerWatch>,
    pub(crate) alerts: Arc<AlertWatch>,
    pub(crate) local: Arc<LocalResources>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) mock: BackendId,
    pub(crate) traffic: TrafficMetrics,
}

impl MetricsExporter {
    /// Everything there is to tell; `None` while the settings turn it off.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        if !self.is_on() {
            return None;
        }
        let mut text = String::new();
        let written = encode_registry(&mut text, &self.states())
            .and_then(|()| encode_registry(&mut text, self.traffic.registry()))
            .and_then(|()| encode_eof(&mut text));
        written.ok().map(|()| text)
    }

    /// Counts a settled request.
    pub(crate) fn record(&self, summary: &RequestSummary) {
        if self.is_on() {
            self.traffic.record(summary);
        }
    }

    fn is_on(&self) -> bool {
        self.settings.current().metrics.prometheus
    }
}

impl MetricsSource for MetricsExporter {
    fn text(&self) -> Option<String> {
        Self::text(self)
    }
}

#[expect(clippy::cast_precision_loss, reason = "the format has floating-point numbers only")]
fn dollars(amount: NanoUsd) -> f64 {
    amount.nanos() as f64 / 1_000_000_000.0
}
