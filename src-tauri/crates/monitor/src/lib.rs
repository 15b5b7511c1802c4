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
    Health, HealthCause, HealthFinding, HealthTransition, LastKnownHealth, Observation,
    ObservationSource, ObservedHealth, REASON_CHARS_MAX,
};
pub use network_reach::NetworkReach;
pub use probe_report::{KeyProbeReport, ProbeReport, ProbeStep};
pub use schedule::{Monitor, Probe, TRANSITIONS_KEPT_MAX, WatchedId, WatchedTransition};
