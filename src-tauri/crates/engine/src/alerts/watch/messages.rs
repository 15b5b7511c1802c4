//! What is sent to the channels beside the desktop: alerts, tests and the digest.

use std::sync::Arc;

use alerts::{AlertBook, ChannelActivity, ChannelFact, ChannelMessage, MessageKind, PostOutcome};
use domain::{AlertChannel, AlertSeverity, ClockReading, DigestPeriod, HOUR_MS, WallTime};
use jiff::tz::TimeZone;

use super::AlertWatch;
use crate::alerts::digest::{DigestSources, last_due};
use crate::alerts::message_channels::MessageChannels;
use crate::alerts::notifications::NotificationOutcome;

/// Longest time by which a clock is set back now and then, so that no digest is made twice for it.
const CLOCK_CORRECTION_MS_MAX: i64 = HOUR_MS;

impl AlertWatch {
    /// Sends a message in a task of its own, then goes on with what follows from its end.
    pub(super) fn post(self: &Arc<Self>, channel: AlertChannel, id: u64, message: ChannelMessage) {
        let (watch, stop) = (Arc::clone(self), self.tasks.stop_token());
        self.tasks.spawn("message", async move {
            let outcome = tokio::select! {
                // It is saved as being sent, so that the next start does not send it again.
                () = stop.cancelled() => return,
                outcome = watch.channels.send(channel, &message) => outcome,
            };
            if let PostOutcome::Failed { reason, .. } | PostOutcome::Refused { reason } = &outcome {
                tracing::warn!(%channel, reason, "a message was not sent");
            }
            let reading = ClockReading::read(&*watch.clock);
            let settle = |book: &mut AlertBook| {
                book.settle(channel, id, outcome, reading);
                Some(())
            };
            watch.change(settle).await;
        });
    }

    #[must_use]
    pub fn channel_activity(&self, channel: AlertChannel) -> ChannelActivity {
        self.book.lock().channel_activity(channel)
    }

    /// The channels that are switched on.
    pub(crate) fn channels_on(&self) -> Vec<AlertChannel> {
        let desktop = self.settings.current().notifications.enabled;
        let beside = self.channels.policies().into_keys();
        desktop.then_some(AlertChannel::Desktop).into_iter().chain(beside).collect()
    }

    /// The channels beside the desktop.
    #[must_use]
    pub fn channels(&self) -> &MessageChannels {
        &self.channels
    }

    /// Sends a test at once, whether or not the channel is switched on. How that ended is in its
    /// activity.
    pub async fn test_channel(self: &Arc<Self>, channel: AlertChannel) {
        let failure = match channel {
            AlertChannel::Desktop => match self.notifications.test().await {
                NotificationOutcome::Delivered => None,
                NotificationOutcome::NoChannel => {
                    Some("Gatehouse is running without a desktop".to_owned())
                }
                NotificationOutcome::Failed { reason, hint } => Some(format!("{reason}. {hint}")),
            },
            AlertChannel::Webhook | AlertChannel::Mail => {
                let message = ChannelMessage {
                    kind: MessageKind::Test,
                    severity: AlertSeverity::Info,
                    title: "Test of alerts".to_owned(),
                    body: "Alerts of Gatehouse arrive here. Nothing is wrong.".to_owned(),
                };
                match self.channels.send(channel, &message).await {
                    PostOutcome::Sent => None,
                    PostOutcome::Failed { reason, .. } | PostOutcome::Refused { reason } => {
                        Some(reason)
                    }
                }
            }
        };
        let at = self.clock.wall();
        let record = |book: &mut AlertBook| {
            book.record_test(channel, at, failure);
            Some(())
        };
        self.change(record).await;
    }

    /// Records whether the user saw the last test; false if none was sent.
    pub async fn answer_test(self: &Arc<Self>, channel: AlertChannel, is_seen: bool) -> bool {
        self.change(|book| book.answer_test(channel, is_seen).then_some(())).await.is_some()
    }

    /// Channels that are on and do not work.
    pub(super) fn channel_faults(&self, book: &AlertBook) -> Vec<ChannelFact> {
        let fault = |channel| {
            let failure = || book.channel_activity(channel).failure.map(|it| it.reason);
            let reason = self.channels.missing(channel).or_else(failure)?;
            Some(ChannelFact { channel, reason })
        };
        self.channels.policies().into_keys().filter_map(fault).collect()
    }

    /// The digest, if one is due. The first one is due at the next hour after it is switched on.
    pub(super) async fn due_digest(&self, book: &mut AlertBook) -> Option<(String, String)> {
        let settings = self.settings.current();
        let (period, hour) = (settings.alerts.digest_period, settings.alerts.digest_hour);
        let now = self.clock.wall();
        if period == DigestPeriod::Off {
            book.set_last_digest(None);
            return None;
        }
        // One far in the future is from before the clock was set back.
        let is_past = |last: &WallTime| {
            last.unix_ms().saturating_sub(now.unix_ms()) <= CLOCK_CORRECTION_MS_MAX
        };
        let Some(last) = book.last_digest().filter(is_past) else {
            book.set_last_digest(Some(now));
            return None;
        };
        let due = last_due(period, hour, now, &TimeZone::system())?;
        if last >= due {
            return None;
        }
        let (from, to) = (last, now);
        let sources = DigestSources { ledger: &self.ledger, settings: &settings, from, to };
        let text = sources.text().await;
        text.inspect_err(|error| tracing::warn!(%error, "no digest could be made")).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::{Clock, ManualClock};

    use super::*;
    use crate::gateway::response_cache::tests::opened_at;
    use crate::test_parts::NOW;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_clock_that_is_set_forward_and_back_costs_no_digest_and_makes_none_twice() {
        const DAY_SECS: u64 = 86_400;
        let home = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::starting_at(NOW));
        let engine = opened_at(&home, clock.clone()).await;
        let daily = |draft: &mut settings::Settings| {
            draft.alerts.digest_period = DigestPeriod::Daily;
        };
        engine.settings_editor().edit(daily).await.expect("set");
        let watch = &engine.parts.alerts;
        let mut book = AlertBook::default();
        // It was made while the clock was 90 days ahead.
        book.set_last_digest(Some(NOW.plus_ms(90 * 86_400_000)));
        assert_eq!(watch.due_digest(&mut book).await, None);
        clock.advance(Duration::from_secs(DAY_SECS));
        assert!(watch.due_digest(&mut book).await.is_some());
        // A clock that goes a second too fast is set back just after a digest.
        let made = WallTime::from_unix_ms(clock.wall().unix_ms() + 1_000);
        book.set_last_digest(Some(made));
        assert_eq!(watch.due_digest(&mut book).await, None);
        assert_eq!(book.last_digest(), Some(made));
        engine.stop().await;
    }
}
