//! Services beside the backends that work depends on: list, add, change, test, remove.

use domain::{CredentialId, Origin, ServiceId, ServiceKind};
use engine::Engine;
use ledger::{ObservedSubject, ObservedTimeRow};
use monitor::HealthFinding;
use service_checks::ServiceAccount;
use settings::{
    AllowedNetwork, GITHUB_API, HttpExpectation, SERVICES_MAX, ServiceAddress, ServiceSettings,
    Settings, parse_key_header,
};

use crate::operation::backends::{
    bind_stored_key, disabled_health_view, observed_health_view, step_view,
};
use crate::operation::health::{availability_views, observed_time, rows_of, strip};
use crate::operation::input;
use crate::operation::keys::{remove_key, store_key};
use crate::operation::resilience::sentence_from_clause;
use crate::view::{
    ServiceAccountView, ServiceExpectationView, ServiceKey, ServiceRef, ServiceSet,
    ServiceTestView, ServiceView, ServicesView, ShownHealth,
};
use crate::{ApiError, unknown_name_error};

/// Most names that are tried for a new key.
const KEY_NAMES_MAX: usize = 100;

pub(crate) async fn services(engine: &Engine) -> Result<ServicesView, ApiError> {
    Ok(services_view(engine, &observed_time(engine).await?))
}

pub(super) fn services_view(engine: &Engine, observed: &[ObservedTimeRow]) -> ServicesView {
    let settings = engine.settings();
    let all = settings.services.iter();
    let services: Vec<ServiceView> =
        all.map(|(id, known)| service_view(engine, id, known, observed)).collect();
    ServicesView { finding: finding(&services), services }
}

pub(crate) async fn service_set(engine: &Engine, req: ServiceSet) -> Result<ServiceView, ApiError> {
    let _held = engine.vault_switch().lock_changes().await;
    let settings = engine.settings();
    let id: ServiceId = input::parse_id("id", &req.id)?;
    let before = settings.services.get(&id);
    if before.is_none() && settings.services.len() >= SERVICES_MAX {
        let message = format!("there are {SERVICES_MAX} services; remove one first");
        return Err(ApiError::invalid("id", message));
    }
    let address = parse_address(engine, req.kind, &req.address)?;
    let mut service = ServiceSettings {
        label: input::label_or_id(&req.label, id.as_str()),
        kind: req.kind,
        address,
        credential: None,
        required: req.required,
        enabled: req.enabled,
        network: match req.private_network {
            true => AllowedNetwork::Private,
            false => AllowedNetwork::Public,
        },
        http: parse_expectation(&req.expects)?,
        scopes: input::trim_names(req.expects.scopes),
        objective: before.map(|it| it.objective).unwrap_or_default(),
    };
    if let Some((field, why)) = service.misplaced_field() {
        return Err(ApiError::invalid(field, why));
    }
    let chosen = choose_key(engine, (&id, &service), before, req.key).await?;
    let new_key = if let ChosenKey::New(key) = &chosen { Some(key.clone()) } else { None };
    service.credential = chosen.credential();
    let place = id.clone();
    let edited = engine.settings_editor().edit(move |draft| {
        draft.services.insert(place, service);
    });
    if let Err(error) = edited.await {
        if let Some(key) = new_key {
            drop(remove_key(engine, key).await);
        }
        return Err(error.into());
    }
    find_view(engine, &id).await
}

pub(crate) async fn service_test(
    engine: &Engine,
    req: ServiceRef,
) -> Result<ServiceTestView, ApiError> {
    let id = parse_known_service(&engine.settings(), &req.id)?;
    let report = engine.services().check_now(&id).await;
    Ok(ServiceTestView {
        id: req.id,
        passed: report.finding == HealthFinding::Answered,
        sentence: sentence_from_clause(&report.detail),
        steps: report.steps.into_iter().map(step_view).collect(),
    })
}

