//! Errors in neutral terms: the gateway classifies once, and each dialect only spells the result.

use std::time::Duration;

/// Longest message kept from an upstream error, in characters. Providers' own messages have fewer
/// than 1,000; "prompt is too long" messages, which clients parse, are far shorter.
pub(crate) const ERROR_MESSAGE_CHARS_MAX: usize = 2_000;

/// Longest `type`, `code` or `param` kept from an upstream error, in characters.
pub(crate) const ERROR_FIELD_CHARS_MAX: usize = 128;

/// Length of an unbroken run of letters and digits that is treated as a key: the shortest bare keys
/// in use (Azure, Mistral) have 32.
const BARE_KEY_CHARS_MIN: usize = 32;

/// Replacement for such a run.
const MASK: &str = "…";

/// What went wrong, from the client's point of view. Each dialect has its own word for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    InvalidRequest,
    /// The local token is missing or unknown.
    Authentication,
    /// The token is known but not allowed to do this.
    Permission,
    /// No such model or path.
    NotFound,
    /// The body is larger than allowed.
    TooLarge,
    /// Too many requests; retrying later helps.
    RateLimit,
    /// A budget or an account is used up; retrying does not help.
    Billing,
    /// No answer in time.
    Timeout,
    /// The backend has no capacity now.
    Overloaded,
    /// The gateway's key for the backend is missing or was rejected. The client's own token is
    /// fine, and only the user can fix this: clients should not retry.
    BackendKey,
    /// A fault of the backend or of the gateway.
    Api,
}

/// One error for a client, not yet in a dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorAnswer<'a> {
    /// HTTP status of the answer; some dialects repeat it in the body.
    pub status: u16,
    pub kind: ErrorKind,
    /// A stable identifier for programs, such as `model_not_found`.
    pub code: Option<&'a str>,
    /// What happened and what to do, for people.
    pub message: &'a str,
    /// The request field at fault.
    pub param: Option<&'a str>,
}

/// What an upstream error means for retries, circuit breaker, cooldown and key blocking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UpstreamClass {
    /// The request is at fault (400, 422): relay, no retry, no effect on the breaker.
    InvalidRequest,
    /// The key is unknown or lacks permission (401, 403): block the key.
    KeyRejected,
    /// The account has no credit (402, or 429 with `insufficient_quota`): block the key.
    Unpaid,
    /// A long-term quota, such as a daily one, is used up: wait for its reset, do not retry.
    QuotaSpent,
    /// No such model or path (404).
    NotFound,
    /// The request is too large (413).
    TooLarge,
    /// Too many requests (429): cooldown, not a failure.
    RateLimited,
    /// The backend timed out or reported a conflict (408, 409, 504).
    Timeout,
    /// The backend has no capacity (503, 529).
    Overloaded,
    /// Any other failure of the backend (500, 502, …, and unexpected statuses).
    Failed,
}

impl UpstreamClass {
    /// Classifies a status together with the error's type and code.
    #[must_use]
    pub fn classify(status: u16, kind: Option<&str>, code: Option<&str>) -> Self {
        let says = |word: &str| [kind, code].into_iter().flatten().any(|text| text == word);
        match status {
            429 if says("insufficient_quota") || says("billing_error") => Self::Unpaid,
            429 => Self::RateLimited,
            401 | 403 => Self::KeyRejected,
            402 => Self::Unpaid,
            404 => Self::NotFound,
            408 | 409 | 504 => Self::Timeout,
            413 => Self::TooLarge,
            400 | 405 | 406 | 410..=412 | 414..=428 | 430..=499 => Self::InvalidRequest,
            503 | 529 => Self::Overloaded,
            _ => Self::Failed,
        }
    }
}

