//! Samples on virtual time, and what rules of alerts get from them.

use super::*;
use crate::start_trace::StartStage;
use crate::test_parts::NOW;

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
