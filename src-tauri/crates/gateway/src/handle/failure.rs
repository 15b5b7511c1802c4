//! Maps every failure of a request to the client's error, the ledger's entry and the verdict about the
//! backend. All of this is decided here and nowhere else.

use std::time::{Duration, SystemTime};

use domain::{BackendId, Moment, WallTime};
use endpoints::{EndpointRegistry, FailureReason, Verdict};
use hyper::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use resilience::{CallOutcome, FailureClass, LimitScope, ServerRetryHint};
use routing::{RoutingError, SwitchFailure};
use vault::VaultError;
use wire::{BadAnswer, ErrorKind, RequestError, StreamFault, UpstreamClass, UpstreamError};

use crate::handle::response::{Refusal, RetryAdvice};
use crate::handle::scope::Forbidden;
use crate::limits::RETRY_AFTER_SECS_MAX;
use crate::outbound::access_tokens::KeyError;
use crate::outbound::upstream::UpstreamFailure;

/// Neutral status if our key for a backend is missing or was rejected; [`wire::error_status`] maps it for
/// each dialect and says why.
pub(crate) const BACKEND_KEY_STATUS: u16 = 403;

/// `Retry-After` of a fault of this machine.
const LOCAL_RETRY_AFTER: Duration = Duration::from_secs(1);

/// A request that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) refusal: Refusal,
    pub(crate) verdict: Verdict,
    pub(crate) work: BackendWork,
    /// The backend's own status, if it sent one.
    pub(crate) upstream_status: Option<u16>,
    pub(crate) class: FailureClass,
    /// The wait that the backend asked for, not clamped.
    pub(crate) wait: Option<Duration>,
    /// The backend's hint about retries.
    pub(crate) advice: ServerRetryHint,
}

/// Work that the backend may have done, and may bill, for a request that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BackendWork {
    None,
    Unknown,
}

impl Failure {
    pub(crate) fn not_sent(refusal: Refusal) -> Self {
        Self {
            refusal,
            verdict: Verdict::NotSent,
            work: BackendWork::None,
            upstream_status: None,
            class: FailureClass::Local,
            wait: None,
            advice: ServerRetryHint::Unspecified,
        }
    }

    fn backend(reason: FailureReason, work: BackendWork, status: u16, message: String) -> Self {
        let kind = match reason {
            FailureReason::Timeout => ErrorKind::Timeout,
            FailureReason::Overloaded => ErrorKind::Overloaded,
            _ => ErrorKind::Api,
        };
        let refusal = Refusal::new(status, kind, reason.word(), message);
        let (verdict, class) = (Verdict::BackendFailure(reason), reason.class());
        Self {
            refusal,
            verdict,
            work,
            upstream_status: None,
            class,
            wait: None,
            advice: ServerRetryHint::Unspecified,
        }
    }

    /// The part that the attempt plan uses.
    pub(crate) const fn for_plan(&self) -> resilience::AttemptFailure {
        resilience::AttemptFailure { class: self.class, wait: self.wait, advice: self.advice }
    }

    /// The outcome for the endpoint's state machines.
    pub(crate) fn happened(&self) -> CallOutcome {
        // The large providers limit each model of an account separately
        // (<https://platform.openai.com/docs/guides/rate-limits>, Anthropic's and Google's likewise).
        self.for_plan().call_outcome(LimitScope::Model)
    }

    /// Routing found no backend that may answer.
    pub(crate) fn no_route(error: &RoutingError) -> Self {
        let (status, kind, code) = routing_status(error);
        let refusal = Refusal::new(status, kind, code, sentence(&error.to_string()))
            .param(Some("model".to_owned()))
            .retry(RetryAdvice::Never);
        Self { verdict: Verdict::NotSent, ..Self::not_sent(refusal) }
    }

    /// The request is outside the client's scope.
    pub(crate) fn forbidden(why: &Forbidden) -> Self {
        let refusal = Refusal::new(403, ErrorKind::Permission, "not_allowed", why.to_string())
            .param(Some("model".to_owned()))
            .retry(RetryAdvice::Never);
        Self { class: FailureClass::BadRequest, ..Self::not_sent(refusal) }
    }

