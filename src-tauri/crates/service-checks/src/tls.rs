//! Encrypted connections to servers that speak another protocol than HTTP: by rustls, with the
//! authorities that this machine trusts.

use std::sync::{Arc, OnceLock};

use gateway::UpstreamFailure;
use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls_platform_verifier::BuilderVerifierExt as _;
use url::Host;

/// Made once: reading the authorities takes some milliseconds.
pub(crate) fn client_config() -> Result<Arc<ClientConfig>, UpstreamFailure> {
    static CONFIG: OnceLock<Option<Arc<ClientConfig>>> = OnceLock::new();
    let make = || {
        new_config()
            .inspect_err(|error| tracing::error!(%error, "no TLS client could be created"))
            .ok()
            .map(Arc::new)
    };
    CONFIG.get_or_init(make).clone().ok_or(UpstreamFailure::Local)
}

fn new_config() -> Result<ClientConfig, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?;
    Ok(builder.with_platform_verifier()?.with_no_client_auth())
}

/// The host as certificates name it: IPv6 addresses have no brackets there.
pub(crate) fn server_name(host: &Host<String>) -> String {
    match host {
        Host::Ipv6(address) => address.to_string(),
        other => other.to_string(),
    }
}
