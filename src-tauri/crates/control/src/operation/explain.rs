//! Explains which backend would serve a request, and simulates many such requests. Nothing is sent.

use std::collections::BTreeSet;

use domain::{BackendId, NanoUsd, RoutePolicy, ShownCurrency, capitalize};
use engine::{Engine, NotServed, PLAYGROUND_CLIENT, RouteQuery};
use routing::{
    Candidate, CandidateAvailability, CandidateShare, Decision, ExcludedCandidate, Needs,
    RankingFactor, RoutingError, Score, Simulation, SwitchFailure,
};

use crate::ApiError;
use crate::operation::currency::shown_currency;
use crate::operation::input;
use crate::operation::resilience::endpoint_availability;
use crate::view::{
    AvailabilityState, AvailabilityView, CandidateShareView, ExcludedCandidateView,
    HypotheticalRequest, RankedCandidateView, RouteDecisionView, RouteSimulation,
    RouteSimulationView, SIMULATION_DRAWS_MAX, ScoreComponentView,
};

pub(crate) async fn route_explain(
    engine: &Engine,
    req: HypotheticalRequest,
) -> Result<RouteDecisionView, ApiError> {
    let question = parse_route_query(&req)?;
    let route = engine.routes().matching_route(&question);
    let policy = route.as_ref().map_or(RoutePolicy::Ordered, |route| route.policy);
    let route = route.map(|route| route.id.to_string());
    Ok(match engine.routes().explain(&question) {
        Ok(decision) => decision_view(engine, route, policy, &decision),
        Err(refusal) => RouteDecisionView {
            route,
            policy,
            sentence: to_full_sentence(&refusal.to_string()),
            served: false,
            candidates: Vec::new(),
            passed_over: excluded_candidates(refusal).iter().map(excluded_candidate_view).collect(),
        },
    })
}

pub(crate) async fn route_simulate(
    engine: &Engine,
    req: RouteSimulation,
) -> Result<RouteSimulationView, ApiError> {
    if !(1..=SIMULATION_DRAWS_MAX).contains(&req.draws) {
        let message = format!("choose 1 to {SIMULATION_DRAWS_MAX} requests");
        return Err(ApiError::invalid("draws", message));
    }
    let question = parse_route_query(&req.ask)?;
    let closed: Result<BTreeSet<BackendId>, ApiError> =
        req.closed.iter().map(|text| input::parse_id("closed", text)).collect();
    let simulation = engine.routes().simulate(&question, req.draws, &closed?);
    Ok(RouteSimulationView {
        sentence: simulation_sentence(&simulation, &req.ask.model),
        draws: simulation.draws,
        shares: simulation.shares.iter().map(|share| share_view(share, simulation.draws)).collect(),
        failures: simulation.failures,
        failure: simulation.failure.map(|failure| to_full_sentence(&failure.to_string())),
    })
}

fn parse_route_query(ask: &HypotheticalRequest) -> Result<RouteQuery, ApiError> {
    let client = ask.client.as_deref().unwrap_or(PLAYGROUND_CLIENT);
    Ok(RouteQuery {
        model: ask.model.trim().to_owned(),
        client: input::parse_id("client", client)?,
        project: ask.project.clone(),
        needs: Needs {
            tools: ask.tools,
            vision: ask.vision,
            json_schema: ask.json_schema,
            input_tokens: ask.input_tokens.into(),
            ..Needs::default()
        },
    })
}

fn decision_view(
    engine: &Engine,
    route: Option<String>,
    policy: RoutePolicy,
    decision: &Decision,
) -> RouteDecisionView {
    let is_open = |candidate: &Candidate| {
        !matches!(candidate.ranking.available, CandidateAvailability::Closed { .. })
    };
    let places = decision.candidates.iter().zip(1..);
    RouteDecisionView {
        route,
        policy,
        sentence: decision.explanation.clone(),
        served: decision.candidates.first().is_some_and(is_open),
        candidates: places
            .map(|(candidate, place)| ranked_candidate_view(engine, candidate, place))
            .collect(),
        passed_over: decision.excluded.iter().map(excluded_candidate_view).collect(),
    }
}

fn ranked_candidate_view(
    engine: &Engine,
    candidate: &Candidate,
    place: u32,
) -> RankedCandidateView {
    let Candidate { endpoint, model, ranking: why } = candidate;
    RankedCandidateView {
        place,
        backend: endpoint.backend.to_string(),
        credential: endpoint.credential.as_ref().map(ToString::to_string),
        model: model.clone(),
        why: to_full_sentence(&why.factor.to_string()),
        availability: candidate_availability(engine, candidate),
        parts: score_components(&why.factor, shown_currency(engine)),
    }
}

