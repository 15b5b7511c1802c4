//! Builds the views of routes: their current targets and the requests of their last 24 hours.

use std::collections::HashMap;

use domain::{ClientTarget, DAY_MS, HealthState, RouteId, RoutePolicy, capitalize};
use engine::{Engine, backend_labels};
use ledger::RouteCount;
use settings::{RouteCandidateSettings, RouteSettings, Settings};

use crate::ApiError;
use crate::moment::clock_time;
use crate::operation::clients::switched::clients_switched_to;
use crate::operation::name_list::join_names;
use crate::operation::resilience::availability_view;
use crate::view::{
    AvailabilityState, BalanceWeightsView, RouteCandidateView, RouteView, RoutesView,
    TimeZoneChoice,
};

/// Requests of the last 24 hours by route, backend and model.
pub(super) async fn load_request_counts(engine: &Engine) -> Result<Vec<RouteCount>, ApiError> {
    let since = engine.clock().wall().minus_ms(DAY_MS);
    Ok(engine.ledger().route_counts(since).await?)
}

pub(super) fn routes_view(
    engine: &Engine,
    settings: &Settings,
    counts: &[RouteCount],
) -> RoutesView {
    let labels = backend_labels(&engine.settings(), engine.mock_id());
    let total: u64 = counts.iter().map(|counted| counted.requests).sum();
    let routes: Vec<RouteView> = settings
        .routes
        .iter()
        .map(|(id, route)| {
            let own: Vec<&RouteCount> =
                counts.iter().filter(|counted| counted.route == id.as_str()).collect();
            route_view(engine, settings, &labels, (id, route), (&own, total))
        })
        .collect();
    let unrouted = counts
        .iter()
        .filter(|counted| !settings.routes.keys().any(|id| id.as_str() == counted.route));
    RoutesView {
        sentence: overview_sentence(&routes),
        unrouted_requests: unrouted.map(|counted| counted.requests).sum::<u64>().into(),
        routes,
    }
}

fn route_view(
    engine: &Engine,
    settings: &Settings,
    labels: &HashMap<String, String>,
    (id, route): (&RouteId, &RouteSettings),
    (own, total): (&[&RouteCount], u64),
) -> RouteView {
    let requests: u64 = own.iter().map(|counted| counted.requests).sum();
    let candidates: Vec<RouteCandidateView> = route
        .candidates
        .iter()
        .map(|candidate| {
            let answered = count_answered(route, candidate, own);
            let label = labels.get(candidate.backend.as_str());
            let accesses = engine.backend_states().endpoints(settings, &candidate.backend);
            let model = route.model_at(candidate);
            let best =
                engine.backend_states().availability_for(settings, &candidate.backend, model);
            let accesses = accesses.into_iter();
            RouteCandidateView {
                backend: candidate.backend.to_string(),
                backend_label: label.cloned().unwrap_or_else(|| candidate.backend.to_string()),
                model: candidate.model.clone(),
                weight: candidate.weight,
                availability: availability_view(None, best),
                accesses: accesses.map(|(key, own)| availability_view(key.as_ref(), own)).collect(),
                requests: answered.into(),
                share_percent: percent(answered, requests),
            }
        })
        .collect();
    let broken = why_broken(engine, settings, labels, route).map(|broken| broken.why);
    RouteView {
        id: id.to_string(),
        models: route.models.clone(),
        clients: route.clients.iter().map(ToString::to_string).collect(),
        projects: route.projects.clone(),
        policy: route.policy,
        weights: BalanceWeightsView {
            latency: route.weights.latency,
            cost: route.weights.cost,
            headroom: route.weights.headroom,
        },
        sticky_secs: (route.sticky_secs > 0).then_some(route.sticky_secs),
        crossing: route.crossing,
        cache: route.cache,
        enabled: route.enabled,
        in_profile: settings.is_route_in_profile(route),
        switched_clients: clients_switched_to(
            settings,
            |target| matches!(target, ClientTarget::Route(to) if to == id),
        ),
        sentence: route_sentence(settings, route, &candidates, broken.as_deref()),
        broken,
        candidates,
        requests: requests.into(),
        share_percent: percent(requests, total),
    }
}

