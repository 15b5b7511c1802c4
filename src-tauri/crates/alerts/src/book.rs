//! What became of every condition: pending, firing, ended; and what the user was told of it.
//!
//! Intervals are measured in running time, which leaves out sleep, a stopped program and jumps of the
//! clock, so that none of them fires, ends or repeats anything.
//!
//! One piece: the steps of an evaluation share the alerts that they change.

mod channels;
mod delivery;
mod outbox;
mod pause;
mod user;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use domain::{AlertChannel, AlertDelivery, AlertSeverity, ClockReading, Moment, RunId, WallTime};
use serde::{Deserialize, Serialize};

use self::delivery::Delivery;
use self::outbox::{Outbox, OutboxInput};
use crate::condition::{Condition, Conditions, Fingerprint};
use crate::message::ChannelMessage;
use crate::notification::{DesktopScreen, Notification, ShownNotification};
use crate::rule::{AlertEnding, AlertRule, RuleTunings, SHOWN_FROM, UNKNOWN_KEPT, tuning_of};
use crate::silence::Silence;

pub use self::delivery::{
    CRITICAL_WAIT, FLAPS_MAX, LOSSES_PER_TEN_MINUTES_MAX, OVERFLOW_KEY, QUIET_KEY,
    RECOVERY_DURATION_MIN, RUNS_REMEMBERED_MAX, SHOWN_PER_DAY_MAX, SHOWN_PER_TEN_MINUTES_MAX,
    SHOWN_WAIT,
};

pub use self::pause::{EVALUATION_PAUSE, WAITING_PAUSE};

pub use self::outbox::{
    ATTEMPTS_MAX, ChannelActivity, ChannelFailure, ChannelPolicy, ChannelTest, MESSAGE_AGE_MAX,
    POSTED_PER_DAY_MAX, POSTED_PER_TEN_MINUTES_MAX, PostOutcome, QUEUE_MAX,
};

/// Longest time between two evaluations that counts; more is sleep.
const STEP_MAX: Duration = Duration::from_secs(60);

/// Time in which this program ran, in milliseconds, over restarts.
type RunningMs = u64;

/// Every alert and what was told of it. Saved whole.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AlertBook {
    running_ms: RunningMs,
    #[serde(skip)]
    last: Option<Moment>,
    last_number: u64,
    alerts: BTreeMap<Fingerprint, Alert>,
    silences: Vec<Silence>,
    delivery: Delivery,
    #[serde(default)]
    outboxes: BTreeMap<AlertChannel, Outbox>,
    /// When the last digest was made, or digests were switched on.
    #[serde(default)]
    last_digest: Option<WallTime>,
    #[serde(skip)]
    suppressed: Vec<SuppressedCondition>,
}

/// A condition that was true and may be an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Its number since it fires; `None` while it is pending.
    pub number: Option<u64>,
    pub condition: Condition,
    /// When the condition began.
    pub since: WallTime,
    pub fired_at: Option<WallTime>,
    pub acknowledged_at: Option<WallTime>,
    pub notified_at: Option<WallTime>,
    /// True while the condition is over, but may come back.
    pub is_ending: bool,
    true_since_ms: RunningMs,
    /// When the condition held last.
    #[serde(default)]
    held_at: WallTime,
    fired_ms: RunningMs,
    false_since_ms: Option<RunningMs>,
    unknown_since_ms: Option<RunningMs>,
    /// True once the user was told, in whatever way.
    is_told: bool,
    /// True from when it came back until it lasted as long as it is kept.
    came_back: bool,
    /// True once what it is about is not there any more.
    #[serde(skip)]
    is_removed: bool,
}

/// A condition that holds and is no alert, since it is part of another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuppressedCondition {
    pub condition: Condition,
    pub by: Fingerprint,
}

/// Circumstances of an evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertContext {
    /// True if notifications are switched on.
    pub is_on: bool,
    /// True while the window has the focus and so shows alerts itself.
    pub is_focused: bool,
    pub is_quiet: bool,
    /// True just after this machine slept: what is known is from before, so nothing begins and
    /// nothing new is shown.
    pub is_resuming: bool,
    /// When an alert that nobody acknowledged is shown again with a sound; `None` for never.
    pub escalation: Option<EscalationPolicy>,
    pub tunings: RuleTunings,
    /// The channels beside the desktop that are switched on.
    pub channels: BTreeMap<AlertChannel, ChannelPolicy>,
}

impl AlertContext {
    pub(crate) fn delivery(&self, rule: AlertRule) -> AlertDelivery {
        tuning_of(&self.tunings, rule).delivery
    }

    /// True if the user is told of the alert in another way than by the inbox.
    fn tells(&self, alert: &Alert) -> bool {
        alert.acknowledged_at.is_none()
            && self.delivery(alert.condition.rule) == AlertDelivery::Notification
    }

