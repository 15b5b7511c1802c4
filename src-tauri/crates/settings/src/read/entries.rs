//! Reads the tables with names chosen by the user: credentials, backends, clients.

use std::collections::{BTreeSet, HashMap};
use std::str::FromStr;

use domain::{
    BackendId, CacheWish, ClientId, CredentialId, Crossing, IdError, Lack, Offer, Origin,
};
use indexmap::IndexMap;
use toml_edit::Value;
use url::Url;

use super::names::{NameList, names};
use super::{limits, pool, scope};
use crate::finding::{Findings, RepairAction};
use crate::section::Section;
use crate::{
    BackendKind, BackendNetwork, BackendSettings, ClientPriority, ClientSettings,
    CredentialSettings, ENTRIES_MAX, LABEL_CHARS_MAX, MOCK_BACKEND_ID, MODEL_CHARS_MAX,
    MODELS_PER_BACKEND_MAX, TokenSha256, corrected_base_url, parse_base_url,
};

/// Characters of a key allowed in the file: enough to tell keys apart, useless to a thief.
const TAIL_CHARS: usize = 4;
const MODELS: NameList = NameList {
    field: "models",
    one: "model",
    example: "gpt-4o",
    entries_max: MODELS_PER_BACKEND_MAX,
    chars_max: MODEL_CHARS_MAX,
    fewer: "leave the list empty to fetch it from the backend",
};
const CREATED_HINT: &str = "write when it was added, such as created = 2026-01-31T09:30:00Z";

/// Fields of a backend, apart from its limits.
const BACKEND_NAMES: [&str; 12] = [
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
];
/// Fields of a client, apart from its limits.
const CLIENT_NAMES: [&str; 8] = [
    "token_sha256",
    "created",
    "expires",
    "cache",
    "priority",
    "allow_models",
    "allow_backends",
    "allow_routes",
];

pub(super) fn read_credentials(
    section: &Section,
    findings: &mut Findings,
) -> IndexMap<CredentialId, CredentialSettings> {
    entries(section, findings, |id: &CredentialId, entry, findings| {
        entry.check_names(&["label", "origin", "tail", "created", "replaced"], findings);
        entry.missing("created", CREATED_HINT, findings);
        let tail = entry.text("tail", findings);
        if tail.is_some_and(|tail| tail.chars().count() > TAIL_CHARS) {
            let what = format!("this holds more than {TAIL_CHARS} characters of a key");
            entry.wrong("tail", what, "keep the last four characters", None, findings);
        }
        let origin = entry.text("origin", findings).map(Origin::from_str);
        if matches!(origin, Some(Err(_))) {
            let hint = "write it like https://api.example.com:443";
            entry.wrong("origin", "this has no scheme or no host", hint, None, findings);
        }
        Some(CredentialSettings {
            label: label(entry, id.as_str(), findings),
            origin: origin.and_then(Result::ok),
            tail: tail.map(str::to_owned),
            replaced: entry.time("replaced", findings),
            created: entry.time("created", findings)?,
        })
    })
}

pub(super) fn read_backends(
    section: &Section,
    gateway_port: u16,
    findings: &mut Findings,
) -> IndexMap<BackendId, BackendSettings> {
    entries(section, findings, |id: &BackendId, entry, findings| {
        entry.check_names(&[&BACKEND_NAMES[..], &limits::NAMES].concat(), findings);
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
            entry.wrong("kind", "the mock is built in and needs no entry", hint, None, findings);
        }
        Some(BackendSettings {
            label: label(entry, id.as_str(), findings),
            kind,
            pool: pool::pool(entry, findings),
            limits: limits::limits(entry, findings),
            enabled: entry.switch("enabled", true, findings),
            models: names(entry, &MODELS, findings),
            lacks: switches(entry, "lacks", Lack::WORDS, kind, findings),
            offers: switches(entry, "offers", Offer::WORDS, kind, findings),
            crossing: entry.word("crossing", Crossing::WORDS, findings).unwrap_or_default(),
            network: match entry.switch("private_network", false, findings) {
                true => BackendNetwork::Private,
                false => BackendNetwork::Public,
            },
            base_url: base_url(entry, gateway_port, findings)?,
        })
    })
}

pub(super) fn read_clients(
    section: &Section,
    findings: &mut Findings,
) -> IndexMap<ClientId, ClientSettings> {
    let mut owners: HashMap<TokenSha256, ClientId> = HashMap::new();
    entries(section, findings, |id: &ClientId, entry, findings| {
        entry.check_names(&[&CLIENT_NAMES[..], &limits::NAMES].concat(), findings);
        entry.missing("created", CREATED_HINT, findings);
        entry.missing("token_sha256", "add the client with `gatehouse clients add`", findings);
        let token = entry.text("token_sha256", findings).map(TokenSha256::from_str);
        if let Some(Err(error)) = &token {
            let what = "this is not the SHA-256 hash of a token";
            entry.wrong("token_sha256", what, error.to_string(), None, findings);
        }
        let token = token.and_then(Result::ok);
        if let Some(owner) = token.and_then(|token| owners.insert(token, id.clone())) {
            let what = format!("this is also the token of {owner}");
            let hint = "give each client its own token with `gatehouse clients add`";
            entry.wrong("token_sha256", what, hint, None, findings);
        }
        Some(ClientSettings {
            limits: limits::limits(entry, findings),
            cache: entry.word("cache", CacheWish::WORDS, findings),
            priority: entry.word("priority", ClientPriority::WORDS, findings).unwrap_or_default(),
            scope: scope::scope(entry, findings),
            expires: entry.time("expires", findings),
            created: entry.time("created", findings)?,
            token_sha256: token?,
        })
    })
}

/// Reads each entry with a valid id; incomplete entries are reported and left out.
pub(super) fn entries<Id, T>(
    section: &Section,
    findings: &mut Findings,
    mut read: impl FnMut(&Id, &Section, &mut Findings) -> Option<T>,
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
                section.wrong(name, "this is not a valid name", id_hint(&error), action, findings);
            }
        }
    }
    all
}

/// The text of [`IdError`], which repeats at most one character.
pub(super) fn id_hint(error: &IdError) -> String {
    match error {
        IdError::Malformed(_) => "choose another name".to_owned(),
        _ => error.to_string(),
    }
}

fn label(entry: &Section, id: &str, findings: &mut Findings) -> String {
    let label = entry.text("label", findings).unwrap_or(id);
    let length = label.chars().count();
    if length > LABEL_CHARS_MAX || label.chars().any(char::is_control) {
        let what = "the label is too long or contains a line break";
        let hint = format!("use at most {LABEL_CHARS_MAX} characters in one line");
        entry.wrong("label", what, hint, None, findings);
    }
    label.to_owned()
}

fn base_url(entry: &Section, gateway_port: u16, findings: &mut Findings) -> Option<Url> {
    entry.missing("base_url", "write it like base_url = \"https://api.example.com/v1\"", findings);
    let text = entry.text("base_url", findings)?;
    let action = || {
        let corrected = corrected_base_url(text, gateway_port)?;
        Some(RepairAction::Set(Value::from(corrected)))
    };
    match parse_base_url(text, gateway_port) {
        Ok(base_url) => {
            if let Some(caution) = base_url.caution {
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
            entry.wrong("base_url", what, hint, action(), findings);
            None
        }
    }
}

/// Deviations of a compatible server. On another kind they are kept with a warning.
fn switches<T: FromStr + Ord>(
    entry: &Section,
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
