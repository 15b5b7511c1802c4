//! Another machine's requests, exported there and merged here.

use std::io::Write;

use control::ErrorCode;
use control::view::*;
use domain::NanoUsd;
use ledger::Settlement;
use pricing::Cost;

use crate::world::{World, refused, world};

async fn spend_a_dollar(world: &World) {
    let cost = Cost::Reported(NanoUsd::new(1_000_000_000));
    world.settle(Settlement { cost, ..world.answered("editor") }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_merged_once_and_its_requests_say_where_they_were_made() {
    let (laptop, desk) = (world().await, world().await);
    spend_a_dollar(&laptop).await;
    let path = laptop.home.path().join("export.sqlite").display().to_string();
    let export = LedgerExport { path: Some(path.clone()), device: Some("laptop".to_owned()) };
    let made = control::ledger_export(&laptop.core, export.clone()).await.expect("exported");
    assert_eq!((made.device.as_str(), made.requests), ("laptop", Count(1)));
    let again = control::ledger_export(&laptop.core, export).await;
    refused(again, ErrorCode::InvalidInput, Some("path"));

    let merge = LedgerMerge { path };
    for added in [1, 0] {
        let plan = control::ledger_merge_plan(&desk.core, merge.clone()).await.expect("planned");
        assert_eq!((plan.added, plan.known), (Count(added), Count(1 - added)));
        assert_eq!((plan.first.is_some(), plan.first), (added == 1, plan.last));
        let merged = control::ledger_merge(&desk.core, merge.clone()).await.expect("merged");
        assert_eq!((merged.device.as_deref(), merged.added), (Some("laptop"), Count(added)));
    }
    let ledger = control::ledger(&desk.core).await.expect("the ledger");
    let devices: Vec<_> = ledger.devices.iter().map(|it| (it.name.as_str(), it.requests)).collect();
    assert_eq!(devices, [("laptop", Count(1))]);
    let asked = RequestsQuery { limit: 10, ..RequestsQuery::default() };
    let requests = control::requests(&desk.core, asked).await.expect("requests").requests;
    assert_eq!(requests.first().and_then(|it| it.device.as_deref()), Some("laptop"));

    for path in ["relative.sqlite".to_owned(), desk.home.path().display().to_string()] {
        let planned = control::ledger_merge_plan(&desk.core, LedgerMerge { path: path.clone() });
        refused(planned.await, ErrorCode::InvalidInput, Some("path"));
        let merged = control::ledger_merge(&desk.core, LedgerMerge { path }).await;
        refused(merged, ErrorCode::InvalidInput, Some("path"));
    }
    let text = desk.home.path().join("text");
    let mut file = std::fs::File::create(&text).expect("a file");
    file.write_all("not a database".repeat(20).as_bytes()).expect("written");
    let merged =
        control::ledger_merge(&desk.core, LedgerMerge { path: text.display().to_string() });
    let error = merged.await.expect_err("refused");
    assert!(error.message.contains("is no sound export of a ledger"), "{}", error.message);
}
