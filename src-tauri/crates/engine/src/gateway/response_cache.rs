//! The response cache: reopens it when its settings change, and purges entries made
//! doubtful by a changed backend, model or price.

mod prices;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use cache::{Cache, CacheConfig, DiskConfig, Purge, SharedConfig};
use domain::{BackendId, Clock, CredentialId, Secret};
use gateway::CacheUse;
use indexmap::IndexMap;
use parking_lot::Mutex;
use settings::{BackendSettings, CacheSettings, Settings, SettingsStore};
use tokio_util::sync::CancellationToken;
use vault::Vault;

use self::prices::{CacheOpenState, prices_in_force, purge_repriced};
use crate::Folders;
use crate::costs::prices_in_use::PricesInUse;
use crate::events::EventBus;
use crate::process::tasks::Tasks;
use crate::topic::Topic;

/// Opens and closes the response cache as the settings say, and purges doubtful entries.
pub struct ResponseCache {
    pub(crate) folders: Folders,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) vault: Vault,
    pub(crate) prices: PricesInUse,
    pub(crate) events: EventBus,
    pub(crate) tasks: Tasks,
    pub(crate) open: Mutex<Option<OpenCache>>,
    /// Backend settings at the last comparison.
    pub(crate) backends: Mutex<IndexMap<BackendId, BackendSettings>>,
}

pub(crate) struct OpenCache {
    pub(crate) settings: CacheSettings,
    pub(crate) cache: Cache,
    /// Stops the cache's background task.
    pub(crate) closing: CancellationToken,
}

impl ResponseCache {
    /// The open cache; `None` if it is disabled.
    #[must_use]
    pub fn cache(&self) -> Option<Cache> {
        self.open.lock().as_ref().map(|opened| opened.cache.clone())
    }

    /// The cache and its TTL for the request path.
    pub(crate) fn in_use(&self, settings: &Settings) -> Option<CacheUse> {
        let ttl = Duration::from_secs(u64::from(settings.cache.ttl_secs));
        self.cache().map(|cache| CacheUse { cache, ttl })
    }

    /// Opens, replaces or closes the cache if its settings have changed, and purges responses of
    /// changed backends. Calls `reopened` if it opens the cache again later, once it has the shared
    /// server's password.
    pub(crate) fn apply(
        self: &Arc<Self>,
        settings: &Settings,
        reopened: impl FnOnce() + Send + 'static,
    ) {
        let wanted = &settings.cache;
        let is_other = {
            let open = self.open.lock();
            let same = |opened: &OpenCache| is_same_cache(&opened.settings, wanted);
            open.as_ref().map_or(wanted.enabled, |opened| !wanted.enabled || !same(opened))
        };
        if is_other {
            self.reopen(wanted, None);
            if let (true, Some(credential)) = (wanted.enabled, wanted.redis_credential.clone()) {
                self.fetch_password(wanted.clone(), credential, reopened);
            }
        }
        self.purge_changed_backends(settings);
    }