pub(crate) async fn service_remove(engine: &Engine, req: ServiceRef) -> Result<(), ApiError> {
    let id = parse_known_service(&engine.settings(), &req.id)?;
    let removed = engine.settings_editor().edit(move |draft| {
        draft.services.shift_remove(&id);
    });
    Ok(removed.await?)
}

enum ChosenKey {
    None,
    Stored(CredentialId),
    /// Stored for this request.
    New(CredentialId),
}

impl ChosenKey {
    fn credential(self) -> Option<CredentialId> {
        match self {
            Self::None => None,
            Self::Stored(id) | Self::New(id) => Some(id),
        }
    }
}

async fn choose_key(
    engine: &Engine,
    (id, service): (&ServiceId, &ServiceSettings),
    before: Option<&ServiceSettings>,
    wanted: ServiceKey,
) -> Result<ChosenKey, ApiError> {
    let kept = before.and_then(|before| before.credential.clone());
    let (kept_id, wants_key) = match (&wanted, kept) {
        (ServiceKey::Keep, Some(kept)) => (Some(kept), true),
        (ServiceKey::Keep | ServiceKey::None, _) => (None, false),
        (ServiceKey::Stored { .. } | ServiceKey::New { .. }, _) => (None, true),
    };
    if !wants_key {
        return match service.kind {
            ServiceKind::Github => Err(ApiError::invalid("key", "a check of GitHub needs a token")),
            _ => Ok(ChosenKey::None),
        };
    }
    let origin = key_origin(service)?;
    match (wanted, kept_id) {
        (ServiceKey::New { secret }, _) => {
            let key = free_key_name(&engine.settings(), id)?;
            let label = service.label.clone();
            store_key(engine, &key, label, secret, Some(origin), None).await?;
            Ok(ChosenKey::New(key))
        }
        (ServiceKey::Stored { id: key }, _) => {
            let key = bind_stored_key(engine, &engine.settings(), &key, &origin).await?;
            Ok(ChosenKey::Stored(key))
        }
        // The vault need not be open where the key goes where it went.
        (_, Some(kept)) if before.and_then(|it| it.address.origin()) == Some(origin.clone()) => {
            Ok(ChosenKey::Stored(kept))
        }
        (_, Some(kept)) => {
            let key = bind_stored_key(engine, &engine.settings(), kept.as_str(), &origin).await?;
            Ok(ChosenKey::Stored(key))
        }
        (_, None) => Ok(ChosenKey::None),
    }
}

fn key_origin(service: &ServiceSettings) -> Result<Origin, ApiError> {
    let none = || format!("a service of kind {} is checked without a key", service.kind);
    service.address.origin().ok_or_else(|| ApiError::invalid("key", none()))
}

/// The name of the service, or one with a number behind it.
fn free_key_name(settings: &Settings, id: &ServiceId) -> Result<CredentialId, ApiError> {
    let names = (1..=KEY_NAMES_MAX).map(|number| match number {
        1 => id.to_string(),
        number => format!("{id}-{number}"),
    });
    let mut free = names.filter_map(|name| CredentialId::new(name).ok());
    free.find(|name| !settings.credentials.contains_key(name)).ok_or_else(|| {
        ApiError::invalid("id", "there is no free name for its key; choose another name")
    })
}

/// Parses an address. The gateway's own address is refused, both the one in the settings and the one
/// it listens on now.
fn parse_address(
    engine: &Engine,
    kind: ServiceKind,
    text: &str,
) -> Result<ServiceAddress, ApiError> {
    let text = match (kind, text.trim()) {
        (ServiceKind::Github, "") => GITHUB_API,
        (_, text) => text,
    };
    ServiceAddress::parse(kind, text, engine.gateway().port())
        .and_then(|_| ServiceAddress::parse(kind, text, engine.settings().gateway.port))
        .map_err(|error| ApiError::invalid("address", error.to_string()))
}

