//! When the book is to be evaluated next.

use std::time::Duration;

use domain::AlertSeverity;

use super::outbox::Outbox;
use super::{Alert, AlertBook, AlertContext};

/// Time between two evaluations while nothing happens.
pub const EVALUATION_PAUSE: Duration = Duration::from_secs(15);
/// The same while something waits to be told.
pub const WAITING_PAUSE: Duration = Duration::from_secs(2);

impl AlertBook {
    /// Time from an evaluation to the next one, if nothing happens meanwhile. What nobody acknowledges
    /// is heard, and sent to the channels, on time.
    #[must_use]
    pub fn pause(&self, context: &AlertContext) -> Duration {
        let usual = if self.is_waiting(context) { WAITING_PAUSE } else { EVALUATION_PAUSE };
        let sound = context.escalation.map(|policy| (policy.from, policy.wait));
        let channels = context.channels.values().map(|policy| (policy.from, policy.wait));
        let steps = sound.into_iter().chain(channels);
        steps.filter_map(|(from, wait)| self.time_to_step(from, wait)).fold(usual, Duration::min)
    }

    /// Time until the next alert of this severity or above has gone without being acknowledged for
    /// `wait`.
    fn time_to_step(&self, from: AlertSeverity, wait: Duration) -> Option<Duration> {
        let is_open = |alert: &&Alert| {
            let is_severe = alert.condition.severity >= from;
            is_severe && alert.is_live() && alert.acknowledged_at.is_none()
        };
        let left = |alert: &Alert| {
            let lasted = Duration::from_millis(self.running_ms.saturating_sub(alert.fired_ms));
            wait.checked_sub(lasted).filter(|left| !left.is_zero())
        };
        self.alerts.values().filter(is_open).filter_map(left).min()
    }

    /// True while something may have to be told soon.
    fn is_waiting(&self, context: &AlertContext) -> bool {
        let waits = |alert: &Alert| {
            let is_shown = context.shows(alert) && context.tells(alert);
            let is_news = !alert.is_told || alert.came_back;
            !alert.is_firing() || (is_shown && is_news && self.silence_of(alert).is_none())
        };
        self.alerts.values().any(waits) || self.outboxes.values().any(Outbox::is_waiting)
    }
}
