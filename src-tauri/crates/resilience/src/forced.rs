//! What the user sets by hand above the breaker, each with the time it ends.

use domain::{Moment, words};

use crate::transition::TransitionState;

words! {
    /// A setting by hand. Cooldowns and blocks stand beside it: they are the provider's word.
    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(rename_all = "kebab-case")]
    Forced {
        /// Nothing goes through. Calls that are out are still counted.
        Open = "open",
        /// The breaker is closed anew, counts, and does not trip.
        Closed = "closed",
        /// The breaker does everything but hold calls back.
        MonitorOnly = "monitor-only",
        /// The breaker is closed anew and counts nothing.
        Disabled = "disabled",
    }
}

/// A setting by hand in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Override {
    /// What was set.
    pub forced: Forced,
    /// When it ends; `None`: when it is reset.
    pub until: Option<Moment>,
}

impl Override {
    pub(crate) fn holds(&self, now: Moment) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl Forced {
    pub(crate) const fn state(self) -> TransitionState {
        match self {
            Self::Open => TransitionState::ForcedOpen,
            Self::Closed => TransitionState::ForcedClosed,
            Self::MonitorOnly => TransitionState::MonitorOnly,
            Self::Disabled => TransitionState::Disabled,
        }
    }
}
