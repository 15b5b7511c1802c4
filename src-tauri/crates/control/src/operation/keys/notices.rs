//! What the user should look after: keys that end, are old, unused or stored twice. From when on a
//! key ends soon or is old, the rules of alerts say.

use std::sync::Arc;

use alerts::{AlertRule, RuleTunings, tuning_of};
use domain::{BoundSecret, DAY_MS};
use engine::UNUSED_DAYS;

use crate::view::{DependentsView, KeyNotice, KeyNoticeView, KeyView, UnixMs};

/// Adds to each key its notices. `secrets` are in the same order; `None` for one that could not be
/// read. They are compared as they are: a map of them or of their hashes would be a copy in memory.
pub(in crate::operation) fn add_notices(
    keys: &mut [KeyView],
    secrets: &[Option<Arc<BoundSecret>>],
    tunings: &RuleTunings,
    now: UnixMs,
) {
    let names: Vec<String> = keys.iter().map(|key| key.id.clone()).collect();
    for (key, secret) in keys.iter_mut().zip(secrets) {
        let is_same = |other: &Option<Arc<BoundSecret>>| match (secret, other) {
            (Some(secret), Some(other)) => secret.parts().0 == other.parts().0,
            _ => false,
        };
        let others =
            names.iter().zip(secrets).filter(|(name, other)| **name != key.id && is_same(other));
        let others: Vec<&str> = others.map(|(name, _)| name.as_str()).collect();
        let is_admin = secret.as_ref().is_some_and(|secret| secret.parts().0.is_admin_key());
        key.notices = admin_notice(key, is_admin).into_iter().collect();
        key.notices.extend(notices_of(key, &others, tunings, now));
    }
}

/// Not said of a key that reads cost reports, which only an admin key may.
fn admin_notice(key: &KeyView, is_admin: bool) -> Option<KeyNoticeView> {
    let manages_keys = key.permissions.as_ref().is_some_and(|known| known.manages_keys);
    let sentence = match (is_admin, manages_keys) {
        _ if key.billing.is_some() => return None,
        (true, _) => {
            "It is an admin key: it administers the organisation and cannot ask models. Use a key for \
             models instead."
        }
        (false, true) => {
            "It makes and deletes keys of the account and cannot ask models. Use a key for models \
             instead."
        }
        (false, false) => return None,
    };
    Some(KeyNoticeView { notice: KeyNotice::Admin, sentence: sentence.to_owned() })
}

fn notices_of(
    key: &KeyView,
    others: &[&str],
    tunings: &RuleTunings,
    now: UnixMs,
) -> Vec<KeyNoticeView> {
    let fires = |rule, days: i64| tuning_of(tunings, rule).is_beyond(rule, days as f64);
    let mut notices = Vec::new();
    let mut add = |notice, sentence| notices.push(KeyNoticeView { notice, sentence });
    match key.expires_at.map(|at| at.0 - now.0) {
        Some(left) if left <= 0 => {
            let sentence = "It has expired. Replace it with a new one.";
            add(KeyNotice::Expired, sentence.to_owned());
        }
        Some(left) if fires(AlertRule::KeyExpiry, left / DAY_MS) => {
            let sentence = format!("It expires {}. Replace it before.", in_days(left / DAY_MS));
            add(KeyNotice::ExpiresSoon, sentence);
        }
        _ => {}
    }
    let since = key.replaced_at.or(key.created_at);
    let age = since.map(|since| (now.0 - since.0) / DAY_MS);
    if let Some(days) = age.filter(|days| fires(AlertRule::KeyAge, *days)) {
        let sentence =
            format!("It has been in use for {days} days. Replace it, and revoke this one.");
        add(KeyNotice::Old, sentence);
    }
    if is_unused(key, now) {
        let sentence = format!("No request used it in {UNUSED_DAYS} days. Is it still needed?");
        add(KeyNotice::Unused, sentence);
    }
    if let Some(balance) = key.balance.as_ref().filter(|it| {
        let days = it.days_left.map(i64::from).or_else(|| it.is_used_up.then_some(0));
        days.is_some_and(|days| fires(AlertRule::BalanceLow, days))
    }) {
        add(KeyNotice::BalanceLow, format!("{}.", balance.sentence));
    }
    if !others.is_empty() {
        add(KeyNotice::Duplicate, format!("It is the same key as {}.", others.join(", ")));
    }
    notices
}

/// Not said of keys that no request carries.
fn is_unused(key: &KeyView, now: UnixMs) -> bool {
    let DependentsView { cache_server, services, .. } = &key.dependents;
    let is_for_requests = key.billing.is_none() && !cache_server && services.is_empty();
    let is_new = key.created_at.is_none_or(|at| now.0 - at.0 < UNUSED_DAYS * DAY_MS);
    is_for_requests && !is_new && key.last_month.requests.0 == 0
}

