//! New, old, newer, foreign and damaged files.

use std::fs;

use domain::NanoUsd;
use pricing::Cost;

use super::{LedgerFixture, files, request, settlement};
use crate::file::database;
use crate::{
    BacklogReason, CommitStatus, Ledger, LedgerError, LedgerLimits, LedgerState, RequestState,
    schema_version,
};

#[tokio::test]
async fn a_new_ledger_is_private_and_sound() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    ledger.settle(settlement(1)).await.expect("settled");
    assert!(ledger.check_integrity().await.expect("checked").is_sound());
    assert!(ledger.size_bytes() > 4_096);
    let copy = place.folder.path().join("copy.sqlite");
    ledger.backup(copy.clone()).await.expect("copied");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &std::path::Path| {
            fs::metadata(path).expect("a file").permissions().mode() & 0o777
        };
        let folder = place.folder.path().join("data");
        assert_eq!(mode(&folder), 0o700);
        for name in files(&folder) {
            assert_eq!(mode(&folder.join(&name)), 0o600, "{name}");
        }
        assert_eq!(files(&folder).len(), 3, "the file, its log and its index");
        assert_eq!(mode(&copy), 0o600);
    }
    assert!(matches!(ledger.backup(copy.clone()).await, Err(LedgerError::File { .. })));
    drop(ledger);
    let copied = Ledger::open(&copy).expect("a copy");
    assert!(copied.request(request(1).id).await.expect("read").is_some());
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_read_is_made_private() {
    use std::os::unix::fs::PermissionsExt;
    let place = LedgerFixture::new();
    drop(place.open());
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o644)).expect("changed");
    drop(place.open());
    let mode = fs::metadata(place.path()).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn the_schema_is_a_contract() {
    let place = LedgerFixture::new();
    drop(place.open());
    let connection = place.raw();
    let mut statement = connection
        .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type DESC, name")
        .expect("a statement");
    let lines = statement.query_map([], |row| row.get::<_, String>(0)).expect("rows");
    let schema = lines.collect::<Result<Vec<_>, _>>().expect("text").join(";\n");
    insta::assert_snapshot!(schema);
    let strict: i64 = connection
        .query_row("SELECT min(strict) FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite%'", [], |row| row.get(0))
        .expect("a value");
    assert_eq!(strict, 1);
}

#[test]
fn a_newer_file_is_refused_and_not_touched() {
    let place = LedgerFixture::new();
    drop(place.open());
    let newer = schema_version() + 2;
    place.raw().pragma_update(None, "user_version", newer).expect("changed");
    let before = (fs::read(place.path()).expect("bytes"), files(&place.folder.path().join("data")));
    let refused = Ledger::open(&place.path()).expect_err("refused");
    assert!(
        matches!(refused, LedgerError::NewerSchema { found, known } if found == newer && known == newer - 2),
        "{refused:?}"
    );
    let after = (fs::read(place.path()).expect("bytes"), files(&place.folder.path().join("data")));
    assert!(before == after);
}

#[test]
fn damaged_and_foreign_files_are_refused_and_not_touched() {
    let place = LedgerFixture::new();
    fs::create_dir_all(place.folder.path().join("data")).expect("a folder");
    let check = |content: &[u8]| {
        fs::File::create(place.path())
            .and_then(|mut file| std::io::Write::write_all(&mut file, content))
            .expect("written");
        let refused = Ledger::open(&place.path()).expect_err("refused");
        assert!(matches!(refused, LedgerError::Corrupt { .. }), "{refused:?}");
        assert_eq!(fs::read(place.path()).expect("bytes"), content);
    };
    check(&b"this is no database at all, not even nearly ".repeat(200));
    let other = place.folder.path().join("other.sqlite");
    rusqlite::Connection::open(&other)
        .and_then(|other| other.execute_batch("CREATE TABLE theirs (x)"))
        .expect("another program's file");
    check(&fs::read(other).expect("bytes"));
}

