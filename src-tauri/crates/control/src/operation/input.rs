//! Parses text from a form into checked values. Errors name the field of the form.

use domain::{BackendId, ClientId, CredentialId, IdError, RouteId};
use engine::Engine;
use settings::{BaseUrl, Settings, parse_base_url};

use crate::{ApiError, unknown_name_error};

/// Vault key prefix for client tokens.
pub(super) const TOKEN_VAULT_PREFIX: &str = "client.";

/// Parses the id of something new or known.
pub(crate) fn parse_id<T>(field: &str, text: &str) -> Result<T, ApiError>
where
    T: std::str::FromStr<Err = IdError>,
{
    text.trim().parse().map_err(|error| id_error(field, &error))
}

fn id_error(field: &str, error: &IdError) -> ApiError {
    let message = match error {
        // The error repeats its input, which may be a key in the wrong field.
        IdError::Malformed(_) => "that is not a valid id".to_owned(),
        other => other.to_string(),
    };
    ApiError::invalid(field, message)
}

/// Parses the name of a client, which may be its id.
pub(crate) fn parse_client_id(field: &str, name: &str) -> Result<ClientId, ApiError> {
    ClientId::from_name(name).map_err(|error| id_error(field, &error))
}

/// The display label; the id if empty.
pub(crate) fn label_or_id(text: &str, id: &str) -> String {
    match text.trim() {
        "" => id.to_owned(),
        label => label.to_owned(),
    }
}

/// Checks the number of a field by the range of the setting with this path.
pub(crate) fn check_range(field: &str, number: u32, path: &str) -> Result<(), ApiError> {
    let setting = Settings::setting(path);
    match setting.and_then(|setting| Some((setting.range.as_ref()?, setting.unit()))) {
        Some((range, unit)) if !range.contains(&i64::from(number)) => {
            let message = format!("a number from {} to {} {unit}", range.start(), range.end());
            Err(ApiError::invalid(field, message.trim_end().to_owned()))
        }
        _ => Ok(()),
    }
}

/// Trims the names of a list and drops empty ones.
pub(crate) fn trim_names(names: Vec<String>) -> Vec<String> {
    let trimmed = names.into_iter().map(|name| name.trim().to_owned());
    trimmed.filter(|name| !name.is_empty()).collect()
}

/// Parses a base URL that a key may be bound to. The gateway's own address is refused, both the one
/// in the settings and the one it listens on now.
pub(crate) fn check_base_url(
    field: &str,
    text: &str,
    engine: &Engine,
) -> Result<BaseUrl, ApiError> {
    let parsed = parse_base_url(text.trim(), engine.gateway().port())
        .and_then(|_| parse_base_url(text.trim(), engine.settings().gateway.port));
    parsed.map_err(|error| ApiError::invalid(field, error.to_string()))
}

/// Parses the id of a key in the settings.
pub(crate) fn parse_known_credential(
    settings: &Settings,
    text: &str,
) -> Result<CredentialId, ApiError> {
    let id: CredentialId = parse_id("id", text)?;
    match settings.credentials.contains_key(&id) {
        true => Ok(id),
        false => {
            let known = settings.credentials.keys().map(CredentialId::as_str);
            Err(unknown_name_error("key", id.as_str(), known))
        }
    }
}

/// Parses the id of a backend in the settings. The built-in mock is refused.
pub(crate) fn parse_known_backend(settings: &Settings, text: &str) -> Result<BackendId, ApiError> {
    let id: BackendId = parse_id("id", text)?;
    if settings.backends.contains_key(&id) {
        return Ok(id);
    }
    if id.as_str() == settings::MOCK_BACKEND_ID {
        return Err(ApiError::invalid("id", "the mock is built in and always there"));
    }
    let known = settings.backends.keys().map(BackendId::as_str);
    Err(unknown_name_error("backend", id.as_str(), known))
}

/// Checks that there is a backend with this id, which the request names in `field`. The built-in mock is
/// one.
pub(crate) fn check_backend_exists(
    settings: &Settings,
    field: &str,
    id: &BackendId,
) -> Result<(), ApiError> {
    if settings.backends.contains_key(id) || id.as_str() == settings::MOCK_BACKEND_ID {
        return Ok(());
    }
    let known = settings.backends.keys().map(BackendId::as_str).chain([settings::MOCK_BACKEND_ID]);
    Err(unknown_name_error("backend", id.as_str(), known).at_field(field))
}

/// Parses the id of a route in the settings, which the request names in `field`.
pub(crate) fn parse_known_route(
    settings: &Settings,
    field: &str,
    text: &str,
) -> Result<RouteId, ApiError> {
    let id: RouteId = parse_id(field, text)?;
    check_route_exists(settings, field, &id)?;
    Ok(id)
}

/// Checks that there is a route with this id, which the request names in `field`.
pub(crate) fn check_route_exists(
    settings: &Settings,
    field: &str,
    id: &RouteId,
) -> Result<(), ApiError> {
    match settings.routes.contains_key(id) {
        true => Ok(()),
        false => {
            let known = settings.routes.keys().map(RouteId::as_str);
            Err(unknown_name_error("route", id.as_str(), known).at_field(field))
        }
    }
}

/// Parses the name or id of a client in the settings.
pub(crate) fn parse_known_client(settings: &Settings, text: &str) -> Result<ClientId, ApiError> {
    let id = parse_client_id("id", text)?;
    match settings.clients.contains_key(&id) {
        true => Ok(id),
        false => {
            let known = settings.clients.keys().map(ClientId::as_str);
            Err(unknown_name_error("client", id.as_str(), known))
        }
    }
}