    fn reopen(&self, wanted: &CacheSettings, password: Option<Secret>) {
        let mut open = self.open.lock();
        if let Some(before) = open.take() {
            before.closing.cancel();
            before.cache.close();
        }
        if !wanted.enabled {
            return;
        }
        let config = self.cache_config(wanted, password);
        let opening = CacheOpenState {
            is_new: !self.folders.cache_file().exists(),
            has_all_tiers: config.shared.is_some() == wanted.redis_url.is_some(),
        };
        let cache = Cache::open(config, Arc::clone(&self.clock));
        self.purge_repriced_of(&cache, opening);
        let closing = self.tasks.stop_token().child_token();
        let (tended, stop) = (cache.clone(), closing.clone());
        if wanted.redis_url.is_some() {
            self.tasks.spawn("shared cache", async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tended.run_background() => {}
                }
            });
        }
        *open = Some(OpenCache { settings: wanted.clone(), cache, closing });
    }

    /// Purges responses of models whose price has changed.
    pub(crate) fn purge_repriced(&self) {
        let Some(cache) = self.cache() else { return };
        let has_all_tiers = self.settings.current().cache.redis_url.is_none();
        self.purge_repriced_of(&cache, CacheOpenState { is_new: false, has_all_tiers });
    }

    fn purge_repriced_of(&self, cache: &Cache, opening: CacheOpenState) {
        let path = self.folders.cache_prices_file();
        let prices = prices_in_force(&self.prices.load(), self.clock.wall());
        if let Some(purging) = purge_repriced(cache, opening, path, prices) {
            let events = self.events.clone();
            self.tasks.spawn("cache prices", async move {
                purging.await;
                events.send_changed(&[Topic::Cache]);
            });
        }
    }

    fn cache_config(&self, wanted: &CacheSettings, password: Option<Secret>) -> CacheConfig {
        // No `..`: a new setting of the cache has to be used, here or elsewhere.
        let CacheSettings {
            memory_bytes_max,
            entry_bytes_max,
            disk,
            disk_bytes_max,
            redis_url,
            redis_credential,
            enabled: _,
            ttl_secs: _,
        } = wanted;
        // A shared server that needs a password is not used until the password is known.
        let has_all = redis_credential.is_none() || password.is_some();
        let url = redis_url.as_ref().filter(|_| has_all);
        CacheConfig {
            memory_bytes_max: *memory_bytes_max,
            entry_bytes_max: usize::try_from(*entry_bytes_max).unwrap_or(usize::MAX),
            disk: disk.then(|| DiskConfig {
                path: self.folders.cache_file(),
                bytes_max: *disk_bytes_max,
            }),
            shared: url.map(|url| SharedConfig { url: url.to_string(), password }),
        }
    }

    /// Reads the shared server's password from the vault and reopens the cache with it. Until then
    /// the cache runs without the server, because the vault may be slow or wait for the user.
    fn fetch_password(
        self: &Arc<Self>,
        wanted: CacheSettings,
        credential: CredentialId,
        reopened: impl FnOnce() + Send + 'static,
    ) {
        let cache = Arc::clone(self);
        self.tasks.spawn("cache password", async move {
            let password = match cache.vault.get(&credential).await {
                Ok(bound) => match bound.parts() {
                    (password, None) if bound.exchange().is_none() => password.clone(),
                    (_, None) => {
                        tracing::warn!(
                            %credential,
                            "a key that is refreshed cannot be the shared cache's password"
                        );
                        return;
                    }
                    // A provider's key is bound to its origin and must not go anywhere else.
                    (_, Some(origin)) => {
                        tracing::warn!(
                            %credential, %origin,
                            "a provider key cannot be the shared cache's password"
                        );
                        return;
                    }
                },
                Err(error) => {
                    tracing::warn!(%error, %credential, "the shared cache has no password");
                    return;
                }
            };
            if cache.settings.current().cache != wanted {
                return;
            }
            let opening = Arc::clone(&cache);
            let opened =
                tokio::task::spawn_blocking(move || opening.reopen(&wanted, Some(password)));
            if opened.await.is_ok() {
                reopened();
                cache.events.send_changed(&[Topic::Cache]);
            }
        });
    }

    /// Purges the responses of backends that have changed, because a changed backend may answer
    /// differently.
    fn purge_changed_backends(&self, settings: &Settings) {
        let doubtful = {
            let mut known = self.backends.lock();
            let doubtful = purges_for_changed_settings(&known, &settings.backends);
            known.clone_from(&settings.backends);
            doubtful
        };
        let Some(cache) = self.cache().filter(|_| !doubtful.is_empty()) else { return };
        let purges: Vec<_> = doubtful.into_iter().map(|what| cache.purge(what)).collect();
        let events = self.events.clone();
        self.tasks.spawn("cache purge", async move {
            for purge in purges {
                if let Err(error) = purge.await {
                    tracing::warn!(
                        %error,
                        "cached responses of a changed backend were purged on this machine only"
                    );
                }
            }
            events.send_changed(&[Topic::Cache]);
        });
    }

    /// Flushes and closes the cache when the engine stops.
    pub(crate) async fn close(&self) {
        let Some(cache) = self.cache() else { return };
        if tokio::task::spawn_blocking(move || cache.close()).await.is_err() {
            tracing::debug!("closing the cache was interrupted");
        }
    }
}

/// Entries to purge when `before` becomes `now`. If only the models of a backend changed, the
/// models that were added or removed; otherwise the whole backend.
fn purges_for_changed_settings(
    before: &IndexMap<BackendId, BackendSettings>,
    now: &IndexMap<BackendId, BackendSettings>,
) -> Vec<Purge> {
    let mut purges = Vec::new();
    for (id, known) in before {
        let wanted = now.get(id);
        let but_models = BackendSettings {
            models: wanted.map(|wanted| wanted.models.clone()).unwrap_or_default(),
            objective: wanted.map(|wanted| wanted.objective).unwrap_or_default(),
            ..known.clone()
        };
        if wanted != Some(&but_models) {
            purges.push(Purge::Backend(id.clone()));
            continue;
        }
        let models = |of: &BackendSettings| of.models.iter().cloned().collect::<BTreeSet<_>>();
        let changed = &models(known) ^ &models(&but_models);
        purges.extend(changed.into_iter().map(Purge::Model));
    }
    purges
}

/// True if both settings can use the same open cache.
fn is_same_cache(before: &CacheSettings, wanted: &CacheSettings) -> bool {
    CacheSettings { ttl_secs: wanted.ttl_secs, ..before.clone() } == *wanted
}