    /// True if the alert is severe enough for a notification, and those are switched on.
    fn shows(&self, alert: &Alert) -> bool {
        self.is_on && alert.condition.severity >= SHOWN_FROM
    }
}

/// Which alerts are shown again with a sound, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EscalationPolicy {
    /// The least severity.
    pub from: AlertSeverity,
    /// How long an alert must have gone without being acknowledged since it fired.
    pub wait: Duration,
}

/// What follows from an evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlertEffect {
    Fired(Alert),
    /// A firing alert says something else.
    Changed(Alert),
    Ended {
        number: u64,
        at: WallTime,
        ending: AlertEnding,
    },
    /// Show it; it replaces the one with its key.
    Send(Notification),
    /// Take the notification with this key away.
    Withdraw(String),
    /// The window, which has the focus, shows it for a moment.
    ShowInWindow(Notification),
    /// Send it, and tell [`AlertBook::settle`] how that ended.
    Post {
        channel: AlertChannel,
        id: u64,
        message: ChannelMessage,
    },
}

impl Alert {
    fn new(condition: Condition, now: RunningMs, wall: WallTime) -> Self {
        Self {
            number: None,
            condition,
            since: wall,
            fired_at: None,
            acknowledged_at: None,
            notified_at: None,
            is_ending: false,
            true_since_ms: now,
            held_at: wall,
            fired_ms: now,
            false_since_ms: None,
            unknown_since_ms: None,
            is_told: false,
            came_back: false,
            is_removed: false,
        }
    }

    #[must_use]
    pub const fn is_firing(&self) -> bool {
        self.number.is_some()
    }

    /// True while it fires and its condition is not known to be over.
    const fn is_live(&self) -> bool {
        self.is_firing() && !self.is_ending
    }

    /// True if the condition held when it was last measured.
    const fn is_certain(&self) -> bool {
        !self.is_ending && self.unknown_since_ms.is_none()
    }

    /// True if the state of the condition changed.
    fn measure(&mut self, truth: Truth<'_>, now: RunningMs, wall: WallTime) -> bool {
        let was_ending = self.is_ending;
        match truth {
            Truth::Removed => self.is_removed = true,
            Truth::Holds(condition) => {
                self.condition = condition.clone();
                self.held_at = wall;
                self.unknown_since_ms = None;
                if self.false_since_ms.take().is_some() {
                    (self.true_since_ms, self.came_back) = (now, true);
                }
            }
            Truth::Unknown => {
                self.unknown_since_ms.get_or_insert(now);
            }
            // One that is pending is over, one that ends goes on to.
            Truth::Near if self.is_firing() => self.unknown_since_ms = None,
            Truth::Unsettled => self.unknown_since_ms = None,
            Truth::Near | Truth::Over => {
                self.unknown_since_ms = None;
                self.false_since_ms.get_or_insert(now);
            }
        }
        self.is_ending = self.false_since_ms.is_some();
        self.is_ending != was_ending
    }

    fn ending(&self, now: RunningMs, context: &AlertContext) -> Option<AlertEnding> {
        let elapsed =
            |since: Option<RunningMs>, span| since.is_some_and(|it| is_past(it, span, now));
        if context.delivery(self.condition.rule) == AlertDelivery::Off {
            Some(AlertEnding::SwitchedOff)
        } else if self.is_removed {
            Some(AlertEnding::Removed)
        } else if elapsed(self.unknown_since_ms, UNKNOWN_KEPT) {
            Some(AlertEnding::Unknown)
        } else if elapsed(self.false_since_ms, self.condition.rule.row().keep) {
            Some(AlertEnding::Resolved)
        } else {
            None
        }
    }

    /// How long the condition held, or has held so far.
    fn lasted(&self, now: RunningMs) -> Duration {
        let end = self.false_since_ms.unwrap_or(now);
        Duration::from_millis(end.saturating_sub(self.true_since_ms))
    }
}

#[derive(Clone, Copy)]
enum Truth<'a> {
    Holds(&'a Condition),
    /// What it is about is not there any more.
    Removed,
    Unknown,
    Near,
    /// Of one that is pending.
    Unsettled,
    Over,
}

fn is_past(since: RunningMs, span: Duration, now: RunningMs) -> bool {
    Duration::from_millis(now.saturating_sub(since)) >= span
}

impl AlertBook {
    /// An empty book whose alerts are counted on from a number.
    #[must_use]
    pub fn starting_after(last_number: u64) -> Self {
        Self { last_number, ..Self::default() }
    }

