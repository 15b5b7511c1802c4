//! Routes: the list with the state of every candidate and the requests of the last day, and their
//! edits.

use domain::{Access, BackendId, ClientId, RouteId};
use engine::{Engine, PLAYGROUND_CLIENT, RouteQuestion};
use ledger::RouteCount;
use routing::{Available, Decision, Needs, NoRoute};
use settings::{BalanceSettings, RouteCandidateSettings, RouteSettings, Settings};

use super::explain::sentence;
use super::input;
use super::resilience::availability;
use crate::ApiError;
use crate::view::{
    AvailabilityState, AvailabilityView, BalanceWeightsView, Count, RouteCandidateEdit,
    RouteCandidateView, RouteEdit, RouteRef, RouteView, RoutesOrder, RoutesView,
};

/// Over which requests are counted, in milliseconds: a day.
const COUNTED_MS: i64 = 86_400_000;
/// What stands for `*` where a pattern is asked for: no model's name has it.
const ANY_MODEL: &str = "any-model";

pub(crate) async fn routes(engine: &Engine) -> Result<RoutesView, ApiError> {
    let settings = engine.settings();
    let since = domain::WallTime::from_unix_ms(engine.wall().unix_ms().saturating_sub(COUNTED_MS));
    let counts = engine.ledger().route_counts(since).await?;
    let all: u64 = counts.iter().map(|count| count.requests).sum();
    let views: Vec<RouteView> = settings
        .routes
        .iter()
        .map(|(id, route)| Row { engine, settings: &settings, id, route }.view(&counts, all))
        .collect();
    let led = |count: &&RouteCount| settings.routes.keys().any(|id| id.as_str() == count.route);
    let routed: u64 = counts.iter().filter(led).map(|count| count.requests).sum();
    Ok(RoutesView {
        sentence: said(&views),
        routes: views,
        unrouted_requests: (all - routed).into(),
    })
}

pub(crate) async fn route_set(engine: &Engine, req: RouteEdit) -> Result<RouteView, ApiError> {
    let settings = engine.settings();
    let id: RouteId = input::id("id", &req.id)?;
    let replaced = match req.replaces.as_deref() {
        Some(text) => Some(known_route(&settings, text)?),
        None => None,
    };
    if settings.routes.contains_key(&id) && replaced.as_ref() != Some(&id) {
        let message = format!("a route named {id} exists; change that one, or choose another name");
        return Err(ApiError::invalid("id", message));
    }
    let (place, edited) = (id.clone(), edited(&id, req)?);
    engine
        .edit(move |draft| {
            let index = replaced.and_then(|old| draft.routes.shift_remove_full(&old));
            let index = index.map_or(draft.routes.len(), |(index, ..)| index);
            draft.routes.shift_insert(index, place, edited);
        })
        .await?;
    let mut all = routes(engine).await?.routes.into_iter();
    let found = all.find(|view| view.id == id.as_str());
    found.ok_or_else(|| ApiError::not_found(format!("there is no route named {id}")))
}

pub(crate) async fn route_remove(engine: &Engine, req: RouteRef) -> Result<(), ApiError> {
    let id = known_route(&engine.settings(), &req.id)?;
    engine
        .edit(move |draft| {
            draft.routes.shift_remove(&id);
        })
        .await?;
    Ok(())
}

pub(crate) async fn routes_order(
    engine: &Engine,
    req: RoutesOrder,
) -> Result<RoutesView, ApiError> {
    let settings = engine.settings();
    let order: Result<Vec<RouteId>, ApiError> =
        req.ids.iter().map(|text| known_route(&settings, text)).collect();
    let order = order?;
    engine.edit(move |draft| draft.order_routes(&order)).await?;
    routes(engine).await
}

/// The route, if the settings know it.
fn known_route(settings: &Settings, text: &str) -> Result<RouteId, ApiError> {
    let id: RouteId = input::id("id", text)?;
    match settings.routes.contains_key(&id) {
        true => Ok(id),
        false => Err(ApiError::not_found(format!("there is no route named {id}"))),
    }
}

fn edited(id: &RouteId, req: RouteEdit) -> Result<RouteSettings, ApiError> {
    let clients: Result<Vec<ClientId>, ApiError> =
        req.clients.iter().map(|text| input::id("clients", text)).collect();
    let candidates: Result<Vec<_>, ApiError> =
        req.candidates.into_iter().map(edited_candidate).collect();
    let BalanceWeightsView { latency, cost, headroom } = req.weights;
    let mut models = trimmed(req.models);
    if models.is_empty() {
        models.push(id.to_string());
    }
    Ok(RouteSettings {
        enabled: req.enabled,
        clients: clients?,
        projects: trimmed(req.projects),
        policy: req.policy.into(),
        weights: BalanceSettings { latency, cost, headroom },
        sticky_secs: req.sticky_secs.unwrap_or(0),
        crossing: req.crossing.map(Into::into),
        cache: req.cache.map(Into::into),
        ..RouteSettings::new(models, candidates?)
    })
}

fn edited_candidate(edit: RouteCandidateEdit) -> Result<RouteCandidateSettings, ApiError> {
    let model = edit.model.map(|model| model.trim().to_owned()).filter(|model| !model.is_empty());
    let backend = input::id("candidates", &edit.backend)?;
    Ok(RouteCandidateSettings { backend, model, weight: edit.weight })
}

fn trimmed(texts: Vec<String>) -> Vec<String> {
    let texts = texts.into_iter().map(|text| text.trim().to_owned());
    texts.filter(|text| !text.is_empty()).collect()
}

/// A route on its way to its view.
struct Row<'a> {
    engine: &'a Engine,
    settings: &'a Settings,
    id: &'a RouteId,
    route: &'a RouteSettings,
}

