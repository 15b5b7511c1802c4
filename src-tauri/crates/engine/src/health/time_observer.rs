//! Records for how long each backend and each service is seen to answer or not.
//!
//! The state at the beginning of a step counts for the whole step, and each change of state begins a
//! new one. A step in which the machine slept, the program stood still or the clock was set counts
//! for nothing, and neither does a backend or a service while it is unknown, paused or out of reach
//! because this machine is offline. When the program watched at all is recorded beside it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::{BackendId, Clock, ClockReading, WallTime};
use endpoints::EndpointRegistry;
use ledger::{
    Ledger, LedgerError, OBSERVED_ROWS_MAX, ObservedSubject, ObservedTimeRow, WATCH_SPANS_KEPT_MAX,
    WatchSpan, WatchStart,
};
use parking_lot::Mutex;
use service_levels::{ObservedSpan, ObservedTime, SpanClock};
use settings::{BackendSettings, SettingsStore};

use crate::configured::{backends_in_reach, open_breaker};
use crate::gateway::server::{GatewayServer, GatewayStatus};
use crate::health::backend_watch::HealthWatch;
use crate::health::service_watch::ServiceWatch;
use crate::process::tasks::Tasks;

/// Longest step, in seconds, while no state changes.
const STEP_SECS: u64 = 15;
/// Steps between two saves.
const STEPS_PER_SAVE: u32 = 4;
/// Longest wait for the ledger, which may be behind; what is queued by then is not lost.
pub(crate) const SAVING_MAX: Duration = Duration::from_secs(5);
const HOUR: Duration = Duration::from_secs(3_600);

pub(crate) struct TimeObserver {
    pub(crate) health: Arc<HealthWatch>,
    pub(crate) services: Arc<ServiceWatch>,
    pub(crate) registry: Arc<EndpointRegistry>,
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) ledger: Ledger,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) mock: BackendId,
    pub(crate) gateway: Arc<GatewayServer>,
    pub(crate) state: Mutex<ObserverState>,
}

/// What holds from one step to the next.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct WatchFacts {
    /// Whether each backend and each service answers, where that is known.
    answers: BTreeMap<ObservedSubject, bool>,
    is_online: bool,
    is_listening: bool,
}

#[derive(Default)]
pub(crate) struct ObserverState {
    clock: SpanClock,
    facts: WatchFacts,
    /// The newest is the last; those before it have ended and are not saved yet.
    watched: Vec<WatchSpan>,
    /// True if time passed since the newest that counts for nothing.
    has_gap: bool,
    /// Not saved yet, by hour.
    pending: BTreeMap<(ObservedSubject, WallTime), ObservedTime>,
}

impl ObserverState {
    /// Ends a step, and begins one with what is known now.
    pub(crate) fn step(&mut self, at: ClockReading, facts: WatchFacts) {
        let span = self.clock.advance(at);
        let before = std::mem::replace(&mut self.facts, facts);
        let Some(span) = span else {
            self.has_gap = true;
            return;
        };
        self.watch(span, &before);
        let hour_ms = i64::try_from(HOUR.as_millis()).unwrap_or(i64::MAX);
        for (subject, is_good) in before.answers {
            for (hour, length) in span.split(hour_ms) {
                let key = (subject.clone(), hour);
                if self.pending.len() >= OBSERVED_ROWS_MAX && !self.pending.contains_key(&key) {
                    continue;
                }
                *self.pending.entry(key).or_default() += match is_good {
                    true => ObservedTime { good: length, bad: Duration::ZERO },
                    false => ObservedTime { good: Duration::ZERO, bad: length },
                };
            }
        }
    }

    /// Goes on with the newest span, or begins one.
    fn watch(&mut self, ObservedSpan { from, until }: ObservedSpan, held: &WatchFacts) {
        let has_gap = std::mem::take(&mut self.has_gap);
        let begun_by = match self.watched.last_mut() {
            None => WatchStart::Started,
            Some(_) if has_gap => WatchStart::Resumed,
            Some(newest)
                if newest.is_online != held.is_online
                    || newest.is_listening != held.is_listening =>
            {
                WatchStart::Changed
            }
            Some(newest) => {
                newest.until = until;
                return;
            }
        };
        let (is_online, is_listening) = (held.is_online, held.is_listening);
        if self.watched.len() >= WATCH_SPANS_KEPT_MAX {
            self.watched.remove(0);
        }
        self.watched.push(WatchSpan { from, until, begun_by, is_online, is_listening });
    }

