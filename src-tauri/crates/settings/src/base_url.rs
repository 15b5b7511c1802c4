//! Rules for backend addresses. A base URL decides where keys and prompts are sent, so every way
//! into the configuration applies these rules.
//!
//! A host name is checked by its text here; the addresses that it resolves to are checked at each
//! connection (`resolved`).

mod resolved_address;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

pub use resolved_address::{
    AddressError, AllowedNetwork, check_resolved_address, is_on_own_network,
};

use domain::BackendKind;

/// Host names of cloud metadata services, which hand out credentials without authentication.
const METADATA_NAMES: [&str; 7] = [
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "metadata.azure.internal",
    "metadata.oraclecloud.com",
    "instance-data",
    "instance-data.ec2.internal",
];
/// Addresses of metadata services outside 169.254/16: Amazon over IPv6, Alibaba, Oracle Classic.
const METADATA_ADDRESSES: [IpAddr; 3] = [
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
];
/// Endpoint paths that users paste with the base URL. A path comes before its own suffixes.
const ENDPOINT_PATHS: [&str; 10] = [
    "/chat/completions",
    "/completions",
    "/responses",
    "/embeddings",
    "/messages/count_tokens",
    "/messages",
    "/api/chat",
    "/api/generate",
    "/api/tags",
    "/models",
];
/// Gemini's methods, which follow `/models/` and a model name.
const MODEL_METHODS: [&str; 5] = [
    ":generateContent",
    ":streamGenerateContent",
    ":countTokens",
    ":embedContent",
    ":batchEmbedContents",
];

/// A base URL that passed the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    /// In canonical form (`http://0x7f.1` becomes `http://127.0.0.1/`).
    pub url: Url,
    pub warning: Option<BaseUrlWarning>,
}

/// A warning about an allowed URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlWarning {
    /// `http` to a private address.
    #[error("keys and prompts are sent unencrypted over the local network")]
    Unencrypted,
    /// The path ends with an endpoint.
    #[error("the address ends in {0}, which is part of the request path, not of the base URL")]
    Endpoint(&'static str),
}

/// Reason to reject a base URL. No message contains the URL, which may hold a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    #[error("this is not a URL; write it like https://api.example.com/v1")]
    NotAUrl,
    /// Neither `https` nor `http`.
    #[error("the address must begin with https:// (or http:// on this machine or network)")]
    Scheme,
    /// A user name or password before the host.
    #[error("the address contains a user name or password; remove it and use `gatehouse keys add`")]
    Userinfo,
    /// A `?query` or `#fragment`.
    #[error("the address has a '?' or '#' part; remove it")]
    QueryOrFragment,
    /// `http` to a host that is neither loopback nor a private address.
    #[error("http:// is only allowed for this machine and private addresses; use https://")]
    Unencrypted,
    /// An address that no provider has: link-local, cloud metadata, unspecified, multicast.
    #[error(
        "this address is link-local, a cloud metadata service or not a host, so it is refused; \
         use another address"
    )]
    Forbidden,
    #[error(
        "this is the gateway's own address, so requests would loop; use the provider's address"
    )]
    OwnGateway,
}

/// Parses and checks `text` as a base URL, for a gateway that listens on `gateway_port`.
pub fn parse_base_url(text: &str, gateway_port: u16) -> Result<BaseUrl, BaseUrlError> {
    let url = Url::parse(text.trim()).map_err(|_| BaseUrlError::NotAUrl)?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(BaseUrlError::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BaseUrlError::Userinfo);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(BaseUrlError::QueryOrFragment);
    }
    let reach = host_scope(&url.host().ok_or(BaseUrlError::NotAUrl)?);
    let encrypted = url.scheme() == "https";
    let mut caution =
        split_endpoint(url.path()).map(|(_, endpoint)| BaseUrlWarning::Endpoint(endpoint));
    match reach {
        AddressScope::Forbidden => return Err(BaseUrlError::Forbidden),
        AddressScope::Loopback if url.port_or_known_default() == Some(gateway_port) => {
            return Err(BaseUrlError::OwnGateway);
        }
        AddressScope::Public if !encrypted => return Err(BaseUrlError::Unencrypted),
        AddressScope::Private if !encrypted => caution = Some(BaseUrlWarning::Unencrypted),
        AddressScope::Loopback | AddressScope::Private | AddressScope::Public => {}
    }
    Ok(BaseUrl { url, warning: caution })
}

