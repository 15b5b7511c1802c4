//! Turns the matching rule into a decision: filters and orders its candidates and explains the
//! result.
//!
//! Candidates that cannot serve the request are left out. If none remains, the largest of those
//! that failed only on size is tried anyway: the size is our estimate compared with the vendor's
//! figure, and clients know how to read a provider's own refusal.

use std::cmp::Reverse;

use domain::{BackendId, RoutePolicy};

use crate::candidates::{BackendCandidate, SelectionContext, expand_keys};
use crate::capability::find_exclusion;
use crate::decision::Decision;
use crate::error::RoutingError;
use crate::exclusion::{ExcludedCandidate, ExclusionReason};
use crate::explanation;
use crate::known::{KnownBackend, KnownRoute};
use crate::model_facts::find_model_facts;
use crate::ranking::RankingFactor;
use crate::route::BackendStatus;
use crate::stable_hash::StableHasher;

/// Rule name for a request that names its backend.
const PINNED_RULE: &str = "pinned";
/// Rule name for a client that is switched to a backend.
const SWITCHED_RULE: &str = "switched";
/// Rule name for a model that no backend lists.
const UNLISTED_RULE: &str = "*";

impl<'a> SelectionContext<'a> {
    pub(crate) fn choose_pinned(
        &mut self,
        backend: &KnownBackend,
        model: &str,
    ) -> Result<Decision, RoutingError> {
        let text = format!("The request pins the backend {}", backend.models.backend);
        self.choose_named(PINNED_RULE, backend, model, text)
    }

    pub(crate) fn choose_switched_backend(
        &mut self,
        backend: &KnownBackend,
        model: &str,
    ) -> Result<Decision, RoutingError> {
        let (client, id) = (self.request.client, &backend.models.backend);
        let mut text = format!("The client {client} is switched to the backend {id}");
        if model != self.request.model {
            text.push_str(&format!(", which is asked for {model}"));
        }
        self.choose_named(SWITCHED_RULE, backend, model, text)
    }

    fn choose_named(
        &mut self,
        rule: &str,
        backend: &KnownBackend,
        model: &str,
        text: String,
    ) -> Result<Decision, RoutingError> {
        match &backend.models.status {
            BackendStatus::Usable if model.is_empty() => Err(RoutingError::MissingModel),
            BackendStatus::Usable => {
                let mut part = BackendCandidate::new(backend, model, 1);
                part.factor = RankingFactor::Pinned;
                Ok(self.decide_single(rule, part, text))
            }
            BackendStatus::Disabled(reason) | BackendStatus::Unusable(reason) => {
                let (backend, reason) = (backend.models.backend.clone(), reason.clone());
                Err(RoutingError::BackendUnusable { backend, reason })
            }
        }
    }

