//! Errors in neutral words, so that the gateway decides once and each dialect only spells it.

use std::time::Duration;

/// Longest message kept of an upstream error, in characters. Providers' own stay under 1,000;
/// "prompt is too long" texts, which clients read, are far shorter.
pub const ERROR_MESSAGE_CHARS_MAX: usize = 2_000;

/// Longest `type`, `code` or `param` kept of an upstream error, in characters.
pub const ERROR_FIELD_CHARS_MAX: usize = 128;

/// Letters and digits in a row from which a word is taken for a key: the shortest bare keys in use
/// (Azure, Mistral) have 32.
const BARE_KEY_CHARS_MIN: usize = 32;

/// What stands in the place of such a word.
const MASK: &str = "…";

/// What went wrong, as a client has to know it. Each dialect has its own word for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request itself is wrong.
    InvalidRequest,
    /// The local token is missing or unknown.
    Authentication,
    /// The token is known and may not do this.
    Permission,
    /// No such model or path.
    NotFound,
    /// The body is larger than allowed.
    TooLarge,
    /// Too many requests; later is fine.
    RateLimit,
    /// A budget or an account is used up; later is not fine.
    Billing,
    /// No answer in time.
    Timeout,
    /// The backend has no capacity now.
    Overloaded,
    /// The key that the gateway holds for the backend is missing or was rejected. The client's own token
    /// is fine, and only the user can help: no client should try again.
    BackendKey,
    /// A fault of the backend or of the gateway.
    Api,
}

/// One error for a client, before a dialect spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorAnswer<'a> {
    /// HTTP status of the answer; some dialects repeat it in the body.
    pub status: u16,
    /// What went wrong.
    pub kind: ErrorKind,
    /// A stable word for programs, such as `model_not_found`.
    pub code: Option<&'a str>,
    /// What happened and what to do, for people.
    pub message: &'a str,
    /// The request's field at fault.
    pub param: Option<&'a str>,
}

/// What an upstream error means for retries, breaker, cooldown and block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UpstreamClass {
    /// The request is at fault (400, 422): relay, no retry, no breaker.
    InvalidRequest,
    /// The key is unknown or may not do this (401, 403): block the key.
    KeyRejected,
    /// The account has no money (402, or 429 with `insufficient_quota`): block the key.
    Unpaid,
    /// A quota of a longer time, such as a day, is used up: wait for its reset, do not retry.
    QuotaSpent,
    /// No such model or path (404).
    NotFound,
    /// The request is too large (413).
    TooLarge,
    /// Too many requests (429): cooldown, not failure.
    RateLimited,
    /// The backend gave up waiting or was in conflict (408, 409, 504).
    Timeout,
    /// The backend has no capacity (503, 529).
    Overloaded,
    /// Any other failure of the backend (500, 502, …, and statuses nobody expects).
    Failed,
}

impl UpstreamClass {
    /// The class of a status and of the words that came with it.
    #[must_use]
    pub fn of(status: u16, kind: Option<&str>, code: Option<&str>) -> Self {
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

/// What a backend said about its failure, bounded and without keys.
///
/// The message is safe to log and to relay: control characters are gone, anything that looks like a
/// key is replaced, markup is never kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamError {
    /// HTTP status, or the one an in-band error stands for.
    pub status: u16,
    /// What it means.
    pub class: UpstreamClass,
    /// The backend's words, at most [`ERROR_MESSAGE_CHARS_MAX`] characters.
    pub message: String,
    /// The backend's `type`.
    pub kind: Option<String>,
    /// The backend's `code`.
    pub code: Option<String>,
    /// The field the backend blames.
    pub param: Option<String>,
    /// How long the backend asks to wait, where it says so in the body (Gemini's `retryDelay`) and
    /// not in the header `retry-after`.
    pub retry_after: Option<Duration>,
}

/// Text from outside made fit to log and relay: one line, no control characters, no keys, at most
/// `chars_max` characters. Keys go first, so that none hides behind the cut.
pub(crate) fn clean(text: &str, chars_max: usize) -> String {
    let near: String = text.chars().take(chars_max.saturating_mul(2)).collect();
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    let kept: String = mask_bare_keys(&domain::redact(&near)).chars().map(visible).collect();
    kept.trim().chars().take(chars_max).collect()
}

/// Keys without a telling prefix: letters and digits, long and mixed. Model names and request ids
/// have dashes in between or are shorter.
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
            assert_eq!(UpstreamClass::of(status, kind, None), class, "{status} {kind:?}");
            assert_eq!(UpstreamClass::of(status, None, kind), class, "{status} {kind:?}");
        }
    }

    #[test]
    fn keys_and_control_characters_leave_a_message() {
        let cleaned = |text: &str| clean(text, 200);
        assert_eq!(cleaned("Incorrect key: sk-CANARY-0123456789."), "Incorrect key: sk-…");
        assert_eq!(cleaned("a\r\nb\u{1b}[31m"), "a  b [31m");
        let bare = "0123456789abcdef0123456789abcdef";
        assert_eq!(cleaned(&format!("key='{bare}'")), "key='…'");
        let model = "meta-llama-3-1-405b-instruct-turbo-fp8-long-name";
        assert_eq!(cleaned(model), model);
    }

    #[test]
    fn the_cut_is_at_the_limit_in_characters() {
        assert_eq!(clean(&"ä".repeat(10), 10).chars().count(), 10);
        assert_eq!(clean(&"ä".repeat(11), 10).chars().count(), 10);
        // A key across the cut goes whole, not by half.
        let across = format!("12345678 {} tail", "0123456789abcdef".repeat(2));
        assert_eq!(clean(&across, 25), "12345678 … tail");
    }
}