    /// The request is invalid, or cannot be expressed in the backend's dialect.
    pub(crate) fn bad_request(error: &RequestError) -> Self {
        let failure = Self::not_sent(bad_request(error));
        Self { verdict: Verdict::ClientFault, class: FailureClass::BadRequest, ..failure }
    }

    /// The configuration does not allow the request to be sent; `what` completes "The backend …".
    pub(crate) fn misconfigured(backend: &BackendId, what: &str) -> Self {
        let message = format!("The backend {backend} {what}");
        let refusal = Refusal::new(502, ErrorKind::Api, "backend_misconfigured", message);
        let class = FailureClass::NonConforming;
        Self { class, ..Self::not_sent(refusal.retry(RetryAdvice::Never)) }
    }

    /// The backend's key cannot be sent.
    pub(crate) fn key(backend: &BackendId, error: &KeyError) -> Self {
        let (status, kind, code, class, retry) = match error {
            KeyError::Vault(error) => return Self::vault(backend, error),
            KeyError::Rejected(_) => (
                BACKEND_KEY_STATUS,
                ErrorKind::BackendKey,
                "backend_key_rejected",
                FailureClass::KeyRejected,
                RetryAdvice::Never,
            ),
            KeyError::Expired(_) => (
                503,
                ErrorKind::Api,
                "backend_key_expired",
                FailureClass::KeyExpired,
                RetryAdvice::After(LOCAL_RETRY_AFTER),
            ),
        };
        let message = format!("The key of the backend {backend} cannot be used: {error}.");
        let refusal = Refusal::new(status, kind, code, message);
        Self { class, ..Self::not_sent(refusal.retry(retry)) }
    }

    /// The backend's key could not be read.
    fn vault(backend: &BackendId, error: &VaultError) -> Self {
        let missing = matches!(error, VaultError::NotFound(_));
        let (status, kind, code) = match missing {
            true => (BACKEND_KEY_STATUS, ErrorKind::BackendKey, "key_missing"),
            false => (503, ErrorKind::Api, "vault_unavailable"),
        };
        let hint = error.hint().map(|hint| format!(" {hint}")).unwrap_or_default();
        let message = format!("The key of the backend {backend} cannot be read: {error}.{hint}");
        let class = if missing { FailureClass::KeyRejected } else { FailureClass::Local };
        let refusal = Refusal::new(status, kind, code, message);
        Self { class, ..Self::not_sent(refusal.retry(RetryAdvice::Never)) }
    }

    /// No answer arrived, or it broke off.
    pub(crate) fn upstream(backend: &BackendId, failure: &UpstreamFailure) -> Self {
        let message = format!("The backend {backend} failed: {failure}.");
        match failure.reason() {
            Some(reason) => {
                let (status, work) = match reason {
                    FailureReason::Timeout => (504, BackendWork::Unknown),
                    FailureReason::Broken => (502, BackendWork::Unknown),
                    _ => (502, BackendWork::None),
                };
                Self::backend(reason, work, status, message)
            }
            None => Self::local(failure, message),
        }
    }

    /// The cause is on this machine.
    fn local(failure: &UpstreamFailure, message: String) -> Self {
        let soon = RetryAdvice::After(LOCAL_RETRY_AFTER);
        let (status, code, class, retry) = match failure {
            UpstreamFailure::OutOfDescriptors => {
                (503, "out_of_descriptors", FailureClass::Local, soon)
            }
            UpstreamFailure::Offline => (503, "offline", FailureClass::Offline, soon),
            _ => (502, "backend_misconfigured", FailureClass::Local, RetryAdvice::Never),
        };
        let refusal = Refusal::new(status, ErrorKind::Api, code, message).retry(retry);
        Self { class, ..Self::not_sent(refusal) }
    }

    /// Gatehouse was stopped before the answer was complete.
    pub(crate) fn stopped() -> Self {
        let message = "Gatehouse was stopped before the response was complete. Start it and send \
                       the request again.";
        let refusal = Refusal::new(503, ErrorKind::Api, "stopped", message);
        Self { work: BackendWork::Unknown, ..Self::not_sent(refusal.retry(RetryAdvice::Never)) }
    }

