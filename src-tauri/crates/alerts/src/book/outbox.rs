//! What is sent to a webhook or by mail, and what became of it.
//!
//! A message is saved as being sent before it is sent, and as sent or waiting afterwards. A stop in
//! between leaves it unknown whether it arrived; it is not sent again, and what it told counts as
//! told. What is over is told exactly if that it began was.
//!
//! A message is given up in the end. What it was to tell is told once the channel works again, if it
//! still holds; while it does not, one such message an hour tries it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::{AlertChannel, AlertSeverity, WallTime};
use serde::{Deserialize, Serialize};

use super::delivery::{DeliveryMoment, cause, flaps::FlapLog, notification};
use super::{Alert, AlertEffect, RunningMs, is_past};
use crate::condition::Fingerprint;
use crate::message::{ChannelMessage, MessageKind};
use crate::notification::cut_title;
use crate::rule::{AlertEnding, AlertRule};

/// Maximum number of non-critical messages of a channel in ten minutes.
pub const POSTED_PER_TEN_MINUTES_MAX: usize = 10;
/// Maximum number of non-critical messages of a channel in 24 hours.
pub const POSTED_PER_DAY_MAX: usize = 50;
/// Maximum number of messages that wait for one channel.
pub const QUEUE_MAX: usize = 50;
/// Maximum number of attempts at one message.
pub const ATTEMPTS_MAX: u32 = 5;
/// Maximum age of a message, from which it is not sent any more.
pub const MESSAGE_AGE_MAX: Duration = Duration::from_secs(3_600);
/// Pause after a message was given up, until one that still holds tries the failing channel again.
pub(super) const GIVEN_UP_PAUSE: Duration = Duration::from_secs(3_600);
/// Attempts from which a channel that may recover counts as failing.
const FAILING_ATTEMPTS: u32 = 2;
/// Pause before the next attempt, in seconds, by the number of attempts made.
const RETRY_SECS: [u64; 4] = [10, 30, 120, 600];

const TEN_MINUTES: Duration = Duration::from_secs(600);
const DAY: Duration = Duration::from_secs(86_400);

/// What a channel sends, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChannelPolicy {
    /// The least severity that is sent.
    pub from: AlertSeverity,
    /// How long an alert must have gone without being acknowledged.
    pub wait: Duration,
}

/// How an attempt at a message ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostOutcome {
    Sent,
    /// Another attempt may succeed. Not before the given time, if the server named one.
    Failed {
        reason: String,
        retry_after: Option<Duration>,
    },
    /// No attempt will succeed until the user changes something.
    Refused {
        reason: String,
    },
}

/// Why a channel does not work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelFailure {
    pub since: WallTime,
    /// A clause without secrets.
    pub reason: String,
}

/// The last test of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelTest {
    pub at: WallTime,
    /// Why it could not be sent, as a clause.
    pub failure: Option<String>,
    /// The user's answer; `None` until there is one.
    pub is_seen: Option<bool>,
}

/// What a channel did so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChannelActivity {
    pub failure: Option<ChannelFailure>,
    pub last_sent: Option<WallTime>,
    /// When a stop left it unknown whether a message arrived, if nothing was sent since.
    pub interrupted: Option<WallTime>,
    /// Messages that wait for an attempt.
    pub waiting: usize,
    pub test: Option<ChannelTest>,
}

/// The messages of one channel.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Outbox {
    /// By notification key.
    posted: BTreeMap<String, Posted>,
    queue: Vec<QueuedMessage>,
    last_id: u64,
    /// When non-critical messages were queued.
    sent_ms: Vec<RunningMs>,
    /// True once it was told that there is more than the limit lets through.
    is_overflow_told: bool,
    failure: Option<ChannelFailure>,
    last_sent: Option<WallTime>,
    interrupted: Option<WallTime>,
    test: Option<ChannelTest>,
    /// When a message was given up last.
    #[serde(default)]
    given_up_ms: Option<RunningMs>,
}

