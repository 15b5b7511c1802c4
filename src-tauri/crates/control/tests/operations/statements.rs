//! Statements: the rows of every format add up to the total, which is the ledger's.

use control::ErrorCode;
use control::view::*;
use domain::NanoUsd;
use pricing::Cost;
use serde_json::Value;

use crate::world::{World, refused, world};

/// Records a request of now; `None` for an unknown cost.
async fn record(world: &World, model: &str, project: Option<&str>, nanos: Option<i64>) {
    let mut ended = world.answered("editor");
    ended.request.model_asked = model.to_owned();
    ended.request.project = project.map(str::to_owned);
    ended.cost = nanos.map_or(Cost::Unpriced, |nanos| Cost::Reported(NanoUsd::new(nanos)));
    world.settle(ended).await;
}

async fn write(world: &World, format: StatementFormat, project: Option<&str>) -> StatementFile {
    let project = project.map(str::to_owned);
    let query = StatementQuery { month: None, project, zone: TimeZoneChoice::Utc, format };
    control::statement(&world.core, query).await.expect("a statement")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_adds_up_in_every_format() {
    let world = world().await;
    record(&world, "small", Some("shop"), Some(160)).await;
    record(&world, "small", Some("shop"), Some(2_000_000_001)).await;
    record(&world, "=cmd|'/c calc'!A1", None, Some(340)).await;
    record(&world, "<script>x</script>", None, None).await;

    let json = write(&world, StatementFormat::Json, None).await;
    assert_eq!(json.cost_nano_usd.0, 2_000_000_501);
    assert_eq!((json.requests, json.unpriced_requests), (Count(4), Count(1)));
    let statement: Value = serde_json::from_str(&json.text).expect("JSON");
    let rows = statement["rows"].as_array().expect("rows");
    let sum: i64 = rows.iter().filter_map(|row| row["cost_nano_usd"].as_i64()).sum();
    assert_eq!(sum, 2_000_000_501);
    assert_eq!(statement["total"]["cost_nano_usd"], sum);

    let table = write(&world, StatementFormat::Csv, None).await;
    let lines: Vec<_> = table.text.lines().collect();
    assert!(lines[0].ends_with(",cost_usd"), "{}", lines[0]);
    let amounts = lines[1..].iter().filter_map(|line| line.rsplit(',').next());
    let sum: i64 =
        amounts.map(|amount| NanoUsd::from_dollars(amount).expect("dollars").nanos()).sum();
    assert_eq!(sum, 2_000_000_501, "{}", table.text);
    assert!(table.text.contains(",'=cmd|'/c calc'!A1,"), "{}", table.text);
    assert!(table.name.starts_with("gatehouse-20") && table.name.ends_with(".csv"));

    let page = write(&world, StatementFormat::Html, None).await.text;
    assert!(page.contains("$2.000000501") && page.contains("not known"), "{page}");
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script"), "{page}");

    let shop = write(&world, StatementFormat::Html, Some("shop")).await;
    assert_eq!((shop.requests, shop.cost_nano_usd.0), (Count(2), 2_000_000_161));
    assert!(shop.name.ends_with("-shop.html"), "{}", shop.name);
    let none = write(&world, StatementFormat::Html, Some("")).await;
    assert_eq!((none.requests, none.cost_nano_usd.0), (Count(2), 340));

    let query = StatementQuery {
        month: None,
        project: None,
        zone: TimeZoneChoice::Utc,
        format: StatementFormat::Html,
    };
    let saved = control::statement_save(&world.core, query.clone()).await.expect("saved");
    assert!(saved.path.starts_with(&*world.home.path().to_string_lossy()), "{}", saved.path);
    let text = std::fs::read_to_string(&saved.path).expect("a file");
    assert!(text.starts_with("<!DOCTYPE html>"), "{text}");

    let wrong = StatementQuery { month: Some("November".to_owned()), ..query.clone() };
    refused(control::statement(&world.core, wrong).await, ErrorCode::InvalidInput, Some("month"));
    let wrong = StatementQuery { project: Some("x".repeat(257)), ..query };
    refused(control::statement(&world.core, wrong).await, ErrorCode::InvalidInput, Some("project"));
}
