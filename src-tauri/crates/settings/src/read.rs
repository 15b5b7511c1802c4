//! Parses the file into settings and reports every problem. A result without errors has passed all
//! rules; nothing downstream checks again.

pub(crate) mod budgets;
mod cache;
mod channels;
pub(crate) mod client_target;
mod currency;
mod entries;
mod names;
mod oauth;
pub(crate) mod objective;
pub(crate) mod pins;
mod pool;
mod profiles;
mod resilience;
mod routes;
mod scope;
mod secrets;
pub(crate) mod services;
mod telemetry;

use std::ops::Range;

use toml_edit::Document;

use crate::finding::{Findings, Repair, position};
use crate::section_reader::SectionReader;
use crate::{FileProblem, GatewaySettings, Settings, Severity};

/// Format version that this program writes.
pub(crate) const VERSION: i64 = 1;

pub(crate) struct ParsedSettings {
    /// Valid only if no problem is an error.
    pub(crate) settings: Settings,
    pub(crate) problems: Vec<FileProblem>,
    pub(crate) repairs: Vec<Repair>,
    /// Ranges of values that must not be shown.
    hidden: Vec<Range<usize>>,
}

impl ParsedSettings {
    pub(crate) fn errors(&self) -> usize {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    /// `text` with every secret masked: those with a known pattern and those identified by their
    /// name.
    pub(crate) fn mask_secrets(&self, text: &str) -> String {
        let mut masked = String::new();
        let mut copied = 0;
        for hidden in &self.hidden {
            masked.push_str(text.get(copied..hidden.start).unwrap_or_default());
            masked.push_str("\"…\"");
            copied = hidden.end;
        }
        masked.push_str(text.get(copied..).unwrap_or_default());
        domain::redact(&masked).into_owned()
    }

    /// The result for a text that could not be parsed.
    pub(crate) fn unreadable(problem: FileProblem) -> Self {
        let settings = Settings::default();
        Self { settings, problems: vec![problem], repairs: Vec::new(), hidden: Vec::new() }
    }
}

pub(crate) fn parse(text: &str) -> ParsedSettings {
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => return ParsedSettings::unreadable(syntax_problem(text, &error)),
    };
    let mut findings = Findings::new(text);
    let root = SectionReader::root(document.as_table());
    let settings = if version_is_known(&root, &mut findings) {
        secrets::report_secrets(text, document.as_table(), &mut findings);
        root.check_names(Settings::NAMES, &mut findings);
        read_settings(&root, &mut findings)
    } else {
        Settings::default()
    };
    let Findings { mut problems, repairs, mut hidden, .. } = findings;
    drop_duplicate_problems(&mut problems);
    hidden.sort_by_key(|range| range.start);
    hidden.dedup();
    ParsedSettings { settings, problems, repairs, hidden }
}

/// Does not use the `Display` of [`toml_edit::TomlError`]: it repeats the line, which may hold a
/// key.
fn syntax_problem(text: &str, error: &toml_edit::TomlError) -> FileProblem {
    let (line, column) = position(text, error.span().map_or(0, |span| span.start));
    FileProblem {
        severity: Severity::Error,
        path: String::new(),
        line: Some(line),
        column: Some(column),
        what: format!("this is not valid TOML: {}", error.message().trim()),
        hint: "correct the line; https://toml.io describes the syntax".to_owned(),
        fix: None,
    }
}

/// Rejects a newer file: reading it by our rules could lose settings.
fn version_is_known(root: &SectionReader, findings: &mut Findings) -> bool {
    let newer = root.item("version").and_then(toml_edit::Item::as_integer).filter(|n| *n > VERSION);
    if let Some(version) = newer {
        let what =
            format!("the file has version {version}; this Gatehouse supports version {VERSION}");
        let hint = "update Gatehouse, or move the file away to start with a new one";
        root.report_error("version", what, hint, None, findings);
        return false;
    }
    root.integer::<i64>("version", &(1..=VERSION), findings);
    true
}

/// Drops warnings for a field with an error: a secret under an unknown name is one problem.
fn drop_duplicate_problems(problems: &mut Vec<FileProblem>) {
    let place = |problem: &FileProblem| (problem.path.clone(), problem.line);
    let errors: Vec<_> =
        problems.iter().filter(|problem| problem.severity == Severity::Error).map(place).collect();
    problems.retain(|problem| {
        problem.severity == Severity::Error
            || problem.path.is_empty()
            || !errors.contains(&place(problem))
    });
    problems.sort_by_key(|problem| problem.line.unwrap_or(usize::MAX));
}

