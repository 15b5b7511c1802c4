//! Tests of the whole crate through its handle, and the sample records they share.

mod durability;
mod journal;
mod opening;
mod records;
mod sums;

use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::{
    BackendId, ClientId, CredentialId, MicroUsd, RequestId, SeededEntropy, TokenUsage, WallTime,
};
use tempfile::TempDir;

use crate::{
    Attempt, CacheOutcome, Cost, Ledger, NewRequest, Outcome, Purpose, Settlement, Timings,
    UsageBasis,
};

/// 2026-11-21T08:00:00Z.
const NOW_MS: i64 = 1_795_248_000_000;

/// A ledger in a folder of its own.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("data").join("ledger.sqlite")
    }

    fn open(&self) -> Ledger {
        Ledger::open(&self.path()).expect("a ledger")
    }

    /// The file that is named after the ledger with this ending.
    fn beside(&self, ending: &str) -> PathBuf {
        crate::database::beside(&self.path(), ending)
    }

    /// The files as a process that is killed now leaves them.
    fn as_if_killed(&self) -> Self {
        let killed = Self::new();
        std::fs::create_dir_all(killed.folder.path().join("data")).expect("a folder");
        for ending in ["", "-wal", ".journal-a", ".journal-b"] {
            std::fs::copy(self.beside(ending), killed.beside(ending)).expect("copied");
        }
        killed
    }

    fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path()).expect("a connection")
    }
}

fn at(ms: i64) -> WallTime {
    WallTime::from_unix_ms(NOW_MS + ms)
}

fn backend(name: &str) -> BackendId {
    BackendId::new(name).expect("a name")
}

/// The `number`th request of a test, a second after the one before.
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

/// The end of [`request`], with every field filled.
pub(crate) fn ended(number: u32) -> Settlement {
    let request = request(number);
    let started = request.started;
    Settlement {
        request,
        ended: WallTime::from_unix_ms(started.unix_ms() + 900),
        outcome: Outcome::Complete,
        backend: Some(backend("home")),
        credential: Some(CredentialId::new("home-key").expect("a name")),
        model_billed: Some("gpt-4.1-2025-04-14".to_owned()),
        http_status: Some(200),
        finish_reason: Some("stop".to_owned()),
        error_class: None,
        usage: Some(TokenUsage {
            input_uncached: 10,
            cache_read: 20,
            cache_write_5m: 30,
            cache_write_1h: 40,
            output_visible: 50,
            reasoning: 60,
        }),
        usage_basis: Some(UsageBasis::Reported),
        usage_raw: Some(r#"{"prompt_tokens":100,"completion_tokens":110}"#.to_owned()),
        cost: Cost::Computed {
            amount: MicroUsd::new(1_234),
            price_id: "openai/gpt-4.1@2026-11-01".to_owned(),
        },
        cache: CacheOutcome::Miss,
        timings: Timings {
            queue: Some(Duration::from_micros(5)),
            first_byte: Some(Duration::from_micros(300_000)),
            first_token: Some(Duration::from_micros(310_000)),
            total: Some(Duration::from_micros(900_000)),
        },
        bytes_in: 700,
        bytes_out: 1_900,
        explanation: Some("home: first in the list and healthy".to_owned()),
        attempts: vec![attempt("away", Some("timeout")), attempt("home", None)],
    }
}

fn attempt(name: &str, error_class: Option<&str>) -> Attempt {
    Attempt {
        backend: backend(name),
        credential: None,
        model: "gpt-4.1".to_owned(),
        started: at(0),
        duration: Duration::from_millis(400),
        error_class: error_class.map(str::to_owned),
        http_status: error_class.is_none().then_some(200),
        message: error_class.map(|class| format!("it was a {class}")),
    }
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
