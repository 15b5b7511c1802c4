//! Which alerts are shown as notifications, when, and when they go.
//!
//! One piece: showing, holding back and withdrawing share what is on the screen.
//!
//! Nothing untrue stays on the screen: what is over is withdrawn at once, whatever else holds
//! notifications back. That it is over is told once it has lasted.

pub(super) mod flaps;
mod screen;
mod summaries;

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::{AlertSeverity, RunId, WallTime};
use serde::{Deserialize, Serialize};

use self::flaps::FlapLog;
use super::{Alert, AlertContext, AlertEffect, RunningMs, Runs, is_past};
use crate::condition::Fingerprint;
use crate::facts::FailedBackend;
use crate::notification::{
    Notification, ShownNotification, Urgency, cut_title, failed_backends_text, join_sentences,
    joined_impact,
};
use crate::rule::AlertEnding;

pub use self::flaps::FLAPS_MAX;
pub use self::screen::LOSSES_PER_TEN_MINUTES_MAX;

/// Time between an alert and its notification, in which others join it.
pub const SHOWN_WAIT: Duration = Duration::from_secs(30);
/// The same for a critical alert.
pub const CRITICAL_WAIT: Duration = Duration::from_secs(10);
/// Maximum number of non-critical notifications in ten minutes.
pub const SHOWN_PER_TEN_MINUTES_MAX: usize = 3;
/// Maximum number of non-critical notifications in 24 hours.
pub const SHOWN_PER_DAY_MAX: usize = 12;
/// Minimum duration of what was shown before its end is shown.
pub const RECOVERY_DURATION_MIN: Duration = Duration::from_secs(120);
/// Maximum number of readiness runs remembered, so that none is shown twice.
pub const RUNS_REMEMBERED_MAX: usize = 64;
/// Key of the notification that counts what a limit held back.
pub const OVERFLOW_KEY: &str = "alerts/more";
/// Key of the notification that sums up quiet hours.
pub const QUIET_KEY: &str = "alerts/quiet";

const TEN_MINUTES: Duration = Duration::from_secs(600);
const HALF_AN_HOUR: Duration = Duration::from_secs(1_800);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
const INBOX_PATH: &str = "/alerts";

/// When a critical alert is shown again unless it is acknowledged: after its last showing.
const CRITICAL_REPEATS: [Duration; 4] = [TEN_MINUTES, HALF_AN_HOUR, HOUR, HOUR];
/// When a high one is shown again.
const HIGH_REPEATS: [Duration; 1] = [Duration::from_secs(4 * 3_600)];

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Delivery {
    /// By notification key.
    shown: BTreeMap<String, Shown>,
    /// When non-critical notifications were shown.
    sent_ms: Vec<RunningMs>,
    pub(super) flaps: FlapLog,
    runs: Runs,
    /// Alerts that a limit held back, by number.
    overflow: BTreeSet<u64>,
    /// Alerts of quiet hours, by number.
    held: BTreeSet<u64>,
    /// When notifications were lost with the program that showed them.
    #[serde(default)]
    losses_ms: Vec<RunningMs>,
}

/// What the user sees, or saw, of the alerts that share a notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Shown {
    /// False while it is withdrawn, although one of its alerts has not ended.
    is_visible: bool,
    /// Which alerts it names and how severe they are.
    cause: BTreeSet<String>,
    /// What it says and how urgently, so that another cause with the same words is not told again.
    #[serde(default)]
    text: String,
    sent_ms: RunningMs,
    repeats: usize,
    lasted: Duration,
    /// True once it was shown with a sound.
    #[serde(default)]
    is_escalated: bool,
    /// As the desktop knows it; `None` if it does not say, and once the user closed it.
    #[serde(default)]
    on_screen: Option<ShownNotification>,
    /// True from when it was lost with the program that showed it, or taken away because the window,
    /// which has the focus, says something newer, until it is shown again.
    #[serde(default, alias = "is_lost")]
    returns: bool,
}

pub(super) struct DeliveryMoment<'a> {
    pub(super) now: RunningMs,
    pub(super) wall: WallTime,
    pub(super) context: &'a AlertContext,
    pub(super) is_silenced: &'a dyn Fn(&Alert) -> bool,
}

/// What keeps alerts from the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    /// What is known is from before a sleep.
    Resuming,
    /// The window shows them.
    Focus,
    Quiet,
}

