//! Chooses the candidates of a request: routing, within the scope of the client's token. Decided before
//! anything is reserved, cached or sent.

use routing::{Asking, Decision};

use crate::failure::Failure;
use crate::live::EndpointRegistry;
use crate::scope::{apply_scope, check_model};
use crate::snapshot::{Client, Snapshot};

/// The candidates for `asking`, best first, by the conditions of this moment; at least one.
pub(crate) fn choose(
    registry: &EndpointRegistry,
    snapshot: &Snapshot,
    client: &Client,
    asking: &Asking<'_>,
) -> Result<Decision, Failure> {
    check_model(&client.scope, asking).map_err(|why| Failure::forbidden(&why))?;
    let inputs = registry.now(snapshot);
    let chosen = snapshot.routes.choose(asking, &inputs, &mut || registry.chance());
    drop(inputs);
    let decision = chosen.map_err(|error| Failure::no_route(&error))?;
    apply_scope(&client.scope, asking, decision).map_err(|why| Failure::forbidden(&why))
}
