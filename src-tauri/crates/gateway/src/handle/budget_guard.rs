//! Refuses requests that a budget does not cover, or sends them to another route, and counts what the
//! others cost.

mod price;
mod refusal;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use budgets::{
    AnswerLengths, BilledNames, BudgetBook, BudgetStatus, CacheReads, Charge, LoadedSpending,
    MarkReached, PromptCacheKey, Reservation,
};
use domain::{BackendId, Budget, BudgetId, Clock, NanoUsd, RouteId, ShownCurrency, WallTime};
use jiff::tz::TimeZone;
use ledger::{AttemptRecord, Purpose, ReservedAmount, Settlement};
use parking_lot::Mutex;
use pricing::Cost;
use routing::{Candidate, Decision};
use tokio::sync::Notify;

use crate::handle::context::RequestContext;
use crate::handle::failure::Failure;

use self::price::EstimatedPrice;
pub(crate) use self::price::{CallSize, OutputLimit};

/// The budgets in force, shared with the engine, which loads what was spent and tells the user.
pub struct Budgets {
    book: Mutex<BudgetBook>,
    /// What is known of requests that a budget counted.
    learnt: Mutex<Learnt>,
    /// True if there is a budget: requests look at nothing else otherwise.
    in_use: AtomicBool,
    mark_reached: Notify,
    clock: Arc<dyn Clock>,
    /// What refusals write amounts in.
    currency: Mutex<ShownCurrency>,
}

/// What answers tell of the price of the next calls.
#[derive(Debug, Default)]
struct Learnt {
    answers: AnswerLengths,
    cache_reads: CacheReads,
    billed: BilledNames,
}

/// Money reserved for a request. Dropping it gives the reservation back and counts what was spent,
/// which must be queued in the ledger by then: a correction from it would lose the amount otherwise.
pub(crate) struct BudgetReservation {
    budgets: Arc<Budgets>,
    reserved: Vec<BudgetId>,
    reservation: Reservation,
    /// [`EstimatedPrice::uncached`].
    uncached: NanoUsd,
    /// For attempts after the first.
    further: Vec<Reservation>,
    spent: Vec<(BudgetId, NanoUsd)>,
}

impl Budgets {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let (book, learnt, in_use) = (Mutex::default(), Mutex::default(), AtomicBool::new(false));
        let currency = Mutex::new(ShownCurrency::USD);
        Arc::new(Self { book, learnt, in_use, mark_reached: Notify::new(), clock, currency })
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

    /// Notes that `backend` bills `model` as `billed`, so that a budget for that name covers it before
    /// the next answer.
    pub fn note_billed_name(&self, backend: &BackendId, model: &str, billed: &str) {
        self.learnt.lock().billed.record(backend.as_str(), model, billed);
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
        model_asked: &str,
        size: impl FnOnce() -> CallSize,
        decision: &mut Decision,
        choose_route: impl FnOnce(&RouteId) -> Option<Decision>,
    ) -> Result<Option<BudgetReservation>, Failure> {
        if !self.in_use.load(Ordering::Relaxed) || context.client.purpose != Purpose::User {
            return Ok(None);
        }
        let size = size();
        let short = match self.reserve(context, model_asked, &size, decision) {
            Ok(reservation) => return Ok(Some(reservation)),
            Err(short) => short,
        };
        let switched = short.status.budget.switch_to.as_ref().and_then(choose_route);
        let failure = |short: &Shortage| match &short.unpriced_model {
            Some(model) => Failure::unpriced(&short.status, model),
            None => {
                let (now, currency) = (self.clock.wall(), *self.currency.lock());
                Failure::over_budget(&short.status, short.estimate, now, currency)
            }
        };
        let Some(other) = switched.filter(|other| other.route != decision.route) else {
            return Err(failure(&short));
        };
        let why = format!("Sent to the route {} by the budget {}.", other.route, short.status.id);
        *decision = Decision { explanation: format!("{why} {}", other.explanation), ..other };
        self.reserve(context, model_asked, &size, decision)
            .map(Some)
            .map_err(|short| failure(&short))
    }

