//! Checks on every request, before anything else reads it.
//!
//! A web page can reach loopback, and a name that it controls can point there (DNS rebinding). So `Host`
//! must be exactly one of ours, and requests that a browser marks as coming from a foreign page are
//! refused. Nothing relies on the browser's rules for private networks. Clients built on Node send only
//! `sec-fetch-mode: cors`, so that header alone means nothing.

use hyper::header::{
    CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderMap, HeaderName, ORIGIN, TRANSFER_ENCODING,
};
use hyper::{Method, Request};
use wire::ErrorKind;

use crate::handle::response::{Refusal, RetryAdvice};
use crate::handle::surface;
use crate::headers::HOP;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The three values of `Host` that this listener accepts, compared exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AllowedHosts([String; 3]);

impl AllowedHosts {
    pub(crate) fn on(port: u16) -> Self {
        Self(["127.0.0.1", "localhost", "[::1]"].map(|host| format!("{host}:{port}")))
    }

    fn has(&self, host: &[u8]) -> bool {
        self.0.iter().any(|allowed| allowed.as_bytes() == host)
    }

    /// True if `origin` is a page of this listener itself.
    pub(crate) fn is_own_origin(&self, origin: &[u8]) -> bool {
        origin.strip_prefix(b"http://").is_some_and(|host| self.has(host))
    }
}

/// Checks the head of a gateway request: framing, host, browser headers, and that it did not pass through a
/// Gatehouse before.
pub(crate) fn check<B>(request: &Request<B>, hosts: &AllowedHosts) -> Result<(), Refusal> {
    check_framing(request)?;
    check_host(request, hosts)?;
    match surface::is_mcp(request.uri().path()) {
        true => check_agent_origin(request, hosts)?,
        false => check_no_browser(request)?,
    }
    if request.headers().contains_key(HOP) { Err(loops()) } else { Ok(()) }
}

fn loops() -> Refusal {
    let message = "This request already passed through a Gatehouse. Correct the base URL of the \
                   backend that points to this gateway.";
    never(Refusal::new(508, ErrorKind::Api, "loop_detected", message))
}

/// Refuses a request whose host is missing, repeated or foreign, or differs between request line and
/// header.
pub(crate) fn check_host<B>(request: &Request<B>, allowed: &AllowedHosts) -> Result<(), Refusal> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let named = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.as_bytes(),
        _ => return Err(misdirected()),
    };
    let line_agrees =
        request.uri().authority().is_none_or(|line| line.as_str().as_bytes() == named);
    if allowed.has(named) && line_agrees { Ok(()) } else { Err(misdirected()) }
}

fn misdirected() -> Refusal {
    let message = "Gatehouse is not served under this host name. Use http://127.0.0.1 or \
                   http://localhost with the gateway's port.";
    never(Refusal::new(421, ErrorKind::InvalidRequest, "misdirected_request", message))
}

/// Like [`check_no_browser`], but takes the origin of this listener, as MCP asks of servers on this
/// machine. No page has it, since the gateway serves none.
fn check_agent_origin<B>(request: &Request<B>, hosts: &AllowedHosts) -> Result<(), Refusal> {
    let mut origins = request.headers().get_all(ORIGIN).iter();
    if !origins.all(|origin| hosts.is_own_origin(origin.as_bytes())) {
        return Err(foreign_page());
    }
    check_site(request.headers())?;
    if request.method() == Method::OPTIONS { Err(foreign_page()) } else { Ok(()) }
}

/// Refuses requests that a web page sent.
pub(crate) fn check_no_browser<B>(request: &Request<B>) -> Result<(), Refusal> {
    if request.headers().contains_key(ORIGIN) {
        return Err(foreign_page());
    }
    check_site(request.headers())?;
    if request.method() == Method::OPTIONS { Err(foreign_page()) } else { Ok(()) }
}

/// Refuses a request that a browser marks as coming from another site.
pub(crate) fn check_site(headers: &HeaderMap) -> Result<(), Refusal> {
    let foreign = |site: &[u8]| matches!(site, b"cross-site" | b"same-site");
    let mut sites = headers.get_all(SEC_FETCH_SITE).iter();
    if sites.any(|site| foreign(site.as_bytes())) { Err(foreign_page()) } else { Ok(()) }
}

pub(crate) fn foreign_page() -> Refusal {
    let message =
        "Web pages may not call Gatehouse. Call it from a program, without an Origin header.";
    never(Refusal::new(403, ErrorKind::Permission, "browser_request_refused", message))
}

/// Refuses a body that is not plain JSON.
pub(crate) fn check_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let refusal = |message| {
        Err(never(Refusal::new(415, ErrorKind::InvalidRequest, "unsupported_media_type", message)))
    };
    let kind = headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    if !is_json(kind) {
        return refusal("Send the body as 'content-type: application/json'.");
    }
    let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
    if encodings.any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return refusal("Send the body uncompressed, without a content-encoding.");
    }
    Ok(())
}

fn is_json(content_type: &[u8]) -> bool {
    let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

/// Marks a request whose `Content-Length` was dropped because its body is chunked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LengthBesideChunks;

/// Refuses a request with both `Content-Length` and `Transfer-Encoding`.
pub(crate) fn check_framing<B>(request: &Request<B>) -> Result<(), Refusal> {
    match request.extensions().get::<LengthBesideChunks>() {
        Some(LengthBesideChunks) => {
            let message = "Send either Content-Length or Transfer-Encoding, not both.";
            Err(never(Refusal::new(400, ErrorKind::InvalidRequest, "ambiguous_length", message)))
        }
        None => Ok(()),
    }
}

/// True if the body is chunked. The caller then closes the connection after the answer, so that a smuggled
/// request behind the body is never read.
pub(crate) fn is_chunked(headers: &HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING)
}

