//! What providers made of keys: a row where it changed, also across a restart, and a limit.

use domain::CredentialId;

use super::{LedgerFixture, at};
use crate::KeyVerdict::{Accepted, Rejected, Unknown};
use crate::{KEY_VERDICTS_KEPT_MAX, KeyVerdict, KeyVerdictRecord, KeyVerdictSource, Ledger};

fn key(id: &str) -> CredentialId {
    CredentialId::new(id).expect("an id")
}

fn verdict(ms: i64, place: Option<&str>, verdict: KeyVerdict) -> KeyVerdictRecord {
    KeyVerdictRecord {
        at: at(ms),
        credential: key("up"),
        place: place.map(str::to_owned),
        verdict,
        source: KeyVerdictSource::Check,
    }
}

async fn told(ledger: &Ledger) -> Vec<(i64, KeyVerdict)> {
    let all = ledger.key_verdicts(key("up")).await.expect("read");
    all.into_iter().map(|it| (it.at.unix_ms() - at(0).unix_ms(), it.verdict)).collect()
}

#[tokio::test]
async fn only_a_change_is_kept_also_after_a_restart() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let home = Some("home");
    for (ms, verdict_of) in [(1, Accepted), (2, Rejected), (3, Rejected)] {
        ledger.record_key_verdict(verdict(ms, home, verdict_of)).expect("queued");
    }
    assert_eq!(told(&ledger).await, [(2, Rejected)], "it counts as accepted at first");
    ledger.close().await;

    let ledger = place.open();
    ledger.record_key_verdict(verdict(4, home, Rejected)).expect("queued");
    ledger.record_key_verdict(verdict(5, Some("away"), Accepted)).expect("queued");
    assert_eq!(told(&ledger).await, [(2, Rejected)], "nothing changed, and away says nothing new");
    ledger.record_key_verdict(verdict(6, home, Accepted)).expect("queued");
    ledger.record_key_verdict(verdict(7, home, Rejected)).expect("queued");
    ledger.record_key_verdict(verdict(8, None, Unknown)).expect("queued");
    ledger.record_key_verdict(verdict(9, home, Accepted)).expect("queued");
    ledger.record_key_verdict(verdict(10, home, Rejected)).expect("queued");
    let expected = [(2, Rejected), (6, Accepted), (7, Rejected), (8, Unknown), (10, Rejected)];
    assert_eq!(told(&ledger).await, expected, "a new secret is judged anew");
    assert_eq!(ledger.key_verdicts(key("other")).await.expect("read"), []);
    ledger.purge_before(at(7)).await.expect("purged");
    assert_eq!(told(&ledger).await, [(7, Rejected), (8, Unknown), (10, Rejected)]);
}

#[tokio::test]
async fn the_oldest_verdicts_of_a_key_go_first() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let count = i64::try_from(KEY_VERDICTS_KEPT_MAX).expect("a small number");
    for ms in 0..=count {
        let which = if ms % 2 == 0 { Rejected } else { Accepted };
        ledger.record_key_verdict(verdict(ms, Some("home"), which)).expect("queued");
    }
    let kept = told(&ledger).await;
    assert_eq!((kept.len(), kept.first().map(|it| it.0)), (KEY_VERDICTS_KEPT_MAX, Some(1)));
}
