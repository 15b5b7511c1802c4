//! What the user is told when a budget reaches a mark, in words.

use budgets::BudgetStatus;
use domain::{BudgetAction, BudgetCrossing, BudgetMark, BudgetSchedule, ShownCurrency, capitalize};
use jiff::tz::TimeZone;

use crate::shown_time::format_time;

/// A mark that was just reached, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetNotice {
    pub crossing: BudgetCrossing,
    pub title: String,
    /// A sentence or two: what is spent, and what follows.
    pub message: String,
    /// True if requests wait for the user to allow more.
    pub asks: bool,
}

impl BudgetNotice {
    pub(crate) fn of(
        status: &BudgetStatus,
        crossing: BudgetCrossing,
        zone: &TimeZone,
        shown: ShownCurrency,
    ) -> Self {
        let (id, action) = (&status.id, status.budget.action);
        let spent = format!(
            "{} of {} is spent",
            shown.format(crossing.spent),
            shown.format(crossing.limit)
        );
        let asks = action == BudgetAction::Ask && crossing.mark == BudgetMark::Refused;
        let (title, message) = match crossing.mark {
            BudgetMark::Spent(percent) => {
                let title = format!("Budget {id}: {percent} % used");
                (title, format!("{spent} {}.", period(status, zone)))
            }
            BudgetMark::Forecast => {
                let used_up = status.used_up_at(crossing.at).unwrap_or(crossing.at);
                let title = format!("Budget {id} will be used up early");
                let used_up = format_time(used_up, zone);
                (title, format!("At this pace by {used_up}: {spent} {}.", period(status, zone)))
            }
            BudgetMark::Refused if asks => {
                let title = format!("Allow more for the budget {id}?");
                (title, format!("Requests are refused until you do. {}.", capitalize(&spent)))
            }
            BudgetMark::Refused => {
                let title = format!("Budget {id} is used up");
                (title, format!("{}. {}.", consequence(status), capitalize(&spent)))
            }
        };
        Self { crossing, title, message, asks }
    }
}

fn consequence(status: &BudgetStatus) -> String {
    match &status.budget.switch_to {
        Some(route) => format!("Requests go to the route {route}"),
        None => format!(
            "Requests are refused. Allow more: gatehouse budgets allow {} --usd 5",
            status.id
        ),
    }
}

fn period(status: &BudgetStatus, zone: &TimeZone) -> String {
    match status.budget.schedule {
        BudgetSchedule::Rolling { days } => format!("in the last {days} days"),
        other => {
            format!("this {}, which ends {}", other.period(), format_time(status.until, zone))
        }
    }
}
