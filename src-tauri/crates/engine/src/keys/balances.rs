//! What providers say is left behind each key that backends use: asked every quarter of an hour, with
//! the key that requests carry and at the provider's own address alone. Nothing is billed.
//!
//! How long it lasts is told by what went through the gateway in the last week with the key, or with
//! all keys at that provider where they share an account; and not at all if the cost of some of it is
//! not known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use billing::{Balance, BalanceEndpoint, KeyPermissions, ReportError};
use domain::{
    BalanceKind, Clock, CredentialId, CurrencyCode, DAY_MS, Moment, NanoUsd, Origin, ShownCurrency,
    WallTime,
};
use endpoints::KeyGeneration;
use gateway::{FetchError, KeyCarrier, KeyError, ReportCall, Upstream, fetch_report};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use ledger::{GroupBy, Ledger, LedgerError, UsageKey, UsageQuery};
use parking_lot::Mutex;
use settings::{CredentialSettings, SettingsStore};
use vault::{Vault, VaultState};

use crate::events::EventBus;
use crate::health::backend_watch::HealthWatch;
use crate::keys::statuses::KeyStatuses;
use crate::process::tasks::Tasks;
use crate::topic::Topic;

/// Pause between two looks for keys that are due.
const LOOK_SECS: u64 = 20;
/// How often each key's provider is asked.
const ASKED_EVERY: Duration = Duration::from_secs(15 * 60);
/// An older reading says nothing of now.
const READING_AGE_MAX_MS: i64 = 60 * 60 * 1_000;
/// Largest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 65_536;
/// Days whose cost is the pace.
const PACE_DAYS: i64 = 7;
/// A shorter time says nothing about the pace.
const PACE_DAYS_MIN: i64 = 3;

pub struct KeyBalances {
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) keys: Arc<KeyStatuses>,
    pub(crate) vault: Vault,
    pub(crate) network: Arc<dyn Upstream>,
    pub(crate) ledger: Ledger,
    pub(crate) health: Arc<HealthWatch>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: EventBus,
    pub(crate) known: Mutex<BTreeMap<CredentialId, StoredBalance>>,
}

/// What is known of the balance behind a key.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KeyBalance {
    /// The last one that was told; `None` if none was, or if the provider sets no limit.
    pub reading: Option<BalanceReading>,
    /// What the key may do, as it was told last; `None` if it was not.
    pub permissions: Option<KeyPermissions>,
    /// Why the last question about a balance had no answer, as a clause without secrets.
    pub problem: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct BalanceReading {
    pub at: WallTime,
    pub balance: Balance,
    /// Whole days that it lasts at the pace of the last week; `None` if that is not known, if it lasts
    /// until its limit is full again, or if nothing is left.
    pub days_left: Option<u64>,
}

#[derive(Debug)]
pub(crate) struct StoredBalance {
    asked: Moment,
    stored: StoredSecret,
    pub(crate) balance: KeyBalance,
}

/// The secret that was asked with: since when the settings know it, and its generation.
type StoredSecret = (WallTime, KeyGeneration);

/// A key whose provider is asked.
struct BalanceKey {
    id: CredentialId,
    origin: Origin,
    endpoint: BalanceEndpoint,
    stored: StoredSecret,
    created: WallTime,
}

type BalanceKeys = BTreeMap<CredentialId, BalanceKey>;

impl BalanceReading {
    #[must_use]
    pub fn is_used_up(&self) -> bool {
        self.balance.is_used_up()
    }

    /// True if it says something of now.
    pub(crate) fn is_current(&self, now: WallTime) -> bool {
        now.unix_ms().saturating_sub(self.at.unix_ms()) <= READING_AGE_MAX_MS
    }

