//! Tests of the whole crate through [`LedgerCommand`], and their shared sample records.

mod alerts;
mod attempt_costs;
mod attempts;
mod audit;
mod backlog;
mod billed;
mod cost_bases;
mod devices;
mod durability;
mod endpoints;
mod journal;
mod key_verdicts;
mod merges;
mod opening;
mod price_changes;
mod recent_minutes;
mod records;
mod recovery;
mod request_costs;
mod rollups;
mod route_counts;
mod service_levels;
mod sessions;
mod stated_costs;
mod unpriced_models;
mod usage;

use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::{
    BackendId, ClientId, CredentialId, Endpoint, NanoUsd, RequestId, SeededEntropy, TokenUsage,
    WallTime,
};
use pricing::Cost;
use tempfile::TempDir;

use crate::{
    AttemptRecord, CacheOutcome, Ledger, NewRequest, Purpose, RequestOutcome, Settlement, Timings,
    UsageBasis,
};

/// 2026-11-21T08:00:00Z.
const NOW_MS: i64 = 1_795_248_000_000;

struct LedgerFixture {
    folder: TempDir,
}

impl LedgerFixture {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("data").join("ledger.sqlite")
    }

    fn open(&self) -> Ledger {
        Ledger::open(&self.path()).expect("a ledger")
    }

    /// The file with this suffix after the ledger's name.
    fn beside(&self, ending: &str) -> PathBuf {
        sqlite_file::with_suffix(&self.path(), ending)
    }

    /// A copy of the files as a process killed now would leave them.
    fn as_if_killed(&self) -> Self {
        let killed = Self::new();
        std::fs::create_dir_all(killed.folder.path().join("data")).expect("a folder");
        for ending in ["", "-wal"] {
            std::fs::copy(self.beside(ending), killed.beside(ending)).expect("copied");
        }
        killed
    }

    fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path()).expect("a connection")
    }

    /// How SQLite would run a statement.
    fn query_plan(&self, sql: &str, parameters: &[&dyn rusqlite::ToSql]) -> String {
        let connection = self.raw();
        let mut statement =
            connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a statement");
        let lines = statement.query_map(parameters, |row| row.get::<_, String>(3)).expect("rows");
        lines.collect::<Result<Vec<_>, _>>().expect("lines").join("; ")
    }
}

fn at(ms: i64) -> WallTime {
    WallTime::from_unix_ms(NOW_MS + ms)
}

fn backend(name: &str) -> BackendId {
    BackendId::new(name).expect("a name")
}

/// Request `number` of a test, a second after the previous one.
pub(crate) fn request(number: u32) -> NewRequest {
    let started = at(i64::from(number) * 1_000);
    NewRequest {
        id: RequestId::generate(started, &SeededEntropy::new(u64::from(number))),
        started,
        client: ClientId::new("editor").expect("a name"),
        project: Some("website".to_owned()),
        route: "fast".to_owned(),
        model_asked: "fast".to_owned(),
        dialect: "openai".to_owned(),
        streamed: true,
        purpose: Purpose::User,
    }
}

/// The settlement of [`request`], with every field set.
pub(crate) fn settlement(number: u32) -> Settlement {
    let request = request(number);
    let started = request.started;
    let attempts = vec![attempt("away", Some("timeout")), answered_attempt()];
    Settlement {
        request,
        ended: started.plus_ms(900),
        outcome: RequestOutcome::Complete,
        backend: Some(backend("home")),
        credential: Some(CredentialId::new("home-key").expect("a name")),
        model_billed: Some("gpt-4.1-2025-04-14".to_owned()),
        http_status: Some(200),
        finish_reason: Some("stop".to_owned()),
        error_class: None,
        error_message: None,
        usage: answered_attempt().usage,
        usage_basis: Some(UsageBasis::Reported),
        usage_raw: Some(r#"{"prompt_tokens":100,"completion_tokens":110}"#.to_owned()),
        cost: Cost::total(attempts.iter().map(|attempt| &attempt.cost)),
        cache: CacheOutcome::Miss,
        cache_reason: Some("first-seen".to_owned()),
        saved: None,
        saved_time: None,
        timings: Timings {
            queue: Some(Duration::from_micros(5)),
            first_byte: Some(Duration::from_micros(300_000)),
            first_token: Some(Duration::from_micros(310_000)),
            total: Some(Duration::from_micros(900_000)),
        },
        bytes_in: 700,
        bytes_out: 1_900,
        explanation: Some("home: first in the list and healthy".to_owned()),
        decision: Some(r#"{"route":"fast","policy":"ordered"}"#.to_owned()),
        attempts,
    }
}

/// The attempt that answered [`settlement`], with every field of an answer set.
fn answered_attempt() -> AttemptRecord {
    AttemptRecord {
        waited: Duration::from_millis(250),
        usage: Some(TokenUsage {
            input_uncached: 10,
            cache_read: 20,
            cache_write_5m: 30,
            cache_write_1h: 40,
            output_visible: 50,
            reasoning: 60,
        }),
        cost: Cost::Computed {
            amount: NanoUsd::new(1_000_000),
            price_id: "openai/gpt-4.1@2026-11-01".to_owned(),
        },
        ..attempt("home", None)
    }
}

/// A free successful attempt at `name`, or a failed one that cost 234 micro-dollars.
fn attempt(name: &str, error_class: Option<&str>) -> AttemptRecord {
    let endpoint = Endpoint { backend: backend(name), credential: None };
    let begun = AttemptRecord {
        duration: Duration::from_millis(400),
        ..AttemptRecord::started(endpoint, "gpt-4.1", at(0))
    };
    let Some(class) = error_class else {
        return AttemptRecord { http_status: Some(200), cost: Cost::NotBilled, ..begun };
    };
    AttemptRecord {
        error_class: Some(class.to_owned()),
        class: Some("first-token-timeout".to_owned()),
        owner: Some("endpoint".to_owned()),
        message: Some(format!("it was a {class}")),
        cost: Cost::Reported(NanoUsd::new(234_000)),
        ..begun
    }
}

/// Statements that make a file of this version one of version 36, but for the number.
fn back_to_version_36() -> String {
    let tables = ["rollup_quarter", "rollup_hour", "rollup_day", "rollup_cross"];
    format!(
        "{} DROP TABLE service_health_log; DROP TABLE session_unmatched;
         ALTER TABLE audit_log DROP COLUMN client; ALTER TABLE audit_log DROP COLUMN confirmed;",
        tables.map(without_bases).concat()
    )
}

fn without_bases(table: &str) -> String {
    let columns = crate::costs::cost_bases::BASES.iter().flat_map(|own| own.columns());
    let columns = columns.chain(["unbilled_requests"]);
    columns.map(|column| format!("ALTER TABLE {table} DROP COLUMN {column};")).collect()
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.expect("an entry").file_name().to_string_lossy().into_owned()
    };
    let mut names: Vec<_> = entries.map(name).collect();
    names.sort();
    names
}
