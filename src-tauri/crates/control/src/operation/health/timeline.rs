//! States of the network, the gateway and each backend over time.
//!
//! How well a backend answered is measured apart from whether it did, so it is laid over the time in
//! which the backend was up.
//!
//! The log of changes has no gaps: a backend that was up when the machine fell asleep would count as up
//! until it was asked again. So every lane is cut where nobody watched, and after a restart or a change
//! of its settings a backend is unknown until a result says more.

use std::cmp::Reverse;
use std::time::Duration;

use domain::{BackendId, HOUR_MS, HealthState, WallTime};
use engine::Engine;
use ledger::{AuditRow, DegradedSpan, HEALTH_LOG_ENTRIES_MAX, HealthChange, WatchSpan, WatchStart};

use super::availability::span_text;
use super::lanes::{LaneSpan, badness, combine, push, thin_out, time_in};
use crate::ApiError;
use crate::operation::audit;
use crate::operation::resilience::{restrictions_since, sentence_from_clause};
use crate::view::{
    AvailabilityState, BreakerSpanView, BreakerStripView, DependencyKind, DependencyState,
    HEALTH_TIMELINE_HOURS_MAX, HealthLaneView, HealthTimelineQuery, HealthTimelineView,
    TimelineMarkerKind, TimelineMarkerView,
};

/// Time without a step of the observer that is no gap yet: it takes one every quarter of a minute.
const GAP_MS_MIN: i64 = 60_000;
/// Most markers; the newest.
const MARKERS_MAX: usize = 200;

pub(crate) async fn health_timeline(
    engine: &Engine,
    req: HealthTimelineQuery,
) -> Result<HealthTimelineView, ApiError> {
    if !(1..=HEALTH_TIMELINE_HOURS_MAX).contains(&req.hours) {
        let message = format!("choose 1 to {HEALTH_TIMELINE_HOURS_MAX} hours");
        return Err(ApiError::invalid("hours", message));
    }
    let to = engine.clock().wall();
    let from = to.minus_ms(i64::from(req.hours) * HOUR_MS);
    let settings = engine.settings();
    let backends: Vec<BackendId> = settings.backends_on().map(|(id, _)| id.clone()).collect();
    let entries = audit::entries_until(engine, to).await?;
    let (lanes, markers) = lanes_and_markers(engine, &backends, &entries, (from, to)).await?;
    Ok(HealthTimelineView {
        finding: finding(&lanes, req.hours),
        from: from.into(),
        to: to.into(),
        lanes,
        markers,
    })
}

/// The lanes of the network, the gateway and `backends`, with what happened in that time by entries of
/// the audit log, newest first. Backends that the settings do not have are left out.
pub(in crate::operation) async fn lanes_and_markers(
    engine: &Engine,
    backends: &[BackendId],
    entries: &[AuditRow],
    (from, to): (WallTime, WallTime),
) -> Result<(Vec<HealthLaneView>, Vec<TimelineMarkerView>), ApiError> {
    let watched = bridge(engine.service_levels().watched_since(from).await?, to);
    let changes = settings_changes(entries);
    let range = Range { from, to };
    let mut markers: Vec<TimelineMarkerView> =
        changes.iter().copied().map(settings_marker).collect();
    let settings = engine.settings();
    let degraded = engine.quality().degraded_since(from).await?;
    let mut lanes = vec![
        lane(DependencyKind::Network, "network", "Network", network_lane(&watched, range)),
        lane(DependencyKind::Gateway, "gateway", "Gateway", gateway_lane(&watched, range)),
    ];
    for id in backends {
        let Some(known) = settings.backends.get(id) else { continue };
        let past = restrictions_since(engine, id, from).await?;
        let name = format!("backend/{id}");
        markers.extend(past.trips.iter().map(|(at, why)| TimelineMarkerView {
            at: (*at).into(),
            kind: TimelineMarkerKind::Breaker,
            lane: Some(name.clone()),
            text: format!("{} tripped: {why}", known.label),
        }));
        let facts = BackendPast {
            changes: oldest_first(
                engine.ledger().health_log(id.clone(), HEALTH_LOG_ENTRIES_MAX).await?,
            ),
            now: engine.health_watch().health(id).map_or(HealthState::Unknown, |it| it.state),
            degraded: degraded.iter().filter(|span| span.backend == *id).cloned().collect(),
            strips: past.strips,
            restrictions_from: past.known_from,
            is_local: known.is_local(),
            forgotten: forgotten(&watched, &changes, id),
        };
        let spans = backend_lane(&facts, &watched, range);
        lanes.push(lane(DependencyKind::Backend, &name, &known.label, spans));
    }
    markers.retain(|marker| from.unix_ms() <= marker.at.0 && marker.at.0 <= to.unix_ms());
    markers.sort_by_key(|marker| marker.at);
    let surplus = markers.len().saturating_sub(MARKERS_MAX);
    markers.drain(..surplus);
    Ok((lanes, markers))
}

