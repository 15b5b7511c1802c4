//! Watches backends and services, and notifies the user when one needs attention.
//!
//! Three parts, each usable alone: [`Health`] (state machine of one backend), [`Monitor`] (probe
//! schedule) and [`NotificationChannel`] (delivery to the desktop). What is shown is decided by the
//! crate `alerts`.
//!
//! Invariants: nothing here makes a billed call, because callers pass in the [`Probe`]; nothing
//! here spawns a task, because [`Monitor::drive`] is a future; `health` does no IO.

mod channel;
mod health;
mod network_reach;
mod probe_report;
mod schedule;

pub use channel::{
    AppIdentity, CALLS_AT_ONCE_MAX, ChannelError, DELIVERY_LIMIT, DeliveryOutcome, DesktopAbility,
    DesktopChannel, MailError, MailServer, NotificationChannel, NotificationProgram,
    ResponseHandler, ScreenHandler, WebhookCall, send_mail, webhook_call,
};
pub use health::{
    FAILURES_FOR_DOWN, Health, HealthCause, HealthFinding, HealthTransition, JITTER_PERMILLE_MAX,
    LastKnownHealth, Observation, ObservationSource, ObservedHealth, PASSIVE_TTL, REASON_CHARS_MAX,
    RECHECK_AFTER, SUCCESSES_FOR_UP,
};
pub use network_reach::{HOSTS_MIN, NetworkReach};
pub use probe_report::{KeyProbeReport, ProbeReport, ProbeStep};
pub use schedule::{
    Monitor, PROBE_LIMIT, PROBES_AT_ONCE_MAX, Probe, TRANSITIONS_KEPT_MAX, WatchedId,
    WatchedTransition,
};
