//! Something the user may want to know, as long as it is true.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use domain::{AlertSeverity, WallTime};
use serde::{Deserialize, Serialize};

use crate::configured::Configured;
use crate::facts::FailedBackend;
use crate::notification::Urgency;
use crate::rule::AlertRule;

/// Identifies an alert: its rule and what it is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    #[must_use]
    pub fn new(rule: AlertRule, scope: &str) -> Self {
        Self(format!("{}/{scope}", rule.word()))
    }

    /// What it is about, after the rule's word.
    pub(crate) fn subject(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, subject)| subject)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Something the user may want to know, as long as it is true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    pub fingerprint: Fingerprint,
    pub rule: AlertRule,
    pub severity: AlertSeverity,
    /// Names that a silence may match: the backend, route, budget or key.
    pub scopes: BTreeSet<String>,
    /// Key of its notification, which it may share with others of the same cause.
    pub notification: String,
    pub title: String,
    pub detail: String,
    /// Panel path that a click opens.
    pub path: String,
    /// Title and body of the news that it is over; `None` if that is no news.
    pub over: Option<(String, String)>,
    /// True if that is told at once and however short it was, since it is news about requests.
    pub tells_end_at_once: bool,
    /// While one of these is true, this one is not created, since it is part of it.
    pub inhibited_by: Vec<Fingerprint>,
    /// Others of the same cause. This one is not created while one of them is an alert, which then
    /// tells of all.
    #[serde(default)]
    pub same_cause: Vec<Fingerprint>,
    /// A backend that is down: those of one server are told together.
    pub failed: Option<FailedBackend>,
    /// True if it is shown in quiet hours too.
    pub passes_quiet_hours: bool,
}

impl Condition {
    /// True if one of these is about the same cause.
    pub(crate) fn has_cause_in(&self, others: &BTreeSet<Fingerprint>) -> bool {
        self.same_cause.iter().any(|other| others.contains(other))
    }

    /// The scope by which a silence of its rule matches this condition, and as few others as can be.
    #[must_use]
    pub fn silence_scope(&self) -> Option<&str> {
        let own = self.scopes.get(self.fingerprint.subject());
        own.or(self.scopes.first()).map(String::as_str)
    }

    pub(crate) const fn urgency(&self) -> Urgency {
        match self.severity {
            AlertSeverity::Critical => Urgency::Critical,
            AlertSeverity::High | AlertSeverity::Medium => Urgency::Normal,
            AlertSeverity::Low | AlertSeverity::Info => Urgency::Low,
        }
    }
}

/// What is true at one moment. What is in neither list is not true.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conditions {
    pub held: Vec<Condition>,
    /// `None` if it is not known what there is: nothing is then taken for removed.
    pub configured: Option<Configured>,
    /// Nobody can tell whether these are true.
    pub unknown: BTreeSet<Fingerprint>,
    /// Nobody can tell whether anything of these rules is true.
    pub unknown_rules: BTreeSet<AlertRule>,
    /// These are no longer true, but not far enough from it for an alert to end.
    pub near: BTreeSet<Fingerprint>,
    /// These may be true again any moment: one that is pending stays so and does not fire.
    pub unsettled: BTreeSet<Fingerprint>,
    /// When what these are about was last seen to work.
    pub seen: BTreeMap<Fingerprint, WallTime>,
}

impl Conditions {
    /// True if what an alert is about is not there any more.
    pub(crate) fn is_removed(&self, fingerprint: &Fingerprint, rule: AlertRule) -> bool {
        self.configured
            .as_ref()
            .is_some_and(|configured| configured.lacks(fingerprint.subject(), rule))
    }

    pub(crate) fn is_unknown(&self, fingerprint: &Fingerprint, rule: AlertRule) -> bool {
        self.unknown.contains(fingerprint) || self.unknown_rules.contains(&rule)
    }

    /// True if it may be said that what `condition` is about works again, when it held last at
    /// `held_at`. A key's block is also lifted by the user, which shows nothing.
    pub(crate) fn shows_end(&self, condition: &Condition, held_at: WallTime) -> bool {
        condition.rule != AlertRule::KeyBlocked
            || self.seen.get(&condition.fingerprint).is_some_and(|seen| *seen > held_at)
    }
}

pub(crate) fn condition(rule: AlertRule, scope: &str) -> Condition {
    Condition {
        fingerprint: Fingerprint::new(rule, scope),
        rule,
        severity: AlertSeverity::Medium,
        scopes: BTreeSet::from([scope.to_owned()]),
        notification: format!("{}/{scope}", rule.word()),
        title: String::new(),
        detail: String::new(),
        path: String::new(),
        over: None,
        tells_end_at_once: false,
        inhibited_by: Vec::new(),
        same_cause: Vec::new(),
        failed: None,
        passes_quiet_hours: false,
    }
}

pub(crate) fn digest(title: String, body: String, number: u64) -> Condition {
    Condition {
        severity: AlertSeverity::Info,
        title,
        detail: body,
        path: "/alerts/history".to_owned(),
        ..condition(AlertRule::Digest, &number.to_string())
    }
}
