//! Reads the tables with names chosen by the user: credentials, backends, clients.

use std::collections::{BTreeSet, HashMap};
use std::str::FromStr;

use domain::{
    BackendId, BillingProvider, CacheMode, ClientId, CredentialId, ExtraDialect, IdError, Origin,
    TranslationMode, UnsupportedFeature, ViewId,
};
use indexmap::IndexMap;
use toml_edit::Value;
use url::Url;

use super::names::{NameListRules, read_names};
use super::oauth::{OAUTH_NAMES, read_oauth};
use super::objective::read_backend_objective;
use super::{client_target, pool, scope};
use crate::base_url::correct_base_url;
use crate::finding::{Findings, RepairAction, id_error_hint};
use crate::section_reader::SectionReader;
use crate::setting::Rows as _;
use crate::{
    AllowedNetwork, BackendKind, BackendSettings, ClientPriority, ClientSettings,
    CredentialSettings, ENTRIES_MAX, KEY_NOTE_CHARS_MAX, LABEL_CHARS_MAX, MOCK_BACKEND_ID,
    MODEL_CHARS_MAX, MODELS_PER_BACKEND_MAX, TokenSha256, TrafficLimits, VIEW_QUERY_CHARS_MAX,
    VIEWS_MAX, ViewSettings, parse_base_url,
};

/// Characters of a key allowed in the file: enough to tell keys apart, useless to a thief.
const TAIL_CHARS: usize = 4;
const MODELS: NameListRules = NameListRules {
    field: "models",
    one: "model",
    example: "gpt-4o",
    entries_max: MODELS_PER_BACKEND_MAX,
    chars_max: MODEL_CHARS_MAX,
    fewer: "leave the list empty to fetch it from the backend",
};
const CREATED_HINT: &str = "write when it was added, such as created = 2026-01-31T09:30:00Z";

/// Fields of a backend, apart from its limits.
const BACKEND_NAMES: [&str; 13] = [
    "label",
    "kind",
    "base_url",
    "credential",
    "credentials",
    "pool",
    "enabled",
    "models",
    "lacks",
    "offers",
    "crossing",
    "private_network",
    "objective",
];
/// Fields of a client, apart from its limits.
const CLIENT_NAMES: [&str; 14] = [
    "token_sha256",
    "created",
    "expires",
    "cache",
    "priority",
    "allow_models",
    "allow_backends",
    "allow_routes",
    "backend",
    "route",
    "blocked",
    "mcp",
    "reads_metrics",
    "project",
];

pub(super) fn read_credentials(
    section: &SectionReader,
    gateway_port: u16,
    findings: &mut Findings,
) -> IndexMap<CredentialId, CredentialSettings> {
    read_entries(section, findings, |id: &CredentialId, entry, findings| {
        let names =
            ["label", "origin", "tail", "created", "replaced", "expires", "note", "billing"];
        entry.check_names(&[&names[..], &OAUTH_NAMES[..]].concat(), findings);
        entry.require("created", CREATED_HINT, findings);
        let tail = entry.text("tail", findings);
        if tail.is_some_and(|tail| tail.chars().count() > TAIL_CHARS) {
            let what = format!("this holds more than {TAIL_CHARS} characters of a key");
            entry.report_error("tail", what, "keep the last four characters", None, findings);
        }
        let origin = entry.text("origin", findings).map(Origin::from_str);
        if matches!(origin, Some(Err(_))) {
            let hint = "write it like https://api.example.com:443";
            entry.report_error("origin", "this has no scheme or no host", hint, None, findings);
        }
        Some(CredentialSettings {
            label: read_label(entry, id.as_str(), findings),
            origin: origin.and_then(Result::ok),
            tail: tail.map(str::to_owned),
            replaced: entry.time("replaced", findings),
            expires: entry.time("expires", findings),
            note: read_note(entry, findings),
            created: entry.time("created", findings)?,
            billing: entry.word("billing", BillingProvider::WORDS, findings),
            oauth: read_oauth(entry, gateway_port, findings),
        })
    })
}

fn read_note(entry: &SectionReader, findings: &mut Findings) -> Option<String> {
    let note = entry.text("note", findings)?;
    if note.chars().count() > KEY_NOTE_CHARS_MAX {
        let hint = format!("use at most {KEY_NOTE_CHARS_MAX} characters");
        entry.report_error("note", "the note is too long", hint, None, findings);
    }
    Some(note.to_owned())
}

