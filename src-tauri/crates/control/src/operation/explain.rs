//! Explains which backend would serve a request, and simulates many such requests. Nothing is sent.

use std::collections::BTreeSet;

use domain::{BackendId, RoutePolicy};
use engine::{Engine, NotServed, PLAYGROUND_CLIENT, RouteQuestion};
use routing::{
    Available, Candidate, Decision, Ground, Needs, NoRoute, PassedOver, Score, Share, Simulation,
};

use super::input;
use super::resilience::availability;
use crate::ApiError;
use crate::view::{
    AvailabilityState, AvailabilityView, MicroDollars, PassedOverView, RouteAsk, RouteChoiceView,
    RouteDecisionView, RoutePolicyView, RouteShareView, RouteSimulation, RouteSimulationView,
    SIMULATION_DRAWS_MAX, ScorePartView,
};

pub(crate) async fn route_explain(
    engine: &Engine,
    req: RouteAsk,
) -> Result<RouteDecisionView, ApiError> {
    let question = question(&req)?;
    let route = engine.route_of(&question);
    let policy = route.as_ref().map_or(RoutePolicy::Ordered, |route| route.policy).into();
    let route = route.map(|route| route.id.to_string());
    Ok(match engine.explain_route(&question) {
        Ok(decision) => decided(engine, route, policy, &decision),
        Err(refusal) => RouteDecisionView {
            route,
            policy,
            sentence: sentence(&refusal.to_string()),
            served: false,
            candidates: Vec::new(),
            passed_over: refused(refusal).iter().map(passed_over).collect(),
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
    let question = question(&req.ask)?;
    let closed: Result<BTreeSet<BackendId>, ApiError> =
        req.closed.iter().map(|text| input::id("closed", text)).collect();
    let simulation = engine.simulate_route(&question, req.draws, &closed?);
    Ok(RouteSimulationView {
        sentence: said(&simulation, &req.ask.model),
        draws: simulation.draws,
        shares: simulation.shares.iter().map(|share| share_view(share, simulation.draws)).collect(),
        failures: simulation.failures,
        failure: simulation.failure.map(|failure| sentence(&failure.to_string())),
    })
}

fn question(ask: &RouteAsk) -> Result<RouteQuestion, ApiError> {
    let client = ask.client.as_deref().unwrap_or(PLAYGROUND_CLIENT);
    Ok(RouteQuestion {
        model: ask.model.trim().to_owned(),
        client: input::id("client", client)?,
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

fn decided(
    engine: &Engine,
    route: Option<String>,
    policy: RoutePolicyView,
    decision: &Decision,
) -> RouteDecisionView {
    let is_open =
        |candidate: &Candidate| !matches!(candidate.why.available, Available::Closed { .. });
    let places = decision.candidates.iter().zip(1..);
    RouteDecisionView {
        route,
        policy,
        sentence: decision.explanation.clone(),
        served: decision.candidates.first().is_some_and(is_open),
        candidates: places.map(|(candidate, place)| choice(engine, candidate, place)).collect(),
        passed_over: decision.passed_over.iter().map(passed_over).collect(),
    }
}

fn choice(engine: &Engine, candidate: &Candidate, place: u32) -> RouteChoiceView {
    let Candidate { access, model, why } = candidate;
    RouteChoiceView {
        place,
        backend: access.backend.to_string(),
        credential: access.credential.as_ref().map(ToString::to_string),
        model: model.clone(),
        why: sentence(&why.ground.to_string()),
        availability: availability_for(engine, candidate),
        parts: parts(&why.ground),
    }
}

/// Availability of the candidate's endpoint. A ready endpoint is shown as cooling down while only
/// the candidate's model is held back.
fn availability_for(engine: &Engine, candidate: &Candidate) -> AvailabilityView {
    let own = availability(engine, &engine.settings(), &candidate.access);
    match &candidate.why.available {
        closed @ Available::Closed { .. } if own.state == AvailabilityState::Ready => {
            let (state, why) = (AvailabilityState::CoolingDown, sentence(&closed.to_string()));
            AvailabilityView { state, why, ..own }
        }
        _ => own,
    }
}

fn passed_over(passed: &PassedOver) -> PassedOverView {
    PassedOverView {
        backend: passed.backend.to_string(),
        credential: None,
        model: passed.model.clone(),
        reason: sentence(&format!("it {}", passed.reason)),
    }
}

fn refused(refusal: NotServed) -> Vec<PassedOver> {
    match refusal {
        NotServed::NoRoute(
            NoRoute::Unfit { passed_over, .. } | NoRoute::RouteUnusable { passed_over, .. },
        ) => passed_over,
        _ => Vec::new(),
    }
}

/// The parts of a score; empty for policies that compute none.
fn parts(ground: &Ground) -> Vec<ScorePartView> {
    let part = |name: &str, measured: String, weight_percent, score: f64| ScorePartView {
        name: name.to_owned(),
        measured,
        weight_percent,
        score_percent: percent(score),
    };
    match ground {
        Ground::Score(score) => score_parts(score, part),
        Ground::Drawn { weight, of } | Ground::Share { weight, of } if *of > 0 => {
            let share = f64::from(*weight) / f64::from(*of);
            vec![part("weight", format!("{weight} of {of}"), 100, share)]
        }
        _ => Vec::new(),
    }
}

fn score_parts(
    score: &Score,
    part: impl Fn(&str, String, u8, f64) -> ScorePartView,
) -> Vec<ScorePartView> {
    let (measured, weights) = (&score.measured, &score.weights);
    let unknown = || "unknown".to_owned();
    let latency = measured.first_token_ms.map_or_else(unknown, |ms| format!("{ms} ms"));
    let cost = measured.cost_micros.map_or_else(unknown, |micros| {
        MicroDollars(i64::try_from(micros).unwrap_or(i64::MAX)).to_string()
    });
    let headroom = measured.headroom_percent.map_or_else(unknown, |left| format!("{left} % left"));
    vec![
        part("latency", latency, weights.latency, score.latency),
        part("cost", cost, weights.cost, score.cost),
        part("headroom", headroom, weights.headroom, score.headroom),
    ]
}

fn share_view(share: &Share, draws: u32) -> RouteShareView {
    RouteShareView {
        backend: share.backend.to_string(),
        model: share.model.clone(),
        draws: share.draws,
        percent: f64::from(share.draws) * 100.0 / f64::from(draws.max(1)),
        expected_percent: share.expected_percent,
    }
}

fn said(simulation: &Simulation, model: &str) -> String {
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
    let requests = super::usage::count(u64::from(*draws), "request");
    format!("Of {requests} for {model}, {}.", parts.join(", "))
}

fn percent(share: f64) -> u8 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 and 100")]
    let percent = (share.clamp(0.0, 1.0) * 100.0).round() as u8;
    percent
}

/// Turns a clause into a sentence.
pub(super) fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let stop = if clause.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clause_becomes_a_sentence_once() {
        assert_eq!(sentence("position 1"), "Position 1.");
        assert_eq!(sentence("The request pins a."), "The request pins a.");
        assert_eq!(sentence(""), ".");
    }

    #[test]
    fn a_share_is_cut_to_whole_percent() {
        assert_eq!((percent(0.0), percent(0.333), percent(1.0), percent(7.0)), (0, 33, 100, 100));
    }
}
