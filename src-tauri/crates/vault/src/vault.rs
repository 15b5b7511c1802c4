//! The public vault: asynchronous, with time limits and one read per key.
//!
//! A store's call may hang for ever (a frozen Secret Service, an unanswered unlock prompt). Each
//! runs on a blocking thread with a time limit. A hanging thread keeps its permit, so at most
//! [`CALLS_AT_ONCE_MAX`] threads can be lost. After one call hung, others fail at once until a
//! single call is let through to check again.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use domain::{BoundSecret, Clock, CredentialId, Moment};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::read_cache::{ReadCache, ReadLease, ReadReceiver, ReadRole, SecretResult};
use crate::{Passphrase, SecretStore, VaultConfig, VaultError, VaultKind, VaultState};

/// Longest wait for a keychain, in milliseconds: what users still accept as an answer, and also
/// D-Bus' time-out for `NoReply`.
pub(crate) const CALL_MS_MAX: u64 = 2_000;

/// Longest wait for the file vault, in milliseconds. Its key derivation takes half a second here,
/// several on a slow or busy machine.
pub(crate) const FILE_CALL_MS_MAX: u64 = 15_000;

/// Most concurrent calls on a store, and so most threads that a hanging store can hold. The file
/// vault serves one call at a time, in order: a read during an unlock must wait for it, not fail as
/// locked.
pub const CALLS_AT_ONCE_MAX: usize = 4;

/// Seconds after a hanging call until one call is let through to check the store.
pub const RECHECK_SECS: u64 = 10;

/// The process's vault. Clones share it, also after [`Vault::switch_to`].
#[derive(Clone)]
pub struct Vault {
    current: Arc<ArcSwap<VaultCore>>,
}

impl Vault {
    /// A vault over `store`. Does nothing until the first call.
    #[must_use]
    pub fn new(store: Arc<dyn SecretStore>, clock: Arc<dyn Clock>) -> Self {
        let at_once = if store.kind() == VaultKind::File { 1 } else { CALLS_AT_ONCE_MAX };
        let shared = VaultCore {
            store,
            clock,
            reads: Mutex::default(),
            health: Mutex::new(StoreHealth { state: VaultState::Unchecked, closed_until: None }),
            permits: Arc::new(Semaphore::new(at_once)),
            writing: Mutex::new(()),
        };
        Self { current: Arc::new(ArcSwap::from_pointee(shared)) }
    }

    /// The vault that the user chose, never another. Does nothing until the first call.
    #[must_use]
    pub fn open(config: VaultConfig, clock: Arc<dyn Clock>) -> Self {
        Self::new(config.into_store(), clock)
    }

    /// Switches all clones to `other`'s store. Running calls end on the old store.
    pub fn switch_to(&self, other: &Self) {
        self.current.store(other.shared());
    }

    fn shared(&self) -> Arc<VaultCore> {
        self.current.load_full()
    }

    #[must_use]
    pub fn kind(&self) -> VaultKind {
        self.current.load().store.kind()
    }

    /// The state at the last conclusive call. Makes no call.
    #[must_use]
    pub fn state(&self) -> VaultState {
        self.current.load().health.lock().state
    }