impl DeliveryMoment<'_> {
    fn wants_notification(&self, alert: &Alert) -> bool {
        self.context.shows(alert) && self.is_to_be_told(alert)
    }

    /// The alerts with these numbers that are to be shown.
    fn live<'b>(
        &self,
        alerts: &'b BTreeMap<Fingerprint, Alert>,
        numbers: &BTreeSet<u64>,
    ) -> Vec<&'b Alert> {
        let own = alerts.values().filter(|it| it.number.is_some_and(|it| numbers.contains(&it)));
        own.filter(|it| self.wants_notification(it)).collect()
    }

    /// True unless the alert is over, acknowledged, silenced, or only for the inbox.
    pub(super) fn is_to_be_told(&self, alert: &Alert) -> bool {
        alert.is_live() && self.context.tells(alert) && !(self.is_silenced)(alert)
    }

    /// True while good news is not shown.
    const fn is_held(&self) -> bool {
        !self.context.is_on || self.context.is_focused || self.context.is_quiet
    }

    /// What keeps these alerts from the screen now; `None` if nothing does.
    fn hold(&self, live: &[&mut Alert]) -> Option<Hold> {
        let passes = || live.iter().any(|alert| alert.condition.passes_quiet_hours);
        if self.context.is_resuming {
            Some(Hold::Resuming)
        } else if self.context.is_focused {
            Some(Hold::Focus)
        } else if self.context.is_quiet && !passes() {
            Some(Hold::Quiet)
        } else {
            None
        }
    }

    /// True if one of the alerts went without being acknowledged for long enough, and nobody looks or
    /// wants quiet.
    fn is_to_be_heard(&self, live: &[&mut Alert]) -> bool {
        let Some(policy) = self.context.escalation else { return false };
        let passes = live.iter().any(|alert| alert.condition.passes_quiet_hours);
        let is_due = live.iter().any(|alert| {
            alert.condition.severity >= policy.from
                && is_past(alert.fired_ms, policy.wait, self.now)
        });
        is_due && !self.context.is_focused && (passes || !self.context.is_quiet)
    }

    /// Whether an alert has waited long enough to be told.
    pub(super) fn is_due(&self, alert: &Alert) -> bool {
        let group_wait = match alert.condition.severity {
            AlertSeverity::Critical => CRITICAL_WAIT,
            _ => SHOWN_WAIT,
        };
        let keep = alert.condition.rule.row().keep;
        let wait = if alert.came_back { keep.max(group_wait) } else { group_wait };
        let since = match alert.condition.severity {
            // It lasted for as long as that already.
            AlertSeverity::Critical => alert.true_since_ms,
            _ => alert.fired_ms.max(alert.true_since_ms),
        };
        is_past(since, wait, self.now)
    }
}

impl Delivery {
    pub(super) fn deliver(
        &mut self,
        alerts: &mut BTreeMap<Fingerprint, Alert>,
        ended: &[(Alert, AlertEnding)],
        moment: &mut DeliveryMoment<'_>,
        effects: &mut Vec<AlertEffect>,
    ) {
        self.flaps.forget_old(moment.now);
        let mut keys: BTreeSet<String> = self.shown.keys().cloned().collect();
        keys.extend(alerts.values().map(|alert| alert.condition.notification.clone()));
        for key in keys.into_iter().filter(|key| key != OVERFLOW_KEY && key != QUIET_KEY) {
            self.deliver_one(&key, alerts, moment, effects);
            self.finish(&key, alerts, ended, moment, effects);
        }
        self.tell_overflow(alerts, moment, effects);
        self.tell_held(alerts, moment, effects);
    }

    /// Shows, replaces or withdraws the notification with this key.
    fn deliver_one(
        &mut self,
        key: &str,
        alerts: &mut BTreeMap<Fingerprint, Alert>,
        moment: &DeliveryMoment<'_>,
        effects: &mut Vec<AlertEffect>,
    ) {
        let mut live: Vec<&mut Alert> = alerts
            .values_mut()
            .filter(|alert| alert.condition.notification == key && moment.wants_notification(alert))
            .collect();
        live.sort_by_key(|alert| std::cmp::Reverse(alert.condition.severity));
        if live.is_empty() {
            let mut ending = alerts.values().filter(|it| it.is_ending && it.is_firing());
            match ending.find(|it| it.condition.notification == key) {
                Some(alert) if alert.condition.tells_end_at_once => {
                    self.tell_end(key, alert, moment, effects);
                }
                _ => self.hide(key, effects),
            }
            return;
        }
        if live.iter().all(|it| self.flaps.is_flapping(&it.condition.fingerprint)) {
            return self.tell_flapping(key, &mut live, moment, effects);
        }
        if self.shown.get(key).is_some_and(|shown| shown.is_visible) {
            return self.update(key, &mut live, moment, effects);
        }
        let cause = live.iter().map(|alert| cause(alert)).collect();
        self.show_first(key, cause, &mut live, moment, effects);
    }