    /// Corrects the failure of an attempt that began at `since` if a pause of this machine or its network
    /// explains it.
    pub(crate) fn without_local_causes(
        self,
        registry: &EndpointRegistry,
        backend: &BackendId,
        since: Moment,
    ) -> Self {
        match registry.verdict_without_pauses(self.verdict, since) {
            verdict if verdict != self.verdict => self.paused(backend),
            _ if registry.is_networks_fault(self.verdict, backend, since) => {
                Self { work: self.work, ..Self::upstream(backend, &UpstreamFailure::Offline) }
            }
            _ => self,
        }
    }

    fn paused(self, backend: &BackendId) -> Self {
        let message = format!(
            "This machine slept, or Gatehouse was suspended, while the backend {backend} was \
             responding; part of the response may be lost. Send the request again."
        );
        let refusal = Refusal::new(503, ErrorKind::Api, "paused", message)
            .retry(RetryAdvice::After(LOCAL_RETRY_AFTER));
        Self { refusal, verdict: Verdict::NotSent, class: FailureClass::Paused, ..self }
    }

    pub(crate) fn redirected(backend: &BackendId, status: u16) -> Self {
        let message = format!(
            "The backend {backend} answered with a redirect ({status}), which is not followed, \
             because a key is only sent to its own host. Correct the base URL."
        );
        let mut failure = Self::backend(FailureReason::Redirected, BackendWork::None, 502, message);
        failure.refusal.retry = RetryAdvice::Never;
        failure.upstream_status = Some(status);
        failure
    }

    /// The backend's response cannot be read; `what` completes "The backend …".
    pub(crate) fn unreadable(backend: &BackendId, what: &str, work: BackendWork) -> Self {
        let message = format!("The backend {backend} {what}");
        let mut failure = Self::backend(FailureReason::Unreadable, work, 502, message);
        failure.upstream_status = Some(200);
        failure
    }

    /// A body with status 200 is not a valid answer.
    pub(crate) fn bad_answer(
        backend: &BackendId,
        bad: &BadAnswer,
        context: &ErrorContext<'_>,
    ) -> Self {
        let work = match bad {
            BadAnswer::Empty | BadAnswer::Html => BackendWork::None,
            BadAnswer::NotJson
            | BadAnswer::NoChoices
            | BadAnswer::Truncated
            | BadAnswer::Broken(_) => BackendWork::Unknown,
            BadAnswer::UpstreamError(error) => return Self::reported(backend, error, context),
        };
        let message = format!("The backend {backend} sent an unusable response: {bad}.");
        Self {
            upstream_status: Some(200),
            ..Self::backend(FailureReason::Unreadable, work, 502, message)
        }
    }

    /// A stream does not follow its dialect.
    pub(crate) fn broken_stream(backend: &BackendId, fault: StreamFault) -> Self {
        let message = format!("The backend {backend} sent a broken stream: {fault}.");
        Self::backend(FailureReason::Unreadable, BackendWork::Unknown, 502, message)
    }

    /// The backend reported a failure, by status or in its stream. Its message is relayed so that the client
    /// or its user can act on it.
    pub(crate) fn reported(
        backend: &BackendId,
        error: &UpstreamError,
        context: &ErrorContext<'_>,
    ) -> Self {
        let words = context.scrubbed(&error.message);
        let relayed_code = error.code.as_deref().map(|code| context.scrubbed(code));
        let ClassRules { status, kind, code, verdict } = class_rules(error.class);
        let message = match error.class {
            // Clients parse these messages ("prompt is too long"), so they are not changed.
            UpstreamClass::InvalidRequest | UpstreamClass::TooLarge | UpstreamClass::NotFound => {
                words
            }
            UpstreamClass::KeyRejected => format!(
                "The backend {backend} rejected its key ({}): {words}. Check or replace the key in \
                 Gatehouse; your local token is fine.",
                error.status
            ),
            _ => format!("The backend {backend} answered {}: {words}", error.status),
        };
        let mut refusal = Refusal::new(status, kind, code, message)
            .retry(context.advice(error))
            .param(error.param.as_deref().map(|param| context.scrubbed(param)));
        if keeps_code(error.class) {
            refusal.relayed_code = relayed_code.map(String::into_boxed_str);
        }
        let wait = context.wait(error);
        let (class, advice) = (class(error), context.should_retry());
        let (work, upstream_status) = (work_before(error), Some(error.status));
        Self { refusal, verdict, work, upstream_status, class, wait, advice }
    }
}

