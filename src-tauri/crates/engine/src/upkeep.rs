//! Small background tasks that belong to no single part.

use std::sync::Arc;
use std::time::Duration;

use domain::{Clock, DAY_MS, WallTime};
use endpoints::EndpointRegistry;
use gateway::HttpUpstream;
use ledger::Ledger;
use settings::SettingsStore;
use vault::Vault;

use crate::clients::activity::ClientActivity;
use crate::events::EventBus;
use crate::gateway::server::GatewayServer;
use crate::keys::statuses::KeyStatuses;
use crate::ledger_file::watch::LedgerWatch;
use crate::process::tasks::Tasks;
use crate::topic::Topic;

/// Interval of removing expired keys in memory and unused connections, and of updating the states of
/// clients, in seconds.
const SWEEP_SECS: u64 = 2;
/// Interval of the pause detection, in seconds.
const PAUSE_CHECK_SECS: u64 = 1;
/// Interval of deleting old requests, in seconds.
const RETENTION_SECS: u64 = 3_600;
/// Interval of saving the programs of clients, in seconds.
const PROGRAMS_SAVE_SECS: u64 = 10;

/// Loads the system's certificates, which is slow and which nothing waits for.
pub(crate) fn spawn_certificate_loading(upstream: Arc<HttpUpstream>, tasks: &Tasks) {
    tasks.spawn("certificates", async move {
        if tokio::task::spawn_blocking(move || upstream.prepare()).await.is_err() {
            tracing::debug!("reading the certificates was interrupted");
        }
    });
}

/// Removes expired keys, revoked clients and unused connections, and logs counted refusals.
pub(crate) fn spawn_sweep(
    vault: Vault,
    (keys, clients): (Arc<KeyStatuses>, Arc<ClientActivity>),
    clock: Arc<dyn Clock>,
    upstream: Arc<HttpUpstream>,
    gateway: Arc<GatewayServer>,
    tasks: &Tasks,
) {
    let ticks = tasks.clone();
    tasks.spawn("sweep", async move {
        while ticks.sleep(Duration::from_secs(SWEEP_SECS)).await {
            vault.drop_expired();
            keys.retired().drop_expired(clock.now());
            clients.revoked().drop_expired(clock.now());
            upstream.sweep();
            gateway.log_counted_refusals();
        }
    });
}

/// Tells panels when a client's state changed by time alone: it has become inactive, or its token expired.
pub(crate) fn spawn_client_states(
    clients: Arc<ClientActivity>,
    settings: Arc<SettingsStore>,
    clock: Arc<dyn Clock>,
    events: EventBus,
    tasks: &Tasks,
) {
    let ticks = tasks.clone();
    tasks.spawn("client states", async move {
        while ticks.sleep(Duration::from_secs(SWEEP_SECS)).await {
            if clients.update_states(&settings.current().clients, clock.wall()) {
                events.send_changed(&[Topic::Clients]);
            }
        }
    });
}

/// Saves what is learnt of clients' programs, and once more at the stop.
pub(crate) fn spawn_program_saving(clients: Arc<ClientActivity>, tasks: &Tasks) {
    let ticks = tasks.clone();
    tasks.spawn("client programs", async move {
        let mut is_running = true;
        while is_running {
            is_running = ticks.sleep(Duration::from_secs(PROGRAMS_SAVE_SECS)).await;
            if clients.are_programs_saved() {
                continue;
            }
            let saved = Arc::clone(&clients);
            if tokio::task::spawn_blocking(move || saved.save_programs()).await.is_err() {
                tracing::debug!("saving the programs of clients was interrupted");
            }
        }
    });
}

/// Refreshes access tokens before they end, and tells panels of it.
pub(crate) fn spawn_token_refresh(keys: &KeyStatuses, events: EventBus, tasks: &Tasks) {
    let tell = Box::new(move || events.send_changed(&[Topic::Keys, Topic::Status]));
    let fresh = Arc::clone(keys.access_tokens()).keep_fresh(tasks.stop_token(), tell);
    tasks.spawn("access tokens", fresh);
}

/// Notices that this machine slept, and calls `when_resumed` once failures after that count again. A
/// task of its own, because other work must not delay its ticks.
pub(crate) fn spawn_pause_watch(
    registry: Arc<EndpointRegistry>,
    when_resumed: impl Fn() + Send + 'static,
    tasks: &Tasks,
) {
    let ticks = tasks.clone();
    tasks.spawn("pauses", async move {
        let mut was_resuming = false;
        loop {
            if let Some(pause) = registry.tick() {
                let seconds = pause.lasted.as_secs();
                tracing::warn!(seconds, "this machine slept, or Gatehouse was suspended");
            }
            let is_resuming = registry.is_resuming();
            if std::mem::replace(&mut was_resuming, is_resuming) && !is_resuming {
                when_resumed();
            }
            if !ticks.sleep(Duration::from_secs(PAUSE_CHECK_SECS)).await {
                return;
            }
        }
    });
}

/// Deletes requests older than the settings keep them.
pub(crate) fn spawn_retention(
    (ledger, watch): (Ledger, Arc<LedgerWatch>),
    settings: Arc<SettingsStore>,
    clock: Arc<dyn Clock>,
    tasks: &Tasks,
) {
    let ticks = tasks.clone();
    tasks.spawn("retention", async move {
        loop {
            let days = i64::from(settings.current().ledger.retention_days);
            if delete_before(&ledger, clock.wall().unix_ms() - days * DAY_MS, days).await {
                watch.announce_change();
            }
            if !ticks.sleep(Duration::from_secs(RETENTION_SECS)).await {
                return;
            }
        }
    });
}

/// True if any were deleted.
async fn delete_before(ledger: &Ledger, unix_ms: i64, days: i64) -> bool {
    match ledger.purge_before(WallTime::from_unix_ms(unix_ms)).await {
        Ok(0) => return false,
        Ok(rows) => tracing::info!(rows, days, "old requests were deleted; their totals are kept"),
        Err(error) => {
            tracing::warn!(%error, "old requests could not be deleted");
            return false;
        }
    }
    true
}