fn parse_expectation(asked: &ServiceExpectationView) -> Result<HttpExpectation, ApiError> {
    let contains = Some(asked.contains.trim()).filter(|text| !text.is_empty());
    let header = Some(asked.key_header.trim()).filter(|name| !name.is_empty());
    let refused = || {
        let message = "no key can be sent in a header of this name; write one like x-api-key";
        ApiError::invalid("key_header", message)
    };
    if asked.status.is_some_and(|status| !(100..=599).contains(&status)) {
        return Err(ApiError::invalid("status", "a status is a number from 100 to 599"));
    }
    Ok(HttpExpectation {
        method: asked.method,
        status: asked.status,
        contains: contains.map(str::to_owned),
        key_header: header.map(|name| parse_key_header(name).ok_or_else(refused)).transpose()?,
    })
}

fn parse_known_service(settings: &Settings, text: &str) -> Result<ServiceId, ApiError> {
    let id: ServiceId = input::parse_id("id", text)?;
    match settings.services.contains_key(&id) {
        true => Ok(id),
        false => {
            let known = settings.services.keys().map(ServiceId::as_str);
            Err(unknown_name_error("service", id.as_str(), known))
        }
    }
}

async fn find_view(engine: &Engine, id: &ServiceId) -> Result<ServiceView, ApiError> {
    let observed = observed_time(engine).await?;
    let settings = engine.settings();
    let known = settings.services.get(id);
    let known =
        known.ok_or_else(|| ApiError::not_found(format!("there is no service named {id}")))?;
    Ok(service_view(engine, id, known, &observed))
}

fn service_view(
    engine: &Engine,
    id: &ServiceId,
    known: &ServiceSettings,
    observed: &[ObservedTimeRow],
) -> ServiceView {
    let own = rows_of(observed, &ObservedSubject::Service(id.clone()));
    let now = engine.clock().wall();
    let HttpExpectation { method, status, contains, key_header } = known.http.clone();
    ServiceView {
        id: id.to_string(),
        label: known.label.clone(),
        kind: known.kind,
        address: known.address.to_string(),
        credential: known.credential.as_ref().map(ToString::to_string),
        required: known.required,
        enabled: known.enabled,
        private_network: known.network == AllowedNetwork::Private,
        expects: ServiceExpectationView {
            method,
            status,
            contains: contains.unwrap_or_default(),
            key_header: key_header.unwrap_or_default(),
            scopes: known.scopes.clone(),
        },
        health: match known.enabled {
            true => observed_health_view(engine.services().health(id)),
            false => disabled_health_view("switched off"),
        },
        availability: availability_views(&own, now),
        strip: strip(&own, now),
        account: engine.services().account(id).map(account_view),
    }
}

fn account_view(account: ServiceAccount) -> ServiceAccountView {
    let ServiceAccount { login, scopes, missing, expires } = account;
    ServiceAccountView { login, scopes, missing, expires_at: expires.map(Into::into) }
}

fn finding(services: &[ServiceView]) -> String {
    let on: Vec<&ServiceView> = services.iter().filter(|service| service.enabled).collect();
    let count = |state| on.iter().filter(|service| service.health.state == state).count();
    let (down, unknown) = (count(ShownHealth::Down), count(ShownHealth::Unknown));
    let of = |number: usize, [one, many]: [&str; 2]| {
        let noun = if on.len() == 1 { "service" } else { "services" };
        format!("{number} of {} {noun} {}", on.len(), if number == 1 { one } else { many })
    };
    match (on.len(), down, unknown) {
        (0, ..) => "No service is watched".to_owned(),
        (1, 0, 0) => "The service works".to_owned(),
        (all, 0, 0) => format!("All {all} services work"),
        (_, 0, unknown) => of(unknown, ["is not confirmed", "are not confirmed"]),
        (_, down, _) => of(down, ["is down", "are down"]),
    }
}
