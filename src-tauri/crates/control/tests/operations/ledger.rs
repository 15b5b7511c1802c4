//! The ledger's file through the API: how damage is reported, and how records are restored.

use std::io::Write;
use std::time::Duration;

use alerts::Notification;
use control::view::*;
use control::{Core, CoreEvents, ErrorCode};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::world::{World, world};

async fn next_notification(shown: &mut UnboundedReceiver<Notification>) -> Notification {
    // It comes after 10 s, so that what is over at once is not shown.
    let told = tokio::time::timeout(Duration::from_secs(20), shown.recv()).await;
    told.expect("in time").expect("a notification")
}

/// Runs the quick checks and returns the number of finished runs.
async fn finish_a_run(core: &Core) -> usize {
    let mut events = CoreEvents::subscribe(core).await.expect("events");
    control::readiness_start(core, ReadinessStart { set: CheckSet::Quick }).await.expect("run");
    loop {
        let runs = control::readiness(core).await.expect("read").history.len();
        if runs > 0 {
            return runs;
        }
        events.next().await.expect("the engine runs");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_ledger_is_shown_everywhere_until_it_is_restored() {
    let world = world().await;
    let runs = finish_a_run(&world.core).await;
    control::ledger_backup(&world.core).await.expect("a backup");
    let home = world.stop().await;
    let file = home.path().join("data/ledger.sqlite");
    std::fs::OpenOptions::new()
        .write(true)
        .open(&file)
        .and_then(|mut file| file.write_all(&[0xa5; 4_096]))
        .expect("damaged");

    let restarted = World::open(home, |_| {}).await.serving().await;
    let World { core, mut shown, home: _home } = restarted;
    let told = next_notification(&mut shown).await;
    assert_eq!(told.title, "The ledger file was damaged");
    let status = control::status(&core).await.expect("status");
    assert_eq!(status.verdict.level, VerdictLevel::Problem);
    let need = status.verdict.needs.iter().find(|need| need.id == "ledger/damaged").expect("told");
    assert_eq!(need.action, PanelActionView::OpenLedger);
    assert!(need.impact.contains("gatehouse ledger restore"), "{}", need.impact);
    assert!(control::readiness(&core).await.expect("read").history.is_empty());
    let ledger = control::ledger(&core).await.expect("read");
    assert_eq!((ledger.backups.len(), ledger.kept_files.len()), (1, 1));

    let found = control::ledger_examine(&core, LedgerRepair { file: None }).await.expect("read");
    assert_eq!(found.file, ledger.kept_files[0]);
    let restored = control::ledger_restore(&core, LedgerRestore { backup: None }).await;
    let restored = restored.expect("restored");
    assert_eq!(restored.from, ledger.backups[0].name);
    assert_eq!(control::readiness(&core).await.expect("read").history.len(), runs);
    assert_eq!(next_notification(&mut shown).await.title, "The ledger works again");
    let ledger = control::ledger(&core).await.expect("read");
    assert!(ledger.problems.is_empty() && ledger.incident.is_none(), "{:?}", ledger.problems);
    let missing = LedgerRestore { backup: Some("ledger-x.sqlite".to_owned()) };
    let refused = control::ledger_restore(&core, missing).await.expect_err("refused");
    assert_eq!(refused.code, ErrorCode::NotFound);
    core.stop().await;
}
