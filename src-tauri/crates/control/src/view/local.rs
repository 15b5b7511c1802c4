//! View types of this program and its machine.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Count, StartStage, UnixMs};

domain::words! {
    /// What is measured of this program and its machine.
    LocalMeasure {
        /// Processor time of Gatehouse, in percent of one core
        AppProcessor = "app_processor",
        /// Memory that Gatehouse holds, in bytes, without the window's web view
        AppMemory = "app_memory",
        /// Processor time in use on this machine, in percent of all cores
        MachineProcessor = "machine_processor",
        /// Memory in use on this machine, in percent
        MachineMemory = "machine_memory",
        /// Free space on the disk with the ledger, in bytes
        DiskFree = "disk_free",
        /// Size of the ledger with its log, in bytes
        LedgerSize = "ledger_size",
    }
}

domain::words! {
    LocalUnit {
        Percent = "percent",
        Bytes = "bytes",
    }
}

domain::words! {
    /// A fact of this machine, or of how this program stands in it.
    MachineFact {
        System = "system",
        KeyStorage = "key_storage",
        WebView = "web_view",
        Proxy = "proxy",
        Power = "power",
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct MachineFactView {
    pub fact: MachineFact,
    /// "Key storage"
    pub label: String,
    /// In words, without secrets; None where it could not be found.
    pub value: Option<String>,
}

/// What this program and its machine use, and how the last starts went.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LocalHealthView {
    /// "Gatehouse uses 84 MB and 0.1 % of a core"
    pub finding: String,
    /// The moments of the charts, the oldest first; empty before the first sample.
    pub points: Vec<UnixMs>,
    pub charts: Vec<LocalChartView>,
    pub ledger: LedgerPerformanceView,
    /// Newest first; this start is the first.
    pub starts: Vec<StartView>,
    /// What changes seldom: found anew every five minutes.
    pub machine: Vec<MachineFactView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LocalChartView {
    pub measure: LocalMeasure,
    pub unit: LocalUnit,
    /// What it shows, as a name: "Memory of Gatehouse"
    pub label: String,
    /// The newest value in words: "84 MB"; None where the system says nothing.
    pub latest: Option<String>,
    /// The highest value of the chart in words; for free space the lowest.
    pub extreme: Option<String>,
    /// One per moment; None where the system said nothing.
    pub values: Vec<Option<f64>>,
    /// From here on an alert fires, if its rule is on; None while the values are far below, and where
    /// a low value is the bad one.
    pub limit: Option<f64>,
    /// True if the newest value is beyond the threshold of its alert.
    pub is_beyond: bool,
}

/// How fast the ledger answers, and when it was looked after.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LedgerPerformanceView {
    /// Size of the write-ahead log.
    pub log_bytes: Count,
    /// The last check of the whole file since the start; None while the first one runs.
    pub check: Option<LedgerCheckView>,
    pub last_backup: Option<UnixMs>,
    /// Reads since the start, and how many of them found every connection in use.
    pub reads: Count,
    pub waited_reads: Count,
    pub longest_wait_ms: f64,
    /// A statement is slow from this time on.
    pub slow_limit_ms: f64,
    /// How often a statement was slow since the start.
    pub slow_count: Count,
    /// The slowest first.
    pub slow_statements: Vec<SlowStatementView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LedgerCheckView {
    pub at: UnixMs,
    pub is_sound: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SlowStatementView {
    /// With parameters instead of values.
    pub text: String,
    pub count: Count,
    pub worst_ms: f64,
    /// How SQLite would run it now, one line per step.
    pub plan: Vec<String>,
}

/// A start, from the beginning of the program until clients are served.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct StartView {
    pub at: UnixMs,
    pub version: String,
    pub ready_ms: f64,
    /// True from the threshold of the alert on.
    pub is_slow: bool,
    /// "Longest stage: opening the ledger, 212 ms"
    pub finding: String,
    /// In their order.
    pub stages: Vec<StartStageView>,
    /// Until the first result of a probe; None without one.
    pub first_probe_ms: Option<f64>,
    /// Until the panel of the window showed data; None without a window.
    pub panel_ms: Option<f64>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct StartStageView {
    pub stage: StartStage,
    /// "opening the ledger"
    pub meaning: String,
    pub ms: f64,
}
