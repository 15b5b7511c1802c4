//! Decides what the user is alerted to, and which of it is shown as a notification.
//!
//! Pure: [`conditions`] turns facts into what is true now, and [`AlertBook`] keeps what became of it
//! over time. Both get the time passed in, so that simulated weeks are tests of milliseconds. The
//! book is saved whole, so that a restart neither forgets an alert nor shows it again.
//!
//! One cause is one notification: what follows from a cause is not created (`inhibited_by`), backends
//! that are down at one server are one alert (`same_cause`), and its other alerts share a notification. Suppression concerns creation alone: an alert that
//! exists is measured until it ends.

mod back_test;
mod book;
mod condition;
mod configured;
mod facts;
mod judge;
mod measurement;
mod message;
mod noise;
mod notification;
mod past_metric;
mod rehearsal;
mod rule;
mod silence;

pub use back_test::{PastFiring, PastTime, back_test};
pub use book::{
    ATTEMPTS_MAX, Alert, AlertBook, AlertContext, AlertEffect, CRITICAL_WAIT, ChannelActivity,
    ChannelFailure, ChannelPolicy, ChannelTest, EVALUATION_PAUSE, EscalationPolicy, FLAPS_MAX,
    LOSSES_PER_TEN_MINUTES_MAX, MESSAGE_AGE_MAX, OVERFLOW_KEY, POSTED_PER_DAY_MAX,
    POSTED_PER_TEN_MINUTES_MAX, PostOutcome, QUEUE_MAX, QUIET_KEY, RECOVERY_DURATION_MIN,
    RUNS_REMEMBERED_MAX, SHOWN_PER_DAY_MAX, SHOWN_PER_TEN_MINUTES_MAX, SHOWN_WAIT,
    SuppressedCondition, WAITING_PAUSE,
};
pub use condition::{Condition, Conditions, Fingerprint};
pub use configured::Configured;
pub use domain::AlertSeverity;
pub use facts::{
    BackendFact, BackendFault, BudgetFact, BurnFact, BurnSubject, ChannelFact, Facts,
    FailedBackend, FirstUse, GatewayFact, Impact, KeyFact, LedgerFact, RouteFact, RouteFault,
    ServiceFact, VaultFact,
};
pub use judge::{ADD_CREDIT, conditions};
pub use measurement::{Measurement, RequestSpike, SpendSpike};
pub use message::{ChannelMessage, MessageKind};
pub use noise::{
    NOISE_DAYS, NOISY_FROM, NOISY_INBOX_FROM, NoiseRemedy, NoisyRule, PastAlert, noisy_rules,
};
pub use notification::{
    BODY_CHARS_MAX, BUDGET_KEY_START, DesktopScreen, Notification, NotificationAction,
    NotificationResponse, ShownNotification, TITLE_CHARS_MAX, Urgency,
};
pub use past_metric::{METRIC_LINES_MAX, MetricLine, PastMetric, past_metric};
pub use rehearsal::{RehearsalEvent, RehearsalStep, rehearse};
pub use rule::{
    AlertEnding, AlertGroup, AlertRule, RuleRow, RuleTuning, RuleTunings, SHOWN_FROM, SeverityRow,
    Threshold, ThresholdSide, tuning_of,
};
pub use silence::{SILENCES_MAX, Silence, SilenceMatcher};
