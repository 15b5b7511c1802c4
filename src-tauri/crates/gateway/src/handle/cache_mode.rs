//! Resolves the cache mode of a request: its own, else the route's, else the client's.

use cache::BypassReason;
use domain::CacheMode;
use hyper::header::HeaderMap;
use wire::ErrorKind;

use crate::handle::response::{CACHE, Refusal, RetryAdvice};
use crate::snapshot::GatewayClient;

/// The cache modes that a request and its client state.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CacheModes {
    request: Option<CacheMode>,
    client: Option<CacheMode>,
}

impl CacheModes {
    /// Reads the cache mode from the request header and the client's settings. Fails on an unknown value.
    pub(crate) fn read(headers: &HeaderMap, client: &GatewayClient) -> Result<Self, Refusal> {
        let request = match headers.get(CACHE) {
            Some(value) => {
                let word = value.to_str().unwrap_or_default().trim();
                Some(word.parse().map_err(|_| unknown_mode())?)
            }
            None => None,
        };
        Ok(Self { request, client: client.cache })
    }

    /// The effective mode, given the route's mode; `Err` names the source that turned the cache off.
    pub(crate) fn resolve(&self, route: Option<CacheMode>) -> Result<CacheMode, BypassReason> {
        let stated = [
            (self.request, BypassReason::Request),
            (route, BypassReason::Route),
            (self.client, BypassReason::Client),
        ];
        match stated.into_iter().find_map(|(mode, source)| Some((mode?, source))) {
            Some((CacheMode::Off, source)) => Err(source),
            Some((mode, _)) => Ok(mode),
            None => Ok(CacheMode::Auto),
        }
    }
}

fn unknown_mode() -> Refusal {
    let message = "The header x-gatehouse-cache must be 'auto', 'on', 'off' or 'refresh'.";
    Refusal::new(400, ErrorKind::InvalidRequest, "invalid_value", message)
        .param(Some(CACHE.as_str().to_owned()))
        .retry(RetryAdvice::Never)
}