#[tokio::test]
async fn a_damaged_page_is_found_and_named() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    for number in 0..200 {
        ledger.settle(settlement(number)).await.expect("settled");
    }
    drop(ledger);
    let mut bytes = fs::read(place.path()).expect("bytes");
    let root: u32 = place
        .raw()
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'requests'", [], |row| {
            row.get(0)
        })
        .expect("a page");
    let root = usize::try_from(root).expect("small");
    bytes[(root - 1) * 4_096..root * 4_096].fill(0xa5);
    fs::File::create(place.path())
        .and_then(|mut file| std::io::Write::write_all(&mut file, &bytes))
        .expect("written");
    let ledger = place.open();
    let read = ledger.request(request(3).id).await;
    assert!(matches!(read, Err(LedgerError::Corrupt { .. })), "{read:?}");
    // Unwritable records are kept, and new requests are refused with the reason.
    assert_eq!(ledger.settle(settlement(900)).await.expect("queued"), CommitStatus::Queued);
    let LedgerState::Refusing(backlog) = ledger.state() else { panic!("{:?}", ledger.state()) };
    assert_eq!((backlog.reason, backlog.records), (BacklogReason::Damaged, 1));
    assert!(matches!(ledger.reserve(request(901)), Err(LedgerError::Corrupt { .. })));
    assert!(!ledger.check_integrity().await.expect("checked").is_sound());
}

#[tokio::test]
async fn an_older_file_is_copied_then_upgraded() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    ledger.settle(settlement(1)).await.expect("settled");
    drop(ledger);
    let known = schema_version();
    let mut steps = database::MIGRATIONS.to_vec();
    steps.push("ALTER TABLE requests ADD COLUMN tint TEXT");
    let upgrade = || database::open(&place.path(), LedgerLimits::default(), &steps);
    let version = |connection: &rusqlite::Connection| -> u32 {
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).expect("a version")
    };
    let connection = upgrade().expect("upgraded");
    assert_eq!(version(&connection), known + 1);
    let rows = "SELECT count(*) FROM requests WHERE tint IS NULL";
    assert_eq!(connection.query_row(rows, [], |row| row.get(0)), Ok(1));
    drop(connection);
    let name = format!("ledger.sqlite.bak-v{known}");
    let copy = place.folder.path().join("data").join(name);
    let modified = fs::metadata(&copy).expect("a copy").modified().expect("a time");
    drop(upgrade().expect("opened"));
    assert_eq!(fs::metadata(&copy).expect("a copy").modified().expect("a time"), modified);
    // The older program reads the copy and rejects the upgraded file.
    let refused = Ledger::open(&place.path()).expect_err("refused");
    assert!(
        matches!(refused, LedgerError::NewerSchema { found, known: most } if found == known + 1 && most == known)
    );
    let ledger = Ledger::open(&copy).expect("the copy");
    let row = ledger.request(request(1).id).await.expect("read").expect("a row").0;
    assert_eq!(row.state, RequestState::Complete);
}

