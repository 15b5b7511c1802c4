//! The scope of a client's token: the models, routes and backends it may use.

use domain::ClientId;
use routing::{Decision, RoutingRequest};
use settings::ClientScope;

/// A client asked for something outside its scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The client {client} may not use {what}. Change its limits in Gatehouse, under Clients.")]
pub struct Forbidden {
    client: ClientId,
    what: String,
}

/// The decision without the backends that the scope excludes.
///
/// # Errors
/// The scope excludes the model, the route or all backends.
pub fn apply_scope(
    scope: &ClientScope,
    asking: &RoutingRequest<'_>,
    decision: Decision,
) -> Result<Decision, Forbidden> {
    check_model(scope, asking)?;
    let forbidden = |what| Forbidden { client: asking.client.clone(), what };
    if !scope.allows_route(&decision.route) {
        return Err(forbidden(format!("the route that serves {}", asking.model)));
    }
    let allowed = decision.only(asking, |backend| scope.allows_backend(backend));
    allowed.ok_or_else(|| forbidden(format!("any backend that serves {}", asking.model)))
}

/// Checks the model alone, before routing.
///
/// # Errors
/// The scope excludes the model.
pub fn check_model(scope: &ClientScope, asking: &RoutingRequest<'_>) -> Result<(), Forbidden> {
    match scope.allows_model(asking.model) {
        true => Ok(()),
        false => {
            let what = format!("the model {}", asking.model);
            Err(Forbidden { client: asking.client.clone(), what })
        }
    }
}
