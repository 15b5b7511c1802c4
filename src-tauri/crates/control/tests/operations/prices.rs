//! Prices: one's own, an import with its preview, undo, and what they price later.

use std::sync::Arc;

use control::ErrorCode;
use control::view::*;
use domain::{BackendId, CredentialId, Endpoint, Meter, NanoUsd, PriceTier, Usage};
use ledger::AttemptRecord;
use pricing::{AttemptPricing, PriceBook};
use test_support::{Reply, ScriptedUpstream};

use crate::world::{World, add_request, lists_models, new_home, refused, world};

fn list(text: &str) -> PriceImport {
    PriceImport::Text { name: "list.json".to_owned(), text: text.to_owned() }
}

/// Records a request that `up` answered with a million tokens of `m-1`, without a price.
async fn settle_unpriced(world: &World) {
    let mut settlement = world.answered("editor");
    settlement.request.model_asked = "m-1".to_owned();
    let now = settlement.request.started;
    let backend = BackendId::new("up").expect("a name");
    let endpoint = Endpoint { backend: backend.clone(), credential: None::<CredentialId> };
    let mut attempt = AttemptRecord::started(endpoint, "m-1", now);
    let pricing = AttemptPricing {
        prices: Arc::new(PriceBook::default()),
        provider: None,
        backend: backend.clone(),
        model: "m-1".to_owned(),
    };
    let quantities = [(Meter::Input, 1_000_000)].into_iter().collect();
    attempt.set_cost(pricing.cost(&Usage { quantities, ..Usage::default() }, None, now));
    settlement.cost = attempt.cost.clone();
    settlement.attempts = vec![attempt];
    world.settle(settlement).await;
}

async fn cost(world: &World) -> Option<NanoUsd> {
    let ledger = world.engine().ledger();
    let rows = ledger.requests(ledger::RequestQuery::newest(9)).await.expect("read");
    rows[0].cost.amount()
}

async fn rows(world: &World, model: &str) -> Vec<ListedPriceView> {
    let query = PricesQuery { model: model.to_owned(), owner: String::new(), limit: 100 };
    let found = control::prices(&world.core, query).await.expect("prices").rows;
    found.into_iter().filter(|row| row.model == model).collect()
}

