//! What kept answers were paid: beside the cache lie the prices in force when it was last opened. A model
//! whose price is another one now is purged, since its answers would state a saving that is none.
//!
//! Prices reach a running engine at its start alone, with a new version of the program or from the ledger,
//! so that is when they are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::Path;

use cache::{Cache, Purge};
use domain::{MicroUsd, Rates, WallTime};
use ledger::{Price, PriceBook, PricePlace, Provider};

use crate::Topic;
use crate::engine::Engine;

/// Prices by model and place, each as its numbers in the order of the price table.
type InForce = BTreeMap<String, BTreeMap<String, Vec<Option<i64>>>>;

/// How a cache is opened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opening {
    /// No cache was here before, so no answer was paid by a price that nobody wrote down.
    pub(super) is_new: bool,
    /// It has all tiers that are wanted. Until the shared one is there, its answers are not purged.
    pub(super) is_whole: bool,
}

impl Engine {
    /// Purges the models whose prices are not what they were when the cache was last open.
    pub(super) fn purge_repriced(&self, cache: &Cache, opening: Opening) {
        let path = self.parts.folders.cache_prices_file();
        let now = in_force(&self.parts.prices, self.parts.clock.wall());
        let written = read(&path);
        if written.as_ref() == Some(&now) {
            return;
        }
        let changed = written.as_ref().map(|then| changed(then, &now));
        let purges: Vec<Purge> = match (&changed, opening.is_new) {
            (Some(models), _) => models.iter().cloned().map(Purge::Model).collect(),
            (None, false) => vec![Purge::All],
            (None, true) => Vec::new(),
        };
        let purges: Vec<_> = purges.into_iter().map(|what| cache.purge(what)).collect();
        let (cache, events) = (cache.clone(), self.parts.events.clone());
        self.parts.tasks.spawn("cache prices", async move {
            let mut reached = Ok(());
            for purge in purges {
                reached = reached.and(purge.await);
            }
            for model in dated_names(&cache, &changed.unwrap_or_default()).await {
                reached = reached.and(cache.purge(Purge::Model(model)).await);
            }
            events.changed(&[Topic::Cache]);
            if let Err(error) = reached {
                // What is written still tells that there is something to purge, at the next start.
                tracing::warn!(
                    %error,
                    "responses cached at an old price were purged on this machine only"
                );
                return;
            }
            if !opening.is_whole {
                return;
            }
            let writing = tokio::task::spawn_blocking(move || write(&path, &now));
            if let Ok(Err(error)) = writing.await {
                tracing::warn!(%error, "the cache's prices could not be saved");
            }
        });
    }
}

/// Names in the cache that are priced by the row of another name. They are found where answers outlive a
/// start in this machine's file; on a shared server, such a name keeps its answers to the end of their time.
async fn dated_names(cache: &Cache, changed: &BTreeSet<String>) -> Vec<String> {
    if changed.is_empty() {
        return Vec::new();
    }
    let mut names = cache.models().await;
    names.retain(|name| Provider::documented_aliases(name).any(|alias| changed.contains(alias)));
    names
}

fn in_force(book: &PriceBook, at: WallTime) -> InForce {
    let mut all = InForce::new();
    for price in book.in_force(at) {
        let place = match &price.place {
            PricePlace::Provider(provider) => provider.as_str().to_owned(),
            PricePlace::Backend(backend) => format!("backend:{backend}"),
        };
        all.entry(price.model.clone()).or_default().insert(place, numbers(price));
    }
    all
}

fn numbers(price: &Price) -> Vec<Option<i64>> {
    let rates = |rates: Rates| {
        let Rates { input, cache_read, cache_write_5m, cache_write_1h, output } = rates;
        [input, cache_read, cache_write_5m, cache_write_1h, output]
            .map(|rate| rate.map(MicroUsd::micros))
    };
    let mut numbers = rates(price.rates).to_vec();
    if let Some(long) = price.long_context {
        numbers.push(i64::try_from(long.over_input_tokens).ok());
        numbers.extend(rates(long.rates));
    }
    numbers
}

/// The models whose price was added, removed or changed anywhere, and the names they are billed under.
fn changed(then: &InForce, now: &InForce) -> BTreeSet<String> {
    let mut models: BTreeSet<String> = then
        .keys()
        .chain(now.keys())
        .filter(|model| then.get(*model) != now.get(*model))
        .cloned()
        .collect();
    // A backend may bill a question for the undated name by the row of the dated one.
    let undated: Vec<String> = models
        .iter()
        .flat_map(|model| Provider::documented_aliases(model))
        .map(str::to_owned)
        .collect();
    models.extend(undated);
    models
}

/// `None` if there is no such file, or one that cannot be read.
fn read(path: &Path) -> Option<InForce> {
    let text = std::fs::read(path).ok()?;
    let read = serde_json::from_slice(&text);
    read.inspect_err(|error| tracing::warn!(%error, "the cache's saved prices could not be read"))
        .ok()
}

fn write(path: &Path, prices: &InForce) -> io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&serde_json::to_vec(prices)?)?;
    file.persist(path).map(drop).map_err(|error| error.error)
}
