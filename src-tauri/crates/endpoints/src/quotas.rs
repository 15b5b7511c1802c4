//! What providers last said is left of an account's limits.

use std::collections::HashMap;
use std::time::Duration;

use domain::{Endpoint, Moment};

/// Endpoints whose limits are remembered.
pub(crate) const QUOTA_ENDPOINTS_MAX: usize = 1_000;
/// How long an answer says something about a limit that does not say when it renews: most are of a
/// minute.
const QUOTA_AGE_MAX: Duration = Duration::from_secs(60);

domain::words! {
    /// What a provider limits.
    QuotaKind {
        Requests = "requests",
        Tokens = "tokens",
        InputTokens = "input-tokens",
        OutputTokens = "output-tokens",
    }
}

/// What is left of one limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaLeft {
    pub kind: QuotaKind,
    /// Never zero.
    pub limit: u64,
    /// At most `limit`.
    pub remaining: u64,
    /// `None` if the provider does not say.
    pub renews_in: Option<Duration>,
}

impl QuotaLeft {
    /// 0 to 100, rounded down.
    #[must_use]
    pub fn left_percent(&self) -> u8 {
        let percent = u128::from(self.remaining) * 100 / u128::from(self.limit.max(1));
        u8::try_from(percent).unwrap_or(100).min(100)
    }

    /// 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.remaining as f64 / self.limit.max(1) as f64
    }
}

#[derive(Debug, Default)]
pub(crate) struct Quotas(HashMap<Endpoint, Vec<(Moment, QuotaLeft)>>);

impl Quotas {
    pub(crate) fn record(&mut self, endpoint: &Endpoint, quotas: Vec<QuotaLeft>, now: Moment) {
        let is_known = self.0.contains_key(endpoint);
        if quotas.is_empty() || (!is_known && self.0.len() >= QUOTA_ENDPOINTS_MAX) {
            return;
        }
        let until = |quota: QuotaLeft| (now + quota.renews_in.unwrap_or(QUOTA_AGE_MAX), quota);
        self.0.insert(endpoint.clone(), quotas.into_iter().map(until).collect());
    }

    /// The limit of which the smallest share is left; `None` if nothing is known at `now`.
    pub(crate) fn scarcest(&self, endpoint: &Endpoint, now: Moment) -> Option<QuotaLeft> {
        let known = self.0.get(endpoint)?.iter().filter(|(until, _)| now < *until);
        known.map(|(_, quota)| *quota).min_by(|one, other| one.share().total_cmp(&other.share()))
    }
}

#[cfg(test)]
mod tests {
    use domain::BackendId;

    use super::*;

    fn endpoint(name: &str) -> Endpoint {
        Endpoint { backend: BackendId::new(name).expect("a name"), credential: None }
    }

    const fn left(kind: QuotaKind, remaining: u64, renews_in: Option<Duration>) -> QuotaLeft {
        QuotaLeft { kind, limit: 100, remaining, renews_in }
    }

    #[test]
    fn the_scarcest_limit_counts_until_it_renews() {
        let (mut quotas, home) = (Quotas::default(), endpoint("home"));
        let requests = left(QuotaKind::Requests, 5, Some(Duration::from_secs(300)));
        let tokens = left(QuotaKind::Tokens, 50, None);
        quotas.record(&home, vec![tokens, requests], Moment::from_secs(100));
        quotas.record(&home, Vec::new(), Moment::from_secs(101));
        let at = |secs| quotas.scarcest(&home, Moment::from_secs(secs));
        assert_eq!(at(159), Some(requests));
        assert_eq!(at(399), Some(requests), "the tokens are not known any more");
        assert_eq!(at(400), None, "it renewed");
        assert_eq!(quotas.scarcest(&endpoint("away"), Moment::from_secs(100)), None);
    }

    #[test]
    fn the_percentage_left_is_rounded_down() {
        let left = |remaining: u64, limit: u64| {
            QuotaLeft { kind: QuotaKind::Tokens, limit, remaining, renews_in: None }.left_percent()
        };
        assert_eq!([left(0, 3), left(2, 3), left(3, 3), left(1, u64::MAX)], [0, 66, 100, 0]);
        assert_eq!(left(u64::MAX, u64::MAX), 100);
    }

    #[test]
    fn only_so_many_endpoints_are_remembered() {
        let mut quotas = Quotas::default();
        let now = Moment::from_secs(1);
        for number in 0..=QUOTA_ENDPOINTS_MAX {
            let one = endpoint(&format!("b{number}"));
            quotas.record(&one, vec![left(QuotaKind::Requests, 1, None)], now);
        }
        let is_known =
            |number: usize| quotas.scarcest(&endpoint(&format!("b{number}")), now).is_some();
        assert!(is_known(QUOTA_ENDPOINTS_MAX - 1) && !is_known(QUOTA_ENDPOINTS_MAX));
    }
}
