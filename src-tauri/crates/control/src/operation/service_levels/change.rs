//! How objectives are changed, and what a change would mean.

use std::collections::HashMap;
use std::time::Duration;

use domain::{RouteId, ServiceId, group_digits};
use engine::{
    Engine, LevelScope, ObjectiveTarget, default_terms, first_token_max, has_own_terms,
    objective_of, route_target,
};
use ledger::LatencyHistogram;
use service_levels::{BurnWindow, Objective, ObservedTime, RequestCounts};
use settings::{FIRST_TOKEN_MAX_MS_RANGE, OwnObjective, SettingValue, Settings};

use super::downtime::downtime_consequence;
use super::objectives::{consequence, counts_of, effect, effect_of_one};
use super::{counts_within, default_text, first_token_text, objective_text, recent_first_tokens};
use crate::ApiError;
use crate::operation::input;
use crate::view::{ServiceLevelPreviewView, ServiceLevelSet, ServiceLevelsView};

#[derive(Debug)]
enum ObjectiveChange {
    /// Values of `service_levels`, by their paths.
    Default(Vec<(String, SettingValue)>),
    Own(LevelScope),
}

pub(crate) async fn service_level_set(
    engine: &Engine,
    req: ServiceLevelSet,
) -> Result<ServiceLevelsView, ApiError> {
    match parse_change(&engine.settings(), &req)? {
        ObjectiveChange::Default(changes) => engine.settings_editor().set_values(changes).await?,
        ObjectiveChange::Own(scope) => {
            let change = move |draft: &mut Settings| set_own(draft, &scope, &req);
            engine.settings_editor().edit(change).await?;
        }
    }
    super::service_levels(engine).await
}

pub(crate) async fn service_level_preview(
    engine: &Engine,
    req: ServiceLevelSet,
) -> Result<ServiceLevelPreviewView, ApiError> {
    let mut draft = Settings::clone(&engine.settings());
    match parse_change(&draft, &req)? {
        ObjectiveChange::Default(changes) => {
            let changed = draft.with_values(&changes);
            let draft = changed.map_err(|error| ApiError::invalid("target", error.to_string()))?;
            preview_default(engine, &draft, req.target).await
        }
        ObjectiveChange::Own(scope) => {
            set_own(&mut draft, &scope, &req);
            preview_own(engine, &draft, &scope, req.target).await
        }
    }
}

async fn preview_default(
    engine: &Engine,
    draft: &Settings,
    target: ObjectiveTarget,
) -> Result<ServiceLevelPreviewView, ApiError> {
    let objective = default_terms(draft, target).objective();
    let (allows, left): (String, Vec<Option<f64>>) = if target == ObjectiveTarget::Service {
        let found = engine.service_levels().availabilities(draft).await?;
        let is_own = |id: &ServiceId| {
            has_own_terms(draft, &LevelScope::Service(id.clone()), ObjectiveTarget::Service)
        };
        let followers = found.iter().filter(|it| !is_own(&it.service));
        let left = followers.map(|it| objective.downtime_left(it.uptime.time)).collect();
        (downtime_consequence(objective, Duration::ZERO), left)
    } else {
        let levels = engine.service_levels().levels().await?;
        let first_tokens = recent_first_tokens(engine).await?;
        let counts = counts_of(draft, target, &levels, &first_tokens);
        let left = counts.iter().map(|it| objective.budget_left(*it)).collect();
        (consequence(target, objective, counts.into_iter().sum()), left)
    };
    Ok(ServiceLevelPreviewView {
        consequence: format!("{} {allows}", default_text(draft, target)),
        effect: effect(target, &left),
    })
}

async fn preview_own(
    engine: &Engine,
    draft: &Settings,
    scope: &LevelScope,
    target: ObjectiveTarget,
) -> Result<ServiceLevelPreviewView, ApiError> {
    let target = match scope {
        LevelScope::Route(id) => draft.routes.get(id).map_or(target, route_target),
        _ => target,
    };
    let objective = objective_of(draft, scope, target);
    if let LevelScope::Service(id) = scope {
        let found = engine.service_levels().availabilities(draft).await?;
        let own = found.into_iter().find(|it| it.service == *id);
        return Ok(service_preview(objective, own.map(|it| it.uptime.time).unwrap_or_default()));
    }
    let (text, counts) = match (target, scope) {
        (ObjectiveTarget::FirstToken, LevelScope::Backend(id)) => {
            let max = first_token_max(draft, id);
            let first_tokens: HashMap<String, LatencyHistogram> =
                recent_first_tokens(engine).await?;
            let found = first_tokens.get(id.as_str());
            let counts = found.map(|found| counts_within(found, max)).unwrap_or_default();
            (first_token_text(objective, max), counts)
        }
        _ => (objective_text(objective), request_counts(engine, scope, objective).await?),
    };
    Ok(ServiceLevelPreviewView {
        consequence: format!("{text} {}", consequence(target, objective, counts)),
        effect: effect_of_one(target, objective.budget_left(counts)),
    })
}