/// Files that older versions left when they were killed: three requests, one with token counts, one
/// without, one still running.
async fn check_stored(version: u32, stored: &[u8]) {
    let place = LedgerFixture::new();
    fs::create_dir_all(place.folder.path().join("data")).expect("a folder");
    fs::File::create(place.path())
        .and_then(|mut file| std::io::Write::write_all(&mut file, stored))
        .expect("written");
    let ledger = place.open();
    assert!(ledger.check_integrity().await.expect("checked").is_sound());
    let row =
        async |number| ledger.request(request(number).id).await.expect("read").expect("a row");
    let ((counted, tries), (silent, _)) = (row(1).await, row(2).await);
    assert_eq!((counted.usage, counted.cost.clone()), (settlement(1).usage, settlement(1).cost));
    let is_told_apart = version > 1;
    assert_eq!(counted.usage_basis.is_some() && counted.usage_raw.is_some(), is_told_apart);
    assert_eq!((silent.usage, silent.usage_basis), (None, None));
    assert_eq!(row(3).await.0.state, RequestState::Unknown);
    // Only the last attempt's usage was recorded; the cost of the others is unknown.
    let (last, others) = tries.split_last().expect("a try");
    assert_eq!((last.usage, &last.cost), (counted.usage, &counted.cost));
    assert!(others.iter().all(|other| other.cost == Cost::Unpriced && other.usage.is_none()));
    assert_eq!((counted.wasted, counted.unpriced_attempts), (NanoUsd::ZERO, 0));
    ledger.settle(settlement(4)).await.expect("settled");
    assert_eq!(row(4).await.0.usage_basis, settlement(4).usage_basis);
    assert_eq!(row(4).await.0.wasted, NanoUsd::new(234_000));
    // Older roll-ups knew nothing of attempts and the cache; version 11 counts what is still kept.
    let totals = super::rollups::totals(&ledger).await;
    let retries = if is_told_apart { 2 } else { 3 };
    assert_eq!((totals.requests, totals.retries, totals.cache.misses), (4, retries, 3));
    super::rollups::check_against_recount(&ledger, crate::GroupBy::Route).await;
    drop(ledger);
    let name = format!("ledger.sqlite.bak-v{version}");
    let copied: u32 = rusqlite::Connection::open(place.folder.path().join("data").join(name))
        .and_then(|copy| copy.pragma_query_value(None, "user_version", |row| row.get(0)))
        .expect("a copy");
    assert_eq!(copied, version);
}

#[tokio::test]
async fn the_stored_file_of_version_1_is_upgraded_and_read() {
    check_stored(1, include_bytes!("stored/v1.sqlite")).await;
}

#[tokio::test]
async fn the_stored_file_of_version_2_is_upgraded_and_read() {
    check_stored(2, include_bytes!("stored/v2.sqlite")).await;
}

/// Until version 6 a price was columns of micro-dollars.
#[tokio::test]
async fn prices_of_version_5_are_the_same_in_the_new_form() {
    let place = LedgerFixture::new();
    let steps = &database::MIGRATIONS[..5];
    let old = database::open(&place.path(), LedgerLimits::default(), steps).expect("version 5");
    old.execute_batch(
        "INSERT INTO prices (id, backend, model, input, output, long_over_input_tokens, long_input,
          valid_from_ms, source, confidence) VALUES
         ('p', 'home', 'm', 37500, 12000000, 200000, 75001, 0, 'you', 'declared'),
         ('q', 'home', 'n', NULL, NULL, NULL, NULL, 0, 'you', 'declared')",
    )
    .expect("prices");
    drop(old);
    let ledger = place.open();
    let terms = async |id: &str| {
        let price = ledger.price(id.to_owned()).await.expect("read").expect("a price");
        serde_json::to_string(&price.terms).expect("JSON")
    };
    assert_eq!(
        terms("p").await,
        r#"{"rates":{"input":0.0375,"output":12},"above":{"input_tokens":200000,"rates":{"input":0.075001}}}"#
    );
    assert_eq!(terms("q").await, r#"{"rates":{}}"#);
}

/// Until version 17 each request had its own explanation and decision, and meters their model.
#[tokio::test]
async fn explanations_decisions_and_meters_of_version_16_are_kept() {
    let place = LedgerFixture::new();
    let steps = &database::MIGRATIONS[..16];
    let old = database::open(&place.path(), LedgerLimits::default(), steps).expect("version 16");
    let request = request(1);
    let (id, started) = (request.id.to_string(), request.started.unix_ms());
    old.execute(
        "INSERT INTO requests (id, started_ms, client, route, model_asked, dialect, streamed,
          purpose, state, explanation)
         VALUES (?1, ?2, 'editor', 'fast', 'chat', 'openai', 0, 'user', 'failed', 'home is first.')",
        rusqlite::params![id, started],
    )
    .expect("a request");
    let decision = r#"{"route":"fast","policy":"ordered"}"#;
    old.execute(
        "INSERT INTO decisions (request_id, decision, packed) VALUES (?1, '', ?2)",
        rusqlite::params![id, crate::columns::packed_text::pack(decision)],
    )
    .expect("a decision");
    for model in ["chat", "code"] {
        old.execute(
            "INSERT INTO rollup_meters VALUES (?1, 'user', 'home', ?2, 'input', 10, 20, 3)",
            rusqlite::params![started - started % 900_000, model],
        )
        .expect("a sum");
    }
    drop(old);

    let ledger = place.open();
    let row = ledger.request(request.id).await.expect("read").expect("a row").0;
    assert_eq!(row.explanation.as_deref(), Some("home is first."));
    let kept = ledger.routing_decision(request.id).await.expect("read");
    assert_eq!(kept.as_deref(), Some(decision));
    let meters = ledger.meter_totals(super::at(0), super::at(3_600_000)).await.expect("read");
    let sums: Vec<_> = meters.iter().map(|it| (it.quantity, it.unpriced_quantity)).collect();
    assert_eq!(sums, [(20, 6)]);
    assert_eq!(meters[0].cost, NanoUsd::new(40));
}