    pub(crate) fn choose_by_route<'t>(
        &mut self,
        known: &'t KnownRoute,
        find: impl Fn(&BackendId) -> Option<&'t KnownBackend>,
    ) -> Result<Decision, RoutingError>
    where
        'a: 't,
    {
        let route = &known.route;
        let (mut parts, mut excluded) = self.filter_candidates(known, find);
        if parts.is_empty() {
            let route = route.id.to_string();
            return Err(match excluded.iter().any(|passed| passed.reason.is_about_needs()) {
                true => RoutingError::NoCapableCandidate { route, excluded },
                false => RoutingError::RouteUnusable { route, excluded },
            });
        }
        if route.policy == RoutePolicy::Split
            && let Some(taken) = self.choose_split_candidate(&mut parts)
        {
            let taken = parts.swap_remove(taken);
            excluded.extend(
                parts.iter().map(|part| exclude_candidate(part, ExclusionReason::OtherSplit)),
            );
            parts = vec![taken];
        }
        self.assign_tiers(&mut parts);
        self.order(route, &mut parts);
        Ok(Decision {
            route: route.id.to_string(),
            policy: route.policy,
            candidates: expand_keys(&parts),
            explanation: explanation::explain_route(route, self.request.model, &parts, &excluded),
            excluded,
            crossing: route.crossing,
            cache: route.cache,
            sticky: route.sticky,
            fingerprint: known.fingerprint,
        })
    }

    pub(crate) fn choose_listed(&mut self, backends: &[&KnownBackend]) -> Decision {
        let (model, needs) = (self.request.model, &self.request.needs);
        let (mut parts, mut excluded) = (Vec::with_capacity(backends.len()), Vec::new());
        for (place, backend) in backends.iter().enumerate() {
            let part = BackendCandidate::new(backend, model, place + 1);
            // Facts of the model are not checked: they are the same for every backend that lists
            // it.
            match find_exclusion(needs, &backend.models.capabilities, || None)
                .filter(|_| backends.len() > 1)
            {
                Some(reason) => excluded.push(exclude_candidate(&part, reason)),
                None => parts.push(part),
            }
        }
        // If no backend is able, keep all of them: the first one's own refusal is the answer.
        if parts.is_empty() {
            let all = backends.iter().enumerate();
            parts = all
                .map(|(place, backend)| BackendCandidate::new(backend, model, place + 1))
                .collect();
            excluded.clear();
        }
        self.assign_tiers(&mut parts);
        let text = match parts.as_slice() {
            [only] if excluded.is_empty() => {
                format!(
                    "{} is the only usable backend that lists {model}",
                    only.backend.models.backend
                )
            }
            [first, ..] => format!(
                "{} is the first of {} usable backends that list {model}",
                first.backend.models.backend,
                parts.len() + excluded.len()
            ),
            [] => String::new(),
        };
        let fingerprint = rule_fingerprint(model, model, backends);
        build_decision(model, &parts, excluded, text, fingerprint)
    }

    pub(crate) fn choose_unlisted(&mut self, only: &KnownBackend) -> Decision {
        let (model, id) = (self.request.model, &only.models.backend);
        let text = format!(
            "No backend lists {model}; {id} is the only usable one whose models are unknown"
        );
        self.decide_single(UNLISTED_RULE, BackendCandidate::new(only, model, 1), text)
    }

    /// The candidates of a route that can serve the request, and those that cannot, with the
    /// reason.
    fn filter_candidates<'t>(
        &self,
        known: &'t KnownRoute,
        find: impl Fn(&BackendId) -> Option<&'t KnownBackend>,
    ) -> (Vec<BackendCandidate<'t>>, Vec<ExcludedCandidate>)
    where
        'a: 't,
    {
        let (needs, candidates) = (&self.request.needs, &known.route.candidates);
        let mut parts: Vec<BackendCandidate<'t>> = Vec::with_capacity(candidates.len());
        let (mut small, mut excluded) = (Vec::new(), Vec::new());
        let mut of_asked = None;
        for (place, candidate) in candidates.iter().enumerate() {
            let model = candidate.model.as_deref().unwrap_or(self.request.model);
            let mut leave_out = |reason| {
                let (backend, model) = (candidate.backend.clone(), model.to_owned());
                excluded.push(ExcludedCandidate { backend, model, reason });
            };
            let Some(backend) = find(&candidate.backend) else {
                leave_out(ExclusionReason::Unknown);
                continue;
            };
            let mut part = BackendCandidate::new(backend, model, place + 1);
            part.weight = candidate.weight;
            let facts = || match known.facts.get(place) {
                Some(facts) if candidate.model.is_some() => *facts,
                _ => *of_asked.get_or_insert_with(|| find_model_facts(model)),
            };
            let against = self.exclusion_reason(&part, &parts);
            match against.or_else(|| find_exclusion(needs, &backend.models.capabilities, facts)) {
                None => parts.push(part),
                Some(reason) => match reason.size_limit() {
                    Some(size) => small.push((size, part, reason)),
                    None => leave_out(reason),
                },
            }
        }
        let largest =
            small.iter().enumerate().max_by_key(|(place, (size, ..))| (*size, Reverse(*place)));
        if let Some(place) = largest.map(|(place, _)| place).filter(|_| parts.is_empty()) {
            let (size, mut largest, _) = small.remove(place);
            largest.factor = RankingFactor::Largest(size);
            parts.push(largest);
        }
        excluded
            .extend(small.into_iter().map(|(_, part, reason)| exclude_candidate(&part, reason)));
        (parts, excluded)
    }

    /// A reason against a candidate that is independent of the model's limits: its backend's status
    /// or a candidate before it.
    fn exclusion_reason(
        &self,
        part: &BackendCandidate<'_>,
        before: &[BackendCandidate<'_>],
    ) -> Option<ExclusionReason> {
        match &part.backend.models.status {
            BackendStatus::Usable => {}
            BackendStatus::Disabled(reason) => {
                return Some(ExclusionReason::Disabled(reason.clone()));
            }
            BackendStatus::Unusable(reason) => {
                return Some(ExclusionReason::Unusable(reason.clone()));
            }
        }
        let id = &part.backend.models.backend;
        if before.iter().any(|one| one.backend.models.backend == *id && one.model == part.model) {
            return Some(ExclusionReason::Repeated);
        }
        let first = before.first().filter(|_| self.request.needs.embeddings)?;
        (strip_maker(first.model) != strip_maker(part.model))
            .then_some(ExclusionReason::OtherEmbeddings)
    }

    fn decide_single(&mut self, rule: &str, part: BackendCandidate<'_>, text: String) -> Decision {
        let fingerprint = rule_fingerprint(rule, part.model, &[part.backend]);
        let mut parts = [part];
        self.assign_tiers(&mut parts);
        build_decision(rule, &parts, Vec::new(), text, fingerprint)
    }
}

fn build_decision(
    rule: &str,
    parts: &[BackendCandidate<'_>],
    excluded: Vec<ExcludedCandidate>,
    text: String,
    fingerprint: u64,
) -> Decision {
    Decision {
        route: rule.to_owned(),
        policy: RoutePolicy::Ordered,
        candidates: expand_keys(parts),
        explanation: explanation::finish_explanation(text, parts, &excluded),
        excluded,
        crossing: None,
        cache: None,
        sticky: None,
        fingerprint,
    }
}

/// Fingerprint of a rule without a route: hashes the rule's name, the model and the backends.
fn rule_fingerprint(rule: &str, model: &str, backends: &[&KnownBackend]) -> u64 {
    let digest = StableHasher::new().write_text(rule).write_text(model);
    let ids = backends.iter().map(|backend| backend.models.backend.as_str());
    ids.fold(digest, StableHasher::write_text).finish()
}

fn exclude_candidate(part: &BackendCandidate<'_>, reason: ExclusionReason) -> ExcludedCandidate {
    let (backend, model) = (part.backend.models.backend.clone(), part.model.to_owned());
    ExcludedCandidate { backend, model, reason }
}

/// The model name without the maker's prefix that other gateways add.
fn strip_maker(model: &str) -> &str {
    model.rsplit('/').next().unwrap_or(model)
}
