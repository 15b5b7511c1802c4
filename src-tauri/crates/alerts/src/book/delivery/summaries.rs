//! What several alerts are summed up in: those that a limit held back, and those of quiet hours.

use std::collections::BTreeMap;

use super::{Delivery, DeliveryMoment, INBOX_PATH, OVERFLOW_KEY, QUIET_KEY, Shown, TEN_MINUTES};
use crate::book::{Alert, AlertEffect, is_past};
use crate::condition::Fingerprint;
use crate::notification::{Notification, Urgency, cut_title, join_sentences};

impl Delivery {
    /// Counts what a limit held back and still fires. What is over stays in the inbox, so that only more
    /// of it is news.
    pub(super) fn tell_overflow(
        &mut self,
        alerts: &BTreeMap<Fingerprint, Alert>,
        moment: &DeliveryMoment<'_>,
        effects: &mut Vec<AlertEffect>,
    ) {
        let live = moment.live(alerts, &self.overflow);
        if live.is_empty() {
            self.end_summary(OVERFLOW_KEY, effects);
            self.overflow.clear();
            return;
        }
        let is_past = |shown: &Shown| is_past(shown.sent_ms, TEN_MINUTES, moment.now);
        if self.is_news(OVERFLOW_KEY, &live) && self.shown.get(OVERFLOW_KEY).is_none_or(is_past) {
            let title = format!("{} more in the inbox", live.len());
            let body = "Open the alerts to see them.";
            self.show_summary(OVERFLOW_KEY, &live, (&title, body), moment, effects);
        }
    }

    /// Sums up what quiet hours held back and what still fires.
    pub(super) fn tell_held(
        &mut self,
        alerts: &BTreeMap<Fingerprint, Alert>,
        moment: &DeliveryMoment<'_>,
        effects: &mut Vec<AlertEffect>,
    ) {
        let live = moment.live(alerts, &self.held);
        if live.is_empty() {
            self.end_summary(QUIET_KEY, effects);
            // What comes back in the same night is summed up all the same.
            let is_back = |number: &u64| alerts.values().any(|it| it.number == Some(*number));
            self.held.retain(|number| moment.context.is_quiet && is_back(number));
            return;
        }
        if self.is_news(QUIET_KEY, &live) {
            let title = match live.as_slice() {
                [one] => one.condition.title.clone(),
                several => format!("{} alerts from the quiet hours", several.len()),
            };
            let titles = live.iter().map(|it| it.condition.title.clone()).collect::<Vec<_>>();
            let body = match live.as_slice() {
                [one] => one.condition.detail.clone(),
                _ => format!("{}.", domain::list_names(titles.into_iter(), 3)),
            };
            self.show_summary(QUIET_KEY, &live, (&title, &body), moment, effects);
        }
    }

    /// True if a summary does not tell of one of these yet.
    fn is_news(&self, key: &str, live: &[&Alert]) -> bool {
        let told = self.shown.get(key).map(|shown| &shown.cause);
        told.is_none_or(|told| live.iter().any(|it| !told.contains(&summary_cause(it))))
    }

    /// Nothing of what it summed up is left to be told.
    fn end_summary(&mut self, key: &str, effects: &mut Vec<AlertEffect>) {
        self.hide(key, effects);
        self.shown.remove(key);
    }

    /// Shows a summary, unless somebody looks or wants quiet: then it waits.
    fn show_summary(
        &mut self,
        key: &str,
        live: &[&Alert],
        (title, body): (&str, &str),
        moment: &DeliveryMoment<'_>,
        effects: &mut Vec<AlertEffect>,
    ) {
        if moment.is_held() || moment.context.is_resuming {
            return;
        }
        let cause = live.iter().map(|alert| summary_cause(alert)).collect();
        self.shown.insert(key.to_owned(), Shown::once(cause, moment.now));
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
}

/// What a summary knows an alert by.
fn summary_cause(alert: &Alert) -> String {
    alert.number.unwrap_or_default().to_string()
}
