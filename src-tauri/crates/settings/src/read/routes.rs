//! Reads routes and checks their references. A missing reference is a warning: the rest of the
//! route, and of the file, stays usable.

use std::collections::HashMap;

use domain::{BackendId, CacheMode, ClientId, RouteId, RoutePolicy, TranslationMode};
use indexmap::IndexMap;
use toml_edit::{InlineTable, Item, Value};

use super::entries::read_entries;
use super::names::{NameListRules, read_names};
use super::objective::read_objective;
use crate::finding::{Finding, Findings, RepairAction, closest_word, id_error_hint, quote_value};
use crate::section_reader::SectionReader;
use crate::{
    BALANCE_PERCENT_RANGE, BalanceSettings, MOCK_BACKEND_ID, MODEL_CHARS_MAX, PROJECT_CHARS_MAX,
    ROUTE_CANDIDATES_MAX, ROUTE_MODELS_MAX, ROUTE_SCOPES_MAX, RouteCandidateSettings,
    RouteSettings, STICKY_SECS_DEFAULT, STICKY_SECS_RANGE, Settings, Severity, WEIGHT_RANGE,
};

const NAMES: [&str; 11] = [
    "enabled",
    "models",
    "clients",
    "projects",
    "policy",
    "weights",
    "sticky_secs",
    "crossing",
    "cache",
    "candidates",
    "objective",
];
const CANDIDATES_HINT: &str =
    "write it like candidates = [{ backend = \"openai\", model = \"gpt-4o\" }]";
const MODELS: NameListRules = NameListRules {
    field: "models",
    one: "model",
    example: "claude-*",
    entries_max: ROUTE_MODELS_MAX,
    chars_max: MODEL_CHARS_MAX,
    fewer: "use a pattern with *, or add a second route",
};
const CLIENTS: NameListRules = NameListRules {
    field: "clients",
    one: "client",
    example: "codex",
    entries_max: ROUTE_SCOPES_MAX,
    chars_max: domain::SLUG_CHARS_MAX,
    fewer: "leave the list empty for all clients",
};
const PROJECTS: NameListRules = NameListRules {
    field: "projects",
    one: "project",
    example: "website",
    entries_max: ROUTE_SCOPES_MAX,
    chars_max: PROJECT_CHARS_MAX,
    fewer: "leave the list empty for all projects",
};

pub(super) fn read_routes(
    section: &SectionReader,
    findings: &mut Findings,
) -> IndexMap<RouteId, RouteSettings> {
    read_entries(section, findings, |id: &RouteId, entry, findings| {
        entry.check_names(&NAMES, findings);
        let mut models = read_names(entry, &MODELS, findings);
        if models.is_empty() {
            models.push(id.to_string());
        }
        let policy = entry.word("policy", RoutePolicy::WORDS, findings).unwrap_or_default();
        let sticky = entry.integer("sticky_secs", &STICKY_SECS_RANGE, findings);
        Some(RouteSettings {
            enabled: entry.boolean("enabled", findings).unwrap_or(true),
            models,
            clients: read_route_clients(entry, findings),
            projects: read_names(entry, &PROJECTS, findings),
            policy,
            weights: read_weights(entry, policy, findings),
            sticky_secs: sticky.unwrap_or(STICKY_SECS_DEFAULT),
            crossing: entry.word("crossing", TranslationMode::WORDS, findings),
            cache: entry.word("cache", CacheMode::WORDS, findings),
            candidates: read_candidates(entry, policy, findings),
            objective: read_objective(entry, findings),
        })
    })
}

fn read_route_clients(entry: &SectionReader, findings: &mut Findings) -> Vec<ClientId> {
    let named = read_names(entry, &CLIENTS, findings);
    let ids = named.iter().filter_map(|name| match ClientId::new(name) {
        Ok(id) => Some(id),
        Err(error) => {
            let what = format!("{} is not a valid client name", quote_value(name));
            entry.report_error("clients", what, id_error_hint(&error), None, findings);
            None
        }
    });
    ids.collect()
}