/// Providers bill no answer that is an error
/// (<https://ai.google.dev/gemini-api/docs/billing>), but whoever reports a
/// timeout may have worked until then: a proxy's 504 says nothing of what is behind it.
const fn work_before(error: &UpstreamError) -> BackendWork {
    match (error.class, error.status) {
        (UpstreamClass::Timeout, 409) => BackendWork::None,
        (UpstreamClass::Timeout, _) => BackendWork::Unknown,
        _ => BackendWork::None,
    }
}

/// The class of an error that the backend reported.
const fn class(error: &UpstreamError) -> FailureClass {
    match (error.class, error.status) {
        (UpstreamClass::InvalidRequest | UpstreamClass::TooLarge, _) => FailureClass::BadRequest,
        (UpstreamClass::NotFound, _) => FailureClass::ModelMissing,
        (UpstreamClass::KeyRejected, 403) => FailureClass::Forbidden,
        (UpstreamClass::KeyRejected, _) => FailureClass::KeyRejected,
        (UpstreamClass::Unpaid, 429) => FailureClass::SpendLimit,
        (UpstreamClass::Unpaid, _) => FailureClass::Unpaid,
        (UpstreamClass::QuotaSpent, _) => FailureClass::Quota,
        (UpstreamClass::RateLimited, _) => FailureClass::RateLimited,
        (UpstreamClass::Timeout, 408 | 409) => FailureClass::ConflictOrTimeout,
        (UpstreamClass::Timeout | UpstreamClass::Failed, _) => FailureClass::Server,
        (UpstreamClass::Overloaded, _) => FailureClass::Overloaded,
    }
}

/// Answers 400 and names the field.
pub(crate) fn bad_request(error: &RequestError) -> Refusal {
    Refusal::new(400, ErrorKind::InvalidRequest, error.code(), error.to_string())
        .param(error.param().map(str::to_owned))
        .retry(RetryAdvice::Never)
}

/// The headers of a backend's error, and what is needed to read it.
pub(crate) struct ErrorContext<'a> {
    pub(crate) headers: &'a HeaderMap,
    pub(crate) scrubber: &'a crate::outbound::upstream::KeyScrubber,
    pub(crate) now: WallTime,
}

impl ErrorContext<'_> {
    fn scrubbed(&self, text: &str) -> String {
        self.scrubber.scrub(text)
    }

    /// The wait that the backend asks for. Gemini states it in the body (`retryDelay`), the others in a
    /// header.
    fn wait(&self, error: &UpstreamError) -> Option<Duration> {
        retry_after(self.headers, self.now).or(error.retry_after)
    }

    fn should_retry(&self) -> ServerRetryHint {
        match self.headers.get("x-should-retry").map(HeaderValue::as_bytes) {
            Some(b"false") => ServerRetryHint::DoNotRetry,
            _ => ServerRetryHint::Unspecified,
        }
    }

    fn advice(&self, error: &UpstreamError) -> RetryAdvice {
        let forbidden = self.should_retry() == ServerRetryHint::DoNotRetry;
        let longest = Duration::from_secs(RETRY_AFTER_SECS_MAX);
        match (error.class, self.wait(error)) {
            (UpstreamClass::KeyRejected | UpstreamClass::Unpaid | UpstreamClass::QuotaSpent, _) => {
                RetryAdvice::Never
            }
            (UpstreamClass::RateLimited | UpstreamClass::Overloaded, Some(wait))
                if wait > longest =>
            {
                RetryAdvice::NotBefore(longest)
            }
            (UpstreamClass::RateLimited | UpstreamClass::Overloaded, Some(wait)) if forbidden => {
                RetryAdvice::NotBefore(wait)
            }
            (UpstreamClass::RateLimited | UpstreamClass::Overloaded, Some(wait)) => {
                RetryAdvice::After(wait)
            }
            _ if forbidden => RetryAdvice::Never,
            _ => RetryAdvice::AsStatusSays,
        }
    }
}

