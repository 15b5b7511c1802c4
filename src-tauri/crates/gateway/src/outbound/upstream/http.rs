//! Sends over the network, with reqwest over rustls and the system's roots. Plain HTTP on this
//! machine takes a shorter path (`near`).
//!
//! No redirect is followed (the key would go along), no answer is decompressed (it could be a
//! bomb), nothing is retried, and requests to this machine never go through a proxy.

use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt};
use hyper::header::{ACCEPT_ENCODING, HeaderValue};
use reqwest::{Client, redirect, retry};
use rustls::pki_types::CertificateDer;
use url::{Host, Url};

use super::key::attach;
use super::local::local_fault_in;
use super::near::{LoopbackPool, is_near};
use super::resolve::{NameLookup, ResolveError, Resolver, SystemNameLookup};
use super::tls::tls_fault;
use super::{Upstream, UpstreamFailure, UpstreamRequest, UpstreamResponse};

/// Time that an idle connection to a backend is kept. Most providers close theirs after 60 seconds
/// or more.
const POOL_IDLE: Duration = Duration::from_secs(50);

/// Idle connections kept per backend.
const POOL_IDLE_PER_HOST_MAX: usize = 64;

/// Interval of TCP keep-alive, which detects a vanished backend under a silent stream.
const TCP_KEEPALIVE: Duration = Duration::from_secs(30);

/// The network environment: name lookup, trusted certificates and proxies.
#[derive(Debug, Clone)]
pub struct UpstreamEnvironment {
    pub names: Arc<dyn NameLookup>,
    /// Authorities that may sign backends' certificates; `None` for those the system trusts.
    pub issuers: Option<Vec<CertificateDer<'static>>>,
    pub proxies: Proxies,
}

/// Proxies for requests that leave this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxies {
    /// The proxies that the environment names (`HTTPS_PROXY`, `NO_PROXY`).
    System,
    None,
}

impl Default for UpstreamEnvironment {
    /// The system's environment.
    fn default() -> Self {
        Self { names: Arc::new(SystemNameLookup), issuers: None, proxies: Proxies::System }
    }
}

/// Sends over the network.
#[derive(Debug)]
pub struct HttpUpstream {
    connect_timeout: Duration,
    resolver: Resolver,
    issuers: Option<Vec<CertificateDer<'static>>>,
    proxies: Proxies,
    near: Arc<LoopbackPool>,
    // Created at first use: reading the system's certificates takes longer than the rest of the
    // start.
    direct: OnceLock<Option<Client>>,
    outside: OnceLock<Option<Client>>,
}

impl HttpUpstream {
    /// A client that gives up connecting after `connect_timeout`. Installs ring as the process's
    /// cryptography provider, unless one is already installed.
    #[must_use]
    pub fn new(connect_timeout: Duration) -> Self {
        Self::amid(UpstreamEnvironment::default(), connect_timeout)
    }

    /// As [`Self::new`], in another environment than the system's.
    #[must_use]
    pub fn amid(environment: UpstreamEnvironment, connect_timeout: Duration) -> Self {
        if rustls::crypto::ring::default_provider().install_default().is_err() {
            tracing::debug!("a cryptography provider was already installed");
        }
        let UpstreamEnvironment { names, issuers, proxies } = environment;
        let resolver = Resolver::new(names, connect_timeout);
        let near = LoopbackPool::new(connect_timeout, resolver.clone());
        let (direct, outside) = (OnceLock::new(), OnceLock::new());
        Self { connect_timeout, resolver, issuers, proxies, near, direct, outside }
    }

    /// Closes connections to backends on this machine that have ended or are idle. To be called
    /// about every two seconds. reqwest itself watches connections that leave this machine.
    pub fn sweep(&self) {
        self.near.sweep();
    }

    /// Reads the system's certificates ahead of the first request. Blocks for some milliseconds;
    /// worth calling off the async threads once the program has started.
    pub fn prepare(&self) {
        self.direct.get_or_init(|| self.build(Proxies::None));
        self.outside.get_or_init(|| self.build(self.proxies));
    }

    fn client(&self, url: &Url) -> Result<&Client, UpstreamFailure> {
        let client = if passes_no_proxy(url) {
            self.direct.get_or_init(|| self.build(Proxies::None))
        } else {
            self.outside.get_or_init(|| self.build(self.proxies))
        };
        client.as_ref().ok_or(UpstreamFailure::Local)
    }