fn read_weights(
    entry: &SectionReader,
    policy: RoutePolicy,
    findings: &mut Findings,
) -> BalanceSettings {
    let section = entry.section("weights", findings);
    section.check_names(&["latency", "cost", "headroom"], findings);
    let fresh = BalanceSettings::default();
    let mut percent =
        |name, default| section.integer(name, &BALANCE_PERCENT_RANGE, findings).unwrap_or(default);
    let weights = BalanceSettings {
        latency: percent("latency", fresh.latency),
        cost: percent("cost", fresh.cost),
        headroom: percent("headroom", fresh.headroom),
    };
    let none = BalanceSettings { latency: 0, cost: 0, headroom: 0 };
    if policy == RoutePolicy::Balanced && weights == none {
        let what = "all weights are 0, so the candidates are used in the order given";
        let (path, span) = (entry.path_of("weights"), entry.span_of("weights"));
        findings.warning(&path, span, what, "set latency, cost or headroom above 0");
    }
    weights
}

fn read_candidates(
    entry: &SectionReader,
    policy: RoutePolicy,
    findings: &mut Findings,
) -> Vec<RouteCandidateSettings> {
    let field = "candidates";
    entry.require(field, CANDIDATES_HINT, findings);
    let sections = candidate_sections(entry, findings);
    if sections.is_empty()
        && entry.item(field).and_then(Item::as_array).is_some_and(|l| l.is_empty())
    {
        entry.report_error(field, "the route has no candidates", CANDIDATES_HINT, None, findings);
    }
    if sections.len() > ROUTE_CANDIDATES_MAX {
        let what =
            format!("{} candidates; at most {ROUTE_CANDIDATES_MAX} are allowed", sections.len());
        entry.report_error(field, what, "remove some of them", None, findings);
    }
    let mut all: Vec<RouteCandidateSettings> = Vec::new();
    for section in &sections {
        let Some(read) = read_candidate(section, findings) else { continue };
        if all.iter().any(|known| (&known.backend, &known.model) == (&read.backend, &read.model)) {
            let what = format!("{} is listed twice with the same model", read.backend);
            findings.warning(&section.path, section.span_of(""), what, "remove one of the two");
        } else {
            all.push(read);
        }
    }
    let by_weight = matches!(policy, RoutePolicy::Weighted | RoutePolicy::Split);
    if by_weight && !all.is_empty() && all.iter().all(|known| known.weight == 0) {
        let what = "every weight is 0, so all candidates are used equally";
        let (path, span) = (entry.path_of(field), entry.span_of(field));
        findings.warning(&path, span, what, "set at least one weight above 0");
    }
    all
}

/// The list's entries, written in brackets or as `[[routes.x.candidates]]`.
fn candidate_sections<'doc>(
    entry: &SectionReader<'doc>,
    findings: &mut Findings,
) -> Vec<SectionReader<'doc>> {
    let field = "candidates";
    let path = entry.path_of(field);
    match entry.item(field) {
        None => Vec::new(),
        Some(Item::ArrayOfTables(tables)) => tables
            .iter()
            .enumerate()
            .map(|(place, table)| SectionReader::list_entry(&path, place, table, table.span()))
            .collect(),
        Some(Item::Value(Value::Array(list))) => list
            .iter()
            .enumerate()
            .filter_map(|(place, value)| match value {
                Value::InlineTable(table) => {
                    Some(SectionReader::list_entry(&path, place, table, value.span()))
                }
                other => {
                    findings.add(plain_candidate_finding(&path, place, other));
                    None
                }
            })
            .collect(),
        Some(_) => {
            let what = "this must be a list of candidates";
            entry.report_error(field, what, CANDIDATES_HINT, None, findings);
            Vec::new()
        }
    }
}