struct ClassRules {
    status: u16,
    kind: ErrorKind,
    code: &'static str,
    verdict: Verdict,
}

fn class_rules(class: UpstreamClass) -> ClassRules {
    use ErrorKind as Kind;
    let failed = Verdict::BackendFailure;
    let (status, kind, code, verdict) = match class {
        UpstreamClass::InvalidRequest => {
            (400, Kind::InvalidRequest, "invalid_request", Verdict::ClientFault)
        }
        UpstreamClass::NotFound => (404, Kind::NotFound, "model_not_found", Verdict::ClientFault),
        UpstreamClass::TooLarge => (413, Kind::TooLarge, "request_too_large", Verdict::ClientFault),
        // Not 401: the client would think that its own token is wrong. Not 502: it would retry.
        UpstreamClass::KeyRejected => {
            (BACKEND_KEY_STATUS, Kind::BackendKey, "backend_key_rejected", Verdict::KeyRejected)
        }
        UpstreamClass::Unpaid => (429, Kind::Billing, "insufficient_quota", Verdict::KeyUnpaid),
        UpstreamClass::QuotaSpent => {
            (429, Kind::RateLimit, "insufficient_quota", Verdict::RateLimited)
        }
        UpstreamClass::RateLimited => (429, Kind::RateLimit, "rate_limited", Verdict::RateLimited),
        UpstreamClass::Timeout => (504, Kind::Timeout, "timeout", failed(FailureReason::Timeout)),
        UpstreamClass::Overloaded => {
            (503, Kind::Overloaded, "overloaded", failed(FailureReason::Overloaded))
        }
        UpstreamClass::Failed => (502, Kind::Api, "backend_error", failed(FailureReason::Status)),
    };
    ClassRules { status, kind, code, verdict }
}

/// True if the backend's own `code` is useful to the client.
const fn keeps_code(class: UpstreamClass) -> bool {
    matches!(
        class,
        UpstreamClass::InvalidRequest
            | UpstreamClass::NotFound
            | UpstreamClass::TooLarge
            | UpstreamClass::Unpaid
            | UpstreamClass::QuotaSpent
            | UpstreamClass::RateLimited
    )
}

/// The wait that a backend asks for: `retry-after-ms`, or `retry-after` as seconds or date.
fn retry_after(headers: &HeaderMap, now: WallTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let number = |text: &str| {
        let value = text.parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0)?;
        Duration::try_from_secs_f64(value).ok()
    };
    if let Some(ms) = text("retry-after-ms").and_then(number) {
        return Some(ms / 1_000);
    }
    let value = text(RETRY_AFTER.as_str())?;
    number(value).or_else(|| {
        let date = httpdate::parse_http_date(value).ok()?;
        let date = date.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        let now = Duration::from_millis(u64::try_from(now.unix_ms()).ok()?);
        Some(date.saturating_sub(now))
    })
}

/// Status, kind and code of a request that no backend may answer.
fn routing_status(error: &RoutingError) -> (u16, ErrorKind, &'static str) {
    match error {
        RoutingError::MissingModel | RoutingError::NameTooLong(_) => {
            (400, ErrorKind::InvalidRequest, "invalid_value")
        }
        RoutingError::UnknownModel { .. } => (404, ErrorKind::NotFound, "model_not_found"),
        RoutingError::BackendUnusable { .. } => (503, ErrorKind::Api, "backend_unusable"),
        RoutingError::NoCapableCandidate { .. } => {
            (400, ErrorKind::InvalidRequest, "no_fit_candidate")
        }
        RoutingError::RouteUnusable { .. } => (503, ErrorKind::Api, "route_unusable"),
        RoutingError::NoProvider { .. } => (503, ErrorKind::Api, "no_backend"),
        RoutingError::Switched { failure, .. } => match failure {
            SwitchFailure::ModelMissing(_) => (404, ErrorKind::NotFound, "model_not_found"),
            SwitchFailure::Off => (503, ErrorKind::Api, "switch_target_off"),
            SwitchFailure::Refused(error) => routing_status(error),
        },
    }
}

/// Makes a sentence of an error's text: a capital first, a full stop last.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}

#[cfg(test)]
mod tests;