fn service_preview(objective: Objective, time: ObservedTime) -> ServiceLevelPreviewView {
    let allows = downtime_consequence(objective, time.observed());
    ServiceLevelPreviewView {
        consequence: format!("{} {allows}", objective_text(objective)),
        effect: effect_of_one(ObjectiveTarget::Service, objective.downtime_left(time)),
    }
}

async fn request_counts(
    engine: &Engine,
    scope: &LevelScope,
    objective: Objective,
) -> Result<RequestCounts, ApiError> {
    let levels = engine.service_levels().levels().await?;
    let own = levels.into_iter().find(|level| level.scope == *scope);
    Ok(own.map(|level| level.counts(BurnWindow::of_period(objective.period))).unwrap_or_default())
}

fn parse_change(settings: &Settings, req: &ServiceLevelSet) -> Result<ObjectiveChange, ApiError> {
    check_fields(req)?;
    let Some(name) = &req.name else { return Ok(ObjectiveChange::Default(default_changes(req))) };
    Ok(ObjectiveChange::Own(parse_scope(settings, req.target, name)?))
}

/// Refuses what the target does not have.
fn check_fields(req: &ServiceLevelSet) -> Result<(), ApiError> {
    let is_first_token = req.target == ObjectiveTarget::FirstToken;
    let refused = |field: &str, message: &str| Err(ApiError::invalid(field, message));
    if req.to_default && (req.goal.is_some() || req.period.is_some() || req.max_ms.is_some()) {
        return refused("to_default", "the default takes no other numbers");
    }
    if is_first_token && req.period.is_some() {
        return refused("period", "first tokens are counted over 7 days");
    }
    if is_first_token && req.goal.is_some() && req.name.is_some() {
        let message = "the goal of first tokens is the same for all backends; set the longest time";
        return refused("goal", message);
    }
    match req.max_ms {
        Some(_) if !is_first_token => refused("max_ms", "only first tokens have a longest time"),
        Some(ms) if !FIRST_TOKEN_MAX_MS_RANGE.contains(&i64::from(ms)) => {
            let longest = group_digits(FIRST_TOKEN_MAX_MS_RANGE.end().unsigned_abs());
            let shortest = FIRST_TOKEN_MAX_MS_RANGE.start();
            refused("max_ms", &format!("a number from {shortest} to {longest} ms"))
        }
        _ => Ok(()),
    }
}

/// Values of `service_levels`, by their paths.
fn default_changes(req: &ServiceLevelSet) -> Vec<(String, SettingValue)> {
    let name = req.target.word().replace('-', "_");
    let path = |last: &str| format!("service_levels.{name}_{last}");
    if req.to_default {
        let all = ["goal", "period", "max_ms"].map(|last| Settings::setting(&path(last)));
        let all = all.into_iter().flatten();
        return all.map(|it| (it.path.to_owned(), it.default_value())).collect();
    }
    let text = |word: &str| SettingValue::Text(word.to_owned());
    let goal = req.goal.map(|it| (path("goal"), text(it.word())));
    let period = req.period.map(|it| (path("period"), text(it.word())));
    let max_ms = req.max_ms.map(|it| (path("max_ms"), SettingValue::Number(it.into())));
    [goal, period, max_ms].into_iter().flatten().collect()
}

fn parse_scope(
    settings: &Settings,
    target: ObjectiveTarget,
    name: &str,
) -> Result<LevelScope, ApiError> {
    let is_known = |is_known, noun: &str| match is_known {
        true => Ok(()),
        false => Err(ApiError::not_found(format!("there is no {noun} with this name"))),
    };
    match target {
        ObjectiveTarget::Gateway => {
            Err(ApiError::invalid("name", "there is one gateway; leave its name out"))
        }
        ObjectiveTarget::Route => {
            let id: RouteId = input::parse_id("name", name)?;
            is_known(settings.routes.contains_key(&id), "route")?;
            Ok(LevelScope::Route(id))
        }
        ObjectiveTarget::Backend | ObjectiveTarget::FirstToken => {
            Ok(LevelScope::Backend(input::parse_known_backend(settings, name)?))
        }
        ObjectiveTarget::Service => {
            let id: ServiceId = input::parse_id("name", name)?;
            is_known(settings.services.contains_key(&id), "service")?;
            Ok(LevelScope::Service(id))
        }
    }
}

fn changed_own(known: OwnObjective, req: &ServiceLevelSet) -> OwnObjective {
    match (req.target, req.to_default) {
        (ObjectiveTarget::FirstToken, true) => OwnObjective { first_token_max_ms: None, ..known },
        (ObjectiveTarget::FirstToken, false) => {
            OwnObjective { first_token_max_ms: req.max_ms.or(known.first_token_max_ms), ..known }
        }
        (_, true) => OwnObjective { goal: None, period: None, ..known },
        (_, false) => OwnObjective {
            goal: req.goal.or(known.goal),
            period: req.period.or(known.period),
            ..known
        },
    }
}

