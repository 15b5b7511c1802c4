//! Alerts at work: facts are gathered, rules judged, messages sent, and the past asked what a rule would have done.

pub(crate) mod digest;
pub(crate) mod facts;
pub(crate) mod history;
pub(crate) mod measurements;
pub(crate) mod message_channels;
pub(crate) mod notifications;
pub(crate) mod rule_tunings;
pub(crate) mod watch;
