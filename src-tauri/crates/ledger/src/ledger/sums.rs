//! Questions about many requests at once, answered after the writes that are queued when they are
//! asked.

use domain::{BackendId, BudgetDimension, WallTime};
use jiff::civil::Date;

use super::Ledger;
use crate::costs::{billed, project_meters, stated_costs, statement_rows};
use crate::requests::outcome_counts::OUTCOME_MINUTE_REQUESTS_MAX;
use crate::requests::{
    attempt_costs, attempt_outcomes, cache_bypasses, failed_attempts, failed_requests, first_uses,
    outcome_counts, past_calls, recent_minutes, request_costs, route_counts, unpriced_models,
};
use crate::rollup::{cross_rollup, latency_rollup, meter_rollup};
use crate::{
    AttemptOutcome, BilledDay, BilledName, BypassCount, CrossQuery, CrossSummary, DimensionFilter,
    FailedAttempts, FailedCosts, GroupBy, LatencyGroupBy, LatencySummary, LedgerError, MeterTotals,
    ModelLatency, OutcomeCount, OutcomeMinutes, OutcomePrecision, PastCallRow, Purpose,
    RecentFirstToken, RecentMinute, RequestCosts, RetriedRequests, RouteCount, Spend, StatedCosts,
    StatementRow, UnpricedModel, UsageKey, UsageQuery, UsageSummary, UsageTotals, rollup,
};