    /// Reserves money for the candidates of `decision` that every budget covers and removes the others.
    /// Returns a budget that stands in the way if none is left, rather one that names another route.
    fn reserve(
        self: &Arc<Self>,
        context: &RequestContext,
        model_asked: &str,
        size: &CallSize,
        decision: &mut Decision,
    ) -> Result<BudgetReservation, Box<Shortage>> {
        let now = self.clock.wall();
        let learnt = self.learnt.lock();
        let known: Vec<(Option<EstimatedPrice>, String)> = decision
            .candidates
            .iter()
            .map(|candidate| {
                let backend = candidate.endpoint.backend.as_str();
                let billed = learnt.billed.of(backend, &candidate.model);
                (price::estimate(context, size, candidate, &learnt, now), billed)
            })
            .collect();
        drop(learnt);
        let mut known = known.into_iter();
        let mut billed_names = Vec::new();
        let (mut short, mut dearest) = (None::<Box<Shortage>>, None::<EstimatedPrice>);
        let mut book = self.book.lock();
        decision.candidates.retain(|candidate| {
            let (price, billed) = known.next().unwrap_or_default();
            let estimate = price.map(|price| price.reservation.amount);
            let mut is_covered = true;
            let charge = charge(context, candidate, model_asked, &billed);
            for status in book.exceeded(&charge, estimate, now) {
                is_covered = false;
                if short.as_ref().is_none_or(|short| short.status.budget.switch_to.is_none()) {
                    short = Some(Box::new(Shortage::new(status, estimate, candidate, now)));
                }
            }
            if is_covered {
                let price = price.unwrap_or_default();
                dearest = Some(dearest.map_or(price, |dearest| price::dearer(dearest, price)));
                billed_names.push(billed);
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
        let charges: Vec<_> = decision
            .candidates
            .iter()
            .zip(&billed_names)
            .map(|(candidate, billed)| charge(context, candidate, model_asked, billed))
            .collect();
        let EstimatedPrice { reservation, uncached } = dearest.unwrap_or_default();
        let reserved = book.reserve(&charges, reservation);
        drop(book);
        let (budgets, further, spent) = (Arc::clone(self), Vec::new(), Vec::new());
        Ok(BudgetReservation { budgets, reserved, reservation, uncached, further, spent })
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
    /// What the request may cost; `None` if its price is not known.
    estimate: Option<NanoUsd>,
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
        let is_left = status.taken() < status.limit(now);
        let is_unpriced = estimate.is_none() && is_left;
        let unpriced_model =
            is_unpriced.then(|| format!("{}/{}", candidate.endpoint.backend, candidate.model));
        Self { status: status.clone(), estimate, unpriced_model }
    }
}

fn charge<'a>(
    context: &'a RequestContext,
    candidate: &'a Candidate,
    model_asked: &'a str,
    billed: &'a str,
) -> Charge<'a> {
    Charge {
        client: &context.client.id,
        project: context.arrival.project.as_deref(),
        backend: &candidate.endpoint.backend,
        credential: candidate.endpoint.credential.as_ref(),
        models: [model_asked, &candidate.model, billed],
    }
}

impl BudgetReservation {
    /// What each budget reserved, for the ledger; empty for a request that costs nothing or whose
    /// price is not known.
    pub(crate) fn amounts(&self) -> Vec<ReservedAmount> {
        let amount = self.reservation.amount;
        let budgets = self.reserved.iter().filter(|_| amount > NanoUsd::ZERO);
        budgets.map(|budget| ReservedAmount { budget: budget.clone(), amount }).collect()
    }

    /// Reserves once more for another attempt, unless the one that `failed` cost nothing: until the
    /// request is settled, each of them may have cost what was reserved for one. Another backend or key
    /// has nothing in its cache.
    pub(crate) fn cover_next_attempt(&mut self, failed: &Cost) {
        if *failed == Cost::NotBilled {
            return;
        }
        let (amount, at_most) = (self.uncached, self.reservation.at_most);
        // The request is counted once among those without a bound.
        let further = Reservation { amount, at_most: at_most.or(Some(amount)) };
        self.budgets.book.lock().reserve_again(&self.reserved, further);
        self.further.push(further);
    }

    /// Notes what the attempts of `settlement` cost. One at the model of the answer counts under the
    /// name that this was billed by, as the ledger books it.
    pub(crate) fn settle(&mut self, settlement: &Settlement) {
        self.learn(settlement);
        let book = self.budgets.book.lock();
        let asked = settlement.request.model_asked.as_str();
        let booked = settlement.model_billed.as_deref().unwrap_or(asked);
        let answered = settlement.attempts.last().map(|attempt| &attempt.model);
        for attempt in &settlement.attempts {
            let Some(amount) = attempt.cost.amount() else { continue };
            let is_answered = answered == Some(&attempt.model);
            let charge = Charge {
                client: &settlement.request.client,
                project: settlement.request.project.as_deref(),
                backend: &attempt.backend,
                credential: attempt.credential.as_ref(),
                models: [asked, &attempt.model, if is_answered { booked } else { &attempt.model }],
            };
            self.spent.extend(book.covering(&charge).map(|id| (id.clone(), amount)));
        }
    }

    fn learn(&self, settlement: &Settlement) {
        let mut learnt = self.budgets.learnt.lock();
        let answered = |attempt: &AttemptRecord| match attempt.error_class {
            None => attempt.usage,
            Some(_) => None,
        };
        for attempt in &settlement.attempts {
            let Some(usage) = answered(attempt) else { continue };
            learnt.answers.record(&attempt.model, usage.output());
            let key = PromptCacheKey {
                client: settlement.request.client.clone(),
                backend: attempt.backend.clone(),
                credential: attempt.credential.clone(),
                model: attempt.model.clone(),
            };
            let tokens = (usage.input(), usage.cache_read);
            learnt.cache_reads.record(key, tokens, settlement.ended);
        }
        let last = settlement.attempts.last().filter(|last| answered(last).is_some());
        if let (Some(last), Some(billed)) = (last, &settlement.model_billed) {
            learnt.billed.record(last.backend.as_str(), &last.model, billed);
        }
    }
}

impl Drop for BudgetReservation {
    fn drop(&mut self) {
        let mut book = self.budgets.book.lock();
        for reservation in self.further.iter().chain([&self.reservation]) {
            book.release(&self.reserved, *reservation);
        }
        let reached = book.spend(&self.spent, self.budgets.clock.wall());
        drop(book);
        self.budgets.note(reached);
    }
}
