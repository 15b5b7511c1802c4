//! Tests of cache purges after a change of a price, model or backend, across engine restarts.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cache::{
    AnswerForm, BodyRecorder, Cache, CacheEntry, CacheKey, CacheKeyInputs, CacheNamespace,
    EntryTags, Lookup, Purge,
};
use domain::{
    BackendId, ClientId, Endpoint, ManualClock, Meter, NanoUsd, RequestId, SeededEntropy, Usage,
};
use indexmap::IndexMap;
use ledger::{AttemptRecord, NewRequest, Purpose, RequestOutcome, Settlement};
use pricing::{AttemptPricing, Price, PriceBook, PriceTerms, Rate, Rates};
use settings::{BackendKind, BackendSettings};
use tempfile::TempDir;

use super::purges_for_changed_settings;
use crate::Engine;
use crate::test_parts::{NOW, backend_settings, engine_config, folders};

const MODELS: [&str; 4] = ["gpt-4.1", "gpt-4.1-2025-04-14", "gpt-4o", "llama"];

fn backend(name: &str) -> BackendId {
    BackendId::new(name).expect("a name")
}

pub(crate) async fn opened(home: &TempDir) -> Engine {
    opened_at(home, Arc::new(ManualClock::starting_at(NOW))).await
}

pub(crate) async fn opened_at(home: &TempDir, clock: Arc<ManualClock>) -> Engine {
    Engine::open(engine_config(home, clock)).await.expect("an engine")
}

fn key(model: &str) -> CacheKey {
    let client = ClientId::new("c").expect("a name");
    let namespace = CacheNamespace::Client { client: &client, project: None };
    let delivered = AnswerForm::Whole;
    let (protocol, digest) = ("openai-chat", [0; 32]);
    CacheKeyInputs { namespace, protocol, delivered, model, route: 1, digest, headers: &[] }.key()
}

fn put(cache: &Cache, model: &str) {
    let mut recording = BodyRecorder::new(100);
    recording.push(b"{}");
    let entry = CacheEntry {
        answer: recording.finish().expect("something"),
        content_type: "application/json".to_owned(),
        dropped: None,
        backend: backend("up"),
        model: model.to_owned(),
        model_billed: None,
        usage: None,
        cost: Some(NanoUsd::new(70)),
        finish_reason: None,
        created: NOW,
        took: Duration::from_millis(900),
    };
    let tags = EntryTags {
        backend: backend("up"),
        model_asked: "asked".to_owned(),
        model: model.to_owned(),
        client: ClientId::new("c").expect("a name"),
        route: "r".to_owned(),
    };
    let ttl = Duration::from_secs(600);
    cache.put(&key(model), cache.ticket(), tags, entry, ttl).expect("kept");
}

/// Home folder of an engine that has run and stopped, with one cached response for each of
/// [`MODELS`].
async fn home() -> TempDir {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home).await;
    let cache = engine.response_cache().cache().expect("a cache");
    MODELS.iter().for_each(|model| put(&cache, model));
    engine.stop().await;
    home
}

/// Models whose responses are still cached after two starts.
async fn left(home: &TempDir) -> Vec<&'static str> {
    opened(home).await.stop().await;
    let engine = opened(home).await;
    let cache = engine.response_cache().cache().expect("a cache");
    cache.flush().await;
    let mut left = Vec::new();
    for model in MODELS {
        if let Lookup::Hit { .. } = cache.get(&key(model)).await {
            left.push(model);
        }
    }
    engine.stop().await;
    left
}

#[expect(clippy::disallowed_methods, reason = "a person or a crash writes it thus")]
fn overwrite(path: &Path, text: &str) {
    std::fs::write(path, text).expect("written");
}