fn in_days(days: i64) -> String {
    match days {
        0 => "within a day".to_owned(),
        1 => "in 1 day".to_owned(),
        days => format!("in {days} days"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{KeyState, NanoDollars, VaultKind};

    const NOW: UnixMs = UnixMs(1_800_000_000_000);

    fn days_ago(days: i64) -> Option<UnixMs> {
        Some(UnixMs(NOW.0 - days * DAY_MS))
    }

    /// A key of today that was used.
    fn key(id: &str) -> KeyView {
        KeyView {
            id: id.to_owned(),
            label: id.to_owned(),
            tail: None,
            origin: None,
            created_at: days_ago(0),
            replaced_at: None,
            state: KeyState::Valid,
            reason: None,
            verified_at: None,
            used_at: None,
            used_by: Vec::new(),
            dependents: DependentsView::default(),
            storage: VaultKind::Keychain,
            billing: None,
            oauth: None,
            balance: None,
            permissions: None,
            expires_at: None,
            note: None,
            notices: Vec::new(),
            keys_url: None,
            provider: None,
            retired: None,
            read_only: false,
            last_month: crate::view::SpendView {
                cost_nano_usd: NanoDollars(0),
                is_cost_unknown: false,
                requests: 1_u64.into(),
                unpriced_requests: 0_u64.into(),
            },
        }
    }

    /// The rules with a threshold of so many days.
    fn tunings(days: u32) -> RuleTunings {
        let tuning = alerts::RuleTuning { threshold: days, ..alerts::RuleTuning::default() };
        [AlertRule::KeyExpiry, AlertRule::KeyAge].map(|rule| (rule, tuning)).into()
    }

    fn notices_from(days: u32, key: &KeyView) -> Vec<KeyNotice> {
        let found = notices_of(key, &[], &tunings(days), NOW);
        found.into_iter().map(|it| it.notice).collect()
    }

    fn notices(key: &KeyView) -> Vec<KeyNotice> {
        notices_from(90, key)
    }

    #[test]
    fn an_end_is_told_from_the_days_of_its_rule_on() {
        let ending = |left_ms| KeyView { expires_at: Some(UnixMs(NOW.0 + left_ms)), ..key("a") };
        let window = 14 * DAY_MS;
        assert_eq!(notices_from(14, &ending(window + DAY_MS)), []);
        assert_eq!(notices_from(14, &ending(window)), [KeyNotice::ExpiresSoon]);
        assert_eq!(notices_from(13, &ending(window)), []);
        assert_eq!(notices_from(14, &ending(1)), [KeyNotice::ExpiresSoon]);
        assert_eq!(notices_from(14, &ending(0)), [KeyNotice::Expired]);
        let told = notices_of(&ending(window), &[], &tunings(14), NOW);
        assert_eq!(told[0].sentence, "It expires in 14 days. Replace it before.");
    }

    #[test]
    fn an_age_counts_from_the_last_replacement_and_is_told_from_the_days_of_its_rule_on() {
        let old = KeyView { created_at: days_ago(90), ..key("a") };
        assert_eq!(notices_from(90, &old), [KeyNotice::Old]);
        assert_eq!(notices_from(91, &old), []);
        assert_eq!(notices_from(90, &KeyView { replaced_at: days_ago(89), ..old }), []);
    }

    #[test]
    fn unused_is_said_only_of_keys_that_had_the_time_and_are_for_requests() {
        let idle = |days| {
            let mut idle = KeyView { created_at: days_ago(days), ..key("a") };
            idle.last_month.requests = 0_u64.into();
            idle
        };
        assert_eq!(notices(&idle(UNUSED_DAYS)), [KeyNotice::Unused]);
        assert_eq!(notices(&idle(UNUSED_DAYS - 1)), []);
        let admin = domain::BillingProvider::OpenAi;
        assert_eq!(notices(&KeyView { billing: Some(admin), ..idle(UNUSED_DAYS) }), []);
    }

    #[test]
    fn a_key_that_can_do_more_than_ask_models_is_told() {
        let secret = |text: &str| {
            let secret = domain::Secret::parse(text.to_owned()).expect("a key");
            Some(Arc::new(BoundSecret::new(secret, None)))
        };
        let manages = |manages_keys| {
            let sentence = String::new();
            Some(crate::view::KeyPermissionsView { sentence, manages_keys })
        };
        let mut keys = [
            key("anthropic"),
            key("openai"),
            KeyView { permissions: manages(true), ..key("openrouter") },
            KeyView { permissions: manages(false), ..key("plain") },
            KeyView { billing: Some(domain::BillingProvider::OpenAi), ..key("costs") },
        ];
        let secrets = [
            secret("sk-ant-admin01-0123456789"),
            secret("sk-admin-0123456789ab"),
            secret("sk-or-v1-0123456789ab"),
            secret("sk-ant-api03-01234567"),
            secret("sk-admin-0123456789cd"),
        ];
        add_notices(&mut keys, &secrets, &tunings(90), NOW);
        let told = keys.map(|key| key.notices.into_iter().map(|it| it.notice).collect::<Vec<_>>());
        assert_eq!(told[..3], [[KeyNotice::Admin], [KeyNotice::Admin], [KeyNotice::Admin]]);
        assert!(told[3].is_empty() && told[4].is_empty());
    }

    #[test]
    fn the_same_secret_under_two_names_is_told_of_both() {
        let mut keys = [key("a"), key("b"), key("c"), key("d")];
        let bound = |text: &str| {
            let secret = domain::Secret::parse(format!("sk-test-{text}")).expect("a key");
            Some(Arc::new(BoundSecret::new(secret, None)))
        };
        let secrets = [bound("1"), bound("2"), bound("1"), None];
        add_notices(&mut keys, &secrets, &tunings(90), NOW);
        let told =
            keys.map(|key| key.notices.into_iter().map(|it| it.sentence).collect::<Vec<_>>());
        assert_eq!(told[0], ["It is the same key as c."]);
        assert_eq!(told[2], ["It is the same key as a."]);
        assert!(told[1].is_empty() && told[3].is_empty());
    }
}