    /// `$4.12`, or `110.00 CNY`.
    #[must_use]
    pub fn amount(&self, shown: ShownCurrency) -> String {
        let amounts = self.balance.amounts.iter().map(|(currency, amount)| {
            let dollars = NanoUsd::from_dollars(&amount.to_string()).ok();
            match dollars.filter(|_| *currency == CurrencyCode::USD) {
                Some(dollars) => shown.format(dollars),
                None => {
                    let digits = currency.minor_digits();
                    let places = usize::try_from(digits).unwrap_or_default();
                    format!("{:.places$} {currency}", amount.round_dp(digits))
                }
            }
        });
        amounts.collect::<Vec<_>>().join(" and ")
    }
}

impl KeyBalances {
    /// What is known of each key whose provider tells a balance; `None` while it was not asked with the
    /// present secret.
    #[must_use]
    pub fn balances(&self) -> BTreeMap<CredentialId, Option<KeyBalance>> {
        let keys = self.keys_in_use();
        let known = self.known.lock();
        let balance = |(id, key): (CredentialId, BalanceKey)| {
            let own = known.get(&id).filter(|known| known.stored == key.stored);
            (id, own.map(|known| known.balance.clone()))
        };
        keys.into_iter().map(balance).collect()
    }

    pub(crate) fn spawn(self: &Arc<Self>, tasks: &Tasks) {
        let (balances, ticks) = (Arc::clone(self), tasks.clone());
        tasks.spawn("key balances", async move {
            while ticks.sleep(Duration::from_secs(LOOK_SECS)).await {
                balances.ask_due().await;
            }
        });
    }

    /// Asks about the keys that are due, and forgets those that are not in use.
    pub(crate) async fn ask_due(&self) {
        if self.health.is_offline() || self.vault.state() != VaultState::Ready {
            return;
        }
        let keys = self.keys_in_use();
        self.known.lock().retain(|id, _| keys.contains_key(id));
        let now = self.clock.now();
        let is_due = |key: &BalanceKey| {
            let known = self.known.lock();
            known
                .get(&key.id)
                .is_none_or(|it| it.stored != key.stored || now.since(it.asked) >= ASKED_EVERY)
        };
        for key in keys.values().filter(|key| is_due(key)) {
            self.check(key, &keys).await;
        }
    }

    /// The keys of enabled backends whose providers tell a balance.
    fn keys_in_use(&self) -> BalanceKeys {
        let settings = self.settings.current();
        let mut keys = BTreeMap::new();
        for (_, backend) in settings.backends_on() {
            let origin = Origin::from_url(&backend.base_url).ok();
            let asked = origin.and_then(|origin| Some((BalanceEndpoint::at(&origin)?, origin)));
            let Some((endpoint, origin)) = asked else { continue };
            for id in backend.pool.credentials() {
                let Some(CredentialSettings { created, replaced, .. }) =
                    settings.credentials.get(id)
                else {
                    continue;
                };
                let stored = (replaced.unwrap_or(*created), self.keys.generation(id));
                let (id, origin) = (id.clone(), origin.clone());
                let key =
                    BalanceKey { id: id.clone(), origin, endpoint, stored, created: *created };
                keys.insert(id, key);
            }
        }
        keys
    }

    async fn check(&self, key: &BalanceKey, all: &BalanceKeys) {
        let reading = self.read(key, all).await;
        let mut known = self.known.lock();
        let before = known.remove(&key.id).filter(|it| it.stored == key.stored);
        let before = before.map(|it| it.balance).unwrap_or_default();
        let balance = match reading {
            Ok((reading, permissions)) => KeyBalance { reading, permissions, problem: None },
            Err(UnreadBalance { problem, is_rejected }) => {
                let problem = key.endpoint.tells_balance().then_some(problem);
                let permissions = before.permissions.clone().filter(|_| !is_rejected);
                KeyBalance { permissions, problem, ..before.clone() }
            }
        };
        let is_new = before != balance;
        let (asked, stored) = (self.clock.now(), key.stored);
        known.insert(key.id.clone(), StoredBalance { asked, stored, balance });
        drop(known);
        if is_new {
            self.events.send_changed(&[Topic::Keys]);
        }
    }

