//! The cache of answers as the settings want it: opened anew when its own settings change, purged of
//! what a change of a backend, of a model or of a price makes doubtful.

mod prices;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use cache::{Cache, CacheConfig, DiskConfig, Purge, SharedConfig};
use domain::{BackendId, CredentialId, Secret};
use gateway::CacheUse;
use indexmap::IndexMap;
use parking_lot::Mutex;
use settings::{BackendSettings, CacheSettings, Settings};
use tokio_util::sync::CancellationToken;

use self::prices::Opening;
use crate::Topic;
use crate::engine::Engine;

/// The cache in use.
#[derive(Default)]
pub(crate) struct Answers {
    open: Mutex<Option<Opened>>,
    /// As they were when they were last looked at.
    backends: Mutex<IndexMap<BackendId, BackendSettings>>,
}

struct Opened {
    settings: CacheSettings,
    cache: Cache,
    /// Ends its background work.
    closing: CancellationToken,
}

impl Engine {
    /// The cache of answers; `None` if it is switched off.
    #[must_use]
    pub fn cache(&self) -> Option<Cache> {
        self.parts.answers.open.lock().as_ref().map(|opened| opened.cache.clone())
    }

    /// The cache as requests use it.
    pub(crate) fn cache_use(&self, settings: &Settings) -> Option<CacheUse> {
        let ttl = Duration::from_secs(u64::from(settings.cache.ttl_secs));
        self.cache().map(|cache| CacheUse { cache, ttl })
    }

    /// Opens the cache, or another one in its place, if the settings want that; and purges answers of
    /// backends that are not what they were.
    pub(crate) fn follow_cache_settings(&self, settings: &Settings) {
        let wanted = &settings.cache;
        let is_other = {
            let open = self.parts.answers.open.lock();
            let same = |opened: &Opened| is_same_place(&opened.settings, wanted);
            open.as_ref().map_or(wanted.enabled, |opened| !wanted.enabled || !same(opened))
        };
        if is_other {
            self.open_cache(wanted, None);
            if let (true, Some(credential)) = (wanted.enabled, wanted.redis_credential.clone()) {
                self.fetch_cache_password(wanted.clone(), credential);
            }
        }
        self.purge_changed_backends(settings);
    }

    fn open_cache(&self, wanted: &CacheSettings, password: Option<Secret>) {
        let mut open = self.parts.answers.open.lock();
        if let Some(before) = open.take() {
            before.closing.cancel();
            before.cache.close();
        }
        if !wanted.enabled {
            return;
        }
        let config = self.cache_config(wanted, password);
        let opening = Opening {
            is_new: !self.parts.folders.cache_file().exists(),
            is_whole: config.shared.is_some() == wanted.redis_url.is_some(),
        };
        let cache = Cache::open(config, Arc::clone(&self.parts.clock));
        self.purge_repriced(&cache, opening);
        let closing = self.parts.tasks.stopping().child_token();
        let (tended, stop) = (cache.clone(), closing.clone());
        if wanted.redis_url.is_some() {
            self.parts.tasks.spawn("shared cache", async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tended.tend() => {}
                }
            });
        }
        *open = Some(Opened { settings: wanted.clone(), cache, closing });
    }

    fn cache_config(&self, wanted: &CacheSettings, password: Option<Secret>) -> CacheConfig {
        // Without the password it wants, a server is not even asked.
        let has_all = wanted.redis_credential.is_none() || password.is_some();
        let url = wanted.redis_url.as_ref().filter(|_| has_all);
        CacheConfig {
            memory_bytes_max: wanted.memory_bytes_max,
            entry_bytes_max: usize::try_from(wanted.entry_bytes_max).unwrap_or(usize::MAX),
            disk: wanted.disk.then(|| DiskConfig {
                path: self.parts.folders.cache_file(),
                bytes_max: wanted.disk_bytes_max,
            }),
            shared: url.map(|url| SharedConfig { url: url.to_string(), password }),
        }
    }

    /// The vault may take a moment, or wait for a person; the cache begins without the server.
    fn fetch_cache_password(&self, wanted: CacheSettings, credential: CredentialId) {
        let engine = self.clone();
        self.parts.tasks.spawn("cache password", async move {
            let password = match engine.parts.vault.get(&credential).await {
                Ok(bound) => match bound.parts() {
                    (password, None) => password.clone(),
                    // A provider's key is bound to its host and leaves for no other.
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
            if engine.settings().cache != wanted {
                return;
            }
            let opening = engine.clone();
            let opened =
                tokio::task::spawn_blocking(move || opening.open_cache(&wanted, Some(password)));
            if opened.await.is_ok() {
                engine.rebuild_snapshot();
                engine.parts.events.changed(&[Topic::Cache]);
            }
        });
    }

    /// What a backend answered before it was changed says nothing of what it would answer now.
    fn purge_changed_backends(&self, settings: &Settings) {
        let doubtful = {
            let mut known = self.parts.answers.backends.lock();
            let doubtful = doubtful(&known, &settings.backends);
            known.clone_from(&settings.backends);
            doubtful
        };
        let Some(cache) = self.cache().filter(|_| !doubtful.is_empty()) else { return };
        let purges: Vec<_> = doubtful.into_iter().map(|what| cache.purge(what)).collect();
        let events = self.parts.events.clone();
        self.parts.tasks.spawn("cache purge", async move {
            for purge in purges {
                if let Err(error) = purge.await {
                    tracing::warn!(
                        %error,
                        "cached responses of a changed backend were purged on this machine only"
                    );
                }
            }
            events.changed(&[Topic::Cache]);
        });
    }

    /// Writes what was kept, at the end of the program.
    pub(crate) async fn close_answers(&self) {
        let Some(cache) = self.cache() else { return };
        if tokio::task::spawn_blocking(move || cache.close()).await.is_err() {
            tracing::debug!("closing the cache was interrupted");
        }
    }
}

/// What to purge after `before` became `now`: where nothing but the models of a backend was changed, those
/// that were added or removed; else all of the backend.
fn doubtful(
    before: &IndexMap<BackendId, BackendSettings>,
    now: &IndexMap<BackendId, BackendSettings>,
) -> Vec<Purge> {
    let mut purges = Vec::new();
    for (id, known) in before {
        let wanted = now.get(id);
        let but_models = BackendSettings {
            models: wanted.map(|wanted| wanted.models.clone()).unwrap_or_default(),
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

/// Whether the same cache does for both.
fn is_same_place(before: &CacheSettings, wanted: &CacheSettings) -> bool {
    CacheSettings { ttl_secs: wanted.ttl_secs, ..before.clone() } == *wanted
}
