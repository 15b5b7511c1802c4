//! Evaluates the alerts, saves them, shows what the user would act on, and sends it to the channels.
//!
//! At once when something happens, every 15 s, and when an escalation is due. What is decided is saved
//! before it is shown, so that a crash between the two shows nothing rather than the same twice.

mod messages;
mod saving;
mod screen;

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use alerts::{
    Alert, AlertBook, AlertContext, AlertEffect, AlertRule, EscalationPolicy, Notification,
    RehearsalStep, RuleTunings, Silence, SilenceMatcher, SuppressedCondition, Urgency, conditions,
};
use domain::{Clock, ClockReading, ReadinessVerdict, WallTime, capitalize, one_line};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ledger::{AlertChange, AlertNote, AlertRow, Ledger, LedgerError};
use parking_lot::Mutex;
use readiness::ReadinessReport;
use settings::{NotificationSettings, SettingsStore};
use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;

use crate::alerts::facts::AlertSources;
use crate::alerts::message_channels::MessageChannels;
use crate::alerts::notifications::Notifications;
use crate::alerts::rule_tunings::rule_tunings;
use crate::events::{EngineEvent, EventBus};
use crate::process::tasks::Tasks;
use crate::topic::Topic;

pub(crate) use saving::{SavedChanges, UnsavedChanges};

/// Longest wait for the ledger before something is shown.
const SAVING_MAX: Duration = Duration::from_secs(2);
/// Maximum length of a readiness sentence in a notification, in characters.
const SENTENCE_CHARS_MAX: usize = alerts::BODY_CHARS_MAX;

/// The alerts, and what the user did about them.
pub struct AlertWatch {
    pub(crate) sources: AlertSources,
    pub(crate) notifications: Arc<Notifications>,
    pub(crate) channels: Arc<MessageChannels>,
    pub(crate) tasks: Tasks,
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) ledger: Ledger,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: EventBus,
    pub(crate) book: Mutex<AlertBook>,
    /// What the ledger did not take yet.
    pub(crate) unsaved: Mutex<UnsavedChanges>,
    /// What the ledger was given and did not answer in time; those changes are in `unsaved` too.
    pub(crate) saving: Mutex<Option<SavedChanges>>,
    /// Held from a change of the book until it is saved and shown, so that both keep their order.
    pub(crate) changing: tokio::sync::Mutex<()>,
    /// Told after each change of the book outside of the usual evaluations: something may wait now.
    pub(crate) changed: Notify,
}

impl AlertWatch {
    /// Reads what became of the alerts before this start.
    pub(crate) async fn restore(&self) -> Result<(), LedgerError> {
        let saved = self.ledger.alert_state().await?;
        let newest =
            self.ledger.alerts(ledger::AlertQuery { limit: 1, ..Default::default() }).await?;
        let newest = newest.first().map_or(0, |row| row.number);
        let book = saved.and_then(|json| match serde_json::from_str(&json) {
            Ok(book) => Some(book),
            Err(error) => {
                tracing::warn!(%error, "the saved alerts could not be read");
                None
            }
        });
        let mut book = book.unwrap_or_else(|| AlertBook::starting_after(newest));
        book.recover(self.clock.wall());
        let shown = book.on_screen();
        *self.book.lock() = book;
        self.notifications.restore(shown).await;
        Ok(())
    }

    /// The alerts that fire, the most severe first, and those that are pending.
    #[must_use]
    pub fn alerts(&self) -> Vec<Alert> {
        self.book.lock().alerts().into_iter().cloned().collect()
    }

    /// What is true and part of another alert.
    #[must_use]
    pub fn suppressed(&self) -> Vec<SuppressedCondition> {
        self.book.lock().suppressed().to_vec()
    }

    #[must_use]
    pub fn silences(&self) -> Vec<Silence> {
        self.book.lock().silences().to_vec()
    }

    /// The silence that keeps an alert from being shown.
    #[must_use]
    pub fn silence_of(&self, alert: &Alert) -> Option<Silence> {
        self.book.lock().silence_of(alert).cloned()
    }

    /// What the settings say of the rules.
    #[must_use]
    pub fn tunings(&self) -> RuleTunings {
        rule_tunings(&self.settings.current().alerts)
    }

