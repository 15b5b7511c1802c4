//! What a budget would have done to past requests: they are replayed through the book that guards
//! live ones, on their own times.
//!
//! Each request is weighed with what it cost. What was or would have been reserved for it depends on
//! answers before it and is not known; it is mostly more, so that a live budget refuses a little
//! earlier. A refused request spends nothing, and what its client would have done instead is not
//! known either.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use domain::{BackendId, Budget, BudgetId, ClientId, CredentialId, NanoUsd, WallTime};
use jiff::tz::TimeZone;

use crate::{BudgetBook, Charge, LoadedSpending, Reservation};

/// A request as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastRequest {
    pub client: ClientId,
    pub project: Option<String>,
    pub started: WallTime,
    pub ended: WallTime,
    /// In order; the last one answered or was the last to fail.
    pub calls: Vec<PastCall>,
}

/// A call of a backend for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastCall {
    pub backend: BackendId,
    pub credential: Option<CredentialId>,
    /// As in [`Charge`].
    pub models: [String; 3],
    /// `None` if it is not known.
    pub cost: Option<NanoUsd>,
}

/// What would have become of the requests that a budget counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BudgetBackTest {
    pub requests: u64,
    /// Requests that were refused or sent to another route.
    pub refused: u64,
    /// What these cost in fact, as far as it is known.
    pub refused_cost: NanoUsd,
    pub first_refused: Option<WallTime>,
    /// What would have been spent.
    pub spent: NanoUsd,
    /// Requests that passed and whose cost is not known, so that it is in no sum.
    pub unpriced_requests: u64,
    /// Periods with requests; 0 for a rolling window, which has none.
    pub periods: u64,
    /// Of these, in how many the limit was reached: requests were refused or all was spent.
    pub periods_used_up: u64,
}

/// Replays `past`, ordered by start. Requests before `from` fill the period that it falls into: they
/// are spent, never refused and in no count.
#[must_use]
pub fn back_test(
    id: &BudgetId,
    budget: &Budget,
    zone: &TimeZone,
    from: WallTime,
    past: impl IntoIterator<Item = PastRequest>,
) -> BudgetBackTest {
    let mut replay = Replay::default();
    for request in past {
        if replay.book.is_empty() {
            let named = [(id.clone(), budget.clone())];
            replay.book.configure(named, zone.clone(), request.started);
        }
        replay.settle_until(id, request.started);
        replay.begin_period(id, request.started);
        replay.weigh(from, &request);
    }
    replay.settle_until(id, WallTime::from_unix_ms(i64::MAX));
    replay.count_period();
    replay.found
}

#[derive(Default)]
struct Replay {
    book: BudgetBook,
    /// Requests under way, the one that ends first on top.
    under_way: BinaryHeap<Reverse<UnderWay>>,
    window: SpentWindow,
    period: Option<ReplayedPeriod>,
    found: BudgetBackTest,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct UnderWay {
    ended: WallTime,
    reserved: NanoUsd,
    spent: NanoUsd,
}

/// What was spent and when, as long as a rolling window may still have it.
#[derive(Default)]
struct SpentWindow {
    spent: VecDeque<(WallTime, NanoUsd)>,
    sum: NanoUsd,
}

struct ReplayedPeriod {
    from: WallTime,
    /// True if a request of it is counted.
    has_requests: bool,
    /// True if a request was refused, or all was spent.
    is_used_up: bool,
}

impl SpentWindow {
    fn push(&mut self, at: WallTime, amount: NanoUsd) {
        self.spent.push_back((at, amount));
        self.sum += amount;
    }

    fn pop_before(&mut self, from: WallTime) -> Option<(WallTime, NanoUsd)> {
        let is_before = self.spent.front().is_some_and(|(time, _)| *time < from);
        is_before.then(|| self.spent.pop_front()).flatten()
    }