/// What was told of the alerts that share a notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Posted {
    cause: BTreeSet<String>,
    /// True once a message about it may have arrived.
    is_sent: bool,
    /// True if its last message was given up.
    #[serde(default)]
    is_given_up: bool,
    title: String,
    severity: AlertSeverity,
    /// How it ended, while that cannot be told yet.
    ended: Option<Ended>,
    fingerprints: BTreeSet<Fingerprint>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Ended {
    ending: String,
    over: Option<(String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct QueuedMessage {
    id: u64,
    /// Notification key; empty for a message that is about no alert.
    key: String,
    message: ChannelMessage,
    attempts: u32,
    queued_ms: RunningMs,
    next_ms: RunningMs,
    is_being_sent: bool,
}

/// The alerts of an evaluation.
pub(super) struct OutboxInput<'a> {
    pub(super) channel: AlertChannel,
    pub(super) policy: ChannelPolicy,
    pub(super) alerts: &'a BTreeMap<Fingerprint, Alert>,
    pub(super) ended: &'a [(Alert, AlertEnding)],
    pub(super) flaps: &'a FlapLog,
}

impl Outbox {
    /// Queues what is to be told, and returns the message that is to be sent now.
    pub(super) fn deliver(
        &mut self,
        input: &OutboxInput<'_>,
        moment: &DeliveryMoment<'_>,
    ) -> Option<AlertEffect> {
        let mut keys: BTreeSet<String> = self.posted.keys().cloned().collect();
        keys.extend(input.alerts.values().map(|alert| alert.condition.notification.clone()));
        for key in keys {
            self.deliver_one(&key, input, moment);
        }
        self.drop_old(moment);
        self.next_message(input.channel, moment.now)
    }

    /// Forgets what a channel that is off had to send.
    pub(super) fn switch_off(&mut self) {
        self.posted.clear();
        self.queue.clear();
        (self.failure, self.interrupted, self.given_up_ms) = (None, None, None);
    }

    fn deliver_one(&mut self, key: &str, input: &OutboxInput<'_>, moment: &DeliveryMoment<'_>) {
        let own = input.channel.word();
        let mut live: Vec<&Alert> = input
            .alerts
            .values()
            .filter(|alert| alert.condition.notification == key && moment.is_to_be_told(alert))
            .filter(|alert| alert.condition.severity >= input.policy.from)
            // A channel cannot tell of its own failure.
            .filter(|alert| {
                let condition = &alert.condition;
                condition.rule != AlertRule::ChannelFault || !condition.scopes.contains(own)
            })
            .collect();
        live.sort_by_key(|alert| std::cmp::Reverse(alert.condition.severity));
        let exists = |alert: &Alert| alert.condition.notification == key && alert.is_firing();
        if let Some(posted) = self.posted.get_mut(key) {
            let ended = input.ended.iter().rfind(|it| it.0.condition.notification == key);
            if let Some((alert, ending)) = ended {
                let over = alert.condition.over.clone();
                posted.ended = Some(Ended { ending: ending.word().to_owned(), over });
            }
            if !input.alerts.values().any(exists) {
                self.tell_end(key, input.flaps, moment.now);
                return;
            }
        }
        let causes: BTreeSet<String> = live.iter().map(|alert| cause(alert)).collect();
        let may_retry = self.may_retry(moment.now);
        let is_known =
            |posted: &Posted| causes.is_subset(&posted.cause) && !(posted.is_given_up && may_retry);
        if live.is_empty() || self.posted.get(key).is_some_and(is_known) {
            return;
        }
        let is_due = |alert: &&Alert| {
            moment.is_due(alert) && is_past(alert.fired_ms, input.policy.wait, moment.now)
        };
        let passes = live.iter().any(|alert| alert.condition.passes_quiet_hours);
        if live.iter().any(is_due) && (passes || !moment.context.is_quiet) {
            self.tell(key, causes, &live, moment);
        }
    }

    fn tell(
        &mut self,
        key: &str,
        causes: BTreeSet<String>,
        live: &[&Alert],
        moment: &DeliveryMoment<'_>,
    ) {
        // One that waits says less than this one.
        let others = self.queue.iter().filter(|it| it.key != key || it.is_being_sent);
        if others.count() >= QUEUE_MAX {
            // Told by an evaluation that finds room.
            return;
        }
        let severity = live.first().map_or_else(Default::default, |it| it.condition.severity);
        // One that only tries whether the channel works takes no place of those that follow.
        let is_trial =
            self.failure.is_some() && self.posted.get(key).is_some_and(|it| it.is_given_up);
        if severity != AlertSeverity::Critical && !is_trial && !self.is_admitted(moment.now) {
            return;
        }
        let text = notification(key, live);
        let message = ChannelMessage {
            kind: MessageKind::Alert,
            severity,
            title: text.title.clone(),
            body: text.body,
        };
        self.queue.retain(|it| it.key != key || it.is_being_sent);
        self.push(key, message, moment.now);
        let posted = self.posted.entry(key.to_owned()).or_insert_with(|| Posted {
            cause: BTreeSet::new(),
            is_sent: false,
            is_given_up: false,
            title: String::new(),
            severity,
            ended: None,
            fingerprints: BTreeSet::new(),
        });
        posted.cause.extend(causes);
        posted.fingerprints.extend(live.iter().map(|it| it.condition.fingerprint.clone()));
        (posted.title, posted.severity, posted.ended) = (text.title, severity, None);
        posted.is_given_up = false;
    }

    /// True if what was given up may be told now: the channel works, or it is time for one message that
    /// tries it.
    fn may_retry(&self, now: RunningMs) -> bool {
        let is_time = self.given_up_ms.is_none_or(|at| is_past(at, GIVEN_UP_PAUSE, now));
        self.failure.is_none() || (is_time && self.queue.is_empty())
    }

    fn give_up(&mut self, key: &str, now: RunningMs) {
        self.given_up_ms = Some(now);
        if let Some(posted) = self.posted.get_mut(key) {
            posted.is_given_up = true;
        }
    }

    /// Tells that it is over, if that it began was told. While it flaps, that waits.
    fn tell_end(&mut self, key: &str, flaps: &FlapLog, now: RunningMs) {
        let Some(posted) = self.posted.get(key) else { return };
        if posted.fingerprints.iter().any(|it| flaps.is_flapping(it)) {
            return;
        }
        let is_being_sent = self.queue.iter().any(|it| it.key == key && it.is_being_sent);
        let Some(posted) = self.posted.remove(key) else { return };
        self.queue.retain(|it| it.key != key || it.is_being_sent);
        if posted.is_sent || is_being_sent {
            self.push(key, resolved_message(posted), now);
        }
    }

    /// False if the queue is full.
    pub(super) fn push(&mut self, key: &str, message: ChannelMessage, now: RunningMs) -> bool {
        if self.queue.len() >= QUEUE_MAX {
            return false;
        }
        self.last_id += 1;
        self.queue.push(QueuedMessage {
            id: self.last_id,
            key: key.to_owned(),
            message,
            attempts: 0,
            queued_ms: now,
            next_ms: now,
            is_being_sent: false,
        });
        true
    }

    /// Counts a message; false at the limit, which is told once.
    fn is_admitted(&mut self, now: RunningMs) -> bool {
        self.sent_ms.retain(|sent| !is_past(*sent, DAY, now));
        let lately = self.sent_ms.iter().filter(|sent| !is_past(**sent, TEN_MINUTES, now)).count();
        let is_limited =
            lately >= POSTED_PER_TEN_MINUTES_MAX || self.sent_ms.len() >= POSTED_PER_DAY_MAX;
        if !is_limited {
            self.is_overflow_told = false;
            self.sent_ms.push(now);
            return true;
        }
        if !std::mem::replace(&mut self.is_overflow_told, true) {
            let message = ChannelMessage {
                kind: MessageKind::Alert,
                severity: AlertSeverity::Medium,
                title: "More alerts are in the inbox".to_owned(),
                body: "No more of them are sent here for now, except critical ones.".to_owned(),
            };
            self.push("", message, now);
        }
        false
    }

    fn drop_old(&mut self, moment: &DeliveryMoment<'_>) {
        let is_old = |it: &QueuedMessage| {
            !it.is_being_sent && is_past(it.queued_ms, MESSAGE_AGE_MAX, moment.now)
        };
        let old: Vec<String> =
            self.queue.extract_if(.., |it| is_old(it)).map(|it| it.key).collect();
        if !old.is_empty() {
            old.iter().for_each(|key| self.give_up(key, moment.now));
            let reason = "messages waited too long and were not sent".to_owned();
            self.fail(reason, moment.wall);
        }
    }

    /// The next message, in the order in which they were queued, one at a time.
    fn next_message(&mut self, channel: AlertChannel, now: RunningMs) -> Option<AlertEffect> {
        let first = self.queue.first_mut()?;
        if first.is_being_sent || first.next_ms > now {
            return None;
        }
        (first.is_being_sent, first.attempts) = (true, first.attempts + 1);
        Some(AlertEffect::Post { channel, id: first.id, message: first.message.clone() })
    }

    /// Takes in how an attempt ended.
    pub(super) fn settle(&mut self, id: u64, outcome: PostOutcome, now: RunningMs, wall: WallTime) {
        let Some(place) = self.queue.iter().position(|it| it.id == id && it.is_being_sent) else {
            return;
        };
        let mut settled = self.queue.remove(place);
        settled.is_being_sent = false;
        match outcome {
            PostOutcome::Sent => {
                if let Some(posted) = self.posted.get_mut(&settled.key) {
                    posted.is_sent = true;
                }
                (self.failure, self.interrupted) = (None, None);
                self.last_sent = Some(wall);
            }
            PostOutcome::Failed { reason, retry_after } if settled.attempts < ATTEMPTS_MAX => {
                let place_of_pause = usize::try_from(settled.attempts - 1).unwrap_or_default();
                let secs = RETRY_SECS.get(place_of_pause).copied().unwrap_or_default();
                let pause = Duration::from_secs(secs).max(retry_after.unwrap_or_default());
                let pause = pause.min(MESSAGE_AGE_MAX);
                settled.next_ms = now + u64::try_from(pause.as_millis()).unwrap_or_default();
                if settled.attempts >= FAILING_ATTEMPTS {
                    self.fail(reason, wall);
                }
                self.queue.insert(0, settled);
            }
            PostOutcome::Failed { reason, .. } | PostOutcome::Refused { reason } => {
                self.give_up(&settled.key, now);
                self.fail(reason, wall);
            }
        }
    }

    fn fail(&mut self, reason: String, wall: WallTime) {
        let since = self.failure.as_ref().map_or(wall, |failure| failure.since);
        self.failure = Some(ChannelFailure { since, reason });
    }

    /// After a stop: nobody knows what became of a message that was being sent.
    pub(super) fn recover(&mut self, wall: WallTime) {
        for lost in self.queue.extract_if(.., |it| it.is_being_sent) {
            if let Some(posted) = self.posted.get_mut(&lost.key) {
                posted.is_sent = true;
            }
            self.interrupted = Some(wall);
        }
    }

    pub(super) fn is_waiting(&self) -> bool {
        !self.queue.is_empty() || self.posted.values().any(|posted| posted.ended.is_some())
    }

    pub(super) fn record_test(&mut self, at: WallTime, failure: Option<String>) {
        if failure.is_none() {
            (self.failure, self.interrupted, self.last_sent) = (None, None, Some(at));
        }
        self.test = Some(ChannelTest { at, failure, is_seen: None });
    }

    /// False if no test was sent.
    pub(super) fn answer_test(&mut self, is_seen: bool) -> bool {
        let sent = self.test.as_mut().filter(|test| test.failure.is_none());
        sent.map(|test| test.is_seen = Some(is_seen)).is_some()
    }

    pub(super) fn activity(&self) -> ChannelActivity {
        ChannelActivity {
            failure: self.failure.clone(),
            last_sent: self.last_sent,
            interrupted: self.interrupted,
            waiting: self.queue.len(),
            test: self.test.clone(),
        }
    }
}

fn resolved_message(posted: Posted) -> ChannelMessage {
    let ended = posted.ended;
    let ending = ended.as_ref().map_or(AlertEnding::Resolved, |it| {
        // A word of another version.
        it.ending.parse().unwrap_or(AlertEnding::Unknown)
    });
    let over = ended.and_then(|it| it.over).filter(|_| ending == AlertEnding::Resolved);
    let (title, body) = over.unwrap_or_else(|| {
        let body = match ending {
            AlertEnding::Resolved => "It is over.",
            AlertEnding::Removed => "What it was about was removed or switched off.",
            AlertEnding::Unknown => "Nothing is known about it any more.",
            AlertEnding::SwitchedOff => "Its rule was switched off.",
        };
        (cut_title(&format!("Ended: {}", posted.title)), body.to_owned())
    });
    ChannelMessage { kind: MessageKind::Resolved, severity: posted.severity, title, body }
}

#[cfg(test)]
mod tests;
