//! What a client reads when a budget does not cover its request.

use budgets::BudgetStatus;
use domain::{BudgetAction, BudgetSchedule, NanoUsd, ShownCurrency, WallTime};
use resilience::FailureClass;
use wire::ErrorKind;

use crate::handle::failure::Failure;
use crate::handle::response::{Refusal, RetryAdvice};

impl Failure {
    /// A budget does not cover the request; `None` if what it may cost is not known.
    pub(super) fn over_budget(
        status: &BudgetStatus,
        estimate: Option<NanoUsd>,
        now: WallTime,
        currency: ShownCurrency,
    ) -> Self {
        let estimate =
            estimate.map(|estimate| format!(", which may cost {}", amount(estimate, currency)));
        let message = format!(
            "The budget {} of {} {} does not cover the request{}: {} is spent or reserved{}. {} \
             `gatehouse budgets allow {} --usd AMOUNT`, or raise the limit with `gatehouse budgets \
             set {} --limit AMOUNT`.",
            status.id,
            amount(status.limit(now), currency),
            period(status),
            estimate.unwrap_or_default(),
            amount(status.taken(), currency),
            end(status),
            way_out(status),
            status.id,
            status.id,
        );
        let refusal = Refusal::new(402, ErrorKind::Billing, "budget_exceeded", message)
            .retry(RetryAdvice::Never);
        Self { class: FailureClass::BadRequest, ..Self::not_sent(refusal) }
    }
}

impl Failure {
    /// A budget refuses a model whose price is not known.
    pub(super) fn unpriced(status: &BudgetStatus, model: &str) -> Self {
        let message = format!(
            "The budget {} refuses requests whose price is not known, and {model} has none. Set one \
             with `gatehouse prices set`, or allow such requests with `gatehouse budgets set {} \
             --refuse-unpriced false`.",
            status.id, status.id,
        );
        let refusal = Refusal::new(402, ErrorKind::Billing, "budget_exceeded", message)
            .retry(RetryAdvice::Never);
        Self { class: FailureClass::BadRequest, ..Self::not_sent(refusal) }
    }
}

/// Exact US dollars, behind what they are in another currency: `€17.01 ($20)`.
fn amount(amount: NanoUsd, currency: ShownCurrency) -> String {
    if currency == ShownCurrency::USD {
        return format!("${amount}");
    }
    format!("{} (${amount})", currency.format(amount))
}

fn period(status: &BudgetStatus) -> String {
    match status.budget.schedule {
        BudgetSchedule::Rolling { days } => format!("for the last {days} days"),
        other => format!("for this {}", other.period()),
    }
}

fn end(status: &BudgetStatus) -> String {
    match status.budget.schedule.is_rolling() {
        true => String::new(),
        false => format!(", until {}", status.until.to_rfc3339()),
    }
}

fn way_out(status: &BudgetStatus) -> String {
    match (status.budget.action, &status.budget.switch_to) {
        (BudgetAction::Ask, _) => {
            "Gatehouse asks you: allow more with one click in its window, or with".to_owned()
        }
        (_, Some(route)) => {
            format!("The route {route} cannot serve it within the budget either. Allow more with")
        }
        _ => "Allow more with".to_owned(),
    }
}