pub(super) fn read_views(
    section: &SectionReader,
    findings: &mut Findings,
) -> IndexMap<ViewId, ViewSettings> {
    if section.names().len() > VIEWS_MAX {
        let what = format!("there are more than {VIEWS_MAX} saved views");
        findings.error(&section.path, section.span_of(""), what, "remove some of them");
    }
    read_entries(section, findings, |_: &ViewId, entry, findings| {
        entry.check_names(&["query"], findings);
        let hint = "write its filters, such as query = \"client=editor&http_status=5xx\"";
        entry.require("query", hint, findings);
        let query = entry.text("query", findings)?.to_owned();
        if query.chars().count() > VIEW_QUERY_CHARS_MAX {
            let what = format!("this is longer than {VIEW_QUERY_CHARS_MAX} characters");
            entry.report_error("query", what, "use fewer filters", None, findings);
        }
        Some(ViewSettings { query })
    })
}

pub(super) fn read_backends(
    section: &SectionReader,
    gateway_port: u16,
    findings: &mut Findings,
) -> IndexMap<BackendId, BackendSettings> {
    read_entries(section, findings, |id: &BackendId, entry, findings| {
        check_names(entry, &BACKEND_NAMES, findings);
        if id.as_str() == MOCK_BACKEND_ID {
            let what = "the name of the built-in mock cannot be used";
            findings.error(&entry.path, entry.span_of(""), what, "choose another name");
        }
        let mock = BackendKind::Mock.word();
        let words: Vec<&str> =
            BackendKind::WORDS.iter().copied().filter(|word| *word != mock).collect();
        let kind = entry.word("kind", &words, findings).unwrap_or(BackendKind::OpenAiCompatible);
        if kind == BackendKind::Mock {
            let hint = format!("use one of: {}", words.join(", "));
            entry.report_error(
                "kind",
                "the mock is built in and needs no entry",
                hint,
                None,
                findings,
            );
        }
        Some(BackendSettings {
            label: read_label(entry, id.as_str(), findings),
            kind,
            pool: pool::read_pool(entry, findings),
            limits: read_limits(entry, findings),
            objective: read_backend_objective(entry, findings),
            enabled: entry.boolean("enabled", findings).unwrap_or(true),
            models: read_names(entry, &MODELS, findings),
            lacks: read_features(entry, "lacks", UnsupportedFeature::WORDS, kind, findings),
            offers: read_features(entry, "offers", ExtraDialect::WORDS, kind, findings),
            crossing: entry.word("crossing", TranslationMode::WORDS, findings).unwrap_or_default(),
            network: read_network(entry, findings),
            base_url: read_base_url(entry, gateway_port, findings)?,
        })
    })
}

pub(super) fn read_clients(
    section: &SectionReader,
    findings: &mut Findings,
) -> IndexMap<ClientId, ClientSettings> {
    let mut owners: HashMap<TokenSha256, ClientId> = HashMap::new();
    read_entries(section, findings, |id: &ClientId, entry, findings| {
        check_names(entry, &CLIENT_NAMES, findings);
        entry.require("created", CREATED_HINT, findings);
        entry.require("token_sha256", "add the client with `gatehouse clients add`", findings);
        let token = entry.text("token_sha256", findings).map(TokenSha256::from_str);
        if let Some(Err(error)) = &token {
            let what = "this is not the SHA-256 hash of a token";
            entry.report_error("token_sha256", what, error.to_string(), None, findings);
        }
        let token = token.and_then(Result::ok);
        if let Some(owner) = token.and_then(|token| owners.insert(token, id.clone())) {
            let what = format!("this is also the token of {owner}");
            let hint = "give each client its own token with `gatehouse clients add`";
            entry.report_error("token_sha256", what, hint, None, findings);
        }
        Some(ClientSettings {
            limits: read_limits(entry, findings),
            cache: entry.word("cache", CacheMode::WORDS, findings),
            priority: entry.word("priority", ClientPriority::WORDS, findings).unwrap_or_default(),
            scope: scope::read_scope(entry, findings),
            switched_to: client_target::read_client_target(entry, findings),
            blocked: entry.boolean("blocked", findings).unwrap_or_default(),
            mcp: entry.boolean("mcp", findings).unwrap_or_default(),
            reads_metrics: entry.boolean("reads_metrics", findings).unwrap_or_default(),
            project: client_target::read_project(entry, findings),
            expires: entry.time("expires", findings),
            created: entry.time("created", findings)?,
            token_sha256: token?,
        })
    })
}

