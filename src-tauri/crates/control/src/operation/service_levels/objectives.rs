//! The objectives of the settings: what they allow, and how they are changed.

use std::collections::HashMap;
use std::time::Duration;

use domain::{WallTime, count_noun, group_digits};
use engine::{Engine, ObjectiveTarget, ServiceLevel, first_token_max, objective_of};
use ledger::LatencyHistogram;
use service_levels::{BurnWindow, Objective, RequestCounts};
use settings::{SettingValue, Settings};

use super::{counts_within, days_text, goal_text};
use crate::ApiError;
use crate::operation::health::first_tokens;
use crate::view::{
    ObjectiveView, ServiceLevelPreviewView, ServiceLevelSet, ServiceLevelsView, ServicePeriod,
};

const WEEK_MS: i64 = 7 * 86_400_000;

pub(crate) async fn service_level_set(
    engine: &Engine,
    req: ServiceLevelSet,
) -> Result<ServiceLevelsView, ApiError> {
    let changes = changes(&req)?;
    engine.settings_editor().set_values(changes).await?;
    super::service_levels(engine).await
}

pub(crate) async fn service_level_preview(
    engine: &Engine,
    req: ServiceLevelSet,
) -> Result<ServiceLevelPreviewView, ApiError> {
    let draft = engine.settings().with_values(&changes(&req)?);
    let draft = draft.map_err(|error| ApiError::invalid("target", error.to_string()))?;
    let levels = engine.service_levels().levels().await?;
    let now = engine.clock().wall();
    let week_ago = WallTime::from_unix_ms(now.unix_ms() - WEEK_MS);
    let first_tokens = first_tokens(engine, week_ago, now).await?;
    let objective = objective_of(&draft, req.target);
    let counts = counts_of(&draft, req.target, objective, &levels, &first_tokens);
    let within = match req.target {
        ObjectiveTarget::FirstToken => {
            format!(" within {} s", first_token_max(&draft).as_secs_f64())
        }
        _ => String::new(),
    };
    Ok(ServiceLevelPreviewView {
        consequence: format!(
            "{}{within} in {} {}",
            goal_text(objective),
            days_text(objective.period),
            consequence(req.target, objective, counts.iter().copied().sum())
        ),
        effect: effect(req.target, objective, &counts),
    })
}

/// The settings that a request changes, by their paths.
fn changes(req: &ServiceLevelSet) -> Result<Vec<(String, SettingValue)>, ApiError> {
    let name = req.target.word().replace('-', "_");
    let path = |last: &str| format!("service_levels.{name}_{last}");
    let text = |word: &str| SettingValue::Text(word.to_owned());
    let mut changes = Vec::new();
    if let Some(goal) = req.goal {
        changes.push((path("goal"), text(goal.word())));
    }
    match (req.period, req.target) {
        (None, _) => {}
        (Some(_), ObjectiveTarget::FirstToken) => {
            let message = "first tokens are counted over 7 days";
            return Err(ApiError::invalid("period", message));
        }
        (Some(period), _) => changes.push((path("period"), text(period.word()))),
    }
    match (req.max_ms, req.target) {
        (None, _) => {}
        (Some(ms), ObjectiveTarget::FirstToken) => {
            check_max_ms(ms, &path("max_ms"))?;
            changes.push((path("max_ms"), SettingValue::Number(ms.into())));
        }
        (Some(_), _) => {
            return Err(ApiError::invalid("max_ms", "only first tokens have a longest time"));
        }
    }
    Ok(changes)
}

fn check_max_ms(ms: u32, path: &str) -> Result<(), ApiError> {
    let range = Settings::setting(path).and_then(|setting| setting.range.as_ref());
    let Some(range) = range.filter(|range| !range.contains(&i64::from(ms))) else { return Ok(()) };
    let longest = group_digits(range.end().unsigned_abs());
    Err(ApiError::invalid("max_ms", format!("a number from {} to {longest} ms", range.start())))
}

