//! The most expensive requests of a period, and how many cost how much.

use domain::{NanoUsd, ShownCurrency, count_noun};
use engine::Engine;
use ledger::{CostStep, RequestCosts, RequestRow};

use crate::ApiError;
use crate::operation::currency::shown_currency;
use crate::operation::requests::request_view;
use crate::operation::usage::cost_share_percent;
use crate::operation::usage::period::{Period, ledger_filter};
use crate::view::{CostStepView, UsageExpensiveView, UsagePeriodQuery};

pub(crate) async fn usage_expensive(
    engine: &Engine,
    req: UsagePeriodQuery,
) -> Result<UsageExpensiveView, ApiError> {
    let period = Period::resolve(&req, engine.clock().wall())?;
    let filter = ledger_filter(&req.filter);
    let costs = engine.ledger().request_costs(period.from, period.to, filter).await?;
    let currency = shown_currency(engine);
    Ok(UsageExpensiveView {
        from: period.from.into(),
        to: period.to.into(),
        finding: finding(&costs, currency),
        cost_nano_usd: costs.cost.into(),
        priced_requests: costs.requests.into(),
        histogram: costs.steps.iter().map(|step| step_view(step, currency)).collect(),
        requests: costs.expensive.into_iter().map(request_view).collect(),
    })
}

/// What part of the cost the listed requests are.
fn finding(costs: &RequestCosts, currency: ShownCurrency) -> String {
    let amount = |row: &RequestRow| row.cost.amount().unwrap_or_default();
    let listed: NanoUsd = costs.expensive.iter().map(amount).sum();
    let count = u64::try_from(costs.expensive.len()).unwrap_or(u64::MAX);
    let all = currency.format(costs.cost);
    match cost_share_percent(listed, costs.cost) {
        _ if costs.requests == 0 => "No request with a cost in this period".to_owned(),
        Some(percent) if count > 0 && count < costs.requests => {
            let requests = domain::group_digits(costs.requests);
            format!("The {count} most expensive of {requests} requests: {percent} % of {all}")
        }
        _ => format!("{} with a cost, {all} together", count_noun(costs.requests, "request")),
    }
}

fn step_view(step: &CostStep, currency: ShownCurrency) -> CostStepView {
    let label = match step.from {
        NanoUsd::ZERO => format!("below {}", currency.format(step.to)),
        from => format!("{} to {}", currency.format(from), currency.format(step.to)),
    };
    CostStepView {
        from_nano_usd: step.from.into(),
        to_nano_usd: step.to.into(),
        label,
        requests: step.requests.into(),
        cost_nano_usd: step.cost.into(),
    }
}
