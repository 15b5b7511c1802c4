//! Checks what a collector needs before anything is sent to it.

use crate::finding::Findings;
use crate::section_reader::SectionReader;
use crate::{Settings, parse_base_url};

use super::pool;

pub(super) fn check_telemetry(
    section: &SectionReader,
    settings: &Settings,
    findings: &mut Findings,
) {
    let telemetry = &settings.telemetry;
    if telemetry.enabled
        && let Err(error) = parse_base_url(&telemetry.endpoint, settings.gateway.port)
    {
        // The address may hold a password, so it is not repeated.
        findings.hidden.extend(section.span_of("endpoint"));
        let hint = "write it like endpoint = \"http://127.0.0.1:4318\"";
        section.report_error("endpoint", error.to_string(), hint, None, findings);
    }
    let key = telemetry.credential.as_ref().and_then(|id| settings.credentials.get(id));
    if key.is_some_and(|key| key.billing.is_some()) {
        let what = "this is an admin key for cost reports, which goes to its provider alone";
        section.report_error("credential", what, "name the collector's key", None, findings);
    }
    if let Some(asked) = section.item("credential").and_then(toml_edit::Item::as_str) {
        let named = ("credential", None, asked);
        pool::check_key_exists(section, named, &settings.credentials, findings);
    }
}
