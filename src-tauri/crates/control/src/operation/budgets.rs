//! Operations on budgets.

mod back_test;

use budgets::BudgetStatus;
use domain::{
    BUDGET_MARKS_DEFAULT, Budget, BudgetAction, BudgetAllowance, BudgetCrossing, BudgetDimension,
    BudgetId, BudgetMark, BudgetPeriod, BudgetSchedule, ClientId, NanoUsd, RouteId, WallTime,
    Weekday,
};
use engine::{BudgetNotice, Engine};
use settings::{
    BUDGET_DAYS_RANGE, BUDGET_LIMIT_MAX, BUDGET_MARK_PERCENT_RANGE, BUDGET_MARKS_MAX,
    BUDGET_RESET_DAY_RANGE, Settings,
};

pub(crate) use self::back_test::budget_backtest;
use crate::operation::input;
use crate::operation::verdict::{Issue, Readiness};
use crate::view::{
    BudgetAllow, BudgetAllowanceView, BudgetCrossingView, BudgetNoticeView, BudgetRef,
    BudgetScopeView, BudgetSet, BudgetState, BudgetView, PanelActionView, StatusIssueView,
    VerdictLevel,
};
use crate::{ApiError, unknown_name_error};

pub(crate) async fn budgets(engine: &Engine) -> Result<Vec<BudgetView>, ApiError> {
    engine.budgets().load().await?;
    let now = engine.clock().wall();
    let mut views = Vec::new();
    for status in engine.budgets().statuses() {
        let crossings = engine.budgets().crossings(&status.id).await?;
        views.push(budget_view(&status, &crossings, now));
    }
    Ok(views)
}

pub(crate) async fn budget_set(engine: &Engine, req: BudgetSet) -> Result<BudgetView, ApiError> {
    let id: BudgetId = input::parse_id("id", &req.id)?;
    let budget = parse_budget(&req, &engine.settings())?;
    let name = id.clone();
    let edit = engine.settings_editor().edit(move |draft| {
        draft.budgets.insert(name, budget);
    });
    edit.await?;
    find_view(engine, &id).await
}

pub(crate) async fn budget_remove(engine: &Engine, req: BudgetRef) -> Result<(), ApiError> {
    let id = find_budget(engine, &req.id)?.0;
    engine.budgets().disallow(&id).await?;
    let edit = engine.settings_editor().edit(move |draft| {
        draft.budgets.shift_remove(&id);
    });
    Ok(edit.await?)
}

pub(crate) async fn budget_allow(
    engine: &Engine,
    req: BudgetAllow,
) -> Result<BudgetView, ApiError> {
    let (id, status) = find_budget(engine, &req.id)?;
    let now = engine.clock().wall();
    let amount = parse_dollars("usd", &req.usd)?;
    let until = req.until.map_or(status.renewal, |until| WallTime::from_unix_ms(until.0));
    if amount == NanoUsd::ZERO {
        engine.budgets().disallow(&id).await?;
    } else if until <= now {
        return Err(ApiError::invalid("until", "name a time in the future"));
    } else if status.limit(now) + amount > BUDGET_LIMIT_MAX {
        return Err(ApiError::invalid("usd", "a budget has at most 1,000,000 dollars"));
    } else {
        engine.budgets().allow(&id, BudgetAllowance { amount, at: now, until }).await?;
    }
    find_view(engine, &id).await
}

fn find_budget(engine: &Engine, id: &str) -> Result<(BudgetId, BudgetStatus), ApiError> {
    let id: BudgetId = input::parse_id("id", id)?;
    let statuses = engine.budgets().statuses();
    match statuses.iter().find(|status| status.id == id) {
        Some(status) => Ok((id, status.clone())),
        None => {
            let known = statuses.iter().map(|status| status.id.as_str());
            Err(unknown_name_error("budget", id.as_str(), known))
        }
    }
}

async fn find_view(engine: &Engine, id: &BudgetId) -> Result<BudgetView, ApiError> {
    let found = budgets(engine).await?.into_iter().find(|view| view.id == id.as_str());
    found.ok_or_else(|| ApiError::not_found(format!("there is no budget named {id}")))
}

