//! Samples on virtual time, and what rules of alerts get from them.

use super::*;
use crate::process::start_trace::StartStage;
use crate::test_parts::NOW;

impl LocalResources {
    /// Keeps made-up samples, oldest first.
    pub(crate) fn keep_samples(&self, samples: Vec<LocalSample>) {
        self.state.lock().samples = samples.into();
    }
}

fn sample(watched: usize, known: usize, slow_statements: u64) -> LocalSample {
    LocalSample { at: NOW, watched, known, slow_statements, ..LocalSample::default() }
}

#[test]
fn processor_time_is_a_share_of_one_core_between_two_readings() {
    let secs = Duration::from_secs;
    let at = Moment::from_secs;
    assert_eq!(core_percent(None, Some(secs(5)), at(30)), None, "nothing to compare with");
    assert_eq!(core_percent(Some((at(0), secs(5))), None, at(30)), None);
    assert_eq!(core_percent(Some((at(0), secs(5))), Some(secs(5)), at(0)), None);
    assert_eq!(core_percent(Some((at(0), secs(5))), Some(secs(8)), at(30)), Some(10.0));
    assert_eq!(core_percent(Some((at(0), secs(0))), Some(secs(60)), at(30)), Some(200.0));
}

#[test]
fn memory_is_a_share_only_where_both_numbers_are_known() {
    let reading = |all, used| SystemReading {
        machine_memory_bytes: all,
        machine_memory_used_bytes: used,
        ..SystemReading::default()
    };
    assert_eq!(memory_percent(&reading(Some(8), Some(6))), Some(75.0));
    assert_eq!(memory_percent(&reading(Some(8), None)), None);
    assert_eq!(memory_percent(&reading(Some(0), Some(6))), None);
    assert_eq!(memory_percent(&reading(None, Some(6))), None);
}

#[test]
fn three_starts_are_as_slow_as_the_fastest_of_them() {
    let start = |ledger_ms: f64| StartTrace {
        at: NOW,
        version: "1".to_owned(),
        stages: vec![
            StageTime { stage: StartStage::Folders, ms: 10.0 },
            StageTime { stage: StartStage::Ledger, ms: ledger_ms },
        ],
        first_probe_ms: None,
        panel_ms: None,
    };
    let slow = start(1_500.0);
    assert_eq!(slow_start(&[slow.clone(), slow.clone()]), None, "two say nothing");
    let Some(Measurement::Start { fastest, stage }) =
        slow_start(&[slow.clone(), start(1_190.0), slow, start(1.0)])
    else {
        panic!("three starts")
    };
    assert_eq!((fastest, stage.as_str()), (Duration::from_millis(1_200), "opening the ledger"));
}

#[test]
fn slow_statements_are_counted_for_an_hour() {
    let of = |samples: &[LocalSample]| slow_queries(&samples.iter().rev().collect::<Vec<_>>());
    assert_eq!(of(&[]), None);
    let young = of(&[sample(0, 0, 2), sample(0, 0, 5)]);
    assert_eq!(young, Some(Measurement::SlowQueries { count: 5 }), "those of the start count too");
    let mut hour = vec![sample(0, 0, 7); HOUR_SAMPLES];
    assert_eq!(of(&hour), Some(Measurement::SlowQueries { count: 0 }));
    hour.push(sample(0, 0, 9));
    assert_eq!(of(&hour[1..]), Some(Measurement::SlowQueries { count: 2 }));
}

#[test]
fn coverage_is_unknown_until_backends_were_to_be_checked_for_ten_minutes() {
    let of = |samples: &[LocalSample]| probe_coverage(&samples.iter().collect::<Vec<_>>());
    let mut samples = vec![sample(0, 0, 0); HOUR_SAMPLES];
    assert_eq!(of(&samples), None, "there is no backend");
    samples.truncate(COVERED_SAMPLES_MIN - 1);
    samples.fill(sample(2, 2, 0));
    assert_eq!(of(&samples), None, "too young");
    samples.push(sample(2, 0, 0));
    assert_eq!(of(&samples), Some(Measurement::ProbeCoverage { percent: 95.0 }));
}

/// So many seconds after the first sample of a test.
fn after(secs: i64) -> WallTime {
    NOW.plus_ms(secs * 1_000)
}

/// A sample every half minute, with so many slow statements since the start.
fn samples(count: i64, slow_statements: impl Fn(i64) -> u64) -> Vec<LocalSample> {
    let at = |place: i64| LocalSample {
        at: after(place * 30),
        slow_statements: slow_statements(place),
        disk_free_bytes: Some(2_000_000_000),
        ..LocalSample::default()
    };
    (0..count).map(at).collect()
}

#[test]
fn the_past_of_a_young_program_is_known_from_its_first_sample() {
    let past = PastSamples::new(samples(10, |place| if place < 4 { 0 } else { 3 }));
    assert_eq!(past.known_from, Some(after(0)));
    let counted =
        |secs| past.at(after(secs)).0.into_iter().find(|it| it.rule() == AlertRule::SlowQueries);
    assert_eq!(counted(-1), None, "there was no sample");
    assert_eq!(counted(119), Some(Measurement::SlowQueries { count: 0 }));
    assert_eq!(counted(120), Some(Measurement::SlowQueries { count: 3 }));
    let (found, missing) = past.at(after(300));
    assert!(found.contains(&Measurement::Disk { free_megabytes: 2_000 }), "{found:?}");
    assert!(missing.contains(&AlertRule::AppMemory), "nothing told of it: {missing:?}");
    assert_eq!(PastSamples::new(Vec::new()).known_from, None);
}

#[test]
fn the_oldest_hour_of_a_full_list_counts_for_what_is_after_it() {
    let kept = i64::try_from(SAMPLES_KEPT_MAX).expect("small");
    // One in each minute, and many before the list begins.
    let past = PastSamples::new(samples(kept, |place| 1_000 + place.unsigned_abs() / 2));
    let hour = 30 * (i64::try_from(HOUR_SAMPLES).expect("small") - 1);
    assert_eq!(past.known_from, Some(after(hour)));
    let (found, _) = past.at(after(hour));
    assert!(found.contains(&Measurement::SlowQueries { count: 59 }), "{found:?}");
}

#[test]
fn nobody_looked_between_samples_that_lie_apart_and_a_clock_set_back_begins_anew() {
    let mut all = samples(240, |_| 0);
    all.drain(10..20);
    let past = PastSamples::new(all.clone());
    let end = after(239 * 30);
    assert_eq!(
        past.gaps(end),
        std::iter::once(after(9 * 30 + 60)..after(20 * 30)).collect::<Vec<_>>()
    );
    let stopped = past.gaps(after(239 * 30 + 600));
    assert_eq!(stopped.last(), Some(&(after(239 * 30 + 60)..after(239 * 30 + 600))));
    // By an hour, at the sample that is now the fiftieth.
    for sample in &mut all[50..] {
        sample.at = sample.at.minus_ms(3_600_000);
    }
    let past = PastSamples::new(all.clone());
    assert_eq!(past.changes().next(), Some(all[50].at));
    assert_eq!(past.known_from, Some(all[50 + HOUR_SAMPLES - 1].at));
}
