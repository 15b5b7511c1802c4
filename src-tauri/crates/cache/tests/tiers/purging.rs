//! After a purge nothing that it covers is read again, whatever is in flight.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use cache::{Cache, InsertTicket, Lookup, NotStoredReason, Purge};
use domain::{BackendId, ClientId};

use crate::fixture::{TTL, clock, config, entry, key, look, open, put, tags};

fn backend(name: &str) -> Purge {
    Purge::Backend(BackendId::new(name).expect("a name"))
}

fn client(name: &str) -> Purge {
    Purge::Client(ClientId::new(name).expect("a name"))
}

#[tokio::test]
async fn each_purge_takes_what_it_names_and_leaves_the_rest() {
    let cases = [
        backend("b1"),
        Purge::Model("asked1".to_owned()),
        Purge::Model("model1".to_owned()),
        client("c1"),
        Purge::Route("r1".to_owned()),
        Purge::Entry(key(1).address()),
    ];
    for purge in cases {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = clock();
        let cache = open(folder.path(), &clock).await;
        put(&cache, 1, entry("one"));
        put(&cache, 2, entry("two"));
        cache.purge(purge.clone()).await.expect("purged");
        assert!(look(&cache, 1).await.is_none(), "{purge:?}");
        assert!(look(&cache, 2).await.is_some(), "{purge:?}");
        drop(cache);
        let cache = open(folder.path(), &clock).await;
        assert!(look(&cache, 1).await.is_none(), "{purge:?} after a restart");
        assert!(look(&cache, 2).await.is_some(), "{purge:?} after a restart");
        put(&cache, 1, entry("again"));
        assert!(look(&cache, 1).await.is_some(), "{purge:?} is no ban");
    }
}

#[tokio::test]
async fn a_purge_holds_before_it_is_waited_for() {
    let cache = Cache::open(config(None), clock());
    put(&cache, 1, entry("one"));
    let waiting = cache.purge(Purge::Model("model1".to_owned()));
    assert!(look(&cache, 1).await.is_none());
    waiting.await.expect("purged");
}

#[tokio::test]
async fn the_models_on_the_disk_are_listed_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = open(folder.path(), &clock()).await;
    put(&cache, 1, entry("one"));
    put(&cache, 1, entry("again"));
    put(&cache, 2, entry("two"));
    assert_eq!(cache.models().await, ["asked1", "asked2", "model1", "model2"]);
    assert!(Cache::open(config(None), clock()).models().await.is_empty());
}

#[tokio::test]
async fn purges_by_age_and_of_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = clock();
    let cache = open(folder.path(), &clock).await;
    put(&cache, 1, entry("one"));
    clock.advance(Duration::from_secs(10));
    put(&cache, 2, entry("two"));
    let wall = domain::Clock::wall(&*clock);
    cache.purge(Purge::OlderThan(wall)).await.expect("purged");
    assert!(look(&cache, 1).await.is_none() && look(&cache, 2).await.is_some());
    cache.purge(Purge::All).await.expect("purged");
    assert!(look(&cache, 2).await.is_none());
    let stats = cache.stats();
    assert_eq!((stats.tiers[0].entries, stats.tiers[1].entries), (Some(0), Some(0)));
    assert_eq!(stats.tiers[1].bytes, Some(0));
}

#[tokio::test]
async fn an_answer_under_way_when_its_purge_came_is_not_kept() {
    let cache = Cache::open(config(None), clock());
    let ticket = cache.ticket();
    let other = cache.ticket();
    cache.purge(backend("b1")).await.expect("purged");
    assert_eq!(
        cache.put(&key(1), ticket, tags(1), entry("old"), TTL),
        Err(NotStoredReason::Purged)
    );
    assert_eq!(cache.put(&key(2), other, tags(2), entry("not covered"), TTL), Ok(()));
    assert_eq!(cache.put(&key(1), cache.ticket(), tags(1), entry("new"), TTL), Ok(()));
    assert_eq!(look(&cache, 1).await.map(|(text, _)| text), Some("new".into()));
}

#[tokio::test]
async fn more_rules_than_are_remembered_become_one_that_covers_everything() {
    let cache = Cache::open(config(None), clock());
    put(&cache, 1, entry("one"));
    let before = cache.ticket();
    for number in 0..=cache::PURGE_RULES_MAX {
        assert!(number > 0 || look(&cache, 1).await.is_some());
        cache.purge(Purge::Model(format!("other{number}"))).await.expect("purged");
    }
    assert!(look(&cache, 1).await.is_none());
    assert_eq!(
        cache.put(&key(2), before, tags(2), entry("old"), TTL),
        Err(NotStoredReason::Purged)
    );
}