    /// Takes in what is true at this moment.
    pub fn evaluate(
        &mut self,
        conditions: &Conditions,
        context: &AlertContext,
        reading: ClockReading,
    ) -> Vec<AlertEffect> {
        self.advance(reading.now);
        self.silences.retain(|silence| !silence.is_over(reading.wall, self.running_ms));
        let mut effects = Vec::new();
        self.measure(conditions, reading.wall, &mut effects);
        self.create(conditions, context, reading.wall);
        self.fire(conditions, context, reading.wall, &mut effects);
        let ended = self.end(conditions, context, reading.wall, &mut effects);
        let silences = &self.silences;
        let is_silenced =
            |alert: &Alert| silences.iter().any(|it| it.matcher.matches(&alert.condition));
        let mut moment = delivery::DeliveryMoment {
            now: self.running_ms,
            wall: reading.wall,
            context,
            is_silenced: &is_silenced,
        };
        self.delivery.deliver(&mut self.alerts, &ended, &mut moment, &mut effects);
        for (channel, policy) in &context.channels {
            let (alerts, flaps) = (&self.alerts, &self.delivery.flaps);
            let input =
                OutboxInput { channel: *channel, policy: *policy, alerts, ended: &ended, flaps };
            let outbox = self.outboxes.entry(*channel).or_default();
            effects.extend(outbox.deliver(&input, &moment));
        }
        for (channel, outbox) in &mut self.outboxes {
            if !context.channels.contains_key(channel) {
                outbox.switch_off();
            }
        }
        effects
    }

    /// The alerts that fire, the most severe and newest first, and those that are pending.
    #[must_use]
    pub fn alerts(&self) -> Vec<&Alert> {
        let mut all: Vec<&Alert> = self.alerts.values().collect();
        all.sort_by_key(|alert| {
            let severity = std::cmp::Reverse(alert.condition.severity);
            (!alert.is_firing(), severity, std::cmp::Reverse(alert.number))
        });
        all
    }

    /// True while nothing is pending or ends: as long as the facts stay, nothing will happen.
    pub(crate) fn is_settled(&self) -> bool {
        self.alerts.values().all(|alert| alert.is_firing() && alert.is_certain())
    }

    /// What holds and is part of another alert, as of the last evaluation.
    #[must_use]
    pub fn suppressed(&self) -> &[SuppressedCondition] {
        &self.suppressed
    }

    /// Shows the end of a readiness run, once and within the limits.
    pub fn announce_run(
        &mut self,
        run: RunId,
        notification: Notification,
        context: &AlertContext,
        reading: ClockReading,
    ) -> Option<AlertEffect> {
        self.advance(reading.now);
        let is_new = self.delivery.announce_run(run, &notification, context, self.running_ms);
        is_new.then_some(AlertEffect::Send(notification))
    }

    /// The keys of all notifications about alerts that are on the screen. They are to be withdrawn when
    /// the program ends, because nobody updates them afterwards.
    pub fn take_shown(&mut self) -> Vec<String> {
        self.delivery.take_shown()
    }

    /// Takes in what is on the screen; false if that is known already. What was lost and still holds is
    /// shown again by the next evaluation.
    pub fn note_screen(&mut self, screen: &DesktopScreen) -> bool {
        self.delivery.note_screen(screen, self.running_ms)
    }

    /// What is on the screen, by notification key. The process before this one may have shown it.
    #[must_use]
    pub fn on_screen(&self) -> BTreeMap<String, ShownNotification> {
        self.delivery.on_screen()
    }

    fn advance(&mut self, now: Moment) {
        let step = self.last.map_or(Duration::ZERO, |last| now.since(last)).min(STEP_MAX);
        self.last = Some(now);
        self.running_ms += u64::try_from(step.as_millis()).unwrap_or_default();
    }

    fn measure(&mut self, conditions: &Conditions, wall: WallTime, effects: &mut Vec<AlertEffect>) {
        let held: BTreeMap<&Fingerprint, &Condition> =
            conditions.held.iter().map(|held| (&held.fingerprint, held)).collect();
        let mut telling: BTreeSet<Fingerprint> =
            held.keys().filter(|it| self.tells(it)).map(|it| (*it).clone()).collect();
        let silences = &self.silences;
        for (fingerprint, alert) in &mut self.alerts {
            let truth = match held.get(fingerprint) {
                // What another alert told meanwhile does not come back beside it.
                Some(condition) if !alert.is_certain() && condition.has_cause_in(&telling) => {
                    Truth::Over
                }
                Some(condition) => {
                    if !silences.iter().any(|it| it.matcher.matches(condition)) {
                        telling.insert(fingerprint.clone());
                    }
                    Truth::Holds(condition)
                }
                None if conditions.is_removed(fingerprint, alert.condition.rule) => Truth::Removed,
                None if conditions.is_unknown(fingerprint, alert.condition.rule) => Truth::Unknown,
                None if conditions.unsettled.contains(fingerprint) && !alert.is_firing() => {
                    Truth::Unsettled
                }
                None if conditions.near.contains(fingerprint) => Truth::Near,
                None => Truth::Over,
            };
            let (title, severity) = (alert.condition.title.clone(), alert.condition.severity);
            let detail = alert.condition.detail.clone();
            if alert.measure(truth, self.running_ms, wall) {
                self.delivery.flaps.count(fingerprint, self.running_ms);
            }
            let same = alert.condition.title == title && alert.condition.detail == detail;
            if alert.is_firing() && !(same && alert.condition.severity == severity) {
                effects.push(AlertEffect::Changed(alert.clone()));
            }
        }
        self.alerts.retain(|_, alert| {
            let is_gone = !alert.is_certain() || alert.is_removed;
            alert.is_firing() || !is_gone
        });
    }

