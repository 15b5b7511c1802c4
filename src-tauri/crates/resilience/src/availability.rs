//! The combined result of breaker, cooldown and block, for routing and for display.

use domain::Moment;

use crate::block::BlockReason;
use crate::cooldown::LimitKind;

/// Whether an endpoint may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Availability {
    Ready,
    /// Ready for a share of the traffic, which the router enforces.
    Ramp {
        /// The share, in percent.
        percent: u8,
    },
    /// Half-open: one more call may test it.
    Trial,
    Closed {
        reason: ClosedReason,
        /// The end; `None` if it is not known.
        until: Option<Moment>,
    },
}

/// Why an endpoint is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClosedReason {
    BreakerOpen,
    /// The breaker is half-open and has all allowed trials in flight.
    HalfOpenBusy,
    CoolingDown(LimitKind),
    /// The user has to act.
    Blocked(BlockReason),
    /// Forced open by the user.
    ForcedOpen,
}