/// Does nothing to what was removed meanwhile.
fn set_own(draft: &mut Settings, scope: &LevelScope, req: &ServiceLevelSet) {
    let place = match scope {
        LevelScope::Gateway => None,
        LevelScope::Route(id) => draft.routes.get_mut(id).map(|known| &mut known.objective),
        LevelScope::Backend(id) => draft.backends.get_mut(id).map(|known| &mut known.objective),
        LevelScope::Service(id) => draft.services.get_mut(id).map(|known| &mut known.objective),
    };
    if let Some(place) = place {
        *place = changed_own(*place, req);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{ServiceGoal, ServicePeriod};

    const REQUEST: ServiceLevelSet = ServiceLevelSet {
        target: ObjectiveTarget::Gateway,
        name: None,
        goal: None,
        period: None,
        max_ms: None,
        to_default: false,
    };

    fn changes(req: &ServiceLevelSet) -> Vec<String> {
        match parse_change(&Settings::default(), req).expect("valid") {
            ObjectiveChange::Default(all) => all.into_iter().map(|(path, _)| path).collect(),
            own => panic!("{own:?}"),
        }
    }

    fn refused(req: &ServiceLevelSet) -> Option<String> {
        parse_change(&Settings::default(), req).expect_err("refused").field
    }

    #[test]
    fn only_what_a_target_has_can_be_set() {
        let (goal, week) = (Some(ServiceGoal::Percent99), Some(ServicePeriod::Week));
        let gateway = ServiceLevelSet { goal, period: week, ..REQUEST };
        let paths = ["service_levels.gateway_goal", "service_levels.gateway_period"];
        assert_eq!(changes(&gateway), paths);
        let token = ServiceLevelSet { target: ObjectiveTarget::FirstToken, ..REQUEST };
        let first = |max_ms| ServiceLevelSet { goal, max_ms: Some(max_ms), ..token.clone() };
        let paths = ["service_levels.first_token_goal", "service_levels.first_token_max_ms"];
        assert_eq!(changes(&first(100)), paths);
        assert_eq!(changes(&first(60_000)), paths);
        assert_eq!(refused(&first(99)).as_deref(), Some("max_ms"));
        assert_eq!(refused(&first(60_001)).as_deref(), Some("max_ms"));
        let with_period = ServiceLevelSet { period: week, ..token.clone() };
        assert_eq!(refused(&with_period).as_deref(), Some("period"));
        let route = ServiceLevelSet { target: ObjectiveTarget::Route, ..REQUEST };
        let slow = ServiceLevelSet { max_ms: Some(500), ..route };
        assert_eq!(refused(&slow).as_deref(), Some("max_ms"));
        let name = Some("home".to_owned());
        let one = ServiceLevelSet { goal, name: name.clone(), ..token };
        assert_eq!(refused(&one).as_deref(), Some("goal"), "it is the same for all backends");
        let gateway = ServiceLevelSet { goal, name, ..REQUEST };
        assert_eq!(refused(&gateway).as_deref(), Some("name"));
    }

    #[test]
    fn a_default_goes_back_to_what_it_was_at_first_with_all_its_parts() {
        let token =
            ServiceLevelSet { target: ObjectiveTarget::FirstToken, to_default: true, ..REQUEST };
        let paths = ["service_levels.first_token_goal", "service_levels.first_token_max_ms"];
        assert_eq!(changes(&token), paths);
        let both = ServiceLevelSet { max_ms: Some(500), ..token };
        assert_eq!(refused(&both).as_deref(), Some("to_default"));
    }

    #[test]
    fn an_objective_of_its_own_keeps_the_parts_that_a_request_leaves_out() {
        let known = OwnObjective {
            goal: Some(ServiceGoal::Percent99),
            period: Some(ServicePeriod::Month),
            first_token_max_ms: Some(8_000),
        };
        let backend = ServiceLevelSet { target: ObjectiveTarget::Backend, ..REQUEST };
        let week = ServiceLevelSet { period: Some(ServicePeriod::Week), ..backend.clone() };
        let changed = changed_own(known, &week);
        assert_eq!(changed, OwnObjective { period: Some(ServicePeriod::Week), ..known });
        let back = changed_own(known, &ServiceLevelSet { to_default: true, ..backend });
        assert_eq!(back, OwnObjective { goal: None, period: None, ..known });
        let token = ServiceLevelSet { target: ObjectiveTarget::FirstToken, ..REQUEST };
        let back = changed_own(known, &ServiceLevelSet { to_default: true, ..token });
        assert_eq!(back, OwnObjective { first_token_max_ms: None, ..known });
    }
}
