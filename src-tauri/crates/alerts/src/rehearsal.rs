//! A rehearsal: what a rule would do, from the moment its condition holds until all of it is over.
//!
//! Made-up facts go through the live judgement and a book of their own, on virtual time. Nothing of it
//! is saved or shown; what is shown to the user here says that it is a rehearsal.

mod examples;

use std::time::Duration;

use domain::{AlertChannel, AlertDelivery, ClockReading, Moment, WallTime};

use crate::book::{AlertBook, AlertContext, AlertEffect, PostOutcome};
use crate::condition::Conditions;
use crate::judge::conditions;
use crate::message::ChannelMessage;
use crate::notification::{Notification, Urgency};
use crate::rule::AlertRule;
use crate::{Alert, Facts};

/// Put before each text, so that nobody takes one for a real alert.
pub(crate) const REHEARSAL_MARK: &str = "Rehearsal: ";

/// Time between two evaluations, as the engine's while something waits to be told.
const STEP: Duration = Duration::from_secs(2);
/// How long the condition goes on after the alert fired, beyond the waits of the channels: long enough
/// that its end is told.
const LASTS: Duration = Duration::from_secs(300);
/// The longest rehearsal: the longest hold, wait and keep together.
const LENGTH_MAX: Duration = Duration::from_secs(9 * 86_400);

/// Something that would happen, so long after the condition began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RehearsalStep {
    pub after: Duration,
    pub event: RehearsalEvent,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RehearsalEvent {
    /// The condition holds; no alert yet.
    Pending,
    /// It is an alert, and in the inbox.
    Fired(Box<Alert>),
    /// The desktop shows it.
    Shown(Notification),
    /// The desktop says that it is over.
    ToldOver(Notification),
    Withdrawn,
    Posted {
        channel: AlertChannel,
        message: ChannelMessage,
    },
    /// The condition is over; the alert goes on for a while, in case it comes back.
    Over,
    Ended,
}

/// What `rule` would do by the settings in `context`. Empty for a rule that judges nothing, or is off.
#[must_use]
pub fn rehearse(rule: AlertRule, context: &AlertContext) -> Vec<RehearsalStep> {
    let Some(facts) = examples::facts(rule, &context.tunings) else { return Vec::new() };
    if context.delivery(rule) == AlertDelivery::Off {
        return Vec::new();
    }
    let held = conditions(&facts, &context.tunings);
    let mut stage = Stage { book: AlertBook::default(), now: Duration::ZERO, steps: Vec::new() };
    stage.add(RehearsalEvent::Pending);
    stage.run_until(&held, context, |stage| stage.has_fired());
    let waits = context.channels.values().map(|channel| channel.wait);
    let waits = waits.chain(context.escalation.map(|policy| policy.wait));
    let lasts = waits.max().unwrap_or_default() + LASTS;
    let end = stage.now + lasts;
    stage.run_until(&held, context, |stage| stage.now >= end);
    stage.add(RehearsalEvent::Over);
    let over = conditions(&Facts::default(), &context.tunings);
    stage.run_until(&over, context, |stage| stage.book.alerts().is_empty());
    // What is over is told to the channels with the next evaluation.
    let last = stage.now + STEP + STEP;
    stage.run_until(&over, context, |stage| stage.now >= last);
    stage.steps
}

struct Stage {
    book: AlertBook,
    now: Duration,
    steps: Vec<RehearsalStep>,
}

impl Stage {
    fn run_until(
        &mut self,
        conditions: &Conditions,
        context: &AlertContext,
        is_done: impl Fn(&Self) -> bool,
    ) {
        while !is_done(self) && self.now < LENGTH_MAX {
            let effects = self.book.evaluate(conditions, context, self.reading());
            for effect in effects {
                self.take(effect);
            }
            self.now += STEP;
        }
    }

    fn reading(&self) -> ClockReading {
        let now = Moment::default() + self.now;
        let ms = i64::try_from(self.now.as_millis()).unwrap_or(i64::MAX);
        ClockReading { now, wall: WallTime::from_unix_ms(ms) }
    }

