//! How far the fetch of a cost report is, as an event tells it.

use domain::BillingProvider;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CostReportProgress {
    pub provider: BillingProvider,
    pub days_read: usize,
    /// Days that were asked for.
    pub days: usize,
    /// False once the fetch has ended, whatever its outcome.
    pub is_running: bool,
}
