//! What providers say they billed: their cost reports by API, the CSV files of their consoles, and
//! how far that is from what was computed; and what they say is left. Pure: it asks nobody and stores
//! nothing.

mod amount;
mod balance;
mod drift;
mod export;
mod report;

use std::collections::BTreeMap;

use domain::NanoUsd;
use jiff::civil::Date;

pub use balance::{
    Balance, BalanceEndpoint, GRANTS_MAX, KeyPermissions, LimitReset, SpendingLimit,
};
pub use drift::{
    ALERT_DIFFERENCE_MIN, Billed, Computed, Drift, DriftReason, EXPECTED_DRIFT_PERMILLE,
    alert_drift_percent, drift_percent, is_beyond_expected,
};
pub use export::{Export, ExportProblem, read_export};
pub use report::{REPORT_DAYS_MAX, ReportError, ReportPage, read_report, report_path};

/// Amounts by the provider's own name for what it billed. A day without lines is one on which
/// nothing was billed.
pub type BilledLines = BTreeMap<String, NanoUsd>;

/// Billed amounts by UTC day.
pub type BilledDays = BTreeMap<Date, BilledLines>;

/// Line of an amount that the provider gave no name.
const UNNAMED_LINE: &str = "total";

fn add(days: &mut BilledDays, day: Date, line: String, amount: NanoUsd) {
    *days.entry(day).or_default().entry(line).or_default() += amount;
}
