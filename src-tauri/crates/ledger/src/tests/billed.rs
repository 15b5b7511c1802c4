//! Billed amounts: stored by day, replaced by the same source, told apart from "nothing billed".

use domain::{BilledSource, BillingProvider, NanoUsd, WallTime};
use jiff::civil::{Date, date};
use rusqlite::Connection;

use super::LedgerFixture;
use crate::file::database;
use crate::{BilledDay, LedgerLimits};

const DAY: Date = date(2026, 11, 20);

fn report(source: BilledSource, lines: &[(&str, i64)]) -> BilledDay {
    BilledDay {
        provider: BillingProvider::OpenAi,
        day: DAY,
        source,
        fetched: WallTime::from_unix_ms(1_000),
        lines: lines
            .iter()
            .map(|(line, nanos)| ((*line).to_owned(), NanoUsd::new(*nanos)))
            .collect(),
    }
}

#[tokio::test]
async fn a_report_replaces_the_one_before_of_the_same_day_and_source() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let first = report(BilledSource::Csv, &[("gpt-5, input", 9), ("gpt-5, output", 3)]);
    let api = report(BilledSource::Api, &[("gpt-5, input", 8)]);
    let other = BilledDay { day: date(2026, 11, 21), ..first.clone() };
    ledger.replace_billed(vec![first.clone(), api.clone(), other.clone()]).await.expect("stored");
    ledger.replace_billed(vec![first.clone()]).await.expect("stored again");
    let all = ledger.billed(DAY).await.expect("read");
    assert_eq!(all, [api.clone(), first, other.clone()], "the same file twice counts once");
    let corrected = report(BilledSource::Csv, &[("gpt-5, input", -2)]);
    ledger.replace_billed(vec![corrected.clone()]).await.expect("stored");
    assert_eq!(ledger.billed(DAY).await.expect("read"), [api, corrected, other.clone()]);
    assert_eq!(ledger.billed(date(2026, 11, 21)).await.expect("read"), [other]);
}

#[tokio::test]
async fn a_day_on_which_nothing_was_billed_is_a_report() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let nothing = report(BilledSource::Api, &[]);
    ledger.replace_billed(vec![nothing.clone()]).await.expect("stored");
    let read = ledger.billed(DAY).await.expect("read");
    assert_eq!((read[0].total(), &read[..]), (NanoUsd::ZERO, &[nothing][..]));
}

#[tokio::test]
async fn a_ledger_of_the_version_before_is_upgraded_and_keeps_its_rows() {
    let place = LedgerFixture::new();
    let newest = database::MIGRATIONS.iter().position(|sql| sql.contains("TABLE billed"));
    let before = &database::MIGRATIONS[..newest.expect("a migration")];
    let old: Connection =
        database::open(&place.path(), LedgerLimits::default(), before).expect("the version before");
    old.execute("INSERT INTO price_changes (at_ms, what) VALUES (5, 'kept')", []).expect("a row");
    drop(old);
    let ledger = place.open();
    assert_eq!(ledger.billed(DAY).await.expect("read"), []);
    let kept = ledger.last_price_change().await.expect("read").expect("a change");
    assert_eq!(kept.what, "kept");
    ledger.replace_billed(vec![report(BilledSource::Api, &[("a", 1)])]).await.expect("stored");
}
