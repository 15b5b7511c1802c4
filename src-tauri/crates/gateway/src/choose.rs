//! Chooses the candidates of a request: routing, within the scope of the client's token. Decided before
//! anything is reserved, cached or sent.

use routing::{Asking, Decision};

use crate::failure::{Failure, Forbidden};
use crate::live::EndpointRegistry;
use crate::snapshot::{Client, Snapshot};

/// The candidates for `asking`, best first, by the conditions of this moment; at least one.
pub(crate) fn choose(
    registry: &EndpointRegistry,
    snapshot: &Snapshot,
    client: &Client,
    asking: &Asking<'_>,
) -> Result<Decision, Failure> {
    let forbidden = |what| Failure::forbidden(&client.id, &what);
    if !client.scope.allows_model(asking.model) {
        return Err(forbidden(Forbidden::Model(asking.model)));
    }
    let inputs = registry.now(snapshot);
    let chosen = snapshot.routes.choose(asking, &inputs, &mut || registry.chance());
    drop(inputs);
    let mut decision = chosen.map_err(|error| Failure::no_route(&error))?;
    if !client.scope.allows_route(&decision.route) {
        return Err(forbidden(Forbidden::Route(asking.model)));
    }
    decision.candidates.retain(|candidate| client.scope.allows_backend(&candidate.access.backend));
    if decision.candidates.is_empty() {
        return Err(forbidden(Forbidden::Backends(asking.model)));
    }
    Ok(decision)
}
