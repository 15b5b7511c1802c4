//! The choice for a client that the user switched to a backend or a route.
//!
//! A backend is asked for the model that the request would have there: `backend/model` for the part
//! after the slash, a name that a route gives to that backend for the model in the route, any other for
//! itself. A backend whose models are known refuses what it does not list, so that the client's user
//! learns of the switch and not of a stranger's 404.

use domain::ClientTarget;

use crate::candidates::SelectionContext;
use crate::decision::Decision;
use crate::error::{RoutingError, SwitchFailure};
use crate::known::KnownBackend;
use crate::request::RoutingRequest;
use crate::table::RouteTable;

impl RouteTable {
    pub(crate) fn choose_switched(
        &self,
        target: &ClientTarget,
        selection: &mut SelectionContext<'_>,
    ) -> Result<Decision, RoutingError> {
        let request = selection.request;
        let chosen = match target {
            ClientTarget::Backend(id) => match self.backend(id) {
                None => Err(SwitchFailure::Off),
                Some(backend) => self.choose_at(backend, selection),
            },
            ClientTarget::Route(id) => match self.route(id) {
                None => Err(SwitchFailure::Off),
                Some(known) => selection
                    .choose_by_route(known, |id| self.backend(id))
                    .map(|decision| decision.explain_switch(request))
                    .map_err(|error| SwitchFailure::Refused(Box::new(error))),
            },
        };
        chosen.map_err(|failure| RoutingError::Switched {
            client: request.client.clone(),
            target: target.clone(),
            failure,
        })
    }

    fn choose_at(
        &self,
        backend: &KnownBackend,
        selection: &mut SelectionContext<'_>,
    ) -> Result<Decision, SwitchFailure> {
        let model = self.model_at(backend, selection.request);
        let decision = selection
            .choose_switched_backend(backend, model)
            .map_err(|error| SwitchFailure::Refused(Box::new(error)))?;
        let listed = &backend.models.models;
        match listed.is_empty() || listed.iter().any(|known| known == model) {
            true => Ok(decision),
            false => Err(SwitchFailure::ModelMissing(model.to_owned())),
        }
    }

    /// The name that `backend` is asked for instead of the requested one.
    pub(crate) fn model_at<'a>(
        &'a self,
        backend: &KnownBackend,
        request: &RoutingRequest<'a>,
    ) -> &'a str {
        if let Some((_, model)) = self.find_pinned(request.model) {
            return model;
        }
        let known = self.find_route(request.model, request.client, request.project);
        let mut candidates = known.into_iter().flat_map(|known| &known.route.candidates);
        let there = candidates.find(|candidate| candidate.backend == backend.models.backend);
        there.and_then(|candidate| candidate.model.as_deref()).unwrap_or(request.model)
    }
}

impl Decision {
    /// Says first that the client is switched to the route.
    fn explain_switch(mut self, request: &RoutingRequest<'_>) -> Self {
        let (client, route) = (request.client, &self.route);
        let text = &self.explanation;
        self.explanation = format!("The client {client} is switched to the route {route}: {text}");
        self
    }
}
