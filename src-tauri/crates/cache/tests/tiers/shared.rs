//! The shared tier with a real server, started by the test in a temporary folder.
//!
//! Without one these tests are skipped; under `cargo xtask test`, which installs it, they fail.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use cache::{Cache, CacheConfig, CacheTier, Purge, PurgeIncomplete, SharedConfig};
use domain::{ManualClock, Secret};
use tempfile::TempDir;
use test_support::{find_program, skip_unless_strict};
use tokio::task::JoinSet;

use crate::fixture::{TTL, clock, config, entry, key, look, tags};

/// Time limit for background work on a busy machine.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Poll interval, and the step of the clock meanwhile: small enough that no answer expires within
/// [`WAIT_MAX`].
const POLL_INTERVAL: Duration = Duration::from_millis(1);
const CLOCK_STEP: Duration = Duration::from_millis(10);

/// Most connection attempts until a server listens; each takes from some microseconds to a timeout.
const ROUNDS_MAX: usize = 20_000;

/// A server on its own socket, stopped with the test.
struct RedisServer {
    folder: TempDir,
    child: Option<Child>,
    password: Option<&'static str>,
}

impl RedisServer {
    /// `None` if no server is installed; the test is then marked as skipped.
    fn start(password: Option<&'static str>) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let mut server = Self { folder, child: None, password };
        server.run().then_some(server)
    }

    fn run(&mut self) -> bool {
        let Some(program) = ["redis-server", "valkey-server"].into_iter().find_map(find_program)
        else {
            skip_unless_strict(
                "neither redis-server nor valkey-server is installed (apt install redis-server)",
            );
            return false;
        };
        let mut call = Command::new(program);
        call.args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(self.socket())
            .arg("--dir")
            .arg(self.folder.path())
            .stdout(Stdio::null());
        if let Some(password) = self.password {
            call.args(["--requirepass", password]);
        }
        self.child = Some(call.spawn().expect("the server starts"));
        while redis::Client::open(self.url()).expect("a URL").get_connection().is_err()
            && !self.socket().exists()
        {
            std::thread::yield_now();
        }
        true
    }

    fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("killed");
            child.wait().expect("ended");
        }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    fn url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// A direct connection for the test.
    fn raw(&self) -> redis::Connection {
        let client = redis::Client::open(self.url()).expect("a URL");
        let mut tries = 0;
        loop {
            match client.get_connection() {
                Ok(connection) => return connection,
                Err(error) => assert!(tries < ROUNDS_MAX, "{error}"),
            }
            tries += 1;
        }
    }

    /// A machine with a memory tier and this server.
    fn machine(&self) -> CacheMachine {
        let clock = clock();
        let password = self.password.map(|text| Secret::parse(text.to_owned()).expect("a secret"));
        let shared = Some(SharedConfig { url: self.url(), password });
        let cache =
            Cache::open(CacheConfig { shared, ..config(None) }, Arc::clone(&clock) as Arc<_>);
        let mut tending = JoinSet::new();
        let tended = cache.clone();
        tending.spawn(async move { tended.run_background().await });
        CacheMachine { cache, clock, _tending: tending }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
    }
}

struct CacheMachine {
    cache: Cache,
    clock: Arc<ManualClock>,
    _tending: JoinSet<()>,
}

impl CacheMachine {
    /// Waits until the server answers this machine, so that tickets have its marks.
    async fn reach(&self) {
        let reached = async {
            let _looked = look(&self.cache, 999).await;
            while !self.cache.stats().tiers[1].is_open {
                // A slow server is paused and retried later.
                self.clock.advance(CLOCK_STEP);
                tokio::time::sleep(POLL_INTERVAL).await;
                let _looked = look(&self.cache, 999).await;
            }
            // The first call may have started the epoch; the second has read it.
            let _looked = look(&self.cache, 999).await;
        };
        tokio::time::timeout(WAIT_MAX, reached).await.expect("the server answers");
    }

    /// Misses, then inserts an answer.
    async fn answer(&self, number: u64, text: &str) {
        self.reach().await;
        let cache::Lookup::Miss(ticket) = self.cache.get(&key(number)).await else {
            panic!("it was there");
        };
        self.cache.put(&key(number), ticket, tags(number), entry(text), TTL).expect("kept");
    }

    /// Looks up until the answer is there.
    async fn find(&self, number: u64) -> CacheTier {
        let found = async {
            loop {
                if let Some((_, tier)) = look(&self.cache, number).await {
                    return tier;
                }
                self.clock.advance(CLOCK_STEP);
                tokio::time::sleep(POLL_INTERVAL).await;
            }
        };
        tokio::time::timeout(WAIT_MAX, found).await.expect("it is there")
    }
}

#[tokio::test]
async fn what_one_machine_was_told_another_gets() {
    let Some(server) = RedisServer::start(None) else { return };
    let (a, b) = (server.machine(), server.machine());
    a.answer(1, "a marked answer ".repeat(20).as_str()).await;
    b.reach().await;
    assert_eq!(b.find(1).await, CacheTier::Shared);
    assert_eq!(b.find(1).await, CacheTier::Memory, "it came along");
    let mut raw = server.raw();
    let names: Vec<String> = redis::cmd("KEYS").arg("*").query(&mut raw).expect("names");
    assert_eq!(names.len(), 2, "{names:?}");
    for name in names {
        assert!(name.starts_with("gatehouse:cache:1:"), "{name}");
        if name.ends_with("purges") {
            continue;
        }
        let value: Vec<u8> = redis::cmd("GET").arg(&name).query(&mut raw).expect("a value");
        assert!(!value.windows(8).any(|bytes| bytes == b"a marked"), "it lies there in plain");
        let left: i64 = redis::cmd("PTTL").arg(&name).query(&mut raw).expect("a time");
        let ttl = i64::try_from(TTL.as_millis()).expect("small");
        assert!((1..=ttl).contains(&left), "{left}");
    }
}

