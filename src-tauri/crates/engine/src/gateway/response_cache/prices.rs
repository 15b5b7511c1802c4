//! Purges cached responses whose price has changed, because they would report wrong savings.
//!
//! A file beside the cache records the prices in force when it was last open. It is compared only
//! when the cache opens, because prices change only at a start of the engine, with a new program
//! version or through the ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use cache::{Cache, Purge};
use domain::WallTime;
use pricing::{PriceBook, PriceOwner, PriceTerms, Provider};

/// Prices by model and place.
pub(super) type PricesByModel = BTreeMap<String, BTreeMap<String, PriceTerms>>;

/// State of the cache before it was opened.
#[derive(Debug, Clone, Copy)]
pub(super) struct CacheOpenState {
    /// There was no cache file, so it holds no response of unknown price.
    pub(super) is_new: bool,
    /// All configured tiers are open. Without the shared tier its responses cannot be purged yet.
    pub(super) has_all_tiers: bool,
}

/// Purges models whose price differs from the recorded one; `None` if there are none. Entries are
/// doubtful at once; the future waits for every tier, then records the present prices.
pub(super) fn purge_repriced(
    cache: &Cache,
    opening: CacheOpenState,
    path: PathBuf,
    now: PricesByModel,
) -> Option<impl Future<Output = ()> + use<>> {
    let written = read_recorded_prices(&path);
    if written.as_ref() == Some(&now) {
        return None;
    }
    let changed = written.as_ref().map(|then| models_with_changed_price(then, &now));
    let purges: Vec<Purge> = match (&changed, opening.is_new) {
        (Some(models), _) => models.iter().cloned().map(Purge::Model).collect(),
        (None, false) => vec![Purge::All],
        (None, true) => Vec::new(),
    };
    let purges: Vec<_> = purges.into_iter().map(|what| cache.purge(what)).collect();
    let cache = cache.clone();
    Some(async move {
        let mut reached = Ok(());
        for purge in purges {
            reached = reached.and(purge.await);
        }
        for model in models_priced_by_alias(&cache, &changed.unwrap_or_default()).await {
            reached = reached.and(cache.purge(Purge::Model(model)).await);
        }
        if let Err(error) = reached {
            // The old price file stays, so the next start purges again.
            tracing::warn!(
                %error,
                "responses cached at an old price were purged on this machine only"
            );
            return;
        }
        if !opening.has_all_tiers {
            return;
        }
        let writing = tokio::task::spawn_blocking(move || write_recorded_prices(&path, &now));
        if let Ok(Err(error)) = writing.await {
            tracing::warn!(%error, "the cache's prices could not be saved");
        }
    })
}

/// Cached model names that are priced through another name. They come from the file on this
/// machine; on a shared server such responses stay until they expire.
async fn models_priced_by_alias(cache: &Cache, changed: &BTreeSet<String>) -> Vec<String> {
    if changed.is_empty() {
        return Vec::new();
    }
    let mut names = cache.models().await;
    names.retain(|name| Provider::documented_aliases(name).any(|alias| changed.contains(alias)));
    names
}

pub(super) fn prices_in_force(book: &PriceBook, at: WallTime) -> PricesByModel {
    let mut all = PricesByModel::new();
    for price in book.valid_at(at) {
        let place = match &price.owner {
            PriceOwner::Provider(provider) => provider.word().to_owned(),
            PriceOwner::Backend(backend) => format!("backend:{backend}"),
        };
        all.entry(price.model.clone()).or_default().insert(place, price.terms.clone());
    }
    all
}

/// Models whose price was added, removed or changed at any place, plus their documented aliases.
fn models_with_changed_price(then: &PricesByModel, now: &PricesByModel) -> BTreeSet<String> {
    let mut models: BTreeSet<String> = then
        .keys()
        .chain(now.keys())
        .filter(|model| then.get(*model) != now.get(*model))
        .cloned()
        .collect();
    // A backend may bill a request for the undated name at the price of the dated one.
    let undated: Vec<String> = models
        .iter()
        .flat_map(|model| Provider::documented_aliases(model))
        .map(str::to_owned)
        .collect();
    models.extend(undated);
    models
}

/// Reads the recorded prices; `None` if the file is missing or unreadable.
fn read_recorded_prices(path: &Path) -> Option<PricesByModel> {
    let text = std::fs::read(path).ok()?;
    let read = serde_json::from_slice(&text);
    read.inspect_err(|error| tracing::warn!(%error, "the cache's saved prices could not be read"))
        .ok()
}

fn write_recorded_prices(path: &Path, prices: &PricesByModel) -> io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&serde_json::to_vec(prices)?)?;
    file.persist(path).map(drop).map_err(|error| error.error)
}
