//! The hit rate of a usual day.
//!
//! 20,000 lookups over 2,000 questions with a fixed seed: 80 % ask one of the most frequent 20 % of
//! the questions, 20 % one of the others, both evenly. Each question reaches the backend at most
//! once if everything fits, so at most 10 % are first requests and 90 % can be hits.

use cache::{Cache, CacheConfig, Lookup};
use domain::{Entropy, SeededEntropy};

use crate::fixture::{TTL, clock, config, entry, key, tags};

const QUESTIONS: u64 = 2_000;
const LOOKUPS: u64 = 20_000;

async fn hit_percent(cache: &Cache) -> u64 {
    let entropy = SeededEntropy::new(80_20);
    let draw = |below: u64| {
        let mut bytes = [0; 8];
        entropy.fill(&mut bytes);
        u64::from_le_bytes(bytes) % below
    };
    let often = QUESTIONS / 5;
    let mut hits = 0;
    for lookup in 0..LOOKUPS {
        // Requests do not outpace the disk for long.
        if lookup % 100 == 0 {
            cache.flush().await;
        }
        let number = if draw(100) < 80 { draw(often) } else { often + draw(QUESTIONS - often) };
        match cache.get(&key(number)).await {
            Lookup::Hit { .. } => hits += 1,
            Lookup::Miss(ticket) => {
                let answer = entry(&"x".repeat(1_000));
                cache.put(&key(number), ticket, tags(1), answer, TTL).expect("kept");
            }
        }
    }
    hits * 100 / LOOKUPS
}

#[tokio::test]
async fn an_80_20_draw_hits_at_least_80_percent_if_everything_fits() {
    let cache = Cache::open(config(None), clock());
    let percent = hit_percent(&cache).await;
    println!("{percent} % hits");
    assert!(percent >= 80);
}

#[tokio::test]
async fn with_memory_for_a_third_the_file_has_the_rest() {
    let folder = tempfile::tempdir().expect("a folder");
    let small = CacheConfig { memory_bytes_max: 1_200_000, ..config(Some(folder.path())) };
    let cache = Cache::open(small, clock());
    cache.flush().await;
    let percent = hit_percent(&cache).await;
    let stats = cache.stats();
    println!("{percent} % hits, {:?}", stats.tiers);
    assert!(percent >= 80);
    assert!(stats.tiers[0].hits > 2 * stats.tiers[1].hits, "what is asked often lies in memory");
}