/// Why an address cannot be a webhook. No message contains the address, which is a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookUrlError {
    #[error("this is not a URL; write it like https://hooks.example.com/T000/B000")]
    NotAUrl,
    #[error("a webhook must begin with https:// (or http:// on this machine)")]
    Unencrypted,
    #[error("{0}")]
    Address(BaseUrlError),
    #[error("the address is longer than {WEBHOOK_URL_CHARS_MAX} characters")]
    TooLong,
}

/// Longest address of a webhook, in characters.
pub(crate) const WEBHOOK_URL_CHARS_MAX: usize = 1_024;

/// Parses and checks the address of a webhook: https, or a server on this machine. It may have a
/// query. Other servers are judged as those of backends.
pub fn parse_webhook_url(text: &str, gateway_port: u16) -> Result<Url, WebhookUrlError> {
    if text.len() > WEBHOOK_URL_CHARS_MAX {
        return Err(WebhookUrlError::TooLong);
    }
    let url = Url::parse(text.trim()).map_err(|_| WebhookUrlError::NotAUrl)?;
    let mut bare = url.clone();
    bare.set_query(None);
    bare.set_fragment(None);
    let checked = parse_base_url(bare.as_str(), gateway_port);
    let BaseUrl { warning, .. } = checked.map_err(|error| match error {
        BaseUrlError::Unencrypted | BaseUrlError::Scheme => WebhookUrlError::Unencrypted,
        BaseUrlError::NotAUrl => WebhookUrlError::NotAUrl,
        error => WebhookUrlError::Address(error),
    })?;
    match warning {
        Some(BaseUrlWarning::Unencrypted) => Err(WebhookUrlError::Unencrypted),
        Some(BaseUrlWarning::Endpoint(_)) | None => Ok(url),
    }
}

/// The intended URL, if it is certain and passes the rules without an error.
#[must_use]
pub(crate) fn correct_base_url(text: &str, gateway_port: u16) -> Option<String> {
    let text = text.trim();
    let candidate = match parse_base_url(text, gateway_port) {
        Ok(BaseUrl { url, .. }) => {
            let (root, _) = split_endpoint(url.path())?;
            let pasted = url.path().trim_end_matches('/').strip_prefix(root)?;
            text.trim_end_matches('/').strip_suffix(pasted)?.to_owned()
        }
        Err(BaseUrlError::NotAUrl | BaseUrlError::Scheme) if !text.contains("://") => {
            [format!("http://{text}"), format!("https://{text}")]
                .into_iter()
                .find(|candidate| parse_base_url(candidate, gateway_port).is_ok())?
        }
        Err(BaseUrlError::Unencrypted) => format!("https://{}", text.split_once("://")?.1),
        Err(BaseUrlError::QueryOrFragment) => text.split(['?', '#']).next()?.to_owned(),
        Err(_) => return None,
    };
    parse_base_url(&candidate, gateway_port).is_ok().then_some(candidate)
}

/// The base of the paths of `kind`'s API, however its base URL was entered:
///
/// | kind | ends | paths then |
/// |---|---|---|
/// | OpenAI | with its version, `/v1` if none was typed | `/chat/completions` |
/// | Anthropic | without `/v1` | `/v1/messages` |
/// | Gemini | without `/v1beta`, `/v1`, `/openai` | `/v1beta/models/…` |
/// | Ollama | without `/v1`, `/api` | `/api/chat` |
/// | OpenAI-compatible, mock | as typed | `/chat/completions` |
///
/// A pasted endpoint path is removed, so that nothing is doubled. The result has no trailing slash
/// unless its path is empty, and the origin of `base_url`.
#[must_use]
pub fn api_root(kind: BackendKind, base_url: &Url) -> Url {
    let typed = base_url.path().trim_end_matches('/');
    let path = split_endpoint(typed).map_or(typed, |(root, _)| root);
    let without = |suffixes: &[&str]| {
        suffixes.iter().fold(path, |path, suffix| path.strip_suffix(suffix).unwrap_or(path))
    };
    let root = match kind {
        BackendKind::OpenAi if !ends_in_version(path) => format!("{path}/v1"),
        BackendKind::OpenAi | BackendKind::OpenAiCompatible | BackendKind::Mock => path.to_owned(),
        BackendKind::Anthropic => without(&["/v1"]).to_owned(),
        BackendKind::Gemini => without(&["/openai", "/v1beta", "/v1"]).to_owned(),
        BackendKind::Ollama => without(&["/v1", "/api"]).to_owned(),
    };
    let mut url = base_url.clone();
    url.set_path(&root);
    url
}

