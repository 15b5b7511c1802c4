//! The vault over a scripted store that waits, fails and panics. Time is virtual throughout.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use domain::{ManualClock, Secret, WallTime};
use parking_lot::Condvar;
use tokio::task::JoinSet;

use super::*;
use crate::read_cache::CACHE_SECS_MAX;
use crate::{Damage, FileStore, LockReason, MemoryStore};

/// The calls that wait until they are released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum HeldCalls {
    #[default]
    Nothing,
    Writes,
    Everything,
}

/// Yields during a write, so that concurrent writes would overlap.
const YIELDS_IN_A_WRITE: usize = 200;

/// A memory store with scripted waits and errors.
#[derive(Default)]
struct ScriptedStore {
    is_file: bool,
    items: MemoryStore,
    failures: Mutex<VecDeque<VaultError>>,
    calls: AtomicUsize,
    writers: AtomicUsize,
    writers_at_once: AtomicUsize,
    entered: Option<Arc<Semaphore>>,
    held: Mutex<HeldCalls>,
    released: Condvar,
}

impl ScriptedStore {
    fn call(&self, held_by: &[HeldCalls]) -> Result<(), VaultError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if let Some(entered) = &self.entered {
            entered.add_permits(1);
        }
        let mut held = self.held.lock();
        while held_by.contains(&held) {
            self.released.wait(&mut held);
        }
        drop(held);
        self.failures.lock().pop_front().map_or(Ok(()), Err)
    }

    fn read(&self) -> Result<(), VaultError> {
        self.call(&[HeldCalls::Everything])
    }

    fn write(&self) -> Result<(), VaultError> {
        let writers = self.writers.fetch_add(1, Ordering::SeqCst) + 1;
        self.writers_at_once.fetch_max(writers, Ordering::SeqCst);
        let outcome = self.call(&[HeldCalls::Everything, HeldCalls::Writes]);
        (0..YIELDS_IN_A_WRITE).for_each(|_| std::thread::yield_now());
        self.writers.fetch_sub(1, Ordering::SeqCst);
        outcome
    }
}

impl SecretStore for ScriptedStore {
    fn kind(&self) -> VaultKind {
        if self.is_file { VaultKind::File } else { VaultKind::Keychain }
    }
    fn put(&self, id: &CredentialId, secret: &BoundSecret) -> Result<(), VaultError> {
        self.write()?;
        self.items.put(id, secret)
    }
    fn get(&self, id: &CredentialId) -> Result<BoundSecret, VaultError> {
        self.read()?;
        self.items.get(id)
    }
    fn remove(&self, id: &CredentialId) -> Result<(), VaultError> {
        self.write()?;
        self.items.remove(id)
    }
    fn probe(&self) -> Result<(), VaultError> {
        self.read()
    }
}

/// A vault over a scripted store. Releases the store when dropped, so that no thread outlives a
/// test.
struct VaultFixture {
    vault: Vault,
    store: Arc<ScriptedStore>,
    clock: Arc<ManualClock>,
    entered: Arc<Semaphore>,
}

impl VaultFixture {
    fn new() -> Self {
        Self::over(ScriptedStore::default())
    }

    fn over(store: ScriptedStore) -> Self {
        let entered = Arc::new(Semaphore::new(0));
        let store = Arc::new(ScriptedStore { entered: Some(Arc::clone(&entered)), ..store });
        let clock = Arc::new(ManualClock::starting_at(WallTime::default()));
        for key in ["a", "b", "c", "d", "e", "f"] {
            store.items.put(&id(key), &secret(&format!("sk-{key}"))).expect("small");
        }
        Self {
            vault: Vault::new(Arc::clone(&store) as _, Arc::clone(&clock) as _),
            store,
            clock,
            entered,
        }
    }

    fn hold(&self, held: HeldCalls) {
        *self.store.held.lock() = held;
    }

    fn release(&self) {
        *self.store.held.lock() = HeldCalls::Nothing;
        self.store.released.notify_all();
    }

    /// Waits until `count` more calls have reached the store.
    async fn reached(&self, count: u32) {
        self.entered.acquire_many(count).await.expect("open").forget();
    }

