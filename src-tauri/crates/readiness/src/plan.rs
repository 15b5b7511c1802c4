//! Checks in an order that can be run: every dependency is there and nothing waits for itself.

use std::collections::HashMap;

use crate::check::{Check, CheckId};

/// Most checks of a run.
pub const CHECKS_MAX: usize = 512;

/// Checks that can be run.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) checks: Vec<Check>,
    /// For each check the places of those it waits for.
    pub(crate) waits_for: Vec<Vec<usize>>,
}

/// Why checks cannot be run. All of these are mistakes in the program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Two checks have the same id.
    #[error("the check {0} is there twice; give each its own id")]
    Twice(CheckId),
    /// A check waits for one that is not there.
    #[error("the check {check} depends on {missing}, which is not there; add it or drop the wait")]
    Missing {
        /// The one that waits.
        check: CheckId,
        /// The one it waits for.
        missing: CheckId,
    },
    /// Checks wait for each other; each for the next, the last for the first.
    #[error("checks wait for each other: {}; drop one of these waits", chain(.0))]
    Cycle(Vec<CheckId>),
    /// More than [`CHECKS_MAX`].
    #[error("{0} checks are more than the {CHECKS_MAX} that a run may have; leave some out")]
    TooMany(usize),
}

impl Plan {
    /// Checks what can be known before a run.
    pub fn build(checks: Vec<Check>) -> Result<Self, PlanError> {
        if checks.len() > CHECKS_MAX {
            return Err(PlanError::TooMany(checks.len()));
        }
        let mut places = HashMap::new();
        for (place, check) in checks.iter().enumerate() {
            if places.insert(&check.id, place).is_some() {
                return Err(PlanError::Twice(check.id.clone()));
            }
        }
        let place_of = |check: &Check, id: &CheckId| {
            let missing = || PlanError::Missing { check: check.id.clone(), missing: id.clone() };
            places.get(id).copied().ok_or_else(missing)
        };
        let waits_for = checks
            .iter()
            .map(|check| check.depends_on.iter().map(|id| place_of(check, id)).collect())
            .collect::<Result<Vec<Vec<_>>, _>>()?;
        match find_cycle(&waits_for) {
            Some(cycle) => {
                let ids = cycle.into_iter().filter_map(|place| checks.get(place));
                Err(PlanError::Cycle(ids.map(|check| check.id.clone()).collect()))
            }
            None => Ok(Self { checks, waits_for }),
        }
    }

    /// The checks in the order they are shown.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }
}

/// Takes away what can be run until nothing can (Kahn 1962). Whatever is left waits for something
/// that is left, so following the waits must come round.
fn find_cycle(waits_for: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut left: Vec<bool> = vec![true; waits_for.len()];
    let is_left = |left: &[bool], place: usize| left.get(place).copied().unwrap_or(false);
    loop {
        let free: Vec<usize> = waits_for
            .iter()
            .enumerate()
            .filter(|(place, waits)| {
                is_left(&left, *place) && !waits.iter().any(|wait| is_left(&left, *wait))
            })
            .map(|(place, _)| place)
            .collect();
        if free.is_empty() {
            break;
        }
        for place in free {
            if let Some(flag) = left.get_mut(place) {
                *flag = false;
            }
        }
    }
    let mut path = Vec::new();
    let mut here = left.iter().position(|left| *left)?;
    loop {
        if let Some(start) = path.iter().position(|seen| *seen == here) {
            path.drain(..start);
            return Some(path);
        }
        path.push(here);
        here = *waits_for.get(here)?.iter().find(|wait| is_left(&left, **wait))?;
    }
}

fn chain(ids: &[CheckId]) -> String {
    let names = ids.iter().chain(ids.first()).map(CheckId::as_str);
    names.collect::<Vec<_>>().join(" → ")
}
