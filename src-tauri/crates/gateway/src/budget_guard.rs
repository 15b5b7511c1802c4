//! Refuses requests that a budget does not cover, or sends them to another route, and counts what the
//! others cost.

mod refusal;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use budgets::{BudgetBook, BudgetStatus, Charge, LoadedSpending, MarkReached};
use domain::{Budget, BudgetId, Clock, NanoUsd, RouteId, ShownCurrency, TokenUsage, WallTime};
use jiff::tz::TimeZone;
use ledger::{Purpose, Settlement};
use parking_lot::Mutex;
use routing::{Candidate, Decision, Needs};
use tokio::sync::Notify;

use crate::context::RequestContext;
use crate::failure::Failure;

/// Most output tokens that a reservation assumes. A longer answer may pass a limit by what exceeds this.
pub const OUTPUT_TOKENS_RESERVED_MAX: u64 = 4_096;

/// The budgets in force, shared with the engine, which loads what was spent and tells the user.
pub struct Budgets {
    book: Mutex<BudgetBook>,
    /// True if there is a budget: requests look at nothing else otherwise.
    in_use: AtomicBool,
    mark_reached: Notify,
    clock: Arc<dyn Clock>,
    /// What refusals write amounts in.
    currency: Mutex<ShownCurrency>,
}

/// Money reserved for a request. Dropping it gives the reservation back and counts what was spent,
/// which must be queued in the ledger by then: a correction from it would lose the amount otherwise.
pub(crate) struct BudgetReservation {
    budgets: Arc<Budgets>,
    reserved: Vec<BudgetId>,
    estimate: NanoUsd,
    spent: Vec<(BudgetId, NanoUsd)>,
}

impl Budgets {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let (book, in_use) = (Mutex::default(), AtomicBool::new(false));
        let currency = Mutex::new(ShownCurrency::USD);
        Arc::new(Self { book, in_use, mark_reached: Notify::new(), clock, currency })
    }

    /// Writes amounts in this currency, with US dollars beside them.
    pub fn show_in(&self, currency: ShownCurrency) {
        *self.currency.lock() = currency;
    }

    /// The currency that amounts are written in.
    #[must_use]
    pub fn shown_currency(&self) -> ShownCurrency {
        *self.currency.lock()
    }

    /// Puts `budgets` in force; days begin at midnight in `zone`.
    pub fn configure(&self, budgets: impl IntoIterator<Item = (BudgetId, Budget)>, zone: TimeZone) {
        let mut book = self.book.lock();
        book.configure(budgets, zone, self.clock.wall());
        self.in_use.store(!book.is_empty(), Ordering::Relaxed);
    }

    /// The budgets in their present periods.
    #[must_use]
    pub fn statuses(&self) -> Vec<BudgetStatus> {
        self.book.lock().statuses(self.clock.wall()).to_vec()
    }

    /// See [`BudgetBook::correct`].
    pub fn correct(&self, id: &BudgetId, from: WallTime, seen: NanoUsd, loaded: LoadedSpending) {
        self.book.lock().correct(id, from, seen, loaded);
    }

    /// Waits until a request reaches a mark that the user may have to be told of.
    pub async fn mark_reached(&self) {
        self.mark_reached.notified().await;
    }

    /// Removes the candidates that a budget does not cover from `decision`, and reserves the price of the
    /// dearest that is left. If none is left and the budget names another route, `choose_route` replaces
    /// `decision`, once. `None` if no budget applies. Checks have no budget.
    pub(crate) fn admit(
        self: &Arc<Self>,
        context: &RequestContext,
        needs: Needs,
        decision: &mut Decision,
        choose_route: impl FnOnce(&RouteId) -> Option<Decision>,
    ) -> Result<Option<BudgetReservation>, Failure> {
        if !self.in_use.load(Ordering::Relaxed) || context.client.purpose != Purpose::User {
            return Ok(None);
        }
        let short = match self.reserve(context, needs, decision) {
            Ok(reservation) => return Ok(Some(reservation)),
            Err(short) => short,
        };
        let switched = short.status.budget.switch_to.as_ref().and_then(choose_route);
        let failure = |short: &Shortage| match &short.unpriced_model {
            Some(model) => Failure::unpriced(&short.status, model),
            None => Failure::over_budget(&short.status, self.clock.wall(), *self.currency.lock()),
        };
        let Some(other) = switched.filter(|other| other.route != decision.route) else {
            return Err(failure(&short));
        };
        let why = format!("Sent to the route {} by the budget {}.", other.route, short.status.id);
        *decision = Decision { explanation: format!("{why} {}", other.explanation), ..other };
        self.reserve(context, needs, decision).map(Some).map_err(|short| failure(&short))
    }

    /// Reserves money for the candidates of `decision` that every budget covers and removes the others.
    /// Returns a budget that stands in the way if none is left, rather one that names another route.
    fn reserve(
        self: &Arc<Self>,
        context: &RequestContext,
        needs: Needs,
        decision: &mut Decision,
    ) -> Result<BudgetReservation, Box<Shortage>> {
        let now = self.clock.wall();
        let estimates: Vec<Option<NanoUsd>> = decision
            .candidates
            .iter()
            .map(|candidate| estimate(context, needs, candidate, now))
            .collect();
        let mut estimates = estimates.into_iter();
        let (mut short, mut most) = (None::<Box<Shortage>>, NanoUsd::ZERO);
        let mut book = self.book.lock();
        decision.candidates.retain(|candidate| {
            let estimate = estimates.next().flatten();
            let mut is_covered = true;
            for status in book.exceeded(&charge(context, candidate), estimate, now) {
                is_covered = false;
                if short.as_ref().is_none_or(|short| short.status.budget.switch_to.is_none()) {
                    short = Some(Box::new(Shortage::new(status, estimate, candidate, now)));
                }
            }
            if is_covered {
                most = most.max(estimate.unwrap_or_default());
            }
            is_covered
        });
        if let (Some(short), true) = (short, decision.candidates.is_empty()) {
            // Money is left in a budget that refuses an unknown price: no mark is reached.
            let reached = match short.unpriced_model {
                Some(_) => None,
                None => Some(book.refuse(&short.status.id, now)),
            };
            drop(book);
            if let Some(reached) = reached {
                self.note(reached);
            }
            return Err(short);
        }
        let charges: Vec<_> =
            decision.candidates.iter().map(|candidate| charge(context, candidate)).collect();
        let reserved = book.reserve(&charges, most);
        drop(book);
        let (budgets, spent) = (Arc::clone(self), Vec::new());
        Ok(BudgetReservation { budgets, reserved, estimate: most, spent })
    }

    fn note(&self, reached: MarkReached) {
        if reached.0 {
            self.mark_reached.notify_one();
        }
    }
}