/// Version 3 booked invented prices for the mock.
#[tokio::test]
async fn the_mocks_invented_money_leaves_every_sum() {
    let place = LedgerFixture::new();
    let steps = &database::MIGRATIONS[..3];
    let old = database::open(&place.path(), LedgerLimits::default(), steps).expect("version 3");
    for (number, backend, cost) in [(1, "mock", 40_000), (2, "openai", 1_234)] {
        let request = request(number);
        let (id, started) = (request.id.to_string(), request.started.unix_ms());
        old.execute(
            "INSERT INTO requests (id, started_ms, client, route, model_asked, dialect, streamed,
              purpose, state, backend, cost_basis, price_id, cost_micro_usd, saved_micro_usd, attempts)
             VALUES (?1, ?2, 'editor', 'fast', 'chat', 'openai', 0, 'user', 'complete', ?3,
              'computed', 'p', ?4, 5, 1)",
            rusqlite::params![id, started, backend, cost],
        )
        .expect("a request");
        old.execute(
            "INSERT INTO attempts (request_id, number, backend, model, started_ms, duration_us,
              cost_basis, price_id, cost_micro_usd)
             VALUES (?1, 1, ?2, 'chat', ?3, 1, 'computed', 'p', ?4)",
            rusqlite::params![id, backend, started, cost],
        )
        .expect("an attempt");
    }
    old.execute_batch(
        "INSERT INTO rollup_quarter (slot_ms, purpose, backend, model, client, credential, project,
          requests, complete, failed, input_uncached, cache_read, cache_write_5m, cache_write_1h,
          output_visible, reasoning, cost_micro_usd, unpriced_requests, first_token_us_sum,
          first_token_count, duration_us_sum)
         SELECT started_ms - started_ms % 900000, purpose, backend, model_asked, client, '', '', 1, 1, 0,
          0, 0, 0, 0, 0, 0, cost_micro_usd, 0, 0, 0, 0 FROM requests",
    )
    .expect("sums");
    drop(old);

    let ledger = place.open();
    assert_eq!(super::rollups::totals(&ledger).await.cost, NanoUsd::new(1_234_000));
    // Version 11 counts by route what is still kept.
    super::rollups::check_against_recount(&ledger, crate::GroupBy::Route).await;
    let mock = ledger.request(request(1).id).await.expect("read").expect("a row");
    assert_eq!((&mock.0.cost, &mock.1[0].cost), (&Cost::NotBilled, &Cost::NotBilled));
    let paid = ledger.request(request(2).id).await.expect("read").expect("a row");
    let computed = Cost::Computed { amount: NanoUsd::new(1_234_000), price_id: "p".to_owned() };
    assert_eq!((&paid.0.cost, &paid.1[0].cost), (&computed, &computed));
    assert!(ledger.check_integrity().await.expect("checked").is_sound());
}

#[test]
fn a_failed_upgrade_leaves_the_old_file_as_it_was() {
    let place = LedgerFixture::new();
    drop(place.open());
    let mut steps = database::MIGRATIONS.to_vec();
    steps.push("CREATE TABLE half (x) STRICT; SELECT no_such_function()");
    assert!(database::open(&place.path(), LedgerLimits::default(), &steps).is_err());
    let half = "SELECT count(*) FROM sqlite_schema WHERE name = 'half'";
    assert_eq!(place.raw().query_row(half, [], |row| row.get(0)), Ok(0));
    drop(place.open());
}