pub(super) fn objective_views(
    settings: &Settings,
    levels: &[ServiceLevel],
    first_tokens: &HashMap<String, LatencyHistogram>,
) -> Vec<ObjectiveView> {
    let default = Settings::default();
    let own = settings.service_levels;
    let view = |target: &ObjectiveTarget| {
        let objective = objective_of(settings, *target);
        let counts = counts_of(settings, *target, objective, levels, first_tokens);
        let (goal, period) = match target {
            ObjectiveTarget::Gateway => (own.gateway_goal, own.gateway_period),
            ObjectiveTarget::Route => (own.route_goal, own.route_period),
            ObjectiveTarget::Backend => (own.backend_goal, own.backend_period),
            ObjectiveTarget::FirstToken => (own.first_token_goal, ServicePeriod::Week),
        };
        let is_first_token = *target == ObjectiveTarget::FirstToken;
        ObjectiveView {
            target: *target,
            label: label(*target).to_owned(),
            goal,
            period,
            period_is_fixed: is_first_token,
            is_default: objective == objective_of(&default, *target)
                && (!is_first_token || first_token_max(settings) == first_token_max(&default)),
            consequence: consequence(*target, objective, counts.into_iter().sum()),
        }
    };
    ObjectiveTarget::ALL.iter().map(view).collect()
}

const fn label(target: ObjectiveTarget) -> &'static str {
    match target {
        ObjectiveTarget::Gateway => "Gateway",
        ObjectiveTarget::Route => "Routes with a fallback",
        ObjectiveTarget::Backend => "Backends, and routes with only one",
        ObjectiveTarget::FirstToken => "First tokens",
    }
}

/// The requests of each gateway, route or backend that the objective is for, over its period.
fn counts_of(
    settings: &Settings,
    target: ObjectiveTarget,
    objective: Objective,
    levels: &[ServiceLevel],
    first_tokens: &HashMap<String, LatencyHistogram>,
) -> Vec<RequestCounts> {
    if target == ObjectiveTarget::FirstToken {
        let max = first_token_max(settings);
        return first_tokens.values().map(|found| counts_within(found, max)).collect();
    }
    let window = BurnWindow::of_period(objective.period);
    let own = levels.iter().filter(|level| level.target == target);
    own.map(|level| level.counts(window)).collect()
}

/// Completes "99.9 % in 30 days …".
fn consequence(target: ObjectiveTarget, objective: Objective, counts: RequestCounts) -> String {
    let share = objective.allowed_bad_share();
    let (valid, noun) = match target {
        ObjectiveTarget::FirstToken => (counts.valid(), "answer"),
        _ => (counts.valid(), "request"),
    };
    let allowed = allowed_count(valid, share);
    let of = match valid {
        0 => format!("{} of 1,000 {noun}s", allowed_count(1_000, share)),
        valid => format!("{} of {}", group_digits(allowed), count_noun(valid, noun)),
    };
    match target {
        ObjectiveTarget::FirstToken => format!("allows {of} to begin later"),
        _ => format!("allows {}, or {of}", time_text(objective.period.mul_f64(share))),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count, rounded down"
)]
fn allowed_count(valid: u64, share: f64) -> u64 {
    (valid as f64 * share + 1e-9).floor() as u64
}

/// `43 min`, `3.6 h`
fn time_text(time: Duration) -> String {
    match time.as_secs_f64() / 60.0 {
        minutes if minutes < 120.0 => format!("{minutes:.0} min"),
        minutes if minutes < 48.0 * 60.0 => format!("{:.1} h", minutes / 60.0),
        minutes => format!("{:.1} days", minutes / 1_440.0),
    }
}

