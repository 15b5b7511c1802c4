//! Computes what a breaker with other thresholds would have done.

use std::time::Duration;

use ::resilience::{BreakerRules, TransitionState};
use domain::{BackendId, DAY_MS};
use engine::{Engine, back_test};
use ledger::{TRANSITIONS_PAGE_ROWS_MAX, TransitionQuery, TransitionRecord};

use super::timeline::{count_trips, times_text};
use crate::ApiError;
use crate::operation::input;
use crate::view::{BACKTEST_DAYS_MAX, BacktestQuery, BacktestView};

/// Largest thresholds that can be tried: a little more than the settings allow.
const CALLS_MAX: u32 = 1_000;
const OPEN_SECS_MAX: u32 = 3_600;

pub(crate) async fn breaker_backtest(
    engine: &Engine,
    req: BacktestQuery,
) -> Result<BacktestView, ApiError> {
    check_threshold("days", req.days, BACKTEST_DAYS_MAX)?;
    let rules = apply_thresholds(engine.snapshots().current().resilience.breaker, &req)?;
    let backend: Option<BackendId> =
        req.backend.as_deref().map(|text| input::parse_id("backend", text)).transpose()?;
    let to = engine.clock().wall();
    let from = to.minus_ms(i64::from(req.days) * DAY_MS);
    let outcomes = engine.ledger().attempt_outcomes((from, to), backend.clone()).await?;
    let limit = TRANSITIONS_PAGE_ROWS_MAX;
    let really = engine.ledger().transitions(TransitionQuery { backend, from, to, limit }).await?;
    let found = back_test(&outcomes, rules);
    let opened = times_text(found.opened);
    let days = if req.days == 1 { "day".to_owned() } else { format!("{} days", req.days) };
    Ok(BacktestView {
        sentence: format!(
            "With these thresholds, the breaker would have tripped {opened} in the last {days}."
        ),
        opened: found.opened,
        opened_really: count_trips(really.iter().filter_map(parse_step)),
        open_secs: u32::try_from(found.open_time.as_secs()).unwrap_or(u32::MAX),
        attempts: found.attempts,
    })
}

fn parse_step(transition: &TransitionRecord) -> Option<(TransitionState, TransitionState)> {
    Some((transition.from.parse().ok()?, transition.to.parse().ok()?))
}

/// Replaces the thresholds in force with those of the request.
fn apply_thresholds(now: BreakerRules, req: &BacktestQuery) -> Result<BreakerRules, ApiError> {
    let mut rules = now;
    if let Some(failures) = req.consecutive_failures {
        rules.failures_in_a_row = check_threshold("consecutive_failures", failures, CALLS_MAX)?;
    }
    if let Some(percent) = req.failure_percent {
        check_threshold("failure_percent", u32::from(percent), 100)?;
        rules.failure_percent = percent;
    }
    if let Some(calls) = req.window_calls_min {
        rules.calls_min = check_threshold("window_calls_min", calls, CALLS_MAX)?;
    }
    if let Some(secs) = req.open_secs {
        check_threshold("open_secs", secs, OPEN_SECS_MAX)?;
        rules.open_first = Duration::from_secs(u64::from(secs));
        rules.open_max = rules.open_max.max(rules.open_first);
    }
    Ok(rules)
}

fn check_threshold(field: &str, number: u32, most: u32) -> Result<u32, ApiError> {
    match (1..=most).contains(&number) {
        true => Ok(number),
        false => Err(ApiError::invalid(field, format!("choose 1 to {most}"))),
    }
}
