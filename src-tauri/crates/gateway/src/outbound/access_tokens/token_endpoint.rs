//! Asks a token endpoint for an access token (RFC 6749), by the `oauth2` crate over our own
//! transport: addresses are judged as those of backends, and no redirect is followed.
//!
//! The secret goes to the endpoint that the vault binds it to, and nothing that the endpoint answers
//! is told with the secret in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use bytes::Bytes;
use domain::{BoundSecret, OAuthGrant, Origin, Secret, redact};
use futures_util::future::BoxFuture;
use hyper::Response;
use oauth2::basic::{
    BasicClient, BasicErrorResponse, BasicErrorResponseType, BasicTokenResponse, BasicTokenType,
};
use oauth2::{
    AsyncHttpClient, ClientId, ClientSecret, HttpRequest, HttpResponse, RefreshToken,
    RequestTokenError, Scope, TokenResponse as _, TokenUrl,
};
use settings::{AllowedNetwork, OAuthSettings};

use super::token_state::RefreshFault;
use crate::outbound::upstream::{
    KeyCarrier, Upstream, UpstreamFailure, UpstreamRequest, read_body,
};

/// Time for the endpoint to answer. A stop of the program waits for it, at most ten seconds.
pub(super) const TOKEN_ENDPOINT_TIMEOUT: Duration = Duration::from_secs(8);

/// Largest answer that is read, in bytes.
pub(super) const TOKEN_ANSWER_BYTES_MAX: usize = 131_072;

/// Longest reason of the endpoint that is shown, in characters.
const REASON_CHARS_MAX: usize = 200;

#[derive(Debug)]
pub(super) struct TokenAnswer {
    pub(super) access_token: Secret,
    /// `None` if it says nothing of it.
    pub(super) life: Option<Duration>,
    /// Takes the place of the refresh token that was sent.
    pub(super) rotated: Option<Secret>,
}

/// Exchanges `stored` for an access token.
pub(super) async fn request_token(
    upstream: Arc<dyn Upstream>,
    client: &OAuthSettings,
    stored: &BoundSecret,
) -> Result<TokenAnswer, RefreshFault> {
    let host = client.token_url.host_str().unwrap_or_default();
    let origin = Origin::from_url(&client.token_url)
        .map_err(|error| RefreshFault::rejected(error.to_string()))?;
    let secrets = stored
        .for_token_endpoint(&origin)
        .map_err(|mismatch| RefreshFault::rejected(mismatch.to_string()))?;
    let transport = Transport { upstream, status: Arc::default() };
    let asked = exchange(&transport, client, secrets);
    let answer = match tokio::time::timeout(TOKEN_ENDPOINT_TIMEOUT, asked).await {
        Ok(answer) => answer,
        Err(_elapsed) => Err(RequestTokenError::Request(UpstreamFailure::Timeout)),
    };
    let status = transport.status.load(Ordering::Relaxed);
    let answer = answer.map_err(|error| fault(&error, host, status, secrets))?;
    if *answer.token_type() != BasicTokenType::Bearer {
        let message = format!("the token endpoint {host} issues no bearer tokens");
        return Err(RefreshFault::rejected(message));
    }
    let unusable =
        |error| RefreshFault::temporary(format!("the token of {host} cannot be used: {error}"));
    let access_token = answer.access_token().secret().clone();
    let rotated = answer.refresh_token().map(|token| Secret::parse(token.secret().clone()));
    Ok(TokenAnswer {
        access_token: Secret::parse_access_token(access_token).map_err(unusable)?,
        life: answer.expires_in(),
        rotated: rotated.transpose().map_err(unusable)?,
    })
}

type ExchangeError = RequestTokenError<UpstreamFailure, BasicErrorResponse>;

/// The secret, and the client secret beside a refresh token.
type Secrets<'a> = (&'a Secret, Option<&'a Secret>);

async fn exchange(
    transport: &Transport,
    client: &OAuthSettings,
    (secret, client_secret): Secrets<'_>,
) -> Result<BasicTokenResponse, ExchangeError> {
    let known = BasicClient::new(ClientId::new(client.client_id.clone()))
        .set_token_uri(TokenUrl::from_url(client.token_url.clone()));
    let scopes = client.scope.clone().map(Scope::new);
    let exposed = |secret: &Secret| ClientSecret::new(secret.expose().to_owned());
    match client.grant {
        OAuthGrant::RefreshToken => {
            let known = match client_secret {
                Some(secret) => known.set_client_secret(exposed(secret)),
                None => known,
            };
            let token = RefreshToken::new(secret.expose().to_owned());
            known.exchange_refresh_token(&token).add_scopes(scopes).request_async(transport).await
        }
        OAuthGrant::ClientCredentials => {
            let known = known.set_client_secret(exposed(secret));
            known.exchange_client_credentials().add_scopes(scopes).request_async(transport).await
        }
    }
}

