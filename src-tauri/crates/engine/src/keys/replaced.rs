//! Keys whose name another secret has, since a vault changed or secrets were imported.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{BoundSecret, CredentialId, WallTime};
use settings::{CredentialSettings, Settings};
use vault::Vault;

pub(crate) type ReplacedKeys = BTreeMap<CredentialId, Arc<BoundSecret>>;

/// The keys of the settings that are other ones in `new` than in `old`, as far as both can be read.
pub(crate) async fn replaced_keys(old: &Vault, new: &Vault, settings: &Settings) -> ReplacedKeys {
    let mut replaced = BTreeMap::new();
    for (id, known) in &settings.credentials {
        let Ok(secret) = new.get(id).await else { continue };
        if is_replaced(known, old.get(id).await.ok().as_deref(), &secret) {
            replaced.insert(id.clone(), secret);
        }
    }
    replaced
}

/// True if `new` is another secret than the one that the settings describe, which is `old` if it can
/// be read. A secret of OAuth changes by itself, so its description does not tell.
#[must_use]
pub fn is_replaced(
    known: &CredentialSettings,
    old: Option<&BoundSecret>,
    new: &BoundSecret,
) -> bool {
    let secret = new.parts().0;
    match old {
        Some(old) => old.parts().0 != secret,
        None => new.exchange().is_none() && known.tail != secret.tail(),
    }
}

/// Describes the keys anew.
pub(crate) fn note_replaced(draft: &mut Settings, replaced: &ReplacedKeys, at: WallTime) {
    for (id, secret) in replaced {
        if let Some(known) = draft.credentials.get_mut(id) {
            let (secret, origin) = secret.parts();
            known.set_replaced(secret.tail(), origin.cloned(), at);
        }
    }
}