    fn begin_at(&mut self, from: WallTime) {
        while let Some((_, amount)) = self.pop_before(from) {
            self.sum = self.sum - amount;
        }
    }
}

impl Replay {
    /// Ends the requests that had ended at `at`.
    fn settle_until(&mut self, id: &BudgetId, at: WallTime) {
        while self.under_way.peek().is_some_and(|Reverse(first)| first.ended <= at) {
            let Some(Reverse(UnderWay { ended, reserved, spent })) = self.under_way.pop() else {
                return;
            };
            self.begin_period(id, ended);
            self.book.release(std::slice::from_ref(id), reservation(reserved));
            let _told = self.book.spend(&[(id.clone(), spent)], ended);
            self.window.push(ended, spent);
            let is_used_up = self.book.statuses(ended).iter().any(|it| it.spent >= it.budget.limit);
            self.period.iter_mut().for_each(|period| period.is_used_up |= is_used_up);
        }
    }

    /// Begins the period around `at`, or moves the window there.
    fn begin_period(&mut self, id: &BudgetId, at: WallTime) {
        let Some(status) = self.book.statuses(at).first() else { return };
        let (from, seen) = (status.from, status.spent);
        if status.budget.schedule.is_rolling() {
            self.window.begin_at(from);
            let loaded = LoadedSpending { spent: self.window.sum, ..LoadedSpending::default() };
            self.book.correct(id, from, seen, loaded);
        } else if self.period.as_ref().is_none_or(|period| period.from != from) {
            self.count_period();
            self.period = Some(ReplayedPeriod { from, has_requests: false, is_used_up: false });
        }
    }

    fn count_period(&mut self) {
        let Some(period) = self.period.take().filter(|period| period.has_requests) else { return };
        self.found.periods += 1;
        self.found.periods_used_up += u64::from(period.is_used_up);
    }

    fn weigh(&mut self, from: WallTime, request: &PastRequest) {
        let charges = request.calls.iter().map(|call| request.charge(call));
        let covered: Vec<bool> =
            charges.map(|charge| self.book.covering(&charge).next().is_some()).collect();
        let Some(answer) = request.calls.last().filter(|_| covered.contains(&true)) else { return };
        let costs = request.calls.iter().zip(&covered).filter(|(_, is_covered)| **is_covered);
        let spent: NanoUsd = costs.filter_map(|(call, _)| call.cost).sum();
        let estimate = answer.cost.map(|_| spent);
        let is_counted = request.started >= from;
        let charge = request.charge(answer);
        // The book asks whether it refuses anything at all.
        let is_refused =
            is_counted && self.book.exceeded(&charge, estimate, request.started).next().is_some();
        if is_counted {
            self.count(request, estimate, spent, is_refused);
        }
        if !is_refused {
            let charges: Vec<Charge<'_>> =
                request.calls.iter().map(|call| request.charge(call)).collect();
            let reserved = estimate.unwrap_or_default();
            let _budgets = self.book.reserve(&charges, reservation(reserved));
            let ended = request.ended.max(request.started);
            self.under_way.push(Reverse(UnderWay { ended, reserved, spent }));
        }
        if let Some(period) = &mut self.period {
            period.has_requests |= is_counted;
            period.is_used_up |= is_refused;
        }
    }

    fn count(
        &mut self,
        request: &PastRequest,
        estimate: Option<NanoUsd>,
        spent: NanoUsd,
        is_refused: bool,
    ) {
        let found = &mut self.found;
        found.requests += 1;
        if is_refused {
            found.refused += 1;
            found.refused_cost += spent;
            found.first_refused.get_or_insert(request.started);
        } else {
            found.spent += spent;
            found.unpriced_requests += u64::from(estimate.is_none());
        }
    }
}

impl PastRequest {
    fn charge<'a>(&'a self, call: &'a PastCall) -> Charge<'a> {
        Charge {
            client: &self.client,
            project: self.project.as_deref(),
            backend: &call.backend,
            credential: call.credential.as_ref(),
            models: call.models.each_ref().map(String::as_str),
        }
    }
}

/// What a request reserves whose cost is known: nothing more than that.
const fn reservation(amount: NanoUsd) -> Reservation {
    Reservation { amount, at_most: Some(amount) }
}

#[cfg(test)]
mod tests {
    use domain::{BudgetAction, BudgetDimension, BudgetSchedule, DAY_MS};

    use super::*;

    /// 2026-11-20T00:00Z.
    const START_MS: i64 = 1_795_132_800_000;

    fn at(ms: i64) -> WallTime {
        WallTime::from_unix_ms(START_MS + ms)
    }

