//! Recently read values and reads in flight: every request needs its key, but the keychain is read
//! once.
//!
//! A value is dropped after [`CACHE_SECS_MAX`] and when a write to it starts. A read that started
//! before a write ended may return the old value; the write count prevents caching it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::{BoundSecret, CredentialId, Moment};
use tokio::sync::watch;

use crate::VaultError;

/// Longest time a value is cached, in seconds. Long enough for a few dozen keychain reads in a
/// working day, short enough that a key does not linger.
pub(crate) const CACHE_SECS_MAX: u64 = 300;

/// Most cached values; past it the first to expire is dropped.
pub(crate) const CACHE_ENTRIES_MAX: usize = 256;

/// Result of a read, shared by all its waiters.
pub(crate) type SecretResult = Result<Arc<BoundSecret>, VaultError>;

/// Receives the result of a read in flight. Closed without a value if its leader gave up.
pub(crate) type ReadReceiver = watch::Receiver<Option<SecretResult>>;

/// Held by the only task that performs a read.
pub(crate) struct ReadLease {
    number: u64,
    writes_seen: u64,
    sender: watch::Sender<Option<SecretResult>>,
}

/// How to obtain a value.
pub(crate) enum ReadRole {
    Cached(Arc<BoundSecret>),
    /// Wait for the read in flight.
    Join(ReadReceiver),
    Lead(ReadLease),
}

#[derive(Default)]
pub(crate) struct ReadCache {
    cached: HashMap<CredentialId, CachedSecret>,
    flights: HashMap<CredentialId, (u64, ReadReceiver)>,
    flights_begun: u64,
    writes: u64,
}

struct CachedSecret {
    value: Arc<BoundSecret>,
    until: Moment,
}

impl ReadCache {
    pub(crate) fn begin_read(&mut self, id: &CredentialId, now: Moment) -> ReadRole {
        match self.cached.get(id) {
            Some(kept) if now < kept.until => return ReadRole::Cached(Arc::clone(&kept.value)),
            Some(_) => drop(self.cached.remove(id)),
            None => {}
        }
        if let Some((_, flight)) = self.flights.get(id) {
            return ReadRole::Join(flight.clone());
        }
        self.flights_begun += 1;
        let (sender, flight) = watch::channel(None);
        self.flights.insert(id.clone(), (self.flights_begun, flight));
        ReadRole::Lead(ReadLease { number: self.flights_begun, writes_seen: self.writes, sender })
    }

    /// Ends a read: notifies the waiters, and caches the value unless a write came between.
    pub(crate) fn finish_read(
        &mut self,
        id: &CredentialId,
        lead: &ReadLease,
        reading: &SecretResult,
        now: Moment,
    ) {
        self.abandon_read(id, lead);
        if let Ok(value) = reading
            && lead.writes_seen == self.writes
        {
            self.make_room();
            let until = now + Duration::from_secs(CACHE_SECS_MAX);
            self.cached.insert(id.clone(), CachedSecret { value: Arc::clone(value), until });
        }
        lead.sender.send_replace(Some(reading.clone()));
    }

    /// Ends a read without a result: the next caller leads.
    pub(crate) fn abandon_read(&mut self, id: &CredentialId, lead: &ReadLease) {
        if self.flights.get(id).is_some_and(|(number, _)| *number == lead.number) {
            self.flights.remove(id);
        }
    }

    /// Drops the cached value and the read in flight of `id`. Call it when a write starts and ends.
    pub(crate) fn invalidate(&mut self, id: &CredentialId) {
        self.writes += 1;
        self.cached.remove(id);
        self.flights.remove(id);
    }

    /// Drops, and so zeroes, expired values.
    pub(crate) fn drop_expired(&mut self, now: Moment) {
        self.cached.retain(|_, kept| now < kept.until);
    }

    fn make_room(&mut self) {
        if self.cached.len() >= CACHE_ENTRIES_MAX {
            let first =
                self.cached.iter().min_by_key(|(_, kept)| kept.until).map(|(id, _)| id.clone());
            first.and_then(|id| self.cached.remove(&id));
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::Secret;

    use super::*;

    fn id(text: &str) -> CredentialId {
        CredentialId::new(text).expect("an id")
    }

    fn value(text: &str) -> SecretResult {
        let secret = Secret::parse(text.to_owned()).expect("a good secret");
        Ok(Arc::new(BoundSecret::new(secret, None)))
    }

    fn lead(reads: &mut ReadCache, id: &CredentialId, now: Moment) -> ReadLease {
        match reads.begin_read(id, now) {
            ReadRole::Lead(lead) => lead,
            ReadRole::Cached(_) | ReadRole::Join(_) => panic!("{id} is known already"),
        }
    }

    fn is_kept(reads: &mut ReadCache, id: &CredentialId, now: Moment) -> bool {
        reads.cached.contains_key(id) && matches!(reads.begin_read(id, now), ReadRole::Cached(_))
    }

    #[test]
    fn a_value_is_kept_to_its_last_microsecond_and_no_longer() {
        let (mut reads, key, start) = (ReadCache::default(), id("a"), Moment::from_secs(7));
        let first = lead(&mut reads, &key, start);
        reads.finish_read(&key, &first, &value("sk-1"), start);
        let end = start + Duration::from_secs(CACHE_SECS_MAX);
        assert!(is_kept(&mut reads, &key, end - Duration::from_micros(1)));
        reads.drop_expired(end - Duration::from_micros(1));
        assert_eq!(reads.cached.len(), 1);
        reads.drop_expired(end);
        assert_eq!(reads.cached.len(), 0);
    }

    #[test]
    fn a_read_that_a_write_overtook_is_not_remembered() {
        let (mut reads, key, now) = (ReadCache::default(), id("a"), Moment::default());
        let old = lead(&mut reads, &key, now);
        reads.invalidate(&key);
        let new = lead(&mut reads, &key, now);
        reads.finish_read(&key, &old, &value("sk-old"), now);
        assert!(!is_kept(&mut reads, &key, now), "the old value was remembered");
        assert!(
            matches!(reads.begin_read(&key, now), ReadRole::Join(_)),
            "the new read was ended by the old"
        );
        reads.finish_read(&key, &new, &value("sk-new"), now);
        assert!(is_kept(&mut reads, &key, now));
    }

    #[test]
    fn a_failed_read_is_reported_to_those_who_wait_and_not_remembered() {
        let (mut reads, key, now) = (ReadCache::default(), id("a"), Moment::default());
        let first = lead(&mut reads, &key, now);
        let ReadRole::Join(flight) = reads.begin_read(&key, now) else {
            panic!("a read is under way")
        };
        reads.finish_read(&key, &first, &Err(VaultError::Hung), now);
        assert!(matches!(&*flight.borrow(), Some(Err(VaultError::Hung))));
        assert!(matches!(reads.begin_read(&key, now), ReadRole::Lead(_)));
    }

    #[test]
    fn past_the_limit_the_first_to_expire_goes() {
        let mut reads = ReadCache::default();
        for number in 0..=CACHE_ENTRIES_MAX {
            let (key, now) = (id(&format!("k{number}")), Moment::from_micros(number as u64));
            let first = lead(&mut reads, &key, now);
            reads.finish_read(&key, &first, &value("sk-1"), now);
        }
        assert_eq!(reads.cached.len(), CACHE_ENTRIES_MAX);
        assert!(!reads.cached.contains_key(&id("k0")) && reads.cached.contains_key(&id("k1")));
    }
}
