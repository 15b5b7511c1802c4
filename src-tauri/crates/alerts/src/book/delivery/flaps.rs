//! Conditions that keep changing.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::{RunningMs, is_past};
use crate::condition::Fingerprint;

/// Changes of a condition in half an hour from which it counts as flapping.
pub const FLAPS_MAX: usize = 4;

/// So long without a change, a condition is stable.
const STABLE_AFTER: Duration = Duration::from_secs(1_800);

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(in crate::book) struct FlapLog(BTreeMap<Fingerprint, Flaps>);

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Flaps {
    /// The newest changes, at most [`FLAPS_MAX`].
    changes_ms: Vec<RunningMs>,
    is_told: bool,
}

impl FlapLog {
    pub(in crate::book) fn count(&mut self, fingerprint: &Fingerprint, now: RunningMs) {
        let flaps = self.0.entry(fingerprint.clone()).or_default();
        flaps.changes_ms.push(now);
        if flaps.changes_ms.len() > FLAPS_MAX {
            flaps.changes_ms.remove(0);
        }
    }

    pub(in crate::book) fn is_flapping(&self, fingerprint: &Fingerprint) -> bool {
        self.0.get(fingerprint).is_some_and(|flaps| flaps.changes_ms.len() >= FLAPS_MAX)
    }

    /// True once the user was told that it flaps.
    pub(super) fn is_told(&self, fingerprint: &Fingerprint) -> bool {
        self.0.get(fingerprint).is_some_and(|flaps| flaps.is_told)
    }

    /// The same, and from now on true.
    pub(super) fn is_told_before(&mut self, fingerprint: &Fingerprint) -> bool {
        let flaps = self.0.entry(fingerprint.clone()).or_default();
        std::mem::replace(&mut flaps.is_told, true)
    }

    pub(super) fn forget_old(&mut self, now: RunningMs) {
        self.0.retain(|_, flaps| {
            let is_stable =
                flaps.changes_ms.last().is_none_or(|it| is_past(*it, STABLE_AFTER, now));
            if !flaps.is_told {
                flaps.changes_ms.retain(|change| !is_past(*change, STABLE_AFTER, now));
            }
            !is_stable
        });
    }
}
