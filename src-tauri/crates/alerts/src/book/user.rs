//! What the user does about alerts: acknowledges and silences them.

use domain::WallTime;

use super::{Alert, AlertBook};
use crate::silence::{SILENCES_MAX, Silence, SilenceMatcher};

impl AlertBook {
    #[must_use]
    pub fn silences(&self) -> &[Silence] {
        &self.silences
    }

    /// The silence that keeps an alert from being shown.
    #[must_use]
    pub fn silence_of(&self, alert: &Alert) -> Option<&Silence> {
        self.silences.iter().find(|silence| silence.matcher.matches(&alert.condition))
    }

    /// Takes an alert as seen until it ends; false if none with this number fires.
    pub fn acknowledge(&mut self, number: u64, at: WallTime) -> bool {
        let found = self.alerts.values_mut().find(|alert| alert.number == Some(number));
        found.map(|alert| alert.acknowledged_at.get_or_insert(at)).is_some()
    }

    /// Silences what matches until a time; `None` if there are [`SILENCES_MAX`] already.
    pub fn silence(
        &mut self,
        matcher: SilenceMatcher,
        reason: String,
        created: WallTime,
        until: WallTime,
    ) -> Option<Silence> {
        if self.silences.len() >= SILENCES_MAX {
            return None;
        }
        self.last_number += 1;
        let (number, created_ms) = (self.last_number, Some(self.running_ms));
        let silence = Silence { number, matcher, reason, created, until, created_ms };
        self.silences.push(silence.clone());
        Some(silence)
    }

    /// False if there is none with this number.
    pub fn remove_silence(&mut self, number: u64) -> bool {
        let before = self.silences.len();
        self.silences.retain(|silence| silence.number != number);
        self.silences.len() != before
    }
}
