//! Files that operations make: statements, exports of requests.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Count, NanoDollars};

/// A file as a text, with what it sums up.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct TextFile {
    /// For example `gatehouse-2026-11.html`.
    pub name: String,
    pub media_type: String,
    pub text: String,
    pub requests: Count,
    /// Of these, requests whose cost is not known.
    pub unpriced_requests: Count,
    pub cost_nano_usd: NanoDollars,
    /// True if nothing is known of what they cost; the cost is then no zero.
    pub is_cost_unknown: bool,
    /// False if there were more requests than a file may have; the oldest are left off.
    pub is_whole: bool,
}

impl TextFile {
    /// What is said of it once it is written to `path`.
    #[must_use]
    pub fn saved_at(&self, path: String) -> SavedFile {
        SavedFile {
            path,
            requests: self.requests,
            unpriced_requests: self.unpriced_requests,
            cost_nano_usd: self.cost_nano_usd,
            is_cost_unknown: self.is_cost_unknown,
            is_whole: self.is_whole,
        }
    }
}

/// A file in the folder for downloads.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SavedFile {
    pub path: String,
    pub requests: Count,
    /// As in [`TextFile`].
    pub unpriced_requests: Count,
    pub cost_nano_usd: NanoDollars,
    /// As in [`TextFile`].
    pub is_cost_unknown: bool,
    /// As in [`TextFile`].
    pub is_whole: bool,
}
