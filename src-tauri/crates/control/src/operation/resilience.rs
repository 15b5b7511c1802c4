//! Operations on endpoints: their state, and overrides by the user. An endpoint is a backend with
//! one of its keys.

use std::time::Duration;

use ::resilience::{BlockReason, BreakerOverride, EndpointState, EndpointStatus, LimitKind};
use domain::{ClockReading, Endpoint, Moment, WallTime, capitalize};
use engine::{Engine, backend_labels, configured_endpoints, forced_closed_time};
use gateway::CONNECTIONS_MAX;
use settings::Settings;

use super::input;
use crate::ApiError;
use crate::view::{
    ActiveOverrideView, AvailabilityState, AvailabilityView, BreakerState, BreakerView,
    ConcurrencyView, CooldownView, EndpointBlockView, EndpointForce, EndpointRef, EndpointView,
    FORCE_MINUTES_MAX, UnixMs,
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

/// Reason shown for an endpoint that is ready.
const HEALTHY_SENTENCE: &str = "Healthy.";
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

/// Returns the availability of an endpoint at this moment, with its reason.
pub(super) fn endpoint_availability(
    engine: &Engine,
    settings: &Settings,
    endpoint: &Endpoint,
) -> AvailabilityView {
    let standing = engine.endpoint_registry().status(endpoint);
    availability_view(
        &standing,
        ClockReading::read(engine.clock()),
        endpoint,
        why_off(settings, endpoint),
    )
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
        availability: availability_view(&standing, clocks, endpoint, why_off(settings, endpoint)),
        breaker: breaker_view(&standing, clocks),
        cooldowns: cooldown_views(engine, endpoint, &standing, clocks),
        block: standing.block.map(|block| EndpointBlockView {
            reason: block.reason,
            why: standing.reason.clone(),
            fix: block_fix(block.reason).to_owned(),
            since: wall_time_unless_start(block.since, clocks),
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

/// `None` for the mock, which is not in the settings.
fn why_off(settings: &Settings, endpoint: &Endpoint) -> Option<String> {
    let is_known = settings.backends.contains_key(&endpoint.backend);
    settings.why_backend_is_off(&endpoint.backend).filter(|_| is_known)
}

/// Returns the most restrictive state.
fn availability_view(
    standing: &EndpointStatus,
    clocks: ClockReading,
    endpoint: &Endpoint,
    why_off: Option<String>,
) -> AvailabilityView {
    let credential = endpoint.credential.as_ref().map(ToString::to_string);
    let wall = |at: Moment| UnixMs::from(clocks.wall_at(at));
    let view = |state, why: &str, since, until| AvailabilityView {
        credential: credential.clone(),
        state,
        percent: None,
        why: why.to_owned(),
        since,
        until,
    };
    if let Some(why) = why_off {
        return view(AvailabilityState::Off, &format!("The backend {why}."), None, None);
    }
    let (why, until) = (standing.reason.as_str(), standing.until.map(wall));
    if let Some(block) = standing.block {
        return view(
            AvailabilityState::Blocked,
            why,
            wall_time_unless_start(block.since, clocks),
            None,
        );
    }
    let is_held_open = standing.override_.is_some_and(|set| set.forced == BreakerOverride::Open);
    if is_held_open {
        return view(AvailabilityState::Held, why, None, until);
    }
    if let Some(cooldown) = standing.cooldown {
        let why = cooldown_sentence(cooldown.kind);
        return view(AvailabilityState::CoolingDown, why, None, Some(wall(cooldown.at)));
    }
    if standing.override_.is_some() {
        return view(AvailabilityState::Ready, why, None, until);
    }
    let entered = standing.since.and_then(|at| wall_time_unless_start(at, clocks));
    match standing.breaker {
        EndpointState::Open => view(AvailabilityState::Open, why, entered, until),
        EndpointState::HalfOpen => view(AvailabilityState::Trial, why, entered, until),
        EndpointState::Recovering { percent } => AvailabilityView {
            percent: Some(percent),
            ..view(AvailabilityState::Recovering, why, entered, None)
        },
        EndpointState::Closed => view(AvailabilityState::Ready, HEALTHY_SENTENCE, entered, None),
    }
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
        since: standing.since.and_then(|at| wall_time_unless_start(at, clocks)),
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
        why: cooldown_sentence(cooldown.kind).to_owned(),
        until: clocks.wall_at(cooldown.at).into(),
    };
    let own = standing.cooldown.map(|cooldown| view(None, cooldown));
    let models = engine.endpoint_registry().model_cooldowns(endpoint).into_iter();
    own.into_iter().chain(models.map(|one| view(Some(one.model), one.cooldown))).collect()
}

/// Converts a time of the monotonic clock. Returns `None` for the start of the program, because the
/// state then began earlier.
fn wall_time_unless_start(at: Moment, clocks: ClockReading) -> Option<UnixMs> {
    (at > Moment::default()).then(|| WallTime::into(clocks.wall_at(at)))
}

const fn cooldown_sentence(kind: LimitKind) -> &'static str {
    match kind {
        LimitKind::Rate => "The provider's rate limit is reached.",
        LimitKind::DailyQuota => "The daily quota is used up.",
    }
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
