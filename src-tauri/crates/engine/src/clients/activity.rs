//! Which clients have sent requests, when, and with which program.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};

use domain::{ClientId, ClientProgram, RequestId, WallTime};
use indexmap::IndexMap;
use ledger::{Ledger, LedgerError, RequestQuery};
use parking_lot::Mutex;
use settings::ClientSettings;

use crate::clients::programs::ClientPrograms;
use crate::clients::revoked::{REVOKED_CLIENT_AGE_MAX, RevokedClients};
use crate::clients::state::ClientState;

/// Requests of a blocked client that were refused since it was blocked, or since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientRefusals {
    pub count: u64,
    pub last: WallTime,
}

pub struct ClientActivity {
    ledger: Ledger,
    last_requests: Mutex<HashMap<ClientId, LastRequest>>,
    /// Requests that were sent to a backend and have not ended: as many as are admitted at once.
    in_flight: Mutex<HashMap<RequestId, ClientId>>,
    /// Refused requests of blocked clients.
    refusals: Mutex<HashMap<ClientId, ClientRefusals>>,
    /// Since the start.
    any_request_seen: AtomicBool,
    /// As the ledger was when it was asked.
    any_request_kept: AtomicBool,
    /// As of the last [`Self::update_states`].
    states: Mutex<BTreeMap<ClientId, ClientState>>,
    programs: ClientPrograms,
    revoked: RevokedClients,
}

struct LastRequest {
    at: WallTime,
    /// True for one since the start; false for what the ledger had when it was asked.
    is_seen: bool,
}

impl ClientActivity {
    pub(crate) fn new(ledger: Ledger, programs: ClientPrograms) -> Self {
        let (any_request_seen, any_request_kept) = (AtomicBool::new(false), AtomicBool::new(false));
        let (last_requests, refusals) = (Mutex::default(), Mutex::default());
        let (states, in_flight) = (Mutex::default(), Mutex::default());
        let revoked = RevokedClients::new(REVOKED_CLIENT_AGE_MAX);
        Self {
            ledger,
            last_requests,
            in_flight,
            refusals,
            any_request_seen,
            any_request_kept,
            states,
            programs,
            revoked,
        }
    }

    #[must_use]
    pub const fn revoked(&self) -> &RevokedClients {
        &self.revoked
    }

    /// Notes that a request is served. True if its client had none before.
    pub(crate) fn record_start(&self, request: RequestId, id: &ClientId, at: WallTime) -> bool {
        let mut in_flight = self.in_flight.lock();
        let is_first = !in_flight.values().any(|other| other == id);
        in_flight.insert(request, id.clone());
        drop(in_flight);
        self.last_requests.lock().insert(id.clone(), LastRequest { at, is_seen: true });
        is_first
    }

    /// Notes that a request has ended, of whatever purpose.
    pub(crate) fn record_end(&self, request: &RequestId) {
        self.in_flight.lock().remove(request);
    }

    /// True while a request of the client is served.
    fn is_served(&self, id: &ClientId) -> bool {
        self.in_flight.lock().values().any(|other| other == id)
    }

    pub(crate) fn record_request(&self, id: &ClientId, at: WallTime) {
        self.last_requests.lock().insert(id.clone(), LastRequest { at, is_seen: true });
        self.any_request_seen.store(true, Ordering::Relaxed);
    }

    /// Forgets what the ledger had, since requests were deleted from it or came back.
    pub(crate) fn forget_ledger(&self) {
        self.last_requests.lock().retain(|_, last| last.is_seen);
        self.any_request_kept.store(false, Ordering::Relaxed);
    }

    pub(crate) fn record_refusal(&self, id: &ClientId, at: WallTime) {
        let mut refusals = self.refusals.lock();
        let known = refusals.entry(id.clone()).or_insert(ClientRefusals { count: 0, last: at });
        *known = ClientRefusals { count: known.count.saturating_add(1), last: at };
    }

    /// None if no request was refused since the client was blocked, or since the start.
    #[must_use]
    pub fn refusals(&self, id: &ClientId) -> Option<ClientRefusals> {
        self.refusals.lock().get(id).copied()
    }

