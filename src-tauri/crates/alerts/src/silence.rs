//! Silences: for a time, matching alerts are not shown as notifications. They are still measured and
//! still listed.

use std::time::Duration;

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
    /// The book's running time when it was made; `None` if an older version made it.
    #[serde(default)]
    pub(crate) created_ms: Option<u64>,
}

impl Silence {
    /// True from its end on. A clock that is set back makes no silence longer: then it ends when the
    /// program ran for as long.
    pub(crate) fn is_over(&self, wall: WallTime, running_ms: u64) -> bool {
        let length_ms = self.until.unix_ms().saturating_sub(self.created.unix_ms());
        let length = Duration::from_millis(u64::try_from(length_ms).unwrap_or_default());
        let ran = self.created_ms.map(|since| running_ms.saturating_sub(since));
        self.until <= wall || ran.is_some_and(|ran| Duration::from_millis(ran) >= length)
    }
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
