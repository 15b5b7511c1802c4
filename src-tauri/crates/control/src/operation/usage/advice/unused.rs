//! Keys and backends that nobody used. A key that is not needed can only leak.

use std::collections::HashSet;

use domain::{BackendId, CredentialId, WallTime};
use engine::Engine;
use ledger::{GroupBy, UsageKey, UsageQuery};
use settings::{BackendSettings, CredentialSettings, Settings};

use super::{Evidence, row};
use crate::ApiError;
use crate::view::{UsageAdviceCardView, UsageAdviceRule, UsageFilter};

pub(super) async fn advice(
    engine: &Engine,
    evidence: &Evidence,
    from: WallTime,
    to: WallTime,
) -> Result<Vec<UsageAdviceCardView>, ApiError> {
    let used_keys = names_in_use(engine, from, to, GroupBy::Credential).await?;
    let used_backends = names_in_use(engine, from, to, GroupBy::Backend).await?;
    let (Some(used_keys), Some(used_backends)) = (used_keys, used_backends) else {
        return Ok(Vec::new());
    };
    let settings = engine.settings();
    let is_old = |id: &CredentialId| {
        settings.credentials.get(id).is_some_and(|known| last_change(known) <= from)
    };
    let is_unused = |(id, known): &(&BackendId, &BackendSettings)| {
        let mut keys = known.pool.credentials().peekable();
        // It is not recorded when a backend was added; its keys tell.
        let is_old = keys.peek().is_some() && keys.all(is_old);
        settings.is_backend_on(id)
            && is_old
            && !used_backends.contains(id.as_str())
            // A failed attempt is a try to use it.
            && !evidence.now.failed.contains_key(id.as_str())
    };
    let backends: Vec<_> = settings.backends.iter().filter(is_unused).collect();
    let is_dead = |(id, known): &(&CredentialId, &CredentialSettings)| {
        is_old(id)
            && known.billing.is_none()
            && !settings.is_key_beside_backends(id)
            && !used_keys.contains(id.as_str())
            && !is_key_of(&settings, id, |name| {
                backends.iter().any(|(unused, _)| *unused == name)
                    || evidence.now.failed.contains_key(name.as_str())
            })
    };
    let keys = settings.credentials.iter().filter(is_dead);
    let backends = backends.iter().map(|(id, _)| backend_card(evidence, id));
    Ok(backends.chain(keys.map(|(id, known)| key_card(evidence, id, known))).collect())
}

/// `None` if there are too many to name each.
async fn names_in_use(
    engine: &Engine,
    from: WallTime,
    to: WallTime,
    group_by: GroupBy,
) -> Result<Option<HashSet<String>>, ApiError> {
    let question = UsageQuery::whole(from, to, group_by)
        .map_err(|error| ApiError::failed(error.to_string()))?;
    let mut names = HashSet::new();
    for (key, _) in engine.ledger().usage(question).await?.groups {
        match key {
            UsageKey::Named(name) => names.extend([name]),
            UsageKey::Unnamed => {}
            UsageKey::Other => return Ok(None),
        }
    }
    Ok(Some(names))
}

fn last_change(key: &CredentialSettings) -> WallTime {
    key.replaced.map_or(key.created, |replaced| replaced.max(key.created))
}

fn is_key_of(settings: &Settings, key: &CredentialId, wanted: impl Fn(&BackendId) -> bool) -> bool {
    let uses = |known: &BackendSettings| known.pool.credentials().any(|used| used == key);
    settings.backends.iter().any(|(name, known)| wanted(name) && uses(known))
}

fn backend_card(evidence: &Evidence, id: &BackendId) -> UsageAdviceCardView {
    let label = evidence.backend_label(id.as_str());
    let filter = UsageFilter { backend: Some(id.to_string()), ..UsageFilter::default() };
    UsageAdviceCardView {
        rule: UsageAdviceRule::UnusedBackend,
        title: format!("{label} was not used for 30 days"),
        subject: evidence.subject(GroupBy::Backend, id.as_str()),
        saving_nano_usd_per_month: None,
        evidence: vec![row("Requests", "0".to_owned(), &filter)],
        next_step: "Remove it and revoke its key, unless it stands by for another.".to_owned(),
        back_test: None,
    }
}

fn key_card(
    evidence: &Evidence,
    id: &CredentialId,
    known: &CredentialSettings,
) -> UsageAdviceCardView {
    let filter = UsageFilter { credential: Some(id.to_string()), ..UsageFilter::default() };
    let label = if known.label.is_empty() { id.as_str() } else { &known.label };
    UsageAdviceCardView {
        rule: UsageAdviceRule::UnusedKey,
        title: format!("The key {label} was not used for 30 days"),
        subject: evidence.subject(GroupBy::Credential, id.as_str()),
        saving_nano_usd_per_month: None,
        evidence: vec![row("Requests", "0".to_owned(), &filter)],
        next_step: "Revoke it at the provider and remove it here, unless it is a spare.".to_owned(),
        back_test: None,
    }
}