    /// Takes a firing alert as seen until it ends, be the ledger writable or not; false if it does not
    /// fire.
    pub async fn acknowledge(self: &Arc<Self>, number: u64) -> bool {
        let _alone = self.changing.lock().await;
        let (mut book, at) = (self.book.lock().clone(), self.clock.wall());
        if !book.acknowledge(number, at) {
            return false;
        }
        self.evaluate_book(book, vec![AlertChange::Acknowledge { number, at }], true).await;
        true
    }

    /// Keeps what matches from being shown until a time; `None` if there are too many silences.
    pub async fn silence(
        self: &Arc<Self>,
        matcher: SilenceMatcher,
        reason: String,
        until: WallTime,
    ) -> Option<Silence> {
        let at = self.clock.wall();
        self.change(|book| book.silence(matcher, reason, at, until)).await
    }

    /// False if there is no silence with this number.
    pub async fn remove_silence(self: &Arc<Self>, number: u64) -> bool {
        self.change(|book| book.remove_silence(number).then_some(())).await.is_some()
    }

    /// Writes a note to an alert.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn add_note(&self, number: u64, note: String) -> Result<(), LedgerError> {
        let note = AlertNote { at: self.clock.wall(), note };
        self.ledger.change_alerts(vec![AlertChange::Note { number, note }]).await?;
        self.events.send_changed(&[Topic::Alerts]);
        Ok(())
    }

    /// Marks an alert, or all, as seen.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn mark_read(&self, number: Option<u64>) -> Result<(), LedgerError> {
        self.ledger.change_alerts(vec![AlertChange::Read { number }]).await?;
        self.events.send_changed(&[Topic::Alerts]);
        Ok(())
    }

    pub(crate) fn spawn(self: &Arc<Self>, tasks: &Tasks) {
        let (watch, stop) = (Arc::clone(self), tasks.stop_token());
        let mut events = self.events.subscribe_except_changed();
        tasks.spawn("alerts", async move {
            // Events that change nothing do not prolong it.
            let mut pause = pin!(tokio::time::sleep(watch.pause()));
            loop {
                let event = tokio::select! {
                    () = stop.cancelled() => return watch.withdraw_all().await,
                    event = events.recv() => Some(event),
                    () = &mut pause => None,
                    () = watch.notifications.screen_changed() => None,
                    () = watch.changed.notified() => {
                        pause.set(tokio::time::sleep(watch.pause()));
                        continue;
                    }
                };
                match event {
                    None => {
                        watch.evaluate().await;
                        watch.show_unshown().await;
                    }
                    Some(Ok(EngineEvent::RunEnded(report))) => watch.announce_run(&report).await,
                    Some(Ok(event)) if is_cause(&event) => watch.evaluate().await,
                    Some(Ok(_)) => continue,
                    Some(Err(RecvError::Lagged(_))) => watch.evaluate().await,
                    Some(Err(RecvError::Closed)) => return,
                }
                pause.set(tokio::time::sleep(watch.pause()));
            }
        });
    }

    /// Time until the next evaluation, if nothing happens.
    pub(crate) fn pause(&self) -> Duration {
        let context = self.context();
        self.book.lock().pause(&context)
    }

    /// Judges the facts of this moment.
    pub(crate) async fn evaluate(self: &Arc<Self>) {
        let _alone = self.changing.lock().await;
        let book = self.book.lock().clone();
        self.evaluate_book(book, Vec::new(), false).await;
    }

    /// Changes the book and judges the facts of this moment. `None` if the change was not made.
    async fn change<T: Send>(
        self: &Arc<Self>,
        change: impl FnOnce(&mut AlertBook) -> Option<T> + Send,
    ) -> Option<T> {
        let _alone = self.changing.lock().await;
        let mut book = self.book.lock().clone();
        let made = change(&mut book)?;
        self.evaluate_book(book, Vec::new(), true).await;
        self.changed.notify_one();
        Some(made)
    }

    /// Judges the facts of this moment, saves what follows with `own` changes, always if `is_changed`,
    /// and only then lets it be read and shown. The caller holds `changing`.
    async fn evaluate_book(
        self: &Arc<Self>,
        mut book: AlertBook,
        own: Vec<AlertChange>,
        is_changed: bool,
    ) {
        let context = self.context();
        let facts = self.sources.facts(self.channel_faults(&book));
        let facts = conditions(&facts, &context.tunings);
        let is_unsaved = !self.unsaved.lock().is_empty();
        let is_changed = self.note_screen(&mut book) | is_changed | is_unsaved;
        let last_digest = book.last_digest();
        let digest = self.due_digest(&mut book).await;
        let reading = ClockReading::read(&*self.clock);
        let mut effects = match digest {
            Some(text) => book.add_digest(text, &context, reading),
            None => Vec::new(),
        };
        effects.extend(book.evaluate(&facts, &context, reading));
        if !is_changed && effects.is_empty() && book.last_digest() == last_digest {
            *self.book.lock() = book;
            return;
        }
        let mut changes: Vec<AlertChange> = effects.iter().filter_map(stored_change).collect();
        changes.extend(own);
        changes.extend(newly_notified(&self.book.lock(), &book));
        // Without a ledger that can be written they are shown all the same: that may be the reason.
        self.save(&book, changes).await;
        *self.book.lock() = book;
        for effect in effects {
            match effect {
                AlertEffect::Send(notification) => self.notifications.show(notification).await,
                AlertEffect::Withdraw(key) => self.notifications.withdraw(key).await,
                AlertEffect::ShowInWindow(shown) => self.notifications.show_in_window(shown),
                AlertEffect::Post { channel, id, message } => self.post(channel, id, message),
                AlertEffect::Fired(_) | AlertEffect::Changed(_) | AlertEffect::Ended { .. } => {}
            }
        }
        self.save_screen().await;
        self.events.send_changed(&[Topic::Alerts]);
    }

    async fn announce_run(&self, report: &ReadinessReport) {
        let Some(verdict) = report.judgement.verdict else { return };
        let notification = run_notification(report, verdict);
        let _alone = self.changing.lock().await;
        let (context, reading) = (self.context(), ClockReading::read(&*self.clock));
        let told = self.book.lock().announce_run(report.run, notification, &context, reading);
        if let Some(AlertEffect::Send(notification)) = told {
            self.notifications.show(notification).await;
        }
    }

    /// Withdraws what is shown when the engine stops, because nobody updates it afterwards.
    async fn withdraw_all(&self) {
        let _alone = self.changing.lock().await;
        let (shown, book) = {
            let mut book = self.book.lock();
            (book.take_shown(), book.clone())
        };
        for key in shown {
            self.notifications.withdraw(key).await;
        }
        self.save(&book, Vec::new()).await;
    }

    /// What `rule` would do by the settings of this moment, outside of quiet hours and while nobody
    /// looks. Days of virtual time are some hundred thousand steps, so that it is no work for a thread
    /// that serves others.
    pub async fn rehearse(&self, rule: AlertRule, tunings: RuleTunings) -> Vec<RehearsalStep> {
        let context = AlertContext {
            is_focused: false,
            is_quiet: false,
            is_resuming: false,
            tunings,
            ..self.context()
        };
        let played = tokio::task::spawn_blocking(move || alerts::rehearse(rule, &context));
        // Only a program that stops does not wait for it.
        played.await.unwrap_or_default()
    }

    fn context(&self) -> AlertContext {
        let settings = self.settings.current();
        let hours = (settings.alerts.quiet_from_hour, settings.alerts.quiet_until_hour);
        AlertContext {
            is_on: settings.notifications.enabled,
            is_focused: self.notifications.is_focused(),
            is_quiet: local_hour(self.clock.wall()).is_some_and(|hour| is_quiet(hours, hour)),
            is_resuming: self.sources.registry.is_resuming(),
            escalation: escalation(&settings.notifications),
            tunings: rule_tunings(&settings.alerts),
            channels: self.channels.policies(),
        }
    }
}