    /// A request of `client` at `ms` that took a second and cost so many dollars.
    fn request(ms: i64, client: &str, dollars: Option<i64>) -> PastRequest {
        let cost = dollars.map(|dollars| NanoUsd::new(dollars * 1_000_000_000));
        PastRequest {
            client: ClientId::new(client).expect("a name"),
            project: None,
            started: at(ms),
            ended: at(ms + 1_000),
            calls: vec![PastCall {
                backend: BackendId::new("home").expect("a name"),
                credential: None,
                models: ["m", "m", "m"].map(str::to_owned),
                cost,
            }],
        }
    }

    fn daily(dollars: i64) -> Budget {
        let limit = NanoUsd::new(dollars * 1_000_000_000);
        Budget { schedule: BudgetSchedule::Day, ..Budget::new(limit) }
    }

    fn run(budget: &Budget, from: WallTime, past: Vec<PastRequest>) -> BudgetBackTest {
        let id = BudgetId::new("tried").expect("a name");
        back_test(&id, budget, &TimeZone::UTC, from, past)
    }

    #[test]
    fn what_does_not_fit_into_its_day_is_refused_and_spends_nothing() {
        let past = vec![
            request(0, "a", Some(4)),
            request(5_000, "a", Some(7)),
            request(9_000, "a", Some(5)),
            request(DAY_MS, "a", Some(7)),
        ];
        let found = run(&daily(10), at(0), past);
        let expected = BudgetBackTest {
            requests: 4,
            refused: 1,
            refused_cost: NanoUsd::new(7_000_000_000),
            first_refused: Some(at(5_000)),
            spent: NanoUsd::new(16_000_000_000),
            unpriced_requests: 0,
            periods: 2,
            periods_used_up: 1,
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn requests_under_way_hold_what_they_cost() {
        let slow = PastRequest { ended: at(60_000), ..request(0, "a", Some(6)) };
        let found = run(&daily(10), at(0), vec![slow, request(1_000, "a", Some(6))]);
        assert_eq!((found.requests, found.refused), (2, 1));
    }

    #[test]
    fn only_its_scope_counts_and_telling_refuses_nothing() {
        let scope = Some((BudgetDimension::Client, "b".to_owned()));
        let past =
            || (0..5).map(|n| request(n * 5_000, if n % 2 == 0 { "a" } else { "b" }, Some(4)));
        let found = run(&Budget { scope, ..daily(4) }, at(0), past().collect());
        assert_eq!((found.requests, found.refused, found.periods_used_up), (2, 1, 1));
        let tell = Budget { action: BudgetAction::Tell, ..daily(4) };
        let found = run(&tell, at(0), past().collect());
        assert_eq!((found.requests, found.refused, found.periods_used_up), (5, 0, 1));
    }

    #[test]
    fn what_came_before_fills_the_period_and_is_in_no_count() {
        let past = vec![request(0, "a", Some(8)), request(5_000, "a", Some(3))];
        let found = run(&daily(10), at(4_000), past);
        assert_eq!((found.requests, found.refused), (1, 1));
    }

    #[test]
    fn a_rolling_window_gives_back_what_has_left_it() {
        let rolling = Budget { schedule: BudgetSchedule::Rolling { days: 2 }, ..daily(10) };
        let past = |days: i64| vec![request(0, "a", Some(8)), request(days * DAY_MS, "a", Some(8))];
        assert_eq!(run(&rolling, at(0), past(1)).refused, 1);
        assert_eq!(run(&rolling, at(0), past(3)).refused, 0);
        assert_eq!(run(&rolling, at(0), past(3)).periods, 0);
    }

    #[test]
    fn an_unknown_price_passes_until_the_limit_unless_it_is_refused() {
        let past =
            || vec![request(0, "a", None), request(5_000, "a", Some(4)), request(9_000, "a", None)];
        let found = run(&daily(4), at(0), past());
        assert_eq!((found.refused, found.unpriced_requests), (1, 1));
        let strict = Budget { refuse_unpriced: true, ..daily(4) };
        let found = run(&strict, at(0), past());
        assert_eq!((found.refused, found.unpriced_requests), (2, 0));
        assert_eq!(run(&daily(4), at(0), Vec::new()), BudgetBackTest::default());
    }
}
