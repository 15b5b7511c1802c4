//! Turns the matching rule into a decision: filters and orders its candidates and explains the
//! result.
//!
//! Candidates that cannot serve the request are left out. If none remains, the largest of those
//! that failed only on size is tried anyway: the size is our estimate compared with the vendor's
//! figure, and clients know how to read a provider's own refusal.

use std::cmp::Reverse;

use domain::{BackendId, RoutePolicy};

use crate::digest::Digest;
use crate::facts::{ModelFacts, facts};
use crate::fit::misfit;
use crate::part::{Choosing, Part, laid_out};
use crate::refusal::NoRoute;
use crate::table::{KnownBackend, KnownRoute};
use crate::{Decision, Ground, PassedOver, Reason, Route, Standing, sentence};

/// Rule name for a request that names its backend.
const PINNED: &str = "pinned";
/// Rule name for a model that no backend lists.
const UNLISTED: &str = "*";

impl<'a> Choosing<'a> {
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
                let mut part = Part::new(backend, model, 1);
                part.ground = Ground::Pinned;
                let text = format!("The request pins the backend {id}");
                Ok(self.alone(PINNED, part, text))
            }
            Standing::Disabled => Err(unusable("is switched off")),
            Standing::Unusable(reason) => Err(unusable(reason)),
        }
    }

    pub(crate) fn by_route<'t>(
        &mut self,
        known: &'t KnownRoute,
        find: impl Fn(&BackendId) -> Option<&'t KnownBackend>,
    ) -> Result<Decision, NoRoute>
    where
        'a: 't,
    {
        let route = &known.route;
        let (mut parts, mut passed_over) = self.fitting(known, find);
        if parts.is_empty() {
            let route = route.id.to_string();
            return Err(match passed_over.iter().any(|passed| passed.reason.is_about_needs()) {
                true => NoRoute::Unfit { route, passed_over },
                false => NoRoute::RouteUnusable { route, passed_over },
            });
        }
        if route.policy == RoutePolicy::Split
            && let Some(taken) = self.share(&mut parts)
        {
            let taken = parts.swap_remove(taken);
            passed_over.extend(parts.iter().map(|part| passed(part, Reason::OtherPart)));
            parts = vec![taken];
        }
        self.look(&mut parts);
        self.order(route, &mut parts);
        Ok(Decision {
            route: route.id.to_string(),
            policy: route.policy,
            candidates: laid_out(&parts),
            explanation: sentence::of_route(route, self.asking.model, &parts, &passed_over),
            passed_over,
            crossing: route.crossing,
            cache: route.cache,
            sticky: route.sticky,
            fingerprint: known.fingerprint,
        })
    }

    pub(crate) fn listed(&mut self, backends: &[&KnownBackend]) -> Decision {
        let (model, needs) = (self.asking.model, &self.asking.needs);
        let (mut parts, mut passed_over) = (Vec::with_capacity(backends.len()), Vec::new());
        for (place, backend) in backends.iter().enumerate() {
            let part = Part::new(backend, model, place + 1);
            // Facts of the model are not checked: they are the same for every backend that lists
            // it.
            match misfit(needs, &backend.models.traits, || None).filter(|_| backends.len() > 1) {
                Some(reason) => passed_over.push(passed(&part, reason)),
                None => parts.push(part),
            }
        }
        // If no backend is able, keep all of them: the first one's own refusal is the answer.
        if parts.is_empty() {
            let all = backends.iter().enumerate();
            parts = all.map(|(place, backend)| Part::new(backend, model, place + 1)).collect();
            passed_over.clear();
        }
        self.look(&mut parts);
        let text = match parts.as_slice() {
            [only] if passed_over.is_empty() => {
                format!(
                    "{} is the only usable backend that lists {model}",
                    only.backend.models.backend
                )
            }
            [first, ..] => format!(
                "{} is the first of {} usable backends that list {model}",
                first.backend.models.backend,
                parts.len() + passed_over.len()
            ),
            [] => String::new(),
        };
        let fingerprint = of_rule(model, model, backends);
        finished(model, &parts, passed_over, text, fingerprint)
    }

    pub(crate) fn unlisted(&mut self, only: &KnownBackend) -> Decision {
        let (model, id) = (self.asking.model, &only.models.backend);
        let text = format!(
            "No backend lists {model}; {id} is the only usable one whose models are unknown"
        );
        self.alone(UNLISTED, Part::new(only, model, 1), text)
    }

    /// The candidates of a route that can serve the request, and those that cannot, with the
    /// reason.
    fn fitting<'t>(
        &self,
        known: &'t KnownRoute,
        find: impl Fn(&BackendId) -> Option<&'t KnownBackend>,
    ) -> (Vec<Part<'t>>, Vec<PassedOver>)
    where
        'a: 't,
    {
        let (needs, candidates) = (&self.asking.needs, &known.route.candidates);
        let mut parts: Vec<Part<'t>> = Vec::with_capacity(candidates.len());
        let (mut small, mut passed_over) = (Vec::new(), Vec::new());
        let mut of_asked = None;
        for (place, candidate) in candidates.iter().enumerate() {
            let model = candidate.model.as_deref().unwrap_or(self.asking.model);
            let mut leave_out = |reason| {
                let (backend, model) = (candidate.backend.clone(), model.to_owned());
                passed_over.push(PassedOver { backend, model, reason });
            };
            let Some(backend) = find(&candidate.backend) else {
                leave_out(Reason::Unknown);
                continue;
            };
            let mut part = Part::new(backend, model, place + 1);
            part.weight = candidate.weight;
            let facts = || match known.facts.get(place) {
                Some(facts) if candidate.model.is_some() => *facts,
                _ => *of_asked.get_or_insert_with(|| facts(model)),
            };
            let against = self.against(&part, &parts);
            match against.or_else(|| misfit(needs, &backend.models.traits, facts)) {
                None => parts.push(part),
                Some(reason) => match reason.size() {
                    Some(size) => small.push((size, part, reason)),
                    None => leave_out(reason),
                },
            }
        }
        let largest =
            small.iter().enumerate().max_by_key(|(place, (size, ..))| (*size, Reverse(*place)));
        if let Some(place) = largest.map(|(place, _)| place).filter(|_| parts.is_empty()) {
            let (size, mut largest, _) = small.remove(place);
            largest.ground = Ground::Largest(size);
            parts.push(largest);
        }
        passed_over.extend(small.into_iter().map(|(_, part, reason)| passed(&part, reason)));
        (parts, passed_over)
    }

    /// A reason against a candidate that is independent of the model's limits: its backend's status
    /// or a candidate before it.
    fn against(&self, part: &Part<'_>, before: &[Part<'_>]) -> Option<Reason> {
        match &part.backend.models.standing {
            Standing::Usable => {}
            Standing::Disabled => return Some(Reason::Disabled),
            Standing::Unusable(reason) => return Some(Reason::Unusable(reason.clone())),
        }
        let id = &part.backend.models.backend;
        if before.iter().any(|one| one.backend.models.backend == *id && one.model == part.model) {
            return Some(Reason::Repeated);
        }
        let first = before.first().filter(|_| self.asking.needs.vectors)?;
        (maker_less(first.model) != maker_less(part.model)).then_some(Reason::OtherVectors)
    }

    /// Decides for a rule with a single backend.
    fn alone(&mut self, rule: &str, part: Part<'_>, text: String) -> Decision {
        let fingerprint = of_rule(rule, part.model, &[part.backend]);
        let mut parts = [part];
        self.look(&mut parts);
        finished(rule, &parts, Vec::new(), text, fingerprint)
    }
}

