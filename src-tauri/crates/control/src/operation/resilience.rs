//! Operations on endpoints: their state, and overrides by the user. An endpoint is a backend with
//! one of its keys.

use std::time::Duration;

use ::resilience::{BlockReason, BreakerOverride, EndpointState, EndpointStatus};
use domain::{ClockReading, CredentialId, Endpoint, capitalize};
use engine::{
    Availability, Engine, backend_labels, configured_endpoints, forced_closed_time,
    wall_time_unless_start,
};
use gateway::CONNECTIONS_MAX;
use settings::Settings;

use crate::ApiError;
use crate::operation::input;
use crate::view::{
    ActiveOverrideView, AvailabilityView, BreakerState, BreakerView, ConcurrencyView, CooldownView,
    EndpointBlockView, EndpointForce, EndpointRef, EndpointView, FORCE_MINUTES_MAX,
};

mod backtest;
pub(super) mod failure_cause;
mod request_path;
mod timeline;

pub(crate) use backtest::breaker_backtest;
pub(crate) use request_path::request_path;
pub(crate) use timeline::breaker_timeline;
pub(in crate::operation) use timeline::restrictions_since;
pub(super) use timeline::times_text;

/// Who sets overrides: this machine has one user.
const OVERRIDE_AUTHOR: &str = "you";

pub(crate) async fn accesses(engine: &Engine) -> Result<Vec<EndpointView>, ApiError> {
    let settings = engine.settings();
    let labels = backend_labels(&engine.settings(), engine.mock_id());
    let view = |endpoint: Endpoint| {
        let label = labels.get(endpoint.backend.as_str());
        let backend_label = label.cloned().unwrap_or_else(|| endpoint.backend.to_string());
        endpoint_view(engine, &settings, &endpoint, backend_label)
    };
    Ok(configured_endpoints(&engine.settings(), engine.mock_id()).into_iter().map(view).collect())
}

pub(crate) async fn access_force(
    engine: &Engine,
    req: EndpointForce,
) -> Result<EndpointView, ApiError> {
    if req.minutes.is_some_and(|minutes| !(1..=FORCE_MINUTES_MAX).contains(&minutes)) {
        let message = format!("choose 1 to {FORCE_MINUTES_MAX} minutes");
        return Err(ApiError::invalid("minutes", message));
    }
    let endpoint = parse_known_endpoint(engine, &req.backend, req.credential.as_deref())?;
    let expires = match (req.minutes, req.forced) {
        (Some(minutes), _) => Some(Duration::from_secs(60 * u64::from(minutes))),
        (None, BreakerOverride::Closed) => {
            Some(forced_closed_time(&engine.settings().resilience.numbers()))
        }
        (None, _) => None,
    };
    engine.endpoint_registry().force(&endpoint, req.forced, expires);
    find_endpoint_view(engine, &endpoint).await
}

pub(crate) async fn access_reset(
    engine: &Engine,
    req: EndpointRef,
) -> Result<EndpointView, ApiError> {
    let endpoint = parse_known_endpoint(engine, &req.backend, req.credential.as_deref())?;
    engine.endpoint_registry().reset(&endpoint);
    find_endpoint_view(engine, &endpoint).await
}

/// The availability of an endpoint at this moment, with its reason.
pub(super) fn endpoint_availability(
    engine: &Engine,
    settings: &Settings,
    endpoint: &Endpoint,
) -> AvailabilityView {
    let own = engine.backend_states().endpoint(settings, endpoint);
    availability_view(endpoint.credential.as_ref(), own)
}

pub(super) fn availability_view(
    credential: Option<&CredentialId>,
    Availability { state, percent, why, since, until }: Availability,
) -> AvailabilityView {
    AvailabilityView {
        credential: credential.map(ToString::to_string),
        state,
        percent,
        why,
        since: since.map(Into::into),
        until: until.map(Into::into),
    }
}

async fn find_endpoint_view(
    engine: &Engine,
    endpoint: &Endpoint,
) -> Result<EndpointView, ApiError> {
    let key = endpoint.credential.as_ref().map(ToString::to_string);
    let mut all = accesses(engine).await?.into_iter();
    all.find(|view| view.backend == endpoint.backend.as_str() && view.credential == key)
        .ok_or_else(|| ApiError::not_found(format!("{endpoint} no longer exists")))
}

/// Finds the endpoint that a request names. Without a key, the backend must have only one endpoint.
fn parse_known_endpoint(
    engine: &Engine,
    backend: &str,
    credential: Option<&str>,
) -> Result<Endpoint, ApiError> {
    let backend = match backend {
        settings::MOCK_BACKEND_ID => input::parse_id("backend", backend)?,
        _ => input::parse_known_backend(&engine.settings(), backend)?,
    };
    let credential = credential.map(|text| input::parse_id("credential", text)).transpose()?;
    let mut own = configured_endpoints(&engine.settings(), engine.mock_id());
    own.retain(|endpoint| endpoint.backend == backend);
    match (credential, own.as_slice()) {
        (None, [only]) => Ok(only.clone()),
        (None, several) => {
            let names = several.iter().filter_map(|endpoint| endpoint.credential.as_ref());
            let names: Vec<String> = names.map(ToString::to_string).collect();
            let message = format!("{backend} has several keys; choose one of {}", names.join(", "));
            Err(ApiError::invalid("credential", message))
        }
        (Some(key), own) => {
            let found = own.iter().find(|endpoint| endpoint.credential.as_ref() == Some(&key));
            found.cloned().ok_or_else(|| {
                ApiError::not_found(format!("{backend} does not use a key named {key}"))
            })
        }
    }
}

