//! Refuses requests that a budget does not cover, and counts what the others cost.

use std::sync::Arc;

use budgets::{BudgetBook, BudgetStatus, Charge};
use domain::{Budget, BudgetId, Clock, NanoUsd, TokenUsage, WallTime};
use jiff::tz::TimeZone;
use ledger::{Purpose, Settlement};
use parking_lot::Mutex;
use routing::{Candidate, Decision, Needs};

use crate::context::RequestContext;
use crate::failure::Failure;

/// Most output tokens that a reservation assumes. A longer answer may pass a limit by what exceeds this.
pub const OUTPUT_TOKENS_RESERVED_MAX: u64 = 4_096;

/// The budgets in force, shared with the engine, which loads what was spent.
pub struct Budgets {
    book: Mutex<BudgetBook>,
    clock: Arc<dyn Clock>,
}

/// Money reserved for a request; given back when dropped.
pub(crate) struct BudgetReservation {
    budgets: Arc<Budgets>,
    reserved: Vec<BudgetId>,
    estimate: NanoUsd,
}

impl Budgets {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { book: Mutex::default(), clock })
    }

    /// Puts `budgets` in force; days begin at midnight in `zone`.
    pub fn configure(&self, budgets: impl IntoIterator<Item = (BudgetId, Budget)>, zone: TimeZone) {
        self.book.lock().configure(budgets, zone, self.clock.wall());
    }

    /// The budgets in their present periods.
    #[must_use]
    pub fn statuses(&self) -> Vec<BudgetStatus> {
        self.book.lock().statuses(self.clock.wall()).to_vec()
    }

    /// See [`BudgetBook::correct`].
    pub fn correct(&self, id: &BudgetId, from: WallTime, seen: NanoUsd, loaded: NanoUsd) {
        self.book.lock().correct(id, from, seen, loaded);
    }

    /// Removes the candidates that a budget does not cover from `decision`, and reserves the price of the
    /// dearest that is left. `None` if no budget applies. Checks have no budget.
    pub(crate) fn admit(
        self: &Arc<Self>,
        context: &RequestContext,
        needs: Needs,
        decision: &mut Decision,
    ) -> Result<Option<BudgetReservation>, Failure> {
        let mut book = self.book.lock();
        if book.is_empty() || context.client.purpose != Purpose::User {
            return Ok(None);
        }
        let now = self.clock.wall();
        let estimates: Vec<NanoUsd> = decision
            .candidates
            .iter()
            .map(|candidate| estimate(context, needs, candidate, now))
            .collect();
        let (mut stopped, mut most) = (None, NanoUsd::ZERO);
        let mut estimates = estimates.into_iter();
        decision.candidates.retain(|candidate| {
            let estimate = estimates.next().unwrap_or_default();
            let exceeded = book.exceeded(&charge(context, candidate), estimate, now);
            let is_covered = exceeded.is_none();
            match exceeded {
                Some(status) => stopped = Some(status.clone()),
                None => most = most.max(estimate),
            }
            is_covered
        });
        if let (Some(status), true) = (&stopped, decision.candidates.is_empty()) {
            return Err(Failure::over_budget(status));
        }
        let charges: Vec<_> =
            decision.candidates.iter().map(|candidate| charge(context, candidate)).collect();
        let reserved = book.reserve(&charges, most);
        drop(book);
        let budgets = Arc::clone(self);
        Ok(Some(BudgetReservation { budgets, reserved, estimate: most }))
    }
}

/// The price of the request at `candidate`; zero if it is unknown.
fn estimate(
    context: &RequestContext,
    needs: Needs,
    candidate: &Candidate,
    now: WallTime,
) -> NanoUsd {
    let tokens = TokenUsage {
        input_uncached: needs.input_tokens,
        output_visible: needs.output_tokens.clamp(1, OUTPUT_TOKENS_RESERVED_MAX),
        ..TokenUsage::default()
    };
    let price = context.snapshot.price();
    price(&candidate.endpoint.backend, &candidate.model, &tokens, now).unwrap_or_default()
}

fn charge<'a>(context: &'a RequestContext, candidate: &'a Candidate) -> Charge<'a> {
    Charge {
        client: &context.client.id,
        project: context.arrival.project.as_deref(),
        backend: &candidate.endpoint.backend,
        credential: candidate.endpoint.credential.as_ref(),
        model: &candidate.model,
    }
}

impl BudgetReservation {
    /// Counts what the attempts of `settlement` cost.
    pub(crate) fn settle(self, settlement: &Settlement) {
        let now = self.budgets.clock.wall();
        let mut book = self.budgets.book.lock();
        for attempt in &settlement.attempts {
            let charge = Charge {
                client: &settlement.request.client,
                project: settlement.request.project.as_deref(),
                backend: &attempt.backend,
                credential: attempt.credential.as_ref(),
                model: &attempt.model,
            };
            book.spend(&charge, attempt.cost.amount().unwrap_or_default(), now);
        }
    }
}

impl Drop for BudgetReservation {
    fn drop(&mut self) {
        self.budgets.book.lock().release(&self.reserved, self.estimate);
    }
}
