//! Silences: for a time, matching alerts are not shown as notifications. They are still measured and
//! still listed.

use domain::WallTime;
use serde::{Deserialize, Serialize};

use crate::condition::Condition;
use crate::rule::AlertRule;

/// Most silences at once.
pub const SILENCES_MAX: usize = 100;

/// A silence. It always ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    pub number: u64,
    pub matcher: SilenceMatcher,
    pub reason: String,
    pub created: WallTime,
    pub until: WallTime,
}

/// Which alerts are silenced; what is `None` matches any.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SilenceMatcher {
    pub rule: Option<AlertRule>,
    /// The backend, route, budget or key, by its name.
    pub scope: Option<String>,
}

impl SilenceMatcher {
    pub(crate) fn matches(&self, condition: &Condition) -> bool {
        self.rule.is_none_or(|rule| rule == condition.rule)
            && self.scope.as_ref().is_none_or(|scope| condition.scopes.contains(scope))
    }
}
