//! Authenticates a request by its local token.

use std::sync::Arc;

use domain::{ClientId, WallTime};
use hyper::Request;
use hyper::header::HeaderValue;
use wire::ErrorKind;

use crate::event::{EventSink, GatewayEvent};
use crate::handle::response::{Refusal, RetryAdvice};
use crate::headers::CLIENT;
use crate::listener::connection_limiter::ConnectionSlot;
use crate::snapshot::{GatewayClient, Snapshot, TokenRefused};
use crate::token;

/// The code of the refusal of a token that belongs to no client.
pub(crate) const INVALID_TOKEN: &str = "invalid_token";

/// The client whose token `request` carries, or for which a client of this program sends it; 401 without
/// a valid one, 403 if the user blocked the client. Tells the connection and, of a blocked client, `events`.
pub(crate) fn authenticate<B>(
    request: &Request<B>,
    snapshot: &Snapshot,
    now: WallTime,
    events: &dyn EventSink,
) -> Result<Arc<GatewayClient>, Refusal> {
    let connection = request.extensions().get::<Arc<ConnectionSlot>>();
    let client = match client(request, snapshot, now) {
        Ok(client) => client,
        Err(refused) => {
            connection.inspect(|connection| connection.not_authenticated());
            return Err(unauthorized(refused));
        }
    };
    connection.inspect(|connection| connection.authenticated());
    if client.blocked {
        events.emit(GatewayEvent::ClientRefused { client: client.id.clone() });
        return Err(blocked(&client.id));
    }
    Ok(client)
}

/// The client that the request is of; `None` as error without a token.
fn client<B>(
    request: &Request<B>,
    snapshot: &Snapshot,
    now: WallTime,
) -> Result<Arc<GatewayClient>, Option<TokenRefused>> {
    let hash = token::presented(request).ok_or(None)?;
    let client = snapshot.clients.admit(&hash, now).map_err(Some)?;
    match request.headers().get(CLIENT).filter(|_| client.sends_for_clients) {
        None => Ok(client),
        Some(named) => find_named(named, &client, snapshot, now).map_err(Some),
    }
}

/// The client that `sender`, a client of this program, sends a request for.
fn find_named(
    named: &HeaderValue,
    sender: &GatewayClient,
    snapshot: &Snapshot,
    now: WallTime,
) -> Result<Arc<GatewayClient>, TokenRefused> {
    let id = named.to_str().ok().and_then(|text| ClientId::new(text).ok());
    let found = id.ok_or(TokenRefused::Unknown).and_then(|id| snapshot.clients.find(&id, now));
    let named = found.map_err(|refused| match refused {
        // Removed since its token was checked.
        TokenRefused::Unknown => TokenRefused::Revoked,
        known => known,
    })?;
    let names_requests = sender.names_requests;
    // What is sent for it belongs to the project that the sender names: prompts of agents to theirs.
    Ok(Arc::new(GatewayClient { names_requests, project: None, ..GatewayClient::clone(&named) }))
}

fn blocked(id: &ClientId) -> Refusal {
    let message = format!(
        "The client {id} is blocked in Gatehouse. Allow it again with `gatehouse clients allow {id}`, or in \
         Gatehouse under Clients."
    );
    let refusal = Refusal::new(403, ErrorKind::Permission, "client_blocked", message);
    refusal.retry(RetryAdvice::Never)
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
