//! View types of what to change to spend less.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{NanoDollars, TimeZoneChoice, UnixMs, UsageFilter, UsageSubjectView};

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageAdviceQuery {
    pub zone: TimeZoneChoice,
}

/// Suggestions from the last 30 days.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageAdviceView {
    pub from: UnixMs,
    pub to: UnixMs,
    /// "3 suggestions, up to $12.40 a month"
    pub finding: String,
    /// At most eight; the largest saving first, those without an estimate last.
    pub advice: Vec<UsageAdviceCardView>,
    /// What is not suggested because it is not recorded, a sentence each.
    pub unavailable_rules: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageAdviceCardView {
    pub rule: UsageAdviceRule,
    /// "Try gpt-4.1-mini for gpt-4.1 of OpenAI"
    pub title: String,
    pub subject: UsageSubjectView,
    /// What it would have saved in the last 30 days; None if that is not known.
    pub saving_nano_usd_per_month: Option<NanoDollars>,
    /// At least one.
    pub evidence: Vec<UsageEvidenceView>,
    /// A sentence.
    pub next_step: String,
    /// None without 60 days of traffic, or where the rule found nothing in the 30 days before.
    pub back_test: Option<UsageAdviceBackTestView>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum UsageAdviceRule {
    /// Many short, simple requests that a cheaper model of the same provider may answer.
    CheaperModel,
    /// Writing to a provider's cache cost more than reading from it saved.
    PromptCacheWrites,
    /// Many large prompts, none of which the provider cached.
    PromptCacheReads,
    UnusedKey,
    UnusedBackend,
    /// Attempts that failed and were paid all the same.
    FailedAttempts,
}

/// A number that a suggestion rests on.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct UsageEvidenceView {
    /// "Mean answer"
    pub label: String,
    /// "84 tokens"
    pub value: String,
    /// The requests behind it, of the period of the answer.
    pub filter: UsageFilter,
}

/// The same rule on the 30 days before.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, Type)]
pub struct UsageAdviceBackTestView {
    /// What it found then.
    pub estimated_nano_usd: NanoDollars,
    /// What following it would have saved since.
    pub saved_nano_usd: NanoDollars,
}
