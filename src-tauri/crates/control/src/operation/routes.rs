//! Operations on routes: list with their current targets, set, remove, reorder.

mod views;

pub(super) use views::broken_routes;

use domain::{BackendId, ClientId, ClientTarget, RouteId};
use engine::Engine;
use settings::{BalanceSettings, RouteCandidateSettings, RouteSettings, Settings};

use crate::ApiError;
use crate::operation::clients::switched::replace_target;
use crate::operation::input;
use crate::view::{RouteCandidateEdit, RouteEdit, RouteRef, RouteView, RoutesOrder, RoutesView};

pub(crate) async fn routes(engine: &Engine) -> Result<RoutesView, ApiError> {
    let counts = views::load_request_counts(engine).await?;
    Ok(views::routes_view(engine, &engine.settings(), &counts))
}

pub(crate) async fn route_set(engine: &Engine, req: RouteEdit) -> Result<RouteView, ApiError> {
    let settings = engine.settings();
    let id: RouteId = input::parse_id("id", &req.id)?;
    let replaced = match &req.replaces {
        Some(known) => Some(parse_known_route(&settings, known)?),
        None => None,
    };
    if settings.routes.contains_key(&id) && replaced.as_ref() != Some(&id) {
        let message = format!("a route named {id} already exists; edit it, or choose another name");
        return Err(ApiError::invalid("id", message));
    }
    let known = replaced.as_ref().and_then(|id| settings.routes.get(id));
    let route = build_route(&settings, &id, known, req)?;
    let place = id.clone();
    engine
        .settings_editor()
        .edit(move |draft| {
            if let Some(old) = &replaced {
                rename_route(draft, old, &place);
            }
            let old = replaced.and_then(|old| draft.routes.shift_remove_full(&old));
            let at = old.map_or(draft.routes.len(), |(at, ..)| at);
            draft.routes.shift_insert(at.min(draft.routes.len()), place, route);
        })
        .await?;
    find_route_view(engine, &id).await
}

/// Lets clients and budgets that name the route name it by its new id.
fn rename_route(draft: &mut Settings, old: &RouteId, id: &RouteId) {
    let next = ClientTarget::Route(id.clone());
    replace_target(draft, &ClientTarget::Route(old.clone()), Some(&next));
    for budget in draft.budgets.values_mut() {
        if budget.switch_to.as_ref() == Some(old) {
            budget.switch_to = Some(id.clone());
        }
    }
}

pub(crate) async fn route_remove(engine: &Engine, req: RouteRef) -> Result<(), ApiError> {
    let id = parse_known_route(&engine.settings(), &req.id)?;
    let remove = move |draft: &mut Settings| {
        draft.routes.shift_remove(&id);
        replace_target(draft, &ClientTarget::Route(id), None);
    };
    engine.settings_editor().edit(remove).await?;
    Ok(())
}

pub(crate) async fn routes_order(
    engine: &Engine,
    req: RoutesOrder,
) -> Result<RoutesView, ApiError> {
    let settings = engine.settings();
    let mut order: Vec<RouteId> = Vec::with_capacity(req.ids.len());
    for text in &req.ids {
        let id = parse_known_route(&settings, text)?;
        if order.contains(&id) {
            return Err(ApiError::invalid("ids", format!("{id} is listed twice")));
        }
        order.push(id);
    }
    engine.settings_editor().edit(move |draft| draft.order_routes(&order)).await?;
    routes(engine).await
}

fn parse_known_route(settings: &Settings, text: &str) -> Result<RouteId, ApiError> {
    let id: RouteId = input::parse_id("id", text)?;
    match settings.routes.contains_key(&id) {
        true => Ok(id),
        false => Err(ApiError::not_found(format!("there is no route named {id}"))),
    }
}

/// Builds a route from a form. What the settings only warn about is refused here, because a form
/// can report it at once. It is accepted if the route had it before.
fn build_route(
    settings: &Settings,
    id: &RouteId,
    known: Option<&RouteSettings>,
    req: RouteEdit,
) -> Result<RouteSettings, ApiError> {
    let mut models = input::trim_names(req.models);
    if models.is_empty() {
        models.push(id.to_string());
    }
    let mut candidates: Vec<RouteCandidateSettings> = Vec::with_capacity(req.candidates.len());
    for edit in req.candidates {
        let candidate = build_candidate(settings, known, edit)?;
        let same = |other: &RouteCandidateSettings| {
            (&other.backend, &other.model) == (&candidate.backend, &candidate.model)
        };
        if candidates.iter().any(same) {
            let message = format!("{} is listed twice with the same model", candidate.backend);
            return Err(ApiError::invalid("candidates", message));
        }
        candidates.push(candidate);
    }
    if candidates.is_empty() {
        let message = "add at least one backend";
        return Err(ApiError::invalid("candidates", message));
    }
    let weights = req.weights;
    Ok(RouteSettings {
        enabled: req.enabled,
        models,
        clients: parse_clients(settings, known, &req.clients)?,
        projects: input::trim_names(req.projects),
        policy: req.policy,
        weights: BalanceSettings {
            latency: weights.latency,
            cost: weights.cost,
            headroom: weights.headroom,
        },
        sticky_secs: req.sticky_secs.unwrap_or(0),
        crossing: req.crossing,
        cache: req.cache,
        candidates,
        objective: known.map(|route| route.objective).unwrap_or_default(),
    })
}

fn build_candidate(
    settings: &Settings,
    known: Option<&RouteSettings>,
    edit: RouteCandidateEdit,
) -> Result<RouteCandidateSettings, ApiError> {
    let backend: BackendId = input::parse_id("candidates", &edit.backend)?;
    let stood = known.is_some_and(|route| route.candidates.iter().any(|it| it.backend == backend));
    let is_there =
        settings.backends.contains_key(&backend) || backend.as_str() == settings::MOCK_BACKEND_ID;
    if !is_there && !stood {
        let message = format!("there is no backend named {backend}");
        return Err(ApiError::invalid("candidates", message));
    }
    let model = edit.model.map(|model| model.trim().to_owned()).filter(|model| !model.is_empty());
    Ok(RouteCandidateSettings { backend, model, weight: edit.weight })
}

fn parse_clients(
    settings: &Settings,
    known: Option<&RouteSettings>,
    names: &[String],
) -> Result<Vec<ClientId>, ApiError> {
    let mut clients: Vec<ClientId> = Vec::with_capacity(names.len());
    for name in names {
        let id: ClientId = input::parse_id("clients", name)?;
        let stood = known.is_some_and(|route| route.clients.contains(&id));
        if !settings.clients.contains_key(&id) && !stood {
            return Err(ApiError::invalid("clients", format!("there is no client named {id}")));
        }
        if !clients.contains(&id) {
            clients.push(id);
        }
    }
    Ok(clients)
}

async fn find_route_view(engine: &Engine, id: &RouteId) -> Result<RouteView, ApiError> {
    let found = routes(engine).await?.routes.into_iter().find(|route| route.id == id.as_str());
    found.ok_or_else(|| ApiError::not_found(format!("there is no route named {id}")))
}