fn parse_budget(req: &BudgetSet, settings: &Settings) -> Result<Budget, ApiError> {
    let limit = parse_dollars("limit_usd", &req.limit_usd)?;
    if limit == NanoUsd::ZERO {
        return Err(amount_error("limit_usd"));
    }
    let action = req.action.unwrap_or_default();
    Ok(Budget {
        limit,
        schedule: parse_schedule(req)?,
        scope: req.scope.as_ref().map(parse_scope).transpose()?,
        action,
        switch_to: parse_route(action, req.switch_to.as_deref(), settings)?,
        marks: parse_marks(req.marks.as_deref())?,
        forecast: req.forecast.unwrap_or(true),
        refuse_unpriced: req.refuse_unpriced.unwrap_or(false),
    })
}

fn parse_schedule(req: &BudgetSet) -> Result<BudgetSchedule, ApiError> {
    let out_of_range = |field, what, range: std::ops::RangeInclusive<i64>| {
        let message = format!("{what} from {} to {}", range.start(), range.end());
        ApiError::invalid(field, message)
    };
    match req.period {
        BudgetPeriod::Day => Ok(BudgetSchedule::Day),
        BudgetPeriod::Week => {
            Ok(BudgetSchedule::Week { begins_on: req.reset_weekday.unwrap_or(Weekday::Monday) })
        }
        BudgetPeriod::Month => {
            let day = req.reset_day.unwrap_or(1);
            match BUDGET_RESET_DAY_RANGE.contains(&i64::from(day)) {
                true => Ok(BudgetSchedule::Month { begins_on: day }),
                false => Err(out_of_range(
                    "reset_day",
                    "name a day of the month",
                    BUDGET_RESET_DAY_RANGE,
                )),
            }
        }
        BudgetPeriod::Rolling => {
            let days = req.days.filter(|days| BUDGET_DAYS_RANGE.contains(&i64::from(*days)));
            let days = days
                .ok_or_else(|| out_of_range("days", "say how many days count,", BUDGET_DAYS_RANGE));
            Ok(BudgetSchedule::Rolling { days: days? })
        }
    }
}

fn parse_route(
    action: BudgetAction,
    name: Option<&str>,
    settings: &Settings,
) -> Result<Option<RouteId>, ApiError> {
    if action != BudgetAction::Switch {
        return Ok(None);
    }
    let Some(name) = name else {
        return Err(ApiError::invalid("switch_to", "name the route that requests go to"));
    };
    input::parse_known_route(settings, "switch_to", name).map(Some)
}

fn parse_marks(marks: Option<&[u16]>) -> Result<Vec<u16>, ApiError> {
    let mut marks = marks.unwrap_or(&BUDGET_MARKS_DEFAULT).to_vec();
    marks.sort_unstable();
    marks.dedup();
    let are_valid = marks.iter().all(|it| BUDGET_MARK_PERCENT_RANGE.contains(&i64::from(*it)));
    match are_valid && marks.len() <= BUDGET_MARKS_MAX {
        true => Ok(marks),
        false => {
            let (low, high) = (BUDGET_MARK_PERCENT_RANGE.start(), BUDGET_MARK_PERCENT_RANGE.end());
            let message =
                format!("name at most {BUDGET_MARKS_MAX} percentages from {low} to {high}");
            Err(ApiError::invalid("marks", message))
        }
    }
}

/// A budget of a client's own, which refuses what is above `dollars` a month. It has the client's name.
pub(super) fn client_budget(
    settings: &Settings,
    client: &ClientId,
    dollars: &str,
) -> Result<(BudgetId, Budget), ApiError> {
    const FIELD: &str = "monthly_limit_usd";
    let limit = parse_dollars(FIELD, dollars)?;
    if limit == NanoUsd::ZERO {
        return Err(amount_error(FIELD));
    }
    let id: BudgetId = input::parse_id(FIELD, client.as_str())?;
    if settings.budgets.contains_key(&id) {
        let message = format!("there is already a budget named {id}");
        return Err(ApiError::invalid(FIELD, message).with_hint(format!(
            "Remove it with `gatehouse budgets remove {id}`, or add the client without a budget."
        )));
    }
    let scope = Some((BudgetDimension::Client, client.to_string()));
    Ok((id, Budget { scope, ..Budget::new(limit) }))
}

