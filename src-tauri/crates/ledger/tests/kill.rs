//! `kill -9` at fifty points: answered requests are in the file exactly once.
//!
//! The test starts itself as a child that settles requests and prints each id after its answer. The
//! parent kills it after a number of lines, never after a time, and reopens the same file.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use domain::{
    BackendId, ClientId, Endpoint, Entropy, NanoUsd, RequestId, SeededEntropy, TokenUsage, WallTime,
};
use ledger::{
    AttemptRecord, CommitStatus, Ledger, NewRequest, Purpose, RequestOutcome, RequestState,
    Settlement, UsageBasis,
};
use pricing::Cost;

const KILLS: u64 = 50;
const PATH_VARIABLE: &str = "LEDGER_KILL_TEST_PATH";
const ROUND_VARIABLE: &str = "LEDGER_KILL_TEST_ROUND";
const START_MS: i64 = 1_795_248_000_000;

#[expect(clippy::disallowed_methods, reason = "the parent tells its child what to do")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn settlement(round: u64, number: i64, entropy: &dyn Entropy) -> Settlement {
    let started = WallTime::from_unix_ms(
        START_MS + i64::try_from(round).expect("small") * 1_000_000 + number,
    );
    let backend = BackendId::new("mock").expect("a name");
    let attempt = AttemptRecord {
        duration: Duration::from_millis(3),
        http_status: Some(200),
        cost: Cost::Reported(NanoUsd::new(1)),
        ..AttemptRecord::started(
            Endpoint { backend: backend.clone(), credential: None },
            "mock/echo",
            started,
        )
    };
    let request = NewRequest {
        id: RequestId::generate(started, entropy),
        started,
        client: ClientId::new("child").expect("a name"),
        project: None,
        route: "mock".to_owned(),
        model_asked: "mock/echo".to_owned(),
        dialect: "openai".to_owned(),
        streamed: false,
        purpose: Purpose::User,
    };
    Settlement {
        outcome: RequestOutcome::Complete,
        backend: Some(backend),
        http_status: Some(200),
        usage: Some(TokenUsage { input_uncached: 1, ..TokenUsage::default() }),
        usage_basis: Some(UsageBasis::Reported),
        cost: Cost::Reported(NanoUsd::new(1)),
        bytes_in: 1,
        bytes_out: 1,
        decision: Some(r#"{"route":"mock"}"#.to_owned()),
        attempts: vec![attempt],
        ..Settlement::unfinished(request)
    }
}

/// The child: four requests at a time, for ever.
#[test]
#[ignore = "started by the test that kills it"]
fn child_that_settles_until_it_is_killed() {
    let (Some(path), Some(round)) = (variable(PATH_VARIABLE), variable(ROUND_VARIABLE)) else {
        return;
    };
    let round: u64 = round.parse().expect("a number");
    let ledger = Ledger::open(&PathBuf::from(path)).expect("a ledger");
    let entropy = SeededEntropy::new(round);
    // Printed means committed, however busy the machine is.
    ledger.set_commit_wait(Duration::from_secs(3_600));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime").block_on(async {
        for number in 0.. {
            let four = [0, 1, 2, 3].map(|offset| settlement(round, number * 4 + offset, &entropy));
            let settling = four.map(|ended| {
                ledger.reserve(ended.request.clone()).expect("room");
                let ledger = &ledger;
                async move {
                    let id = ended.request.id;
                    assert_eq!(
                        ledger.settle(ended).await.expect("settled"),
                        CommitStatus::Committed
                    );
                    println!("settled {id}");
                }
            });
            futures_util::future::join_all(settling).await;
        }
    });
}

/// Runs the child, reads `lines` lines, kills it, and returns every id that it printed.
fn printed_until_killed(path: &Path, round: u64, lines: usize) -> Vec<RequestId> {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "child_that_settles_until_it_is_killed", "--ignored", "--nocapture"])
        .env(PATH_VARIABLE, path)
        .env(ROUND_VARIABLE, round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child");
    let output = BufReader::new(child.stdout.take().expect("its output"));
    let mut ids = Vec::new();
    let mut is_killed = false;
    for line in output.lines() {
        // The kill may cut the last line anywhere.
        let line = line.expect("text");
        let id = line.split_once("settled ").and_then(|(_, id)| id.parse::<RequestId>().ok());
        ids.extend(id);
        if ids.len() >= lines && !is_killed {
            child.kill().expect("killed");
            is_killed = true;
        }
    }
    let status = child.wait().expect("a status");
    assert!(!status.success() && is_killed, "the child ended by itself: {status}");
    ids
}

#[test]
fn every_answered_request_survives_fifty_kills_exactly_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.sqlite");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let (mut answered, mut rows_before) = (0_u64, 0_u64);
    for round in 0..KILLS {
        let lines = usize::try_from(1 + round * 37 % 211).expect("small");
        let ids = printed_until_killed(&path, round, lines);
        answered += u64::try_from(ids.len()).expect("small");
        let ledger = Ledger::open(&path).expect("the ledger opens after a kill");
        runtime.block_on(async {
            for id in &ids {
                let (row, attempts) = ledger.request(*id).await.expect("read").expect("the row");
                assert_eq!((row.state, attempts.len()), (RequestState::Complete, 1));
            }
            let from = WallTime::from_unix_ms(START_MS);
            let to = WallTime::from_unix_ms(START_MS + 100_000_000);
            let spend = ledger.spend(from, to).await.expect("read");
            // The sums count each row once: settled ones at one nano-dollar, cut-off ones
            // unpriced.
            assert_eq!(spend.requests, rows(&path));
            assert_eq!(spend.cost.nanos().unsigned_abs(), spend.requests - spend.unpriced_requests);
            assert!(spend.requests >= rows_before + u64::try_from(ids.len()).expect("small"));
            rows_before = spend.requests;
            assert!(ledger.check_integrity().await.expect("checked").is_sound());
        });
    }
    assert!(answered >= KILLS * 50, "{answered} answered");
    println!("{KILLS} kills, {answered} answered requests, 0 lost, {rows_before} rows");
}

fn rows(path: &Path) -> u64 {
    let connection = rusqlite::Connection::open(path).expect("a connection");
    let count = "SELECT count(*) FROM requests WHERE state <> 'reserved'";
    connection.query_row(count, [], |row| row.get::<_, i64>(0)).expect("a count").unsigned_abs()
}