fn dollars(amount: f64) -> Option<NanoDollars> {
    #[expect(clippy::cast_possible_truncation, reason = "a few dollars")]
    Some(NanoDollars((amount * 1e9) as i64))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_is_set_prices_what_had_none_until_it_is_taken_back() {
    let world = world().await;
    world.add_up(&lists_models().await, BackendKey::None).await;
    settle_unpriced(&world).await;
    assert_eq!(cost(&world).await, None);

    let set = price_of([(Meter::Input, "2.50"), (Meter::Output, "$10")]);
    let region = |name: &str, factor: &str| {
        let (name, factor) = (name.to_owned(), factor.to_owned());
        Some(PriceSetRegion { name, factor })
    };
    for (wrong, field) in [
        (price_of([(Meter::Input, "2,50")]), "input"),
        (price_of([(Meter::Input, "1"), (Meter::WebSearch, "-1")]), "web_search"),
        (price_of([(Meter::Image, "1"), (Meter::Image, "2")]), "image"),
        (price_of([(Meter::Input, " ")]), "rates"),
        (PriceSet { above_tokens: Some(Count(0)), ..set.clone() }, "above_tokens"),
        (PriceSet { region: region("", "1.1"), ..set.clone() }, "region"),
        (PriceSet { region: region("eu", "much"), ..set.clone() }, "factor"),
        (PriceSet { region: region("eu", "1.00001"), ..set.clone() }, "factor"),
    ] {
        let refusal = control::price_set(&world.core, wrong).await;
        refused(refusal, ErrorCode::InvalidInput, Some(field));
    }
    let done = control::price_set(&world.core, set).await.expect("set");
    let sentence = "Set the price of m-1 at up. 1 request without a price now has one.";
    assert_eq!(done.sentence, sentence);
    assert_eq!(cost(&world).await, Some(NanoUsd::new(2_500_000_000)));
    let shown = rows(&world, "m-1").await;
    assert_eq!((shown.len(), shown[0].input, shown[0].output), (1, dollars(2.5), dollars(10.0)));
    assert_eq!((shown[0].backend.as_deref(), shown[0].cache_read), (Some("up"), None));

    // It is still there after a restart.
    let world = World::open(world.stop().await, |_| {}).await;
    assert_eq!(rows(&world, "m-1").await.len(), 1);
    let undone = control::price_undo(&world.core).await.expect("undone");
    assert!(undone.sentence.starts_with("Taken back: Set the price"), "{}", undone.sentence);
    assert_eq!((cost(&world).await, rows(&world, "m-1").await.len()), (None, 0));
    refused(control::price_undo(&world.core).await, ErrorCode::NotFound, None);
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_price_list_prices_once_what_had_no_price() {
    let world = World::open(new_home(), |_| {}).await;
    // A preset's address without a key, where the list says that answers are free.
    let request = add_request(&lists_models().await, BackendKey::None);
    let local = BackendAdd { base_url: "http://127.0.0.1:11434/v1".to_owned(), ..request };
    control::backend_add(&world.core, local).await.expect("added");
    settle_unpriced(&world).await;
    let editor = world.engine().price_editor();
    let done = editor.price_by_bundled().await.expect("priced").expect("a change");
    assert_eq!((done.repriced, done.prices), (1, 0));
    assert_eq!(cost(&world).await, Some(NanoUsd::ZERO));
    let last = control::prices(&world.core, PricesQuery::default()).await.expect("prices");
    let last = last.last_change.expect("a change").sentence;
    let sentence =
        "Priced by the price list of this version. 1 request without a price now has one.";
    assert_eq!(last, sentence);
    // Once taken back it stays so, also after a restart, until another list comes.
    control::price_undo(&world.core).await.expect("undone");
    assert_eq!(cost(&world).await, None);
    let world = World::open(world.stop().await, |_| {}).await;
    assert!(world.engine().price_editor().price_by_bundled().await.expect("read").is_none());
    assert_eq!(cost(&world).await, None);
    let ledger = world.engine().ledger();
    ledger.use_bundled_prices("an older list".to_owned()).await.expect("saved");
    assert!(world.engine().price_editor().price_by_bundled().await.expect("priced").is_some());
    assert_eq!(cost(&world).await, Some(NanoUsd::ZERO));
    world.core.stop().await;
}

fn price_of<const N: usize>(rates: [(Meter, &str); N]) -> PriceSet {
    let rate = |(meter, price): (Meter, &str)| PriceSetRate { meter, price: price.to_owned() };
    PriceSet {
        backend: "up".to_owned(),
        model: "m-1".to_owned(),
        rates: rates.into_iter().map(rate).collect(),
        tier: None,
        above_tokens: None,
        region: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_states_any_meter_tier_length_and_region_and_leaves_the_rest() {
    let world = world().await;
    world.add_up(&lists_models().await, BackendKey::None).await;
    let set =
        |price: PriceSet| async { control::price_set(&world.core, price).await.expect("set") };
    set(price_of([(Meter::Input, "2"), (Meter::Output, "8")])).await;
    set(price_of([(Meter::WebSearch, "10"), (Meter::CacheWrite1h, "4")])).await;
    set(PriceSet { tier: Some(PriceTier::Flex), ..price_of([(Meter::Input, "1")]) }).await;
    set(PriceSet { above_tokens: Some(Count(200_000)), ..price_of([(Meter::Input, "4")]) }).await;
    let region = PriceSetRegion { name: "us".to_owned(), factor: "1.1".to_owned() };
    set(PriceSet { region: Some(region), ..price_of([]) }).await;

    let shown = rows(&world, "m-1").await;
    let newest = &shown[0];
    let rate = |meter: Meter, tier: Option<PriceTier>, above: Option<u64>| {
        let mut rates = newest.rates.iter();
        let found = rates.find(|rate| {
            (rate.meter, rate.tier) == (meter, tier) && rate.above_tokens == above.map(Count)
        });
        found.map(|rate| rate.rate)
    };
    assert_eq!(rate(Meter::Input, None, None), dollars(2.0));
    assert_eq!(rate(Meter::WebSearch, None, None), dollars(10.0));
    assert_eq!(rate(Meter::CacheWrite1h, None, None), dollars(4.0));
    assert_eq!(rate(Meter::Input, None, Some(200_000)), dollars(4.0));
    assert_eq!(rate(Meter::Output, None, Some(200_000)), dollars(8.0));
    assert_eq!(rate(Meter::Input, Some(PriceTier::Flex), None), dollars(1.0));
    assert_eq!(newest.regions, ["us × 1.1"]);
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_shows_its_differences_before_it_applies() {
    let world = world().await;
    let text = r#"{"prices": [
{"provider": "openai", "model": "gpt-4.1", "from": "2026-11-20", "source": "https://openai.com", "rates": {"input": 2.5, "cache_read": 0.5, "output": 8}},
{"provider": "openai", "model": "gpt-9", "from": "2026-11-20", "source": "https://openai.com", "rates": {"input": 1}},
{"provider": "openai", "model": "gpt-8", "from": "2026-11-20", "source": "https://openai.com", "rates": {"inputs": 1}}
]}"#;
    let seen = control::price_import(&world.core, list(text)).await.expect("a preview");
    assert_eq!((seen.format, seen.changed.0, seen.new.0), (PriceFileFormat::Gatehouse, 1, 1));
    let differences: Vec<_> =
        seen.differences.iter().map(|one| (one.model.as_str(), one.is_new)).collect();
    assert_eq!(differences, [("gpt-4.1", false), ("gpt-9", true)]);
    assert!(seen.differences[0].changes[0].contains("+25 %"), "{:?}", seen.differences[0].changes);
    let problem = &seen.problems[0];
    assert_eq!((problem.line.0, problem.row.as_str()), (4, "row 3 (gpt-8)"));
    assert!(rows(&world, "gpt-9").await.is_empty(), "nothing changes by a preview");

    let apply = PriceImportRef { id: seen.id };
    let done = control::price_import_apply(&world.core, apply.clone()).await.expect("applied");
    assert_eq!(done.sentence, "Imported 2 prices from list.json.");
    assert_eq!(rows(&world, "gpt-9").await[0].source, "https://openai.com");
    let again = control::price_import_apply(&world.core, apply).await;
    refused(again, ErrorCode::NotFound, None);
    let seen = control::price_import(&world.core, list(text)).await.expect("a preview");
    assert_eq!((seen.changed.0, seen.new.0, seen.same.0), (0, 0, 2));
    control::price_undo(&world.core).await.expect("undone");
    assert!(rows(&world, "gpt-9").await.is_empty());
    refused(
        control::price_import(&world.core, list("nothing")).await,
        ErrorCode::InvalidInput,
        Some("text"),
    );
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_fetched_from_an_address_under_the_rules_of_base_urls() {
    let world = world().await;
    let import =
        async |url: String| control::price_import(&world.core, PriceImport::Address { url }).await;
    for refused_url in
        ["http://example.com/prices.json", "file:///etc/passwd", "https://a:b@example.com"]
    {
        refused(import(refused_url.to_owned()).await, ErrorCode::InvalidInput, Some("url"));
    }
    let upstream = ScriptedUpstream::start_with(|asked| {
        let row = serde_json::json!({"provider": "groq", "model": "new", "from": "2026-11-20",
            "source": "https://groq.com", "rates": {"input": 1}});
        let is_list = asked.path.ends_with("prices.json");
        Some(if is_list {
            Reply::json(200, &serde_json::json!({"prices": [row]}))
        } else {
            Reply::error(404, "no", "no")
        })
    });
    let upstream = upstream.await.expect("an upstream");
    refused(import(upstream.base_url()).await, ErrorCode::InvalidInput, Some("url"));
    let seen = import(format!("{}/prices.json", upstream.base_url())).await.expect("a preview");
    assert_eq!(seen.differences[0].model, "new");
    world.core.stop().await;
}