    /// Takes what is to be saved. The newest span stays, since it may go on.
    fn take_unsaved(&mut self) -> (Vec<ObservedTimeRow>, Vec<WatchSpan>) {
        let rows = self.rows();
        self.pending.clear();
        let spans = self.watched.clone();
        self.watched.drain(..self.watched.len().saturating_sub(1));
        (rows, spans)
    }

    fn rows(&self) -> Vec<ObservedTimeRow> {
        let row = |((subject, hour), time): (&(ObservedSubject, WallTime), &ObservedTime)| {
            let ObservedTime { good, bad } = *time;
            ObservedTimeRow { subject: subject.clone(), slot: *hour, width: HOUR, good, bad }
        };
        self.pending.iter().map(row).collect()
    }
}

impl TimeObserver {
    pub(crate) fn spawn(self: &Arc<Self>, tasks: &Tasks) {
        let (observer, stop) = (Arc::clone(self), tasks.stop_token());
        let mut changes = self.health.monitor.subscribe();
        let mut service_changes = self.services.monitor.subscribe();
        tasks.spawn("observed time", async move {
            let mut steps = 0_u32;
            loop {
                observer.observe();
                steps += 1;
                if steps >= STEPS_PER_SAVE {
                    steps = 0;
                    observer.save().await;
                }
                tokio::select! {
                    () = stop.cancelled() => break,
                    // Each change begins a step; one that was missed is seen at the next.
                    _change = changes.recv() => {}
                    _change = service_changes.recv() => {}
                    () = tokio::time::sleep(Duration::from_secs(STEP_SECS)) => {}
                }
            }
            observer.observe();
            observer.save().await;
        });
    }

    /// The observed time from `from` on, with what is not saved yet.
    pub(crate) async fn observed_since(
        &self,
        from: WallTime,
    ) -> Result<Vec<ObservedTimeRow>, LedgerError> {
        let mut rows = self.ledger.observed_time(from).await?;
        rows.extend(self.state.lock().rows().into_iter().filter(|row| row.slot >= from));
        Ok(rows)
    }

    /// When the program watched, from before `from` on, with what is not saved yet.
    pub(crate) async fn watched_since(
        &self,
        from: WallTime,
    ) -> Result<Vec<WatchSpan>, LedgerError> {
        let mut spans: BTreeMap<WallTime, WatchSpan> = BTreeMap::new();
        for span in self.ledger.watch_spans(from).await? {
            spans.insert(span.from, span);
        }
        for span in self.state.lock().watched.iter().filter(|span| span.until > from) {
            spans.insert(span.from, span.clone());
        }
        Ok(spans.into_values().collect())
    }

    pub(crate) fn observe(&self) {
        let facts = WatchFacts {
            answers: self.answers(),
            is_online: !self.health.is_offline(),
            // A paused gateway answers; that it refuses is the user's wish and no outage.
            is_listening: matches!(
                self.gateway.status(),
                GatewayStatus::Listening | GatewayStatus::Paused
            ),
        };
        self.state.lock().step(ClockReading::read(&*self.clock), facts);
    }

    fn answers(&self) -> BTreeMap<ObservedSubject, bool> {
        let services = self.services.answers().into_iter();
        let services = services.map(|(id, is_good)| (ObservedSubject::Service(id), is_good));
        let backends = self.backend_answers().into_iter();
        let backends = backends.map(|(id, is_good)| (ObservedSubject::Backend(id), is_good));
        services.chain(backends).collect()
    }

    fn backend_answers(&self) -> Vec<(BackendId, bool)> {
        let settings = self.settings.current();
        let is_offline = self.health.is_offline();
        let seen = |(id, _): (&BackendId, &BackendSettings)| {
            let is_open = || open_breaker(&self.registry, &settings, &self.mock, id).is_some();
            let is_up = self.health.health(id)?.state.is_up()?;
            Some((id.clone(), is_up && !is_open()))
        };
        let watched = backends_in_reach(&self.registry, &settings, &self.mock, is_offline);
        watched.filter_map(seen).collect()
    }

