//! Rebuilds the history of a backend's endpoints from the log of transitions, as spans to draw.
//!
//! The log holds breaker, cooldown, block and override side by side. A strip shows the most
//! restrictive of them at each time.

use std::time::Duration;

use ::resilience::{
    BreakerOverride, EndpointState, EndpointStatus, TransitionCause, TransitionState,
};
use domain::{CredentialId, HOUR_MS, WallTime, format_span};
use engine::{Engine, HEALTHY_SENTENCE};
use ledger::TransitionRecord;

use super::sentence_from_clause;
use crate::operation::input;
use crate::view::{
    AvailabilityState, BreakerSpanView, BreakerStripView, BreakerTimelineQuery,
    BreakerTimelineView, BreakerTransitionView, TIMELINE_HOURS_MAX,
};
use crate::{ApiError, Sign};

mod past;

pub(in crate::operation) use past::restrictions_since;
use past::{build_strips, load_steps};

/// Most transitions that are listed.
const TRANSITIONS_SHOWN_MAX: usize = 200;

pub(crate) async fn breaker_timeline(
    engine: &Engine,
    req: BreakerTimelineQuery,
) -> Result<BreakerTimelineView, ApiError> {
    if !(1..=TIMELINE_HOURS_MAX).contains(&req.hours) {
        return Err(ApiError::invalid("hours", format!("choose 1 to {TIMELINE_HOURS_MAX} hours")));
    }
    let backend = match req.backend.as_str() {
        settings::MOCK_BACKEND_ID => input::parse_id("backend", &req.backend)?,
        _ => input::parse_known_backend(&engine.settings(), &req.backend)?,
    };
    let to = engine.clock().wall();
    let from = to.minus_ms(i64::from(req.hours) * HOUR_MS);
    let newest_first = load_steps(engine, &backend, from).await?;
    let strips = build_strips(engine, &backend, &newest_first, from, to);
    let steps = || newest_first.iter().map(|step| (step.from, step.to));
    let (opened, failed_trials) = (count_trips(steps()), count_failed_trials(steps()));
    Ok(BreakerTimelineView {
        finding: timeline_finding(opened, failed_trials, &strips, req.hours),
        from: from.into(),
        to: to.into(),
        strips,
        transitions: newest_first
            .iter()
            .take(TRANSITIONS_SHOWN_MAX)
            .map(TimelineStep::view)
            .collect(),
    })
}

/// Counts how often a breaker opened from a state that let requests through. Opening again after a
/// failed trial does not count.
pub(super) fn count_trips(steps: impl Iterator<Item = (TransitionState, TransitionState)>) -> u32 {
    let opened = |(from, to): &(TransitionState, TransitionState)| {
        *to == TransitionState::Open && *from != TransitionState::HalfOpen
    };
    u32::try_from(steps.filter(opened).count()).unwrap_or(u32::MAX)
}

/// Counts failed trials, each of which trips the breaker again.
fn count_failed_trials(steps: impl Iterator<Item = (TransitionState, TransitionState)>) -> u32 {
    let again = (TransitionState::HalfOpen, TransitionState::Open);
    u32::try_from(steps.filter(|step| *step == again).count()).unwrap_or(u32::MAX)
}

/// `once`, `twice`, `3 times`; `0 times` for none.
pub(in crate::operation) fn times_text(number: u32) -> String {
    match number {
        0 => "0 times".to_owned(),
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}

struct TimelineStep {
    at: WallTime,
    credential: Option<CredentialId>,
    model: Option<String>,
    from: TransitionState,
    to: TransitionState,
    rule: TransitionCause,
    evidence: Vec<String>,
    lasts: Option<Duration>,
}

impl TimelineStep {
    /// Returns `None` for a transition with a word of a newer version.
    fn parse(transition: TransitionRecord) -> Option<Self> {
        Some(Self {
            at: transition.at,
            credential: transition.endpoint.credential,
            model: transition.model,
            from: transition.from.parse().ok()?,
            to: transition.to.parse().ok()?,
            rule: transition.rule.parse().ok()?,
            evidence: transition.evidence.iter().map(ToString::to_string).collect(),
            lasts: transition.lasts,
        })
    }

    fn view(&self) -> BreakerTransitionView {
        let secs = |lasts: Duration| u32::try_from(lasts.as_secs()).unwrap_or(u32::MAX);
        BreakerTransitionView {
            at: self.at.into(),
            credential: self.credential.as_ref().map(ToString::to_string),
            from: availability_state(self.from),
            to: availability_state(self.to),
            rule: match &self.model {
                Some(model) => format!("{model}: {}", self.rule.clause()),
                None => self.rule.clause().to_owned(),
            },
            evidence: self.evidence.clone(),
            for_secs: self.lasts.map(secs),
        }
    }
}

/// The mechanism that a state belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RestrictionMechanism {
    Breaker,
    Cooldown,
    Block,
    Override,
}