    /// Counts a client's refused requests anew.
    pub fn forget_refusals(&self, id: &ClientId) {
        self.refusals.lock().remove(id);
    }

    pub(crate) fn record_program(&self, id: &ClientId, program: ClientProgram) {
        self.programs.record(id, program);
    }

    pub(crate) fn are_programs_saved(&self) -> bool {
        self.programs.is_saved()
    }

    pub(crate) fn save_programs(&self) {
        self.programs.save();
    }

    /// The program that the client called with last; `None` if it never said.
    #[must_use]
    pub fn program(&self, id: &ClientId) -> Option<ClientProgram> {
        self.programs.find(id)
    }

    /// Forgets the program and the refusals of a client that is no more.
    pub fn forget(&self, id: &ClientId) {
        self.programs.forget(id);
        self.forget_refusals(id);
    }

    /// Notes the state of each client at `now`. True if any changed since the last call, as when a
    /// client has sent nothing for long enough to be inactive.
    pub(crate) fn update_states(
        &self,
        clients: &IndexMap<ClientId, ClientSettings>,
        now: WallTime,
    ) -> bool {
        let last_requests = self.last_requests.lock();
        let states: BTreeMap<ClientId, ClientState> = clients
            .iter()
            .map(|(id, client)| {
                let seen = match self.is_served(id) {
                    true => Some(now),
                    false => last_requests.get(id).map(|last| last.at),
                };
                (id.clone(), ClientState::at(now, client, seen))
            })
            .collect();
        drop(last_requests);
        let mut known = self.states.lock();
        let is_changed = *known != states;
        *known = states;
        is_changed
    }

    /// Last request of a client: `now` while one is served, else since the start, otherwise from the
    /// ledger.
    pub async fn last_seen(
        &self,
        id: &ClientId,
        now: WallTime,
    ) -> Result<Option<WallTime>, LedgerError> {
        if self.is_served(id) {
            return Ok(Some(now));
        }
        let since_start = self.last_requests.lock().get(id).map(|last| last.at);
        if since_start.is_some() {
            return Ok(since_start);
        }
        let newest = RequestQuery { client: Some(id.clone()), ..RequestQuery::newest(1) };
        let rows = self.ledger.requests(newest).await?;
        let Some(seen) = rows.first().map(|row| row.request.started) else { return Ok(None) };
        let read = LastRequest { at: seen, is_seen: false };
        // A request may have settled meanwhile.
        Ok(Some(self.last_requests.lock().entry(id.clone()).or_insert(read).at))
    }

