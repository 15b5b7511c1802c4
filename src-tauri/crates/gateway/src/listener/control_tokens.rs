//! Tokens of the control API: a local token for programs that can read the runtime folder (the command
//! line), and sessions of browsers that opened a one-time address.
//!
//! All tokens are random and end with the process; of a browser's tokens only hashes are kept. The page
//! sends its session token in a header, not a cookie: browsers send a cookie to every port of 127.0.0.1,
//! so any other local server could read it and call operations.

use std::sync::Arc;
use std::time::Duration;

use domain::{Clock, Entropy, Moment, Secret};
use parking_lot::Mutex;
use subtle::ConstantTimeEq;
use tokio_util::sync::CancellationToken;

use crate::token::{CONTROL_TOKEN_PREFIX, TokenHash, hash_token, random_token};

/// Lifetime of a one-time address.
pub(crate) const ONE_TIME_LIFETIME: Duration = Duration::from_secs(600);

/// One-time addresses that are valid at once; past the limit the oldest is removed.
pub(crate) const ONE_TIME_OPEN_MAX: usize = 8;

/// Browser sessions at once; past the limit the oldest ends.
pub(crate) const PANEL_SESSIONS_MAX: usize = 16;

/// Time without a call after which a browser session ends.
pub(crate) const PANEL_SESSION_IDLE: Duration = Duration::from_secs(12 * 3_600);

/// Time after which a browser session ends, even if it is in use.
pub(crate) const PANEL_SESSION_LIFETIME: Duration = Duration::from_secs(7 * 86_400);

/// The tokens of one process.
pub struct ControlTokens {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    local: Secret,
    local_hash: TokenHash,
    panel: Mutex<PanelAccess>,
}

#[derive(Default)]
struct PanelAccess {
    one_time: Vec<(TokenHash, Moment)>,
    /// Oldest first.
    sessions: Vec<PanelSession>,
}

struct PanelSession {
    hash: TokenHash,
    opened: Moment,
    used: Moment,
    /// Cancelled when the session ends, which ends its event streams.
    ended: CancellationToken,
}

impl PanelSession {
    fn is_over(&self, now: Moment) -> bool {
        now.since(self.opened) >= PANEL_SESSION_LIFETIME
            || now.since(self.used) >= PANEL_SESSION_IDLE
    }
}

impl PanelAccess {
    /// Ends the sessions for which `is_ended` holds.
    fn end(&mut self, is_ended: impl Fn(&PanelSession) -> bool) {
        for over in self.sessions.extract_if(.., |session| is_ended(session)) {
            over.ended.cancel();
        }
    }

    fn find_session(&mut self, shown: &TokenHash, now: Moment) -> Option<&mut PanelSession> {
        self.end(|session| session.is_over(now));
        self.sessions.iter_mut().find(|session| is_equal(&session.hash, shown))
    }
}

impl ControlTokens {
    /// The time of the clock that sessions are timed with.
    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    #[must_use]
    pub fn generate(entropy: Arc<dyn Entropy>, clock: Arc<dyn Clock>) -> Self {
        let (local, local_hash) = control_secret(entropy.as_ref());
        Self { clock, entropy, local, local_hash, panel: Mutex::default() }
    }

    /// The command line's token. Write it to the runtime folder so that only its owner can read it.
    #[must_use]
    pub const fn local(&self) -> &Secret {
        &self.local
    }

    /// Makes an address that opens the panel on `port` once, within `ONE_TIME_LIFETIME`. The token is in
    /// the fragment, which browsers do not send.
    #[must_use]
    pub fn one_time_address(&self, port: u16) -> String {
        let (token, hash) = random_token(CONTROL_TOKEN_PREFIX, self.entropy.as_ref());
        let now = self.clock.now();
        let mut panel = self.panel.lock();
        panel.one_time.retain(|(_, until)| now < *until);
        if panel.one_time.len() >= ONE_TIME_OPEN_MAX {
            panel.one_time.remove(0);
        }
        panel.one_time.push((hash, now + ONE_TIME_LIFETIME));
        format!("http://127.0.0.1:{port}/#one-time={token}")
    }

    /// Exchanges a one-time token for the token of a new session; `None` if it is unknown, used or expired.
    pub(crate) fn exchange(&self, one_time: &str) -> Option<String> {
        let shown = hash_token(one_time);
        let now = self.clock.now();
        let mut panel = self.panel.lock();
        panel.one_time.retain(|(_, until)| now < *until);
        let before = panel.one_time.len();
        panel.one_time.retain(|(hash, _)| !is_equal(hash, &shown));
        if panel.one_time.len() == before {
            return None;
        }
        let (session, hash) = random_token(CONTROL_TOKEN_PREFIX, self.entropy.as_ref());
        panel.end(|session| session.is_over(now));
        if panel.sessions.len() >= PANEL_SESSIONS_MAX {
            panel.sessions.remove(0).ended.cancel();
        }
        let ended = CancellationToken::new();
        panel.sessions.push(PanelSession { hash, opened: now, used: now, ended });
        Some(session)
    }

    pub(crate) fn is_local(&self, hash: &TokenHash) -> bool {
        is_equal(&self.local_hash, hash)
    }

    /// Marks the session with this token as used now. Returns a token that is cancelled when the session
    /// ends; `None` if there is no such session.
    pub(crate) fn use_session(&self, shown: &TokenHash) -> Option<CancellationToken> {
        let now = self.clock.now();
        let mut panel = self.panel.lock();
        let session = panel.find_session(shown, now)?;
        session.used = now;
        Some(session.ended.clone())
    }