enum AddressScope {
    Loopback,
    Private,
    Public,
    Forbidden,
}

/// Splits a trailing endpoint off a path. `/models` counts only after a version: some servers have
/// a base URL that ends with it.
fn split_endpoint(path: &str) -> Option<(&str, &'static str)> {
    let path = path.trim_end_matches('/');
    let method = MODEL_METHODS.into_iter().find(|method| path.ends_with(method));
    if let (Some(method), Some((root, _))) = (method, path.rsplit_once("/models/")) {
        return Some((root, method));
    }
    ENDPOINT_PATHS.into_iter().find_map(|endpoint| {
        let root = path.strip_suffix(endpoint)?;
        (endpoint != "/models" || ends_in_version(root)).then_some((root, endpoint))
    })
}

/// True if a path ends with `/v1`, `/v1beta` and the like.
fn ends_in_version(path: &str) -> bool {
    let last = path.rsplit_once('/').map_or("", |(_, last)| last);
    let digits = last.strip_prefix('v').unwrap_or_default();
    digits.starts_with(|first: char| first.is_ascii_digit())
}

fn host_scope(host: &Host<&str>) -> AddressScope {
    match host {
        Host::Domain(name) => name_scope(name.trim_end_matches('.')),
        Host::Ipv4(address) => address_scope(IpAddr::V4(*address)),
        Host::Ipv6(address) => address_scope(IpAddr::V6(*address)),
    }
}

fn address_scope(address: IpAddr) -> AddressScope {
    let address = match address {
        IpAddr::V6(wrapper) => embedded_v4(wrapper).map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    };
    if METADATA_ADDRESSES.contains(&address) {
        return AddressScope::Forbidden;
    }
    match address {
        IpAddr::V4(address) => ipv4_scope(address),
        IpAddr::V6(address) => ipv6_scope(address),
    }
}

fn name_scope(name: &str) -> AddressScope {
    if METADATA_NAMES.contains(&name) || name.is_empty() {
        AddressScope::Forbidden
    } else if name == "localhost" || name.ends_with(".localhost") {
        AddressScope::Loopback
    } else {
        AddressScope::Public
    }
}

fn ipv4_scope(address: Ipv4Addr) -> AddressScope {
    let [first, second, ..] = address.octets();
    if first == 0 || address.is_link_local() || address.is_multicast() || first >= 240 {
        AddressScope::Forbidden
    } else if address.is_loopback() {
        AddressScope::Loopback
    } else if address.is_private() || (first == 100 && (64..128).contains(&second)) {
        // 100.64/10 is shared address space (RFC 6598), which private overlay networks use.
        AddressScope::Private
    } else {
        AddressScope::Public
    }
}

fn ipv6_scope(address: Ipv6Addr) -> AddressScope {
    if address.is_unspecified() || address.is_unicast_link_local() || address.is_multicast() {
        AddressScope::Forbidden
    } else if address.is_loopback() {
        AddressScope::Loopback
    } else if address.is_unique_local() {
        AddressScope::Private
    } else {
        AddressScope::Public
    }
}

/// The IPv4 address embedded in an IPv6 one: mapped (RFC 4291), compatible, NAT64 (RFC 6052) or
/// 6to4 (RFC 3056). A check of the IPv6 address alone would let 169.254.169.254 through.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let from = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => from(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => from(high, low),
        [0x2002, high, low, ..] => from(high, low),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