/// Availability of the candidate's endpoint. A ready endpoint is shown as cooling down while only
/// the candidate's model is held back.
fn candidate_availability(engine: &Engine, candidate: &Candidate) -> AvailabilityView {
    let own = endpoint_availability(engine, &engine.settings(), &candidate.endpoint);
    match &candidate.ranking.available {
        closed @ CandidateAvailability::Closed { .. } if own.state == AvailabilityState::Ready => {
            let (state, why) =
                (AvailabilityState::CoolingDown, to_full_sentence(&closed.to_string()));
            AvailabilityView { state, why, ..own }
        }
        _ => own,
    }
}

fn excluded_candidate_view(passed: &ExcludedCandidate) -> ExcludedCandidateView {
    ExcludedCandidateView {
        backend: passed.backend.to_string(),
        credential: None,
        model: passed.model.clone(),
        reason: to_full_sentence(&format!("it {}", passed.reason)),
    }
}

fn excluded_candidates(refusal: NotServed) -> Vec<ExcludedCandidate> {
    match refusal {
        NotServed::NoRoute(
            RoutingError::NoCapableCandidate { excluded: passed_over, .. }
            | RoutingError::RouteUnusable { excluded: passed_over, .. },
        ) => passed_over,
        NotServed::NoRoute(RoutingError::Switched {
            failure: SwitchFailure::Refused(error),
            ..
        }) => excluded_candidates(NotServed::NoRoute(*error)),
        _ => Vec::new(),
    }
}

/// The parts of a score; empty for policies that compute none.
fn score_components(factor: &RankingFactor, currency: ShownCurrency) -> Vec<ScoreComponentView> {
    let part = |name: &str, measured: String, weight_percent, score: f64| ScoreComponentView {
        name: name.to_owned(),
        measured,
        weight_percent,
        score_percent: whole_percent(score),
    };
    match factor {
        RankingFactor::Score(score) => balanced_score_components(score, currency, part),
        RankingFactor::Drawn { weight, of } | RankingFactor::Share { weight, of } if *of > 0 => {
            let share = f64::from(*weight) / f64::from(*of);
            vec![part("weight", format!("{weight} of {of}"), 100, share)]
        }
        _ => Vec::new(),
    }
}

fn balanced_score_components(
    score: &Score,
    currency: ShownCurrency,
    part: impl Fn(&str, String, u8, f64) -> ScoreComponentView,
) -> Vec<ScoreComponentView> {
    let (measured, weights) = (&score.measurements, &score.weights);
    let unknown = || "unknown".to_owned();
    let latency = measured.first_token_ms.map_or_else(unknown, |ms| format!("{ms} ms"));
    let cost = measured.cost_nanos.map_or_else(unknown, |nanos| {
        currency.format(NanoUsd::new(i64::try_from(nanos).unwrap_or(i64::MAX)))
    });
    let headroom = measured.headroom_percent.map_or_else(unknown, |left| format!("{left} % left"));
    vec![
        part("latency", latency, weights.latency, score.latency),
        part("cost", cost, weights.cost, score.cost),
        part("headroom", headroom, weights.headroom, score.headroom),
    ]
}

fn share_view(share: &CandidateShare, draws: u32) -> CandidateShareView {
    CandidateShareView {
        backend: share.backend.to_string(),
        model: share.model.clone(),
        draws: share.draws,
        percent: f64::from(share.draws) * 100.0 / f64::from(draws.max(1)),
        expected_percent: share.expected_percent,
    }
}

fn simulation_sentence(simulation: &Simulation, model: &str) -> String {
    let Simulation { draws, shares, failures, .. } = simulation;
    let shares = shares.iter().filter(|share| share.draws > 0).enumerate().map(|(place, share)| {
        let percent = f64::from(share.draws) * 100.0 / f64::from((*draws).max(1));
        let go = if place == 0 { "would go " } else { "" };
        format!("{percent:.0} % {go}to {}", share.backend)
    });
    let mut parts: Vec<String> = shares.collect();
    if parts.is_empty() {
        return format!("No backend would serve {model}.");
    }
    if *failures > 0 {
        parts.push(format!("and {failures} would fail"));
    }
    let requests = domain::count_noun(u64::from(*draws), "request");
    format!("Of {requests} for {model}, {}.", parts.join(", "))
}

fn whole_percent(share: f64) -> u8 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 and 100")]
    let percent = (share.clamp(0.0, 1.0) * 100.0).round() as u8;
    percent
}

pub(super) fn to_full_sentence(clause: &str) -> String {
    let stop = if clause.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{stop}", capitalize(clause))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clause_becomes_a_sentence_once() {
        assert_eq!(to_full_sentence("position 1"), "Position 1.");
        assert_eq!(to_full_sentence("The request pins a."), "The request pins a.");
        assert_eq!(to_full_sentence(""), ".");
    }

    #[test]
    fn a_share_is_cut_to_whole_percent() {
        assert_eq!(
            (whole_percent(0.0), whole_percent(0.333), whole_percent(1.0), whole_percent(7.0)),
            (0, 33, 100, 100)
        );
    }
}
