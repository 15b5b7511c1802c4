//! Decides whether a request may spend: what is spent and reserved against each budget.
//!
//! Pure: no IO, no clock, no lock; time and the time zone are arguments. What was spent before this
//! process is loaded from the ledger, which is the truth; a restart loses no spending.
//!
//! Invariant: what is spent, interrupted and reserved together never exceeds a limit by a
//! reservation that was admitted. An answer may cost more than was reserved for it: reservations
//! assume an answer as long as the model's usually are ([`AnswerLengths`]), and a prompt read from
//! the provider's cache as the client's latest were ([`CacheReads`]). By how much is the slack, which
//! each status shows.

mod answer_length;
mod back_test;
mod forecast;
mod recent_calls;

use domain::{
    BackendId, Budget, BudgetAction, BudgetAllowance, BudgetDimension, BudgetId, BudgetMark,
    ClientId, CredentialId, NanoUsd, WallTime,
};
use jiff::tz::TimeZone;

pub use answer_length::{ANSWERS_MIN, AnswerLengths, MODELS_MAX, OUTPUT_TOKENS_ASSUMED};
pub use back_test::{BudgetBackTest, PastCall, PastRequest, back_test};
pub use recent_calls::{BilledNames, CACHED_CALLS_MIN, CacheReads, PromptCacheKey};

/// Whose money one call spends.
#[derive(Debug, Clone, Copy)]
pub struct Charge<'a> {
    pub client: &'a ClientId,
    pub project: Option<&'a str>,
    pub backend: &'a BackendId,
    pub credential: Option<&'a CredentialId>,
    /// Every name of its model: what the client asked for, what the backend is asked for, and what it
    /// bills. A budget for any of them counts the call, once.
    pub models: [&'a str; 3],
}

/// Money for a request under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reservation {
    /// Its price with an answer of the expected length and the expected cache reads.
    pub amount: NanoUsd,
    /// Its price with the longest answer that the request and the model allow and nothing read from a
    /// cache, rather written to it where that costs more; `None` if neither says.
    pub at_most: Option<NanoUsd>,
}

/// What the requests under way may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reserved {
    pub amount: NanoUsd,
    /// What they may cost more, if their answers are as long as they may be, at the dearest terms.
    pub slack: NanoUsd,
    /// Requests of which the largest cost is not known, so that they are in `slack` with nothing.
    pub unbounded_requests: u64,
}

/// Requests that a kill of the program cut off: what they cost is not known, so each counts with
/// what was reserved for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Interrupted {
    pub requests: u64,
    pub amount: NanoUsd,
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
    /// When what is spent now no longer counts.
    pub renewal: WallTime,
    pub spent: NanoUsd,
    pub reserved: Reserved,
    pub interrupted: Interrupted,
    /// Requests of the period whose cost is unknown and so is in no sum.
    pub unpriced_requests: u64,
    /// What the user allowed more; may hold some that have ended.
    pub allowances: Vec<BudgetAllowance>,
    /// The limit at which a request was refused first, since the period began.
    pub refused_at: Option<NanoUsd>,
}

/// What the ledger says of a budget's period.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LoadedSpending {
    pub spent: NanoUsd,
    pub interrupted: Interrupted,
    pub unpriced_requests: u64,
    pub allowances: Vec<BudgetAllowance>,
}

