//! Objectives: what is left of the failures they allow, and how fast it is used up.

mod change;
mod downtime;
mod objectives;

use std::collections::HashMap;
use std::time::Duration;

use domain::{BackendId, DAY_MS, WallTime};
use engine::{
    Engine, LevelScope, ObjectiveTarget, ServiceLevel, backend_labels, default_first_token_max,
    default_terms, first_token_max, has_own_terms, objective_of, terms_of,
};
use ledger::LatencyHistogram;
use service_levels::{
    Burn, BurnSpeed, BurnWindow, Objective, RequestCounts, VALID_MIN, shown_rule,
};
use settings::Settings;

use crate::ApiError;
use crate::operation::health::{first_tokens, percent_text};
use crate::view::{
    BurnPaceView, BurnRateView, LevelIndicator, LevelTermsView, ServiceLevelKind,
    ServiceLevelState, ServiceLevelView, ServiceLevelsView,
};

pub(crate) use self::change::{service_level_preview, service_level_set};
use self::downtime::availability_level_view;
use self::objectives::objective_views;

const DAY_SECS: u64 = 86_400;
const WEEK_MS: i64 = 7 * DAY_MS;
/// Budgets with less left are tight.
const TIGHT_FROM: f64 = 0.5;
/// Budgets with less left call for another default.
const SCARCE_FROM: f64 = 0.25;

pub(crate) async fn service_levels(engine: &Engine) -> Result<ServiceLevelsView, ApiError> {
    let now = engine.clock().wall();
    let settings = engine.settings();
    let labels = backend_labels(&settings, engine.mock_id());
    let first_tokens = recent_first_tokens(engine).await?;
    let levels = engine.service_levels().levels().await?;
    let services = engine.service_levels().availabilities(&settings).await?;
    let mut views = Vec::new();
    for level in &levels {
        views.push(level_view(&settings, level, &labels, now));
        let LevelScope::Backend(id) = &level.scope else { continue };
        if let Some(found) = first_tokens.get(id.as_str()) {
            views.push(first_token_view(&settings, id, found, &labels));
        }
    }
    views.extend(services.iter().map(|it| availability_level_view(&settings, it)));
    Ok(ServiceLevelsView {
        finding: finding(&views),
        objectives: objective_views(&settings, &levels, &first_tokens),
        first_token_max_ms: settings.service_levels.first_token_max_ms,
        levels: views,
    })
}

/// First tokens of the last week, by backend.
async fn recent_first_tokens(
    engine: &Engine,
) -> Result<HashMap<String, LatencyHistogram>, ApiError> {
    let now = engine.clock().wall();
    first_tokens(engine, now.minus_ms(WEEK_MS), now).await
}

/// First tokens in time and late ones.
fn counts_within(found: &LatencyHistogram, max: Duration) -> RequestCounts {
    let good = found.count_within(max);
    RequestCounts { good, bad: found.count().saturating_sub(good) }
}

fn level_view(
    settings: &Settings,
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
        Some(now.plus_ms(after_ms).into())
    });
    let plain = plain_view(settings, (&level.scope, level.target), counts, labels);
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
    settings: &Settings,
    id: &BackendId,
    found: &LatencyHistogram,
    labels: &HashMap<String, String>,
) -> ServiceLevelView {
    let scope = LevelScope::Backend(id.clone());
    let max = first_token_max(settings, id);
    let counts = counts_within(found, max);
    let plain = plain_view(settings, (&scope, ObjectiveTarget::FirstToken), counts, labels);
    let objective = objective_of(settings, &scope, ObjectiveTarget::FirstToken);
    let state = state_of(objective.budget_left(counts), Burn::Within);
    ServiceLevelView {
        indicator: LevelIndicator::FirstToken,
        state,
        objective: first_token_text(objective, max),
        advice: match state {
            ServiceLevelState::Tight | ServiceLevelState::Missed => {
                "Route what must be fast to a faster backend.".to_owned()
            }
            _ => String::new(),
        },
        ..plain
    }
}

/// `95 % within 2 s in 7 days`
fn first_token_text(objective: Objective, max: Duration) -> String {
    let (goal, days) = (goal_text(objective), days_text(objective.period));
    format!("{goal} within {} s in {days}", max.as_secs_f64())
}

