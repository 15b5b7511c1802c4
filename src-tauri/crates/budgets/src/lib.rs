//! Decides whether a request may spend: what is spent and reserved against each budget.
//!
//! Pure: no IO, no clock, no lock; time and the time zone are arguments. What was spent before this
//! process is loaded from the ledger, which is the truth; a restart loses no spending.
//!
//! Invariant: what is spent and reserved together never exceeds a limit by a reservation that was
//! admitted. An answer may cost more than was reserved for it (the slack): reservations assume an
//! answer of at most so many tokens.

use domain::{
    BackendId, Budget, BudgetDimension, BudgetId, ClientId, CredentialId, NanoUsd, WallTime,
};
use jiff::tz::TimeZone;

/// Whose money one call spends.
#[derive(Debug, Clone, Copy)]
pub struct Charge<'a> {
    pub client: &'a ClientId,
    pub project: Option<&'a str>,
    pub backend: &'a BackendId,
    pub credential: Option<&'a CredentialId>,
    /// The model as the backend names it.
    pub model: &'a str,
}

/// A budget and what became of it in its present period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetStatus {
    pub id: BudgetId,
    pub budget: Budget,
    /// Start of the period.
    pub from: WallTime,
    /// End of the period, exclusive.
    pub until: WallTime,
    pub spent: NanoUsd,
    /// For requests under way.
    pub reserved: NanoUsd,
}

/// Every budget in force.
#[derive(Debug, Default)]
pub struct BudgetBook {
    budgets: Vec<BudgetStatus>,
    zone: Option<TimeZone>,
}

impl BudgetBook {
    /// Puts `budgets` in force. One that existed keeps what it reserved, and what it spent if its
    /// scope and period are the same.
    pub fn configure(
        &mut self,
        budgets: impl IntoIterator<Item = (BudgetId, Budget)>,
        zone: TimeZone,
        at: WallTime,
    ) {
        let before = std::mem::take(&mut self.budgets);
        for (id, budget) in budgets {
            let Some((from, until)) = budget.period.around(at, &zone) else { continue };
            let old = before.iter().find(|old| old.id == id);
            let is_same =
                |old: &&BudgetStatus| old.budget.scope == budget.scope && old.from == from;
            self.budgets.push(BudgetStatus {
                reserved: old.map_or(NanoUsd::ZERO, |old| old.reserved),
                spent: old.filter(is_same).map_or(NanoUsd::ZERO, |old| old.spent),
                id,
                budget,
                from,
                until,
            });
        }
        self.zone = Some(zone);
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.budgets.is_empty()
    }

    /// The budgets in their present periods.
    pub fn statuses(&mut self, at: WallTime) -> &[BudgetStatus] {
        self.begin_periods(at);
        &self.budgets
    }

    /// Corrects what `id` spent to `loaded`, which was read from the ledger while it stood at `seen`.
    /// What was spent since then is added; a call that is in both is counted twice until the next
    /// correction, so that a limit is never passed for that.
    pub fn correct(&mut self, id: &BudgetId, from: WallTime, seen: NanoUsd, loaded: NanoUsd) {
        let budget = self.budgets.iter_mut().find(|status| status.id == *id);
        if let Some(status) = budget.filter(|status| status.from == from) {
            let since = (status.spent - seen).max(NanoUsd::ZERO);
            status.spent = loaded + since;
        }
    }

    /// The first budget that does not have `estimate` left for `charge`.
    pub fn exceeded(
        &mut self,
        charge: &Charge<'_>,
        estimate: NanoUsd,
        at: WallTime,
    ) -> Option<&BudgetStatus> {
        self.begin_periods(at);
        self.budgets.iter().find(|status| {
            let taken = status.spent + status.reserved;
            status.covers(charge)
                && (taken + estimate > status.budget.limit || taken >= status.budget.limit)
        })
    }

    /// Reserves `estimate` in each budget that covers one of `charges`, and returns these budgets.
    pub fn reserve(&mut self, charges: &[Charge<'_>], estimate: NanoUsd) -> Vec<BudgetId> {
        let mut reserved = Vec::new();
        for status in &mut self.budgets {
            if charges.iter().any(|charge| status.covers(charge)) {
                status.reserved += estimate;
                reserved.push(status.id.clone());
            }
        }
        reserved
    }

    /// Gives a reservation back.
    pub fn release(&mut self, reserved: &[BudgetId], estimate: NanoUsd) {
        for status in self.budgets.iter_mut().filter(|status| reserved.contains(&status.id)) {
            status.reserved = (status.reserved - estimate).max(NanoUsd::ZERO);
        }
    }

    /// Counts what a call cost.
    pub fn spend(&mut self, charge: &Charge<'_>, amount: NanoUsd, at: WallTime) {
        self.begin_periods(at);
        for status in self.budgets.iter_mut().filter(|status| status.covers(charge)) {
            status.spent += amount;
        }
    }

    fn begin_periods(&mut self, at: WallTime) {
        let Some(zone) = &self.zone else { return };
        for status in self.budgets.iter_mut().filter(|status| at >= status.until) {
            if let Some((from, until)) = status.budget.period.around(at, zone) {
                (status.from, status.until, status.spent) = (from, until, NanoUsd::ZERO);
            }
        }
    }
}

impl BudgetStatus {
    fn covers(&self, charge: &Charge<'_>) -> bool {
        let Some((dimension, name)) = &self.budget.scope else { return true };
        let own = match dimension {
            BudgetDimension::Backend => Some(charge.backend.as_str()),
            BudgetDimension::Credential => charge.credential.map(CredentialId::as_str),
            BudgetDimension::Client => Some(charge.client.as_str()),
            BudgetDimension::Project => charge.project,
            BudgetDimension::Model => Some(charge.model),
        };
        own == Some(name.as_str())
    }
}

#[cfg(test)]
mod tests;