    /// Repeats what is shown, or says what became of it.
    fn update(
        &mut self,
        key: &str,
        live: &mut [&mut Alert],
        moment: &DeliveryMoment<'_>,
        effects: &mut Vec<AlertEffect>,
    ) {
        let Some(shown) = self.shown.get_mut(key) else { return };
        let lasted = live.iter().map(|alert| alert.lasted(moment.now)).max();
        shown.lasted = lasted.unwrap_or_default().max(shown.lasted);
        let cause: BTreeSet<String> = live.iter().map(|alert| cause(alert)).collect();
        let next = notification(key, live);
        let is_repeat = shown.repeats_now(live.first().map(|it| &**it), moment.now);
        let has_sound = !shown.is_escalated && moment.is_to_be_heard(live);
        match moment.hold(live) {
            // It is compared again when what is known is from now.
            Some(Hold::Resuming) => return,
            // It may not be said, and what is on the screen is not true any more.
            Some(hold) if shown.text != text(&next) => {
                shown.cause = cause;
                if hold == Hold::Quiet {
                    self.held.extend(live.iter().filter_map(|alert| alert.number));
                } else {
                    shown.returns = true;
                }
                return self.hide(key, effects);
            }
            Some(Hold::Focus) => {
                shown.cause = cause;
                // The time until it is repeated begins anew.
                shown.sent_ms = moment.now;
                return;
            }
            Some(Hold::Quiet) => {
                shown.cause = cause;
                return;
            }
            None => {}
        }
        if shown.cause == cause && !is_repeat && !has_sound {
            return;
        }
        live.iter_mut().for_each(|alert| alert.tell(moment.wall));
        shown.cause = cause;
        if !is_repeat && !has_sound && shown.text == text(&next) {
            return;
        }
        shown.repeats += usize::from(is_repeat);
        shown.sent_ms = moment.now;
        shown.is_escalated |= has_sound;
        shown.text = text(&next);
        effects.push(AlertEffect::Send(Notification { has_sound, ..next }));
    }

    fn show_first(
        &mut self,
        key: &str,
        cause: BTreeSet<String>,
        live: &mut [&mut Alert],
        moment: &DeliveryMoment<'_>,
        effects: &mut Vec<AlertEffect>,
    ) {
        let hold = moment.hold(live);
        if hold == Some(Hold::Resuming) {
            return;
        }
        let is_limited = self.is_limited(moment.now);
        let returning = self.shown.get_mut(key).filter(|shown| shown.returns);
        let is_news = |alert: &Alert| (!alert.is_told || alert.came_back) && moment.is_due(alert);
        if returning.is_none() && !live.iter().any(|alert| is_news(alert)) {
            return;
        }
        let numbers = || live.iter().filter_map(|alert| alert.number);
        let notification = notification(key, live);
        if hold == Some(Hold::Focus) {
            // What was shown on the desktop before, the window has shown too.
            if returning.is_none() {
                effects.push(AlertEffect::ShowInWindow(notification));
            }
        } else if hold == Some(Hold::Quiet) {
            if let Some(shown) = returning {
                shown.returns = false;
            }
            self.held.extend(numbers());
        } else if returning.is_none() && notification.urgency != Urgency::Critical && is_limited {
            self.overflow.extend(numbers());
        } else {
            let lasted = live.iter().map(|alert| alert.lasted(moment.now)).max();
            let (lasted, text) = (lasted.unwrap_or_default(), text(&notification));
            let shown = match returning.cloned() {
                Some(known) => {
                    let sent_ms = moment.now;
                    Shown { is_visible: true, returns: false, cause, text, sent_ms, ..known }
                }
                None => {
                    self.count_sent(notification.urgency, moment.now);
                    Shown { lasted, text, ..Shown::new(cause, moment.now) }
                }
            };
            self.shown.insert(key.to_owned(), shown);
            live.iter_mut().for_each(|alert| alert.notified_at = Some(moment.wall));
            effects.push(AlertEffect::Send(notification));
        }
        live.iter_mut().for_each(|alert| alert.take_as_told());
    }

