//! A GitHub token: who it signs in as, its scopes and its end.

use std::sync::Arc;

use domain::{BoundSecret, ServiceMethod, WallTime};
use gateway::{ServiceAnswer, ServiceCall, Upstream, call_service};
use serde::Deserialize;
use settings::ServiceSettings;

use crate::ServiceAccount;
use crate::http::judge_status;
use crate::outcome::Outcome;

/// Scopes of a classic token, separated by commas. Other tokens have none.
const SCOPES: &str = "x-oauth-scopes";
const EXPIRY: &str = "github-authentication-token-expiration";

#[derive(Deserialize)]
struct User {
    login: String,
}

/// Asks `/user`, which costs nothing, and tells in `account` what it says.
pub(crate) async fn check(
    service: &ServiceSettings,
    key: Option<Arc<BoundSecret>>,
    upstream: &dyn Upstream,
    account: &mut Option<ServiceAccount>,
) -> Outcome {
    if key.is_none() {
        let detail = "it has no token to check".to_owned();
        return Outcome::unexpected(detail, Some("Give it a token.".to_owned()));
    }
    let mut url = service.address.url().clone();
    url.set_path(&format!("{}/user", url.path().trim_end_matches('/')));
    let method = ServiceMethod::Get;
    let call = ServiceCall { method, url, network: service.network, key, key_header: None };
    let answer = match call_service(upstream, call).await {
        Ok(answer) => answer,
        Err(failure) => return Outcome::of_failure(&failure),
    };
    if let Some(outcome) = judge_status(answer.status, None, true) {
        return outcome;
    }
    let (scopes, expires) = (listed_scopes(&answer), answer.header(EXPIRY).and_then(parse_expiry));
    let text = match answer.text().await {
        Ok(text) => text,
        Err(failure) => return Outcome::of_failure(&failure),
    };
    let Ok(User { login }) = serde_json::from_str(&text) else {
        let detail = "its answer names no user, so this is not GitHub's API".to_owned();
        return Outcome::unexpected(detail, Some("Correct the address.".to_owned()));
    };
    let missing = missing_scopes(&service.scopes, scopes.as_deref());
    let found = ServiceAccount { login, scopes, missing, expires };
    let outcome = judge(&found, !service.scopes.is_empty());
    *account = Some(found);
    outcome
}

fn judge(account: &ServiceAccount, wants_scopes: bool) -> Outcome {
    let ServiceAccount { login, scopes, missing, .. } = account;
    if !missing.is_empty() {
        let noun = if missing.len() == 1 { "scope" } else { "scopes" };
        let detail = format!("the token of {login} lacks the {noun} {}", missing.join(", "));
        let fix = "Make a token with them, and replace this one.".to_owned();
        return Outcome::unexpected(detail, Some(fix));
    }
    Outcome::Passed(match scopes {
        None if wants_scopes => {
            format!("the token signs in as {login}; GitHub lists no scopes of such tokens")
        }
        None => format!("the token signs in as {login}"),
        Some(scopes) if scopes.is_empty() => {
            format!("the token signs in as {login}, without scopes")
        }
        Some(scopes) => format!("the token signs in as {login}, with {}", scopes.join(", ")),
    })
}

fn listed_scopes(answer: &ServiceAnswer) -> Option<Vec<String>> {
    let names = answer.header(SCOPES)?.split(',').map(str::trim);
    Some(names.filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

/// Nothing is known to be missing of a token whose scopes are not listed.
fn missing_scopes(wanted: &[String], granted: Option<&[String]>) -> Vec<String> {
    let Some(granted) = granted else { return Vec::new() };
    let is_missing = |scope: &&String| !granted.iter().any(|own| covers(own, scope));
    wanted.iter().filter(is_missing).cloned().collect()
}

/// True if a token with `granted` may do what `wanted` allows:
/// <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps>.
fn covers(granted: &str, wanted: &str) -> bool {
    let part =
        |scope: &str| scope.split_once(':').map(|(verb, of)| (verb.to_owned(), of.to_owned()));
    match (part(granted), part(wanted)) {
        _ if granted == wanted => true,
        // `repo` has `repo:status`, and `user` has `read:user` and `user:email`.
        (None, Some((verb, of))) => {
            granted == verb || (granted == of && matches!(verb.as_str(), "read" | "write"))
        }
        (None, None) => granted == "repo" && wanted == "public_repo",
        (Some((own, of)), Some((verb, asked))) => {
            of == asked
                && matches!(
                    (own.as_str(), verb.as_str()),
                    ("admin" | "write", "read") | ("admin", "write")
                )
        }
        (Some(_), None) => false,
    }
}

/// `2026-12-01 12:00:00 UTC`, or with an offset in place of the zone.
fn parse_expiry(text: &str) -> Option<WallTime> {
    let text = text.trim().replace(" UTC", " +0000");
    let time = jiff::fmt::strtime::parse("%Y-%m-%d %H:%M:%S %z", text).ok()?;
    Some(WallTime::from_unix_ms(time.to_timestamp().ok()?.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_covers_what_it_contains_and_no_more() {
        for (granted, wanted, expected) in [
            ("repo", "repo", true),
            ("repo", "repo:status", true),
            ("repo", "public_repo", true),
            ("public_repo", "repo", false),
            ("repo:status", "repo", false),
            ("user", "read:user", true),
            ("user", "user:email", true),
            ("admin:org", "read:org", true),
            ("admin:org", "write:org", true),
            ("write:org", "read:org", true),
            ("read:org", "write:org", false),
            ("admin:org", "read:packages", false),
            ("workflow", "repo", false),
            ("gist", "delete:gist", false),
        ] {
            assert_eq!(covers(granted, wanted), expected, "{granted} for {wanted}");
        }
    }

    #[test]
    fn missing_scopes_are_named_where_scopes_are_listed() {
        let names = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect::<Vec<String>>();
        let wanted = names(&["repo:status", "read:org", "gist"]);
        let granted = names(&["repo", "workflow"]);
        assert_eq!(missing_scopes(&wanted, Some(&granted)), ["read:org", "gist"]);
        assert_eq!(missing_scopes(&wanted, Some(&[])), wanted);
        assert!(missing_scopes(&wanted, None).is_empty());
    }

    #[test]
    fn the_end_of_a_token_is_read_in_both_spellings() {
        let noon = WallTime::from_unix_ms(1_796_126_400_000);
        for text in ["2026-12-01 12:00:00 UTC", "2026-12-01 05:00:00 -0700"] {
            assert_eq!(parse_expiry(text), Some(noon), "{text}");
        }
        assert_eq!(parse_expiry("soon"), None);
    }
}