#[test]
fn the_settings_that_durability_rests_on_are_in_force() {
    let place = LedgerFixture::new();
    let connection = database::open(&place.path(), LedgerLimits::default(), database::MIGRATIONS)
        .expect("a connection");
    let number = |connection: &rusqlite::Connection, name: &str| -> i64 {
        connection.pragma_query_value(None, name, |row| row.get(0)).expect("a value")
    };
    let mode: String =
        connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).expect("a mode");
    assert_eq!(mode, "wal");
    let reader = database::open_reader(&place.path()).expect("a reader");
    for (name, value) in [
        ("synchronous", 1),
        ("foreign_keys", 1),
        ("busy_timeout", 5_000),
        ("trusted_schema", 0),
        ("cell_size_check", 1),
    ] {
        assert_eq!(number(&connection, name), value, "{name}");
    }
    assert_eq!(number(&reader, "trusted_schema") + number(&reader, "cell_size_check"), 1);
    assert!(reader.execute("DELETE FROM requests", []).is_err());
}

/// Until version 31 there were no sums of days; they are made from the hours that are folded.
#[tokio::test]
async fn days_of_version_31_are_summed_from_their_hours() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    for hour in [0, 1, 15, 16, 20, 39, 40, 41, 63, 64, 70] {
        let mut ended = settlement(hour * 3_600);
        // Until version 35 no attempt was booked elsewhere.
        ended.attempts.remove(0);
        ended.cost = ended.attempts[0].cost.clone();
        ended.attempts[0].credential = ended.credential.clone();
        ledger.settle(ended).await.expect("settled");
    }
    ledger.wait_until_folded().await;
    let usage = async |ledger: &Ledger| {
        let zone = jiff::tz::TimeZone::get("Europe/Berlin").expect("a zone");
        let (from, to) = (super::at(-86_400_000), super::at(4 * 86_400_000));
        let by_model =
            crate::UsageQuery::new(from, to, crate::BucketWidth::Day, &zone, crate::GroupBy::Model);
        ledger.usage(by_model.expect("a range")).await.expect("read")
    };
    let expected = usage(&ledger).await;
    assert_eq!(expected.totals.requests, 11);
    drop(ledger);
    let raw = place.raw();
    let days = all_rows(&raw, "rollup_day");
    // Of each dimension: the three days that ended before the last folded hour.
    assert_eq!(days.len(), 6 * 3);
    let before: Vec<_> = KEPT.iter().map(|table| all_rows(&raw, table)).collect();
    raw.execute_batch(&format!(
        "{} DROP TABLE rollup_day; DROP INDEX requests_retried; DROP INDEX requests_own;
         DROP TABLE degraded_spans; DROP TABLE key_verdicts; DROP TABLE rollup_model_names;
         PRAGMA user_version = 31",
        super::back_to_version_36(),
    ))
    .expect("version 31");
    drop(raw);

    let ledger = place.open();
    assert_eq!(usage(&ledger).await, expected);
    // Version 38 has them folded again.
    ledger.wait_until_folded().await;
    let raw = place.raw();
    assert_eq!(all_rows(&raw, "rollup_day"), days);
    for (table, before) in KEPT.iter().zip(before) {
        assert!(!before.is_empty() && all_rows(&raw, table) == before, "{table}");
    }
}

const KEPT: [&str; 5] = ["requests", "attempts", "rollup_quarter", "rollup_hour", "rollup_cross"];

fn all_rows(connection: &rusqlite::Connection, table: &str) -> Vec<Vec<rusqlite::types::Value>> {
    let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).expect("a table");
    let columns = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| (0..columns).map(|place| row.get(place)).collect();
    statement.query_map([], row).expect("rows").collect::<Result<_, _>>().expect("values")
}