/// Checks the names of an entry with limits.
fn check_names(entry: &SectionReader, own: &[&'static str], findings: &mut Findings) {
    let known: Vec<&str> = own.iter().copied().chain(TrafficLimits::names()).collect();
    entry.check_names(&known, findings);
}

fn read_limits(entry: &SectionReader, findings: &mut Findings) -> TrafficLimits {
    let mut limits = TrafficLimits::default();
    limits.read_rows(entry, findings);
    limits
}

/// Reads each entry with a valid id; incomplete entries are reported and left out.
pub(super) fn read_entries<Id, T>(
    section: &SectionReader,
    findings: &mut Findings,
    mut read: impl FnMut(&Id, &SectionReader, &mut Findings) -> Option<T>,
) -> IndexMap<Id, T>
where
    Id: FromStr<Err = IdError> + std::hash::Hash + Eq,
{
    let names = section.names();
    if names.len() > ENTRIES_MAX {
        let what = format!("there are {} entries; at most {ENTRIES_MAX} are allowed", names.len());
        findings.error(&section.path, section.span_of(""), what, "remove some of them");
    }
    let mut all = IndexMap::new();
    for name in names {
        match Id::from_str(name) {
            Ok(id) => {
                let entry = section.section(name, findings);
                if entry.is_present() {
                    all.extend(read(&id, &entry, findings).map(|value| (id, value)));
                }
            }
            Err(error) => {
                let meant: String = name.trim().to_lowercase().replace([' ', '/'], "-");
                let free = Id::from_str(&meant).is_ok() && section.item(&meant).is_none();
                let action = free.then_some(RepairAction::Rename(meant));
                section.report_error(
                    name,
                    "this is not a valid name",
                    id_error_hint(&error),
                    action,
                    findings,
                );
            }
        }
    }
    all
}

pub(super) fn read_network(entry: &SectionReader, findings: &mut Findings) -> AllowedNetwork {
    AllowedNetwork::of_setting(entry.boolean("private_network", findings).unwrap_or_default())
}

pub(super) fn read_label(entry: &SectionReader, id: &str, findings: &mut Findings) -> String {
    let label = entry.text("label", findings).unwrap_or(id);
    let length = label.chars().count();
    if length > LABEL_CHARS_MAX || label.chars().any(char::is_control) {
        let what = "the label is too long or contains a line break";
        let hint = format!("use at most {LABEL_CHARS_MAX} characters in one line");
        entry.report_error("label", what, hint, None, findings);
    }
    label.to_owned()
}

fn read_base_url(entry: &SectionReader, gateway_port: u16, findings: &mut Findings) -> Option<Url> {
    entry.require("base_url", "write it like base_url = \"https://api.example.com/v1\"", findings);
    let text = entry.text("base_url", findings)?;
    let action = || {
        let corrected = correct_base_url(text, gateway_port)?;
        Some(RepairAction::Set(Value::from(corrected)))
    };
    match parse_base_url(text, gateway_port) {
        Ok(base_url) => {
            if let Some(caution) = base_url.warning {
                let hint = "use https:// and the base URL if possible";
                let path = entry.path_of("base_url");
                findings.add(crate::finding::Finding {
                    severity: crate::Severity::Warning,
                    path,
                    span: entry.span_of("base_url"),
                    what: caution.to_string(),
                    hint: hint.to_owned(),
                    action: action(),
                });
            }
            Some(base_url.url)
        }
        Err(error) => {
            let text = error.to_string();
            let (what, hint) = text.split_once("; ").unwrap_or((&text, "use another address"));
            entry.report_error("base_url", what, hint, action(), findings);
            None
        }
    }
}

/// Deviations of a compatible server. On another kind they are kept with a warning.
fn read_features<T: FromStr + Ord>(
    entry: &SectionReader,
    name: &str,
    words: &[&str],
    kind: BackendKind,
    findings: &mut Findings,
) -> BTreeSet<T> {
    let switches = entry.words(name, words, findings);
    if !switches.is_empty() && kind != BackendKind::OpenAiCompatible {
        let what = format!("this has no effect on backends of kind {kind}");
        let hint = format!("remove it, or write kind = \"{}\"", BackendKind::OpenAiCompatible);
        findings.warning(&entry.path_of(name), entry.span_of(name), what, hint);
    }
    switches
}
