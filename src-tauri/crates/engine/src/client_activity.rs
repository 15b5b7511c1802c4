//! Which clients have sent requests, when, and with which program.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::{ClientId, ClientProgram, WallTime};
use ledger::{Ledger, LedgerError, RequestQuery};
use parking_lot::Mutex;

use crate::client_programs::ClientPrograms;
use crate::revoked_clients::{REVOKED_CLIENT_AGE_MAX, RevokedClients};

/// Requests of a blocked client that were refused since it was blocked, or since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientRefusals {
    pub count: u64,
    pub last: WallTime,
}

pub struct ClientActivity {
    ledger: Ledger,
    /// Last request since the start.
    last_requests: Mutex<HashMap<ClientId, WallTime>>,
    /// Refused requests of blocked clients.
    refusals: Mutex<HashMap<ClientId, ClientRefusals>>,
    any_request_seen: AtomicBool,
    programs: ClientPrograms,
    revoked: RevokedClients,
}

impl ClientActivity {
    pub(crate) fn new(ledger: Ledger, programs: ClientPrograms) -> Self {
        let any_request_seen = AtomicBool::new(false);
        let (last_requests, refusals) = (Mutex::default(), Mutex::default());
        let revoked = RevokedClients::new(REVOKED_CLIENT_AGE_MAX);
        Self { ledger, last_requests, refusals, any_request_seen, programs, revoked }
    }

    #[must_use]
    pub const fn revoked(&self) -> &RevokedClients {
        &self.revoked
    }

    pub(crate) fn record_request(&self, id: &ClientId, at: WallTime) {
        self.last_requests.lock().insert(id.clone(), at);
        self.any_request_seen.store(true, Ordering::Relaxed);
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

    /// Last request of a client: since the start, otherwise from the ledger.
    pub async fn last_seen(&self, id: &ClientId) -> Result<Option<WallTime>, LedgerError> {
        let since_start = self.last_requests.lock().get(id).copied();
        if since_start.is_some() {
            return Ok(since_start);
        }
        let newest = RequestQuery { client: Some(id.clone()), ..RequestQuery::newest(1) };
        let rows = self.ledger.requests(newest).await?;
        Ok(rows.first().map(|row| row.request.started))
    }

    /// True once any client has sent a request.
    pub async fn any_request_seen(&self) -> Result<bool, LedgerError> {
        if self.any_request_seen.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let seen = !self.ledger.requests(RequestQuery::newest(1)).await?.is_empty();
        self.any_request_seen.store(seen, Ordering::Relaxed);
        Ok(seen)
    }
}