    async fn save(&self) {
        let (rows, spans) = self.state.lock().take_unsaved();
        if rows.is_empty() && spans.is_empty() {
            return;
        }
        match tokio::time::timeout(SAVING_MAX, self.ledger.add_observed_time(rows, spans)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "observed time could not be saved"),
            Err(_) => tracing::warn!("observed time is not saved yet; it stays queued"),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::Moment;

    use super::*;

    const HOUR_SECS: u64 = 3_600;
    const DAY_SECS: u64 = 24 * HOUR_SECS;

    /// A backend and both clocks, asked every 15 s and at each change.
    struct Weeks {
        state: ObserverState,
        secs: u64,
        wall_ms: i64,
        answers: Option<bool>,
        is_online: bool,
    }

    impl Weeks {
        fn new() -> Self {
            let start_ms = crate::test_parts::NOW.unix_ms();
            let state = ObserverState::default();
            let mut weeks =
                Self { state, secs: 0, wall_ms: start_ms, answers: None, is_online: true };
            weeks.step();
            weeks
        }

        fn step(&mut self) {
            let reading = ClockReading {
                now: Moment::from_secs(self.secs),
                wall: WallTime::from_unix_ms(self.wall_ms),
            };
            let id = ObservedSubject::Backend(BackendId::new("home").expect("a name"));
            let answers = self.answers.map(|is_good| (id, is_good)).into_iter().collect();
            let facts = WatchFacts { answers, is_online: self.is_online, is_listening: true };
            self.state.step(reading, facts);
        }

        /// Why each span began, and its length in seconds.
        fn watched(&self) -> Vec<(WatchStart, u64)> {
            let length = |it: &WatchSpan| it.until.unix_ms().abs_diff(it.from.unix_ms()) / 1_000;
            self.state.watched.iter().map(|it| (it.begun_by, length(it))).collect()
        }

        fn pass(&mut self, secs: u64) {
            for _ in 0..secs / STEP_SECS {
                self.secs += STEP_SECS;
                self.wall_ms += i64::try_from(STEP_SECS * 1_000).expect("small");
                self.step();
            }
        }

        fn run(&mut self, answers: Option<bool>, secs: u64) {
            self.answers = answers;
            self.step();
            self.pass(secs);
        }

        /// The wall clock goes on or back, the monotonic one does not.
        fn jump(&mut self, secs: i64) {
            self.wall_ms += secs * 1_000;
            self.step();
        }

        fn sums(&self) -> (u64, u64) {
            let time: ObservedTime = self.state.pending.values().copied().sum();
            (time.good.as_secs(), time.bad.as_secs())
        }
    }

    #[test]
    fn two_weeks_have_the_observed_time_that_is_computed_by_hand() {
        let mut weeks = Weeks::new();
        weeks.run(Some(true), DAY_SECS);
        assert_eq!(weeks.sums(), (86_400, 0), "a quiet day");
        weeks.run(Some(false), HOUR_SECS);
        assert_eq!(weeks.sums(), (86_400, 3_600), "an outage of an hour");
        weeks.run(Some(true), 60);
        weeks.jump(9 * 3_600);
        weeks.pass(60);
        assert_eq!(weeks.sums(), (86_520, 3_600), "asleep for nine hours in between");
        weeks.run(None, 6 * HOUR_SECS);
        assert_eq!(weeks.sums(), (86_520, 3_600), "offline, paused or unknown");
        weeks.run(Some(true), 600);
        weeks.jump(-1_800);
        weeks.pass(600);
        assert_eq!(weeks.sums(), (87_720, 3_600), "the clock was set back in between");
        weeks.jump(7 * 86_400);
        weeks.pass(600);
        assert_eq!(weeks.sums(), (88_320, 3_600), "set forward by a week");
        for _ in 0..10 {
            weeks.run(Some(false), 30);
            weeks.run(Some(true), 30);
        }
        assert_eq!(weeks.sums(), (88_620, 3_900), "flapping");
        weeks.secs += 90;
        weeks.wall_ms += 90_000;
        weeks.step();
        assert_eq!(weeks.sums(), (88_620, 3_900), "the program stood still for 90 s");
        weeks.run(Some(true), 4 * DAY_SECS);
        assert_eq!(weeks.sums(), (88_620 + 345_600, 3_900));
        let longest = weeks.state.pending.values().map(|time| time.observed()).max();
        assert_eq!(longest, Some(HOUR), "no hour is longer than that");
    }

    #[test]
    fn sleep_ends_a_span_and_a_lost_network_begins_one() {
        let mut weeks = Weeks::new();
        weeks.run(Some(true), 600);
        weeks.run(Some(false), 60);
        assert_eq!(weeks.watched(), [(WatchStart::Started, 660)], "a backend changes no span");
        weeks.jump(3_600);
        weeks.pass(120);
        weeks.is_online = false;
        weeks.step();
        weeks.pass(30);
        let all =
            [(WatchStart::Started, 660), (WatchStart::Resumed, 120), (WatchStart::Changed, 30)];
        assert_eq!(weeks.watched(), all);
        let (_, spans) = weeks.state.take_unsaved();
        assert_eq!(spans.len(), 3);
        weeks.pass(15);
        assert_eq!(weeks.watched(), [(WatchStart::Changed, 45)], "the newest goes on");
    }
}
