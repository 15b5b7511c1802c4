//! What the book keeps of the channels beside the desktop, and the digest.

use domain::{AlertChannel, AlertDelivery, AlertSeverity, ClockReading, WallTime};

use super::outbox::{ChannelActivity, Outbox, PostOutcome};
use super::{Alert, AlertBook, AlertContext, AlertEffect};
use crate::condition::digest;
use crate::message::{ChannelMessage, MessageKind};
use crate::rule::{AlertEnding, AlertRule};

impl AlertBook {
    /// Takes in how an attempt at a message ended.
    pub fn settle(
        &mut self,
        channel: AlertChannel,
        id: u64,
        outcome: PostOutcome,
        reading: ClockReading,
    ) {
        self.advance(reading.now);
        if let Some(outbox) = self.outboxes.get_mut(&channel) {
            outbox.settle(id, outcome, self.running_ms, reading.wall);
        }
    }

    /// To be called once after the book was read: a message that was being sent when the program
    /// stopped is not sent again.
    pub fn recover(&mut self, wall: WallTime) {
        self.outboxes.values_mut().for_each(|outbox| outbox.recover(wall));
    }

    #[must_use]
    pub fn channel_activity(&self, channel: AlertChannel) -> ChannelActivity {
        self.outboxes.get(&channel).map(Outbox::activity).unwrap_or_default()
    }

    /// Records a test of a channel; `failure` is why it could not be sent.
    pub fn record_test(&mut self, channel: AlertChannel, at: WallTime, failure: Option<String>) {
        self.outboxes.entry(channel).or_default().record_test(at, failure);
    }

    /// Records whether the user saw the last test; false if none was sent.
    pub fn answer_test(&mut self, channel: AlertChannel, is_seen: bool) -> bool {
        self.outboxes.get_mut(&channel).is_some_and(|outbox| outbox.answer_test(is_seen))
    }

    /// When the last digest was made, or digests were switched on.
    #[must_use]
    pub const fn last_digest(&self) -> Option<WallTime> {
        self.last_digest
    }

    /// Starts or ends the time that the next digest is about.
    pub const fn set_last_digest(&mut self, at: Option<WallTime>) {
        self.last_digest = at;
    }

    /// Puts a digest into the inbox, and into the mail if that is on.
    pub fn add_digest(
        &mut self,
        (title, body): (String, String),
        context: &AlertContext,
        reading: ClockReading,
    ) -> Vec<AlertEffect> {
        self.advance(reading.now);
        self.last_digest = Some(reading.wall);
        let delivery = context.delivery(AlertRule::Digest);
        if delivery == AlertDelivery::Off {
            return Vec::new();
        }
        if delivery == AlertDelivery::Notification
            && context.channels.contains_key(&AlertChannel::Mail)
        {
            let (kind, severity) = (MessageKind::Digest, AlertSeverity::Info);
            let message =
                ChannelMessage { kind, severity, title: title.clone(), body: body.clone() };
            self.outboxes.entry(AlertChannel::Mail).or_default().push("", message, self.running_ms);
        }
        self.last_number += 1;
        let number = self.last_number;
        let mut alert = Alert::new(digest(title, body, number), self.running_ms, reading.wall);
        (alert.number, alert.fired_at) = (Some(number), Some(reading.wall));
        let ending = AlertEnding::Resolved;
        vec![AlertEffect::Fired(alert), AlertEffect::Ended { number, at: reading.wall, ending }]
    }
}
