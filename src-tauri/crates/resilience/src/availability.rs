//! What the three mechanisms together say of an access, as routing and people ask for it.

use domain::Moment;

use crate::block::BlockReason;
use crate::cooldown::LimitKind;

/// Whether an access may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Availability {
    /// Yes.
    Ready,
    /// Yes, for a share of the traffic; the router keeps to it.
    Ramp {
        /// The share, in percent.
        percent: u8,
    },
    /// For one call more, to try it.
    Trial,
    /// No.
    Closed {
        /// Why.
        why: ClosedWhy,
        /// Until when; `None`: nobody knows.
        until: Option<Moment>,
    },
}

/// Why an access may not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClosedWhy {
    /// The breaker is open.
    BreakerOpen,
    /// The breaker is half-open, and as many trials are out as it allows.
    HalfOpenBusy,
    /// A rate limit or quota.
    CoolingDown(LimitKind),
    /// The user has to act.
    Blocked(BlockReason),
    /// Held open by hand.
    ForcedOpen,
}