fn step_mechanism(step: &TimelineStep) -> RestrictionMechanism {
    use TransitionState as State;
    let either = |state| step.from == state || step.to == state;
    if either(State::CoolingDown) {
        RestrictionMechanism::Cooldown
    } else if either(State::Blocked) {
        RestrictionMechanism::Block
    } else if either(State::Automatic) || is_override(step.from) || is_override(step.to) {
        RestrictionMechanism::Override
    } else {
        RestrictionMechanism::Breaker
    }
}

const fn is_override(state: TransitionState) -> bool {
    use TransitionState as State;
    matches!(state, State::ForcedOpen | State::ForcedClosed | State::MonitorOnly | State::Disabled)
}

/// What restricts an endpoint at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct EndpointRestrictions {
    breaker: (TransitionState, Option<TransitionCause>),
    cooldown: (TransitionState, Option<TransitionCause>),
    block: (TransitionState, Option<TransitionCause>),
    manual_override: (TransitionState, Option<TransitionCause>),
}

impl EndpointRestrictions {
    /// The state now, which also held all the time if the log is empty.
    fn from_status(standing: &EndpointStatus) -> Self {
        use TransitionState as State;
        let breaker = match standing.breaker {
            EndpointState::Closed => State::Closed,
            EndpointState::Open => State::Open,
            EndpointState::HalfOpen => State::HalfOpen,
            EndpointState::Recovering { .. } => State::Recovering,
        };
        let hand = standing.override_.map_or(State::Automatic, |set| match set.forced {
            BreakerOverride::Open => State::ForcedOpen,
            BreakerOverride::Closed => State::ForcedClosed,
            BreakerOverride::MonitorOnly => State::MonitorOnly,
            BreakerOverride::Disabled => State::Disabled,
        });
        let cooldown = if standing.cooldown.is_some() { State::CoolingDown } else { State::Ready };
        let block = if standing.block.is_some() { State::Blocked } else { State::Ready };
        Self {
            breaker: (breaker, standing.rule),
            cooldown: (cooldown, None),
            block: (block, None),
            manual_override: (hand, None),
        }
    }

    fn mechanism_mut(
        &mut self,
        mechanism: RestrictionMechanism,
    ) -> &mut (TransitionState, Option<TransitionCause>) {
        match mechanism {
            RestrictionMechanism::Breaker => &mut self.breaker,
            RestrictionMechanism::Cooldown => &mut self.cooldown,
            RestrictionMechanism::Block => &mut self.block,
            RestrictionMechanism::Override => &mut self.manual_override,
        }
    }

    /// The most restrictive state, with its reason.
    fn most_restrictive(&self) -> (AvailabilityState, String) {
        let why = |(state, rule): (TransitionState, Option<TransitionCause>)| {
            let clause = rule.map(TransitionCause::clause);
            (
                availability_state(state),
                clause.map_or_else(|| HEALTHY_SENTENCE.to_owned(), sentence_from_clause),
            )
        };
        if self.block.0 == TransitionState::Blocked {
            return why(self.block);
        }
        if self.manual_override.0 == TransitionState::ForcedOpen {
            return why(self.manual_override);
        }
        if self.cooldown.0 == TransitionState::CoolingDown {
            return why(self.cooldown);
        }
        let is_let_through =
            is_override(self.manual_override.0) || self.breaker.0 == TransitionState::Closed;
        if is_let_through {
            return (AvailabilityState::Ready, HEALTHY_SENTENCE.to_owned());
        }
        why(self.breaker)
    }
}

/// Spans from `from` to `to` without gaps. `steps` are oldest first; `now` is the state at the end.
fn build_spans(
    steps: &[&TimelineStep],
    now: EndpointRestrictions,
    from: WallTime,
    to: WallTime,
) -> Vec<BreakerSpanView> {
    let mut holds = now;
    for step in steps.iter().rev() {
        *holds.mechanism_mut(step_mechanism(step)) = (step.from, None);
    }
    let mut spans: Vec<BreakerSpanView> = Vec::new();
    let mut begun = from;
    for (at, change) in list_changes(steps, to) {
        let at = at.clamp(begun, to);
        append_span(&mut spans, &holds, begun, at);
        *holds.mechanism_mut(change.0) = (change.1, change.2);
        begun = at;
    }
    append_span(&mut spans, &holds, begun, to);
    spans
}