impl Ledger {
    /// Usage over time, from the roll-ups.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn usage(&self, query: UsageQuery) -> Result<UsageSummary, LedgerError> {
        self.read_current(move |connection| rollup::usage(connection, &query)).await
    }

    /// Usage by two dimensions, from the roll-ups.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn usage_cross(&self, query: CrossQuery) -> Result<CrossSummary, LedgerError> {
        self.read_current(move |connection| cross_rollup::cross(connection, &query)).await
    }

    /// How the user's own requests and attempts between two times ended, by route and by backend.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn outcome_counts(
        &self,
        range: (WallTime, WallTime),
        precision: OutcomePrecision,
    ) -> Result<Vec<OutcomeCount>, LedgerError> {
        self.read_current(move |connection| {
            outcome_counts::count_between(connection, range, precision)
        })
        .await
    }

    /// How the user's own requests and attempts since `from` ended, by minute, route and backend.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn outcome_minutes(&self, from: WallTime) -> Result<OutcomeMinutes, LedgerError> {
        self.read_current(move |connection| {
            outcome_counts::minutes_since(connection, from, OUTCOME_MINUTE_REQUESTS_MAX)
        })
        .await
    }

    /// Models without a price in the user's own traffic of `from..to`, most requests first; at most
    /// `UNPRICED_MODELS_MAX`. `from` is rounded down and `to` up to a quarter hour.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn unpriced_models(
        &self,
        from: WallTime,
        to: WallTime,
        filter: DimensionFilter,
    ) -> Result<Vec<UnpricedModel>, LedgerError> {
        self.read_current(move |connection| unpriced_models::list(connection, (from, to), &filter))
            .await
    }

    /// Usage of every pair of names in two dimensions, from the roll-ups, in no order.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn usage_pairs(
        &self,
        query: CrossQuery,
    ) -> Result<Vec<((UsageKey, UsageKey), UsageTotals)>, LedgerError> {
        let cells =
            self.read_current(move |connection| cross_rollup::cells(connection, &query)).await?;
        Ok(cells.into_iter().collect())
    }

    /// The user's own traffic in `from..to` by hour of UTC, hours without requests left out.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn usage_by_hour(
        &self,
        from: WallTime,
        to: WallTime,
        filter: DimensionFilter,
    ) -> Result<Vec<(WallTime, UsageTotals)>, LedgerError> {
        self.read_current(move |connection| cross_rollup::by_hour(connection, (from, to), &filter))
            .await
    }

    /// The hour of UTC of the first request of the user's own traffic.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn first_hour(&self) -> Result<Option<WallTime>, LedgerError> {
        self.read_current(first_uses::first_hour).await
    }

    /// Names of the user's own traffic that were not in use before `since`, with the hour of UTC of
    /// their first request, the oldest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn first_uses(
        &self,
        group_by: GroupBy,
        since: WallTime,
    ) -> Result<Vec<(String, WallTime)>, LedgerError> {
        self.read_current(move |connection| first_uses::list_since(connection, group_by, since))
            .await
    }

    /// Latencies of the user's own traffic in the steps of `query`, whose dimension and filter do
    /// not matter: of all requests or those of one `name`, and by group.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn latencies(
        &self,
        query: UsageQuery,
        group_by: LatencyGroupBy,
        name: Option<String>,
    ) -> Result<LatencySummary, LedgerError> {
        self.read_current(move |connection| {
            latency_rollup::summarise(connection, &query, group_by, name.as_deref())
        })
        .await
    }

    /// How many requests of the user's own traffic in `from..to` cost how much, and the most
    /// expensive ones. `from` is rounded down and `to` up to a quarter hour.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn request_costs(
        &self,
        from: WallTime,
        to: WallTime,
        filter: DimensionFilter,
    ) -> Result<RequestCosts, LedgerError> {
        self.read_current(move |connection| {
            request_costs::summarise(connection, (from, to), &filter)
        })
        .await
    }

    /// Cost of the user's own traffic in `from..to`. `from` is rounded down and `to` up to a
    /// quarter hour.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn spend(&self, from: WallTime, to: WallTime) -> Result<Spend, LedgerError> {
        self.spend_in(None, from, to).await
    }

    /// [`Self::spend`] of one backend, client, …; `None` for all.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn spend_in(
        &self,
        scope: Option<(BudgetDimension, String)>,
        from: WallTime,
        to: WallTime,
    ) -> Result<Spend, LedgerError> {
        self.read_current(move |connection| rollup::spend(connection, scope.as_ref(), from, to))
            .await
    }

    /// Models that were lately billed by another name than they were asked by.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn billed_names(&self) -> Result<Vec<BilledName>, LedgerError> {
        self.read_current(attempt_costs::billed_names).await
    }

    /// Failed attempts of the user's own traffic in `from..to`, grouped by endpoint and class; at
    /// most `FAILURE_GROUPS_MAX` groups, highest cost first. `from` is rounded down and
    /// `to` up to a quarter hour.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn failed_attempts(
        &self,
        from: WallTime,
        to: WallTime,
    ) -> Result<Vec<FailedAttempts>, LedgerError> {
        self.read_current(move |connection| {
            failed_attempts::sum_between(connection, from, to, Purpose::User)
        })
        .await
    }

    /// What the failed requests of the user's own traffic in `from..to` cost. `from` is rounded down
    /// and `to` up to a quarter hour.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn failed_costs(
        &self,
        from: WallTime,
        to: WallTime,
        filter: DimensionFilter,
    ) -> Result<FailedCosts, LedgerError> {
        self.read_current(move |connection| {
            failed_requests::sum_between(connection, (from, to), &filter)
        })
        .await
    }

    /// The user's own requests in `from..to` with failed attempts that did not fail themselves. The
    /// range is rounded outwards to quarter hours.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn retried_requests(
        &self,
        from: WallTime,
        to: WallTime,
        filter: DimensionFilter,
    ) -> Result<RetriedRequests, LedgerError> {
        self.read_current(move |connection| {
            failed_requests::count_retried(connection, (from, to), &filter)
        })
        .await
    }

    /// What backends stated for the user's own traffic in `from..to` beside what is computed for it;
    /// at most `STATED_GROUPS_MAX` groups. Both are rounded to whole UTC days.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn stated_costs(
        &self,
        from: WallTime,
        to: WallTime,
    ) -> Result<Vec<StatedCosts>, LedgerError> {
        self.read_current(move |connection| {
            stated_costs::sum_between(connection, from, to, Purpose::User)
        })
        .await
    }

    /// What the user's own traffic in `from..to` counted and cost on each meter, failed attempts
    /// included. `from` is rounded down and `to` up to a quarter hour.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn meter_totals(
        &self,
        from: WallTime,
        to: WallTime,
    ) -> Result<Vec<MeterTotals>, LedgerError> {
        self.read_current(move |connection| {
            meter_rollup::sum_between(connection, from, to, Purpose::User)
        })
        .await
    }

    /// [`Self::meter_totals`] of one project; `""` selects the requests without one. `None` if it has
    /// more than `PROJECT_METER_REQUESTS_MAX` requests, or if some of them were deleted.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn project_meter_totals(
        &self,
        from: WallTime,
        to: WallTime,
        project: String,
    ) -> Result<Option<Vec<MeterTotals>>, LedgerError> {
        self.read_current(move |connection| {
            project_meters::sum_between(connection, from, to, &project)
        })
        .await
    }

    /// Sums of the user's own traffic in `from..to` by quarter hour, backend and model, of one
    /// project or of all; `Some("")` selects the requests without a project. `from` is rounded down
    /// and `to` up to a quarter hour.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn statement_rows(
        &self,
        from: WallTime,
        to: WallTime,
        project: Option<String>,
    ) -> Result<Vec<StatementRow>, LedgerError> {
        self.read_current(move |connection| {
            statement_rows::list(connection, from, to, project.as_deref())
        })
        .await
    }

    /// Reasons why requests of the user's own traffic bypassed the cache in `from..to`, most
    /// frequent first; at most `BYPASS_REASONS_MAX`. `from` is rounded down and `to` up to
    /// a quarter hour.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn cache_bypasses(
        &self,
        from: WallTime,
        to: WallTime,
    ) -> Result<Vec<BypassCount>, LedgerError> {
        self.read_current(move |connection| {
            cache_bypasses::count_between(connection, from, to, Purpose::User)
        })
        .await
    }

    /// Attempts of requests between two times, ordered by their end; of one backend or of all, the
    /// newest `OUTCOMES_MAX`. Scans request rows, so it is too slow for frequent use.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn attempt_outcomes(
        &self,
        range: (WallTime, WallTime),
        backend: Option<BackendId>,
    ) -> Result<Vec<AttemptOutcome>, LedgerError> {
        self.read_current(move |connection| {
            attempt_outcomes::list_between(connection, range, backend.as_ref())
        })
        .await
    }

    /// Calls of the user's own requests since `from`, oldest first; at most the newest
    /// [`crate::PAST_CALLS_MAX`].
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn past_calls(&self, from: WallTime) -> Result<Vec<PastCallRow>, LedgerError> {
        self.read_current(move |connection| past_calls::list_since(connection, from)).await
    }

    /// Counts the user's own requests since `from` by route, backend and model, largest groups
    /// first; covers the newest `ROUTE_COUNT_REQUESTS_MAX` requests.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn route_counts(&self, from: WallTime) -> Result<Vec<RouteCount>, LedgerError> {
        self.read_current(move |connection| route_counts::count_since(connection, from)).await
    }

    /// The user's own failed requests since `from`, by route and class; covers the newest
    /// `FAILED_REQUESTS_MAX` requests of each kind.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn failed_requests(&self, from: WallTime) -> Result<Vec<OutcomeCount>, LedgerError> {
        self.read_current(move |connection| outcome_counts::failed_since(connection, from)).await
    }

    /// The user's own requests since `from` by the minute in which they began, oldest first; covers
    /// the newest `RECENT_MINUTE_REQUESTS_MAX` requests.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn recent_minutes(&self, from: WallTime) -> Result<Vec<RecentMinute>, LedgerError> {
        self.read_current(move |connection| recent_minutes::list_since(connection, from)).await
    }

    /// Recent speed of each backend's models, from the newest `RECENT_REQUESTS_MAX`
    /// requests between two times. Takes some milliseconds, so do not call it per request. Does not wait
    /// for queued writes.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn model_latencies(
        &self,
        range: (WallTime, WallTime),
    ) -> Result<Vec<ModelLatency>, LedgerError> {
        self.read(move |connection| attempt_outcomes::model_latencies(connection, range)).await
    }

    /// First tokens of the newest `RECENT_REQUESTS_MAX` requests between two times.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn recent_first_tokens(
        &self,
        range: (WallTime, WallTime),
    ) -> Result<Vec<RecentFirstToken>, LedgerError> {
        self.read_current(move |connection| attempt_outcomes::first_tokens(connection, range)).await
    }

    /// What providers reported of the days from `from` on, by day and provider.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn billed(&self, from: Date) -> Result<Vec<BilledDay>, LedgerError> {
        self.read(move |connection| billed::list(connection, from)).await
    }
}
