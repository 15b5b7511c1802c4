//! Reads services.

use domain::{AlertChannel, CredentialId, ServiceId, ServiceKind, ServiceMethod};
use indexmap::IndexMap;

use super::entries::{read_entries, read_label, read_network};
use super::names::{NameListRules, read_names};
use super::objective::{OBJECTIVE_FIELD, read_objective};
use super::pool;
use crate::entry_field::{self, EntryField, EntryValue};
use crate::finding::Findings;
use crate::section_reader::SectionReader;
use crate::{
    CredentialSettings, GITHUB_API, HttpExpectation, KEY_HEADER_CHARS_MAX, SCOPE_CHARS_MAX,
    SERVICE_SCOPES_MAX, SERVICE_TEXT_CHARS_MAX, SERVICES_MAX, ServiceAddress, ServiceSettings,
    Settings, parse_key_header,
};

pub(crate) const SERVICE_FIELDS: &[EntryField] = &[
    EntryField {
        name: "label",
        value: EntryValue::Text("text"),
        default: None,
        meaning: "Display name; its own name without one.",
    },
    EntryField {
        name: "kind",
        value: EntryValue::Words(ServiceKind::WORDS),
        default: None,
        meaning: "How it is checked. No check is billed.",
    },
    EntryField {
        name: "address",
        value: EntryValue::Text("a URL, or host and port"),
        default: None,
        meaning: "What is asked; GitHub's own API without one, for `github`. That of a database names the user, as \
                  in `postgres://user@db.example.com/name`. A `postgres` one on another machine is asked over TLS, \
                  unless it ends with `?sslmode=disable`; one on this machine is if it ends with \
                  `?sslmode=verify-full`.",
    },
    EntryField {
        name: "credential",
        value: EntryValue::Text("a name"),
        default: None,
        meaning: "The key in the vault that it is checked with.",
    },
    EntryField {
        name: "required",
        value: EntryValue::Words(&["true", "false"]),
        default: Some("false"),
        meaning: "Work stops without it: the verdict is \"not ready\" while it is down.",
    },
    EntryField {
        name: "enabled",
        value: EntryValue::Words(&["true", "false"]),
        default: Some("true"),
        meaning: "It is checked.",
    },
    EntryField {
        name: "private_network",
        value: EntryValue::Words(&["true", "false"]),
        default: Some("false"),
        meaning: "Its public name may resolve to a private address.",
    },
    EntryField {
        name: "method",
        value: EntryValue::Words(ServiceMethod::WORDS),
        default: Some("GET"),
        meaning: "Of the request, for `http`.",
    },
    EntryField {
        name: "status",
        value: EntryValue::Text("100 to 599"),
        default: None,
        meaning: "The status that it must answer with, for `http`; any from 200 to 299 without one.",
    },
    EntryField {
        name: "contains",
        value: EntryValue::Text("text"),
        default: None,
        meaning: "What the answer must contain, for `http`.",
    },
    EntryField {
        name: "key_header",
        value: EntryValue::Text("a header"),
        default: None,
        meaning: "Carries the key, for `http`; `Authorization: Bearer` without one.",
    },
    EntryField {
        name: "scopes",
        value: EntryValue::Text("a list of names"),
        default: None,
        meaning: "Scopes that the token must have, for `github`.",
    },
    OBJECTIVE_FIELD,
];
const STATUS_RANGE: std::ops::RangeInclusive<i64> = 100..=599;
const SCOPES: NameListRules = NameListRules {
    field: "scopes",
    one: "scope",
    example: "repo",
    entries_max: SERVICE_SCOPES_MAX,
    chars_max: SCOPE_CHARS_MAX,
    fewer: "name those that your work needs",
};

