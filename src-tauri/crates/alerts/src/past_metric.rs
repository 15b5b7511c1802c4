//! What a rule compared with its threshold in the past, as a chart of few steps shows it.

use std::collections::BTreeMap;

use domain::WallTime;

use crate::back_test::PastTime;
use crate::facts::Facts;
use crate::rule::{AlertRule, RuleTuning, ThresholdSide};

/// Lines of a chart, of what came closest to its threshold.
pub const METRIC_LINES_MAX: usize = 5;

/// Numbers of the past.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PastMetric {
    /// Beginnings of the steps, oldest first.
    pub steps: Vec<WallTime>,
    /// What came closest to the threshold first.
    pub lines: Vec<MetricLine>,
    /// Lines beyond [`METRIC_LINES_MAX`].
    pub left_out: usize,
}

/// What was measured of one backend, key or whatever the rule is about.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricLine {
    pub scope: String,
    /// Of each step the number that came closest to the threshold; `None` where nothing was measured.
    pub values: Vec<Option<f64>>,
}

/// What `rule` compared from `from` to the end of `past`, in so many steps. `None` for a rule without a
/// threshold. Numbers of too few requests are left out, as they are judged by no rule.
#[must_use]
pub fn past_metric(
    rule: AlertRule,
    tuning: &RuleTuning,
    past: &PastTime,
    (from, steps): (WallTime, usize),
    mut facts_at: impl FnMut(WallTime) -> Facts,
) -> Option<PastMetric> {
    let side = rule.row().threshold?.side;
    let starts = step_starts(from, past.until, steps);
    let mut by_scope: BTreeMap<String, Vec<Option<f64>>> = BTreeMap::new();
    for (place, start) in starts.iter().enumerate() {
        let end = starts.get(place + 1).copied().unwrap_or(past.until);
        let changes = std::iter::successors(Some(*start), |at| Some(past.next_change(*at)));
        for at in changes.take_while(|at| *at < end) {
            // Nobody looked.
            if past.after_gap(at) != at {
                continue;
            }
            for measured in facts_at(at).measurements.iter().filter(|it| it.rule() == rule) {
                let is_enough = measured.requests().is_none_or(|it| it >= tuning.minimum.into());
                let Some(value) = measured.charted().filter(|_| is_enough) else { continue };
                let values = by_scope.entry(measured.scope().to_owned());
                let values = values.or_insert_with(|| vec![None; starts.len()]);
                if let Some(known) = values.get_mut(place) {
                    *known = Some(known.map_or(value, |known| closest(side, known, value)));
                }
            }
        }
    }
    let mut lines: Vec<MetricLine> =
        by_scope.into_iter().map(|(scope, values)| MetricLine { scope, values }).collect();
    lines.sort_by(|one, other| {
        let (one, other) = (peak(side, one), peak(side, other));
        match side {
            ThresholdSide::AtLeast => other.total_cmp(&one),
            ThresholdSide::AtMost | ThresholdSide::Below => one.total_cmp(&other),
        }
    });
    let left_out = lines.len().saturating_sub(METRIC_LINES_MAX);
    lines.truncate(METRIC_LINES_MAX);
    Some(PastMetric { steps: starts, lines, left_out })
}

/// The beginnings of equal parts of a time.
fn step_starts(from: WallTime, until: WallTime, steps: usize) -> Vec<WallTime> {
    let (from, steps) = (from.unix_ms(), i64::try_from(steps).unwrap_or(i64::MAX).max(1));
    let length = (until.unix_ms() - from).max(0);
    (0..steps.min(length))
        .map(|step| WallTime::from_unix_ms(from + length * step / steps))
        .collect()
}

fn closest(side: ThresholdSide, one: f64, other: f64) -> f64 {
    match side {
        ThresholdSide::AtLeast => one.max(other),
        ThresholdSide::AtMost | ThresholdSide::Below => one.min(other),
    }
}

