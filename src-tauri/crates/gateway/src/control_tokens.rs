//! Who may pass the control door: whoever can read the runtime folder (the command line), and a
//! browser that was handed a one-time address by such a one.
//!
//! All of it is random, lives in memory and ends with the process. Only hashes are kept of what a
//! browser holds.

use std::sync::Arc;
use std::time::Duration;

use domain::{Clock, Entropy, Moment, Secret};
use parking_lot::Mutex;
use subtle::ConstantTimeEq;

use crate::token::{CONTROL_TOKEN_PREFIX, TokenHash, hash_token, random_token};

/// How long a one-time address can be opened.
pub const ONE_TIME_LIFETIME: Duration = Duration::from_secs(600);

/// One-time addresses that can be open at once; the oldest goes.
pub const ONE_TIME_OPEN_MAX: usize = 8;

/// Browser sessions at once; the oldest goes.
pub const PANEL_SESSIONS_MAX: usize = 16;

/// The keys of the control door.
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
    sessions: Vec<TokenHash>,
}

impl ControlTokens {
    /// New keys for this process.
    #[must_use]
    pub fn generate(entropy: Arc<dyn Entropy>, clock: Arc<dyn Clock>) -> Self {
        let (local, local_hash) = control_secret(entropy.as_ref());
        Self { clock, entropy, local, local_hash, panel: Mutex::default() }
    }

    /// The command line's token, to be written into the runtime folder for its owner alone.
    #[must_use]
    pub const fn local(&self) -> &Secret {
        &self.local
    }

    /// A new address under which a browser may open the panel on `port`, once, within
    /// [`ONE_TIME_LIFETIME`]. The token is in the fragment, which browsers send nowhere.
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

    /// Takes a one-time token for a new session's cookie. A token works once.
    pub(crate) fn exchange(&self, one_time: &str) -> Option<String> {
        let shown = hash_token(one_time);
        let now = self.clock.now();
        let mut panel = self.panel.lock();
        panel.one_time.retain(|(_, until)| now < *until);
        let before = panel.one_time.len();
        panel.one_time.retain(|(hash, _)| !same(hash, &shown));
        if panel.one_time.len() == before {
            return None;
        }
        let (session, hash) = random_token(CONTROL_TOKEN_PREFIX, self.entropy.as_ref());
        if panel.sessions.len() >= PANEL_SESSIONS_MAX {
            panel.sessions.remove(0);
        }
        panel.sessions.push(hash);
        Some(session)
    }

    pub(crate) fn is_local(&self, hash: &TokenHash) -> bool {
        same(&self.local_hash, hash)
    }

    pub(crate) fn is_session(&self, cookie: &str) -> bool {
        let shown = hash_token(cookie);
        self.panel.lock().sessions.iter().fold(false, |found, known| found | same(known, &shown))
    }
}

fn same(a: &TokenHash, b: &TokenHash) -> bool {
    a.bytes().ct_eq(b.bytes()).into()
}

fn control_secret(entropy: &dyn Entropy) -> (Secret, TokenHash) {
    let (text, hash) = random_token(CONTROL_TOKEN_PREFIX, entropy);
    match Secret::parse(text) {
        Ok(secret) => (secret, hash),
        // Base64url is visible ASCII and far below the limit; were it not, another is drawn.
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

    #[test]
    fn a_one_time_token_works_once() {
        let (_, tokens) = tokens();
        let token = one_time(&tokens);
        let session = tokens.exchange(&token).expect("a session");
        assert!(tokens.is_session(&session));
        assert!(!tokens.is_session(&token));
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
        assert!(tokens.is_session(&first));
        let token = one_time(&tokens);
        assert!(tokens.exchange(&token).is_some());
        assert!(!tokens.is_session(&first));
    }

    #[test]
    fn the_local_token_is_known_by_its_hash() {
        let (_, tokens) = tokens();
        assert!(tokens.is_local(&hash_token(tokens.local().expose())));
        assert!(!tokens.is_local(&hash_token("ghc_x")));
    }
}