/// Counts the requests of a route that a candidate answered. A candidate without a model accepts
/// any name, so it gets every request to its backend whose model no other candidate names.
fn count_answered(
    route: &RouteSettings,
    candidate: &RouteCandidateSettings,
    own: &[&RouteCount],
) -> u64 {
    let named = |model: &Option<String>| {
        let same = |other: &&RouteCandidateSettings| {
            other.backend == candidate.backend && other.model.is_some() && other.model == *model
        };
        route.candidates.iter().find(same).is_some()
    };
    own.iter()
        .filter(|counted| counted.backend.as_ref() == Some(&candidate.backend))
        .filter(|counted| match &candidate.model {
            Some(_) => counted.model == candidate.model,
            None => !named(&counted.model),
        })
        .map(|counted| counted.requests)
        .sum()
}

fn percent(part: u64, whole: u64) -> Option<u32> {
    let percent = part.saturating_mul(100).saturating_add(whole / 2).checked_div(whole)?;
    u32::try_from(percent).ok()
}

/// Completes "openai …".
const fn availability_clause(state: AvailabilityState) -> &'static str {
    match state {
        AvailabilityState::Ready => "is ready",
        AvailabilityState::Recovering | AvailabilityState::Trial => "is recovering",
        AvailabilityState::CoolingDown => "is rate limited",
        AvailabilityState::Open => "is failing",
        AvailabilityState::Blocked => "rejected its key or account",
        AvailabilityState::Held => "is blocked manually",
        AvailabilityState::Off => "is off",
        AvailabilityState::Removed => "no longer exists",
    }
}

fn is_usable(candidate: &RouteCandidateView) -> bool {
    candidate.availability.state.allows_requests()
}

/// A route without a usable candidate.
pub(in crate::operation) struct BrokenRoute {
    /// The reason as a clause: "its only backend, openai, is failing".
    pub(in crate::operation) why: String,
}

/// The enabled routes that cannot serve a request now.
pub(in crate::operation) fn broken_routes<'a>(
    engine: &Engine,
    settings: &'a Settings,
) -> Vec<(&'a RouteId, BrokenRoute)> {
    let labels = backend_labels(&engine.settings(), engine.mock_id());
    let broken = |(id, route): (&'a RouteId, &RouteSettings)| {
        Some((id, why_broken(engine, settings, &labels, route)?))
    };
    settings.routes.iter().filter_map(broken).collect()
}

