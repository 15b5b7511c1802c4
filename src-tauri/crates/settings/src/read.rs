//! Parses the file into settings and reports every problem. A result without errors has passed all
//! rules; nothing downstream checks again.

mod cache;
mod entries;
mod limits;
mod names;
mod pool;
mod resilience;
mod routes;
mod scope;
mod secrets;

use std::ops::Range;

use domain::VaultKind;
use toml_edit::Document;

use crate::finding::{Findings, Repair, position};
use crate::section_reader::SectionReader;
use crate::{
    AppearanceSettings, FileProblem, GATEWAY_BODY_BYTES_MAX_RANGE,
    GATEWAY_CONNECT_TIMEOUT_MS_RANGE, GATEWAY_FIRST_TOKEN_TIMEOUT_MS_RANGE,
    GATEWAY_IN_FLIGHT_MAX_RANGE, GATEWAY_PORT_RANGE, GATEWAY_QUEUE_MAX_RANGE,
    GATEWAY_QUEUE_WAIT_MS_RANGE, GATEWAY_STALL_TIMEOUT_MS_RANGE, GATEWAY_TOTAL_TIMEOUT_MS_RANGE,
    GatewaySettings, HEALTH_INTERVAL_SECS_RANGE, HealthSettings, LEDGER_COMMIT_WAIT_MS_RANGE,
    LEDGER_RETENTION_DAYS_RANGE, LedgerSettings, NotificationSettings, Settings, Severity, Theme,
    VaultSettings,
};

/// Format version that this program writes.
pub(crate) const VERSION: i64 = 1;

const SECTIONS: [&str; 13] = [
    "version",
    "gateway",
    "vault",
    "health",
    "resilience",
    "cache",
    "notifications",
    "ledger",
    "appearance",
    "credentials",
    "backends",
    "routes",
    "clients",
];

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
        root.check_names(&SECTIONS, &mut findings);
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
    root.integer("version", &(1..=VERSION), VERSION, findings);
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
    let fresh = Settings::default();
    let gateway = read_gateway(&root.section("gateway", findings), findings);
    let only = |section: &str, name: &str, findings: &mut Findings| {
        let section = root.section(section, findings);
        section.check_names(&[name], findings);
        section
    };
    let kind = only("vault", "kind", findings).word("kind", VaultKind::WORDS, findings);
    let theme = only("appearance", "theme", findings).word("theme", Theme::WORDS, findings);
    let name = "enabled";
    let enabled =
        only("notifications", name, findings).boolean(name, fresh.notifications.enabled, findings);
    let (name, range) = ("interval_secs", HEALTH_INTERVAL_SECS_RANGE);
    let health = only("health", name, findings);
    let interval_secs = health.integer(name, &range, fresh.health.interval_secs, findings);
    let ledger = read_ledger(&root.section("ledger", findings), findings);
    let backends = root.section("backends", findings);
    let (routes, cached) = (root.section("routes", findings), root.section("cache", findings));
    let settings = Settings {
        vault: VaultSettings { kind: kind.unwrap_or_default() },
        health: HealthSettings { interval_secs },
        notifications: NotificationSettings { enabled },
        ledger,
        appearance: AppearanceSettings { theme: theme.unwrap_or_default() },
        credentials: entries::read_credentials(&root.section("credentials", findings), findings),
        resilience: resilience::read_resilience(&root.section("resilience", findings), findings),
        cache: cache::read_cache(&cached, findings),
        routes: routes::read_routes(&routes, findings),
        backends: entries::read_backends(&backends, gateway.port, findings),
        clients: entries::read_clients(&root.section("clients", findings), findings),
        gateway,
    };
    check_references(&backends, &settings, findings);
    if let Some(asked) = cached.item("redis_credential").and_then(toml_edit::Item::as_str) {
        let named = ("redis_credential", None, asked);
        pool::check_key_exists(&cached, named, &settings.credentials, findings);
    }
    routes::check_routes(&routes, &settings, findings);
    settings
}