/// Our transport as the `oauth2` crate wants it.
struct Transport {
    upstream: Arc<dyn Upstream>,
    /// Status of the answer; 0 before there is one.
    status: Arc<AtomicU16>,
}

impl<'c> AsyncHttpClient<'c> for Transport {
    type Error = UpstreamFailure;
    type Future = BoxFuture<'c, Result<HttpResponse, UpstreamFailure>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(send(Arc::clone(&self.upstream), request, Arc::clone(&self.status)))
    }
}

async fn send(
    upstream: Arc<dyn Upstream>,
    request: HttpRequest,
    status: Arc<AtomicU16>,
) -> Result<HttpResponse, UpstreamFailure> {
    let (parts, body) = request.into_parts();
    let request = UpstreamRequest {
        method: parts.method,
        url: parts.uri.to_string().parse().map_err(|_| UpstreamFailure::Local)?,
        network: AllowedNetwork::default(),
        headers: parts.headers,
        key: None,
        carrier: KeyCarrier::Bearer,
        body: Bytes::from(body),
    };
    let answer = upstream.send(request).await?;
    status.store(answer.status.as_u16(), Ordering::Relaxed);
    let read = read_body(answer.body, TOKEN_ANSWER_BYTES_MAX).await?;
    let read = read.ok_or(UpstreamFailure::Broken)?;
    let mut response = Response::new(read.to_vec());
    (*response.status_mut(), *response.headers_mut()) = (answer.status, answer.headers);
    Ok(response)
}

/// An error of the endpoint that is final says that the secret, the client or the request is wrong;
/// anything else may pass.
fn fault(error: &ExchangeError, host: &str, status: u16, secrets: Secrets<'_>) -> RefreshFault {
    match error {
        RequestTokenError::ServerResponse(answer) if matches!(status, 400 | 401 | 403) => {
            let code = shown(answer.error().as_ref(), secrets);
            let why = answer.error_description().map(|why| shown(why, secrets));
            let why = why.map(|why| format!(": {why}")).unwrap_or_default();
            let refused = format!("the token endpoint {host} refuses ({code}{why})");
            match remedy(answer.error()) {
                Some(remedy) => RefreshFault::rejected(format!("{refused}; {remedy}")),
                None => RefreshFault::temporary(refused),
            }
        }
        RequestTokenError::Request(failure) => {
            RefreshFault::temporary(format!("the token endpoint {host} gave no token: {failure}"))
        }
        _ if status == 200 => RefreshFault::temporary(format!(
            "the token endpoint {host} answered with something that is not a token"
        )),
        _ => RefreshFault::temporary(format!(
            "the token endpoint {host} answered with status {status}"
        )),
    }
}

/// `None` for an error that passes by itself.
fn remedy(error: &BasicErrorResponseType) -> Option<&'static str> {
    match error {
        BasicErrorResponseType::InvalidGrant => {
            Some("sign in again and replace the key with the new refresh token")
        }
        BasicErrorResponseType::InvalidClient | BasicErrorResponseType::UnauthorizedClient => {
            Some("check the client id and the client secret")
        }
        BasicErrorResponseType::Extension(code)
            if matches!(
                code.as_str(),
                "slow_down" | "temporarily_unavailable" | "server_error"
            ) =>
        {
            None
        }
        _ => Some("check the grant and the scope of the key"),
    }
}

/// A text of the endpoint without the secrets, cut to what is shown.
fn shown(text: &str, (secret, client_secret): Secrets<'_>) -> String {
    let mut text = text.replace(secret.expose(), "[removed]");
    if let Some(client_secret) = client_secret {
        text = text.replace(client_secret.expose(), "[removed]");
    }
    let plain: String =
        redact(&text).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match plain.char_indices().nth(REASON_CHARS_MAX) {
        Some((end, _)) => format!("{}…", plain.get(..end).unwrap_or_default()),
        None => plain,
    }
}
