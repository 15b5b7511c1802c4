//! Manual breaker settings, each with its end.

use domain::{Moment, words};

use crate::transition::TransitionState;

words! {
    /// A manual breaker setting. Cooldowns and blocks stay in force, because they come from the
    /// provider. `closed` and `disabled` reset the breaker first.
    BreakerOverride {
        /// Block traffic
        Open = "open" also "block",
        /// Allow traffic; a rejected key still blocks
        Closed = "closed" also "allow",
        /// Monitor only: count failures, block nothing
        MonitorOnly = "monitor-only" also "count-only",
        /// Disable the breaker: neither count nor block
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