impl Row<'_> {
    fn view(&self, counts: &[RouteCount], all: u64) -> RouteView {
        let Self { id, route, .. } = self;
        let own: Vec<&RouteCount> =
            counts.iter().filter(|count| count.route == id.as_str()).collect();
        let requests = own.iter().map(|count| count.requests).sum();
        let candidates = route.candidates.iter();
        RouteView {
            id: id.to_string(),
            models: route.models.clone(),
            clients: route.clients.iter().map(ToString::to_string).collect(),
            projects: route.projects.clone(),
            policy: route.policy.into(),
            weights: BalanceWeightsView {
                latency: route.weights.latency,
                cost: route.weights.cost,
                headroom: route.weights.headroom,
            },
            sticky_secs: Some(route.sticky_secs).filter(|secs| *secs > 0),
            crossing: route.crossing.map(Into::into),
            cache: route.cache.map(Into::into),
            enabled: route.enabled,
            candidates: candidates.map(|one| self.candidate(one, &own, requests)).collect(),
            sentence: self.sentence(),
            requests: Count(requests),
            share_percent: share_percent(requests, all),
        }
    }

    fn candidate(
        &self,
        candidate: &RouteCandidateSettings,
        own: &[&RouteCount],
        all: u64,
    ) -> RouteCandidateView {
        let RouteCandidateSettings { backend, model, weight } = candidate;
        let is_it = |count: &&&RouteCount| {
            count.backend.as_ref() == Some(backend) && (model.is_none() || count.model == *model)
        };
        let requests = own.iter().filter(is_it).map(|count| count.requests).sum();
        let accesses = self.accesses(backend);
        let label = self.engine.backend_labels().get(backend.as_str()).cloned();
        RouteCandidateView {
            backend: backend.to_string(),
            backend_label: label.unwrap_or_else(|| backend.to_string()),
            model: model.clone(),
            weight: *weight,
            availability: accesses
                .iter()
                .min_by_key(|one| rank(one.state))
                .cloned()
                .unwrap_or_else(unknown),
            accesses,
            requests: Count(requests),
            share_percent: share_percent(requests, all),
        }
    }

    fn accesses(&self, backend: &BackendId) -> Vec<AvailabilityView> {
        let is_its = |access: &Access| access.backend == *backend;
        let accesses = self.engine.accesses().into_iter().filter(is_its);
        accesses.map(|access| availability(self.engine, self.settings, &access)).collect()
    }

    /// Where its requests go now.
    fn sentence(&self) -> String {
        if !self.route.enabled {
            return "Switched off: its names go by the next rule.".to_owned();
        }
        match self.decide() {
            Some(Ok(decision)) if is_closed(&decision) => {
                "No candidate is ready: the one that opens first is tried.".to_owned()
            }
            Some(Ok(decision)) => decision.explanation,
            Some(Err(refusal)) => sentence(&refusal.to_string()),
            None => "Another route answers to its names first.".to_owned(),
        }
    }

    /// What is decided for a request that this route leads; `None` if another one leads it.
    fn decide(&self) -> Option<Result<Decision, NoRoute>> {
        let client = self.route.clients.first().cloned();
        let client = client.or_else(|| ClientId::new(PLAYGROUND_CLIENT).ok())?;
        let questions = self.route.models.iter().map(|model| RouteQuestion {
            model: model.replace('*', ANY_MODEL),
            client: client.clone(),
            project: self.route.projects.first().cloned(),
            needs: Needs::default(),
        });
        let mut own = questions.filter(|question| {
            self.engine.route_of(question).is_some_and(|route| route.id == *self.id)
        });
        own.next().map(|question| self.engine.explain_route(&question))
    }
}

fn is_closed(decision: &Decision) -> bool {
    let first = decision.candidates.first();
    first.is_some_and(|first| matches!(first.why.available, Available::Closed { .. }))
}

/// In one sentence, with the first route that goes a way round.
fn said(views: &[RouteView]) -> String {
    let used: Vec<&RouteView> = views.iter().filter(|view| view.enabled).collect();
    let held = |view: &&&RouteView| {
        let first = view.candidates.first();
        first.is_some_and(|first| {
            rank(first.availability.state) > rank(AvailabilityState::Recovering)
        })
    };
    match (used.len(), used.iter().find(held)) {
        (0, _) => "No route is in use: a request goes by its model's name.".to_owned(),
        (_, Some(view)) => format!("{}: {}", view.id, view.sentence),
        (1, None) => "1 route, and its first candidate is ready.".to_owned(),
        (many, None) => format!("{many} routes, and the first candidate of each is ready."),
    }
}

/// The best of several keys is the lowest.
const fn rank(state: AvailabilityState) -> u8 {
    match state {
        AvailabilityState::Ready => 0,
        AvailabilityState::Recovering => 1,
        AvailabilityState::Trial => 2,
        AvailabilityState::CoolingDown => 3,
        AvailabilityState::Open => 4,
        AvailabilityState::Blocked => 5,
        AvailabilityState::Off => 6,
    }
}

/// Of a backend that the settings do not know.
fn unknown() -> AvailabilityView {
    AvailabilityView {
        credential: None,
        state: AvailabilityState::Off,
        percent: None,
        why: "The settings do not know this backend.".to_owned(),
        since: None,
        until: None,
    }
}

fn share_percent(part: u64, of: u64) -> Option<u32> {
    let percent = (part * 100 + of / 2).checked_div(of)?;
    u32::try_from(percent).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_and_nothing_has_none() {
        assert_eq!(share_percent(0, 0), None);
        assert_eq!(share_percent(0, 7), Some(0));
        assert_eq!((share_percent(1, 3), share_percent(2, 3)), (Some(33), Some(67)));
        assert_eq!(share_percent(5, 5), Some(100));
    }
}