    fn build(&self, proxies: Proxies) -> Option<Client> {
        let mut builder = match proxies {
            Proxies::System => Client::builder(),
            Proxies::None => Client::builder().no_proxy(),
        };
        if let Some(issuers) = &self.issuers {
            let read = |issuer: &CertificateDer<'_>| reqwest::Certificate::from_der(issuer).ok();
            builder = builder.tls_certs_only(issuers.iter().filter_map(read));
        }
        let built = builder
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .connect_timeout(self.connect_timeout)
            .tcp_nodelay(true)
            .tcp_keepalive(TCP_KEEPALIVE)
            .pool_idle_timeout(POOL_IDLE)
            .pool_max_idle_per_host(POOL_IDLE_PER_HOST_MAX)
            .dns_resolver(Arc::new(self.resolver.clone()))
            .build();
        built
            .inspect_err(|error| tracing::error!(%error, "no network client could be created"))
            .ok()
    }
}

#[async_trait]
impl Upstream for HttpUpstream {
    async fn send(&self, request: UpstreamRequest) -> Result<UpstreamResponse, UpstreamFailure> {
        let UpstreamRequest { method, url, network, mut headers, key, carrier, body } = request;
        let scrubber =
            attach(key.as_deref(), carrier, &url, &mut headers).map_err(UpstreamFailure::Key)?;
        drop(key);
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(Host::Domain(name)) = url.host() {
            self.resolver.expect(name, network);
        }
        if is_near(&url) {
            let (parts, body) = self.near.send(method, &url, headers, body).await?.into_parts();
            let (status, mut headers) = (parts.status, parts.headers);
            scrubber.scrub_headers(&mut headers);
            let body = scrubber.scrub_body(body);
            return Ok(UpstreamResponse { status, headers, body, scrubber });
        }
        let client = self.client(&url)?;
        let sent = client.request(method, url).headers(headers).body(body).send().await;
        let response = sent.map_err(|error| failure(&error))?;
        let (status, mut headers) = (response.status(), response.headers().clone());
        scrubber.scrub_headers(&mut headers);
        let body = response.bytes_stream().map_err(|error| failure(&error)).boxed();
        let body = scrubber.scrub_body(body);
        Ok(UpstreamResponse { status, headers, body, scrubber })
    }
}

/// True if `url` is reached without a proxy: anything on this machine, and plain HTTP, which goes
/// to private addresses only and would show the key to a proxy.
fn passes_no_proxy(url: &Url) -> bool {
    let is_here = domain::Origin::from_url(url).is_ok_and(|origin| origin.is_loopback());
    is_here || url.scheme() == "http"
}

/// Classifies an error by its types alone.
fn failure(error: &reqwest::Error) -> UpstreamFailure {
    let chain = || causes(error);
    if let Some(unresolved) = chain().find_map(|cause| cause.downcast_ref::<ResolveError>()) {
        return (*unresolved).into();
    }
    if let Some(fault) = chain().find_map(local_fault_in) {
        return fault;
    }
    if let Some(fault) = chain().find_map(tls_fault) {
        return UpstreamFailure::Tls(fault);
    }
    if error.is_timeout() && !error.is_connect() {
        return UpstreamFailure::Timeout;
    }
    if error.is_connect() {
        return UpstreamFailure::Connect;
    }
    if error.is_builder() {
        return UpstreamFailure::Local;
    }
    UpstreamFailure::Broken
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = error.source();
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promised by SECURITY.md: a buffer of an idle connection may hold a removed key for so long.
    const FREED_KEY_SECS_MAX: u64 = 60;

    #[test]
    fn idle_connections_are_closed_within_the_time_that_is_promised() {
        // The engine sweeps every two seconds.
        let near = u64::from(super::super::near::SWEEPS_SURVIVED_MAX + 1) * 2;
        assert!(POOL_IDLE.as_secs().max(near) <= FREED_KEY_SECS_MAX);
    }

    #[test]
    fn a_proxy_sees_no_key_in_plain_text_and_nothing_of_this_machine() {
        let direct = |url: &str| passes_no_proxy(&url.parse().expect("a URL"));
        assert!(direct("http://192.168.1.5:11434/v1") && direct("http://10.0.0.9/v1"));
        assert!(direct("http://127.0.0.1:11434") && direct("https://localhost:8443/v1"));
        assert!(!direct("https://api.openai.com/v1") && !direct("https://10.0.0.9/v1"));
    }
}
