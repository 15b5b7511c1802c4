//! Whether backends that answer do so slowly or fail often: judged once a minute by what the ledger has
//! of the last half hour. No request does anything for it.

mod spans;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use alerts::{AlertRule, Measurement};
use domain::{BackendId, Clock, ClockReading, HealthState, WallTime};
use ledger::{DegradedSpan, Ledger, LedgerError, RecentFirstToken};
use parking_lot::Mutex;
use service_levels::{
    AnswerQuality, BurnWindow, CallsUntilNow, Degraded, FirstTokens, QUALITY_LATEST,
    QUALITY_WINDOW, QualityFacts,
};
use settings::SettingsStore;

use crate::alerts::measurements::MeasurementWatch;
use crate::events::EventBus;
use crate::health::backend_watch::HealthWatch;
use crate::health::objectives::LevelScope;
use crate::health::service_level_watch::ServiceLevelWatch;
use crate::health::time_observer::SAVING_MAX;
use crate::process::tasks::Tasks;
use crate::topic::Topic;

pub(crate) use spans::DegradedSpans;

const EVALUATION_SECS: u64 = 60;

pub struct QualityWatch {
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) ledger: Ledger,
    pub(crate) health: Arc<HealthWatch>,
    pub(crate) service_levels: Arc<ServiceLevelWatch>,
    pub(crate) measured: Arc<MeasurementWatch>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: EventBus,
    pub(crate) judged: Mutex<JudgedQuality>,
    pub(crate) spans: Mutex<DegradedSpans>,
}

#[derive(Debug, Default)]
pub(crate) struct JudgedQuality {
    backends: BTreeMap<BackendId, AnswerQuality>,
    /// For the rule of slow answers; `None` if they could not be read.
    latencies: Option<Vec<Measurement>>,
}

impl QualityWatch {
    pub(crate) fn spawn(self: &Arc<Self>, tasks: &Tasks) {
        let (watch, ticks) = (Arc::clone(self), tasks.clone());
        tasks.spawn("quality of answers", async move {
            while ticks.sleep(Duration::from_secs(EVALUATION_SECS)).await {
                watch.evaluate().await;
            }
            watch.save_spans(watch.clock.wall()).await;
        });
    }

    /// How badly a backend answers; `None` if it answers well, or if too little is known. Says nothing
    /// of whether it answers at all.
    #[must_use]
    pub fn degraded(&self, id: &BackendId) -> Option<Degraded> {
        self.judged.lock().backends.get(id).and_then(AnswerQuality::degraded)
    }

