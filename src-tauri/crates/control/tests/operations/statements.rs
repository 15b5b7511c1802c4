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

async fn write(world: &World, format: StatementFormat, project: Option<&str>) -> TextFile {
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
    let amounts: Vec<_> = lines[1..].iter().filter_map(|line| line.rsplit(',').next()).collect();
    let unknown = amounts.iter().filter(|amount| amount.is_empty()).count();
    assert_eq!(unknown, 1, "unknown is no zero: {}", table.text);
    let amounts = amounts.into_iter().filter(|amount| !amount.is_empty());
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

async fn export(world: &World, format: RequestsFormat, query: RequestsQuery) -> TextFile {
    control::requests_export(&world.core, RequestsExport { query, format }).await.expect("a file")
}

#[tokio::test(flavor = "multi_thread")]
async fn exported_requests_add_up_and_are_those_that_match() {
    let world = world().await;
    for number in 0..510 {
        record(&world, "small", Some("shop"), Some(number)).await;
    }
    record(&world, "=cmd|'/c calc'!A1", None, Some(2_000_000_001)).await;
    record(&world, "odd", None, None).await;
    let sum: i64 = (0..510).sum();

    let table = export(&world, RequestsFormat::Csv, RequestsQuery::default()).await;
    assert_eq!((table.requests, table.unpriced_requests), (Count(512), Count(1)));
    assert_eq!((table.cost_nano_usd.0, table.is_whole), (sum + 2_000_000_001, true));
    let lines: Vec<Vec<&str>> = table.text.lines().map(|line| line.split(',').collect()).collect();
    let column = lines[0].iter().position(|name| *name == "cost_usd").expect("a column");
    let amounts = lines[1..].iter().map(|line| line[column]).filter(|cell| !cell.is_empty());
    let amounts: Vec<i64> =
        amounts.map(|amount| NanoUsd::from_dollars(amount).expect("dollars").nanos()).collect();
    assert_eq!((amounts.len(), amounts.iter().sum()), (511, sum + 2_000_000_001_i64));
    assert!(table.text.contains(",'=cmd|'/c calc'!A1,"), "{}", table.text);
    assert!(table.name.ends_with(".csv"), "{}", table.name);

    let shop = RequestsQuery { project: Some("shop".to_owned()), ..RequestsQuery::default() };
    let shop = export(&world, RequestsFormat::Json, shop).await;
    let rows: Value = serde_json::from_str(&shop.text).expect("JSON");
    let rows = rows.as_array().expect("rows");
    assert_eq!((rows.len(), shop.cost_nano_usd.0), (510, sum));
    assert!(rows.iter().all(|row| row["project"] == "shop" && row["cost_basis"] == "reported"));

    for (limit, rows, is_whole) in [(511, 511, false), (512, 512, true)] {
        let newest = RequestsQuery { limit, ..RequestsQuery::default() };
        let newest = export(&world, RequestsFormat::Csv, newest).await;
        assert_eq!((newest.requests, newest.is_whole), (Count(rows), is_whole));
    }

    let dear = RequestsQuery { min_cost: Some("much".to_owned()), ..RequestsQuery::default() };
    let many = RequestsQuery { limit: 100_001, ..RequestsQuery::default() };
    for (query, field) in [(dear, "min_cost"), (many, "limit")] {
        let wrong = RequestsExport { query, format: RequestsFormat::Csv };
        let error = control::requests_export(&world.core, wrong).await;
        refused(error, ErrorCode::InvalidInput, Some(field));
    }
}