#[derive(Debug, Clone, Copy)]
struct Range {
    from: WallTime,
    to: WallTime,
}

/// What is known of a backend's past.
struct BackendPast {
    /// Oldest first.
    changes: Vec<HealthChange>,
    now: HealthState,
    /// Oldest first.
    degraded: Vec<DegradedSpan>,
    strips: Vec<BreakerStripView>,
    restrictions_from: WallTime,
    is_local: bool,
    /// When what was known of it may have been forgotten; oldest first.
    forgotten: Vec<WallTime>,
}

/// The newest span goes on until now: the observer's next step is due.
fn bridge(mut watched: Vec<WatchSpan>, to: WallTime) -> Vec<WatchSpan> {
    if let Some(newest) = watched.last_mut()
        && newest.until < to
        && to.unix_ms() - newest.until.unix_ms() <= GAP_MS_MIN
    {
        newest.until = to;
    }
    watched
}

fn oldest_first(mut changes: Vec<HealthChange>) -> Vec<HealthChange> {
    changes.reverse();
    changes
}

/// Calls that changed the settings, oldest first.
fn settings_changes(entries: &[AuditRow]) -> Vec<&AuditRow> {
    entries.iter().rev().filter(|row| audit::changed_settings(&row.record)).collect()
}

fn settings_marker(row: &AuditRow) -> TimelineMarkerView {
    TimelineMarkerView {
        at: row.record.at.into(),
        kind: TimelineMarkerKind::Settings,
        lane: None,
        text: audit::change_text(&row.record),
    }
}

/// Starts of the program, and changes of the backend's settings or of the profile in use.
fn forgotten(watched: &[WatchSpan], changes: &[&AuditRow], id: &BackendId) -> Vec<WallTime> {
    let starts = watched.iter().filter(|span| span.begun_by == WatchStart::Started);
    let is_own = |row: &&&AuditRow| {
        row.record.subject.as_deref() == Some(id.as_str())
            || row.record.operation.starts_with("profile_")
    };
    let edits = changes.iter().filter(is_own).map(|row| row.record.at);
    let mut moments: Vec<WallTime> = starts.map(|span| span.from).chain(edits).collect();
    moments.sort_unstable();
    moments
}

/// Times that nobody watched.
fn gaps(watched: &[WatchSpan], Range { from, to }: Range) -> Vec<LaneSpan> {
    let mut lane = Vec::new();
    let mut seen_until: Option<WallTime> = None;
    let mut gap = |from: WallTime, to: WallTime, why: &str| {
        push(&mut lane, LaneSpan::new(from, to, DependencyState::NotObserved, why));
    };
    for span in watched {
        let begin = seen_until.unwrap_or(from).max(from);
        let why = match span.begun_by {
            _ if seen_until.is_none() => "Nothing is recorded of this time.",
            WatchStart::Started => "Gatehouse was not running.",
            WatchStart::Resumed | WatchStart::Changed => "The machine slept.",
        };
        gap(begin, span.from.min(to), why);
        seen_until = Some(seen_until.map_or(span.until, |last| last.max(span.until)));
    }
    match seen_until {
        Some(last) => gap(last.max(from), to, "Gatehouse was not running."),
        None => gap(from, to, "Nothing is recorded of this time."),
    }
    lane
}

