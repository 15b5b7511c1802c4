//! Reads the cache settings and the address of the shared cache's server.

use domain::CredentialId;
use url::{Host, Url};

use crate::finding::Findings;
use crate::section_reader::SectionReader;
use crate::{
    CACHE_DISK_BYTES_MAX_RANGE, CACHE_ENTRY_BYTES_MAX_RANGE, CACHE_MEMORY_BYTES_MAX_RANGE,
    CACHE_TTL_SECS_RANGE, CacheSettings,
};

const NAMES: [&str; 8] = [
    "enabled",
    "memory_bytes_max",
    "entry_bytes_max",
    "disk",
    "disk_bytes_max",
    "ttl_secs",
    "redis_url",
    "redis_credential",
];
/// URL schemes of such a server; Valkey uses the same protocol.
const SCHEMES: [&str; 4] = ["redis", "rediss", "valkey", "valkeys"];
const URL_HINT: &str = "write it like redis_url = \"rediss://cache.example.com:6379/0\"";

pub(super) fn read_cache(section: &SectionReader, findings: &mut Findings) -> CacheSettings {
    section.check_names(&NAMES, findings);
    let fresh = CacheSettings::default();
    let mut bytes = |name: &str, range, default| section.integer(name, &range, default, findings);
    let memory = bytes("memory_bytes_max", CACHE_MEMORY_BYTES_MAX_RANGE, fresh.memory_bytes_max);
    let entry = bytes("entry_bytes_max", CACHE_ENTRY_BYTES_MAX_RANGE, fresh.entry_bytes_max);
    let disk = bytes("disk_bytes_max", CACHE_DISK_BYTES_MAX_RANGE, fresh.disk_bytes_max);
    if entry > memory {
        let what = "the largest cached response may not fit into the memory cache";
        let hint = "lower entry_bytes_max, or raise memory_bytes_max";
        let path = section.path_of("entry_bytes_max");
        findings.warning(&path, section.span_of("entry_bytes_max"), what, hint);
    }
    let credential = section.text("redis_credential", findings).map(CredentialId::new);
    if let Some(Err(error)) = &credential {
        let hint = super::names::id_error_hint(error);
        section.report_error(
            "redis_credential",
            "this is not a valid key name",
            hint,
            None,
            findings,
        );
    }
    CacheSettings {
        enabled: section.boolean("enabled", fresh.enabled, findings),
        memory_bytes_max: memory,
        entry_bytes_max: entry,
        disk: section.boolean("disk", fresh.disk, findings),
        disk_bytes_max: disk,
        ttl_secs: section.integer("ttl_secs", &CACHE_TTL_SECS_RANGE, fresh.ttl_secs, findings),
        redis_url: redis_url(section, findings),
        redis_credential: credential.and_then(Result::ok),
    }
}

/// No message contains the address, which may hold a password.
fn redis_url(section: &SectionReader, findings: &mut Findings) -> Option<Url> {
    let name = "redis_url";
    let url = match section.text(name, findings)?.trim().parse::<Url>() {
        Ok(url) if SCHEMES.contains(&url.scheme()) && url.host().is_some() => url,
        _ => {
            // Part of it could be a password.
            findings.hidden.extend(section.span_of(name));
            let what = "this is not the address of a Redis or Valkey server";
            section.report_error(name, what, URL_HINT, None, findings);
            return None;
        }
    };
    if url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        findings.hidden.extend(section.span_of(name));
        let what = "the address contains a password, a '?' or a '#'";
        let hint = "remove it; store a password with `gatehouse keys add` and name that key in \
                    redis_credential";
        section.report_error(name, what, hint, None, findings);
        return None;
    }
    if !matches!(url.scheme(), "rediss" | "valkeys") && !is_this_machine(&url) {
        let what = "responses are sent to that server unencrypted";
        let hint = "use rediss:// if the server supports it";
        findings.warning(&section.path_of(name), section.span_of(name), what, hint);
    }
    Some(url)
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        // The URL parser does not parse the host of these schemes as an address.
        Some(Host::Domain(name)) => {
            let address = name.parse::<std::net::IpAddr>();
            name == "localhost" || address.is_ok_and(|address| address.is_loopback())
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
