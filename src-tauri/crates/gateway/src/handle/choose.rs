//! Chooses the candidates of a request: routing within the scope of the client's token, before anything is
//! reserved, cached or sent.

use domain::RouteId;
use endpoints::EndpointRegistry;
use routing::{Decision, RoutingRequest};

use crate::handle::failure::Failure;
use crate::handle::scope::{apply_scope, check_model};
use crate::snapshot::{GatewayClient, Snapshot};

/// Chooses at least one candidate for `asking`, best first, by the current routing inputs.
pub(crate) fn choose(
    registry: &EndpointRegistry,
    snapshot: &Snapshot,
    client: &GatewayClient,
    asking: &RoutingRequest<'_>,
) -> Result<Decision, Failure> {
    check_model(&client.scope, asking).map_err(|why| Failure::forbidden(&why))?;
    let price = snapshot.price();
    let inputs = registry.routing_inputs(&price);
    let chosen = snapshot.routes.choose(asking, &inputs, &mut || registry.chance());
    drop(inputs);
    let decision = chosen.map_err(|error| Failure::no_route(&error))?;
    apply_scope(&client.scope, asking, decision).map_err(|why| Failure::forbidden(&why))
}

/// Chooses by the route of this name, whatever model is asked for. `None` if it does not exist, cannot
/// serve the request, or is outside the client's scope.
pub(crate) fn choose_route(
    registry: &EndpointRegistry,
    snapshot: &Snapshot,
    client: &GatewayClient,
    asking: &RoutingRequest<'_>,
    route: &RouteId,
) -> Option<Decision> {
    let price = snapshot.price();
    let inputs = registry.routing_inputs(&price);
    let chance = &mut || registry.chance();
    let decision = snapshot.routes.choose_route(route, asking, &inputs, chance)?.ok()?;
    apply_scope(&client.scope, asking, decision).ok()
}
