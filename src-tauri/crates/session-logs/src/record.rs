//! What a log yields: usage records and problems.

use std::borrow::Cow;

use domain::{NanoUsd, PriceTier, SessionTool, TokenUsage, WallTime};

/// The usage of one answer of a model, as a tool wrote it down. Metadata only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRecord {
    pub key: RecordKey,
    pub session: Option<String>,
    /// The provider's id of the answer, where the tool keeps it.
    pub message_id: Option<String>,
    /// The provider's id of the request, where the tool keeps it.
    pub request_id: Option<String>,
    /// When the answer was written down.
    pub time: WallTime,
    /// `None` if the log does not name one.
    pub model: Option<String>,
    /// The provider by the tool's name for it, where the tool can use several.
    pub provider: Option<String>,
    /// The folder that the tool worked in.
    pub project: Option<String>,
    pub usage: TokenUsage,
    /// Parts of `usage` that were calls of their own, as in [`domain::Usage::inner_calls`].
    pub inner_calls: Vec<TokenUsage>,
    /// Searches that the provider ran and bills per call.
    pub web_searches: u64,
    pub service_tier: PriceTier,
    /// Where the answer was made, if the provider bills that.
    pub region: Option<String>,
    /// A field that may change the cost and says something unknown. Then the answer has no price.
    pub unread: Option<Cow<'static, str>>,
    /// What the tool says that it cost.
    pub stated_cost: Option<NanoUsd>,
    pub line: u64,
}

impl UsageRecord {
    /// True if this record replaces `other` of the same key. Tools write an answer down while it
    /// streams, and copy answers into other sessions: the record with the most output is the last
    /// of a stream, and the earliest of equals is the original (ids of sessions grow with time). A
    /// total order, so that the result does not depend on which file is read first.
    #[must_use]
    pub fn replaces(&self, other: &Self) -> bool {
        let rank = |record: &Self| (record.usage.output(), record.usage.total());
        match rank(self).cmp(&rank(other)) {
            std::cmp::Ordering::Equal => {
                (self.time, &self.session, &self.model, &self.project)
                    < (other.time, &other.session, &other.model, &other.project)
            }
            order => order.is_gt(),
        }
    }
}

/// Identity of an answer across lines, files and imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordKey([u8; 16]);

impl RecordKey {
    /// The key of the answer that `parts` identify among those of `tool`.
    #[must_use]
    pub fn of(tool: SessionTool, parts: &[&str]) -> Self {
        let mut hash = blake3::Hasher::new();
        for part in std::iter::once(&tool.word()).chain(parts) {
            // The length keeps ("ab", "c") apart from ("a", "bc").
            hash.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            hash.update(part.as_bytes());
        }
        let mut key = [0; 16];
        key.iter_mut().zip(hash.finalize().as_bytes()).for_each(|(to, from)| *to = *from);
        Self(key)
    }

    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Something in a log that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogProblem {
    /// Counted from 1; 0 if it concerns the whole file. In a database: 0.
    pub line: u64,
    /// Path of the field in the line, as `message.usage.output_tokens`; empty for the whole line.
    pub field: String,
    /// What is wrong, without anything that the log says but numbers.
    pub what: String,
}
