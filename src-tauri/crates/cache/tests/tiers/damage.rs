//! Damaged data is a miss and is removed.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use cache::{Cache, CacheConfig, CacheTier, DiskConfig};
use rusqlite::Connection;

use crate::fixture::{clock, config, entry, look, open, put};

fn file(folder: &Path) -> std::path::PathBuf {
    folder.join("cache.sqlite")
}

/// Content of the cache's file path.
enum DamagedContent {
    Bytes(Vec<u8>),
    Sql(String),
}

fn overwrite(path: &Path, bytes: &[u8]) {
    let mut file = File::create(path).expect("a file");
    file.write_all(bytes).expect("written");
}

/// A folder with a closed cache of ten answers.
async fn filled() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = open(folder.path(), &clock()).await;
    (0..10).for_each(|number| put(&cache, number, entry(&format!("answer {number}"))));
    cache.flush().await;
    folder
}

#[tokio::test]
async fn a_row_whose_bytes_changed_is_a_miss_and_is_removed() {
    let folder = filled().await;
    let rows = Connection::open(file(folder.path())).expect("a connection");
    let numbers: Vec<i64> = rows
        .prepare("SELECT number FROM entries ORDER BY number")
        .expect("a statement")
        .query_map([], |row| row.get(0))
        .expect("rows")
        .map(|number| number.expect("a number"))
        .collect();
    let change = |number: i64, change: &dyn Fn(&mut Vec<u8>)| {
        let read = "SELECT sealed FROM entries WHERE number = ?1";
        let mut sealed: Vec<u8> = rows.query_row(read, [number], |row| row.get(0)).expect("a row");
        change(&mut sealed);
        rows.execute("UPDATE entries SET sealed = ?2 WHERE number = ?1", (number, sealed))
            .expect("changed");
    };
    change(numbers[0], &|sealed| sealed[0] ^= 1);
    change(numbers[1], &|sealed| *sealed.last_mut().expect("bytes") ^= 0x80);
    change(numbers[2], &|sealed| sealed.truncate(20));
    change(numbers[3], &Vec::clear);
    change(numbers[4], &|sealed| {
        let middle = sealed.len() / 2;
        sealed[middle] ^= 4;
    });
    // Swaps two intact rows.
    let swap = "UPDATE entries SET sealed = (SELECT sealed FROM entries WHERE number = ?2) \
                WHERE number = ?1";
    rows.execute(swap, (numbers[5], numbers[6])).expect("changed");
    drop(rows);
    let cache = open(folder.path(), &clock()).await;
    for number in 0..6 {
        assert_eq!(look(&cache, number).await, None, "{number}");
    }
    for number in 6..10 {
        let text = format!("answer {number}").into();
        assert_eq!(look(&cache, number).await, Some((text, CacheTier::Disk)));
    }
    cache.flush().await;
    let disk = cache.stats().tiers[1].clone();
    assert_eq!((disk.entries, disk.damaged), (Some(4), 6));
}

#[tokio::test]
async fn a_file_that_is_no_cache_is_moved_aside_and_a_new_one_begun() {
    let marks = "CREATE TABLE entries (x); PRAGMA application_id = 1195463747";
    let contents = [
        ("text", DamagedContent::Bytes(b"this is no database".to_vec())),
        ("noise", DamagedContent::Bytes(vec![0x5a; 50_000])),
        ("another program's", DamagedContent::Sql("CREATE TABLE entries (x)".to_owned())),
        ("another format", DamagedContent::Sql(format!("{marks}; PRAGMA user_version = 999"))),
        (
            "our marks, other tables",
            DamagedContent::Sql(format!("{marks}; PRAGMA user_version = 1")),
        ),
    ];
    for (what, make) in contents {
        let folder = tempfile::tempdir().expect("a folder");
        let path = file(folder.path());
        match make {
            DamagedContent::Bytes(bytes) => overwrite(&path, &bytes),
            DamagedContent::Sql(sql) => {
                let other = Connection::open(&path).expect("a database");
                other.execute_batch(&sql).expect("made");
            }
        }
        let cache = open(folder.path(), &clock()).await;
        assert!(cache.stats().tiers[1].is_open, "{what}");
        put(&cache, 1, entry("hello"));
        drop(cache);
        let cache = open(folder.path(), &clock()).await;
        assert_eq!(look(&cache, 1).await.map(|(_, tier)| tier), Some(CacheTier::Disk), "{what}");
        assert!(folder.path().join("cache.sqlite.damaged").exists(), "{what}");
    }
}

#[tokio::test]
async fn a_page_that_is_damaged_costs_the_file_and_never_an_answer() {
    let folder = filled().await;
    let path = file(folder.path());
    let mut bytes = std::fs::read(&path).expect("readable");
    let page = 4_096;
    assert!(bytes.len() > 3 * page);
    bytes[page..].fill(0xff);
    overwrite(&path, &bytes);
    let cache = open(folder.path(), &clock()).await;
    for number in 0..10 {
        assert_eq!(look(&cache, number).await, None);
    }
    put(&cache, 1, entry("again"));
    cache.flush().await;
    drop(cache);
    let cache = open(folder.path(), &clock()).await;
    assert_eq!(look(&cache, 1).await.map(|(text, _)| text), Some("again".into()));
}

#[tokio::test]
async fn without_a_usable_folder_memory_serves_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let in_the_way = folder.path().join("file");
    overwrite(&in_the_way, b"not a folder");
    let disk = DiskConfig { path: in_the_way.join("cache.sqlite"), bytes_max: 1_000_000 };
    let clock = clock();
    let cache =
        Cache::open(CacheConfig { disk: Some(disk), ..config(None) }, Arc::clone(&clock) as Arc<_>);
    put(&cache, 1, entry("hello"));
    cache.flush().await;
    assert_eq!(look(&cache, 1).await.map(|(_, tier)| tier), Some(CacheTier::Memory));
    assert!(!cache.stats().tiers[1].is_open);
    // The tier works once the file is usable.
    std::fs::remove_file(&in_the_way).expect("removed");
    clock.advance(std::time::Duration::from_secs(5));
    put(&cache, 2, entry("hello"));
    cache.flush().await;
    let disk = cache.stats().tiers[1].clone();
    assert_eq!((disk.is_open, disk.entries), (true, Some(1)));
}
