//! Builds the views of backends.

use std::collections::HashMap;

use domain::{BackendId, Meter};
use engine::{BackendHealth, Engine};
use ledger::{UsageKey, UsageSummary, UsageTotals};
use monitor::{ObservedHealth, ProbeReport, ProbeStep};
use pricing::{Price, Provider};
use settings::{BackendKind, BackendSettings};

use crate::operation::dependents;
use crate::operation::keys::spend_view;
use crate::view::{
    BackendDayView, BackendTestStepState, BackendTestStepView, BackendTestView, BackendView,
    DependentsView, HealthView, KeyPoolView, ModelView, NanoDollars, PoolOrder, PriceView,
    ShownHealth, TrafficLimitsView, TranslationMode,
};

/// Hours in a backend's chart.
const CHART_HOURS: usize = 24;

pub(super) fn backend_view(
    engine: &Engine,
    id: &BackendId,
    known: &BackendSettings,
    day: &UsageSummary,
) -> BackendView {
    BackendView {
        id: id.to_string(),
        label: known.label.clone(),
        kind: known.kind,
        base_url: Some(known.base_url.to_string()),
        enabled: known.enabled,
        built_in: false,
        credential: known.credential().map(ToString::to_string),
        pool: (&known.pool).into(),
        limits: known.limits.into(),
        in_profile: engine.settings().is_in_profile(id),
        health: backend_health_view(engine, id),
        models: models_view(engine, id),
        declared_models: known.models.clone(),
        lacks: known.lacks.iter().copied().collect(),
        offers: known.offers.iter().copied().collect(),
        crossing: known.crossing,
        dependents: dependents::backend_dependents(&engine.settings(), id),
        last_day: last_day_view(id.as_str(), day),
    }
}

pub(super) fn mock_view(engine: &Engine, day: &UsageSummary) -> BackendView {
    let id = engine.mock_id();
    BackendView {
        id: id.to_string(),
        label: "Mock".to_owned(),
        kind: BackendKind::Mock,
        base_url: None,
        enabled: true,
        in_profile: true,
        built_in: true,
        credential: None,
        pool: KeyPoolView { order: PoolOrder::Ordered, members: Vec::new() },
        limits: TrafficLimitsView::default(),
        health: health_view(engine, id),
        models: models_view(engine, id),
        declared_models: Vec::new(),
        lacks: Vec::new(),
        offers: Vec::new(),
        crossing: TranslationMode::Strict,
        dependents: DependentsView::default(),
        last_day: last_day_view(id.as_str(), day),
    }
}

pub(in crate::operation) fn backend_health_view(engine: &Engine, id: &BackendId) -> HealthView {
    let settings = engine.settings();
    match settings.why_backend_is_off(id) {
        None => health_view(engine, id),
        Some(why) => disabled_health_view(why.trim_start_matches("is ")),
    }
}

pub(in crate::operation) fn disabled_health_view(why: &str) -> HealthView {
    HealthView {
        state: ShownHealth::Disabled,
        reason: why.to_owned(),
        since: None,
        last_checked: None,
        probe_ms: None,
        last_known: None,
    }
}

/// The health of a backend that is on, or of the mock. How well it answers counts only while it answers.
pub(in crate::operation) fn health_view(engine: &Engine, id: &BackendId) -> HealthView {
    let health = engine.backend_states().health(id);
    let (observed, degraded) = match health {
        Some(BackendHealth { observed, degraded }) => (Some(observed), degraded),
        None => (None, None),
    };
    let view = observed_health_view(observed);
    match degraded {
        None => view,
        Some(degraded) => HealthView {
            state: ShownHealth::Degraded,
            reason: degraded.clause(),
            since: degraded.since.map(Into::into),
            ..view
        },
    }
}