/// The budget that was made with a client, which has its name, and others of its requests.
pub(super) fn client_budgets<'a>(
    settings: &'a Settings,
    client: &ClientId,
) -> (Option<&'a BudgetId>, Vec<&'a BudgetId>) {
    let is_of = |budget: &Budget| {
        let scope = budget.scope.as_ref();
        scope.is_some_and(|(by, name)| *by == BudgetDimension::Client && name == client.as_str())
    };
    let of_client = settings.budgets.iter().filter(|(_, budget)| is_of(budget));
    let (own, others): (Vec<_>, Vec<_>) =
        of_client.map(|(id, _)| id).partition(|id| id.as_str() == client.as_str());
    (own.first().copied(), others)
}

/// An amount from 0 to the highest limit.
fn parse_dollars(field: &str, text: &str) -> Result<NanoUsd, ApiError> {
    let amount = NanoUsd::from_dollars(text.trim().trim_start_matches('$')).ok();
    let allowed = amount.filter(|amount| (NanoUsd::ZERO..=BUDGET_LIMIT_MAX).contains(amount));
    allowed.ok_or_else(|| amount_error(field))
}

fn amount_error(field: &str) -> ApiError {
    let message = "enter an amount above 0 and up to 1,000,000 dollars, such as 20 or 2.50";
    ApiError::invalid(field, message)
}

fn parse_scope(view: &BudgetScopeView) -> Result<(BudgetDimension, String), ApiError> {
    let name = view.name.trim();
    match name.is_empty() || name.chars().count() > settings::MODEL_CHARS_MAX {
        true => Err(ApiError::invalid("scope", format!("name the {}", view.dimension))),
        false => Ok((view.dimension, name.to_owned())),
    }
}

fn budget_view(status: &BudgetStatus, crossings: &[BudgetCrossing], now: WallTime) -> BudgetView {
    let BudgetStatus { id, budget, from, until, spent, reserved, interrupted, .. } = status;
    let span = |from: WallTime, until: WallTime| until.unix_ms().saturating_sub(from.unix_ms());
    let limit = status.limit(now);
    let (mut days, mut reset_day, mut reset_weekday) = (None, None, None);
    match budget.schedule {
        BudgetSchedule::Day => {}
        BudgetSchedule::Week { begins_on } => reset_weekday = Some(begins_on),
        BudgetSchedule::Month { begins_on } => reset_day = Some(begins_on),
        BudgetSchedule::Rolling { days: length } => days = Some(length),
    }
    let is_refused = |crossing: &&BudgetCrossing| {
        crossing.mark == BudgetMark::Refused && crossing.at >= *from && crossing.limit == limit
    };
    let used_percent = percent(status.taken().nanos(), limit.nanos()).min(999);
    let refused_since = crossings.iter().find(is_refused).map(|crossing| crossing.at.into());
    let used_up_at = status.used_up_at(now);
    BudgetView {
        id: id.to_string(),
        state: budget_state(budget, refused_since.is_some(), used_percent, used_up_at.is_some()),
        limit_nano_usd: budget.limit.into(),
        allowed_nano_usd: (limit - budget.limit).into(),
        period: budget.schedule.period(),
        days,
        reset_day,
        reset_weekday,
        scope: budget
            .scope
            .as_ref()
            .map(|(dimension, name)| BudgetScopeView { dimension: *dimension, name: name.clone() }),
        action: budget.action,
        switch_to: budget.switch_to.as_ref().map(RouteId::to_string),
        marks: budget.marks.clone(),
        forecast: budget.forecast,
        refuse_unpriced: budget.refuse_unpriced,
        spent_nano_usd: (*spent).into(),
        reserved_nano_usd: reserved.amount.into(),
        slack_nano_usd: reserved.slack.into(),
        unbounded_requests: reserved.unbounded_requests.into(),
        interrupted_nano_usd: interrupted.amount.into(),
        interrupted_requests: interrupted.requests.into(),
        from: (*from).into(),
        until: (*until).into(),
        used_percent,
        elapsed_percent: match budget.schedule.is_rolling() {
            true => 100,
            false => percent(span(*from, now), span(*from, *until)).min(100),
        },
        used_up_at: used_up_at.map(Into::into),
        refused_since,
        unpriced_requests: status.unpriced_requests.into(),
        allowances: status
            .allowed(now)
            .map(|it| BudgetAllowanceView {
                nano_usd: it.amount.into(),
                at: it.at.into(),
                until: it.until.into(),
            })
            .collect(),
        crossings: crossings.iter().map(crossing_view).collect(),
    }
}

