//! From the rule that fits to the decision: who is left out, who comes first, and the sentence why.

use std::fmt::Write as _;

use domain::{BackendId, RoutePolicy};

use crate::digest::Digest;
use crate::refusal::NoRoute;
use crate::table::{KnownBackend, KnownRoute};
use crate::{
    Asking, Available, Candidate, Conditions, Decision, Ground, PassedOver, Reason, Route,
    Standing, Why,
};

/// The name of the rule by which a request names its backend.
const PINNED: &str = "pinned";
/// The name of the rule for a name that nobody lists.
const UNLISTED: &str = "*";

/// What every rule looks at.
pub(crate) struct Choosing<'a> {
    pub(crate) asking: &'a Asking<'a>,
    pub(crate) conditions: &'a dyn Conditions,
    pub(crate) chance: &'a mut dyn FnMut() -> f64,
}

/// One backend that may answer, before its keys are laid out.
struct Part<'a> {
    backend: &'a KnownBackend,
    model: &'a str,
    ground: Ground,
}

impl Choosing<'_> {
    pub(crate) fn pinned(
        &mut self,
        backend: &KnownBackend,
        model: &str,
    ) -> Result<Decision, NoRoute> {
        let id = &backend.models.backend;
        let unusable = |reason: &str| NoRoute::BackendUnusable {
            backend: id.clone(),
            reason: reason.to_owned(),
        };
        match &backend.models.standing {
            Standing::Usable if model.is_empty() => Err(NoRoute::NoName),
            Standing::Usable => {
                let part = Part { backend, model, ground: Ground::Pinned };
                let base = format!("The request pins the backend {id}");
                Ok(self.decide(PINNED, &[part], Vec::new(), base))
            }
            Standing::Disabled => Err(unusable("is switched off")),
            Standing::Unusable(reason) => Err(unusable(reason)),
        }
    }

    pub(crate) fn by_route<'t>(
        &mut self,
        known: &'t KnownRoute,
        find: impl Fn(&BackendId) -> Option<&'t KnownBackend>,
    ) -> Result<Decision, NoRoute> {
        let route = &known.route;
        let (mut parts, mut passed_over) = (Vec::new(), Vec::new());
        for (place, candidate) in route.candidates.iter().enumerate() {
            let model = candidate.model.as_deref().unwrap_or(self.asking.model);
            let reason = match find(&candidate.backend) {
                None => Reason::Unknown,
                Some(backend) => match &backend.models.standing {
                    Standing::Usable => {
                        parts.push(Part { backend, model, ground: Ground::Place(place + 1) });
                        continue;
                    }
                    Standing::Disabled => Reason::Disabled,
                    Standing::Unusable(reason) => Reason::Unusable(reason.clone()),
                },
            };
            let (backend, model) = (candidate.backend.clone(), model.to_owned());
            passed_over.push(PassedOver { backend, model, reason });
        }
        let Some(first) = parts.first() else {
            return Err(NoRoute::RouteUnusable { route: route.id.to_string(), passed_over });
        };
        let base =
            format!("{} is the first in the route {}", first.backend.models.backend, route.id);
        let decision = self.decide(route.id.as_str(), &parts, passed_over, base);
        Ok(Decision {
            policy: route.policy,
            crossing: route.crossing,
            cache: route.cache,
            sticky: route.sticky,
            fingerprint: known.fingerprint,
            ..decision
        })
    }

    pub(crate) fn listed(&mut self, backends: &[&KnownBackend]) -> Decision {
        let model = self.asking.model;
        let parts: Vec<Part<'_>> = backends
            .iter()
            .enumerate()
            .map(|(place, backend)| Part { backend, model, ground: Ground::Place(place + 1) })
            .collect();
        let mut base = String::new();
        if let Some(first) = parts.first() {
            let first = &first.backend.models.backend;
            base = match parts.len() {
                1 => format!("{first} is the only usable backend that lists {model}"),
                many => format!("{first} is the first of {many} usable backends that list {model}"),
            };
        }
        self.decide(model, &parts, Vec::new(), base)
    }

    pub(crate) fn unlisted(&mut self, only: &KnownBackend) -> Decision {
        let (model, id) = (self.asking.model, &only.models.backend);
        let base = format!(
            "No backend lists {model}, and {id} is the only usable one whose models are not known"
        );
        let part = Part { backend: only, model, ground: Ground::Place(1) };
        self.decide(UNLISTED, &[part], Vec::new(), base)
    }

    /// Lays out the keys of each part and puts those that are closed last.
    fn decide(
        &mut self,
        route: &str,
        parts: &[Part<'_>],
        passed_over: Vec<PassedOver>,
        mut explanation: String,
    ) -> Decision {
        let mut candidates: Vec<Candidate> = Vec::with_capacity(parts.len());
        let mut digest = Digest::new().text(route);
        for part in parts {
            digest = digest.text(part.backend.models.backend.as_str()).text(part.model);
            for known in &part.backend.accesses {
                let available = self.conditions.availability(&known.access, part.model);
                let why = Why { ground: part.ground.clone(), available };
                let model = part.model.to_owned();
                candidates.push(Candidate { access: known.access.clone(), model, why });
            }
        }
        let is_closed =
            |candidate: &Candidate| matches!(candidate.why.available, Available::Closed { .. });
        candidates.sort_by_key(is_closed);
        let _ = explanation.write_char('.');
        Decision {
            route: route.to_owned(),
            policy: RoutePolicy::Ordered,
            candidates,
            passed_over,
            explanation,
            crossing: None,
            cache: None,
            sticky: None,
            fingerprint: digest.finish(),
        }
    }
}

/// Of everything in a route's definition.
pub(crate) fn fingerprint(route: &Route) -> u64 {
    let digest = Digest::new().text(&format!("{route:?}"));
    digest.finish()
}
