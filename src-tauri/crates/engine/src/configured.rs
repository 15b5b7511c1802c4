//! Lists made from the settings and the built-in mock.

use std::collections::HashMap;

use domain::{BackendId, Endpoint};
use settings::Settings;

/// All endpoints in the settings: the mock, then the backends in their order, each with its keys in
/// their order.
#[must_use]
pub fn configured_endpoints(settings: &Settings, mock: &BackendId) -> Vec<Endpoint> {
    let built_in = Endpoint { backend: mock.clone(), credential: None };
    let own = settings.backends.iter().flat_map(|(id, known)| {
        let endpoint = |credential| Endpoint { backend: id.clone(), credential };
        let keyed: Vec<_> =
            known.pool.credentials().map(|key| endpoint(Some(key.clone()))).collect();
        if keyed.is_empty() { vec![endpoint(None)] } else { keyed }
    });
    std::iter::once(built_in).chain(own).collect()
}

/// Display names of backends by id.
#[must_use]
pub fn backend_labels(settings: &Settings, mock: &BackendId) -> HashMap<String, String> {
    let own = settings.backends.iter().map(|(id, known)| (id.to_string(), known.label.clone()));
    own.chain([(mock.to_string(), "Mock".to_owned())]).collect()
}