    fn has_fired(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.event, RehearsalEvent::Fired(_)))
    }

    fn add(&mut self, event: RehearsalEvent) {
        self.steps.push(RehearsalStep { after: self.now, event });
    }

    fn take(&mut self, effect: AlertEffect) {
        match effect {
            AlertEffect::Fired(mut alert) => {
                alert.condition.title = marked(&alert.condition.title);
                self.add(RehearsalEvent::Fired(Box::new(alert)));
            }
            // Nobody looks in a rehearsal.
            AlertEffect::Changed(_) | AlertEffect::ShowInWindow(_) => {}
            AlertEffect::Ended { .. } => self.add(RehearsalEvent::Ended),
            AlertEffect::Send(mut notification) => {
                notification.title = marked(&notification.title);
                // Good news alone is of low urgency.
                self.add(match notification.urgency {
                    Urgency::Low => RehearsalEvent::ToldOver(notification),
                    _ => RehearsalEvent::Shown(notification),
                });
            }
            AlertEffect::Withdraw(_) => self.add(RehearsalEvent::Withdrawn),
            AlertEffect::Post { channel, id, mut message } => {
                self.book.settle(channel, id, PostOutcome::Sent, self.reading());
                message.title = marked(&message.title);
                self.add(RehearsalEvent::Posted { channel, message });
            }
        }
    }
}

fn marked(title: &str) -> String {
    format!("{REHEARSAL_MARK}{title}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::AlertSeverity;

    use super::*;
    use crate::book::ChannelPolicy;
    use crate::rule::{tuning_of, tunings};

    fn context() -> AlertContext {
        AlertContext {
            is_on: true,
            is_focused: false,
            is_quiet: false,
            is_resuming: false,
            escalation: None,
            tunings: tunings(),
            channels: BTreeMap::new(),
        }
    }

    /// The steps as seconds and words.
    fn told(rule: AlertRule, context: &AlertContext) -> Vec<String> {
        let steps = rehearse(rule, context).into_iter();
        steps
            .map(|RehearsalStep { after, event }| {
                let what = match event {
                    RehearsalEvent::Pending => "pending".to_owned(),
                    RehearsalEvent::Fired(alert) => format!("fired {}", alert.condition.title),
                    RehearsalEvent::Shown(shown) => format!("shown {}", shown.title),
                    RehearsalEvent::ToldOver(shown) => format!("told {}", shown.title),
                    RehearsalEvent::Withdrawn => "withdrawn".to_owned(),
                    RehearsalEvent::Posted { channel, message } => {
                        format!("{channel} {}", message.title)
                    }
                    RehearsalEvent::Over => "over".to_owned(),
                    RehearsalEvent::Ended => "ended".to_owned(),
                };
                format!("{} {what}", after.as_secs())
            })
            .collect()
    }

    #[test]
    fn a_rule_is_played_from_pending_to_its_end() {
        assert_eq!(
            told(AlertRule::DiskSpace, &context()),
            [
                "0 pending",
                "300 fired Rehearsal: The disk is almost full",
                "330 shown Rehearsal: The disk is almost full",
                "602 over",
                "602 withdrawn",
                "902 ended",
                "902 told Rehearsal: The disk has space again",
            ]
        );
    }

    #[test]
    fn channels_come_after_their_wait_and_what_is_for_the_inbox_goes_nowhere_else() {
        let mut settings = context();
        let policy = ChannelPolicy { from: AlertSeverity::Medium, wait: Duration::from_secs(600) };
        settings.channels.insert(AlertChannel::Webhook, policy);
        let steps = told(AlertRule::DiskSpace, &settings);
        assert_eq!(steps[3], "900 webhook Rehearsal: The disk is almost full");
        assert!(
            steps.contains(&"1502 webhook Rehearsal: The disk has space again".to_owned()),
            "{steps:?}"
        );
        settings.tunings.entry(AlertRule::DiskSpace).or_default().delivery = AlertDelivery::Inbox;
        let steps = told(AlertRule::DiskSpace, &settings);
        assert_eq!(steps.len(), 4, "{steps:?}");
        settings.tunings.entry(AlertRule::DiskSpace).or_default().delivery = AlertDelivery::Off;
        assert_eq!(told(AlertRule::DiskSpace, &settings), Vec::<String>::new());
    }

    #[test]
    fn every_rule_but_the_digest_fires_in_its_rehearsal_and_ends() {
        for rule in AlertRule::ALL.iter().filter(|rule| **rule != AlertRule::Digest) {
            let all = rehearse(*rule, &context());
            let fired: Vec<_> = all
                .iter()
                .filter_map(|step| match &step.event {
                    RehearsalEvent::Fired(alert) => Some((step.after, alert)),
                    _ => None,
                })
                .collect();
            assert_eq!(fired.len(), 1, "{rule}: {all:?}");
            let (after, alert) = &fired[0];
            assert_eq!(alert.condition.rule, *rule);
            let hold = tuning_of(&tunings(), *rule).hold;
            assert!(*after >= hold && *after <= hold + STEP, "{rule}: {after:?}");
            assert!(all.iter().any(|step| step.event == RehearsalEvent::Ended), "{rule}: {all:?}");
        }
        assert_eq!(rehearse(AlertRule::Digest, &context()), []);
    }
}