fn budget_state(
    budget: &Budget,
    is_refused: bool,
    used_percent: u32,
    is_ahead: bool,
) -> BudgetState {
    let last_mark = budget.marks.iter().copied().filter(|mark| *mark < 100).max();
    match (is_refused, used_percent) {
        (true, _) if budget.action == BudgetAction::Switch => BudgetState::Switched,
        (true, _) => BudgetState::Refusing,
        (false, 100..) => BudgetState::UsedUp,
        (false, used) if last_mark.is_some_and(|mark| used >= mark.into()) => {
            BudgetState::NearlyUsedUp
        }
        (false, _) if is_ahead => BudgetState::AheadOfPace,
        (false, _) => BudgetState::OnPace,
    }
}

/// The budgets that refuse requests. Local models and the mock cost nothing, so they still answer.
pub(super) fn budget_issues(budgets: &[BudgetStatus], now: WallTime) -> Vec<Issue> {
    let refusing = budgets.iter().filter(|status| status.is_refusing(now));
    let issue = |status: &BudgetStatus| {
        let whose = match &status.budget.scope {
            Some((dimension, name)) => format!(" of the {dimension} {name}"),
            None => String::new(),
        };
        let view = StatusIssueView {
            id: format!("budget/{}", status.id),
            level: VerdictLevel::Problem,
            title: format!("The budget {} is used up", status.id),
            impact: format!("Requests{whose} that cost money are refused. Allow more to go on."),
            since: None,
            action: PanelActionView::OpenBudget { id: status.id.to_string() },
        };
        Issue::new(view, Readiness::NotReady)
    };
    refusing.map(issue).collect()
}

fn crossing_view(crossing: &BudgetCrossing) -> BudgetCrossingView {
    BudgetCrossingView {
        kind: crossing.mark.kind(),
        percent: crossing.mark.percent(),
        period_from: crossing.period_from.into(),
        at: crossing.at.into(),
        spent_nano_usd: crossing.spent.into(),
        limit_nano_usd: crossing.limit.into(),
    }
}

pub(crate) fn budget_notice_view(notice: &BudgetNotice) -> BudgetNoticeView {
    BudgetNoticeView {
        budget: notice.crossing.budget.to_string(),
        title: notice.title.clone(),
        message: notice.message.clone(),
        crossing: crossing_view(&notice.crossing),
        asks: notice.asks,
    }
}

/// Rounded down, so that 100 means all of it.
fn percent(part: i64, whole: i64) -> u32 {
    let percent = i128::from(part.max(0)) * 100 / i128::from(whole.max(1));
    u32::try_from(percent).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_has_the_worst_state_that_holds() {
        let stop = Budget::new(NanoUsd::new(1));
        let switch = Budget { action: BudgetAction::Switch, ..stop.clone() };
        let at_half = Budget { marks: vec![50, 100], ..stop.clone() };
        let told_late = Budget { marks: vec![100, 150], ..stop.clone() };
        for (budget, is_refused, used, is_ahead, state) in [
            (&stop, false, 0, false, BudgetState::OnPace),
            (&stop, false, 94, true, BudgetState::AheadOfPace),
            (&stop, false, 95, true, BudgetState::NearlyUsedUp),
            (&at_half, false, 49, false, BudgetState::OnPace),
            (&at_half, false, 50, false, BudgetState::NearlyUsedUp),
            (&told_late, false, 99, false, BudgetState::OnPace),
            (&stop, false, 100, false, BudgetState::UsedUp),
            (&stop, true, 97, false, BudgetState::Refusing),
            (&switch, true, 120, false, BudgetState::Switched),
        ] {
            assert_eq!(budget_state(budget, is_refused, used, is_ahead), state, "{used} {state:?}");
        }
    }
}