    /// Waits until no call is left on the store, not even an abandoned one: each returns its permit
    /// at its end.
    async fn all_ended(&self) {
        let all = u32::try_from(CALLS_AT_ONCE_MAX).expect("few");
        drop(self.vault.shared().permits.acquire_many(all).await.expect("open"));
    }

    fn calls(&self) -> usize {
        self.store.calls.load(Ordering::SeqCst)
    }

    fn fail_next(&self, error: VaultError) {
        self.store.failures.lock().push_back(error);
    }

    /// Starts a read in the background.
    fn read(&self, tasks: &mut JoinSet<SecretResult>, key: &'static str) {
        let vault = self.vault.clone();
        tasks.spawn(async move { vault.get(&id(key)).await });
    }

    /// Makes the store hang under one read, and waits until that read has failed.
    async fn hang(&self) {
        self.hold(HeldCalls::Everything);
        let mut tasks = JoinSet::new();
        self.read(&mut tasks, "a");
        self.reached(1).await;
        tokio::time::advance(Duration::from_millis(CALL_MS_MAX)).await;
        assert!(matches!(tasks.join_next().await, Some(Ok(Err(VaultError::Hung)))));
        assert_eq!(self.vault.state(), VaultState::Hung);
    }
}

impl Drop for VaultFixture {
    fn drop(&mut self) {
        self.release();
    }
}

/// The result of a future that must be ready at once.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("it waited for something"),
    }
}

fn id(text: &str) -> CredentialId {
    CredentialId::new(text).expect("an id")
}

fn secret(text: &str) -> BoundSecret {
    BoundSecret::new(Secret::parse(text.to_owned()).expect("a good secret"), None)
}