    /// Says at once that what is shown is over.
    fn tell_end(
        &mut self,
        key: &str,
        alert: &Alert,
        moment: &DeliveryMoment<'_>,
        effects: &mut Vec<AlertEffect>,
    ) {
        let is_visible = self.shown.get(key).is_some_and(|shown| shown.is_visible);
        let news = alert.condition.over.clone().filter(|_| is_visible && !moment.is_held());
        let Some((title, body)) = news else { return self.hide(key, effects) };
        self.shown.remove(key);
        let (key, path, urgency) = (key.to_owned(), alert.condition.path.clone(), Urgency::Low);
        let (has_sound, alerts) = (false, Vec::new());
        effects.push(AlertEffect::Send(Notification {
            key,
            title,
            body,
            urgency,
            path,
            has_sound,
            alerts,
        }));
    }

    fn hide(&mut self, key: &str, effects: &mut Vec<AlertEffect>) {
        if let Some(shown) = self.shown.get_mut(key).filter(|shown| shown.is_visible) {
            (shown.is_visible, shown.on_screen) = (false, None);
            effects.push(AlertEffect::Withdraw(key.to_owned()));
        }
    }

    /// Forgets a notification whose alerts have all ended, and says that it is over if that is news.
    fn finish(
        &mut self,
        key: &str,
        alerts: &BTreeMap<Fingerprint, Alert>,
        ended: &[(Alert, AlertEnding)],
        moment: &DeliveryMoment<'_>,
        effects: &mut Vec<AlertEffect>,
    ) {
        if alerts.values().any(|alert| alert.condition.notification == key) {
            return;
        }
        let Some(shown) = self.shown.remove(key) else { return };
        let of_key = |it: &&(Alert, AlertEnding)| it.0.condition.notification == key;
        let Some((last, AlertEnding::Resolved)) = ended.iter().rfind(of_key) else { return };
        let lasted = last.lasted(moment.now).max(shown.lasted);
        let Some((title, body)) = last.condition.over.clone() else { return };
        if moment.is_held()
            || lasted < RECOVERY_DURATION_MIN
            || self.flaps.is_told(&last.condition.fingerprint)
        {
            return;
        }
        // It replaces what was shown.
        effects.pop_if(|effect| matches!(effect, AlertEffect::Withdraw(gone) if gone == key));
        effects.push(AlertEffect::Send(Notification {
            key: key.to_owned(),
            title,
            body,
            urgency: Urgency::Low,
            path: last.condition.path.clone(),
            has_sound: false,
            alerts: Vec::new(),
        }));
    }

    /// The one notice that something keeps failing and recovering.
    fn tell_flapping(
        &mut self,
        key: &str,
        live: &mut [&mut Alert],
        moment: &DeliveryMoment<'_>,
        effects: &mut Vec<AlertEffect>,
    ) {
        let hold = moment.hold(live);
        let Some(first) = live.first().filter(|_| hold != Some(Hold::Resuming)) else { return };
        let (title, path) = (cut_title(&first.condition.title), first.condition.path.clone());
        let is_critical = first.condition.urgency() == Urgency::Critical;
        let fingerprint = first.condition.fingerprint.clone();
        if self.flaps.is_told_before(&fingerprint) {
            live.iter_mut().for_each(|alert| alert.take_as_told());
            return;
        }
        let numbers: Vec<u64> = live.iter().filter_map(|alert| alert.number).collect();
        let is_visible = self.shown.get(key).is_some_and(|shown| shown.is_visible);
        let is_limited = !is_critical && !is_visible && self.is_limited(moment.now);
        match hold {
            Some(Hold::Quiet) => self.held.extend(numbers),
            Some(_) => {}
            None if is_limited => self.overflow.extend(numbers),
            None => {
                if !is_critical && !is_visible {
                    self.count_sent(Urgency::Normal, moment.now);
                }
                let shown = Shown::once(BTreeSet::from(["flapping".to_owned()]), moment.now);
                self.shown.insert(key.to_owned(), shown);
                live.iter_mut().for_each(|alert| alert.notified_at = Some(moment.wall));
                effects.push(AlertEffect::Send(Notification {
                    key: key.to_owned(),
                    title,
                    body: join_sentences(&[
                        "It keeps failing and recovering. No more notifications until it is stable.",
                    ]),
                    urgency: Urgency::Normal,
                    path,
                    has_sound: false,
                    alerts: numbers,
                }));
            }
        }
        live.iter_mut().for_each(|alert| alert.take_as_told());
    }