fn endpoint_view(
    engine: &Engine,
    settings: &Settings,
    endpoint: &Endpoint,
    backend_label: String,
) -> EndpointView {
    let standing = engine.endpoint_registry().status(endpoint);
    let clocks = ClockReading::read(engine.clock());
    let key = endpoint.credential.as_ref();
    let label = key.and_then(|key| settings.credentials.get(key)).map(|known| known.label.clone());
    EndpointView {
        backend: endpoint.backend.to_string(),
        backend_label,
        credential: key.map(ToString::to_string),
        credential_label: label,
        availability: availability_view(
            key,
            Availability::of(settings, endpoint, &standing, clocks),
        ),
        breaker: breaker_view(&standing, clocks),
        cooldowns: cooldown_views(engine, endpoint, &standing, clocks),
        block: standing.block.map(|block| EndpointBlockView {
            reason: block.reason,
            why: standing.reason.clone(),
            fix: block_fix(block.reason).to_owned(),
            since: wall_time_unless_start(block.since, clocks).map(Into::into),
        }),
        forced: standing.override_.map(|set| ActiveOverrideView {
            forced: set.forced,
            by: OVERRIDE_AUTHOR.to_owned(),
            since: None,
            until: set.until.map(|until| clocks.wall_at(until).into()),
        }),
        concurrency: concurrency_view(engine, settings, endpoint),
    }
}

fn concurrency_view(engine: &Engine, settings: &Settings, endpoint: &Endpoint) -> ConcurrencyView {
    let (in_flight, learnt) = engine.endpoint_registry().load(&endpoint.backend);
    let known = settings.backends.get(&endpoint.backend);
    let set = known.and_then(|known| known.limits.in_flight_max);
    let set = set.map(|most| u32::try_from(most).unwrap_or(u32::MAX));
    // A limit at the maximum number of connections means that none has been learnt yet.
    let most = u32::try_from(CONNECTIONS_MAX).unwrap_or(u32::MAX);
    let learnt = learnt.filter(|limit| *limit < most);
    let limit = [set, learnt].into_iter().flatten().min();
    ConcurrencyView { in_flight, limit, limit_max: set }
}

fn breaker_view(standing: &EndpointStatus, clocks: ClockReading) -> BreakerView {
    let is_alone =
        standing.block.is_none() && standing.override_.is_none() && standing.cooldown.is_none();
    let (state, percent) = match standing.breaker {
        EndpointState::Closed => (BreakerState::Closed, None),
        EndpointState::Open => (BreakerState::Open, None),
        EndpointState::HalfOpen => (BreakerState::HalfOpen, None),
        EndpointState::Recovering { percent } => (BreakerState::Recovering, Some(percent)),
    };
    let until = standing.until.filter(|_| is_alone && state == BreakerState::Open);
    BreakerView {
        state,
        percent,
        why: standing.rule.map_or_else(
            || "No failures have been seen.".to_owned(),
            |rule| sentence_from_clause(rule.clause()),
        ),
        since: standing.since.and_then(|at| wall_time_unless_start(at, clocks)).map(Into::into),
        until: until.map(|at| clocks.wall_at(at).into()),
    }
}

fn cooldown_views(
    engine: &Engine,
    endpoint: &Endpoint,
    standing: &EndpointStatus,
    clocks: ClockReading,
) -> Vec<CooldownView> {
    let view = |model: Option<String>, cooldown: ::resilience::CooldownEnd| CooldownView {
        model,
        why: cooldown.kind.sentence().to_owned(),
        until: clocks.wall_at(cooldown.at).into(),
    };
    let own = standing.cooldown.map(|cooldown| view(None, cooldown));
    let models = engine.endpoint_registry().model_cooldowns(endpoint).into_iter();
    own.into_iter().chain(models.map(|one| view(Some(one.model), one.cooldown))).collect()
}

const fn block_fix(reason: BlockReason) -> &'static str {
    match reason {
        BlockReason::KeyRejected => "Replace the key.",
        BlockReason::Forbidden => "Give the key this permission or use another key, then test it.",
        BlockReason::Unpaid => "Top up the account, then test the backend.",
        BlockReason::QuotaExhausted => "Raise the limit at the provider, then test the backend.",
    }
}

/// Turns a clause into a sentence: "it has recovered" becomes "It has recovered."
pub(super) fn sentence_from_clause(clause: &str) -> String {
    match clause.trim_end_matches('.') {
        "" => String::new(),
        clause => format!("{}.", capitalize(clause)),
    }
}