/// The health of something that is watched, or is about to be.
pub(in crate::operation) fn observed_health_view(health: Option<ObservedHealth>) -> HealthView {
    let Some(health) = health else {
        return HealthView {
            state: ShownHealth::Unknown,
            reason: "not checked yet".to_owned(),
            since: None,
            last_checked: None,
            probe_ms: None,
            last_known: None,
        };
    };
    let ms = |time: std::time::Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
    HealthView {
        state: health.state.into(),
        reason: health.reason,
        since: health.since.map(Into::into),
        last_checked: health.observed.map(Into::into),
        probe_ms: health.probe_duration.map(ms),
        last_known: health.last_known.map(|known| known.state.into()),
    }
}

fn models_view(engine: &Engine, id: &BackendId) -> Vec<ModelView> {
    let (settings, now) = (engine.settings(), engine.clock().wall());
    let provider = match settings.backends.get(id) {
        Some(known) if known.kind != BackendKind::Mock => {
            Provider::from_base_url(&known.base_url, known.credential().is_some())
        }
        _ => Some(Provider::Mock),
    };
    let book = engine.prices();
    let price =
        |model: &String| book.find(id, provider, model, now).map(|price| price_view(&price));
    let view = |model: String| ModelView { price: price(&model), id: model };
    engine.model_catalogue().models(id).into_iter().map(view).collect()
}

fn price_view(price: &Price) -> PriceView {
    let rate =
        |meter| price.terms.rates.of(meter).map(|rate| NanoDollars(rate.nanos_per_million()));
    PriceView {
        input_nano_usd: rate(Meter::Input),
        output_nano_usd: rate(Meter::Output),
        cache_read_nano_usd: rate(Meter::CacheRead),
        valid_from: price.valid_from.to_day(),
        source: price.source.clone(),
    }
}

fn last_day_view(id: &str, day: &UsageSummary) -> BackendDayView {
    let key = UsageKey::Named(id.to_owned());
    let totals: HashMap<&UsageKey, &UsageTotals> =
        day.groups.iter().map(|(key, totals)| (key, totals)).collect();
    let totals = totals.get(&key).copied();
    let hours = |number: fn(&UsageTotals) -> u64| {
        let of_hour = |bucket: &ledger::UsageBucket| {
            let found = bucket.groups.iter().find(|(group, _)| *group == key);
            found.map_or(0, |(_, totals)| u32::try_from(number(totals)).unwrap_or(u32::MAX))
        };
        let mut hours: Vec<u32> = day.buckets.iter().rev().take(CHART_HOURS).map(of_hour).collect();
        hours.resize(CHART_HOURS, 0);
        hours.reverse();
        hours
    };
    let mean = totals.and_then(UsageTotals::first_token_mean);
    BackendDayView {
        spend: spend_view(totals),
        failed: totals.map_or(0, |totals| totals.failed).into(),
        requests_per_hour: hours(|totals| totals.requests),
        failed_per_hour: hours(|totals| totals.failed),
        first_token_ms: mean.map(|time| u32::try_from(time.as_millis()).unwrap_or(u32::MAX)),
    }
}

pub(super) fn test_view(id: String, report: ProbeReport) -> BackendTestView {
    BackendTestView {
        id,
        passed: report.steps.iter().all(|step| matches!(step, ProbeStep::Passed { .. })),
        steps: report.steps.into_iter().map(step_view).collect(),
    }
}

pub(in crate::operation) fn step_view(step: ProbeStep) -> BackendTestStepView {
    let ms = |time: std::time::Duration| u32::try_from(time.as_millis()).ok();
    let view = |title, state, detail, fix, duration_ms| BackendTestStepView {
        title,
        state,
        detail,
        fix,
        duration_ms,
    };
    match step {
        ProbeStep::Passed { title, detail, duration } => {
            view(title, BackendTestStepState::Pass, detail, None, duration.and_then(ms))
        }
        ProbeStep::Failed { title, detail, fix } => {
            view(title, BackendTestStepState::Fail, detail, fix, None)
        }
        ProbeStep::Skipped { title } => {
            let detail = "skipped, because an earlier step failed".to_owned();
            view(title, BackendTestStepState::Skipped, detail, None, None)
        }
    }
}