    /// True once any client has sent a request.
    pub async fn any_request_seen(&self) -> Result<bool, LedgerError> {
        let known = [&self.any_request_seen, &self.any_request_kept];
        if known.iter().any(|known| known.load(Ordering::Relaxed)) {
            return Ok(true);
        }
        let kept = !self.ledger.requests(RequestQuery::newest(1)).await?.is_empty();
        self.any_request_kept.store(kept, Ordering::Relaxed);
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::{Clock as _, ManualClock, RequestId, SeededEntropy};
    use ledger::{NewRequest, Purpose, RequestOutcome, Settlement};

    use super::*;
    use crate::clients::state::CLIENT_ACTIVE;
    use crate::test_parts::{NOW, client_settings, ledger_in};

    #[tokio::test]
    async fn a_request_that_the_ledger_no_longer_has_was_not_seen() {
        let home = tempfile::tempdir().expect("a folder");
        let programs = ClientPrograms::open(home.path().join("client-programs.json"));
        let ledger = ledger_in(&home);
        let activity = ClientActivity::new(ledger.clone(), programs);
        let id = |name: &str| ClientId::new(name).expect("a name");
        let request = NewRequest {
            id: RequestId::generate(NOW, &SeededEntropy::new(1)),
            started: NOW,
            client: id("codex"),
            project: None,
            route: "r".to_owned(),
            model_asked: "m".to_owned(),
            dialect: "openai".to_owned(),
            streamed: false,
            purpose: Purpose::User,
        };
        let ended = Settlement {
            outcome: RequestOutcome::Complete,
            ended: NOW,
            ..Settlement::unfinished(request)
        };
        ledger.settle(Box::new(ended)).await.expect("settled");
        assert_eq!(activity.last_seen(&id("codex"), NOW).await.expect("read"), Some(NOW));
        assert!(activity.any_request_seen().await.expect("read"));
        let later = NOW.plus_ms(1);
        assert_eq!(ledger.purge_before(later).await.expect("purged"), 1);
        activity.forget_ledger();
        assert_eq!(activity.last_seen(&id("codex"), NOW).await.expect("read"), None);
        assert!(!activity.any_request_seen().await.expect("read"));

        activity.record_request(&id("cline"), NOW);
        activity.forget_ledger();
        assert_eq!(activity.last_seen(&id("cline"), NOW).await.expect("read"), Some(NOW));
        assert!(activity.any_request_seen().await.expect("read"));
    }

    #[tokio::test]
    async fn a_client_is_active_from_the_start_of_its_first_stream_to_five_minutes_after_its_end() {
        let home = tempfile::tempdir().expect("a folder");
        let programs = ClientPrograms::open(home.path().join("client-programs.json"));
        let activity = ClientActivity::new(ledger_in(&home), programs);
        let clock = ManualClock::starting_at(NOW);
        let id = ClientId::new("codex").expect("a name");
        let entropy = SeededEntropy::new(1);
        let [one, other] = [(); 2].map(|()| RequestId::generate(clock.wall(), &entropy));
        let clients = IndexMap::from([(id.clone(), client_settings(NOW))]);
        let state = || {
            activity.update_states(&clients, clock.wall());
            activity.states.lock()[&id]
        };
        assert_eq!(state(), ClientState::Unused);
        assert!(activity.record_start(one, &id, clock.wall()), "panels are told");
        assert!(!activity.record_start(other, &id, clock.wall()));
        assert_eq!(state(), ClientState::Active);
        clock.advance(CLIENT_ACTIVE * 3);
        assert_eq!(state(), ClientState::Active, "it streams");
        activity.record_end(&other);
        assert_eq!(activity.last_seen(&id, clock.wall()).await.expect("known"), Some(clock.wall()));
        activity.record_end(&one);
        activity.record_request(&id, clock.wall());
        clock.advance(CLIENT_ACTIVE);
        assert_eq!(state(), ClientState::Active);
        clock.advance(Duration::from_millis(1));
        assert_eq!(state(), ClientState::Inactive);
        assert!(activity.record_start(one, &id, clock.wall()));
    }

    #[test]
    fn a_client_changes_its_state_once_when_time_has_passed() {
        let home = tempfile::tempdir().expect("a folder");
        let programs = ClientPrograms::open(home.path().join("client-programs.json"));
        let activity = ClientActivity::new(ledger_in(&home), programs);
        let clock = ManualClock::starting_at(NOW);
        let id = ClientId::new("codex").expect("a name");
        let ends = NOW.unix_ms() + 600_000;
        let settings =
            ClientSettings { expires: Some(WallTime::from_unix_ms(ends)), ..client_settings(NOW) };
        let clients = IndexMap::from([(id.clone(), settings)]);
        let is_changed = || activity.update_states(&clients, clock.wall());
        let state = || activity.states.lock()[&id];
        assert!(is_changed() && !is_changed());
        assert_eq!(state(), ClientState::Unused);
        activity.record_request(&id, clock.wall());
        assert!(is_changed() && !is_changed());
        assert_eq!(state(), ClientState::Active);

        clock.advance(CLIENT_ACTIVE);
        assert!(!is_changed());
        clock.advance(Duration::from_millis(1));
        assert!(is_changed() && !is_changed());
        assert_eq!(state(), ClientState::Inactive);
        clock.advance(Duration::from_secs(300));
        assert!(is_changed() && !is_changed());
        assert_eq!(state(), ClientState::Expired);
    }
}