/// A budget that does not cover a request.
struct Shortage {
    status: BudgetStatus,
    /// The model, if the budget has money left and refuses it because its price is unknown.
    unpriced_model: Option<String>,
}

impl Shortage {
    fn new(
        status: &BudgetStatus,
        estimate: Option<NanoUsd>,
        candidate: &Candidate,
        now: WallTime,
    ) -> Self {
        let is_left = status.spent + status.reserved < status.limit(now);
        let is_unpriced = estimate.is_none() && is_left;
        let unpriced_model =
            is_unpriced.then(|| format!("{}/{}", candidate.endpoint.backend, candidate.model));
        Self { status: status.clone(), unpriced_model }
    }
}

/// The price of the request at `candidate`; `None` if it is unknown.
fn estimate(
    context: &RequestContext,
    needs: Needs,
    candidate: &Candidate,
    now: WallTime,
) -> Option<NanoUsd> {
    let tokens = TokenUsage {
        input_uncached: needs.input_tokens,
        output_visible: needs.output_tokens.clamp(1, OUTPUT_TOKENS_RESERVED_MAX),
        ..TokenUsage::default()
    };
    let price = context.snapshot.price();
    price(&candidate.endpoint.backend, &candidate.model, &tokens, now)
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
    /// Notes what the attempts of `settlement` cost.
    pub(crate) fn settle(&mut self, settlement: &Settlement) {
        let book = self.budgets.book.lock();
        for attempt in &settlement.attempts {
            let Some(amount) = attempt.cost.amount() else { continue };
            let charge = Charge {
                client: &settlement.request.client,
                project: settlement.request.project.as_deref(),
                backend: &attempt.backend,
                credential: attempt.credential.as_ref(),
                model: &attempt.model,
            };
            self.spent.extend(book.covering(&charge).map(|id| (id.clone(), amount)));
        }
    }
}

impl Drop for BudgetReservation {
    fn drop(&mut self) {
        let mut book = self.budgets.book.lock();
        book.release(&self.reserved, self.estimate);
        let reached = book.spend(&self.spent, self.budgets.clock.wall());
        drop(book);
        self.budgets.note(reached);
    }
}
