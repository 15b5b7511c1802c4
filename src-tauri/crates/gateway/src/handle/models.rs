//! `GET /v1/models`: the models that a client may use, in its dialect.

use domain::{Dialect, WallTime};
use hyper::Response;
use routing::ModelEntry;
use wire::{ErrorKind, write_model, write_model_list};

use crate::handle::response::{Refusal, ResponseBody, RetryAdvice, json};
use crate::snapshot::{GatewayClient, Snapshot};

/// Answers `GET /v1/models`.
pub(crate) fn list(
    snapshot: &Snapshot,
    client: &GatewayClient,
    dialect: Dialect,
) -> Response<ResponseBody> {
    let entries = allowed(snapshot, client);
    let names = entries.iter().map(|entry| entry.id.as_str());
    json(200, write_model_list(dialect, names, seconds(snapshot.since)))
}

/// Answers `GET /v1/models/{id}`, with 404 for a model that the client may not use.
pub(crate) fn one(
    snapshot: &Snapshot,
    client: &GatewayClient,
    dialect: Dialect,
    id: &str,
) -> Response<ResponseBody> {
    if allowed(snapshot, client).into_iter().any(|entry| entry.id == id) {
        return json(200, write_model(dialect, id, seconds(snapshot.since)));
    }
    let shown: String = id.chars().take(200).collect();
    let message = format!("There is no model {shown:?}. GET /v1/models lists them.");
    Refusal::new(404, ErrorKind::NotFound, "model_not_found", message)
        .param(Some("model".to_owned()))
        .retry(RetryAdvice::Never)
        .answer(dialect)
}

/// Models that both the routes and the client's scope allow. A switch of the client changes nothing here:
/// tools keep the list, embeddings are not switched, and nothing in it names a backend (`owned_by` is always
/// `gatehouse`).
fn allowed(snapshot: &Snapshot, client: &GatewayClient) -> Vec<ModelEntry> {
    let mut entries = snapshot.routes.list_models(Some(&client.id));
    let scope = &client.scope;
    entries.retain(|entry| scope.allows_model(&entry.id) && scope.allows_backend(&entry.backend));
    entries
}

fn seconds(time: WallTime) -> i64 {
    time.unix_ms() / 1_000
}
