//! The keychain vault against a real gnome-keyring in each of its states.
//!
//! A fake cannot show how a Secret Service behaves when it is locked, frozen, absent, empty or
//! newly started, so each test runs its own daemon on its own session bus, with fresh folders. The
//! environment belongs to the whole process, so a test starts this program again inside that
//! session and runs one scenario there. Without the needed programs the tests are skipped; under
//! `cargo xtask test`, which installs them, they fail.

#[cfg(test)]
#[cfg(not(target_os = "linux"))]
mod skipped {
    #[test]
    fn the_states_of_a_secret_service() {
        test_support::skip_test("a Secret Service can be tested on Linux only");
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
#[path = "keychain_states/session.rs"]
mod session;

#[cfg(test)]
#[cfg(target_os = "linux")]
mod states {
    use std::sync::Arc;
    use std::time::Duration;

    use domain::{BoundSecret, Clock, CredentialId, Secret, SystemClock};
    use vault::{ENVELOPE_BYTES_MAX, LockReason, Vault, VaultConfig, VaultError, VaultState};

    use crate::session::{
        KeyringDaemon, SessionBus, in_session, items_of, lock_login, scenario_name,
    };

    const SERVICE: &str = "gatehouse-states";

    /// Longest wait of a user for the name of a state (threat S3).
    const STATE_SECS_MAX: u64 = 6;

    #[test]
    fn a_ready_keychain_keeps_keys_of_every_size_and_updates_in_place() {
        in_session(SessionBus::Usual, "ready");
    }

    #[test]
    fn a_locked_keychain_says_so() {
        in_session(SessionBus::Usual, "locked");
    }

    #[test]
    fn a_service_without_a_collection_is_found_out_by_the_probe() {
        in_session(SessionBus::Usual, "no-collection");
    }

    #[test]
    fn a_bus_without_a_service_is_unavailable() {
        in_session(SessionBus::WithoutServices, "unavailable");
    }

    #[test]
    fn no_bus_at_all_is_unavailable() {
        in_session(SessionBus::None, "unavailable");
    }

    #[test]
    fn a_frozen_service_is_hung_then_refused_at_once_then_well_again() {
        in_session(SessionBus::Usual, "hung");
    }

    #[test]
    fn a_service_restarted_under_a_live_vault_is_used_again() {
        in_session(SessionBus::Usual, "restarted");
    }

    /// One scenario, inside the private session created by the tests above.
    #[test]
    #[ignore = "does nothing outside the session that the other tests make"]
    fn scenario() {
        let Some(name) = scenario_name() else { return };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let run = async {
            match name.as_str() {
                "ready" => ready().await,
                "locked" => locked().await,
                "no-collection" => no_collection().await,
                "unavailable" => unavailable().await,
                "hung" => hung().await,
                "restarted" => restarted().await,
                other => panic!("no scenario is called {other}"),
            }
        };
        runtime.expect("a runtime").block_on(run);
    }

    async fn ready() {
        let _daemon = KeyringDaemon::unlocked();
        let vault = open();
        assert_eq!(vault.recheck().await, VaultState::Ready);
        assert_eq!(items_of(SERVICE), 0, "the probe left something behind");
        let overhead = r#"{"v":1,"secret":"","origin":null}"#.len();
        let quotes = ENVELOPE_BYTES_MAX - overhead - domain::SECRET_BYTES_MAX;
        let largest =
            format!("{}{}", "\"".repeat(quotes), "k".repeat(domain::SECRET_BYTES_MAX - quotes));
        for key in ["k", &"k".repeat(1_281), &"k".repeat(domain::SECRET_BYTES_MAX), &largest] {
            vault.put(&id("openai"), secret(key)).await.expect("kept");
            assert_eq!(*open().get(&id("openai")).await.expect("there"), secret(key));
        }
        assert_eq!(items_of(SERVICE), 1, "an update made a second item");
        let refused = vault.put(&id("openai"), secret(&"\"".repeat(2_000))).await;
        assert!(matches!(refused, Err(VaultError::TooLarge { .. })), "{refused:?}");
        assert_eq!(*open().get(&id("openai")).await.expect("there"), secret(&largest));
        vault.remove(&id("openai")).await.expect("removed");
        assert!(matches!(vault.get(&id("openai")).await, Err(VaultError::NotFound(_))));
        assert_eq!(items_of(SERVICE), 0);
    }

    async fn locked() {
        let _daemon = KeyringDaemon::unlocked();
        open().put(&id("openai"), secret("sk-CANARY")).await.expect("kept");
        lock_login();
        let vault = open();
        let error = in_time(vault.get(&id("openai"))).await.expect_err("locked");
        assert!(matches!(error, VaultError::Locked(LockReason::Keychain)), "{error:?}");
        let error = in_time(vault.put(&id("groq"), secret("sk-CANARY"))).await.expect_err("locked");
        assert!(matches!(error, VaultError::Locked(LockReason::Keychain)), "{error:?}");
        assert_eq!(in_time(vault.recheck()).await, VaultState::Locked(LockReason::Keychain));
    }

    async fn no_collection() {
        let vault = open();
        let reading = in_time(vault.get(&id("openai"))).await;
        // Started by the bus; taken over so that it ends with the scenario.
        let _daemon = KeyringDaemon::on_the_bus();
        assert!(matches!(reading, Err(VaultError::NotFound(_))), "{reading:?}");
        assert_eq!(vault.state(), VaultState::Unchecked, "an empty answer proves nothing");
        let error = in_time(vault.put(&id("openai"), secret("sk-CANARY"))).await.expect_err("none");
        assert!(matches!(error, VaultError::NoCollection), "{error:?}");
        assert_eq!(in_time(vault.recheck()).await, VaultState::NoCollection);
    }

    async fn unavailable() {
        let vault = open();
        let error = in_time(vault.get(&id("openai"))).await.expect_err("absent");
        assert!(matches!(error, VaultError::Unavailable { .. }), "{error:?}");
        let error =
            in_time(vault.put(&id("openai"), secret("sk-CANARY"))).await.expect_err("absent");
        assert!(matches!(error, VaultError::Unavailable { .. }), "{error:?}");
        assert_eq!(in_time(vault.recheck()).await, VaultState::Unavailable);
    }

    async fn hung() {
        let daemon = KeyringDaemon::unlocked();
        let vault = open();
        vault.put(&id("openai"), secret("sk-CANARY")).await.expect("kept");
        daemon.freeze();
        for vault in [vault, open()] {
            let error = in_time(vault.get(&id("openai"))).await.expect_err("frozen");
            assert!(matches!(error, VaultError::Hung), "{error:?}");
            assert_eq!(vault.state(), VaultState::Hung);
            let (again, took) = timed(vault.get(&id("openai"))).await;
            assert!(matches!(again, Err(VaultError::Hung)), "{again:?}");
            assert!(took < Duration::from_millis(100), "refused only after {took:?}");
            daemon.thaw();
            assert_eq!(vault.recheck().await, VaultState::Ready);
            assert!(vault.get(&id("openai")).await.is_ok());
            daemon.freeze();
        }
        daemon.thaw();
    }

    async fn restarted() {
        let daemon = KeyringDaemon::unlocked();
        let vault = open();
        vault.put(&id("openai"), secret("sk-CANARY")).await.expect("kept");
        drop(daemon);
        let _daemon = KeyringDaemon::unlocked();
        let (reading, took) = timed(vault.get(&id("openai"))).await;
        assert_eq!(*reading.expect("there again"), secret("sk-CANARY"));
        assert!(took < Duration::from_secs(1), "took {took:?}");
        vault.put(&id("groq"), secret("gsk-CANARY")).await.expect("kept");
    }

    fn open() -> Vault {
        let config = VaultConfig::Keychain { service: SERVICE.to_owned() };
        Vault::open(config, Arc::new(SystemClock::new()))
    }

    fn id(text: &str) -> CredentialId {
        CredentialId::new(text).expect("an id")
    }

    fn secret(text: &str) -> BoundSecret {
        BoundSecret::new(Secret::parse(text.to_owned()).expect("a good secret"), None)
    }

    async fn timed<T>(call: impl Future<Output = T>) -> (T, Duration) {
        let clock = SystemClock::new();
        let start = clock.now();
        let outcome = call.await;
        (outcome, clock.now().since(start))
    }

    async fn in_time<T>(call: impl Future<Output = T>) -> T {
        let (outcome, took) = timed(call).await;
        println!("answered after {took:?}");
        assert!(took < Duration::from_secs(STATE_SECS_MAX), "took {took:?}");
        outcome
    }
}
