//! Manual breaker settings, each with its end.

use domain::{Moment, words};

use crate::transition::TransitionState;

words! {
    /// A manual breaker setting. Cooldowns and blocks stay in force, because they come from the
    /// provider.
    BreakerOverride {
        /// Nothing goes through. Calls in flight still count.
        Open = "open",
        /// The breaker is reset to closed and counts, but does not trip.
        Closed = "closed",
        /// The breaker works normally but holds no call back.
        MonitorOnly = "monitor-only",
        /// The breaker is reset to closed and counts nothing.
        Disabled = "disabled",
    }
}

/// A manual setting in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveOverride {
    pub forced: BreakerOverride,
    /// `None` for no end before a reset.
    pub until: Option<Moment>,
}

impl ActiveOverride {
    pub(crate) fn is_active(&self, now: Moment) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl BreakerOverride {
    pub(crate) const fn transition_state(self) -> TransitionState {
        match self {
            Self::Open => TransitionState::ForcedOpen,
            Self::Closed => TransitionState::ForcedClosed,
            Self::MonitorOnly => TransitionState::MonitorOnly,
            Self::Disabled => TransitionState::Disabled,
        }
    }
}