/// Why no candidate of a route can answer now; `None` if one can, or if the route is switched off.
/// A backend whose probes fail cannot, even while its breaker still lets requests through.
fn why_broken(
    engine: &Engine,
    settings: &Settings,
    labels: &HashMap<String, String>,
    route: &RouteSettings,
) -> Option<BrokenRoute> {
    if !settings.is_route_on(route) {
        return None;
    }
    let mut reasons: Vec<(&str, String)> = Vec::with_capacity(route.candidates.len());
    for candidate in &route.candidates {
        let backend = &candidate.backend;
        let label = labels.get(backend.as_str()).map_or(backend.as_str(), String::as_str);
        let reason = (label, why_unable(engine, settings, route, candidate)?);
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    let why = match reasons.as_slice() {
        [] => "it has no backends".to_owned(),
        [(label, reason)] => format!("its only backend, {label}, {reason}"),
        several => {
            let parts = several.iter().map(|(label, reason)| format!("{label} {reason}"));
            format!("none of its backends can answer: {}", join_names(parts))
        }
    };
    Some(BrokenRoute { why })
}

/// Completes "openai …"; `None` if the candidate can answer now.
fn why_unable(
    engine: &Engine,
    settings: &Settings,
    route: &RouteSettings,
    candidate: &RouteCandidateSettings,
) -> Option<String> {
    let (states, backend) = (engine.backend_states(), &candidate.backend);
    let own = states.availability(settings, backend).state;
    if !own.allows_requests() {
        return Some(availability_clause(own).to_owned());
    }
    let health = engine.health_watch().health(backend);
    if health.is_some_and(|health| health.state == HealthState::Down) {
        return Some("is down".to_owned());
    }
    let model = route.model_at(candidate)?;
    let limit = states.availability_for(settings, backend, Some(model));
    let (until, now) = (limit.until?, engine.clock().wall());
    let is_limited = limit.state == AvailabilityState::CoolingDown;
    is_limited.then(|| {
        let until = clock_time(until.into(), now.into(), TimeZoneChoice::Local);
        format!("is rate limited for {model} until {until}")
    })
}

/// Where a route's requests go now.
fn route_sentence(
    settings: &Settings,
    route: &RouteSettings,
    candidates: &[RouteCandidateView],
    broken: Option<&str>,
) -> String {
    if !route.enabled {
        return "Switched off.".to_owned();
    }
    if let Some(profile) = settings.profile.active.as_ref().filter(|_| !settings.is_route_on(route))
    {
        return format!("Not in use: none of its backends is in the profile {profile}.");
    }
    if let Some(why) = broken {
        return format!("Broken: {why}.");
    }
    let usable: Vec<&RouteCandidateView> = candidates.iter().filter(|it| is_usable(it)).collect();
    let shut = candidates.iter().find(|it| !is_usable(it)).map(candidate_clause);
    let (Some(first), shut) = (usable.first(), shut) else {
        return match candidates.first() {
            Some(only) => format!("{}.", candidate_clause(only)),
            None => "No backends.".to_owned(),
        };
    };
    let names = join_candidates(&usable, |it| it.backend_label.clone());
    let goes = match route.policy {
        _ if usable.len() == 1 => format!("its requests go to {}", first.backend_label),
        RoutePolicy::Ordered => format!("its requests go to {}", first.backend_label),
        RoutePolicy::Weighted => format!("its requests are spread over {}", join_shares(&usable)),
        RoutePolicy::Split => {
            format!("its conversations are split between {}", join_shares(&usable))
        }
        RoutePolicy::Cheapest => format!("each request goes to the cheapest of {names}"),
        RoutePolicy::Fastest => format!("each request goes to the fastest of {names}"),
        RoutePolicy::LeastBusy => format!("each request goes to the least busy of {names}"),
        RoutePolicy::Balanced => format!("each request goes to the best of {names}"),
    };
    match shut {
        Some(shut) => capitalize(&format!("{shut}, so {goes}.")),
        None => capitalize(&format!("{goes}.")),
    }
}

fn candidate_clause(candidate: &RouteCandidateView) -> String {
    format!("{} {}", candidate.backend_label, availability_clause(candidate.availability.state))
}

fn join_shares(usable: &[&RouteCandidateView]) -> String {
    let total: u64 = usable.iter().map(|it| u64::from(it.weight)).sum();
    join_candidates(usable, |it| match percent(it.weight.into(), total) {
        Some(share) => format!("{} ({share} %)", it.backend_label),
        None => it.backend_label.clone(),
    })
}

fn join_candidates(
    candidates: &[&RouteCandidateView],
    name: impl Fn(&RouteCandidateView) -> String,
) -> String {
    join_names(candidates.iter().map(|it| name(it)))
}

/// Describes all routes: the broken ones first, else the first route that skips its first
/// candidate.
fn overview_sentence(routes: &[RouteView]) -> String {
    let used: Vec<&RouteView> = routes.iter().filter(|it| it.enabled && it.in_profile).collect();
    if used.is_empty() {
        return match routes.len() {
            0 => "No routes yet. Requests go by model name.".to_owned(),
            _ => "All routes are switched off. Requests go by model name.".to_owned(),
        };
    }
    let mut backends: Vec<&str> = used
        .iter()
        .flat_map(|route| &route.candidates)
        .filter(|candidate| candidate.availability.state != AvailabilityState::Removed)
        .map(|candidate| candidate.backend.as_str())
        .collect();
    backends.sort_unstable();
    backends.dedup();
    let word = if used.len() == 1 { "uses" } else { "use" };
    let led = format!(
        "{} {word} {}",
        count_with_noun(used.len(), "route"),
        count_with_noun(backends.len(), "backend")
    );
    let broken: Vec<(&str, &str)> = used
        .iter()
        .filter_map(|route| Some((route.id.as_str(), route.broken.as_deref()?)))
        .collect();
    if !broken.is_empty() {
        let names = || join_names(broken.iter().map(|(id, _)| (*id).to_owned()));
        return match broken.as_slice() {
            [(id, why)] => format!("{id} is broken: {why}. {led}."),
            several => format!("{} routes are broken: {}. {led}.", several.len(), names()),
        };
    }
    match used.iter().find_map(|route| skipped_candidate_clause(route)) {
        Some(detour) => format!("{led}; {detour}."),
        None => format!("{led}."),
    }
}

fn skipped_candidate_clause(route: &RouteView) -> Option<String> {
    let first = route.candidates.first().filter(|it| !is_usable(it))?;
    let other = route.candidates.iter().find(|it| is_usable(it))?;
    Some(format!("{}, so {} goes to {}", candidate_clause(first), route.id, other.backend_label))
}

fn count_with_noun(count: usize, one: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {one}s"),
    }
}
