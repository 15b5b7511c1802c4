//! Keys that are not accepted, and accounts that do not pay.

use std::collections::BTreeMap;

use domain::{AlertSeverity, BackendId};

use super::failed;
use crate::condition::{Condition, condition};
use crate::facts::{BackendFact, BackendFault, Facts, FailedBackend, KeyFact};
use crate::notification::{cut_title, impact_sentence, join_sentences, joined_impact};
use crate::rule::AlertRule;

/// What to do about an account without credit.
pub const ADD_CREDIT: &str = "Add credit or raise its limit.";

/// A key is one cause for all backends that need it.
pub(super) fn key_blocked(
    key: &KeyFact,
    backends: &BTreeMap<&BackendId, &BackendFact>,
) -> Condition {
    let lost: Vec<FailedBackend> =
        key.needed_by.iter().filter_map(|id| backends.get(id)).map(|it| failed(it)).collect();
    let lost: Vec<&FailedBackend> = lost.iter().collect();
    let title = format!("The key {} {}", key.id, key.what);
    let path = format!("/keys/{}", key.id);
    let over =
        Some((cut_title(&format!("The key {} works", key.id)), "It is accepted.".to_owned()));
    Condition { path, over, ..lost_key(key.id.as_str(), &title, &lost, key.fix) }
}

/// Backends that refuse their key or account, though no key is known to be at fault.
pub(super) fn refused_without_key(facts: &Facts) -> impl Iterator<Item = Condition> {
    let has_key_fact = |id: &BackendId| facts.keys.iter().any(|key| key.needed_by.contains(id));
    let refused = facts.backends.iter().filter(move |backend| {
        let is_cut_off = facts.is_offline && !backend.is_local;
        !is_cut_off && !has_key_fact(&backend.id)
    });
    refused.filter_map(|backend| {
        let (what, fix) = match backend.fault {
            BackendFault::KeyRejected => ("key rejected", "Replace the key."),
            BackendFault::Unpaid => ("no credit left", ADD_CREDIT),
            _ => return None,
        };
        let title = format!("{}: {what}", backend.label);
        let path = format!("/backends/{}", backend.id);
        Some(Condition { path, ..lost_key(backend.id.as_str(), &title, &[&failed(backend)], fix) })
    })
}

fn lost_key(scope: &str, title: &str, lost: &[&FailedBackend], fix: &str) -> Condition {
    let impact = joined_impact(lost);
    let is_critical = !lost.is_empty() && impact.is_critical();
    let sentence = match lost {
        [] => "Other keys answer instead.".to_owned(),
        lost => impact_sentence(&impact, lost),
    };
    let backends = lost.iter().map(|backend| backend.backend.to_string());
    let scopes = std::iter::once(scope.to_owned()).chain(backends).collect();
    Condition {
        severity: if is_critical { AlertSeverity::Critical } else { AlertSeverity::High },
        scopes,
        title: cut_title(title),
        detail: join_sentences(&[&sentence, fix]),
        passes_quiet_hours: is_critical,
        ..condition(AlertRule::KeyBlocked, scope)
    }
}
