//! Watches the backends and notifies the user when one needs attention.
//!
//! Four parts, each usable alone: [`Health`] (state machine of one backend), [`Monitor`] (probe
//! schedule), [`NotificationPolicy`] (which events are shown) and [`Channel`] (delivery to the
//! desktop).
//!
//! Invariants: nothing here makes a billed call, because callers pass in the [`Probe`]; nothing
//! here spawns a task, because [`Monitor::drive`] is a future; `health` and `notify` do no IO.

mod channel;
mod health;
mod notify;
mod schedule;
mod words;

pub use channel::{
    CALLS_AT_ONCE_MAX, CLICKS_WAITED_FOR_MAX, Channel, ChannelError, DELIVERY_LIMIT, Delivered,
    DesktopChannel, Identity, OnOpen,
};
pub use health::{
    Cause, FAILURES_FOR_DOWN, Finding, Health, HealthView, JITTER_PERMILLE_MAX, LastKnown,
    Observation, PASSIVE_TTL, REASON_CHARS_MAX, RECHECK_AFTER, Reading, SUCCESSES_FOR_UP, Source,
    State, Transition,
};
pub use notify::{
    BACK_AFTER_MIN, BODY_CHARS_MAX, Decision, Event, FailedBackend, Hold, Impact, LedgerFault,
    Notification, NotificationPolicy, RunVerdict, SHOWN_PER_DAY_MAX, SHOWN_PER_TEN_MINUTES_MAX,
    Surroundings, Switch, Urgency, WindowFocus,
};
pub use schedule::{
    BackendTransition, Monitor, PROBE_LIMIT, PROBES_AT_ONCE_MAX, Probe, ProbeResult,
    TRANSITIONS_KEPT_MAX,
};