fn peak(side: ThresholdSide, line: &MetricLine) -> f64 {
    let all = line.values.iter().flatten().copied();
    all.reduce(|one, other| closest(side, one, other)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use domain::{BackendId, MINUTE_MS};

    use super::*;
    use crate::measurement::Measurement;
    use crate::rule::{tuning_of, tunings};

    fn at(minute: i64) -> WallTime {
        WallTime::from_unix_ms(minute * MINUTE_MS)
    }

    fn errors(name: &str, failed: u64, requests: u64) -> Measurement {
        let backend = BackendId::new(name).expect("a good id");
        Measurement::Errors { backend, label: name.to_owned(), failed, requests }
    }

    fn facts(measurements: Vec<Measurement>) -> Facts {
        Facts { measurements, ..Facts::default() }
    }

    fn past(changes: &[i64], gaps: &[(i64, i64)]) -> PastTime {
        PastTime {
            from: at(-60),
            until: at(40),
            changes: changes.iter().map(|minute| at(*minute)).collect(),
            gaps: gaps.iter().map(|(from, until)| at(*from)..at(*until)).collect(),
        }
    }

    #[test]
    fn each_step_has_what_came_closest_to_the_threshold_and_gaps_have_nothing() {
        let tuning = tuning_of(&tunings(), AlertRule::ErrorRate);
        let past = past(&[-30, 3, 7, 12, 31], &[(20, 30)]);
        let facts_at = |time: WallTime| {
            facts(match time.unix_ms() / MINUTE_MS {
                // Two failed of a hundred fire nothing and are drawn all the same.
                ..3 => vec![errors("a", 2, 100)],
                3..7 => vec![errors("a", 10, 100), errors("b", 30, 100)],
                7..12 => vec![errors("a", 5, 100)],
                // Too few requests.
                12..31 => vec![errors("a", 5, 19)],
                _ => vec![errors("a", 0, 100), Measurement::Disk { free_megabytes: 1 }],
            })
        };
        let found = past_metric(AlertRule::ErrorRate, &tuning, &past, (at(0), 4), facts_at);
        let found = found.expect("it has a threshold");
        assert_eq!(found.steps, [at(0), at(10), at(20), at(30)]);
        let line = |scope: &str, values: &[Option<f64>]| MetricLine {
            scope: scope.to_owned(),
            values: values.to_vec(),
        };
        let a = line("a", &[Some(10.0), Some(5.0), None, Some(0.0)]);
        assert_eq!(found.lines, [line("b", &[Some(30.0), None, None, None]), a]);
        assert_eq!(found.left_out, 0);
        let none = past_metric(AlertRule::BackendDown, &tuning, &past, (at(0), 4), facts_at);
        assert_eq!(none, None, "it has none");
    }

    #[test]
    fn below_a_threshold_the_smallest_counts_and_few_lines_are_kept() {
        let tuning = tuning_of(&tunings(), AlertRule::QuotaLow);
        let left = |place: usize| {
            let backend = BackendId::new(format!("b{place}")).expect("a good id");
            let (label, limit) = (String::new(), String::new());
            Measurement::Quota { backend, label, limit, remaining: 90 - place as u64, total: 100 }
        };
        let all: Vec<Measurement> = (0..=METRIC_LINES_MAX).map(left).collect();
        let facts_at = |time: WallTime| match time == at(5) {
            true => facts(all.clone()),
            false => facts(vec![Measurement::Quota {
                backend: BackendId::new("b0").expect("a good id"),
                label: String::new(),
                limit: String::new(),
                remaining: 95,
                total: 100,
            }]),
        };
        let found =
            past_metric(AlertRule::QuotaLow, &tuning, &past(&[5], &[]), (at(0), 1), facts_at);
        let found = found.expect("it has a threshold");
        let shown: Vec<(&str, Option<f64>)> =
            found.lines.iter().map(|it| (it.scope.as_str(), it.values[0])).collect();
        let expected = [("b5", 85.0), ("b4", 86.0), ("b3", 87.0), ("b2", 88.0), ("b1", 89.0)];
        assert_eq!(shown, expected.map(|(name, value)| (name, Some(value))));
        assert_eq!(found.left_out, 1);
    }
}