#[tokio::test]
async fn a_purge_by_one_machine_holds_for_all() {
    let Some(server) = RedisServer::start(None) else { return };
    let purges = [
        Purge::All,
        Purge::Entry(key(1).address()),
        Purge::Backend(tags(1).backend),
        Purge::Model(tags(1).model),
        Purge::Model(tags(1).model_asked),
        Purge::Client(tags(1).client),
        Purge::Route(tags(1).route),
        Purge::OlderThan(domain::WallTime::from_unix_ms(i64::MAX)),
        // An earlier time after a later one has no effect.
        Purge::OlderThan(domain::WallTime::from_unix_ms(0)),
    ];
    for purge in purges {
        redis::cmd("FLUSHALL").exec(&mut server.raw()).expect("emptied");
        let (a, b, c) = (server.machine(), server.machine(), server.machine());
        if purge == Purge::OlderThan(domain::WallTime::from_unix_ms(0)) {
            a.reach().await;
            a.answer(1, "old").await;
            b.find(1).await;
            a.cache
                .purge(Purge::OlderThan(domain::WallTime::from_unix_ms(i64::MAX)))
                .await
                .expect("told");
        } else {
            a.answer(1, "old").await;
            b.find(1).await;
        }
        a.reach().await;
        a.cache.purge(purge.clone()).await.expect("told");
        c.reach().await;
        assert_eq!(look(&c.cache, 1).await, None, "{purge:?}");
        c.answer(1, "new").await;
        let d = server.machine();
        d.reach().await;
        d.find(1).await;
        assert_eq!(look(&d.cache, 1).await.map(|(text, _)| text), Some("new".into()), "{purge:?}");
    }
}

#[tokio::test]
async fn an_answer_under_way_on_another_machine_is_covered_too() {
    let Some(server) = RedisServer::start(None) else { return };
    let (a, b) = (server.machine(), server.machine());
    b.reach().await;
    let cache::Lookup::Miss(ticket) = b.cache.get(&key(1)).await else { panic!("not empty") };
    a.reach().await;
    a.cache.purge(Purge::All).await.expect("told");
    b.cache.put(&key(1), ticket, tags(1), entry("asked before the purge"), TTL).expect("kept here");
    b.answer(2, "asked after it").await;
    let c = server.machine();
    c.reach().await;
    // Answers are written in order, so the first is there when the second is.
    c.find(2).await;
    assert_eq!(look(&c.cache, 1).await, None);
}

#[tokio::test]
async fn a_server_that_is_gone_is_passed_by_and_hears_of_purges_when_it_is_back() {
    let Some(mut server) = RedisServer::start(None) else { return };
    let a = server.machine();
    a.answer(1, "old").await;
    let b = server.machine();
    b.find(1).await;
    server.stop();
    assert_eq!(look(&a.cache, 2).await, None, "a miss, not an error");
    a.cache
        .put(&key(2), a.cache.ticket(), tags(2), entry("while it was away"), TTL)
        .expect("kept in memory");
    assert_eq!(look(&a.cache, 2).await.map(|(_, tier)| tier), Some(CacheTier::Memory));
    let refused = a.cache.purge(Purge::Client(tags(1).client)).await;
    assert_eq!(refused, Err(PurgeIncomplete { tiers: vec![CacheTier::Shared] }));
    assert!(!a.cache.stats().tiers[1].is_open);
    assert_eq!(look(&a.cache, 1).await, None);
    // A restarted server is empty, since it persists nothing; restore the old state.
    assert!(server.run());
    a.clock.advance(Duration::from_secs(60));
    a.reach().await;
    let mut raw = server.raw();
    let marks: Vec<String> =
        redis::cmd("HKEYS").arg("gatehouse:cache:1:purges").query(&mut raw).expect("marks");
    assert!(marks.contains(&"client:c1".to_owned()), "{marks:?}");
}

#[tokio::test]
async fn what_is_damaged_or_of_a_lost_epoch_is_a_miss() {
    let Some(server) = RedisServer::start(None) else { return };
    let a = server.machine();
    a.answer(1, "one").await;
    a.answer(2, "two").await;
    server.machine().find(2).await;
    let mut raw = server.raw();
    let name = format!("gatehouse:cache:1:answer:{}", key(1).address());
    redis::cmd("SETRANGE").arg(&name).arg(30).arg("!").exec(&mut raw).expect("damaged");
    let b = server.machine();
    b.reach().await;
    assert_eq!(look(&b.cache, 1).await, None);
    assert_eq!(b.cache.stats().tiers[1].damaged, 1);
    let is_there: bool = redis::cmd("EXISTS").arg(&name).query(&mut raw).expect("told");
    assert!(!is_there, "it is removed");
    // The server evicts the marks, and with them all record of purges.
    redis::cmd("DEL").arg("gatehouse:cache:1:purges").exec(&mut raw).expect("lost");
    let c = server.machine();
    c.clock.advance(Duration::from_secs(1));
    c.reach().await;
    assert_eq!(look(&c.cache, 2).await, None);
}

#[tokio::test]
async fn a_password_is_given_and_a_wrong_one_is_a_bypass() {
    let Some(mut server) = RedisServer::start(Some("open-sesame")) else { return };
    let a = server.machine();
    a.answer(1, "one").await;
    server.machine().find(1).await;
    server.password = Some("another");
    let b = server.machine();
    assert_eq!(look(&b.cache, 1).await, None);
    assert!(!b.cache.stats().tiers[1].is_open);
}
