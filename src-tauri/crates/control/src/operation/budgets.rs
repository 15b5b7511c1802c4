//! Operations on budgets.

use budgets::BudgetStatus;
use domain::{Budget, BudgetId, NanoUsd, WallTime};
use engine::Engine;
use settings::BUDGET_LIMIT_MAX;

use super::input;
use crate::view::{BudgetRef, BudgetScopeView, BudgetSet, BudgetView};
use crate::{ApiError, unknown_name_error};

pub(crate) async fn budgets(engine: &Engine) -> Result<Vec<BudgetView>, ApiError> {
    engine.budgets().load().await?;
    let now = engine.clock().wall();
    Ok(engine.budgets().statuses().iter().map(|status| budget_view(status, now)).collect())
}

pub(crate) async fn budget_set(engine: &Engine, req: BudgetSet) -> Result<BudgetView, ApiError> {
    let id: BudgetId = input::parse_id("id", &req.id)?;
    let budget = Budget {
        limit: parse_limit(&req.limit_usd)?,
        period: req.period,
        scope: req.scope.as_ref().map(parse_scope).transpose()?,
    };
    let name = id.clone();
    let edit = engine.settings_editor().edit(move |draft| {
        draft.budgets.insert(name, budget);
    });
    edit.await?;
    let found = budgets(engine).await?.into_iter().find(|view| view.id == id.as_str());
    found.ok_or_else(|| ApiError::not_found(format!("there is no budget named {id}")))
}

pub(crate) async fn budget_remove(engine: &Engine, req: BudgetRef) -> Result<(), ApiError> {
    let id: BudgetId = input::parse_id("id", &req.id)?;
    let settings = engine.settings();
    if !settings.budgets.contains_key(&id) {
        let known = settings.budgets.keys().map(BudgetId::as_str);
        return Err(unknown_name_error("budget", id.as_str(), known));
    }
    let edit = engine.settings_editor().edit(move |draft| {
        draft.budgets.shift_remove(&id);
    });
    Ok(edit.await?)
}

fn parse_limit(text: &str) -> Result<NanoUsd, ApiError> {
    let bare = text.trim().trim_start_matches('$');
    let limit = NanoUsd::from_dollars(bare).ok();
    let allowed = limit.filter(|limit| (NanoUsd::new(1)..=BUDGET_LIMIT_MAX).contains(limit));
    allowed.ok_or_else(|| {
        let message = "enter an amount above 0 and up to 1,000,000 dollars, such as 20 or 2.50";
        ApiError::invalid("limit_usd", message)
    })
}

fn parse_scope(view: &BudgetScopeView) -> Result<(domain::BudgetDimension, String), ApiError> {
    let name = view.name.trim();
    match name.is_empty() || name.chars().count() > settings::MODEL_CHARS_MAX {
        true => Err(ApiError::invalid("scope", format!("name the {}", view.dimension))),
        false => Ok((view.dimension, name.to_owned())),
    }
}

fn budget_view(status: &BudgetStatus, now: WallTime) -> BudgetView {
    let BudgetStatus { id, budget, from, until, spent, reserved } = status;
    let span = |from: WallTime, until: WallTime| until.unix_ms().saturating_sub(from.unix_ms());
    BudgetView {
        id: id.to_string(),
        limit_nano_usd: budget.limit.into(),
        period: budget.period,
        scope: budget
            .scope
            .as_ref()
            .map(|(dimension, name)| BudgetScopeView { dimension: *dimension, name: name.clone() }),
        spent_nano_usd: (*spent).into(),
        reserved_nano_usd: (*reserved).into(),
        from: (*from).into(),
        until: (*until).into(),
        used_percent: percent((*spent + *reserved).nanos(), budget.limit.nanos()).min(999),
        elapsed_percent: percent(span(*from, now), span(*from, *until)).min(100),
    }
}

/// Rounded down, so that 100 means all of it.
fn percent(part: i64, whole: i64) -> u32 {
    let percent = i128::from(part.max(0)) * 100 / i128::from(whole.max(1));
    u32::try_from(percent).unwrap_or(u32::MAX)
}
