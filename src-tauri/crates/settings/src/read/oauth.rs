//! Reads how the access tokens of a key are got. The secret for it is in the vault.

use domain::OAuthGrant;
use url::Url;

use crate::finding::Findings;
use crate::section_reader::SectionReader;
use crate::{OAUTH_TEXT_CHARS_MAX, OAuthSettings, parse_base_url};

/// The fields of a credential that say it.
pub(super) const OAUTH_NAMES: [&str; 4] = ["token_url", "client_id", "grant", "scope"];

/// `None` if no field of it is there.
pub(super) fn read_oauth(
    entry: &SectionReader,
    gateway_port: u16,
    findings: &mut Findings,
) -> Option<OAuthSettings> {
    if !OAUTH_NAMES.iter().any(|name| entry.names().contains(name)) {
        return None;
    }
    entry.require("token_url", "write the provider's token endpoint", findings);
    entry.require("client_id", "write the client id that the provider gave", findings);
    let grant = entry.word("grant", OAuthGrant::WORDS, findings).unwrap_or_default();
    let scope = read_short_text(entry, "scope", findings);
    let client_id = read_short_text(entry, "client_id", findings);
    let token_url = read_token_url(entry, gateway_port, findings)?;
    Some(OAuthSettings { token_url, client_id: client_id?, grant, scope })
}

fn read_token_url(
    entry: &SectionReader,
    gateway_port: u16,
    findings: &mut Findings,
) -> Option<Url> {
    let text = entry.text("token_url", findings)?;
    match parse_base_url(text, gateway_port) {
        Ok(token_url) => Some(token_url.url),
        Err(error) => {
            let text = error.to_string();
            let (what, hint) = text.split_once("; ").unwrap_or((&text, "use another address"));
            entry.report_error("token_url", what, hint, None, findings);
            None
        }
    }
}

fn read_short_text(entry: &SectionReader, name: &str, findings: &mut Findings) -> Option<String> {
    let text = entry.text(name, findings)?.trim();
    if text.is_empty() || text.chars().count() > OAUTH_TEXT_CHARS_MAX {
        let what = format!("this must have 1 to {OAUTH_TEXT_CHARS_MAX} characters");
        entry.report_error(name, what, "write it as the provider gave it", None, findings);
        return None;
    }
    Some(text.to_owned())
}