#[tokio::test]
async fn a_file_that_cannot_be_purged_is_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = clock();
    let cache = open(folder.path(), &clock).await;
    put(&cache, 1, entry("one"));
    cache.flush().await;
    // Another program holds the file for longer than the busy timeout.
    let path = folder.path().join("cache.sqlite");
    let other = rusqlite::Connection::open(&path).expect("a connection");
    other.execute_batch("BEGIN EXCLUSIVE").expect("held");
    cache.purge(backend("b1")).await.expect("purged");
    drop(other);
    drop(cache);
    let cache = open(folder.path(), &clock).await;
    assert!(look(&cache, 1).await.is_none());
}

/// State shared by readers, writers and the purger. The text of an answer is the world's version at
/// its request; after a purge returns, every answer served must have the new version.
struct PurgeRace {
    cache: Cache,
    version: AtomicU64,
    purged: AtomicU64,
    stale: AtomicU64,
    reads: AtomicU64,
    is_over: AtomicBool,
}

const KEYS: u64 = 8;

impl PurgeRace {
    /// Looks up and, on a miss, queries a slow world.
    async fn ask(&self, number: u64) {
        // The version guaranteed by a purge that returned before this lookup.
        let promised = self.purged.load(Ordering::SeqCst);
        match self.cache.get(&key(number)).await {
            Lookup::Hit { entry, .. } => {
                let text =
                    std::str::from_utf8(&entry.answer.bytes()[6..]).expect("text").to_owned();
                let version: u64 = text.parse().expect("a version");
                self.reads.fetch_add(1, Ordering::SeqCst);
                if version < promised {
                    self.stale.fetch_add(1, Ordering::SeqCst);
                }
            }
            Lookup::Miss(ticket) => self.answer(number, ticket).await,
        }
    }

    async fn answer(&self, number: u64, ticket: InsertTicket) {
        let version = self.version.load(Ordering::SeqCst);
        for _ in 0..number {
            tokio::task::yield_now().await;
        }
        let _purged_meanwhile =
            self.cache.put(&key(number), ticket, tags(1), entry(&version.to_string()), TTL);
    }
}

async fn race(cache: Cache, purges: u64) -> Arc<PurgeRace> {
    let race = Arc::new(PurgeRace {
        cache,
        version: AtomicU64::new(0),
        purged: AtomicU64::new(0),
        stale: AtomicU64::new(0),
        reads: AtomicU64::new(0),
        is_over: AtomicBool::new(false),
    });
    let mut asking = tokio::task::JoinSet::new();
    for writer in 0..4 {
        let race = Arc::clone(&race);
        asking.spawn(async move {
            let mut number = writer;
            while !race.is_over.load(Ordering::SeqCst) {
                race.ask(number % KEYS).await;
                number += 1;
            }
        });
    }
    for purge in 0..purges {
        let version = race.version.fetch_add(1, Ordering::SeqCst) + 1;
        let what = match purge % 4 {
            0 => Purge::All,
            1 => backend("b1"),
            2 => Purge::Model("model1".to_owned()),
            _ => client("c1"),
        };
        race.cache.purge(what).await.expect("purged");
        race.purged.store(version, Ordering::SeqCst);
        let reads = race.reads.load(Ordering::SeqCst);
        while race.reads.load(Ordering::SeqCst) < reads + 20 {
            tokio::task::yield_now().await;
        }
    }
    race.is_over.store(true, Ordering::SeqCst);
    asking.join_all().await;
    race
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_stale_read_after_a_purge_while_threads_race() {
    const PURGES: u64 = 200;
    let race = race(Cache::open(config(None), clock()), PURGES).await;
    let (stale, reads) = (race.stale.load(Ordering::SeqCst), race.reads.load(Ordering::SeqCst));
    println!("{reads} hits around {PURGES} purges, {stale} stale");
    assert_eq!(stale, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_stale_read_from_the_disk_either() {
    const PURGES: u64 = 40;
    let folder = tempfile::tempdir().expect("a folder");
    let clock = clock();
    let mut config = config(Some(folder.path()));
    // The memory tier holds nothing, so answers come from disk.
    config.memory_bytes_max = 1;
    let cache = Cache::open(config, Arc::clone(&clock) as Arc<_>);
    cache.flush().await;
    let race = race(cache, PURGES).await;
    let from_disk = race.cache.stats().tiers[1].hits;
    let (stale, reads) = (race.stale.load(Ordering::SeqCst), race.reads.load(Ordering::SeqCst));
    println!("{reads} hits, {from_disk} from the disk, around {PURGES} purges, {stale} stale");
    assert!(from_disk > PURGES);
    assert_eq!(stale, 0);
}