type MechanismChange = (RestrictionMechanism, TransitionState, Option<TransitionCause>);

/// The steps, and the ends of timed states that ended without a step.
fn list_changes(steps: &[&TimelineStep], to: WallTime) -> Vec<(WallTime, MechanismChange)> {
    let mut all: Vec<(WallTime, MechanismChange)> = Vec::new();
    for (place, step) in steps.iter().enumerate() {
        let own = step_mechanism(step);
        all.push((step.at, (own, step.to, Some(step.rule))));
        let later = steps.iter().skip(place + 1).find(|next| step_mechanism(next) == own);
        let until = later.map_or(to, |next| next.at);
        let ends = step.lasts.map(|lasts| {
            let ms = i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX);
            step.at.plus_ms(ms)
        });
        if let (Some(ends), Some(after)) =
            (ends.filter(|ends| *ends < until), state_after_timeout(step.to))
        {
            all.push((ends, (own, after, None)));
        }
    }
    all.sort_by_key(|(at, _)| *at);
    all
}

/// The state that follows a state that ends by itself.
const fn state_after_timeout(state: TransitionState) -> Option<TransitionState> {
    use TransitionState as State;
    match state {
        State::Open => Some(State::HalfOpen),
        State::CoolingDown => Some(State::Ready),
        State::ForcedOpen | State::ForcedClosed | State::MonitorOnly | State::Disabled => {
            Some(State::Automatic)
        }
        _ => None,
    }
}

fn append_span(
    spans: &mut Vec<BreakerSpanView>,
    holds: &EndpointRestrictions,
    from: WallTime,
    to: WallTime,
) {
    if from >= to {
        return;
    }
    let (state, why) = holds.most_restrictive();
    match spans.last_mut() {
        Some(last) if last.state == state && last.why == why => last.to = to.into(),
        _ => spans.push(BreakerSpanView { from: from.into(), to: to.into(), state, why }),
    }
}

const fn availability_state(state: TransitionState) -> AvailabilityState {
    use TransitionState as State;
    match state {
        State::Open => AvailabilityState::Open,
        State::HalfOpen => AvailabilityState::Trial,
        State::Recovering => AvailabilityState::Recovering,
        State::CoolingDown => AvailabilityState::CoolingDown,
        State::Blocked => AvailabilityState::Blocked,
        State::ForcedOpen => AvailabilityState::Held,
        State::Closed
        | State::Ready
        | State::Automatic
        | State::ForcedClosed
        | State::MonitorOnly
        | State::Disabled => AvailabilityState::Ready,
    }
}

fn timeline_finding(
    opened: u32,
    failed_trials: u32,
    strips: &[BreakerStripView],
    hours: u32,
) -> String {
    let spans = || strips.iter().flat_map(|strip| &strip.spans);
    let total = |state| -> i64 {
        let own = spans().filter(|span| span.state == state);
        own.map(|span| span.to.0.saturating_sub(span.from.0)).sum()
    };
    if spans().all(|span| span.state == AvailabilityState::Ready) {
        let hours = if hours == 1 { "hour".to_owned() } else { format!("{hours} hours") };
        return format!("Healthy for the last {hours}");
    }
    let open = (opened > 0).then(|| {
        let trials = match failed_trials {
            0 => String::new(),
            1 => ", and 1 trial failed".to_owned(),
            more => format!(", and {more} trials failed"),
        };
        let lasted = duration_text(total(AvailabilityState::Open));
        format!("tripped {}{trials}, {lasted} in total", times_text(opened))
    });
    let others = [
        AvailabilityState::CoolingDown,
        AvailabilityState::Blocked,
        AvailabilityState::Held,
        AvailabilityState::Recovering,
    ];
    let others = others
        .into_iter()
        .filter(|state| total(*state) > 0)
        .map(|state| format!("{} for {}", Sign::from(state).word, duration_text(total(state))));
    let parts: Vec<String> = open.into_iter().chain(others).collect();
    let text = if parts.is_empty() { "testing recovery".to_owned() } else { parts.join("; ") };
    domain::capitalize(&text)
}

/// `42 s`, `4 min`, `2 h 5 min`: from a minute on without seconds.
fn duration_text(ms: i64) -> String {
    let secs = u64::try_from(ms).unwrap_or_default() / 1_000;
    let whole = if secs < 60 { secs } else { secs - secs % 60 };
    format_span(Duration::from_secs(whole))
}

#[cfg(test)]
mod tests;