#[tokio::test(start_paused = true)]
async fn a_value_is_read_once_and_again_when_its_time_is_over() {
    let bench = VaultFixture::new();
    assert_eq!(*bench.vault.get(&id("a")).await.expect("there"), secret("sk-a"));
    bench.clock.advance(Duration::from_secs(CACHE_SECS_MAX - 1));
    bench.vault.get(&id("a")).await.expect("there");
    assert_eq!(bench.calls(), 1);
    bench.clock.advance(Duration::from_secs(1));
    bench.vault.get(&id("a")).await.expect("there");
    assert_eq!(bench.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_known_value_comes_without_leaving_the_thread_even_when_the_store_hangs() {
    let bench = VaultFixture::new();
    bench.vault.get(&id("b")).await.expect("there");
    bench.reached(1).await;
    bench.hang().await;
    assert_eq!(*at_once(bench.vault.get(&id("b"))).expect("known"), secret("sk-b"));
}

#[tokio::test(start_paused = true)]
async fn an_expired_value_leaves_memory_without_being_asked_for() {
    let bench = VaultFixture::new();
    let held = Arc::downgrade(&bench.vault.get(&id("a")).await.expect("there"));
    bench.clock.advance(Duration::from_secs(CACHE_SECS_MAX - 1));
    bench.vault.drop_expired();
    assert!(held.upgrade().is_some());
    bench.clock.advance(Duration::from_secs(1));
    bench.vault.drop_expired();
    assert!(held.upgrade().is_none(), "the value is still somewhere");
}

#[tokio::test(start_paused = true)]
async fn readers_of_one_key_share_one_call() {
    let bench = VaultFixture::new();
    bench.hold(HeldCalls::Everything);
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        bench.read(&mut tasks, "a");
    }
    bench.reached(1).await;
    bench.release();
    for reading in tasks.join_all().await {
        assert_eq!(*reading.expect("there"), secret("sk-a"));
    }
    assert_eq!(bench.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn when_the_first_reader_gives_up_the_next_reads() {
    let bench = VaultFixture::new();
    bench.hold(HeldCalls::Everything);
    let mut leader = JoinSet::new();
    bench.read(&mut leader, "a");
    bench.reached(1).await;
    let mut follower = JoinSet::new();
    bench.read(&mut follower, "a");
    tokio::task::yield_now().await;
    leader.shutdown().await;
    bench.reached(1).await;
    bench.release();
    assert!(matches!(follower.join_next().await, Some(Ok(Ok(_)))));
    assert_eq!(bench.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_has_its_time_to_the_last_millisecond() {
    let bench = VaultFixture::new();
    bench.hold(HeldCalls::Everything);
    let mut tasks = JoinSet::new();
    bench.read(&mut tasks, "a");
    bench.reached(1).await;
    tokio::time::advance(Duration::from_millis(CALL_MS_MAX - 1)).await;
    tokio::task::yield_now().await;
    assert!(tasks.try_join_next().is_none(), "it gave up early");
    tokio::time::advance(Duration::from_millis(1)).await;
    assert!(matches!(tasks.join_next().await, Some(Ok(Err(VaultError::Hung)))));
}

#[tokio::test(start_paused = true)]
async fn the_file_vault_has_time_to_derive_its_key() {
    let bench = VaultFixture::over(ScriptedStore { is_file: true, ..ScriptedStore::default() });
    bench.hold(HeldCalls::Everything);
    let mut tasks = JoinSet::new();
    bench.read(&mut tasks, "a");
    bench.reached(1).await;
    tokio::time::advance(Duration::from_millis(FILE_CALL_MS_MAX - 1)).await;
    tokio::task::yield_now().await;
    assert!(tasks.try_join_next().is_none(), "it gave up early");
    tokio::time::advance(Duration::from_millis(1)).await;
    assert!(matches!(tasks.join_next().await, Some(Ok(Err(VaultError::Hung)))));
}

#[tokio::test(start_paused = true)]
async fn after_a_hang_calls_fail_at_once_and_one_in_each_slot_looks_again() {
    let bench = VaultFixture::new();
    bench.hang().await;
    bench.clock.advance(Duration::from_secs(RECHECK_SECS) - Duration::from_micros(1));
    assert!(matches!(at_once(bench.vault.get(&id("b"))), Err(VaultError::Hung)));
    assert!(matches!(at_once(bench.vault.probe()), Err(VaultError::Hung)));
    assert_eq!(bench.calls(), 1, "a call got through before its time");

    bench.clock.advance(Duration::from_micros(1));
    let mut tasks = JoinSet::new();
    bench.read(&mut tasks, "b");
    bench.reached(1).await;
    assert!(matches!(at_once(bench.vault.get(&id("c"))), Err(VaultError::Hung)));
    assert_eq!(bench.calls(), 2, "two calls got through in one slot");
    bench.release();
    assert!(matches!(tasks.join_next().await, Some(Ok(Ok(_)))));
    assert_eq!(bench.vault.state(), VaultState::Ready);
    bench.vault.get(&id("c")).await.expect("open again");
}

#[tokio::test(start_paused = true)]
async fn a_hanging_store_never_holds_more_threads_than_the_limit() {
    let bench = VaultFixture::new();
    bench.hold(HeldCalls::Everything);
    let mut tasks = JoinSet::new();
    for key in ["a", "b", "c", "d", "e", "f"] {
        bench.read(&mut tasks, key);
    }
    bench.reached(4).await;
    tokio::time::advance(Duration::from_millis(CALL_MS_MAX)).await;
    for reading in tasks.join_all().await {
        assert!(matches!(reading, Err(VaultError::Hung)));
    }
    let (state, ()) = tokio::join!(bench.vault.recheck(), async {
        tokio::time::advance(Duration::from_millis(CALL_MS_MAX)).await;
    });
    assert_eq!(state, VaultState::Hung);
    assert_eq!(bench.calls(), CALLS_AT_ONCE_MAX);
}

#[tokio::test(start_paused = true)]
async fn a_recheck_looks_at_once_and_reopens() {
    let bench = VaultFixture::new();
    bench.hang().await;
    bench.release();
    assert_eq!(bench.vault.recheck().await, VaultState::Ready);
    bench.vault.get(&id("a")).await.expect("open again");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_late_reopens_the_vault_without_a_new_question() {
    let bench = VaultFixture::new();
    bench.hang().await;
    bench.release();
    bench.all_ended().await;
    assert_eq!((bench.vault.state(), bench.calls()), (VaultState::Ready, 1));
    bench.vault.get(&id("a")).await.expect("open again");
}

#[tokio::test(start_paused = true)]
async fn silence_found_out_late_does_not_hide_a_newer_answer() {
    let bench = VaultFixture::new();
    bench.hang().await;
    bench.hold(HeldCalls::Writes); // A newer read passes; the old one still waits for the store.
    assert_eq!(bench.vault.recheck().await, VaultState::Ready);
    bench.fail_next(VaultError::Hung);
    bench.release();
    bench.all_ended().await;
    assert_eq!(bench.vault.state(), VaultState::Ready);
}

#[tokio::test(start_paused = true)]
async fn a_write_drops_what_was_known() {
    let bench = VaultFixture::new();
    bench.vault.get(&id("a")).await.expect("there");
    bench.vault.put(&id("a"), secret("sk-new")).await.expect("kept");
    assert_eq!(*bench.vault.get(&id("a")).await.expect("there"), secret("sk-new"));
    bench.vault.remove(&id("a")).await.expect("removed");
    assert!(matches!(bench.vault.get(&id("a")).await, Err(VaultError::NotFound(_))));
}

#[tokio::test(start_paused = true)]
async fn a_write_that_ends_after_its_caller_gave_up_still_drops_what_was_known() {
    let bench = VaultFixture::new();
    bench.hold(HeldCalls::Everything);
    let vault = bench.vault.clone();
    let mut writes = JoinSet::new();
    writes.spawn(async move { vault.put(&id("a"), secret("sk-late")).await });
    bench.reached(1).await;
    tokio::time::advance(Duration::from_millis(CALL_MS_MAX)).await;
    assert!(matches!(writes.join_next().await, Some(Ok(Err(VaultError::Hung)))));
    bench.release();
    bench.all_ended().await;
    assert_eq!(*bench.vault.get(&id("a")).await.expect("there"), secret("sk-late"));
}

#[tokio::test(start_paused = true)]
async fn what_is_read_while_a_write_runs_is_not_remembered_after_it() {
    let bench = VaultFixture::new();
    bench.vault.get(&id("a")).await.expect("there");
    bench.reached(1).await;
    bench.hold(HeldCalls::Writes);
    let vault = bench.vault.clone();
    let mut writes = JoinSet::new();
    writes.spawn(async move { vault.put(&id("a"), secret("sk-new")).await });
    bench.reached(1).await;
    assert_eq!(*bench.vault.get(&id("a")).await.expect("there"), secret("sk-a"));
    assert_eq!(bench.calls(), 3, "what was known before the write was given during it");
    bench.release();
    assert!(matches!(writes.join_next().await, Some(Ok(Ok(())))));
    assert_eq!(*bench.vault.get(&id("a")).await.expect("there"), secret("sk-new"));
}

#[tokio::test(start_paused = true)]
async fn writes_come_one_at_a_time() {
    let bench = VaultFixture::new();
    let mut writes = JoinSet::new();
    for key in ["a", "b", "c", "d", "e", "f"].repeat(5) {
        let vault = bench.vault.clone();
        writes.spawn(async move { vault.put(&id(key), secret("sk-new")).await });
    }
    assert!(writes.join_all().await.into_iter().all(|outcome| outcome.is_ok()));
    assert_eq!(bench.store.writers_at_once.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn the_state_follows_each_outcome_that_tells_something_of_the_store() {
    let bench = VaultFixture::new();
    assert_eq!(bench.vault.state(), VaultState::Unchecked);
    let refused = || VaultError::unavailable(std::io::Error::other("refused"));
    for (error, state) in [
        (Some(VaultError::NotFound(id("a"))), VaultState::Unchecked),
        (Some(VaultError::Locked(LockReason::Keychain)), VaultState::Locked(LockReason::Keychain)),
        (Some(VaultError::NotFound(id("a"))), VaultState::Locked(LockReason::Keychain)),
        (Some(VaultError::NoCollection), VaultState::NoCollection),
        (Some(refused()), VaultState::Unavailable),
        (Some(VaultError::ReadOnly), VaultState::Unavailable),
        (Some(VaultError::TooLarge { bytes: 2_561 }), VaultState::Unavailable),
        (Some(VaultError::NotFound(id("a"))), VaultState::Unchecked),
        (Some(VaultError::Damaged(Damage::File)), VaultState::Damaged),
        (None, VaultState::Ready),
        (Some(VaultError::Damaged(Damage::Item)), VaultState::Ready),
    ] {
        let case = format!("{error:?}");
        bench.store.failures.lock().extend(error);
        drop(bench.vault.probe().await);
        assert_eq!(bench.vault.state(), state, "after {case}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_says_it_hangs_is_left_alone_like_one_that_does() {
    let bench = VaultFixture::new();
    bench.fail_next(VaultError::Hung);
    assert!(matches!(bench.vault.get(&id("a")).await, Err(VaultError::Hung)));
    assert!(matches!(bench.vault.get(&id("a")).await, Err(VaultError::Hung)));
    assert_eq!(bench.calls(), 1);
    bench.clock.advance(Duration::from_secs(RECHECK_SECS));
    bench.fail_next(VaultError::NotFound(id("a")));
    drop(bench.vault.get(&id("a")).await);
    bench.vault.get(&id("a")).await.expect("an answer reopens it");
}

#[tokio::test(start_paused = true)]
async fn a_panicking_store_is_an_error_and_its_permit_comes_back() {
    struct PanickingStore;
    impl SecretStore for PanickingStore {
        fn kind(&self) -> VaultKind {
            VaultKind::Keychain
        }
        fn put(&self, _: &CredentialId, _: &BoundSecret) -> Result<(), VaultError> {
            panic!("put")
        }
        fn get(&self, _: &CredentialId) -> Result<BoundSecret, VaultError> {
            panic!("get")
        }
        fn remove(&self, _: &CredentialId) -> Result<(), VaultError> {
            panic!("remove")
        }
        fn probe(&self) -> Result<(), VaultError> {
            panic!("probe")
        }
    }
    let vault = Vault::new(Arc::new(PanickingStore), Arc::new(ManualClock::default()));
    for _ in 0..=CALLS_AT_ONCE_MAX {
        assert!(matches!(vault.get(&id("a")).await, Err(VaultError::Unavailable { .. })));
        let put = vault.put(&id("a"), secret("sk-1")).await;
        assert!(matches!(put, Err(VaultError::Unavailable { .. })));
        assert_eq!(vault.state(), VaultState::Unavailable);
    }
}

/// The unlock is called first and polled last: its place in the queue counts.
#[tokio::test]
async fn who_asks_after_an_unlock_waits_for_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = FileStore::new(folder.path().join("vault.age"), folder.path().join("revision"), 1);
    let clock = Arc::new(ManualClock::starting_at(WallTime::default()));
    let vault = Vault::new(Arc::new(store), clock);
    let passphrase = Passphrase::parse("correct-horse".to_owned()).expect("long enough");
    let unlocking = vault.unlock(passphrase);
    let (key, value) = (id("a"), secret("sk-a"));
    let (put, read, unlocked) = tokio::join!(vault.put(&key, value), vault.get(&key), unlocking);
    assert_eq!((put.is_ok(), read.is_ok(), unlocked.is_ok()), (true, true, true));
}

#[tokio::test(start_paused = true)]
async fn nothing_of_a_secret_is_printed() {
    let bench = VaultFixture::new();
    let value = bench.vault.get(&id("a")).await;
    let text = format!("{:?} {value:?}", bench.vault);
    assert!(!text.contains("sk-a"), "{text}");
    assert!(text.starts_with("Vault { kind: Keychain, state: Ready }"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn each_choice_opens_its_own_kind_and_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.age");
    for (config, kind) in [
        (VaultConfig::Keychain { service: "gatehouse-test".to_owned() }, VaultKind::Keychain),
        (
            VaultConfig::File { revision_path: path.with_extension("revision"), path },
            VaultKind::File,
        ),
        (VaultConfig::Env(Arc::new(crate::EnvStore::new(Vec::new()))), VaultKind::Env),
        (VaultConfig::Memory, VaultKind::Memory),
    ] {
        assert_eq!(config.kind(), kind);
        assert_eq!(Vault::open(config, Arc::new(ManualClock::default())).kind(), kind);
    }
}