/// A backend's error, with bounded size and without keys.
///
/// The message is safe to log and to relay: control characters are removed, anything that looks
/// like a key is masked, markup is never kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamError {
    /// HTTP status, or the equivalent of an in-band error.
    pub status: u16,
    pub class: UpstreamClass,
    /// The backend's message, at most `ERROR_MESSAGE_CHARS_MAX` characters.
    pub message: String,
    /// The backend's `type`.
    pub kind: Option<String>,
    /// The backend's `code`.
    pub code: Option<String>,
    /// The request field that the backend names.
    pub param: Option<String>,
    /// The wait that the backend asks for in the body (Gemini's `retryDelay`) rather than in the
    /// header `retry-after`.
    pub retry_after: Option<Duration>,
}

/// Makes outside text safe to log and relay: one line, no control characters, no keys, at most
/// `chars_max` characters. Keys are masked before the cut, so that no part of one remains.
pub(crate) fn sanitize(text: &str, chars_max: usize) -> String {
    let near: String = text.chars().take(chars_max.saturating_mul(2)).collect();
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    let kept: String = mask_bare_keys(&domain::redact(&near)).chars().map(visible).collect();
    kept.trim().chars().take(chars_max).collect()
}

/// Masks keys without a known prefix: long runs of mixed letters and digits. Model names and
/// request ids contain dashes or are shorter.
fn mask_bare_keys(text: &str) -> String {
    let is_bare_key = |run: &str| {
        run.len() >= BARE_KEY_CHARS_MIN
            && run.bytes().any(|byte| byte.is_ascii_digit())
            && run.bytes().any(|byte| byte.is_ascii_alphabetic())
    };
    let mut masked = String::with_capacity(text.len());
    for piece in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let run = piece.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let rest = piece.get(run.len()..).unwrap_or_default();
        masked.push_str(if is_bare_key(run) { MASK } else { run });
        masked.push_str(rest);
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_follow_the_fault_table() {
        let cases = [
            (400, None, UpstreamClass::InvalidRequest),
            (422, None, UpstreamClass::InvalidRequest),
            (401, None, UpstreamClass::KeyRejected),
            (403, None, UpstreamClass::KeyRejected),
            (402, None, UpstreamClass::Unpaid),
            (404, None, UpstreamClass::NotFound),
            (408, None, UpstreamClass::Timeout),
            (413, None, UpstreamClass::TooLarge),
            (429, None, UpstreamClass::RateLimited),
            (429, Some("insufficient_quota"), UpstreamClass::Unpaid),
            (500, None, UpstreamClass::Failed),
            (503, None, UpstreamClass::Overloaded),
            (504, None, UpstreamClass::Timeout),
            (529, None, UpstreamClass::Overloaded),
            (302, None, UpstreamClass::Failed),
        ];
        for (status, kind, class) in cases {
            assert_eq!(UpstreamClass::classify(status, kind, None), class, "{status} {kind:?}");
            assert_eq!(UpstreamClass::classify(status, None, kind), class, "{status} {kind:?}");
        }
    }

    #[test]
    fn keys_and_control_characters_leave_a_message() {
        let cleaned = |text: &str| sanitize(text, 200);
        assert_eq!(cleaned("Incorrect key: sk-CANARY-0123456789."), "Incorrect key: sk-…");
        assert_eq!(cleaned("a\r\nb\u{1b}[31m"), "a  b [31m");
        let bare = "0123456789abcdef0123456789abcdef";
        assert_eq!(cleaned(&format!("key='{bare}'")), "key='…'");
        let model = "meta-llama-3-1-405b-instruct-turbo-fp8-long-name";
        assert_eq!(cleaned(model), model);
    }

    #[test]
    fn the_cut_is_at_the_limit_in_characters() {
        assert_eq!(sanitize(&"ä".repeat(10), 10).chars().count(), 10);
        assert_eq!(sanitize(&"ä".repeat(11), 10).chars().count(), 10);
        // A key across the cut is masked whole, not in half.
        let across = format!("12345678 {} tail", "0123456789abcdef".repeat(2));
        assert_eq!(sanitize(&across, 25), "12345678 … tail");
    }
}
