//! What a client's token is good for: judged before anything is reserved, cached or sent.

use routing::{Asking, Decision};

use crate::failure::Failure;
use crate::gateway::Gateway;
use crate::snapshot::{Client, Snapshot};

/// What a client may not have.
pub(crate) enum Forbidden<'a> {
    Model(&'a str),
    Route(&'a str),
    /// None of the backends that could answer.
    Backends(&'a str),
}

impl Gateway {
    /// Who may answer, best first, by the conditions of this moment and the client's scope.
    pub(crate) fn choose_for(
        &self,
        client: &Client,
        asking: &Asking<'_>,
        snapshot: &Snapshot,
    ) -> Result<Decision, Failure> {
        let forbidden = |what| Failure::forbidden(&client.id, &what);
        if !client.scope.allows_model(asking.model) {
            return Err(forbidden(Forbidden::Model(asking.model)));
        }
        let mut decision =
            self.choose(asking, snapshot).map_err(|error| Failure::no_route(&error))?;
        if !client.scope.allows_route(&decision.route) {
            return Err(forbidden(Forbidden::Route(asking.model)));
        }
        decision
            .candidates
            .retain(|candidate| client.scope.allows_backend(&candidate.access.backend));
        if decision.candidates.is_empty() {
            return Err(forbidden(Forbidden::Backends(asking.model)));
        }
        Ok(decision)
    }
}
