//! Spans of states over time: cut, laid over each other and made fewer. Computed from facts alone.

use domain::WallTime;

use crate::view::{DependencyState, LaneSpanView};

/// Most spans of one lane. A breaker that trips all day makes thousands, and a screen has some thousand
/// pixels.
pub(super) const LANE_SPANS_MAX: usize = 400;

/// A state from one moment to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LaneSpan {
    pub(super) from: WallTime,
    pub(super) to: WallTime,
    pub(super) state: DependencyState,
    /// A sentence, or empty.
    pub(super) why: String,
}

impl LaneSpan {
    pub(super) fn new(
        from: WallTime,
        to: WallTime,
        state: DependencyState,
        why: impl Into<String>,
    ) -> Self {
        Self { from, to, state, why: why.into() }
    }

    pub(super) fn view(self) -> LaneSpanView {
        let Self { from, to, state, why } = self;
        LaneSpanView { from: from.into(), to: to.into(), state, why }
    }

    pub(super) const fn ms(&self) -> i64 {
        self.to.unix_ms().saturating_sub(self.from.unix_ms())
    }
}

/// How bad a state is; equally bad ones may be told apart by their words.
pub(super) const fn badness(state: DependencyState) -> u8 {
    match state {
        DependencyState::Up | DependencyState::Off | DependencyState::NotObserved => 0,
        DependencyState::Unknown | DependencyState::Offline => 1,
        DependencyState::Degraded => 2,
        DependencyState::Blocked => 3,
        DependencyState::Down => 4,
    }
}

/// One lane from two that cover the same time: `pick` chooses the second where it says so. Times that
/// one of them does not cover are the other's.
pub(super) fn combine(
    first: &[LaneSpan],
    second: &[LaneSpan],
    pick: impl Fn(&LaneSpan, &LaneSpan) -> bool,
) -> Vec<LaneSpan> {
    let mut moments: Vec<WallTime> =
        first.iter().chain(second).flat_map(|span| [span.from, span.to]).collect();
    moments.sort_unstable();
    moments.dedup();
    let (mut left, mut right) = (Cursor::new(first), Cursor::new(second));
    let mut lane = Vec::new();
    for pair in moments.windows(2) {
        let &[from, to] = pair else { continue };
        let chosen = match (left.at(from), right.at(from)) {
            (Some(one), Some(other)) if pick(one, other) => other,
            (Some(one), _) | (None, Some(one)) => one,
            (None, None) => continue,
        };
        push(&mut lane, LaneSpan { from, to, ..chosen.clone() });
    }
    lane
}

/// Finds the span of a moment; moments only grow.
struct Cursor<'a> {
    rest: &'a [LaneSpan],
}

impl<'a> Cursor<'a> {
    const fn new(rest: &'a [LaneSpan]) -> Self {
        Self { rest }
    }

    fn at(&mut self, moment: WallTime) -> Option<&'a LaneSpan> {
        while self.rest.first().is_some_and(|span| span.to <= moment) {
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
        self.rest.first().filter(|span| span.from <= moment)
    }
}

/// Adds a span; one that says the same goes on.
pub(super) fn push(lane: &mut Vec<LaneSpan>, span: LaneSpan) {
    if span.from >= span.to {
        return;
    }
    match lane.last_mut() {
        Some(last) if last.to == span.from && last.state == span.state && last.why == span.why => {
            last.to = span.to;
        }
        _ => lane.push(span),
    }
}

/// At most [`LANE_SPANS_MAX`] spans: of those in one cell, the worst stands for all.
pub(super) fn thin_out(lane: Vec<LaneSpan>) -> Vec<LaneSpan> {
    let (Some(first), Some(last)) = (lane.first(), lane.last()) else { return lane };
    if lane.len() <= LANE_SPANS_MAX {
        return lane;
    }
    let (from, to) = (first.from.unix_ms(), last.to.unix_ms());
    let cells = i64::try_from(LANE_SPANS_MAX).unwrap_or(i64::MAX);
    let edge = |cell: i64| WallTime::from_unix_ms(from + (to - from) * cell / cells);
    let mut rest = lane.as_slice();
    let mut thin = Vec::new();
    for cell in 0..cells {
        let (begin, end) = (edge(cell), edge(cell + 1));
        while rest.first().is_some_and(|span| span.to <= begin) {
            rest = rest.get(1..).unwrap_or_default();
        }
        let within = rest.iter().take_while(|span| span.from < end);
        if let Some(worst) = within.max_by_key(|span| (badness(span.state), span.ms())) {
            push(&mut thin, LaneSpan { from: begin, to: end, ..worst.clone() });
        }
    }
    thin
}

/// How long the lane was in one of these states.
pub(super) fn time_in(lane: &[LaneSpan], states: &[DependencyState]) -> i64 {
    lane.iter().filter(|span| states.contains(&span.state)).map(LaneSpan::ms).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> WallTime {
        WallTime::from_unix_ms(ms)
    }

    fn span(from: i64, to: i64, state: DependencyState) -> LaneSpan {
        LaneSpan::new(at(from), at(to), state, "")
    }

    use DependencyState::{Down, NotObserved, Unknown, Up};

    #[test]
    fn what_lies_above_wins_and_neighbours_become_one() {
        let under = [span(0, 50, Up), span(50, 100, Down)];
        let over = [span(20, 30, NotObserved), span(90, 120, NotObserved)];
        let found = combine(&under, &over, |_, _| true);
        let expected = [
            span(0, 20, Up),
            span(20, 30, NotObserved),
            span(30, 50, Up),
            span(50, 90, Down),
            span(90, 120, NotObserved),
        ];
        assert_eq!(found, expected);
        let same = combine(&under, &[span(10, 40, Up)], |_, _| true);
        assert_eq!(same, under, "the same state is no cut");
    }

    #[test]
    fn the_worse_of_two_lanes_can_be_chosen() {
        let worse = |one: &LaneSpan, other: &LaneSpan| badness(other.state) > badness(one.state);
        let found =
            combine(&[span(0, 100, Unknown)], &[span(0, 60, Up), span(60, 100, Down)], worse);
        assert_eq!(found, [span(0, 60, Unknown), span(60, 100, Down)]);
    }

    #[test]
    fn a_lane_of_too_many_spans_keeps_the_worst_of_each_cell() {
        let flapping = |count: i64| -> Vec<LaneSpan> {
            (0..count)
                .map(|number| span(number, number + 1, if number % 2 == 0 { Up } else { Down }))
                .collect()
        };
        let most = i64::try_from(LANE_SPANS_MAX).expect("small");
        assert_eq!(thin_out(flapping(most)), flapping(most), "as many as fit");
        let thin = thin_out(flapping(most * 4));
        assert_eq!(thin, [span(0, most * 4, Down)]);
        let mut calm = vec![span(0, 10_000, Up)];
        calm.extend(flapping(most).into_iter().map(|mut it| {
            it.from = at(it.from.unix_ms() + 10_000);
            it.to = at(it.to.unix_ms() + 10_000);
            it
        }));
        let thin = thin_out(calm);
        assert_eq!(thin.first().map(|it| it.state), Some(Up), "what was long and well stays so");
        assert_eq!(thin.last().map(|it| (it.state, it.to)), Some((Down, at(10_000 + most))));
        assert!(thin.len() <= LANE_SPANS_MAX);
    }
}
