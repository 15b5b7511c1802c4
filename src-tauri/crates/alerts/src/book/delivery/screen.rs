//! What the desktop tells of the notifications on its screen: their ids, which the next process
//! needs, and that they were lost with the program that showed them.

use std::collections::BTreeMap;

use super::{Delivery, OVERFLOW_KEY, QUIET_KEY, TEN_MINUTES};
use crate::book::{RunningMs, is_past};
use crate::notification::{DesktopScreen, ShownNotification};

/// Maximum number of losses in ten minutes after which what still holds is shown again. A desktop
/// that fails more often may fail because of what it is shown.
pub const LOSSES_PER_TEN_MINUTES_MAX: usize = 3;

impl Delivery {
    /// Takes in what is on the screen; false if that is known already.
    pub(in crate::book) fn note_screen(&mut self, screen: &DesktopScreen, now: RunningMs) -> bool {
        let before = self.clone();
        for (key, shown) in &mut self.shown {
            shown.on_screen = screen.shown.get(key).cloned();
        }
        let is_visible = |key: &&String| self.shown.get(*key).is_some_and(|it| it.is_visible);
        let lost: Vec<String> = screen.lost.iter().filter(is_visible).cloned().collect();
        if !lost.is_empty() && self.count_loss(now) {
            lost.iter().for_each(|key| self.lose(key));
        }
        *self != before
    }

    /// What is on the screen, by notification key.
    pub(in crate::book) fn on_screen(&self) -> BTreeMap<String, ShownNotification> {
        let known = self.shown.iter().filter(|(_, shown)| shown.is_visible);
        known.filter_map(|(key, shown)| Some((key.clone(), shown.on_screen.clone()?))).collect()
    }

    /// True if what was lost may be shown again.
    fn count_loss(&mut self, now: RunningMs) -> bool {
        self.losses_ms.retain(|lost| !is_past(*lost, TEN_MINUTES, now));
        let is_shown_again = self.losses_ms.len() < LOSSES_PER_TEN_MINUTES_MAX;
        if is_shown_again {
            self.losses_ms.push(now);
        }
        is_shown_again
    }

    fn lose(&mut self, key: &str) {
        if key == OVERFLOW_KEY || key == QUIET_KEY {
            // A summary that is not known as shown is made anew.
            self.shown.remove(key);
        } else if let Some(shown) = self.shown.get_mut(key) {
            (shown.is_visible, shown.returns) = (false, true);
        }
    }
}
