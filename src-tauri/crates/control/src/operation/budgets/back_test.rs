//! Says what a budget would have done to the requests of the last days.

use domain::{BudgetAction, BudgetId, BudgetPeriod, count_noun};
use engine::{BudgetTrial, Engine};

use super::parse_budget;
use crate::ApiError;
use crate::operation::currency::shown_currency;
use crate::view::{BUDGET_BACKTEST_DAYS_MAX, BudgetBacktest, BudgetBacktestView};

pub(crate) async fn budget_backtest(
    engine: &Engine,
    req: BudgetBacktest,
) -> Result<BudgetBacktestView, ApiError> {
    if !(1..=BUDGET_BACKTEST_DAYS_MAX).contains(&req.last_days) {
        let message = format!("choose 1 to {BUDGET_BACKTEST_DAYS_MAX} days");
        return Err(ApiError::invalid("last_days", message));
    }
    let budget = parse_budget(&req.budget, &engine.settings())?;
    // A budget that is being made may have no name yet.
    let id = BudgetId::new(req.budget.id.trim()).or_else(|_| BudgetId::new("tried"));
    let id = id.map_err(|error| ApiError::invalid("id", error.to_string()))?;
    let trial = engine.budgets().back_test(&id, &budget, req.last_days).await?;
    let currency = shown_currency(engine);
    let money = |amount| currency.format(amount);
    let found = &trial.found;
    let past = match req.last_days {
        1 => "In the last day".to_owned(),
        days => format!("In the last {days} days"),
    };
    let requests = count_noun(found.requests, "request");
    let sentence = match (found.requests, budget.action) {
        (0, _) => format!("{past} there was no request that it counts."),
        (_, BudgetAction::Tell) => {
            format!("{past} {requests} cost {}; it refuses none.", money(found.spent))
        }
        _ if found.refused == 0 => {
            format!("{past} it would have let pass all {requests}, {}.", money(found.spent))
        }
        (_, action) => {
            let what = match action {
                BudgetAction::Switch => "sent to another route",
                _ => "refused",
            };
            format!(
                "{past} it would have {what} {} of {requests}; these cost {}.",
                found.refused,
                money(found.refused_cost)
            )
        }
    };
    let periods = periods_sentence(budget.schedule.period(), found.periods_used_up, found.periods);
    Ok(BudgetBacktestView {
        sentence: [Some(sentence), periods].into_iter().flatten().collect::<Vec<_>>().join(" "),
        caveat: caveat(&trial, budget.action),
        from: trial.from.into(),
        requests: found.requests.into(),
        refused: found.refused.into(),
        refused_nano_usd: found.refused_cost.into(),
        first_refused: found.first_refused.map(Into::into),
        spent_nano_usd: found.spent.into(),
        unpriced_requests: found.unpriced_requests.into(),
        periods: found.periods.into(),
        periods_used_up: found.periods_used_up.into(),
    })
}

/// "It would have been used up on 2 of 31 days with requests."
fn periods_sentence(period: BudgetPeriod, used_up: u64, periods: u64) -> Option<String> {
    (periods > 0).then(|| {
        let periods = count_noun(periods, period.word());
        match used_up {
            0 => format!("It would have lasted in all of {periods} with requests."),
            _ => format!("It would have been used up in {used_up} of {periods} with requests."),
        }
    })
}

/// What the past cannot tell.
fn caveat(trial: &BudgetTrial, action: BudgetAction) -> String {
    let mut caveat = "Each request counts with what it cost. What is reserved before that is not \
        known of past requests; it is mostly more, so a limit may be felt a little earlier."
        .to_owned();
    if action == BudgetAction::Switch {
        caveat.push_str(" What the other route would have cost is not known either.");
    }
    if trial.found.unpriced_requests > 0 {
        let requests = count_noun(trial.found.unpriced_requests, "request");
        caveat.push_str(&format!(" {requests} with an unknown price passed and are not counted."));
    }
    if trial.is_cut {
        caveat.push_str(&format!(
            " Only the newest {} calls were looked at.",
            ledger::PAST_CALLS_MAX
        ));
    }
    caveat
}