    /// Signs a browser out.
    pub(crate) fn end_session(&self, shown: &TokenHash) {
        self.panel.lock().end(|session| is_equal(&session.hash, shown));
    }

    /// Ends expired sessions. A call does so too; this is for a browser that only listens for events.
    pub(crate) fn end_expired_sessions(&self) {
        let now = self.clock.now();
        self.panel.lock().end(|session| session.is_over(now));
    }
}

fn is_equal(a: &TokenHash, b: &TokenHash) -> bool {
    a.bytes().ct_eq(b.bytes()).into()
}

fn control_secret(entropy: &dyn Entropy) -> (Secret, TokenHash) {
    let (text, hash) = random_token(CONTROL_TOKEN_PREFIX, entropy);
    match Secret::parse(text) {
        Ok(secret) => (secret, hash),
        // Cannot fail: base64url is visible ASCII and far below the length limit.
        Err(_refused) => control_secret(entropy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{ManualClock, SeededEntropy, WallTime};

    fn tokens() -> (Arc<ManualClock>, ControlTokens) {
        let clock = Arc::new(ManualClock::starting_at(WallTime::from_unix_ms(0)));
        let entropy = Arc::new(SeededEntropy::new(1));
        (clock.clone(), ControlTokens::generate(entropy, clock))
    }

    fn one_time(tokens: &ControlTokens) -> String {
        let address = tokens.one_time_address(7);
        let token = address.strip_prefix("http://127.0.0.1:7/#one-time=").expect("an address");
        token.to_owned()
    }

    fn is_session(tokens: &ControlTokens, session: &str) -> bool {
        tokens.use_session(&hash_token(session)).is_some()
    }

    #[test]
    fn a_one_time_token_works_once() {
        let (_, tokens) = tokens();
        let token = one_time(&tokens);
        let session = tokens.exchange(&token).expect("a session");
        assert!(is_session(&tokens, &session));
        assert!(!is_session(&tokens, &token));
        assert_eq!(tokens.exchange(&token), None);
        assert_eq!(tokens.exchange("ghc_guess"), None);
    }

    #[test]
    fn a_one_time_token_works_for_ten_minutes() {
        let (clock, tokens) = tokens();
        let (early, late) = (one_time(&tokens), one_time(&tokens));
        clock.advance(ONE_TIME_LIFETIME - Duration::from_micros(1));
        assert!(tokens.exchange(&early).is_some());
        clock.advance(Duration::from_micros(1));
        assert_eq!(tokens.exchange(&late), None);
    }

    #[test]
    fn past_the_limits_the_oldest_goes() {
        let (_, tokens) = tokens();
        let issued: Vec<_> = (0..=ONE_TIME_OPEN_MAX).map(|_| one_time(&tokens)).collect();
        assert_eq!(tokens.exchange(&issued[0]), None);
        let first = tokens.exchange(&issued[1]).expect("a session");
        for _ in 1..PANEL_SESSIONS_MAX {
            let token = one_time(&tokens);
            assert!(tokens.exchange(&token).is_some());
        }
        let ended = tokens.use_session(&hash_token(&first)).expect("a session");
        let token = one_time(&tokens);
        assert!(tokens.exchange(&token).is_some());
        assert!(!is_session(&tokens, &first));
        assert!(ended.is_cancelled());
    }

    #[test]
    fn a_session_ends_when_it_is_idle_and_a_call_keeps_it() {
        let (clock, tokens) = tokens();
        let session = tokens.exchange(&one_time(&tokens)).expect("a session");
        let ended = tokens.use_session(&hash_token(&session)).expect("a session");
        for _ in 0..3 {
            clock.advance(PANEL_SESSION_IDLE - Duration::from_micros(1));
            tokens.end_expired_sessions();
            assert!(is_session(&tokens, &session), "a call restarts the time");
        }
        clock.advance(PANEL_SESSION_IDLE - Duration::from_micros(1));
        tokens.end_expired_sessions();
        assert!(!ended.is_cancelled());
        clock.advance(Duration::from_micros(1));
        tokens.end_expired_sessions();
        assert!(ended.is_cancelled());
        assert!(!is_session(&tokens, &session));
    }

    #[test]
    fn a_busy_session_ends_too() {
        let (clock, tokens) = tokens();
        let session = tokens.exchange(&one_time(&tokens)).expect("a session");
        let hour = Duration::from_secs(3_600);
        let mut age = Duration::ZERO;
        while age + hour < PANEL_SESSION_LIFETIME {
            clock.advance(hour);
            age += hour;
            assert!(is_session(&tokens, &session), "{age:?}");
        }
        clock.advance(hour);
        assert!(!is_session(&tokens, &session));
    }

    #[test]
    fn signing_out_ends_that_session_alone() {
        let (_, tokens) = tokens();
        let mine = tokens.exchange(&one_time(&tokens)).expect("a session");
        let other = tokens.exchange(&one_time(&tokens)).expect("a session");
        let ended = tokens.use_session(&hash_token(&mine)).expect("a session");
        tokens.end_session(&hash_token(&mine));
        assert!(ended.is_cancelled() && !is_session(&tokens, &mine));
        assert!(is_session(&tokens, &other));
    }

    #[test]
    fn the_local_token_is_known_by_its_hash() {
        let (_, tokens) = tokens();
        assert!(tokens.is_local(&hash_token(tokens.local().expose())));
        assert!(!tokens.is_local(&hash_token("ghc_x")));
    }
}
