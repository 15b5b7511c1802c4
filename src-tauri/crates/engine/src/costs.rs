//! What is billed: the price book in use, providers' own reports, and the logs of coding tools.

pub(crate) mod log_import;
pub(crate) mod price_editor;
pub(crate) mod price_list_date;
pub(crate) mod price_list_rows;
pub(crate) mod prices_in_use;
pub(crate) mod report_progress;
pub(crate) mod reports;
pub(crate) mod session_answer;
pub(crate) mod usage_hours;
