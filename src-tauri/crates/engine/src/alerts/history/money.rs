//! What budgets were on the way to, hour by hour, and what was billed, day by day.

use std::collections::BTreeMap;

use alerts::BudgetFact;
use budgets::BudgetStatus;
use domain::{
    Budget, BudgetAllowance, BudgetDimension, BudgetId, DAY_MS, HOUR_MS, NanoUsd, ShownCurrency,
    WallTime,
};
use jiff::tz::TimeZone;
use ledger::{DimensionFilter, GroupBy, LedgerError};
use settings::Settings;

use super::spans::Spans;
use super::{AlertHistory, PastFacts};
use crate::alerts::facts::budget_facts;
use crate::alerts::measurements::{BILL_DAYS, bill_measurements, shown_currency};
use crate::costs::reports::day_start;

impl AlertHistory {
    /// The marks of budgets by what they had spent at the end of each hour, for an hour each. Rolling
    /// budgets have no forecast, and what those of a model count is not kept by the hour.
    pub(super) async fn budget_paces(
        &self,
        settings: &Settings,
        from: WallTime,
        until: WallTime,
    ) -> Result<Spans<BudgetFact>, LedgerError> {
        let (zone, mut past) = (TimeZone::system(), Vec::new());
        let is_known = |budget: &Budget| {
            let is_of_model = matches!(budget.scope, Some((BudgetDimension::Model, _)));
            budget.forecast && !budget.schedule.is_rolling() && !is_of_model
        };
        for (id, budget) in settings.budgets.iter().filter(|(_, budget)| is_known(budget)) {
            let Some((begun, _)) = budget.schedule.around(from, &zone) else { continue };
            let hours = self.ledger.usage_by_hour(begun, until, filter_of(budget)).await?;
            let spent = hours.into_iter().map(|(hour, totals)| (hour, totals.cost)).collect();
            let allowances = self.ledger.budget_allowances(id.clone(), begun).await?;
            past.push(PastBudget { id: id.clone(), budget: budget.clone(), spent, allowances });
        }
        let shown = shown_currency(settings);
        // Months of hours are no work for a thread that serves others.
        let compute = move || {
            let mut marks = Spans::new();
            past.iter().for_each(|own| own.add_marks(&mut marks, (from, until), &zone, shown));
            marks
        };
        // Only a program that stops does not wait for it.
        tokio::task::spawn_blocking(compute).await.map_err(|_| LedgerError::Closed)
    }

    /// The bills as they are known today, each from the end of its UTC day on. False without any.
    pub(super) async fn read_bills(
        &self,
        facts: &mut PastFacts,
        until: WallTime,
    ) -> Result<bool, LedgerError> {
        let from = facts.known_from;
        let asked = (until.unix_ms() - from.unix_ms()).div_euclid(DAY_MS) + 1;
        let rows = self.cost_reports.drift(asked + BILL_DAYS).await?;
        let billed = rows.iter().filter(|row| row.report.is_some()).map(|row| row.day).min();
        let first = billed.and_then(|day| day.tomorrow().ok());
        let first = first.and_then(day_start);
        if !facts.know_from(first) {
            return Ok(false);
        }
        let shown = shown_currency(&facts.settings);
        let mut known = BTreeMap::new();
        let mut today = self.cost_reports.today();
        while let Some(midnight) = day_start(today) {
            known.insert(midnight, bill_measurements(&rows, today, shown));
            match today.yesterday() {
                Ok(day) if midnight > from => today = day,
                _ => break,
            }
        }
        facts.take_hours(known);
        Ok(true)
    }
}

/// A budget and what is known of its past.
struct PastBudget {
    id: BudgetId,
    budget: Budget,
    /// By the start of the hour.
    spent: BTreeMap<WallTime, NanoUsd>,
    allowances: Vec<BudgetAllowance>,
}

impl PastBudget {
    fn add_marks(
        &self,
        marks: &mut Spans<BudgetFact>,
        (from, until): (WallTime, WallTime),
        zone: &TimeZone,
        shown: ShownCurrency,
    ) {
        let mut hour = from.hour_start().minus_ms(HOUR_MS);
        while hour < until {
            let end = hour.plus_ms(HOUR_MS);
            let own = self.allowances.iter().filter(|it| it.at <= end).copied().collect();
            let spent_since = |since: WallTime| self.spent.range(since..end).map(|it| *it.1).sum();
            let status = BudgetStatus::past((&self.id, &self.budget), zone, end, spent_since, own);
            let facts = status.iter().flat_map(|status| budget_facts(status, end, zone, shown));
            marks.extend(facts.map(|fact| (end..end.plus_ms(HOUR_MS), fact)));
            hour = end;
        }
    }
}

/// What counts to the budget.
fn filter_of(budget: &Budget) -> DimensionFilter {
    let scope = budget.scope.iter();
    // The words of both are the names of the columns.
    let named = scope.filter_map(|(dimension, name)| {
        Some((dimension.word().parse::<GroupBy>().ok()?, name.clone()))
    });
    named.collect()
}