/// What held while somebody watched, with the gaps between.
fn watched_lane(
    watched: &[WatchSpan],
    range: Range,
    state: impl Fn(&WatchSpan) -> (DependencyState, &'static str),
) -> Vec<LaneSpan> {
    let mut lane: Vec<LaneSpan> = Vec::new();
    for span in watched {
        let ((state, why), begin) = (state(span), lane.last().map_or(range.from, |it| it.to));
        let (from, to) = (span.from.max(begin), span.until.min(range.to));
        push(&mut lane, LaneSpan::new(from, to, state, why));
    }
    combine(&lane, &gaps(watched, range), |_, _| true)
}

fn network_lane(watched: &[WatchSpan], range: Range) -> Vec<LaneSpan> {
    watched_lane(watched, range, |span| match span.is_online {
        true => (DependencyState::Up, ""),
        false => (DependencyState::Offline, "No network led off this machine."),
    })
}

fn gateway_lane(watched: &[WatchSpan], range: Range) -> Vec<LaneSpan> {
    watched_lane(watched, range, |span| match span.is_listening {
        true => (DependencyState::Up, ""),
        false => (DependencyState::Down, "The gateway did not listen."),
    })
}

fn backend_lane(facts: &BackendPast, watched: &[WatchSpan], range: Range) -> Vec<LaneSpan> {
    let health =
        combine(&health_spans(facts, range), &degraded_spans(facts, range), |health, _| {
            health.state == DependencyState::Up
        });
    let held = restriction_spans(facts, range);
    let mut lane = combine(&health, &held, |health, held| {
        held.state == DependencyState::Off || badness(held.state) > badness(health.state)
    });
    if !facts.is_local {
        let mut offline = network_lane(watched, range);
        offline.retain(|span| span.state == DependencyState::Offline);
        lane = combine(&lane, &offline, |_, _| true);
    }
    combine(&lane, &gaps(watched, range), |_, _| true)
}

/// The states of the log. What it does not say is unknown.
fn health_spans(facts: &BackendPast, Range { from, to }: Range) -> Vec<LaneSpan> {
    let mut lane = Vec::new();
    let mut add = |begin: WallTime, end: WallTime, state, why: &str| {
        push(&mut lane, LaneSpan::new(begin.max(from), end.min(to), state, why));
    };
    let unknown = DependencyState::Unknown;
    let first = facts.changes.first().map_or(to, |change| change.at);
    add(from, first, unknown, "Not checked yet.");
    for (place, change) in facts.changes.iter().enumerate() {
        let next = facts.changes.get(place + 1);
        let end = next.map_or(to, |next| next.at).max(change.at);
        let after = next.map_or(facts.now, |next| next.from.unwrap_or(HealthState::Unknown));
        let (state, why) = match change.to {
            HealthState::Up => (DependencyState::Up, String::new()),
            HealthState::Down => (DependencyState::Down, sentence_from_clause(&change.reason)),
            HealthState::Unknown => (unknown, sentence_from_clause(&change.reason)),
        };
        if after == change.to {
            add(change.at, end, state, &why);
            continue;
        }
        let is_within = |moment: &&WallTime| change.at < **moment && **moment <= end;
        let cut = facts.forgotten.iter().find(is_within).copied().unwrap_or(change.at);
        add(change.at, cut, state, &why);
        add(cut, end, unknown, "Not checked again yet.");
    }
    lane
}

/// When it was slow or failed often, as measured on requests.
fn degraded_spans(facts: &BackendPast, Range { from, to }: Range) -> Vec<LaneSpan> {
    let mut lane: Vec<LaneSpan> = Vec::new();
    for span in &facts.degraded {
        // A clock that was set back may begin one in the time of another.
        let begin = lane.last().map_or(from, |last| last.to).max(span.from);
        let why = sentence_from_clause(&span.reason);
        let state = DependencyState::Degraded;
        push(&mut lane, LaneSpan::new(begin, span.until.min(to), state, why));
    }
    lane
}

/// What held requests back: that of the best key at each time.
fn restriction_spans(facts: &BackendPast, range: Range) -> Vec<LaneSpan> {
    let from = facts.restrictions_from.max(range.from);
    let strip = |strip: &BreakerStripView| {
        let mut lane = Vec::new();
        for span in &strip.spans {
            let [begin, end] = [span.from, span.to].map(|it| WallTime::from_unix_ms(it.0));
            let (state, why) = restriction(span);
            push(&mut lane, LaneSpan::new(begin.max(from), end.min(range.to), state, why));
        }
        lane
    };
    // A key that is blocked by hand is no key that answers.
    let rank = |span: &LaneSpan| match span.state {
        DependencyState::Off => u8::MAX,
        state => badness(state),
    };
    let better = |one: &LaneSpan, other: &LaneSpan| rank(other) < rank(one);
    let strips = facts.strips.iter().map(strip);
    strips.reduce(|one, other| combine(&one, &other, better)).unwrap_or_default()
}

fn restriction(span: &BreakerSpanView) -> (DependencyState, String) {
    let state = match span.state {
        AvailabilityState::Ready => return (DependencyState::Up, String::new()),
        AvailabilityState::Recovering
        | AvailabilityState::Trial
        | AvailabilityState::CoolingDown => DependencyState::Degraded,
        AvailabilityState::Open => DependencyState::Down,
        AvailabilityState::Blocked => DependencyState::Blocked,
        AvailabilityState::Held | AvailabilityState::Off | AvailabilityState::Removed => {
            DependencyState::Off
        }
    };
    (state, span.why.clone())
}

fn lane(kind: DependencyKind, id: &str, label: &str, spans: Vec<LaneSpan>) -> HealthLaneView {
    use DependencyState::{Blocked, Degraded, Down, Offline, Up};
    let (word, bad): (_, &[DependencyState]) = match kind {
        DependencyKind::Network => ("offline", &[Offline]),
        _ => ("down", &[Down, Blocked]),
    };
    let failed = time_in(&spans, bad);
    let observed = failed + time_in(&spans, &[Up, Degraded]);
    HealthLaneView {
        kind,
        id: id.to_owned(),
        label: label.to_owned(),
        summary: match observed {
            0 => "not observed".to_owned(),
            _ if failed == 0 => format!("never {word} in {} observed", time_text(observed)),
            _ => format!("{word} for {} of {} observed", time_text(failed), time_text(observed)),
        },
        down_secs: (failed.unsigned_abs() / 1_000).into(),
        observed_secs: (observed.unsigned_abs() / 1_000).into(),
        spans: thin_out(spans).into_iter().map(LaneSpan::view).collect(),
    }
}

fn time_text(ms: i64) -> String {
    span_text(Duration::from_millis(ms.unsigned_abs()))
}

fn finding(lanes: &[HealthLaneView], hours: u32) -> String {
    let period = match hours {
        1 => "the last hour".to_owned(),
        hours if hours > 48 && hours.is_multiple_of(24) => format!("the last {} days", hours / 24),
        hours => format!("the last {hours} hours"),
    };
    let backends = || lanes.iter().filter(|lane| lane.kind == DependencyKind::Backend);
    let mut down: Vec<&HealthLaneView> = backends().filter(|lane| lane.down_secs.0 > 0).collect();
    down.sort_by_key(|lane| Reverse(lane.down_secs.0));
    let length = |lane: &HealthLaneView| span_text(Duration::from_secs(lane.down_secs.0));
    match down.as_slice() {
        [] if backends().next().is_none() => "No backend is in use".to_owned(),
        [] if backends().all(|lane| lane.observed_secs.0 == 0) => {
            format!("No backend was observed in {period}")
        }
        [] => format!("No backend was down in {period}"),
        [only] => format!("{} was down for {} in {period}", only.label, length(only)),
        [worst, ..] => format!(
            "{} backends were down in {period}, {} longest: {}",
            down.len(),
            worst.label,
            length(worst)
        ),
    }
}

#[cfg(test)]
mod tests;