fn never(refusal: Refusal) -> Refusal {
    refusal.retry(RetryAdvice::Never)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(request: hyper::http::request::Builder) -> u16 {
        let request = request.body(()).expect("a request");
        let allowed = AllowedHosts::on(4_283);
        check_host(&request, &allowed)
            .and_then(|()| check_no_browser(&request))
            .map_or_else(|refusal| refusal.status, |()| 200)
    }

    #[test]
    fn a_host_is_ours_to_the_letter_or_refused() {
        for host in ["127.0.0.1:4283", "localhost:4283", "[::1]:4283"] {
            assert_eq!(status(Request::get("/").header(HOST, host)), 200, "{host}");
        }
        let foreign = [
            "",
            "127.0.0.1",
            "localhost",
            "[::1]",
            "::1:4283",
            "127.0.0.1:80",
            "127.0.0.1:4283.",
            "127.0.0.1.:4283",
            "localhost.:4283",
            "LOCALHOST:4283",
            "evil.test:4283",
            "evil.test",
            "127.0.0.1:4283@evil.test",
            "evil.test@127.0.0.1:4283",
            "127.1:4283",
            "0.0.0.0:4283",
            "2130706433:4283",
            "127.0.0.1:04283",
            "127.0.0.1:4283, evil.test",
            "[::1%25lo]:4283",
            "[::ffff:127.0.0.1]:4283",
            "[0:0:0:0:0:0:0:1]:4283",
            "localhost:4283/x",
            "localhost:4284",
        ];
        for host in foreign {
            assert_eq!(status(Request::get("/").header(HOST, host)), 421, "{host}");
        }
        assert_eq!(status(Request::get("/")), 421);
        let twice = Request::get("/").header(HOST, "localhost:4283").header(HOST, "localhost:4283");
        assert_eq!(status(twice), 421);
    }

    #[test]
    fn the_request_line_may_not_name_another_host() {
        let line = |uri: &str, host: &str| status(Request::get(uri).header(HOST, host));
        assert_eq!(line("http://localhost:4283/health", "localhost:4283"), 200);
        assert_eq!(line("http://evil.test/health", "localhost:4283"), 421);
        assert_eq!(line("http://evil@localhost:4283/health", "localhost:4283"), 421);
        assert_eq!(line("http://localhost:4283/health", "evil.test"), 421);
        assert_eq!(line("http://127.0.0.1:4283/health", "localhost:4283"), 421);
    }

    #[test]
    fn marks_of_a_web_page_are_refused_and_those_of_node_are_not() {
        let with = |name: &str, value: &str| {
            status(Request::post("/").header(HOST, "localhost:4283").header(name, value))
        };
        for origin in ["https://evil.example", "null", "http://localhost:4283", ""] {
            assert_eq!(with("origin", origin), 403, "{origin}");
        }
        assert_eq!(with("sec-fetch-site", "cross-site"), 403);
        assert_eq!(with("sec-fetch-site", "same-site"), 403);
        assert_eq!(with("sec-fetch-site", "none"), 200);
        assert_eq!(with("sec-fetch-mode", "cors"), 200);
        assert_eq!(with("anthropic-dangerous-direct-browser-access", "true"), 200);
        assert_eq!(status(Request::options("/").header(HOST, "localhost:4283")), 403);
    }

    #[test]
    fn agents_may_name_this_listener_as_their_origin_and_no_other() {
        let with = |path: &str, origins: &[&str]| {
            let mut request = Request::post(path).header(HOST, "localhost:4283");
            for origin in origins {
                request = request.header("origin", *origin);
            }
            let checked = check(&request.body(()).expect("a request"), &AllowedHosts::on(4_283));
            checked.map_or_else(|refusal| refusal.status, |()| 200)
        };
        let own = "http://localhost:4283";
        assert_eq!(with("/mcp", &[own]), 200);
        assert_eq!(with("/mcp", &["http://127.0.0.1:4283"]), 200);
        assert_eq!(with("/v1/messages", &[own]), 403);
        for origin in ["http://localhost:3000", "https://localhost:4283", "null", ""] {
            assert_eq!(with("/mcp", &[origin]), 403, "{origin}");
            assert_eq!(with("/mcp", &[own, origin]), 403, "{origin}");
        }
    }

    #[test]
    fn only_plain_json_is_taken() {
        let status = |pairs: &[(HeaderName, &'static str)]| {
            let headers: HeaderMap = pairs
                .iter()
                .map(|(name, value)| (name.clone(), value.parse().expect("a value")))
                .collect();
            check_json(&headers).map_or_else(|refusal| refusal.status, |()| 200)
        };
        assert_eq!(status(&[(CONTENT_TYPE, "application/json")]), 200);
        assert_eq!(status(&[(CONTENT_TYPE, "Application/JSON; charset=utf-8")]), 200);
        assert_eq!(status(&[]), 415);
        assert_eq!(status(&[(CONTENT_TYPE, "text/plain")]), 415);
        assert_eq!(status(&[(CONTENT_TYPE, "application/jsonp")]), 415);
        let json = (CONTENT_TYPE, "application/json");
        assert_eq!(status(&[json.clone(), (CONTENT_ENCODING, "gzip")]), 415);
        assert_eq!(status(&[json, (CONTENT_ENCODING, "identity")]), 200);
    }
}
