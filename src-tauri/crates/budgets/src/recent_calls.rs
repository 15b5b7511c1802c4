//! What the latest calls tell of the next ones: how much of a prompt the provider reads from its
//! cache, and the name that a model is billed by.

use std::collections::{HashMap, VecDeque};

use domain::{BackendId, ClientId, CredentialId, WallTime};

/// Calls of a client and model from which its cache reads are expected.
pub const CACHED_CALLS_MIN: usize = 3;

/// Latest calls of a client and model that count.
pub(crate) const CACHED_CALLS_KEPT_MAX: usize = 8;

/// How long after a call its cache is expected to be there, in milliseconds: the shortest term that
/// providers keep one for.
pub(crate) const CACHE_KEPT_MS: i64 = 300_000;

/// Callers with a model, and billed names, that are kept; of any further one nothing is known.
pub(crate) const RECENT_NAMES_MAX: usize = 1_024;

#[derive(Debug, Clone, Copy)]
struct CachedCall {
    at: WallTime,
    input_tokens: u64,
    read_tokens: u64,
}

/// Whose calls read from one cache: providers keep one for each account and model.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PromptCacheKey {
    pub client: ClientId,
    pub backend: BackendId,
    pub credential: Option<CredentialId>,
    /// As the backend names it.
    pub model: String,
}

/// Cache reads of the latest calls.
#[derive(Debug, Default)]
pub struct CacheReads(HashMap<PromptCacheKey, VecDeque<CachedCall>>);

impl CacheReads {
    /// Notes an answer: the tokens of its prompt, and those of them that were read from the cache.
    pub fn record(
        &mut self,
        key: PromptCacheKey,
        (input_tokens, read_tokens): (u64, u64),
        at: WallTime,
    ) {
        if self.0.len() >= RECENT_NAMES_MAX && !self.0.contains_key(&key) {
            return;
        }
        let calls = self.0.entry(key).or_default();
        if calls.len() >= CACHED_CALLS_KEPT_MAX {
            calls.pop_front();
        }
        calls.push_back(CachedCall { at, input_tokens, read_tokens });
    }

    /// Tokens of a prompt of `input_tokens` that the cache will have: the smallest share of the latest
    /// calls, and never more than the last one read. Zero where too little is known or the cache may
    /// have ended.
    #[must_use]
    pub fn expected(&self, key: &PromptCacheKey, input_tokens: u64, now: WallTime) -> u64 {
        let Some(calls) = self.0.get(key) else { return 0 };
        let Some(last) = calls.back() else { return 0 };
        let age_ms = now.unix_ms().saturating_sub(last.at.unix_ms());
        if calls.len() < CACHED_CALLS_MIN || !(0..CACHE_KEPT_MS).contains(&age_ms) {
            return 0;
        }
        let share = |call: &CachedCall| {
            let read = u128::from(call.read_tokens.min(call.input_tokens));
            let part = (u128::from(input_tokens) * read).checked_div(u128::from(call.input_tokens));
            part.and_then(|tokens| u64::try_from(tokens).ok()).unwrap_or_default()
        };
        calls.iter().map(share).min().unwrap_or_default().min(last.read_tokens)
    }
}

/// The names that models were last billed by, where these are others than the names that were sent.
#[derive(Debug, Default)]
pub struct BilledNames(HashMap<(String, String), String>);

impl BilledNames {
    /// Notes that `backend` billed `model` as `billed`.
    pub fn record(&mut self, backend: &str, model: &str, billed: &str) {
        let key = (backend.to_owned(), model.to_owned());
        if billed == model {
            self.0.remove(&key);
        } else if self.0.len() < RECENT_NAMES_MAX || self.0.contains_key(&key) {
            self.0.insert(key, billed.to_owned());
        }
    }

    /// The name that `model` is billed by at `backend`, as far as it is known; else its own.
    #[must_use]
    pub fn of(&self, backend: &str, model: &str) -> String {
        let billed = self.0.get(&(backend.to_owned(), model.to_owned()));
        billed.map_or(model, String::as_str).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> WallTime {
        WallTime::from_unix_ms(seconds * 1_000)
    }

    fn key(client: &str, backend: &str, credential: Option<&str>, model: &str) -> PromptCacheKey {
        PromptCacheKey {
            client: ClientId::new(client).expect("a name"),
            backend: BackendId::new(backend).expect("a name"),
            credential: credential.map(|name| CredentialId::new(name).expect("a name")),
            model: model.to_owned(),
        }
    }

    #[test]
    fn the_least_of_the_latest_shares_is_expected_and_no_more_than_was_read_last() {
        let (mut reads, of_m) = (CacheReads::default(), key("c", "b", Some("k"), "m"));
        let mut expect = |calls: &[(u64, u64)], tokens, expected| {
            for call in calls {
                reads.record(of_m.clone(), *call, at(0));
            }
            assert_eq!(reads.expected(&of_m, tokens, at(299)), expected, "{calls:?}");
        };
        expect(&[], 100, 0);
        expect(&[(100, 90), (100, 80)], 100, 0);
        expect(&[(100, 95)], 100, 80);
        expect(&[], 1_000, 95);
        expect(&[(100, 0)], 100, 0);
        expect(&[(200, 180); CACHED_CALLS_KEPT_MAX], 150, 135);
        assert_eq!(reads.expected(&of_m, 150, at(300)), 0, "the cache may have ended");
        for other in [
            key("c", "b", Some("k"), "n"),
            key("d", "b", Some("k"), "m"),
            key("c", "other", Some("k"), "m"),
            key("c", "b", Some("other"), "m"),
            key("c", "b", None, "m"),
        ] {
            assert_eq!(reads.expected(&other, 150, at(299)), 0, "{other:?}");
        }
    }

    #[test]
    fn names_past_the_limit_are_not_kept() {
        let (mut reads, mut names) = (CacheReads::default(), BilledNames::default());
        let of = |model: &str| key("c", "b", None, model);
        for number in 0..=RECENT_NAMES_MAX {
            for _call in 0..CACHED_CALLS_MIN {
                reads.record(of(&format!("m{number}")), (100, 90), at(0));
            }
            names.record("b", &format!("m{number}"), "dated");
        }
        let last = format!("m{}", RECENT_NAMES_MAX - 1);
        let further = format!("m{RECENT_NAMES_MAX}");
        let read = |model: &str| reads.expected(&of(model), 100, at(1));
        assert_eq!((read(&last), read(&further)), (90, 0));
        assert_eq!((names.of("b", &last), names.of("b", &further)), ("dated".to_owned(), further));
    }
}