    fn create(&mut self, conditions: &Conditions, context: &AlertContext, wall: WallTime) {
        self.suppressed.clear();
        if context.is_resuming {
            return;
        }
        // A rule that is off tells nothing, so nothing is part of its alerts.
        let is_on = |rule| context.delivery(rule) != AlertDelivery::Off;
        let is_held = |by: &&Fingerprint| {
            conditions.held.iter().any(|it| it.fingerprint == **by && is_on(it.rule))
        };
        for held in &conditions.held {
            let known = self.alerts.get(&held.fingerprint);
            if !is_on(held.rule) || known.is_some_and(Alert::is_firing) {
                continue;
            }
            if let Some(by) = held.inhibited_by.iter().find(is_held) {
                // One that is pending is no alert yet.
                self.alerts.remove(&held.fingerprint);
                let (condition, by) = (held.clone(), by.clone());
                self.suppressed.push(SuppressedCondition { condition, by });
                continue;
            }
            if self.alerts.contains_key(&held.fingerprint) {
                continue;
            }
            if let Some(by) = self.teller_of(held, conditions, &is_held) {
                let condition = held.clone();
                self.suppressed.push(SuppressedCondition { condition, by });
                continue;
            }
            let alert = Alert::new(held.clone(), self.running_ms, wall);
            self.alerts.insert(held.fingerprint.clone(), alert);
        }
    }

    /// The alert of the same cause that tells of this condition too. One that is silenced tells
    /// nothing, nor does one that will never fire.
    fn teller_of(
        &self,
        held: &Condition,
        conditions: &Conditions,
        is_held: &impl Fn(&&Fingerprint) -> bool,
    ) -> Option<Fingerprint> {
        let will_fire = |other: &&Fingerprint| {
            let is_inhibited = |it: &Condition| it.inhibited_by.iter().any(|by| is_held(&by));
            self.alerts.get(*other).is_some_and(Alert::is_firing)
                || !conditions.held.iter().any(|it| it.fingerprint == **other && is_inhibited(it))
        };
        let tellers = held.same_cause.iter().filter(is_held).filter(will_fire);
        tellers.into_iter().find(|other| self.tells(other)).cloned()
    }

    /// True for an alert that holds for certain and is not silenced.
    fn tells(&self, fingerprint: &Fingerprint) -> bool {
        let known = self.alerts.get(fingerprint);
        known.is_some_and(|alert| alert.is_certain() && self.silence_of(alert).is_none())
    }

    fn fire(
        &mut self,
        conditions: &Conditions,
        context: &AlertContext,
        wall: WallTime,
        effects: &mut Vec<AlertEffect>,
    ) {
        if context.is_resuming {
            return;
        }
        for (fingerprint, alert) in &mut self.alerts {
            let hold = tuning_of(&context.tunings, alert.condition.rule).hold;
            let is_due = is_past(alert.true_since_ms, hold, self.running_ms);
            if alert.is_firing() || !is_due || conditions.unsettled.contains(fingerprint) {
                continue;
            }
            self.last_number += 1;
            (alert.number, alert.fired_at) = (Some(self.last_number), Some(wall));
            alert.fired_ms = self.running_ms;
            self.delivery.flaps.count(fingerprint, self.running_ms);
            effects.push(AlertEffect::Fired(alert.clone()));
        }
    }

    /// Removes and returns the alerts that end now.
    fn end(
        &mut self,
        conditions: &Conditions,
        context: &AlertContext,
        at: WallTime,
        effects: &mut Vec<AlertEffect>,
    ) -> Vec<(Alert, AlertEnding)> {
        let now = self.running_ms;
        let mut ended = Vec::new();
        self.alerts.retain(|_, alert| {
            let Some(ending) = alert.ending(now, context) else { return true };
            if let Some(number) = alert.number {
                effects.push(AlertEffect::Ended { number, at, ending });
                if !conditions.shows_end(&alert.condition, alert.held_at) {
                    alert.condition.over = None;
                }
                ended.push((alert.clone(), ending));
            }
            false
        });
        ended
    }
}

/// Ids of readiness runs that were shown.
type Runs = VecDeque<String>;

#[cfg(test)]
mod tests;