    /// True if the vault file is an older copy than the last one seen. Does no IO; false until the
    /// file is opened, and again after the next change.
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        self.current.load().store.is_outdated()
    }

    /// The secret under `id`. Cached for `CACHE_SECS_MAX` seconds; concurrent readers of
    /// one id share one call on the store.
    pub async fn get(&self, id: &CredentialId) -> SecretResult {
        let shared = self.shared();
        loop {
            let turn = shared.reads.lock().begin_read(id, shared.clock.now());
            match turn {
                ReadRole::Cached(value) => return Ok(value),
                ReadRole::Lead(lead) => return lead_read(&shared, id, lead).await,
                ReadRole::Join(flight) => {
                    if let Some(reading) = wait_for_read(flight).await {
                        return reading;
                    }
                }
            }
        }
    }

    /// As [`Self::get`], asked of the store itself: proves that it still holds the secret.
    pub async fn get_from_store(&self, id: &CredentialId) -> SecretResult {
        self.shared().reads.lock().invalidate(id);
        self.get(id).await
    }

    /// Stores the secret under `id` and replaces an existing one. After [`VaultError::Hung`] it may
    /// or may not be stored.
    pub async fn put(&self, id: &CredentialId, secret: BoundSecret) -> Result<(), VaultError> {
        let id = id.clone();
        self.call(move |shared| shared.write(&id, |store| store.put(&id, &secret))).await
    }

    /// Stores several secrets. The file vault writes them at once, since each write derives its key
    /// again; other stores write one after the other and stop at the first error.
    pub async fn put_all(
        &self,
        secrets: Vec<(CredentialId, BoundSecret)>,
    ) -> Result<(), VaultError> {
        if self.kind() != VaultKind::File {
            for (id, secret) in secrets {
                self.put(&id, secret).await?;
            }
            return Ok(());
        }
        self.call(move |shared| {
            let _one_at_a_time = shared.writing.lock();
            let outcome = shared.store.put_all(&secrets);
            let mut reads = shared.reads.lock();
            secrets.iter().for_each(|(id, _)| reads.invalidate(id));
            outcome
        })
        .await
    }

    /// Deletes the secret under `id`; [`VaultError::NotFound`] if there is none.
    pub async fn remove(&self, id: &CredentialId) -> Result<(), VaultError> {
        let id = id.clone();
        self.call(move |shared| shared.write(&id, |store| store.remove(&id))).await
    }

    /// Proves that the store works by writing and reading a value that is not a key.
    pub async fn probe(&self) -> Result<(), VaultError> {
        self.call(|shared| shared.store.probe()).await
    }

    /// Unlocks the file vault with its passphrase; the very first one creates the file. Does
    /// nothing for other kinds.
    ///
    /// The call takes its place before later calls here, not when the future is first polled, so
    /// the future may be handed to another task: later reads wait for its end.
    pub fn unlock(
        &self,
        passphrase: Passphrase,
    ) -> impl Future<Output = Result<(), VaultError>> + Send + 'static {
        let shared = self.shared();
        let place = Arc::clone(&shared.permits).try_acquire_owned().ok();
        async move {
            call_with_permit(&shared, place, move |shared| shared.store.unlock(&passphrase)).await
        }
    }

    /// Checks the store now, without waiting for the next recheck.
    pub async fn recheck(&self) -> VaultState {
        self.current.load().health.lock().closed_until = None;
        // The result is in the state.
        drop(self.probe().await);
        self.state()
    }

    /// Zeroes expired values in memory. The engine calls it about once a minute, since nothing else
    /// touches a key that is never read again.
    pub fn drop_expired(&self) {
        let shared = self.shared();
        shared.reads.lock().drop_expired(shared.clock.now());
    }

    async fn call<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&VaultCore) -> Result<T, VaultError> + Send + 'static,
    ) -> Result<T, VaultError> {
        call_with_permit(&self.shared(), None, operation).await
    }
}

async fn lead_read(shared: &Arc<VaultCore>, id: &CredentialId, lead: ReadLease) -> SecretResult {
    let leading = ReadLeader { shared, id, lead };
    let wanted = id.clone();
    let outcome = call_with_permit(shared, None, move |shared| shared.store.get(&wanted)).await;
    let reading = outcome.map(Arc::new);
    let now = shared.clock.now();
    shared.reads.lock().finish_read(id, &leading.lead, &reading, now);
    reading
}

async fn call_with_permit<T: Send + 'static>(
    shared: &Arc<VaultCore>,
    place: Option<OwnedSemaphorePermit>,
    operation: impl FnOnce(&VaultCore) -> Result<T, VaultError> + Send + 'static,
) -> Result<T, VaultError> {
    shared.admit()?;
    let ms = if shared.store.kind() == VaultKind::File { FILE_CALL_MS_MAX } else { CALL_MS_MAX };
    let run = timeout(Duration::from_millis(ms), run_blocking(shared, place, operation));
    let outcome = run.await.unwrap_or(Err(VaultError::Hung));
    if let Err(VaultError::Hung) = outcome {
        shared.record_outcome(Some(&VaultError::Hung));
    }
    outcome
}