pub(super) fn read_services(
    section: &SectionReader,
    gateway_port: u16,
    findings: &mut Findings,
) -> IndexMap<ServiceId, ServiceSettings> {
    if section.names().len() > SERVICES_MAX {
        let what = format!("there are more than {SERVICES_MAX} services");
        findings.error(&section.path, section.span_of(""), what, "remove some of them");
    }
    read_entries(section, findings, |id: &ServiceId, entry, findings| {
        entry.check_names(&entry_field::names(SERVICE_FIELDS), findings);
        entry.require("kind", "write how it is checked, such as kind = \"http\"", findings);
        let kind = entry.word("kind", ServiceKind::WORDS, findings)?;
        let label = read_label(entry, id.as_str(), findings);
        let service = ServiceSettings {
            label,
            kind,
            address: read_address(entry, kind, gateway_port, findings)?,
            credential: entry.id("credential", "key", findings),
            required: entry.boolean("required", findings).unwrap_or_default(),
            enabled: entry.boolean("enabled", findings).unwrap_or(true),
            network: read_network(entry, findings),
            http: read_expectation(entry, findings),
            scopes: read_names(entry, &SCOPES, findings),
            objective: read_objective(entry, findings),
        };
        if let Some((field, what)) = service.misplaced_field() {
            let hint = "remove it, or choose another kind";
            entry.report_error(field, what, hint, None, findings);
        }
        Some(service)
    })
}

fn read_address(
    entry: &SectionReader,
    kind: ServiceKind,
    gateway_port: u16,
    findings: &mut Findings,
) -> Option<ServiceAddress> {
    let text = match (entry.item("address"), kind) {
        (None, ServiceKind::Github) => GITHUB_API,
        _ => {
            entry.require("address", "write where it is, such as \"localhost:5432\"", findings);
            entry.text("address", findings)?
        }
    };
    let parsed = ServiceAddress::parse(kind, text, gateway_port);
    parsed
        .map_err(|error| {
            let text = error.to_string();
            let (what, hint) = text.split_once("; ").unwrap_or((&text, "use another address"));
            entry.report_error("address", what, hint, None, findings);
        })
        .ok()
}

fn read_expectation(entry: &SectionReader, findings: &mut Findings) -> HttpExpectation {
    let contains = entry.text("contains", findings).filter(|text| !text.is_empty());
    if contains.is_some_and(|text| text.chars().count() > SERVICE_TEXT_CHARS_MAX) {
        let what = format!("this is longer than {SERVICE_TEXT_CHARS_MAX} characters");
        entry.report_error("contains", what, "a few words are enough", None, findings);
    }
    let header = entry.text("key_header", findings);
    let key_header = header.and_then(parse_key_header);
    if header.is_some() && key_header.is_none() {
        let what = "no key can be sent in a header of this name";
        let hint =
            format!("write a name of up to {KEY_HEADER_CHARS_MAX} letters, such as x-api-key");
        entry.report_error("key_header", what, hint, None, findings);
    }
    HttpExpectation {
        method: entry.word("method", ServiceMethod::WORDS, findings).unwrap_or_default(),
        status: entry.integer("status", &STATUS_RANGE, findings),
        contains: contains.map(str::to_owned),
        key_header,
    }
}

/// Reports keys that are missing, and keys that belong elsewhere.
pub(super) fn check_services(
    services: &SectionReader,
    settings: &Settings,
    findings: &mut Findings,
) {
    for (id, service) in &settings.services {
        let Some(key) = &service.credential else { continue };
        let section = services.section(id.as_str(), &mut Findings::new(""));
        let named = ("credential", None, key.as_str());
        pool::check_key_exists(&section, named, &settings.credentials, findings);
        let Some(known) = settings.credentials.get(key) else { continue };
        if let Some(what) = foreign_use(key, known) {
            let hint = "use a key that was made for this service";
            section.report_error("credential", what, hint, None, findings);
        } else if known.origin.is_some() && known.origin != service.address.origin() {
            let what = "the key is locked to another host and will not be sent here";
            let hint = "enter the key again for this service";
            section.report_warning("credential", what, hint, None, findings);
        }
    }
}

/// What a key is for, if not for services.
fn foreign_use(key: &CredentialId, known: &CredentialSettings) -> Option<String> {
    if AlertChannel::is_credential(key) {
        return Some(format!("{key} is what a channel of alerts sends with"));
    }
    let is_admin = known.billing.is_some();
    is_admin.then(|| format!("{key} is an admin key for cost reports"))
}
