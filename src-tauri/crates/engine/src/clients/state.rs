//! The state of a client, by its settings and its last request.

use std::time::Duration;

use domain::WallTime;
use settings::ClientSettings;

/// How long after its last request a client still counts as active.
pub(crate) const CLIENT_ACTIVE: Duration = Duration::from_secs(300);

domain::words! {
    ClientState {
        /// Its requests are refused until it is allowed again.
        Blocked = "blocked",
        /// Its token has expired.
        Expired = "expired",
        /// It has sent no request yet.
        Unused = "unused",
        /// Its last request is at most [`CLIENT_ACTIVE`] old.
        Active = "active",
        Inactive = "inactive",
    }
}

impl ClientState {
    #[must_use]
    pub fn at(now: WallTime, client: &ClientSettings, last_seen: Option<WallTime>) -> Self {
        if client.blocked {
            return Self::Blocked;
        }
        if client.is_expired(now) {
            return Self::Expired;
        }
        let active_ms = i64::try_from(CLIENT_ACTIVE.as_millis()).unwrap_or(i64::MAX);
        match last_seen {
            None => Self::Unused,
            Some(seen) if now.unix_ms() - seen.unix_ms() <= active_ms => Self::Active,
            Some(_) => Self::Inactive,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: WallTime = WallTime::from_unix_ms(1_780_000_000_000);

    fn ago(time: Duration) -> WallTime {
        let ms = i64::try_from(time.as_millis()).expect("a short time");
        NOW.minus_ms(ms)
    }

    fn client() -> ClientSettings {
        crate::test_parts::client_settings(ago(Duration::from_secs(86_400)))
    }

    #[test]
    fn a_client_is_active_for_five_minutes_after_its_last_request() {
        let state = |seen| ClientState::at(NOW, &client(), seen);
        assert_eq!(CLIENT_ACTIVE, Duration::from_secs(5 * 60));
        assert_eq!(state(None), ClientState::Unused);
        assert_eq!(state(Some(NOW)), ClientState::Active);
        assert_eq!(state(Some(ago(CLIENT_ACTIVE))), ClientState::Active);
        let later = CLIENT_ACTIVE + Duration::from_millis(1);
        assert_eq!(state(Some(ago(later))), ClientState::Inactive);
    }

    #[test]
    fn a_blocked_client_is_blocked_and_an_expired_one_expired_whatever_it_did() {
        let expired = ClientSettings { expires: Some(NOW), ..client() };
        for seen in [None, Some(NOW)] {
            assert_eq!(ClientState::at(NOW, &expired, seen), ClientState::Expired);
            let blocked = ClientSettings { blocked: true, ..expired.clone() };
            assert_eq!(ClientState::at(NOW, &blocked, seen), ClientState::Blocked);
        }
        let lasts = ClientSettings { expires: Some(NOW), ..client() };
        let before = ago(Duration::from_millis(1));
        assert_eq!(ClientState::at(before, &lasts, None), ClientState::Unused);
    }
}