fn rewrite(path: &Path, change: impl FnOnce(&mut serde_json::Value)) {
    let mut prices = serde_json::from_slice(&std::fs::read(path).expect("written")).expect("JSON");
    change(&mut prices);
    overwrite(path, &prices.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_outlive_a_start_while_prices_stay() {
    let home = home().await;
    assert_eq!(left(&home).await, MODELS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_price_purges_its_model_by_each_of_its_names() {
    let home = home().await;
    let path = folders(&home).cache_prices_file();
    let written = std::fs::read(&path).expect("written");
    rewrite(&path, |prices| prices["gpt-4.1"]["openai"]["rates"]["input"] = 1.into());
    assert_eq!(left(&home).await, ["gpt-4o", "llama"]);
    assert_eq!(std::fs::read(&path).expect("written"), written);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_price_of_a_dated_name_purges_the_undated_one() {
    let home = home().await;
    rewrite(&folders(&home).cache_prices_file(), |prices| {
        prices["gpt-4o-2024-05-13"]["openai"]["rates"]["input"] = 1.into();
    });
    assert_eq!(left(&home).await, ["gpt-4.1", "gpt-4.1-2025-04-14", "llama"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_added_and_a_removed_price_purge_their_models() {
    let home = home().await;
    let engine = opened(&home).await;
    let rates = PriceTerms::flat(Rates::from_iter([(Meter::Input, Rate::new(7))]));
    let price = Price::declared(&backend("up"), "llama", rates, NOW);
    engine.ledger().add_prices(NOW, "Set".to_owned(), vec![price]).await.expect("kept");
    engine.stop().await;
    drop(engine);
    assert_eq!(left(&home).await, ["gpt-4.1", "gpt-4.1-2025-04-14", "gpt-4o"]);
    rewrite(&folders(&home).cache_prices_file(), |prices| {
        prices["gpt-4o"]["backend:gone"] = serde_json::json!({"rates": {"input": 1}});
    });
    assert_eq!(left(&home).await, ["gpt-4.1", "gpt-4.1-2025-04-14"]);
}

/// A request of the last day that `up` answered with a thousand tokens of `llama`.
fn unpriced(number: u32) -> Settlement {
    let started = NOW.minus_ms(i64::from(number) * 60_000);
    let request = NewRequest {
        id: RequestId::generate(started, &SeededEntropy::new(u64::from(number))),
        started,
        client: ClientId::new("c").expect("a name"),
        project: None,
        route: "llama".to_owned(),
        model_asked: "llama".to_owned(),
        dialect: "openai-chat".to_owned(),
        streamed: false,
        purpose: Purpose::User,
    };
    let endpoint = Endpoint { backend: backend("up"), credential: None };
    let mut attempt = AttemptRecord::started(endpoint, "llama", started);
    let pricing = AttemptPricing {
        prices: Arc::new(PriceBook::default()),
        provider: None,
        backend: backend("up"),
        model: "llama".to_owned(),
    };
    let quantities = [(Meter::Input, 1_000)].into_iter().collect();
    attempt.set_cost(pricing.cost(&Usage { quantities, ..Usage::default() }, None, started));
    Settlement {
        outcome: RequestOutcome::Complete,
        backend: Some(backend("up")),
        cost: attempt.cost.clone(),
        attempts: vec![attempt],
        ..Settlement::unfinished(request)
    }
}

/// The purge is in force when the change returns, for the day's requests as for the cache.
#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_is_set_purges_its_model_at_once_and_prices_the_last_day() {
    let home = home().await;
    let engine = opened(&home).await;
    for number in 1..=300 {
        let settled = engine.ledger().settle_unawaited(unpriced(number));
        settled.expect("queued");
    }
    // A read waits only so long for what is queued, which a busy machine may exceed.
    engine.ledger().wait_until_folded().await;
    let rates = PriceTerms::flat(Rates::from_iter([(Meter::Input, Rate::new(2_000_000))]));
    let done = engine.price_editor().set(&backend("up"), "llama", rates).await.expect("set");
    assert_eq!(done.repriced, 300);
    let cache = engine.response_cache().cache().expect("a cache");
    assert!(!matches!(cache.get(&key("llama")).await, Lookup::Hit { .. }));
    assert!(matches!(cache.get(&key("gpt-4o")).await, Lookup::Hit { .. }));
    let day = NOW.minus_ms(24 * 3_600_000);
    let spend = engine.ledger().spend(day, NOW).await.expect("read");
    assert_eq!((spend.cost, spend.unpriced_requests), (NanoUsd::new(300 * 2_000), 0));
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_knows_the_old_prices_everything_is_purged() {
    let home = home().await;
    overwrite(&folders(&home).cache_prices_file(), "{");
    assert!(left(&home).await.is_empty());
}

#[test]
fn a_changed_list_of_models_makes_those_models_doubtful_and_another_change_the_backend() {
    let settings = BackendSettings {
        models: vec!["a".to_owned(), "b".to_owned()],
        ..backend_settings(BackendKind::OpenAiCompatible, "https://up.test/v1")
    };
    let of = |settings: &BackendSettings| IndexMap::from([(backend("up"), settings.clone())]);
    let check = |change: fn(&mut BackendSettings), expected: &[Purge]| {
        let mut now = settings.clone();
        change(&mut now);
        assert_eq!(purges_for_changed_settings(&of(&settings), &of(&now)), expected);
    };
    let model = |name: &str| Purge::Model(name.to_owned());
    check(|_| {}, &[]);
    check(|now| now.models.reverse(), &[]);
    check(|now| now.models = vec!["b".to_owned(), "c".to_owned()], &[model("a"), model("c")]);
    let whole = Purge::Backend(backend("up"));
    check(
        |now| now.base_url = "https://other.test/v1".parse().expect("a URL"),
        std::slice::from_ref(&whole),
    );
    assert_eq!(purges_for_changed_settings(&of(&settings), &IndexMap::new()), [whole]);
    assert_eq!(purges_for_changed_settings(&IndexMap::new(), &of(&settings)), []);
}
