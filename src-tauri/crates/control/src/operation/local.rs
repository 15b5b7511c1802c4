//! What this program and its machine use, how fast the ledger answers, and how the starts went.

use domain::Word;
use engine::{Engine, LocalSample, StartTrace};
use ledger::LedgerBackup;
use settings::AlertSettings;

use crate::ApiError;
use crate::operation::machine_facts::machine_facts;
use crate::operation::time_figures::milliseconds;
use crate::view::{
    LedgerCheckView, LedgerPerformanceView, LocalChartView, LocalHealthView, LocalMeasure,
    LocalUnit, SlowStatementView, StartStageView, StartView, UnixMs,
};

/// Most moments of a chart. Samples beyond that are averaged in equal groups.
const POINTS_MAX: usize = 120;
/// Share of a threshold from which a chart shows it; below, its line would be flat at the foot.
const LIMIT_SHOWN_SHARE: f64 = 0.5;
const MEGABYTE: f64 = 1_000_000.0;

/// The label of a measure, its unit and where it comes from.
type Source = (LocalMeasure, &'static str, LocalUnit, fn(&LocalSample) -> Option<f64>);

const SOURCES: [Source; 6] = [
    (LocalMeasure::AppProcessor, "Processor of Gatehouse", LocalUnit::Percent, |sample| {
        sample.app_processor_percent
    }),
    (LocalMeasure::AppMemory, "Memory of Gatehouse", LocalUnit::Bytes, |sample| {
        sample.app_memory_bytes.map(number)
    }),
    (LocalMeasure::MachineProcessor, "Processor of this machine", LocalUnit::Percent, |sample| {
        sample.machine_processor_percent
    }),
    (LocalMeasure::MachineMemory, "Memory of this machine", LocalUnit::Percent, |sample| {
        sample.machine_memory_percent
    }),
    (LocalMeasure::DiskFree, "Free space on the disk", LocalUnit::Bytes, |sample| {
        sample.disk_free_bytes.map(number)
    }),
    (LocalMeasure::LedgerSize, "Size of the ledger", LocalUnit::Bytes, |sample| {
        Some(number(sample.ledger_bytes))
    }),
];

pub(crate) async fn local_health(engine: &Engine) -> Result<LocalHealthView, ApiError> {
    let samples = engine.local_resources().samples();
    let groups: Vec<&[LocalSample]> =
        samples.chunks(samples.len().div_ceil(POINTS_MAX).max(1)).collect();
    let settings = engine.settings();
    let charts: Vec<LocalChartView> =
        SOURCES.iter().map(|source| chart(source, &groups, &samples, &settings.alerts)).collect();
    let starts = engine.local_resources().starts().list();
    let backups = engine.ledger_watch().recovery().backups()?;
    Ok(LocalHealthView {
        finding: finding(&charts),
        points: groups.iter().filter_map(|group| group.last()).map(|it| it.at.into()).collect(),
        charts,
        ledger: ledger_performance(engine, backups.first()).await?,
        starts: starts.iter().map(|start| start_view(start, &settings.alerts)).collect(),
        machine: machine_facts(engine).await,
    })
}

fn chart(
    (measure, label, unit, of): &Source,
    groups: &[&[LocalSample]],
    samples: &[LocalSample],
    alerts: &AlertSettings,
) -> LocalChartView {
    let is_low_bad = *measure == LocalMeasure::DiskFree;
    let latest = samples.last().and_then(of);
    let known = samples.iter().filter_map(of);
    let extreme = match is_low_bad {
        true => known.min_by(f64::total_cmp),
        false => known.max_by(f64::total_cmp),
    };
    let highest = extreme.filter(|_| !is_low_bad).unwrap_or_default();
    let limit = limit(*measure, alerts);
    let is_beyond = |value: f64| match (limit, is_low_bad) {
        (Some(limit), true) => value < limit,
        (Some(limit), false) => value >= limit,
        (None, _) => false,
    };
    LocalChartView {
        measure: *measure,
        unit: *unit,
        label: (*label).to_owned(),
        latest: latest.map(|value| value_text(*unit, value)),
        extreme: extreme.map(|value| value_text(*unit, value)),
        values: groups.iter().map(|group| mean(group.iter().filter_map(of))).collect(),
        limit: limit.filter(|limit| !is_low_bad && highest >= LIMIT_SHOWN_SHARE * limit),
        is_beyond: latest.is_some_and(is_beyond),
    }
}

/// The threshold of the rule that judges it.
fn limit(measure: LocalMeasure, alerts: &AlertSettings) -> Option<f64> {
    let megabytes = |count: u32| f64::from(count) * MEGABYTE;
    match measure {
        LocalMeasure::AppProcessor => Some(alerts.app_processor_percent.into()),
        LocalMeasure::AppMemory => Some(megabytes(alerts.app_memory_megabytes)),
        LocalMeasure::MachineMemory => Some(alerts.machine_memory_percent.into()),
        LocalMeasure::DiskFree => Some(megabytes(alerts.disk_space_megabytes)),
        LocalMeasure::MachineProcessor | LocalMeasure::LedgerSize => None,
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

fn number(count: u64) -> f64 {
    count as f64
}

fn value_text(unit: LocalUnit, value: f64) -> String {
    match unit {
        LocalUnit::Percent if value < 10.0 => format!("{value:.1} %"),
        LocalUnit::Percent => format!("{value:.0} %"),
        LocalUnit::Bytes if value >= 1_000.0 * MEGABYTE => {
            format!("{:.1} GB", value / (1_000.0 * MEGABYTE))
        }
        LocalUnit::Bytes if value >= 10.0 * MEGABYTE => format!("{:.0} MB", value / MEGABYTE),
        LocalUnit::Bytes => format!("{:.1} MB", value / MEGABYTE),
    }
}

fn finding(charts: &[LocalChartView]) -> String {
    let latest =
        |measure| charts.iter().find(|it| it.measure == measure).and_then(|it| it.latest.clone());
    let beyond = charts.iter().find(|it| it.is_beyond);
    match (beyond, latest(LocalMeasure::AppMemory), latest(LocalMeasure::AppProcessor)) {
        (Some(chart), ..) => {
            format!("{}: {}", chart.label, chart.latest.as_deref().unwrap_or_default())
        }
        (None, Some(memory), Some(processor)) => {
            format!("Gatehouse uses {memory} and {processor} of a core")
        }
        (None, Some(memory), None) => format!("Gatehouse uses {memory}"),
        (None, None, _) => "Nothing is measured yet".to_owned(),
    }
}

/// How fast the ledger answers, and when it was looked after.
pub(super) async fn ledger_performance(
    engine: &Engine,
    newest_backup: Option<&LedgerBackup>,
) -> Result<LedgerPerformanceView, ApiError> {
    let (ledger, watch) = (engine.ledger(), engine.ledger_watch());
    let waits = ledger.reader_waits();
    let statements = ledger.slow_statements().await?.into_iter();
    Ok(LedgerPerformanceView {
        log_bytes: ledger.log_bytes().into(),
        check: watch
            .last_check()
            .map(|check| LedgerCheckView { at: check.at.into(), is_sound: check.is_sound }),
        last_backup: newest_backup.map(|backup| UnixMs::from(backup.at)),
        reads: waits.reads.into(),
        waited_reads: waits.waited.into(),
        longest_wait_ms: milliseconds(waits.longest),
        slow_limit_ms: milliseconds(ledger::SLOW_STATEMENT),
        slow_count: ledger.slow_statement_count().into(),
        slow_statements: statements
            .map(|statement| SlowStatementView {
                text: statement.text,
                count: statement.count.into(),
                worst_ms: milliseconds(statement.worst),
                plan: statement.plan,
            })
            .collect(),
    })
}

fn start_view(start: &StartTrace, alerts: &AlertSettings) -> StartView {
    let ready_ms = start.ready_ms();
    let finding = start
        .slowest()
        .map(|slowest| format!("Longest stage: {}, {:.0} ms", slowest.stage.meaning(), slowest.ms));
    StartView {
        at: start.at.into(),
        version: start.version.clone(),
        ready_ms,
        is_slow: ready_ms >= f64::from(alerts.slow_start_ms),
        finding: finding.unwrap_or_default(),
        stages: start
            .stages
            .iter()
            .map(|time| StartStageView {
                stage: time.stage,
                meaning: time.stage.meaning().to_owned(),
                ms: time.ms,
            })
            .collect(),
        first_probe_ms: start.first_probe_ms,
        panel_ms: start.panel_ms,
    }
}

#[cfg(test)]
mod tests {
    use domain::WallTime;

    use super::*;

    fn charts_of(samples: &[LocalSample]) -> Vec<LocalChartView> {
        let groups: Vec<&[LocalSample]> = samples.chunks(2).collect();
        SOURCES
            .iter()
            .map(|source| chart(source, &groups, samples, &AlertSettings::default()))
            .collect()
    }

    fn sample(memory_mb: u64, free_mb: u64, processor: Option<f64>) -> LocalSample {
        LocalSample {
            at: WallTime::from_unix_ms(1_795_248_000_000),
            app_memory_bytes: Some(memory_mb * 1_000_000),
            disk_free_bytes: Some(free_mb * 1_000_000),
            app_processor_percent: processor,
            ledger_bytes: 4_321_280,
            ..LocalSample::default()
        }
    }

    #[test]
    fn a_chart_has_means_and_what_is_not_known_stays_unknown() {
        let samples =
            [sample(80, 9_000, None), sample(90, 8_000, Some(0.4)), sample(84, 7_500, Some(0.2))];
        let charts = charts_of(&samples);
        let of = |measure| charts.iter().find(|it| it.measure == measure).expect("a chart");
        let memory = of(LocalMeasure::AppMemory);
        assert_eq!(memory.values, [Some(85e6), Some(84e6)]);
        assert_eq!(memory.latest.as_deref(), Some("84 MB"));
        assert_eq!((memory.extreme.as_deref(), memory.limit), (Some("90 MB"), None));
        let high = charts_of(&[sample(150, 9_000, None)]);
        let memory = high.iter().find(|it| it.measure == LocalMeasure::AppMemory);
        assert_eq!(memory.and_then(|it| it.limit), Some(240e6), "near enough to be shown");
        assert_eq!(of(LocalMeasure::AppProcessor).values, [Some(0.4), Some(0.2)]);
        assert_eq!(of(LocalMeasure::MachineMemory).values, [None, None]);
        assert_eq!(of(LocalMeasure::DiskFree).extreme.as_deref(), Some("7.5 GB"));
        assert_eq!(of(LocalMeasure::LedgerSize).latest.as_deref(), Some("4.3 MB"));
        assert_eq!(finding(&charts), "Gatehouse uses 84 MB and 0.2 % of a core");
        assert_eq!(finding(&charts_of(&[])), "Nothing is measured yet");
    }

    #[test]
    fn what_is_beyond_the_threshold_of_its_alert_is_the_finding() {
        assert_eq!(finding(&charts_of(&[sample(240, 9_000, None)])), "Memory of Gatehouse: 240 MB");
        let full = charts_of(&[sample(239, 499, Some(12.0))]);
        assert_eq!(finding(&full), "Free space on the disk: 499 MB");
        assert_eq!(finding(&charts_of(&[sample(239, 500, None)])), "Gatehouse uses 239 MB");
    }
}