fn read_ledger(section: &SectionReader, findings: &mut Findings) -> LedgerSettings {
    let fresh = LedgerSettings::default();
    section.check_names(&["retention_days", "commit_wait_ms"], findings);
    let (days, waits) = (LEDGER_RETENTION_DAYS_RANGE, LEDGER_COMMIT_WAIT_MS_RANGE);
    LedgerSettings {
        retention_days: section.integer("retention_days", &days, fresh.retention_days, findings),
        commit_wait_ms: section.integer("commit_wait_ms", &waits, fresh.commit_wait_ms, findings),
    }
}

fn read_gateway(section: &SectionReader, findings: &mut Findings) -> GatewaySettings {
    section.check_names(
        &[
            "port",
            "body_bytes_max",
            "in_flight_max",
            "queue_max",
            "queue_wait_ms",
            "connect_timeout_ms",
            "first_token_timeout_ms",
            "stall_timeout_ms",
            "total_timeout_ms",
        ],
        findings,
    );
    let fresh = GatewaySettings::default();
    let mut ms = |name: &str, range, default| section.integer(name, &range, default, findings);
    let queue_wait = ms("queue_wait_ms", GATEWAY_QUEUE_WAIT_MS_RANGE, fresh.queue_wait_ms);
    let connect =
        ms("connect_timeout_ms", GATEWAY_CONNECT_TIMEOUT_MS_RANGE, fresh.connect_timeout_ms);
    let first_token = ms(
        "first_token_timeout_ms",
        GATEWAY_FIRST_TOKEN_TIMEOUT_MS_RANGE,
        fresh.first_token_timeout_ms,
    );
    let stall = ms("stall_timeout_ms", GATEWAY_STALL_TIMEOUT_MS_RANGE, fresh.stall_timeout_ms);
    let total = ms("total_timeout_ms", GATEWAY_TOTAL_TIMEOUT_MS_RANGE, fresh.total_timeout_ms);
    // No warning against the default: a total timeout without the other setting is intended.
    if total < first_token && section.item("first_token_timeout_ms").is_some() {
        let path = section.path_of("total_timeout_ms");
        let what = "the total timeout is shorter than the first token timeout";
        let hint = "raise total_timeout_ms above first_token_timeout_ms";
        findings.warning(&path, section.span_of("total_timeout_ms"), what, hint);
    }
    let port = section.integer("port", &GATEWAY_PORT_RANGE, fresh.port, findings);
    let (body, in_flight) = (fresh.body_bytes_max, fresh.in_flight_max);
    GatewaySettings {
        port,
        body_bytes_max: section.integer(
            "body_bytes_max",
            &GATEWAY_BODY_BYTES_MAX_RANGE,
            body,
            findings,
        ),
        in_flight_max: section.integer(
            "in_flight_max",
            &GATEWAY_IN_FLIGHT_MAX_RANGE,
            in_flight,
            findings,
        ),
        queue_max: section.integer(
            "queue_max",
            &GATEWAY_QUEUE_MAX_RANGE,
            fresh.queue_max,
            findings,
        ),
        queue_wait_ms: queue_wait,
        connect_timeout_ms: connect,
        first_token_timeout_ms: first_token,
        stall_timeout_ms: stall,
        total_timeout_ms: total,
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
        if let Some(key) = backend.pool.credentials().find(elsewhere) {
            let what = match backend.pool.members.len() {
                1 => "the key is locked to another host and will not be sent here".to_owned(),
                _ => format!("the key {key} is locked to another host and will not be sent here"),
            };
            let field =
                if section.item("credentials").is_some() { "credentials" } else { "credential" };
            let (path, span) = (section.path_of(field), section.span_of(field));
            findings.warning(&path, span, what, "enter the key again for this backend");
        }
    }
}