    /// Asks the provider. What else it says may name accounts, so no error repeats its words.
    async fn read(
        &self,
        key: &BalanceKey,
        all: &BalanceKeys,
    ) -> Result<(Option<BalanceReading>, Option<KeyPermissions>), UnreadBalance> {
        let secret = self.keys.access_tokens().key(&key.id).await;
        let call = ReportCall {
            origin: key.origin.clone(),
            path: key.endpoint.path().to_owned(),
            key: secret.map_err(|error| UnreadBalance {
                is_rejected: matches!(error, KeyError::Rejected(_)),
                problem: error.to_string(),
            })?,
            carrier: KeyCarrier::Bearer,
            headers: &[],
        };
        let body = fetch_report(&*self.network, call, ANSWER_BYTES_MAX).await;
        let body = body.map_err(|error| UnreadBalance {
            is_rejected: matches!(error, FetchError::Status(401)),
            problem: match error {
                FetchError::Status(401 | 403) => "this key may not ask for it".to_owned(),
                error => error.to_string(),
            },
        })?;
        let balance = key.endpoint.read(&body).map_err(|error| unread(&error))?;
        let permissions = key.endpoint.permissions(&body);
        let Some(balance) = balance else { return Ok((None, permissions)) };
        let spenders = all.values().filter(|other| match balance.kind {
            BalanceKind::KeyLimit => other.id == key.id,
            BalanceKind::Account => other.endpoint == key.endpoint,
        });
        let (at, a_day) = (self.clock.wall(), self.pace(spenders).await);
        let a_day = a_day.map_err(|error| format!("its pace could not be read: {error}"))?;
        let days_left = a_day.and_then(|a_day| balance.days_left(a_day, &zoned(at)));
        Ok((Some(BalanceReading { at, balance, days_left }), permissions))
    }

    /// What a day of the last week cost with these keys; `None` if some of it has no known cost, or if
    /// the time is too short.
    async fn pace<'a>(
        &self,
        keys: impl Iterator<Item = &'a BalanceKey>,
    ) -> Result<Option<NanoUsd>, LedgerError> {
        let now = self.clock.wall();
        let week_ago = now.minus_ms(PACE_DAYS * DAY_MS);
        let Some(oldest) = self.ledger.first_hour().await? else { return Ok(None) };
        let (mut names, mut first) = (BTreeSet::new(), now);
        for key in keys {
            names.insert(key.id.to_string());
            first = first.min(key.created);
        }
        let from = oldest.max(first).max(week_ago);
        let span_ms = now.unix_ms().saturating_sub(from.unix_ms());
        let Ok(query) = UsageQuery::whole(from, now, GroupBy::Credential) else { return Ok(None) };
        if span_ms < PACE_DAYS_MIN * DAY_MS {
            return Ok(None);
        }
        let (mut cost, mut is_known) = (0_i128, true);
        for (name, totals) in self.ledger.usage(query).await?.groups {
            if matches!(&name, UsageKey::Named(name) if names.contains(name)) {
                cost += i128::from(totals.cost.nanos());
                is_known &= !totals.is_partly_unpriced();
            }
        }
        let a_day = i64::try_from(cost * i128::from(DAY_MS) / i128::from(span_ms)).ok();
        Ok(a_day.map(NanoUsd::new).filter(|_| is_known))
    }
}

/// Why there is no answer.
struct UnreadBalance {
    /// A clause without secrets.
    problem: String,
    /// True if the provider does not accept the key.
    is_rejected: bool,
}

impl From<String> for UnreadBalance {
    fn from(problem: String) -> Self {
        Self { problem, is_rejected: false }
    }
}

fn unread(error: &ReportError) -> String {
    match error {
        ReportError::Malformed { field, .. } if field != "." => {
            format!("its answer could not be read at {field}")
        }
        _ => "its answer could not be read".to_owned(),
    }
}

fn zoned(at: WallTime) -> Zoned {
    Timestamp::from_millisecond(at.unix_ms()).unwrap_or_default().to_zoned(TimeZone::UTC)
}

#[cfg(test)]
mod tests;
