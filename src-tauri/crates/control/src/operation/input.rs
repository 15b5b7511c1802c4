//! Text from a form becomes a checked value, or an error that names the form's field.

use domain::{BackendId, ClientId, CredentialId, IdError};
use engine::Engine;
use settings::{BaseUrl, Settings, parse_base_url};

use crate::{ApiError, unknown_name};

/// A name that is new or known, checked by its rules.
pub(crate) fn id<T>(field: &str, text: &str) -> Result<T, ApiError>
where
    T: std::str::FromStr<Err = IdError>,
{
    text.trim().parse().map_err(|error: IdError| {
        let message = match error {
            // It repeats what was sent, and that may be a key in the wrong field.
            IdError::Malformed(_) => "that is not a valid id".to_owned(),
            other => other.to_string(),
        };
        ApiError::invalid(field, message)
    })
}

/// The label for people; empty takes the id.
pub(crate) fn label(text: &str, id: &str) -> String {
    match text.trim() {
        "" => id.to_owned(),
        label => label.to_owned(),
    }
}

/// The names of a list without what is empty.
pub(crate) fn names(names: Vec<String>) -> Vec<String> {
    let trimmed = names.into_iter().map(|name| name.trim().to_owned());
    trimmed.filter(|name| !name.is_empty()).collect()
}

/// A base URL that a key may be bound to. The gateway's own address is none, be it the one in the
/// settings or the one it listens on now.
pub(crate) fn base_url(field: &str, text: &str, engine: &Engine) -> Result<BaseUrl, ApiError> {
    let parsed = parse_base_url(text.trim(), engine.gateway_port())
        .and_then(|_| parse_base_url(text.trim(), engine.settings().gateway.port));
    parsed.map_err(|error| ApiError::invalid(field, error.to_string()))
}

/// The credential, if the settings know it.
pub(crate) fn known_credential(settings: &Settings, text: &str) -> Result<CredentialId, ApiError> {
    let id: CredentialId = id("id", text)?;
    match settings.credentials.contains_key(&id) {
        true => Ok(id),
        false => {
            let known = settings.credentials.keys().map(CredentialId::as_str);
            Err(unknown_name("key", id.as_str(), known))
        }
    }
}

/// The backend, if the settings know it. The built-in mock is not one of them.
pub(crate) fn known_backend(settings: &Settings, text: &str) -> Result<BackendId, ApiError> {
    let id: BackendId = id("id", text)?;
    if settings.backends.contains_key(&id) {
        return Ok(id);
    }
    if id.as_str() == settings::MOCK_BACKEND_ID {
        return Err(ApiError::invalid("id", "the mock is built in and always there"));
    }
    let known = settings.backends.keys().map(BackendId::as_str);
    Err(unknown_name("backend", id.as_str(), known))
}

/// The client, if the settings know it.
pub(crate) fn known_client(settings: &Settings, text: &str) -> Result<ClientId, ApiError> {
    let id: ClientId = id("id", text)?;
    match settings.clients.contains_key(&id) {
        true => Ok(id),
        false => {
            let known = settings.clients.keys().map(ClientId::as_str);
            Err(unknown_name("client", id.as_str(), known))
        }
    }
}