/// True if the user may have to be told of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct MarkReached(pub bool);

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
        let mut before = std::mem::take(&mut self.budgets);
        for (id, budget) in budgets {
            let old = before.iter().position(|old| old.id == id).map(|at| before.swap_remove(at));
            self.budgets.extend(BudgetStatus::begin(id, budget, &zone, at).map(|new| match old {
                Some(old) => new.continued(old),
                None => new,
            }));
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
    pub fn correct(
        &mut self,
        id: &BudgetId,
        from: WallTime,
        seen: NanoUsd,
        loaded: LoadedSpending,
    ) {
        let Some(status) = self.budgets.iter_mut().find(|status| status.id == *id) else { return };
        status.allowances = loaded.allowances;
        // A rolling window may have moved meanwhile; what has left it is taken off next time.
        if status.from == from || status.budget.schedule.is_rolling() {
            let since = (status.spent - seen).max(NanoUsd::ZERO);
            status.spent = loaded.spent + since;
            status.interrupted = loaded.interrupted;
            status.unpriced_requests = loaded.unpriced_requests;
        }
    }

    /// The budgets that do not have `estimate` left for `charge`, apart from those that refuse
    /// nothing. An unknown price (`None`) is covered until a budget is used up, unless the budget refuses
    /// it; a free call always is.
    pub fn exceeded(
        &mut self,
        charge: &Charge<'_>,
        estimate: Option<NanoUsd>,
        at: WallTime,
    ) -> impl Iterator<Item = &BudgetStatus> {
        self.begin_periods(at);
        self.budgets.iter().filter(move |status| {
            let (taken, limit) = (status.taken(), status.limit(at));
            let is_over = match estimate {
                Some(NanoUsd::ZERO) => false,
                Some(estimate) => taken + estimate > limit,
                None => taken >= limit || status.budget.refuse_unpriced,
            };
            is_over && status.budget.action != BudgetAction::Tell && status.covers(charge)
        })
    }

    /// Notes that `id` refused a request or sent it to another route.
    pub fn refuse(&mut self, id: &BudgetId, at: WallTime) -> MarkReached {
        let status = self.budgets.iter_mut().find(|status| status.id == *id);
        MarkReached(status.is_some_and(|status| {
            let limit = Some(status.limit(at));
            std::mem::replace(&mut status.refused_at, limit) != limit
        }))
    }

    /// Makes the reservation in each budget that covers one of `charges`, and returns these
    /// budgets.
    pub fn reserve(&mut self, charges: &[Charge<'_>], reservation: Reservation) -> Vec<BudgetId> {
        let mut budgets = Vec::new();
        for status in &mut self.budgets {
            if charges.iter().any(|charge| status.covers(charge)) {
                status.reserved.add(reservation);
                budgets.push(status.id.clone());
            }
        }
        budgets
    }

    /// Reserves for a further attempt of a request in the `budgets` that reserved for it.
    pub fn reserve_again(&mut self, budgets: &[BudgetId], reservation: Reservation) {
        for status in self.budgets.iter_mut().filter(|status| budgets.contains(&status.id)) {
            status.reserved.add(reservation);
        }
    }

    /// Gives a reservation back.
    pub fn release(&mut self, budgets: &[BudgetId], reservation: Reservation) {
        for status in self.budgets.iter_mut().filter(|status| budgets.contains(&status.id)) {
            status.reserved.remove(reservation);
        }
    }

    /// The budgets that count what `charge` costs.
    pub fn covering(&self, charge: &Charge<'_>) -> impl Iterator<Item = &BudgetId> {
        self.budgets.iter().filter(|status| status.covers(charge)).map(|status| &status.id)
    }

    /// Counts what calls cost, by budget.
    pub fn spend(&mut self, spent: &[(BudgetId, NanoUsd)], at: WallTime) -> MarkReached {
        self.begin_periods(at);
        let mut reached = MarkReached(false);
        for status in &mut self.budgets {
            let before = status.spent_marks(at);
            let own = spent.iter().filter(|(id, _)| *id == status.id);
            status.spent += own.map(|(_, amount)| *amount).sum();
            reached.0 |= status.spent_marks(at) > before;
        }
        reached
    }

    fn begin_periods(&mut self, at: WallTime) {
        let Some(zone) = &self.zone else { return };
        for status in self.budgets.iter_mut().filter(|status| at >= status.until) {
            let (id, budget) = (status.id.clone(), status.budget.clone());
            let Some(new) = BudgetStatus::begin(id, budget, zone, at) else { continue };
            (status.from, status.until, status.renewal) = (new.from, new.until, new.renewal);
            // What has left a rolling window is known with the next correction.
            if !status.budget.schedule.is_rolling() {
                (status.spent, status.unpriced_requests) = (NanoUsd::ZERO, 0);
                status.interrupted = Interrupted::default();
                status.refused_at = None;
            }
        }
    }
}

impl Reservation {
    fn slack(self) -> NanoUsd {
        self.at_most.map_or(NanoUsd::ZERO, |most| (most - self.amount).max(NanoUsd::ZERO))
    }
}

impl Reserved {
    fn add(&mut self, reservation: Reservation) {
        self.amount += reservation.amount;
        self.slack += reservation.slack();
        self.unbounded_requests += u64::from(reservation.at_most.is_none());
    }

    fn remove(&mut self, reservation: Reservation) {
        let Self { amount, slack, unbounded_requests } = self;
        *amount = (*amount - reservation.amount).max(NanoUsd::ZERO);
        *slack = (*slack - reservation.slack()).max(NanoUsd::ZERO);
        let unbounded = u64::from(reservation.at_most.is_none());
        *unbounded_requests = unbounded_requests.saturating_sub(unbounded);
    }
}

impl BudgetStatus {
    /// A budget of which nothing is known yet. `None` beyond the calendar.
    fn begin(id: BudgetId, budget: Budget, zone: &TimeZone, at: WallTime) -> Option<Self> {
        let (from, until) = budget.schedule.around(at, zone)?;
        let renewal = budget.schedule.renewal(at, zone)?;
        Some(Self {
            id,
            budget,
            from,
            until,
            renewal,
            spent: NanoUsd::ZERO,
            reserved: Reserved::default(),
            interrupted: Interrupted::default(),
            unpriced_requests: 0,
            allowances: Vec::new(),
            refused_at: None,
        })
    }

    /// A budget as it stood at `at`, by what was spent since the beginning of that period and what was
    /// allowed more by then. `None` beyond the calendar.
    #[must_use]
    pub fn past(
        (id, budget): (&BudgetId, &Budget),
        zone: &TimeZone,
        at: WallTime,
        spent_since: impl FnOnce(WallTime) -> NanoUsd,
        allowances: Vec<BudgetAllowance>,
    ) -> Option<Self> {
        let begun = Self::begin(id.clone(), budget.clone(), zone, at)?;
        Some(Self { spent: spent_since(begun.from), allowances, ..begun })
    }

    /// `self` with what is still true of `old`.
    fn continued(self, old: Self) -> Self {
        let reserved = Self { reserved: old.reserved, allowances: old.allowances, ..self };
        if old.budget.scope != reserved.budget.scope || old.from != reserved.from {
            return reserved;
        }
        let Self { spent, interrupted, unpriced_requests, refused_at, .. } = old;
        Self { spent, interrupted, unpriced_requests, refused_at, ..reserved }
    }

    /// What counts against the limit.
    #[must_use]
    pub fn taken(&self) -> NanoUsd {
        self.spent_for_good() + self.reserved.amount
    }

    /// What is not given back, with what a kill cut off.
    fn spent_for_good(&self) -> NanoUsd {
        self.spent + self.interrupted.amount
    }

    /// The limit with what is allowed more at `at`.
    #[must_use]
    pub fn limit(&self, at: WallTime) -> NanoUsd {
        self.allowed(at).fold(self.budget.limit, |sum, it| sum + it.amount)
    }

    /// What the user allowed more and has not ended at `at`.
    pub fn allowed(&self, at: WallTime) -> impl Iterator<Item = &BudgetAllowance> {
        self.allowances.iter().filter(move |allowance| at < allowance.until)
    }

    /// Everything that the user is to be told of at `at`, the percentages in order.
    #[must_use]
    pub fn marks(&self, at: WallTime) -> Vec<BudgetMark> {
        let percent = self.budget.marks.iter().take(self.spent_marks(at)).copied();
        let mut marks: Vec<BudgetMark> = percent.map(BudgetMark::Spent).collect();
        let is_forecast = self.budget.forecast && self.used_up_at(at).is_some();
        marks.extend(is_forecast.then_some(BudgetMark::Forecast));
        marks.extend(self.has_refused(at).then_some(BudgetMark::Refused));
        marks
    }

    /// True if requests that cost money are refused at `at`: one was at the present limit, or all of
    /// it is spent. A budget that only tells, or sends requests to another route, refuses none.
    #[must_use]
    pub fn is_refusing(&self, at: WallTime) -> bool {
        let refuses = matches!(self.budget.action, BudgetAction::Ask | BudgetAction::Stop);
        let is_spent = self.spent_for_good() >= self.limit(at);
        refuses && (is_spent || self.has_refused(at))
    }

    fn has_refused(&self, at: WallTime) -> bool {
        self.refused_at.is_some_and(|limit| limit == self.limit(at))
    }

    /// The number of percentages that are reached.
    fn spent_marks(&self, at: WallTime) -> usize {
        let spent = self.spent_for_good();
        let (spent, limit) = (i128::from(spent.nanos()), i128::from(self.limit(at).nanos()));
        self.budget.marks.partition_point(|percent| spent * 100 >= limit * i128::from(*percent))
    }

    fn covers(&self, charge: &Charge<'_>) -> bool {
        let Some((dimension, name)) = &self.budget.scope else { return true };
        let name = name.as_str();
        let own = match dimension {
            BudgetDimension::Backend => Some(charge.backend.as_str()),
            BudgetDimension::Credential => charge.credential.map(CredentialId::as_str),
            BudgetDimension::Client => Some(charge.client.as_str()),
            BudgetDimension::Project => charge.project,
            BudgetDimension::Model => return charge.models.contains(&name),
        };
        own == Some(name)
    }
}

#[cfg(test)]
mod tests;