/// Records the store's answer on its own thread, so that a late one still counts: after a user
/// answers the unlock prompt half a minute late, the vault is open at once. A time-out is recorded
/// by the waiting caller: recorded late, it would hide a newer answer.
async fn run_blocking<T: Send + 'static>(
    shared: &Arc<VaultCore>,
    place: Option<OwnedSemaphorePermit>,
    operation: impl FnOnce(&VaultCore) -> Result<T, VaultError> + Send + 'static,
) -> Result<T, VaultError> {
    let permits = Arc::clone(&shared.permits);
    let permit = match place {
        Some(permit) => permit,
        None => permits.acquire_owned().await.map_err(VaultError::unavailable)?,
    };
    let on_its_thread = Arc::clone(shared);
    let run = spawn_blocking(move || {
        let outcome = operation(&on_its_thread);
        if !matches!(outcome, Err(VaultError::Hung)) {
            on_its_thread.record_outcome(outcome.as_ref().err());
        }
        drop(permit);
        outcome
    });
    run.await.unwrap_or_else(|panicked| {
        let error = VaultError::unavailable(panicked);
        shared.record_outcome(Some(&error));
        Err(error)
    })
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("kind", &self.kind()).field("state", &self.state()).finish()
    }
}

/// The result of a read led by another task; `None` if it gave up.
async fn wait_for_read(mut flight: ReadReceiver) -> Option<SecretResult> {
    let landed = flight.wait_for(Option::is_some).await.ok()?;
    landed.clone()
}

struct VaultCore {
    store: Arc<dyn SecretStore>,
    clock: Arc<dyn Clock>,
    reads: Mutex<ReadCache>,
    health: Mutex<StoreHealth>,
    permits: Arc<Semaphore>,
    /// Held during a write and its read-back, so that no other write comes between.
    writing: Mutex<()>,
}

/// State of the store, and the end of the time in which calls fail at once after a hang.
struct StoreHealth {
    state: VaultState,
    closed_until: Option<Moment>,
}

impl VaultCore {
    /// Drops cached reads of `id` before and after, since a read may run during the write, and
    /// since a write whose caller stopped waiting still ends here.
    fn write(
        &self,
        id: &CredentialId,
        operation: impl FnOnce(&dyn SecretStore) -> Result<(), VaultError>,
    ) -> Result<(), VaultError> {
        let _one_at_a_time = self.writing.lock();
        self.reads.lock().invalidate(id);
        let outcome = operation(&*self.store);
        self.reads.lock().invalidate(id);
        outcome
    }

    fn admit(&self) -> Result<(), VaultError> {
        let now = self.clock.now();
        let mut standing = self.health.lock();
        match standing.closed_until {
            Some(until) if now < until => Err(VaultError::Hung),
            Some(_) => {
                standing.closed_until = Some(now + Duration::from_secs(RECHECK_SECS));
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn record_outcome(&self, error: Option<&VaultError>) {
        let now = self.clock.now();
        let mut standing = self.health.lock();
        let reopened = match standing.state {
            VaultState::Hung | VaultState::Unavailable | VaultState::FileUnusable => {
                VaultState::Unchecked
            }
            state => state,
        };
        let state = match error {
            // Refused before the store was called: says nothing about it.
            Some(VaultError::ReadOnly | VaultError::TooLarge { .. }) => return,
            Some(error) => error.state().unwrap_or(reopened),
            None => VaultState::Ready,
        };
        let closed = state == VaultState::Hung;
        standing.closed_until = closed.then(|| now + Duration::from_secs(RECHECK_SECS));
        standing.state = state;
    }
}

/// A read led by this task. If the task is dropped, another waiter leads.
struct ReadLeader<'a> {
    shared: &'a VaultCore,
    id: &'a CredentialId,
    lead: ReadLease,
}

impl Drop for ReadLeader<'_> {
    fn drop(&mut self) {
        self.shared.reads.lock().abandon_read(self.id, &self.lead);
    }
}

#[cfg(test)]
mod tests;
