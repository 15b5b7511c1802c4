//! What a client's token is good for: judged before anything is reserved, cached or sent.

use domain::ClientId;
use routing::{Asking, Decision};
use settings::ClientScope;

use crate::failure::Failure;
use crate::gateway::Gateway;
use crate::snapshot::{Client, Snapshot};

/// What a client may not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The client {client} may not use {what}. Change its limits in Gatehouse, under Clients.")]
pub struct Forbidden {
    client: ClientId,
    what: String,
}

/// What a client of this scope gets of a decision: the backends that it may use.
///
/// # Errors
/// When that is nothing.
pub fn admit(
    scope: &ClientScope,
    asking: &Asking<'_>,
    decision: Decision,
) -> Result<Decision, Forbidden> {
    admit_model(scope, asking)?;
    let forbidden = |what| Forbidden { client: asking.client.clone(), what };
    if !scope.allows_route(&decision.route) {
        return Err(forbidden(format!("the route that serves {}", asking.model)));
    }
    let allowed = decision.only(asking, |backend| scope.allows_backend(backend));
    allowed.ok_or_else(|| forbidden(format!("any backend that serves {}", asking.model)))
}

/// Whether a client of this scope may name the model, whoever serves it.
///
/// # Errors
/// When it may not.
pub fn admit_model(scope: &ClientScope, asking: &Asking<'_>) -> Result<(), Forbidden> {
    match scope.allows_model(asking.model) {
        true => Ok(()),
        false => {
            let what = format!("the model {}", asking.model);
            Err(Forbidden { client: asking.client.clone(), what })
        }
    }
}

impl Gateway {
    /// Who may answer, best first, by the conditions of this moment and the client's scope.
    pub(crate) fn choose_for(
        &self,
        client: &Client,
        asking: &Asking<'_>,
        snapshot: &Snapshot,
    ) -> Result<Decision, Failure> {
        let forbidden = |why| Failure::forbidden(&why);
        admit_model(&client.scope, asking).map_err(forbidden)?;
        let decision = self.choose(asking, snapshot).map_err(|error| Failure::no_route(&error))?;
        admit(&client.scope, asking, decision).map_err(forbidden)
    }
}