/// `target` is the default that an objective of its own replaces.
fn plain_view(
    settings: &Settings,
    (scope, target): (&LevelScope, ObjectiveTarget),
    counts: RequestCounts,
    labels: &HashMap<String, String>,
) -> ServiceLevelView {
    let objective = objective_of(settings, scope, target);
    let (kind, id, label) = identity(settings, scope, labels);
    let days = u32::try_from(objective.period.as_secs() / DAY_SECS).unwrap_or(u32::MAX);
    ServiceLevelView {
        kind,
        indicator: LevelIndicator::Requests,
        id,
        label,
        state: ServiceLevelState::NotEnoughData,
        objective: objective_text(objective),
        terms: terms_view(settings, scope, target),
        goal_percent: f64::from(objective.goal_ppm) / 10_000.0,
        period_days: days,
        valid: counts.valid().into(),
        bad: counts.bad.into(),
        time: None,
        good_percent: counts.bad_share().map(|bad| (1.0 - bad) * 100.0),
        budget_left_percent: budget_percent(objective.budget_left(counts)),
        burn: Vec::new(),
        pace: None,
        exhausted_at: None,
        advice: String::new(),
    }
}

fn identity(
    settings: &Settings,
    scope: &LevelScope,
    labels: &HashMap<String, String>,
) -> (ServiceLevelKind, String, String) {
    match scope {
        LevelScope::Gateway => (ServiceLevelKind::Gateway, String::new(), "Gateway".to_owned()),
        LevelScope::Route(id) => (ServiceLevelKind::Route, id.to_string(), id.to_string()),
        LevelScope::Backend(id) => {
            let label = labels.get(id.as_str()).cloned().unwrap_or_else(|| id.to_string());
            (ServiceLevelKind::Backend, id.to_string(), label)
        }
        LevelScope::Service(id) => {
            let label = settings.services.get(id).map(|known| known.label.clone());
            (ServiceLevelKind::Service, id.to_string(), label.unwrap_or_else(|| id.to_string()))
        }
    }
}

fn terms_view(settings: &Settings, scope: &LevelScope, target: ObjectiveTarget) -> LevelTermsView {
    let terms = terms_of(settings, scope, target);
    let name = match scope {
        LevelScope::Gateway => None,
        LevelScope::Route(id) => Some(id.to_string()),
        LevelScope::Backend(id) => Some(id.to_string()),
        LevelScope::Service(id) => Some(id.to_string()),
    };
    let max_ms = match (scope, target) {
        (LevelScope::Backend(id), ObjectiveTarget::FirstToken) => {
            u32::try_from(first_token_max(settings, id).as_millis()).ok()
        }
        _ => None,
    };
    LevelTermsView {
        // A route with one backend follows the default of backends, and still is a route.
        target: if matches!(scope, LevelScope::Route(_)) { ObjectiveTarget::Route } else { target },
        name,
        goal: terms.goal,
        period: terms.period,
        max_ms,
        is_own: has_own_terms(settings, scope, target),
        default_objective: default_text(settings, target),
    }
}

fn default_text(settings: &Settings, target: ObjectiveTarget) -> String {
    let objective = default_terms(settings, target).objective();
    match target {
        ObjectiveTarget::FirstToken => {
            first_token_text(objective, default_first_token_max(settings))
        }
        _ => objective_text(objective),
    }
}

/// `99.5 % in 7 days`
fn objective_text(objective: Objective) -> String {
    format!("{} in {}", goal_text(objective), days_text(objective.period))
}

fn budget_percent(left: Option<f64>) -> Option<f64> {
    left.map(|it| it.clamp(0.0, 1.0) * 100.0)
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
        (0, ..) => "Not enough data to tell".to_owned(),
        (1, 0, 0) => "The one objective with enough data is kept".to_owned(),
        (_, 0, 0) => format!("All {known} objectives with enough data are kept"),
        (_, 0, burning) => {
            format!("{burning} of {known} objectives will be missed at this rate")
        }
        (_, 1, _) => format!("1 of {known} objectives is missed"),
        (_, missed, _) => format!("{missed} of {known} objectives are missed"),
    }
}
