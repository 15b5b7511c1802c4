//! Objectives: what is left of the failures they allow, and how fast it is used up.

mod objectives;

use std::collections::HashMap;
use std::time::Duration;

use domain::WallTime;
use engine::{
    Engine, LevelScope, ObjectiveTarget, ServiceLevel, backend_labels, first_token_max,
    objective_of,
};
use ledger::LatencyHistogram;
use service_levels::{
    Burn, BurnSpeed, BurnWindow, Objective, RequestCounts, VALID_MIN, shown_rule,
};

use super::health::{first_tokens, percent_text};
use crate::ApiError;
use crate::view::{
    BurnPaceView, BurnRateView, LevelIndicator, ServiceLevelKind, ServiceLevelState,
    ServiceLevelView, ServiceLevelsView,
};

use self::objectives::objective_views;
pub(crate) use self::objectives::{service_level_preview, service_level_set};

const DAY_SECS: u64 = 86_400;
/// Budgets with less left are tight.
const TIGHT_FROM: f64 = 0.5;
/// Budgets with less left call for another default.
const SCARCE_FROM: f64 = 0.25;

pub(crate) async fn service_levels(engine: &Engine) -> Result<ServiceLevelsView, ApiError> {
    let now = engine.clock().wall();
    let settings = engine.settings();
    let labels = backend_labels(&settings, engine.mock_id());
    let (first_token, max) =
        (objective_of(&settings, ObjectiveTarget::FirstToken), first_token_max(&settings));
    let week_ago = WallTime::from_unix_ms(now.unix_ms() - 7 * 86_400_000);
    let first_tokens = first_tokens(engine, week_ago, now).await?;
    let levels = engine.service_levels().levels().await?;
    let mut views = Vec::new();
    for level in &levels {
        views.push(level_view(level, &labels, now));
        let LevelScope::Backend(id) = &level.scope else { continue };
        if let Some(found) = first_tokens.get(id.as_str()) {
            let counts = counts_within(found, max);
            views.push(first_token_view(&level.scope, first_token, max, counts, &labels));
        }
    }
    Ok(ServiceLevelsView {
        finding: finding(&views),
        objectives: objective_views(&settings, &levels, &first_tokens),
        first_token_max_ms: settings.service_levels.first_token_max_ms,
        levels: views,
    })
}

/// First tokens in time and late ones.
fn counts_within(found: &LatencyHistogram, max: Duration) -> RequestCounts {
    let good = found.count_within(max);
    RequestCounts { good, bad: found.count().saturating_sub(good) }
}

fn level_view(
    level: &ServiceLevel,
    labels: &HashMap<String, String>,
    now: WallTime,
) -> ServiceLevelView {
    let counts = level.period_counts();
    let burn = level.counts.iter().map(|(window, counts)| BurnRateView {
        window: *window,
        valid: counts.valid().into(),
        bad: counts.bad.into(),
        rate: (counts.valid() >= VALID_MIN).then(|| level.objective.burn_rate(*counts)).flatten(),
    });
    let burn: Vec<BurnRateView> =
        burn.filter(|it| it.window.length() <= level.objective.period).collect();
    let recent = level.counts(recent_window(level.objective));
    // What is used up already has no time ahead.
    let exhausted_at = level.budget_left().filter(|left| *left > 0.0).and_then(|left| {
        let rate = (recent.valid() >= VALID_MIN).then(|| level.objective.burn_rate(recent));
        let after = level.objective.exhausted_in(left, rate.flatten().unwrap_or_default())?;
        let after_ms = i64::try_from(after.as_millis()).ok()?;
        Some(WallTime::from_unix_ms(now.unix_ms().saturating_add(after_ms)).into())
    });
    let plain = plain_view(&level.scope, level.objective, counts, labels);
    let state = state_of(level.budget_left(), level.burn);
    let advice = advice(state, level.budget_left());
    let objective = match level.kept {
        Some(kept) => format!("{}; kept for {}", plain.objective, days_text(kept)),
        None => plain.objective,
    };
    let pace = shown_rule(level.objective, level.burn).and_then(|rule| {
        let rate = |window| burn.iter().find(|it| it.window == window).cloned();
        let (long, short) = (rate(rule.long)?, rate(rule.short)?);
        Some(BurnPaceView { long, short, factor: rule.factor })
    });
    ServiceLevelView { state, objective, burn, pace, exhausted_at, advice, ..plain }
}

/// The time whose rate tells when the budget is used up.
fn recent_window(objective: Objective) -> BurnWindow {
    match BurnWindow::of_period(objective.period) {
        BurnWindow::Week => BurnWindow::Day,
        _ => BurnWindow::ThreeDays,
    }
}

