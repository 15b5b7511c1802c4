//! Stored answers, their lifetime and the size limits.

use std::sync::Arc;
use std::time::Duration;

use cache::{Cache, CacheConfig, CacheTier, DiskConfig, Lookup, NotStoredReason};
use domain::{Entropy, NanoUsd, SeededEntropy};

use crate::fixture::{ENTRY_BYTES_MAX, TTL, clock, config, entry, key, look, open, put, tags};

#[tokio::test]
async fn an_answer_comes_back_from_memory_and_after_a_restart_from_the_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = clock();
    let cache = open(folder.path(), &clock).await;
    assert!(look(&cache, 1).await.is_none());
    put(&cache, 1, entry("hello"));
    assert_eq!(look(&cache, 1).await, Some(("hello".into(), CacheTier::Memory)));
    drop(cache);
    let cache = open(folder.path(), &clock).await;
    let Lookup::Hit { entry: found, tier: CacheTier::Disk } = cache.get(&key(1)).await else {
        panic!("not on the disk");
    };
    assert_eq!(*found, entry("hello"));
    let chunks: Vec<_> = found.answer.chunks().collect();
    assert_eq!(chunks, ["data: ", "hello"]);
    assert_eq!(look(&cache, 1).await, Some(("hello".into(), CacheTier::Memory)), "it came along");
    let stats = cache.stats();
    assert_eq!((stats.lookups, stats.misses), (2, 0));
    assert_eq!((stats.saved, stats.saved_time), (NanoUsd::new(140), Duration::from_millis(1_800)));
    assert_eq!(stats.tiers.iter().map(|tier| tier.hits).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(stats.tiers.iter().map(|tier| tier.entries).collect::<Vec<_>>(), [Some(1), Some(1)]);
}

#[tokio::test]
async fn an_answer_lives_as_long_as_was_said_in_every_tier() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = clock();
    let cache = open(folder.path(), &clock).await;
    put(&cache, 1, entry("hello"));
    put(&cache, 2, entry("hello"));
    cache.flush().await;
    clock.advance(TTL - Duration::from_millis(1));
    assert_eq!(look(&cache, 1).await.map(|(_, tier)| tier), Some(CacheTier::Memory));
    drop(cache);
    let cache = open(folder.path(), &clock).await;
    assert_eq!(look(&cache, 1).await.map(|(_, tier)| tier), Some(CacheTier::Disk));
    clock.advance(Duration::from_millis(1));
    assert_eq!(look(&cache, 1).await, None, "memory");
    assert_eq!(look(&cache, 2).await, None, "disk");
    drop(cache);
    let cache = open(folder.path(), &clock).await;
    assert_eq!(cache.stats().tiers[1].entries, Some(0), "and leaves the file");
}

#[tokio::test]
async fn a_clock_that_is_set_back_gives_no_longer_life() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = clock();
    let cache = open(folder.path(), &clock).await;
    put(&cache, 1, entry("hello"));
    drop(cache);
    clock.set_wall(domain::WallTime::from_unix_ms(0));
    let cache = open(folder.path(), &clock).await;
    assert!(look(&cache, 1).await.is_some());
    clock.advance(TTL);
    assert_eq!(look(&cache, 1).await.map(|(_, tier)| tier), Some(CacheTier::Disk), "begins again");
    clock.advance(TTL - Duration::from_millis(1));
    assert_eq!(look(&cache, 1).await.map(|(_, tier)| tier), Some(CacheTier::Memory));
}

#[tokio::test]
async fn an_answer_at_the_limit_is_kept_and_a_larger_one_is_not() {
    let cache = Cache::open(config(None), clock());
    let text = |bytes: usize| "x".repeat(bytes - "data: ".len());
    put(&cache, 1, entry(&text(ENTRY_BYTES_MAX)));
    let refused =
        cache.put(&key(2), cache.ticket(), tags(2), entry(&text(ENTRY_BYTES_MAX + 1)), TTL);
    assert_eq!(refused, Err(NotStoredReason::TooLarge));
    assert!(look(&cache, 1).await.is_some() && look(&cache, 2).await.is_none());
    assert_eq!(cache.stats().not_kept, [(NotStoredReason::TooLarge, 1)]);
}

#[tokio::test]
async fn memory_and_file_hold_no_more_than_they_may() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = clock();
    let disk = DiskConfig { path: folder.path().join("cache.sqlite"), bytes_max: 1_000_000 };
    let config = CacheConfig { memory_bytes_max: 500_000, disk: Some(disk), ..config(None) };
    let cache = Cache::open(config, Arc::clone(&clock) as Arc<_>);
    cache.flush().await;
    let entropy = SeededEntropy::new(7);
    for number in 0..400 {
        // Incompressible.
        let mut noise = vec![0; 5_000];
        entropy.fill(&mut noise);
        let text: String = noise.iter().map(|byte| char::from(b'!' + byte % 90)).collect();
        put(&cache, number, entry(&text));
        clock.advance(Duration::from_millis(1));
        if number % 20 == 0 {
            cache.flush().await;
        }
        // This one is used all the time.
        assert!(look(&cache, 0).await.is_some(), "{number}");
        let stats = cache.stats();
        assert!(stats.tiers[0].bytes <= Some(500_000), "{stats:?}");
        assert!(stats.tiers[1].bytes <= Some(1_000_000), "{stats:?}");
    }
    cache.flush().await;
    let entries = cache.stats().tiers[1].entries.expect("counted");
    assert!((150..=300).contains(&entries), "{entries} of 400");
    drop(cache);
    let cache = open(folder.path(), &clock).await;
    assert_eq!(look(&cache, 0).await.map(|(_, tier)| tier), Some(CacheTier::Disk), "used last");
    assert!(look(&cache, 399).await.is_some(), "new");
    assert!(look(&cache, 1).await.is_none(), "old and unused");
    let bytes = std::fs::metadata(folder.path().join("cache.sqlite")).expect("the file").len();
    assert!(bytes < 1_500_000, "{bytes} bytes");
}

#[tokio::test]
async fn a_new_answer_takes_the_place_of_the_old_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = clock();
    let cache = open(folder.path(), &clock).await;
    put(&cache, 1, entry("old"));
    put(&cache, 1, entry("new"));
    assert_eq!(look(&cache, 1).await.map(|(text, _)| text), Some("new".into()));
    drop(cache);
    let cache = open(folder.path(), &clock).await;
    assert_eq!(look(&cache, 1).await.map(|(text, _)| text), Some("new".into()));
    assert_eq!(cache.stats().tiers[1].entries, Some(1));
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_the_users_alone_and_shows_no_answer() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let inner = folder.path().join("data");
    let cache = open(&inner, &clock()).await;
    put(&cache, 1, entry(&"a marked answer that repeats ".repeat(50)));
    cache.flush().await;
    let mode = |path: &std::path::Path| {
        std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    };
    assert_eq!(mode(&inner), 0o700);
    let mut seen = 0;
    for file in std::fs::read_dir(&inner).expect("a folder") {
        let path = file.expect("a file").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        let content = std::fs::read(&path).expect("readable");
        let has_mark = content.windows(8).any(|bytes| bytes == b"a marked");
        assert!(!has_mark, "{}", path.display());
        seen += content.len();
    }
    assert!(seen > 1_000);
    assert_eq!(cache.stats().tiers[1].entries, Some(1));
}
