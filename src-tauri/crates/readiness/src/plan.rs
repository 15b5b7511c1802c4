//! A validated check graph: every dependency exists and there is no cycle.

use std::collections::HashMap;

use crate::check::{CheckId, ReadinessCheck};

/// Maximum number of checks in a run.
pub const CHECKS_MAX: usize = 512;

#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) checks: Vec<ReadinessCheck>,
    /// For each check, the indices of its dependencies in `checks`.
    pub(crate) dependencies: Vec<Vec<usize>>,
}

/// Why a set of checks cannot run. Each of these is a bug in the program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Two checks have the same id.
    #[error("the check {0} is there twice; give each its own id")]
    DuplicateId(CheckId),
    /// A check depends on a check that does not exist.
    #[error("the check {check} depends on {missing}, which is not there; add it or drop the wait")]
    UnknownDependency { check: CheckId, missing: CheckId },
    /// The checks of a cycle. Each depends on the next, the last on the first.
    #[error("checks wait for each other: {}; drop one of these waits", format_cycle(.0))]
    Cycle(Vec<CheckId>),
    /// More than [`CHECKS_MAX`]; holds the number.
    #[error("{0} checks are more than the {CHECKS_MAX} that a run may have; leave some out")]
    TooMany(usize),
}

impl Plan {
    /// Validates ids and dependencies.
    pub fn build(checks: Vec<ReadinessCheck>) -> Result<Self, PlanError> {
        if checks.len() > CHECKS_MAX {
            return Err(PlanError::TooMany(checks.len()));
        }
        let mut places = HashMap::new();
        for (place, check) in checks.iter().enumerate() {
            if places.insert(&check.id, place).is_some() {
                return Err(PlanError::DuplicateId(check.id.clone()));
            }
        }
        let place_of = |check: &ReadinessCheck, id: &CheckId| {
            let missing =
                || PlanError::UnknownDependency { check: check.id.clone(), missing: id.clone() };
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
            None => Ok(Self { checks, dependencies: waits_for }),
        }
    }

    /// The checks in display order.
    #[must_use]
    pub fn checks(&self) -> &[ReadinessCheck] {
        &self.checks
    }
}

/// Finds a dependency cycle with Kahn's algorithm (1962): removes checks without remaining
/// dependencies until none is left to remove. Every remaining check depends on another remaining
/// one, so following dependencies must reach a cycle.
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

fn format_cycle(ids: &[CheckId]) -> String {
    let names = ids.iter().chain(ids.first()).map(CheckId::as_str);
    names.collect::<Vec<_>>().join(" → ")
}