/// No wait at all means never: what is shown at once would always sound.
fn escalation(settings: &NotificationSettings) -> Option<EscalationPolicy> {
    let wait = Duration::from_secs(settings.sound_wait_secs.into());
    (!wait.is_zero()).then_some(EscalationPolicy { from: settings.sound_severity, wait })
}

/// True for events after which something else may be true.
pub(crate) const fn is_cause(event: &EngineEvent) -> bool {
    matches!(
        event,
        EngineEvent::Health { .. }
            | EngineEvent::Service { .. }
            | EngineEvent::Endpoints
            | EngineEvent::Gateway
            | EngineEvent::Budget(_)
            | EngineEvent::SettingsApplied
            | EngineEvent::Ledger(_)
    )
}

fn stored_change(effect: &AlertEffect) -> Option<AlertChange> {
    match effect {
        AlertEffect::Fired(alert) | AlertEffect::Changed(alert) => {
            Some(AlertChange::Put(Box::new(alert_row(alert)?)))
        }
        AlertEffect::Ended { number, at, ending } => {
            let ending = ending.word().to_owned();
            Some(AlertChange::End { number: *number, at: *at, ending })
        }
        AlertEffect::Send(_)
        | AlertEffect::Withdraw(_)
        | AlertEffect::ShowInWindow(_)
        | AlertEffect::Post { .. } => None,
    }
}