/// Reports a candidate that is a plain name. A `backend` or `backend/model` can be repaired.
fn plain_candidate_finding(path: &[String], place: usize, value: &Value) -> Finding {
    let named = value.as_str().map(|text| match text.split_once('/') {
        Some((backend, model)) => (backend, Some(model)),
        None => (text, None),
    });
    let meant = named.filter(|(backend, _)| BackendId::new(*backend).is_ok());
    let action = meant.map(|(backend, model)| {
        let mut table = InlineTable::new();
        table.insert("backend", backend.into());
        if let Some(model) = model {
            table.insert("model", model.into());
        }
        RepairAction::SetAt { place, field: String::new(), value: table.into() }
    });
    Finding {
        severity: Severity::Error,
        path: path.to_vec(),
        span: value.span(),
        what: "a candidate must be a table".to_owned(),
        hint: CANDIDATES_HINT.to_owned(),
        action,
    }
}

fn read_candidate(
    section: &SectionReader,
    findings: &mut Findings,
) -> Option<RouteCandidateSettings> {
    section.check_names(&["backend", "model", "weight"], findings);
    section.require("backend", CANDIDATES_HINT, findings);
    let weight = section.integer("weight", &WEIGHT_RANGE, findings).unwrap_or(1);
    let model = section.text("model", findings);
    let unfit = |model: &str| {
        let length = model.chars().count();
        length == 0 || length > MODEL_CHARS_MAX || model.chars().any(char::is_control)
    };
    if model.is_some_and(unfit) {
        let what = format!("a model name must be a string of 1 to {MODEL_CHARS_MAX} characters");
        let hint = "write the model's name, or remove `model` to use the requested model";
        section.report_error("model", what, hint, None, findings);
    }
    let backend = BackendId::new(section.text("backend", findings)?);
    if let Err(error) = &backend {
        section.report_error(
            "backend",
            "this is not a valid backend name",
            id_error_hint(error),
            None,
            findings,
        );
    }
    Some(RouteCandidateSettings { backend: backend.ok()?, model: model.map(str::to_owned), weight })
}

/// Checks the routes' references, and reports routes that can never be used.
pub(super) fn check_routes(routes: &SectionReader, settings: &Settings, findings: &mut Findings) {
    let mut owners = HashMap::new();
    for name in routes.names() {
        let silent = &mut Findings::new("");
        let entry = routes.section(name, silent);
        let Ok(id) = RouteId::new(name) else { continue };
        let Some(route) = settings.routes.get(&id) else { continue };
        for section in candidate_sections(&entry, silent) {
            check_backend(&section, settings, findings);
            check_declared_models(&section, route, settings, findings);
        }
        check_clients(&entry, settings, findings);
        check_pinned_models(&entry, route, settings, findings);
        if route.enabled {
            check_duplicate_routes(&entry, &id, route, &mut owners, findings);
        }
    }
}

fn check_backend(section: &SectionReader, settings: &Settings, findings: &mut Findings) {
    let known = || settings.backends.keys().map(BackendId::as_str).chain([MOCK_BACKEND_ID]);
    let Some(asked) = section.item("backend").and_then(Item::as_str) else { return };
    if known().any(|id| id == asked) || BackendId::new(asked).is_err() {
        return;
    }
    let meant = closest_word(asked, known());
    let (what, hint) = match (settings.routes.keys().any(|id| id.as_str() == asked), meant) {
        (true, _) => {
            let what = format!("{} is a route; a candidate must be a backend", quote_value(asked));
            (what, "write the name of a backend".to_owned())
        }
        (false, Some(meant)) => (missing_backend_message(asked), format!("did you mean {meant}?")),
        (false, None) => (
            missing_backend_message(asked),
            "add that backend, or remove this candidate".to_owned(),
        ),
    };
    let action = meant.map(|meant| RepairAction::Set(meant.into()));
    section.report_warning("backend", what, hint, action, findings);
}

fn missing_backend_message(backend: &str) -> String {
    format!("there is no backend named {}, so this candidate is skipped", quote_value(backend))
}