    /// When backends were degraded from before `from` on, with what is not saved yet.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn degraded_since(&self, from: WallTime) -> Result<Vec<DegradedSpan>, LedgerError> {
        let mut spans = self.ledger.degraded_spans(from).await?;
        let going_on = self.spans.lock();
        spans.retain(|saved| !going_on.has(saved));
        spans.extend(going_on.going_on(self.clock.wall()));
        Ok(spans)
    }

    /// First tokens of half an hour beside the usual ones, of each backend with enough of these; `None`
    /// if they are not known.
    pub(crate) fn latencies(&self) -> Option<Vec<Measurement>> {
        self.judged.lock().latencies.clone()
    }

    pub(crate) async fn evaluate(&self) {
        let at = ClockReading::read(&*self.clock);
        let tokens = match self.first_tokens(at.wall).await {
            Ok(tokens) => Some(tokens),
            Err(error) => {
                tracing::warn!(%error, "recent first tokens could not be read");
                None
            }
        };
        let is_changed = self.judge(tokens.as_ref(), at);
        self.save_spans(at.wall).await;
        if is_changed {
            self.events.send_changed(&[Topic::Status, Topic::Backends, Topic::Health]);
        }
    }

    /// What could not be saved by then stays queued in the ledger.
    async fn save_spans(&self, now: WallTime) {
        let spans = self.spans.lock().update(&self.judged.lock().backends, now);
        if spans.is_empty() {
            return;
        }
        match tokio::time::timeout(SAVING_MAX, self.ledger.put_degraded_spans(spans)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "degraded times could not be saved"),
            Err(_) => tracing::warn!("degraded times are not saved yet; they stay queued"),
        }
    }

    /// True if anything that is shown changed.
    fn judge(&self, tokens: Option<&RecentTokens>, at: ClockReading) -> bool {
        let settings = self.settings.current();
        let (levels, measured) = (self.service_levels.latest(), self.measured.latest());
        let is_read = tokens.is_some() && !measured.unmeasured.contains(&AlertRule::SlowAnswers);
        let (backends, latencies) = (BTreeMap::new(), tokens.map(|_| Vec::new()));
        let mut judged = JudgedQuality { backends, latencies };
        let known = self.judged.lock().backends.clone();
        for (id, backend) in settings.backends_on() {
            let level = levels.iter().find(|it| it.scope == LevelScope::Backend(id.clone()));
            let calls_in = |window: BurnWindow| CallsUntilNow {
                counts: level.map(|level| level.counts(window)).unwrap_or_default(),
                first_tokens: tokens
                    .map(|all| all.since(id, start_of(window, at.wall)))
                    .unwrap_or_default(),
            };
            let facts = QualityFacts {
                calls: calls_in(QUALITY_WINDOW),
                latest: calls_in(QUALITY_LATEST),
                usual: measured.usual_first_tokens.get(id).copied(),
            };
            judged.add_latency(id, &backend.label, &facts);
            // What failed in an outage is no news after it.
            if self.is_steadily_up(id, at.wall) {
                let mut quality = known.get(id).copied().unwrap_or_default();
                // What could not be read neither begins nor ends anything.
                if is_read {
                    quality.observe(&facts, at);
                }
                judged.backends.insert(id.clone(), quality);
            }
        }
        let shown = |all: &BTreeMap<BackendId, AnswerQuality>| -> Vec<(BackendId, Degraded)> {
            all.iter().filter_map(|(id, it)| Some((id.clone(), it.degraded()?))).collect()
        };
        let is_changed = shown(&known) != shown(&judged.backends);
        *self.judged.lock() = judged;
        is_changed
    }

    /// True if it has been up for longer than the latest calls are looked at. A time in the future is
    /// from before the clock was set back: the calls until now are of after that.
    fn is_steadily_up(&self, id: &BackendId, now: WallTime) -> bool {
        let Some(health) = self.health.health(id) else { return false };
        let is_long =
            health.since.is_some_and(|since| since < start_of(QUALITY_LATEST, now) || since > now);
        health.state == HealthState::Up && is_long
    }

    async fn first_tokens(&self, now: WallTime) -> Result<RecentTokens, LedgerError> {
        self.ledger
            .recent_first_tokens((start_of(QUALITY_WINDOW, now), now))
            .await
            .map(RecentTokens)
    }
}

/// When the window until now began.
fn start_of(window: BurnWindow, now: WallTime) -> WallTime {
    now - window.length()
}

struct RecentTokens(Vec<RecentFirstToken>);

impl RecentTokens {
    fn since(&self, id: &BackendId, from: WallTime) -> FirstTokens {
        let own = self.0.iter().filter(|it| it.backend == *id && it.started >= from);
        own.map(|it| it.first_token).collect()
    }
}

impl JudgedQuality {
    fn add_latency(&mut self, id: &BackendId, label: &str, facts: &QualityFacts) {
        let first_tokens = &facts.calls.first_tokens;
        let Some(usual) = facts.usual else { return };
        // With too few the rule says that nothing is known.
        let recent = first_tokens.high().unwrap_or_default();
        self.latencies.iter_mut().for_each(|all| {
            all.push(Measurement::Latency {
                backend: id.clone(),
                label: label.to_owned(),
                requests: first_tokens.count(),
                recent,
                usual,
            });
        });
    }
}

#[cfg(test)]
mod tests;
