//! Which alerts are shown as notifications, when, and when they go.
//!
//! One piece: showing, holding back and withdrawing share what is on the screen.
//!
//! Nothing untrue stays on the screen: what is over is withdrawn at once, whatever else holds
//! notifications back. That it is over is told once it has lasted.

pub(super) mod flaps;
mod screen;

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::{AlertDelivery, AlertSeverity, RunId, WallTime};
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

/// Least severe alerts that are shown on the desktop.
pub const SHOWN_FROM: AlertSeverity = AlertSeverity::Medium;
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
    /// True from when it was lost with the program that showed it, until it is shown again.
    #[serde(default)]
    is_lost: bool,
}

pub(super) struct DeliveryMoment<'a> {
    pub(super) now: RunningMs,
    pub(super) wall: WallTime,
    pub(super) context: &'a AlertContext,
    pub(super) is_silenced: &'a dyn Fn(&Alert) -> bool,
}

impl DeliveryMoment<'_> {
    fn wants_notification(&self, alert: &Alert) -> bool {
        self.context.is_on && alert.condition.severity >= SHOWN_FROM && self.is_to_be_told(alert)
    }

    /// True unless the alert is over, acknowledged, silenced, or only for the inbox.
    pub(super) fn is_to_be_told(&self, alert: &Alert) -> bool {
        alert.is_live()
            && alert.acknowledged_at.is_none()
            && self.context.delivery(alert.condition.rule) == AlertDelivery::Notification
            && !(self.is_silenced)(alert)
    }

    /// True while good news is not shown.
    const fn is_held(&self) -> bool {
        !self.context.is_on || self.context.is_focused || self.context.is_quiet
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
        self.tell_overflow(alerts, effects);
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
        if let Some(effect) = self.flapping_notice(key, &live, moment.now) {
            live.iter_mut().for_each(|alert| alert.tell(moment.wall));
            effects.extend(effect);
            return;
        }
        let cause: BTreeSet<String> = live.iter().map(|alert| cause(alert)).collect();
        if let Some(shown) = self.shown.get_mut(key).filter(|shown| shown.is_visible) {
            let lasted = live.iter().map(|alert| alert.lasted(moment.now)).max();
            shown.lasted = lasted.unwrap_or_default().max(shown.lasted);
            let is_repeat = shown.repeats_now(live.first().map(|it| &**it), moment.now);
            let has_sound = !shown.is_escalated && moment.is_to_be_heard(&live);
            if shown.cause != cause || is_repeat || has_sound {
                let next = Notification { has_sound, ..notification(key, &live) };
                live.iter_mut().for_each(|alert| alert.tell(moment.wall));
                shown.cause = cause;
                if !is_repeat && !has_sound && shown.text == text(&next) {
                    return;
                }
                shown.repeats += usize::from(is_repeat);
                shown.sent_ms = moment.now;
                shown.is_escalated |= has_sound;
                shown.text = text(&next);
                effects.push(AlertEffect::Send(next));
            }
            return;
        }
        self.show_first(key, cause, &mut live, moment, effects);
    }

    fn show_first(
        &mut self,
        key: &str,
        cause: BTreeSet<String>,
        live: &mut [&mut Alert],
        moment: &DeliveryMoment<'_>,
        effects: &mut Vec<AlertEffect>,
    ) {
        if moment.context.is_resuming {
            return;
        }
        let lost = self.shown.get_mut(key).filter(|shown| shown.is_lost);
        let lost = lost.map(|shown| {
            shown.is_lost = false;
            shown.clone()
        });
        let is_news = |alert: &Alert| (!alert.is_told || alert.came_back) && moment.is_due(alert);
        if lost.is_none() && !live.iter().any(|alert| is_news(alert)) {
            return;
        }
        let numbers = || live.iter().filter_map(|alert| alert.number);
        let notification = notification(key, live);
        let passes = live.iter().any(|alert| alert.condition.passes_quiet_hours);
        if moment.context.is_focused {
            // The window shows it.
        } else if moment.context.is_quiet && !passes {
            self.held.extend(numbers());
        } else if lost.is_none()
            && notification.urgency != Urgency::Critical
            && self.is_limited(moment.now)
        {
            self.overflow.extend(numbers());
        } else {
            let lasted = live.iter().map(|alert| alert.lasted(moment.now)).max();
            let (lasted, text) = (lasted.unwrap_or_default(), text(&notification));
            let shown = match lost {
                Some(lost) => Shown { is_visible: true, cause, text, ..lost },
                None => {
                    self.count_sent(notification.urgency, moment.now);
                    Shown { lasted, text, ..Shown::new(cause, moment.now) }
                }
            };
            self.shown.insert(key.to_owned(), shown);
            live.iter_mut().for_each(|alert| alert.notified_at = Some(moment.wall));
            effects.push(AlertEffect::Send(notification));
        }
        for alert in live {
            (alert.is_told, alert.came_back) = (true, false);
        }
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

    /// The one notice that something keeps failing and recovering; an empty one if it was given.
    fn flapping_notice(
        &mut self,
        key: &str,
        live: &[&mut Alert],
        now: RunningMs,
    ) -> Option<Option<AlertEffect>> {
        let all = live.iter().all(|it| self.flaps.is_flapping(&it.condition.fingerprint));
        let first = live.first().filter(|_| all)?;
        if self.flaps.is_told_before(&first.condition.fingerprint) {
            return Some(None);
        }
        let shown = Shown::once(BTreeSet::from(["flapping".to_owned()]), now);
        self.shown.insert(key.to_owned(), shown);
        Some(Some(AlertEffect::Send(Notification {
            key: key.to_owned(),
            title: cut_title(&first.condition.title),
            body: join_sentences(&[
                "It keeps failing and recovering. No more notifications until it is stable.",
            ]),
            urgency: Urgency::Normal,
            path: first.condition.path.clone(),
            has_sound: false,
            alerts: live.iter().filter_map(|alert| alert.number).collect(),
        })))
    }

    fn tell_overflow(
        &mut self,
        alerts: &BTreeMap<Fingerprint, Alert>,
        effects: &mut Vec<AlertEffect>,
    ) {
        let before = self.overflow.len();
        let is_live =
            |number: &u64| alerts.values().any(|it| it.is_live() && it.number == Some(*number));
        self.overflow.retain(is_live);
        let cause = BTreeSet::from([self.overflow.len().to_string()]);
        if self.overflow.is_empty() {
            if before > 0 || self.shown.contains_key(OVERFLOW_KEY) {
                self.hide(OVERFLOW_KEY, effects);
                self.shown.remove(OVERFLOW_KEY);
            }
        } else if self.shown.get(OVERFLOW_KEY).is_none_or(|shown| shown.cause != cause) {
            let title = format!("{} more in the inbox", self.overflow.len());
            let body = "Open the alerts to see them.";
            self.show_summary(OVERFLOW_KEY, cause, &title, body, effects);
        }
    }

    /// Sums up what quiet hours held back and what still fires.
    fn tell_held(
        &mut self,
        alerts: &BTreeMap<Fingerprint, Alert>,
        moment: &DeliveryMoment<'_>,
        effects: &mut Vec<AlertEffect>,
    ) {
        let live: Vec<&Alert> = alerts
            .values()
            .filter(|it| moment.wants_notification(it))
            .filter(|it| it.number.is_some_and(|number| self.held.contains(&number)))
            .collect();
        if live.is_empty() {
            self.hide(QUIET_KEY, effects);
            self.shown.remove(QUIET_KEY);
            self.held.clear();
        } else if !moment.context.is_quiet && !self.shown.contains_key(QUIET_KEY) {
            let title = match live.as_slice() {
                [one] => one.condition.title.clone(),
                several => format!("{} alerts from the quiet hours", several.len()),
            };
            let titles = live.iter().map(|it| it.condition.title.clone()).collect::<Vec<_>>();
            let body = match live.as_slice() {
                [one] => one.condition.detail.clone(),
                _ => format!("{}.", domain::list_names(titles.into_iter(), 3)),
            };
            self.show_summary(QUIET_KEY, BTreeSet::new(), &title, &body, effects);
        }
    }

    fn show_summary(
        &mut self,
        key: &str,
        cause: BTreeSet<String>,
        title: &str,
        body: &str,
        effects: &mut Vec<AlertEffect>,
    ) {
        self.shown.insert(key.to_owned(), Shown::once(cause, 0));
        effects.push(AlertEffect::Send(Notification {
            key: key.to_owned(),
            title: cut_title(title),
            body: join_sentences(&[body]),
            urgency: Urgency::Normal,
            path: INBOX_PATH.to_owned(),
            has_sound: false,
            alerts: Vec::new(),
        }));
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
            is_lost: false,
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
    fn tell(&mut self, wall: WallTime) {
        (self.is_told, self.came_back) = (true, false);
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