fn first_token_view(
    scope: &LevelScope,
    objective: Objective,
    max: Duration,
    counts: RequestCounts,
    labels: &HashMap<String, String>,
) -> ServiceLevelView {
    let plain = plain_view(scope, objective, counts, labels);
    let left = objective.budget_left(counts);
    let state = state_of(left, Burn::Within);
    ServiceLevelView {
        indicator: LevelIndicator::FirstToken,
        state,
        objective: format!(
            "{} within {} s in {}",
            goal_text(objective),
            max.as_secs_f64(),
            days_text(objective.period)
        ),
        advice: match state {
            ServiceLevelState::Tight | ServiceLevelState::Missed => {
                "Route what must be fast to a faster backend.".to_owned()
            }
            _ => String::new(),
        },
        ..plain
    }
}

fn plain_view(
    scope: &LevelScope,
    objective: Objective,
    counts: RequestCounts,
    labels: &HashMap<String, String>,
) -> ServiceLevelView {
    let (kind, id, label) = match scope {
        LevelScope::Gateway => (ServiceLevelKind::Gateway, String::new(), "Gateway".to_owned()),
        LevelScope::Route(id) => (ServiceLevelKind::Route, id.to_string(), id.to_string()),
        LevelScope::Backend(id) => {
            let label = labels.get(id.as_str()).cloned().unwrap_or_else(|| id.to_string());
            (ServiceLevelKind::Backend, id.to_string(), label)
        }
    };
    let days = u32::try_from(objective.period.as_secs() / DAY_SECS).unwrap_or(u32::MAX);
    ServiceLevelView {
        kind,
        indicator: LevelIndicator::Requests,
        id,
        label,
        state: ServiceLevelState::NotEnoughData,
        objective: format!("{} in {}", goal_text(objective), days_text(objective.period)),
        goal_percent: f64::from(objective.goal_ppm) / 10_000.0,
        period_days: days,
        valid: counts.valid().into(),
        bad: counts.bad.into(),
        good_percent: counts.bad_share().map(|bad| (1.0 - bad) * 100.0),
        budget_left_percent: objective.budget_left(counts).map(|it| it.clamp(0.0, 1.0) * 100.0),
        burn: Vec::new(),
        pace: None,
        exhausted_at: None,
        advice: String::new(),
    }
}

fn goal_text(objective: Objective) -> String {
    let goal = percent_text(f64::from(objective.goal_ppm) / 10_000.0);
    match goal.strip_suffix(" %") {
        Some(number) => format!("{} %", number.trim_end_matches('0').trim_end_matches('.')),
        None => goal,
    }
}

fn days_text(period: Duration) -> String {
    match period.as_secs() / DAY_SECS {
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

fn state_of(left: Option<f64>, burn: Burn) -> ServiceLevelState {
    match (left, burn) {
        (Some(left), _) if left <= 0.0 => ServiceLevelState::Missed,
        (_, Burn::Burning { rule, .. }) if rule.speed == BurnSpeed::Fast => {
            ServiceLevelState::BurningFast
        }
        (_, Burn::Burning { .. }) => ServiceLevelState::BurningSlow,
        (None, _) => ServiceLevelState::NotEnoughData,
        (Some(left), _) if left <= TIGHT_FROM => ServiceLevelState::Tight,
        (Some(_), _) => ServiceLevelState::Kept,
    }
}

fn advice(state: ServiceLevelState, left: Option<f64>) -> String {
    let words = match (state, left) {
        (ServiceLevelState::NotEnoughData | ServiceLevelState::Kept, _) => "",
        (ServiceLevelState::Missed, _) => "Put another backend first in the routes that use it.",
        (_, Some(left)) if left < SCARCE_FROM => "Consider another backend as the first.",
        (ServiceLevelState::BurningFast, _) => "Look at the failed requests now.",
        _ => "Consider a second backend that stands in.",
    };
    words.to_owned()
}

fn finding(views: &[ServiceLevelView]) -> String {
    let count = |wanted: &[ServiceLevelState]| {
        views.iter().filter(|view| wanted.contains(&view.state)).count()
    };
    let missed = count(&[ServiceLevelState::Missed]);
    let burning = count(&[ServiceLevelState::BurningFast, ServiceLevelState::BurningSlow]);
    let known = views.len() - count(&[ServiceLevelState::NotEnoughData]);
    match (known, missed, burning) {
        (0, ..) => "Not enough requests to tell".to_owned(),
        (1, 0, 0) => "The one objective with enough requests is kept".to_owned(),
        (_, 0, 0) => format!("All {known} objectives with enough requests are kept"),
        (_, 0, burning) => {
            format!("{burning} of {known} objectives will be missed at this rate")
        }
        (_, 1, _) => format!("1 of {known} objectives is missed"),
        (_, missed, _) => format!("{missed} of {known} objectives are missed"),
    }
}