fn effect(target: ObjectiveTarget, objective: Objective, counts: &[RequestCounts]) -> String {
    let left: Vec<f64> = counts.iter().filter_map(|it| objective.budget_left(*it)).collect();
    let missed = left.iter().filter(|left| **left <= 0.0).count();
    let noun = match target {
        ObjectiveTarget::Gateway => "gateway",
        ObjectiveTarget::Route => "route",
        ObjectiveTarget::Backend | ObjectiveTarget::FirstToken => "backend",
    };
    match (left.len(), missed) {
        (0, _) => "There are too few requests to tell who would keep it.".to_owned(),
        (1, 0) => format!("The {noun} with enough requests would keep it."),
        (1, _) => format!("The {noun} with enough requests would miss it."),
        (known, 0) => {
            format!("All {} with enough requests would keep it.", count_noun(known as u64, noun))
        }
        (known, missed) => {
            format!("{missed} of {} would miss it.", count_noun(known as u64, noun))
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::ServiceGoal;

    use super::*;

    fn objective(goal: ServiceGoal, period: ServicePeriod) -> Objective {
        Objective::new(goal, period)
    }

    fn counts(good: u64, bad: u64) -> RequestCounts {
        RequestCounts { good, bad }
    }

    #[test]
    fn what_an_objective_allows_equals_what_is_computed_by_hand() {
        let month = objective(ServiceGoal::Percent99_9, ServicePeriod::Month);
        let check = |target, objective, counts, words: &str| {
            assert_eq!(consequence(target, objective, counts), words);
        };
        let route = ObjectiveTarget::Route;
        check(route, month, counts(11_990, 10), "allows 43 min, or 12 of 12,000 requests");
        check(route, month, counts(0, 0), "allows 43 min, or 1 of 1,000 requests");
        check(route, month, counts(1, 0), "allows 43 min, or 0 of 1 request");
        let week = objective(ServiceGoal::Percent95, ServicePeriod::Week);
        check(ObjectiveTarget::Backend, week, counts(100, 0), "allows 8.4 h, or 5 of 100 requests");
        let first = ObjectiveTarget::FirstToken;
        check(first, week, counts(230, 10), "allows 12 of 240 answers to begin later");
    }

    #[test]
    fn an_effect_is_told_only_of_those_with_enough_requests() {
        let week = objective(ServiceGoal::Percent99, ServicePeriod::Week);
        let told = |all: &[RequestCounts]| effect(ObjectiveTarget::Backend, week, all);
        let few = counts(10, 9);
        assert_eq!(told(&[few]), "There are too few requests to tell who would keep it.");
        assert_eq!(told(&[few, counts(100, 2)]), "The backend with enough requests would miss it.");
        assert_eq!(told(&[counts(100, 2), counts(1_000, 1)]), "1 of 2 backends would miss it.");
        let kept = [counts(1_000, 1), counts(1_000, 9)];
        assert_eq!(told(&kept), "All 2 backends with enough requests would keep it.");
    }

    #[test]
    fn only_what_a_target_has_can_be_set() {
        let set = |target, period, max_ms| ServiceLevelSet {
            target,
            goal: Some(ServiceGoal::Percent99),
            period,
            max_ms,
        };
        let paths = |req: &ServiceLevelSet| -> Vec<String> {
            changes(req).expect("valid").into_iter().map(|(path, _)| path).collect()
        };
        let gateway = set(ObjectiveTarget::Gateway, Some(ServicePeriod::Week), None);
        assert_eq!(
            paths(&gateway),
            ["service_levels.gateway_goal", "service_levels.gateway_period"]
        );
        let first = |max| set(ObjectiveTarget::FirstToken, None, Some(max));
        let path = ["service_levels.first_token_goal", "service_levels.first_token_max_ms"];
        assert_eq!(paths(&first(100)), path);
        assert_eq!(paths(&first(60_000)), path);
        let field = |req: &ServiceLevelSet| changes(req).expect_err("refused").field;
        assert_eq!(field(&first(99)).as_deref(), Some("max_ms"));
        assert_eq!(field(&first(60_001)).as_deref(), Some("max_ms"));
        let week = Some(ServicePeriod::Week);
        assert_eq!(field(&set(ObjectiveTarget::FirstToken, week, None)).as_deref(), Some("period"));
        assert_eq!(field(&set(ObjectiveTarget::Route, None, Some(500))).as_deref(), Some("max_ms"));
    }
}