    pub(super) fn announce_run(
        &mut self,
        run: RunId,
        notification: &Notification,
        context: &AlertContext,
        now: RunningMs,
    ) -> bool {
        let is_held = !context.is_on || context.is_focused || context.is_quiet;
        let run = run.to_string();
        if is_held || self.runs.contains(&run) || self.is_limited(now) {
            return false;
        }
        self.runs.push_back(run);
        if self.runs.len() > RUNS_REMEMBERED_MAX {
            self.runs.pop_front();
        }
        self.count_sent(notification.urgency, now);
        true
    }

    pub(super) fn take_shown(&mut self) -> Vec<String> {
        let visible = self.shown.iter_mut().filter(|(_, shown)| shown.is_visible);
        let taken = visible.map(|(key, shown)| {
            (shown.is_visible, shown.on_screen) = (false, None);
            key.clone()
        });
        taken.collect()
    }

    fn is_limited(&self, now: RunningMs) -> bool {
        let within =
            |span: Duration| self.sent_ms.iter().filter(|sent| !is_past(**sent, span, now)).count();
        within(TEN_MINUTES) >= SHOWN_PER_TEN_MINUTES_MAX || within(DAY) >= SHOWN_PER_DAY_MAX
    }

    fn count_sent(&mut self, urgency: Urgency, now: RunningMs) {
        if urgency != Urgency::Critical {
            self.sent_ms.push(now);
            if self.sent_ms.len() > SHOWN_PER_DAY_MAX {
                self.sent_ms.remove(0);
            }
        }
    }
}

impl Shown {
    const fn new(cause: BTreeSet<String>, now: RunningMs) -> Self {
        Self {
            is_visible: true,
            cause,
            text: String::new(),
            sent_ms: now,
            repeats: 0,
            lasted: Duration::ZERO,
            is_escalated: false,
            on_screen: None,
            returns: false,
        }
    }

    /// Never repeated, nor shown with a sound.
    fn once(cause: BTreeSet<String>, now: RunningMs) -> Self {
        Self { repeats: usize::MAX, is_escalated: true, ..Self::new(cause, now) }
    }

    fn repeats_now(&self, worst: Option<&Alert>, now: RunningMs) -> bool {
        let after = match worst.map(|alert| alert.condition.severity) {
            Some(AlertSeverity::Critical) => CRITICAL_REPEATS.get(self.repeats),
            Some(AlertSeverity::High) => HIGH_REPEATS.get(self.repeats),
            _ => None,
        };
        after.is_some_and(|after| is_past(self.sent_ms, *after, now))
    }
}

impl Alert {
    fn take_as_told(&mut self) {
        (self.is_told, self.came_back) = (true, false);
    }

    fn tell(&mut self, wall: WallTime) {
        self.take_as_told();
        self.notified_at = Some(wall);
    }
}

/// Changes exactly when a notification about the alert has something new to say.
pub(super) fn cause(alert: &Alert) -> String {
    let condition = &alert.condition;
    let told_too: BTreeSet<String> = condition.same_cause.iter().map(ToString::to_string).collect();
    let told_too: Vec<String> = told_too.into_iter().collect();
    format!("{} {} {}", condition.fingerprint, condition.severity.word(), told_too.join(" "))
}

fn text(notification: &Notification) -> String {
    let Notification { title, body, urgency, .. } = notification;
    format!("{urgency:?}: {title}\n{body}")
}

/// The notification about alerts, the most severe first.
pub(super) fn notification<A: Borrow<Alert>>(key: &str, live: &[A]) -> Notification {
    let live: Vec<&Alert> = live.iter().map(Borrow::borrow).collect();
    let failed: Vec<&FailedBackend> =
        live.iter().filter_map(|alert| alert.condition.failed.as_ref()).collect();
    let urgency = live.iter().map(|alert| alert.condition.urgency());
    let is_critical = urgency.clone().any(|urgency| urgency == Urgency::Critical)
        || (!failed.is_empty() && joined_impact(&failed).is_critical());
    let (title, body, path) = match (failed.as_slice(), live.first()) {
        ([first, _, ..], _) if failed.len() == live.len() => {
            failed_backends_text(&first.server, &failed)
        }
        (_, Some(worst)) => {
            let condition = &worst.condition;
            (condition.title.clone(), condition.detail.clone(), condition.path.clone())
        }
        (_, None) => Default::default(),
    };
    let urgency = if is_critical { Urgency::Critical } else { Urgency::Normal };
    let alerts = live.iter().filter_map(|alert| alert.number).collect();
    let has_sound = false;
    Notification { key: key.to_owned(), title, body, urgency, path, has_sound, alerts }
}
