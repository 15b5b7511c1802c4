//! A web address whose status and text are compared.

use std::sync::Arc;

use domain::BoundSecret;
use gateway::{ServiceCall, Upstream, call_service};
use monitor::HealthFinding;
use settings::{HttpExpectation, ServiceSettings};

use crate::outcome::Outcome;

const REPLACE_KEY: &str = "Replace the key with one that the service accepts.";
const ADD_KEY: &str = "Give the service a key.";

pub(crate) async fn check(
    service: &ServiceSettings,
    key: Option<Arc<BoundSecret>>,
    upstream: &dyn Upstream,
) -> Outcome {
    let HttpExpectation { method, status: expected, contains, key_header } = &service.http;
    let is_keyed = key.is_some();
    let call = ServiceCall {
        method: *method,
        url: service.address.url().clone(),
        network: service.network,
        key,
        key_header: key_header.clone(),
    };
    let answer = match call_service(upstream, call).await {
        Ok(answer) => answer,
        Err(failure) => return Outcome::of_failure(&failure),
    };
    let status = answer.status;
    if let Some(outcome) = judge_status(status, *expected, is_keyed) {
        return outcome;
    }
    let passed = Outcome::Passed(format!("it answers with status {status}"));
    let Some(wanted) = contains else { return passed };
    match answer.text().await {
        Ok(text) if text.contains(wanted) => passed,
        Ok(_) => Outcome::unexpected("its answer lacks the text that is expected".to_owned(), None),
        Err(failure) => Outcome::of_failure(&failure),
    }
}

/// What a status says; `None` if it is as expected.
pub(crate) fn judge_status(status: u16, expected: Option<u16>, is_keyed: bool) -> Option<Outcome> {
    let is_expected = match expected {
        Some(expected) => status == expected,
        None => (200..300).contains(&status),
    };
    if is_expected {
        return None;
    }
    let wanted = expected.map_or_else(|| "200 to 299".to_owned(), |it| it.to_string());
    let note = if (300..400).contains(&status) { "; redirects are not followed" } else { "" };
    let detail = format!("it answers with status {status}, not {wanted}{note}");
    Some(match status {
        401 | 403 if is_keyed => Outcome::KeyRejected { detail, fix: REPLACE_KEY },
        401 => Outcome::unexpected(detail, Some(ADD_KEY.to_owned())),
        429 => Outcome::Unexpected { finding: HealthFinding::RateLimited, detail, fix: None },
        _ => Outcome::unexpected(detail, None),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(status: u16, expected: Option<u16>, is_keyed: bool) -> HealthFinding {
        match judge_status(status, expected, is_keyed) {
            None => HealthFinding::Answered,
            Some(outcome) => outcome.into_report(is_keyed, std::time::Duration::ZERO).finding,
        }
    }

    #[test]
    fn a_status_is_judged_by_what_is_expected_and_by_the_key() {
        use HealthFinding::{Answered, Failed, KeyRejected, RateLimited};
        for (status, expected, is_keyed, found) in [
            (200, None, false, Answered),
            (204, None, true, Answered),
            (302, None, false, Failed),
            (302, Some(302), false, Answered),
            (200, Some(204), false, Failed),
            (401, None, true, KeyRejected),
            (403, None, true, KeyRejected),
            (401, None, false, Failed),
            (403, None, false, Failed),
            (401, Some(401), true, Answered),
            (429, None, true, RateLimited),
            (404, None, true, Failed),
            (503, None, false, Failed),
        ] {
            assert_eq!(finding(status, expected, is_keyed), found, "{status} {expected:?}");
        }
    }
}
