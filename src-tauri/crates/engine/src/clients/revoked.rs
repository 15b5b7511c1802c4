//! Clients that were revoked, so that it can be undone.
//!
//! In memory alone and for minutes: a token that leaked must not come back by a click on the next
//! day.

use std::sync::Arc;
use std::time::Duration;

use domain::{BoundSecret, Budget, BudgetId, ClientId};
use settings::ClientSettings;

use crate::short_lived::ShortLived;

/// Time for which a revoked client can be restored.
pub const REVOKED_CLIENT_AGE_MAX: Duration = Duration::from_secs(10 * 60);

/// A client with all that ended with it.
#[derive(Clone)]
pub struct RevokedClient {
    pub settings: ClientSettings,
    /// `None` if the vault did not have it.
    pub token: Option<Arc<BoundSecret>>,
    pub budget: Option<(BudgetId, Budget)>,
}

pub type RevokedClients = ShortLived<ClientId, RevokedClient>;

#[cfg(test)]
mod tests {
    use domain::{Clock as _, ManualClock, Secret, WallTime};

    use super::*;
    use crate::test_parts::client_settings;

    #[test]
    fn a_revoked_client_is_kept_for_minutes_and_its_token_no_longer() {
        let clock = ManualClock::starting_at(WallTime::from_unix_ms(0));
        let id = ClientId::new("tool").expect("an id");
        let token = Secret::parse("gh-old-0001".to_owned()).expect("a token");
        let token = Arc::new(BoundSecret::new(token, None));
        let settings = client_settings(clock.wall());
        let client = RevokedClient { settings, token: Some(Arc::clone(&token)), budget: None };
        let kept = RevokedClients::new(REVOKED_CLIENT_AGE_MAX);
        kept.keep(id.clone(), client, clock.now());
        clock.advance(REVOKED_CLIENT_AGE_MAX - Duration::from_millis(1));
        assert!(kept.get(&id, clock.now()).is_some());
        clock.advance(Duration::from_millis(1));
        kept.drop_expired(clock.now());
        assert!(kept.get(&id, clock.now()).is_none());
        assert_eq!(Arc::strong_count(&token), 1, "no copy is left");
    }
}
