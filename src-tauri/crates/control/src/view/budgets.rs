//! Request and view types for budgets.

use domain::{BudgetAction, BudgetDimension, BudgetMarkKind, BudgetPeriod, Weekday};
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Count, NanoDollars, UnixMs};

domain::words! {
    /// How a budget stands.
    BudgetState {
        /// It lasts until its period ends
        OnPace = "on_pace",
        /// At the pace so far it is used up before its period ends
        AheadOfPace = "ahead_of_pace",
        /// It reached its last mark below the limit
        NearlyUsedUp = "nearly_used_up",
        /// It is used up, and requests are still answered
        UsedUp = "used_up",
        /// Requests are refused
        Refusing = "refusing",
        /// Requests are sent to another route
        Switched = "switched",
    }
}

/// A spending limit and what became of it in its present period.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BudgetView {
    pub id: String,
    pub state: BudgetState,
    /// As in the settings, without what is allowed more.
    pub limit_nano_usd: NanoDollars,
    /// Allowed more at this moment: the sum of `allowances`.
    pub allowed_nano_usd: NanoDollars,
    pub period: BudgetPeriod,
    /// Days that a rolling budget looks back; None for the others.
    pub days: Option<u16>,
    /// Day on which a month begins; None for the others.
    pub reset_day: Option<u8>,
    /// Day on which a week begins; None for the others.
    pub reset_weekday: Option<Weekday>,
    /// Whose spending counts; None for all of it.
    pub scope: Option<BudgetScopeView>,
    pub action: BudgetAction,
    /// The route that the action switch sends requests to.
    pub switch_to: Option<String>,
    /// Percentages at which the user is told, ascending.
    pub marks: Vec<u16>,
    /// True if the user is told when it will be used up before its period ends.
    pub forecast: bool,
    /// True if it refuses requests whose price is not known.
    pub refuse_unpriced: bool,
    pub spent_nano_usd: NanoDollars,
    /// For requests under way, with answers as long as their models usually give.
    pub reserved_nano_usd: NanoDollars,
    /// What these may cost more, if their answers are as long as they may be.
    pub slack_nano_usd: NanoDollars,
    /// Those under way whose price or largest cost is not known, so that `slack_nano_usd` has nothing
    /// of them.
    pub unbounded_requests: Count,
    /// What was reserved for requests that a kill of the program cut off. What they cost is not
    /// known; it counts against the limit.
    pub interrupted_nano_usd: NanoDollars,
    pub interrupted_requests: Count,
    /// Start of the period.
    pub from: UnixMs,
    /// End of the period; then it begins anew. A rolling window moves on at this time.
    pub until: UnixMs,
    /// Spent, interrupted and reserved of the limit and what is allowed more, at most 999.
    pub used_percent: u32,
    /// Part of the period that is over; 100 for a rolling one.
    pub elapsed_percent: u32,
    /// When it is used up at the pace so far. None if it lasts, is used up, or it is too early to say.
    pub used_up_at: Option<UnixMs>,
    /// Since when requests are refused or switched to another route; None if they are not.
    pub refused_since: Option<UnixMs>,
    /// Requests of this period whose cost is unknown, so that it counts for nothing.
    pub unpriced_requests: Count,
    /// What is allowed more at this moment, oldest first.
    pub allowances: Vec<BudgetAllowanceView>,
    /// Marks that it reached, newest first; the newest 50.
    pub crossings: Vec<BudgetCrossingView>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct BudgetScopeView {
    pub dimension: BudgetDimension,
    /// The name of the backend, key, client or project, or the model as the backend names it.
    pub name: String,
}

/// More than the limit, allowed for a time.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BudgetAllowanceView {
    pub nano_usd: NanoDollars,
    pub at: UnixMs,
    pub until: UnixMs,
}

/// A mark that a budget reached.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BudgetCrossingView {
    pub kind: BudgetMarkKind,
    /// For the kind spent.
    pub percent: Option<u16>,
    /// Start of the period in which it was reached.
    pub period_from: UnixMs,
    pub at: UnixMs,
    pub spent_nano_usd: NanoDollars,
    /// With what was allowed more at that time.
    pub limit_nano_usd: NanoDollars,
}

/// A mark that was just reached, in words.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BudgetNoticeView {
    pub budget: String,
    pub title: String,
    pub message: String,
    pub crossing: BudgetCrossingView,
    /// True if requests are refused until the user allows more.
    pub asks: bool,
}

/// Adds or changes a budget. What is left out has its default.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BudgetSet {
    pub id: String,
    /// Decimal dollars: `20`, `2.50`.
    pub limit_usd: String,
    pub period: BudgetPeriod,
    /// Needed for a rolling one: 1 to 366.
    pub days: Option<u16>,
    /// For a month: 1 to 31; shorter months begin with their last day.
    pub reset_day: Option<u8>,
    /// For a week.
    pub reset_weekday: Option<Weekday>,
    pub scope: Option<BudgetScopeView>,
    pub action: Option<BudgetAction>,
    /// Needed for the action switch.
    pub switch_to: Option<String>,
    /// Percentages from 1 to 200, at most 8.
    pub marks: Option<Vec<u16>>,
    pub forecast: Option<bool>,
    pub refuse_unpriced: Option<bool>,
}

/// Most days back that a budget is tried on.
pub const BUDGET_BACKTEST_DAYS_MAX: u32 = 366;

/// Tries a budget, which need not exist, on the requests of the last days.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BudgetBacktest {
    pub budget: BudgetSet,
    /// 1 to 366.
    pub last_days: u32,
}

/// What a budget would have done to the requests that it counts.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BudgetBacktestView {
    /// "In the last 30 days it would have refused 3 of 412 requests; these cost $1.20. …"
    pub sentence: String,
    /// What the past cannot tell, in sentences.
    pub caveat: String,
    /// From when on requests are counted.
    pub from: UnixMs,
    pub requests: Count,
    /// Requests that it would have refused, or sent to another route.
    pub refused: Count,
    /// What these cost in fact, as far as it is known.
    pub refused_nano_usd: NanoDollars,
    pub first_refused: Option<UnixMs>,
    /// What would have been spent.
    pub spent_nano_usd: NanoDollars,
    /// Requests that would have passed without a known price.
    pub unpriced_requests: Count,
    /// Periods with requests; 0 for a rolling window.
    pub periods: Count,
    /// Of these, those in which it would have been used up or have refused requests.
    pub periods_used_up: Count,
}

/// Allows more than a budget's limit, in addition to what is allowed already.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BudgetAllow {
    pub id: String,
    /// Decimal dollars; `0` takes back everything that is allowed more.
    pub usd: String,
    /// None: until the period ends, or for the length of a rolling one.
    pub until: Option<UnixMs>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BudgetRef {
    pub id: String,
}