fn read_settings(root: &SectionReader, findings: &mut Findings) -> Settings {
    let mut settings = Settings::read_sections(root, findings);
    let [credentials, backends, services, routes, clients, views, pins, budgets, profiles] = [
        "credentials",
        "backends",
        "services",
        "routes",
        "clients",
        "views",
        "pins",
        "budgets",
        "profiles",
    ]
    .map(|name| root.section(name, findings));
    settings.credentials = entries::read_credentials(&credentials, settings.gateway.port, findings);
    settings.backends = entries::read_backends(&backends, settings.gateway.port, findings);
    settings.services = services::read_services(&services, settings.gateway.port, findings);
    settings.routes = routes::read_routes(&routes, findings);
    settings.clients = entries::read_clients(&clients, findings);
    settings.views = entries::read_views(&views, findings);
    settings.pins = pins::read_pins(&pins, findings);
    settings.budgets = budgets::read_budgets(&budgets, findings);
    settings.profiles = profiles::read_profiles(&profiles, findings);
    let section = |name: &str| root.section(name, &mut Findings::new(""));
    check_timeouts(&section("gateway"), &settings.gateway, findings);
    cache::check_cache(&section("cache"), &settings.cache, findings);
    telemetry::check_telemetry(&section("telemetry"), &settings, findings);
    channels::check_mail(&section("mail"), &settings.mail, findings);
    currency::check_currency(&section("currency"), &settings.currency, findings);
    profiles::check_profiles(&section("profile"), &profiles, &settings, findings);
    check_references(&backends, &settings, findings);
    services::check_services(&services, &settings, findings);
    let password = settings.cache.redis_credential.as_ref();
    let is_admin_key = |id| settings.credentials.get(id).is_some_and(|key| key.billing.is_some());
    if password.is_some_and(is_admin_key) {
        let what = "this is an admin key for cost reports, which goes to its provider alone";
        let hint = "name the key that is the server's password";
        section("cache").report_error("redis_credential", what, hint, None, findings);
    }
    if let Some(asked) = section("cache").item("redis_credential").and_then(toml_edit::Item::as_str)
    {
        let named = ("redis_credential", None, asked);
        pool::check_key_exists(&section("cache"), named, &settings.credentials, findings);
    }
    routes::check_routes(&routes, &settings, findings);
    client_target::check_client_targets(&clients, &settings, findings);
    budgets::check_budgets(&budgets, &settings, findings);
    settings
}

/// No warning against the default: a total timeout without the other setting is intended.
fn check_timeouts(section: &SectionReader, gateway: &GatewaySettings, findings: &mut Findings) {
    let is_set = section.item("first_token_timeout_ms").is_some();
    if is_set && gateway.total_timeout_ms < gateway.first_token_timeout_ms {
        let what = "the total timeout is shorter than the first token timeout";
        let hint = "raise total_timeout_ms above first_token_timeout_ms";
        section.report_warning("total_timeout_ms", what, hint, None, findings);
    }
}

/// Reports missing credentials as errors, and credentials for another host as warnings.
fn check_references(backends: &SectionReader, settings: &Settings, findings: &mut Findings) {
    for name in backends.names() {
        let section = backends.section(name, &mut Findings::new(""));
        for named in pool::named_keys(&section) {
            pool::check_key_exists(&section, named, &settings.credentials, findings);
        }
        let Some((_, backend)) = settings.backends.iter().find(|(id, _)| id.as_str() == name)
        else {
            continue;
        };
        let asked = domain::Origin::from_url(&backend.base_url).ok();
        let elsewhere = |key: &&domain::CredentialId| {
            let known = settings.credentials.get(*key);
            known.is_some_and(|known| known.origin.is_some() && known.origin != asked)
        };
        let is_admin_key = |key: &&domain::CredentialId| {
            settings.credentials.get(*key).is_some_and(|known| known.billing.is_some())
        };
        let is_of_channel = |key: &&domain::CredentialId| domain::AlertChannel::is_credential(key);
        let field =
            if section.item("credentials").is_some() { "credentials" } else { "credential" };
        if let Some(key) = backend.pool.credentials().find(is_of_channel) {
            let what = format!("{key} is what a channel of alerts sends with");
            section.report_error(field, what, "use a key of this backend", None, findings);
        }
        if let Some(key) = backend.pool.credentials().find(is_admin_key) {
            let what =
                format!("{key} is an admin key for cost reports and is never sent with requests");
            let hint = "use a key that the provider made for requests";
            section.report_error(field, what, hint, None, findings);
        }
        if let Some(key) = backend.pool.credentials().find(elsewhere) {
            let what = match backend.pool.members.len() {
                1 => "the key is locked to another host and will not be sent here".to_owned(),
                _ => format!("the key {key} is locked to another host and will not be sent here"),
            };
            let (path, span) = (section.path_of(field), section.span_of(field));
            findings.warning(&path, span, what, "enter the key again for this backend");
        }
    }
}
