//! How each backend has served: availability, first tokens, score.

mod availability;
mod first_token_changes;
mod lanes;
mod timeline;
mod tree;

use std::collections::HashMap;
use std::time::Duration;

use domain::{BackendId, DAY_MS, WallTime, Word};
use engine::{Engine, KeyState, endpoints_of, open_breaker};
use ledger::{
    GroupBy, LatencyGroupBy, LatencyHistogram, LatencyPart, ObservedSubject, ObservedTimeRow,
    UsageQuery,
};
use monitor::{HealthCause, ObservedHealth};
use service_levels::{HealthScore, ScoreCap, ScoreFacts, health_score};
use settings::BackendSettings;

use self::availability::availability;
use self::first_token_changes::first_token_changes;
use crate::ApiError;
use crate::operation::backends::backend_health_view;
use crate::operation::services::services_view;
use crate::operation::time_figures::milliseconds;
use crate::view::{
    BackendHealthView, FirstTokenView, HealthReportView, HealthScoreView, ScorePartView,
    ShownHealth,
};

/// Fewest first tokens whose percentiles are compared.
const FIRST_TOKENS_MIN: u64 = 10;
/// A result this old counts as fresh for nothing.
const FRESH_MAX: Duration = Duration::from_secs(120);

pub(in crate::operation) use self::availability::{
    availability_views, observed_time, percent_text, rows_of, span_text, strip,
};
pub(crate) use self::timeline::health_timeline;
pub(in crate::operation) use self::timeline::lanes_and_markers;
pub(crate) use self::tree::health_tree;

type Histograms = HashMap<String, LatencyHistogram>;

pub(crate) async fn health(engine: &Engine) -> Result<HealthReportView, ApiError> {
    let now = engine.clock().wall();
    let observed = observed_time(engine).await?;
    let budgets_left = engine.service_levels().backend_budgets_left().await?;
    // By whole hours, so that no answer is of both times.
    let day_ago = now.minus_ms(DAY_MS).hour_start();
    let lately = first_tokens(engine, day_ago, now).await?;
    let week_before = now.minus_ms(8 * DAY_MS);
    let usual = first_tokens(engine, week_before, day_ago).await?;
    let settings = engine.settings();
    let mut backends: Vec<BackendHealthView> = settings
        .backends
        .iter()
        .map(|(id, known)| {
            let own = rows_of(&observed, &ObservedSubject::Backend(id.clone()));
            let first_token = first_token_view(&lately, &usual, id);
            let left = budgets_left.get(id).copied();
            backend_view(engine, (id, known), &own, first_token, left)
        })
        .collect();
    backends.sort_by_key(|view| {
        let points = view.score.points.unwrap_or(100);
        (rank(view.health.state), points, view.label.to_lowercase())
    });
    let is_offline = engine.health_watch().is_offline();
    Ok(HealthReportView {
        finding: finding(&backends, is_offline),
        is_offline,
        backends,
        services: services_view(engine, &observed),
    })
}

/// First tokens by backend.
pub(super) async fn first_tokens(
    engine: &Engine,
    from: WallTime,
    to: WallTime,
) -> Result<Histograms, ApiError> {
    let query = UsageQuery::whole(from, to, GroupBy::Backend)
        .map_err(|error| ApiError::invalid("range", error.to_string()))?;
    let found = engine.ledger().latencies(query, LatencyGroupBy::Backend, None).await?;
    let own = |(name, mut parts): (String, ledger::LatencyParts)| {
        Some((name, parts.remove(&LatencyPart::FirstToken)?))
    };
    Ok(found.groups.into_iter().filter_map(own).collect())
}

fn first_token_view(
    lately: &Histograms,
    usual: &Histograms,
    id: &BackendId,
) -> Option<FirstTokenView> {
    let own = lately.get(id.as_str())?;
    let ms = |histogram: &LatencyHistogram, percent| milliseconds(histogram.percentile(percent));
    let before = usual.get(id.as_str()).filter(|it| it.count() >= FIRST_TOKENS_MIN);
    Some(FirstTokenView {
        changes: usual.get(id.as_str()).map(|it| first_token_changes(it, own)).unwrap_or_default(),
        p50_ms: ms(own, 50.0),
        p95_ms: ms(own, 95.0),
        count: own.count().into(),
        usual_p95_ms: before.map(|it| ms(it, 95.0)),
    })
}