/// The rows of alerts that a notification tells since `before`. It comes some time after they fired, so
/// what is stored does not know of it.
fn newly_notified(before: &AlertBook, now: &AlertBook) -> Vec<AlertChange> {
    let told_at = |book: &AlertBook| -> HashMap<u64, WallTime> {
        let alerts = book.alerts().into_iter();
        alerts.filter_map(|alert| Some((alert.number?, alert.notified_at?))).collect()
    };
    let known = told_at(before);
    let is_new = |alert: &&Alert| {
        let told = alert.number.and_then(|number| known.get(&number));
        alert.notified_at.is_some_and(|at| told != Some(&at))
    };
    let rows = now.alerts().into_iter().filter(is_new).filter_map(alert_row);
    rows.map(|row| AlertChange::Put(Box::new(row))).collect()
}

fn alert_row(alert: &Alert) -> Option<AlertRow> {
    let condition = &alert.condition;
    Some(AlertRow {
        number: alert.number?,
        rule: condition.rule.word().to_owned(),
        severity: condition.severity.word().to_owned(),
        scopes: condition.scopes.iter().cloned().collect(),
        title: condition.title.clone(),
        detail: condition.detail.clone(),
        path: condition.path.clone(),
        since: alert.since,
        fired: alert.fired_at.unwrap_or(alert.since),
        ended: None,
        ending: None,
        acknowledged: alert.acknowledged_at,
        notified: alert.notified_at,
        is_read: false,
    })
}

fn local_hour(at: WallTime) -> Option<u32> {
    let at = Timestamp::from_millisecond(at.unix_ms()).ok()?.to_zoned(TimeZone::system());
    u32::try_from(at.hour()).ok()
}

/// From one hour until another, over midnight if the second is earlier; never if both are the same.
const fn is_quiet((from, until): (u32, u32), hour: u32) -> bool {
    if from <= until { from <= hour && hour < until } else { hour >= from || hour < until }
}

fn run_notification(report: &ReadinessReport, verdict: ReadinessVerdict) -> Notification {
    let (title, urgency) = match verdict {
        ReadinessVerdict::Ready => ("Ready to work".to_owned(), Urgency::Low),
        ReadinessVerdict::ReadyWithWarnings
        | ReadinessVerdict::NotReady
        | ReadinessVerdict::NotSetUp => (capitalize(verdict.label()), Urgency::Normal),
    };
    Notification {
        key: format!("run/{}", report.run),
        title,
        body: one_line(&report.judgement.sentence, SENTENCE_CHARS_MAX),
        urgency,
        path: "/readiness".to_owned(),
        has_sound: false,
        alerts: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_may_pass_midnight_and_equal_hours_are_none() {
        let quiet = |hours| (0..24).filter(|hour| is_quiet(hours, *hour)).collect::<Vec<_>>();
        assert_eq!(quiet((22, 2)), [0, 1, 22, 23]);
        assert_eq!(quiet((2, 4)), [2, 3]);
        assert_eq!(quiet((7, 7)), Vec::<u32>::new());
    }
}