fn finished(
    rule: &str,
    parts: &[Part<'_>],
    passed_over: Vec<PassedOver>,
    text: String,
    fingerprint: u64,
) -> Decision {
    Decision {
        route: rule.to_owned(),
        policy: RoutePolicy::Ordered,
        candidates: laid_out(parts),
        explanation: sentence::finish(text, parts, &passed_over),
        passed_over,
        crossing: None,
        cache: None,
        sticky: None,
        fingerprint,
    }
}

/// Fingerprint of a rule without a route: hashes the rule's name, the model and the backends.
fn of_rule(rule: &str, model: &str, backends: &[&KnownBackend]) -> u64 {
    let digest = Digest::new().text(rule).text(model);
    let ids = backends.iter().map(|backend| backend.models.backend.as_str());
    ids.fold(digest, Digest::text).finish()
}

/// The known facts of each candidate's model. `None` for a candidate that keeps the requested name.
pub(crate) fn known_facts(route: &Route) -> Vec<Option<&'static ModelFacts>> {
    let models = route.candidates.iter().map(|candidate| candidate.model.as_deref());
    models.map(|model| model.and_then(facts)).collect()
}

/// Fingerprint of every field of the route.
pub(crate) fn fingerprint(route: &Route) -> u64 {
    let Route { id, models, clients, projects, policy, weights, sticky, .. } = route;
    let list = |digest: Digest, texts: &mut dyn ExactSizeIterator<Item = &str>| {
        let digest = digest.number(texts.len() as u64);
        texts.fold(digest, Digest::text)
    };
    let digest = Digest::new().text(id.as_str());
    let digest = list(digest, &mut models.iter().map(String::as_str));
    let digest = list(digest, &mut clients.iter().map(|client| client.as_str()));
    let digest = list(digest, &mut projects.iter().map(String::as_str));
    let digest = digest.text(policy.word());
    let digest = [weights.latency, weights.cost, weights.headroom]
        .iter()
        .fold(digest, |digest, weight| digest.number(u64::from(*weight)));
    let sticky_ms =
        sticky.map_or(u64::MAX, |sticky| u64::try_from(sticky.as_millis()).unwrap_or(u64::MAX));
    let digest = digest
        .number(sticky_ms)
        .text(route.crossing.map_or("", |crossing| crossing.word()))
        .text(route.cache.map_or("", |cache| cache.word()))
        .number(route.candidates.len() as u64);
    let digest = route.candidates.iter().fold(digest, |digest, candidate| {
        let model = candidate.model.as_deref();
        digest
            .text(candidate.backend.as_str())
            .number(u64::from(model.is_some()))
            .text(model.unwrap_or(""))
            .number(u64::from(candidate.weight))
    });
    digest.finish()
}

fn passed(part: &Part<'_>, reason: Reason) -> PassedOver {
    let (backend, model) = (part.backend.models.backend.clone(), part.model.to_owned());
    PassedOver { backend, model, reason }
}

/// The model name without the maker's prefix that other gateways add.
fn maker_less(model: &str) -> &str {
    model.rsplit('/').next().unwrap_or(model)
}