fn backend_view(
    engine: &Engine,
    (id, known): (&BackendId, &BackendSettings),
    observed: &[&ObservedTimeRow],
    first_token: Option<FirstTokenView>,
    budget_left: Option<f64>,
) -> BackendHealthView {
    let now = engine.clock().wall();
    let day = availability(observed, now, 24);
    let facts = ScoreFacts {
        availability: day.share().filter(|_| engine.settings().is_backend_on(id)),
        budget_left,
        ..score_facts(engine, (id, known), first_token.as_ref())
    };
    BackendHealthView {
        id: id.to_string(),
        label: known.label.clone(),
        health: backend_health_view(engine, id),
        availability: availability_views(observed, now),
        strip: strip(observed, now),
        first_token,
        score: score_view(&health_score(&facts)),
    }
}

/// What is known of it now. What was observed and what its objective leaves is the caller's.
fn score_facts(
    engine: &Engine,
    (id, known): (&BackendId, &BackendSettings),
    first_token: Option<&FirstTokenView>,
) -> ScoreFacts {
    let settings = engine.settings();
    let health = engine.health_watch().health(id);
    let is_open = open_breaker(engine.endpoint_registry(), &settings, engine.mock_id(), id);
    let blocked = |endpoint| engine.endpoint_registry().status(&endpoint).block.is_some();
    let mut own = endpoints_of(&settings, engine.mock_id(), id);
    let is_rejected = health.as_ref().is_some_and(|it| it.cause == HealthCause::KeyRejected);
    let enough = first_token.filter(|it| it.count.0 >= FIRST_TOKENS_MIN);
    ScoreFacts {
        latency: enough.and_then(|it| Some(it.usual_p95_ms? / it.p95_ms.max(1.0))),
        is_key_accepted: key_is_accepted(engine, known),
        freshness: health.as_ref().and_then(|it| freshness(it, engine.clock().wall())),
        is_blocked: is_rejected || own.all(blocked),
        is_breaker_open: is_open.is_some(),
        is_stale: health.is_none_or(|it| it.state == domain::HealthState::Unknown),
        ..ScoreFacts::default()
    }
}

/// `None` without a key, or if nothing is known about any.
fn key_is_accepted(engine: &Engine, known: &BackendSettings) -> Option<bool> {
    let states: Vec<KeyState> =
        known.pool.credentials().map(|key| engine.keys().status(key).state).collect();
    if states.contains(&KeyState::Valid) {
        return Some(true);
    }
    let is_fault = |state: &KeyState| {
        matches!(state, KeyState::Rejected | KeyState::Expired | KeyState::Missing)
    };
    states.iter().any(is_fault).then_some(false)
}

fn freshness(health: &ObservedHealth, now: WallTime) -> Option<f64> {
    let age_ms = now.unix_ms().saturating_sub(health.observed?.unix_ms()).max(0);
    Some(1.0 - age_ms as f64 / FRESH_MAX.as_millis() as f64)
}

fn score_view(score: &HealthScore) -> HealthScoreView {
    let part = |(part, share): &(service_levels::ScorePart, Option<f64>)| ScorePartView {
        part: *part,
        meaning: part.meaning().to_owned(),
        points: share.map(|share| share * f64::from(part.points_max())),
        points_max: part.points_max().into(),
    };
    HealthScoreView {
        points: score.points.map(whole_points),
        parts: score.parts.iter().map(part).collect(),
        cap: score.cap,
        cap_sentence: score.cap.map(|cap: ScoreCap| cap.meaning().to_owned()),
        confidence: score.confidence,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a score is from 0 to 100"
)]
fn whole_points(points: f64) -> u32 {
    points.clamp(0.0, 100.0).round() as u32
}

const fn rank(state: ShownHealth) -> u8 {
    match state {
        ShownHealth::Down => 0,
        ShownHealth::Degraded => 1,
        ShownHealth::Unknown => 2,
        ShownHealth::Up => 3,
        ShownHealth::Disabled => 4,
    }
}

fn finding(backends: &[BackendHealthView], is_offline: bool) -> String {
    let count = |state| backends.iter().filter(|it| it.health.state == state).count();
    let (down, unknown) = (count(ShownHealth::Down), count(ShownHealth::Unknown));
    let degraded = count(ShownHealth::Degraded);
    let on = backends.len() - count(ShownHealth::Disabled);
    let of = |number: usize, verbs: [&str; 2]| {
        let noun = if on == 1 { "backend" } else { "backends" };
        let [one, many] = verbs;
        format!("{number} of {on} {noun} {}", if number == 1 { one } else { many })
    };
    match (on, down, unknown) {
        (0, ..) => "No backend is in use".to_owned(),
        _ if is_offline => "This machine is offline".to_owned(),
        (_, 0, _) if degraded > 0 => of(degraded, ["is degraded", "are degraded"]),
        (_, 0, 0) if on == 1 => "The backend answers".to_owned(),
        (_, 0, 0) => format!("All {on} backends answer"),
        (_, 0, unknown) => of(unknown, ["is not checked yet", "are not checked yet"]),
        (_, down, _) => of(down, ["does not answer", "do not answer"]),
    }
}
