//! Authenticates a request by its local token.

use std::sync::Arc;

use domain::WallTime;
use hyper::Request;
use wire::ErrorKind;

use crate::response::{Refusal, RetryAdvice};
use crate::snapshot::{GatewayClient, Snapshot, TokenRefused};
use crate::token;

/// The code of the refusal of a token that belongs to no client.
pub(crate) const INVALID_TOKEN: &str = "invalid_token";

/// The client whose token `request` carries; 401 without a valid one.
pub(crate) fn authenticate<B>(
    request: &Request<B>,
    snapshot: &Snapshot,
    now: WallTime,
) -> Result<Arc<GatewayClient>, Refusal> {
    let hash = token::presented(request).ok_or_else(|| unauthorized(None))?;
    snapshot.clients.admit(&hash, now).map_err(|refused| unauthorized(Some(refused)))
}

/// Refuses a client that the user blocked, whatever it asks for.
pub(crate) fn check_allowed(client: &GatewayClient) -> Result<(), Refusal> {
    if !client.blocked {
        return Ok(());
    }
    let id = &client.id;
    let message = format!(
        "The client {id} is blocked in Gatehouse. Allow it again with `gatehouse clients allow {id}`, or in \
         Gatehouse under Clients."
    );
    let refusal = Refusal::new(403, ErrorKind::Permission, "client_blocked", message);
    Err(refusal.retry(RetryAdvice::Never))
}

fn unauthorized(refused: Option<TokenRefused>) -> Refusal {
    let (code, message) = match refused {
        None => (
            "missing_token",
            "Send your local Gatehouse token as 'Authorization: Bearer ghk_…', x-api-key or \
             x-goog-api-key.",
        ),
        Some(TokenRefused::Unknown) => (
            INVALID_TOKEN,
            "This is not a token of this Gatehouse. Create one with `gatehouse clients add NAME`.",
        ),
        Some(TokenRefused::Expired) => (
            "expired_token",
            "This token has expired. Create a new one in Gatehouse, under Clients.",
        ),
        Some(TokenRefused::Revoked) => (
            "revoked_token",
            "This token was revoked. Create a new one in Gatehouse, under Clients.",
        ),
    };
    Refusal::new(401, ErrorKind::Authentication, code, message).retry(RetryAdvice::Never)
}