/// Warns if a backend with declared models lacks the requested name.
fn check_declared_models(
    section: &SectionReader,
    route: &RouteSettings,
    settings: &Settings,
    findings: &mut Findings,
) {
    let asked = section.item("backend").and_then(Item::as_str);
    let backend = settings.backends.iter().find(|(id, _)| asked == Some(id.as_str()));
    let Some((id, backend)) = backend.filter(|(_, known)| !known.models.is_empty()) else { return };
    if section.item("model").is_some() {
        return;
    }
    let strange = |name: &&String| !name.contains('*') && !backend.models.contains(name);
    if let Some(name) = route.models.iter().find(strange) {
        let what = format!("{id} has no model {}", quote_value(name));
        let hint = "set the model to use on it, such as model = \"…\"";
        section.report_warning("backend", what, hint, None, findings);
    }
}

fn check_clients(entry: &SectionReader, settings: &Settings, findings: &mut Findings) {
    let known = || settings.clients.keys().map(ClientId::as_str);
    let list = entry.item("clients").and_then(Item::as_array);
    for (place, value) in list.into_iter().flatten().enumerate() {
        let Some(asked) = value.as_str().filter(|asked| ClientId::new(*asked).is_ok()) else {
            continue;
        };
        if known().any(|id| id == asked) {
            continue;
        }
        let meant = closest_word(asked, known());
        findings.add(Finding {
            severity: Severity::Warning,
            path: entry.path_of("clients"),
            span: value.span(),
            what: format!("there is no client named {}", quote_value(asked)),
            hint: meant.map_or_else(
                || "add it with `gatehouse clients add`, or remove it here".to_owned(),
                |meant| format!("did you mean {meant}?"),
            ),
            action: meant.map(|meant| RepairAction::SetAt {
                place,
                field: String::new(),
                value: meant.into(),
            }),
        });
    }
}

/// Warns of `backend/model` names: they always go to that backend, whatever a route defines.
fn check_pinned_models(
    entry: &SectionReader,
    route: &RouteSettings,
    settings: &Settings,
    findings: &mut Findings,
) {
    let is_backend = |name: &str| {
        name == MOCK_BACKEND_ID || settings.backends.keys().any(|id| id.as_str() == name)
    };
    let pinned = |name: &&String| {
        !name.contains('*') && name.split_once('/').is_some_and(|(id, _)| is_backend(id))
    };
    if let Some(name) = route.models.iter().find(pinned) {
        let what = format!(
            "{} always goes to that backend, so this route is never used for it",
            quote_value(name)
        );
        entry.report_warning("models", what, "use another model name", None, findings);
    }
}

/// Model, client and project of a route; `None` matches all.
type RouteAudience<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

/// Warns of a second route for the same name and the same callers, which is never used.
fn check_duplicate_routes<'a>(
    entry: &SectionReader,
    id: &RouteId,
    route: &'a RouteSettings,
    owners: &mut HashMap<RouteAudience<'a>, RouteId>,
    findings: &mut Findings,
) {
    let all = [None];
    let clients: Vec<Option<&str>> = route.clients.iter().map(|id| Some(id.as_str())).collect();
    let projects: Vec<Option<&str>> = route.projects.iter().map(|it| Some(it.as_str())).collect();
    let clients = if clients.is_empty() { &all[..] } else { &clients };
    let projects = if projects.is_empty() { &all[..] } else { &projects };
    let mut taken = None;
    for model in &route.models {
        for client in clients {
            for project in projects {
                let audience = (model.as_str(), *client, *project);
                let owner = owners.entry(audience).or_insert_with(|| id.clone());
                if owner != id {
                    taken = taken.or(Some((model, owner.clone())));
                }
            }
        }
    }
    if let Some((model, owner)) = taken {
        let what = format!(
            "the route {owner} already serves {} for the same clients and projects",
            quote_value(model)
        );
        let hint = "remove the model name from one of the two routes";
        entry.report_warning("models", what, hint, None, findings);
    }
}
