//! The verdict in one sentence: whether clients get answers now, what fails, and why. Computed from facts
//! alone. One cause is one issue: what fails because of it is part of its title.

mod effect;

use domain::{
    BackendId, CredentialId, HealthState, ProfileId, ServiceId, WallTime, capitalize, count_noun,
};
use resilience::BlockReason;
use routing::ServedModels;

use self::effect::Effect;
use crate::operation::name_list;
use crate::operation::resilience::sentence_from_clause;
use crate::view::{PanelActionView, StatusIssueView, VerdictLevel, VerdictView};
use engine::{BackendAnswers, DegradedBy, LimitedRoute, OutageCause, block_fault};

/// Id of the issue for a missing keychain while nothing in use needs one.
pub(super) const NO_KEYCHAIN_ISSUE: &str = "vault/missing";

const ISSUES_MAX: usize = 5;

pub(super) struct VerdictFacts {
    /// The user's enabled backends, in order.
    pub(super) backends: Vec<BackendFacts>,
    /// The first backend that is switched off, if there is one.
    pub(super) first_off: Option<BackendId>,
    /// The profile in use, if it leaves a backend out.
    pub(super) profile: Option<ProfileId>,
    /// The built-in mock, which always answers where a route leads to it.
    pub(super) mock: BackendId,
    pub(super) keys: Vec<KeyFacts>,
    /// The services that work stops without.
    pub(super) services: Vec<ServiceFacts>,
    pub(super) served: Vec<ServedModels>,
    /// Routes whose backends are all switched off or removed, with the reason as a clause.
    pub(super) dead_routes: Vec<(String, String)>,
    /// Routes that only rate limits of single models stop.
    pub(super) limited_routes: Vec<LimitedRoute>,
    /// True when no network leads off this machine.
    pub(super) is_offline: bool,
    /// What the gateway, the vault, the ledger, the settings and the checks report.
    pub(super) others: Vec<Issue>,
}

pub(super) struct BackendFacts {
    pub(super) id: BackendId,
    pub(super) label: String,
    /// True for a server on this machine.
    pub(super) is_local: bool,
    pub(super) answers: BackendAnswers,
}

/// A key of an enabled backend that is rejected, missing or without credit.
pub(super) struct KeyFacts {
    pub(super) id: CredentialId,
    /// Completes "the key …": "was rejected".
    pub(super) what: &'static str,
    pub(super) reason: String,
    pub(super) since: Option<WallTime>,
    /// The enabled backends that are called with it.
    pub(super) used_by: Vec<BackendId>,
}

pub(super) struct ServiceFacts {
    pub(super) id: ServiceId,
    pub(super) label: String,
    /// True for a service on this machine.
    pub(super) is_local: bool,
    /// `None` while it is not confirmed.
    pub(super) is_up: Option<bool>,
    /// A sentence.
    pub(super) reason: String,
    pub(super) since: Option<WallTime>,
}

/// An issue and what it does to requests.
pub(super) struct Issue {
    pub(super) view: StatusIssueView,
    pub(super) readiness: Readiness,
}

/// Whether clients get answers in spite of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Readiness {
    /// The issue stops no request.
    Ready,
    /// Another backend answers, or one answers badly.
    Degraded,
    /// Some requests fail.
    NotReady,
}

impl Issue {
    pub(super) const fn new(view: StatusIssueView, readiness: Readiness) -> Self {
        Self { view, readiness }
    }
}

pub(super) fn judge(facts: VerdictFacts) -> VerdictView {
    let mut issues = setup_issue(&facts);
    issues.extend(network_issue(&facts));
    issues.extend(dead_routes_issue(&facts.dead_routes));
    issues.extend(limited_route_issues(&facts));
    issues.extend(facts.keys.iter().filter_map(|key| key_issue(&facts, key)));
    issues.extend(facts.backends.iter().filter_map(|backend| backend_issue(&facts, backend)));
    issues.extend(facts.services.iter().filter_map(|service| service_issue(&facts, service)));
    let checking =
        checking_sentence(&facts.backends).or_else(|| checking_services(&facts.services));
    issues.extend(facts.others);
    issues.sort_by_key(|issue| std::cmp::Reverse((issue.view.level, issue.readiness)));
    let is_new = issues.iter().any(|issue| issue.view.level == VerdictLevel::NotSetUp);
    let level = match issues.first().map(|issue| issue.view.level) {
        Some(VerdictLevel::Attention) if is_new => Some(VerdictLevel::NotSetUp),
        worst => worst,
    };
    let (level, sentence) = match (level, checking) {
        (None, None) => (VerdictLevel::Ok, "Everything works".to_owned()),
        (None, Some(checking)) => (VerdictLevel::Unknown, checking),
        (Some(level), _) => (level, sentence(level, &issues)),
    };
    let needs = issues.into_iter().take(ISSUES_MAX).map(|issue| issue.view).collect();
    VerdictView { level, sentence, needs }
}

fn sentence(level: VerdictLevel, issues: &[Issue]) -> String {
    let readiness = issues.iter().map(|issue| issue.readiness).max();
    let is_paused = |issue: &&Issue| issue.view.action == PanelActionView::ResumeGateway;
    let stops = |issue: &&Issue| Some(issue.readiness) == readiness;
    let paused = issues.iter().find(is_paused);
    let worst = paused.or_else(|| issues.iter().find(stops));
    let title = worst.map(|issue| issue.view.title.clone()).unwrap_or_default();
    let what = match issues {
        [one] if one.view.id == NO_KEYCHAIN_ISSUE => {
            return "Everything works; keys can't be stored yet".to_owned();
        }
        [_] => title,
        several => format!("{title} (and {} more)", several.len() - 1),
    };
    match readiness {
        _ if paused.is_some() && level != VerdictLevel::NotSetUp => what,
        Some(Readiness::NotReady) if paused.is_none() => {
            format!("Not ready: {}", inside_sentence(&what))
        }
        _ if level == VerdictLevel::NotSetUp => "Not set up yet: add a backend".to_owned(),
        Some(Readiness::Degraded) => format!("Ready, degraded: {}", inside_sentence(&what)),
        _ => what,
    }
}

/// Lowers the first letter of our own words; names keep theirs.
fn inside_sentence(title: &str) -> String {
    let own = [("The ", "the "), ("This ", "this "), ("Every ", "every "), ("No ", "no ")];
    let lowered = own.iter().find_map(|(start, inside)| {
        title.strip_prefix(start).map(|rest| format!("{inside}{rest}"))
    });
    lowered.unwrap_or_else(|| title.to_owned())
}

fn setup_issue(facts: &VerdictFacts) -> Vec<Issue> {
    if !facts.backends.is_empty() {
        return Vec::new();
    }
    let issue = |level, title: &str, impact: &str, action| StatusIssueView {
        id: "setup".to_owned(),
        level,
        title: title.to_owned(),
        impact: impact.to_owned(),
        since: None,
        action,
    };
    vec![match (&facts.profile, &facts.first_off) {
        (Some(profile), _) => Issue::new(
            issue(
                VerdictLevel::Problem,
                &format!("No backend is in the profile {profile}"),
                "Requests fail until another profile is in use.",
                PanelActionView::OpenSettings,
            ),
            Readiness::NotReady,
        ),
        (None, None) => Issue::new(
            issue(
                VerdictLevel::NotSetUp,
                "No backend has been added",
                "Only the built-in mock answers, and its answers are made up.",
                PanelActionView::AddBackend,
            ),
            Readiness::Ready,
        ),
        (None, Some(off)) => Issue::new(
            issue(
                VerdictLevel::Problem,
                "Every backend is switched off",
                "Requests fail until one is switched on.",
                PanelActionView::OpenBackend { id: off.to_string() },
            ),
            Readiness::NotReady,
        ),
    }]
}

/// While this machine is offline, that is the one cause of everything remote.
fn network_issue(facts: &VerdictFacts) -> Option<Issue> {
    let has_remote = facts.backends.iter().any(|backend| !backend.is_local)
        || facts.services.iter().any(|service| !service.is_local);
    if !facts.is_offline || !has_remote {
        return None;
    }
    let fails =
        facts.served.iter().any(|served| !served.backends.iter().any(|id| facts.may_answer(id)));
    let local = facts.backends.iter().find(|backend| facts.may_answer(&backend.id));
    let title = match local {
        Some(local) => format!("This machine is offline; only {} can answer", local.label),
        None => "This machine is offline".to_owned(),
    };
    let view = StatusIssueView {
        id: "network".to_owned(),
        level: if fails { VerdictLevel::Problem } else { VerdictLevel::Attention },
        title,
        impact: "No network leads off this machine, so requests to remote backends fail."
            .to_owned(),
        since: None,
        action: PanelActionView::RunChecks,
    };
    let readiness = if fails { Readiness::NotReady } else { Readiness::Degraded };
    Some(Issue::new(view, readiness))
}

/// Combines all routes without a backend into one issue.
fn dead_routes_issue(dead: &[(String, String)]) -> Option<Issue> {
    let (title, impact, action) = match dead {
        [] => return None,
        [(id, why)] => (
            format!("The route {id} is broken"),
            format!("Its requests fail: {why}."),
            PanelActionView::OpenRoute { id: id.clone() },
        ),
        several => (
            format!("{} routes are broken", several.len()),
            format!(
                "Their requests fail: {}.",
                name_list::join_names(several.iter().map(|(id, _)| id.clone()))
            ),
            PanelActionView::OpenRouting,
        ),
    };
    let level = VerdictLevel::Problem;
    let view =
        StatusIssueView { id: "routes".to_owned(), level, title, impact, since: None, action };
    Some(Issue::new(view, Readiness::NotReady))
}

/// Routes whose backends answer, but not for the models that they are asked for.
fn limited_route_issues(facts: &VerdictFacts) -> impl Iterator<Item = Issue> {
    let limited = facts.limited_routes.iter().filter(|_| !facts.is_offline);
    limited.map(|route| {
        // Clients wait so long by themselves, so nothing has failed for it yet.
        let (level, readiness, what) = match route.is_brief {
            true => (VerdictLevel::Attention, Readiness::Ready, "waits for a moment"),
            false => (VerdictLevel::Problem, Readiness::NotReady, "fails"),
        };
        let view = StatusIssueView {
            id: format!("route/{}", route.id),
            level,
            title: format!("The route {} {what}: {}", route.id, route.why),
            impact: "Add another backend or model to the route, or wait.".to_owned(),
            since: None,
            action: PanelActionView::OpenRoute { id: route.id.to_string() },
        };
        Issue::new(view, readiness)
    })
}

/// While this machine is offline, a key of remote backends alone changes nothing.
fn key_issue(facts: &VerdictFacts, key: &KeyFacts) -> Option<Issue> {
    let is_remote = |id| facts.find(id).is_some_and(|backend| !backend.is_local);
    if facts.is_offline && key.used_by.iter().all(is_remote) {
        return None;
    }
    let lost: Vec<&BackendFacts> = facts
        .backends
        .iter()
        .filter(|backend| matches!(&backend.answers, BackendAnswers::No(outage) if outage.cause == OutageCause::Key(key.id.clone())))
        .collect();
    let effect = Effect::of(facts, &lost);
    let subject = format!("The key {} {}", key.id, key.what);
    let still_answers = |id| {
        let answers = facts.find(id).map(|it| &it.answers);
        matches!(answers, Some(BackendAnswers::Yes | BackendAnswers::Badly(_)))
    };
    let title = match lost.is_empty() && key.used_by.iter().all(still_answers) {
        true => format!("{subject}; other keys answer instead"),
        false => effect.title(&subject),
    };
    let view = StatusIssueView {
        id: format!("key/{}", key.id),
        level: effect.level(),
        title,
        impact: sentence_from_clause(&key.reason),
        since: key.since.map(Into::into),
        action: PanelActionView::OpenKey { id: key.id.to_string() },
    };
    Some(Issue::new(view, effect.readiness()))
}

fn backend_issue(facts: &VerdictFacts, backend: &BackendFacts) -> Option<Issue> {
    if facts.is_offline && !backend.is_local {
        return None;
    }
    let (title, level, impact, since, readiness) = match &backend.answers {
        BackendAnswers::Yes => return None,
        BackendAnswers::Badly(degraded) => {
            let (level, readiness) = (VerdictLevel::Attention, Readiness::Degraded);
            match degraded.by {
                // It ends by itself.
                DegradedBy::Recovering(_) => return None,
                DegradedBy::Answers(what) => {
                    (what.title(&backend.label), level, what.sentence(), degraded.since, readiness)
                }
            }
        }
        BackendAnswers::Unconfirmed(last) => {
            let last = last.as_ref().filter(|last| last.state == HealthState::Down)?;
            let title = format!("{} was down when last checked", backend.label);
            let reason = sentence_from_clause(&last.reason);
            let impact = format!("{reason} Checking again now.");
            (title, VerdictLevel::Attention, impact, Some(last.since), Readiness::Ready)
        }
        // Clients wait so long by themselves, so nothing has failed for it yet.
        BackendAnswers::No(outage) if outage.is_brief => {
            if !Effect::of(facts, &[backend]).breaks_anything() {
                return None;
            }
            let title = format!("{} is rate limited for a moment", backend.label);
            let impact = sentence_from_clause(&outage.reason);
            (title, VerdictLevel::Attention, impact, outage.since, Readiness::Ready)
        }
        BackendAnswers::No(outage) => {
            let effect = Effect::of(facts, &[backend]);
            let what = match outage.cause {
                OutageCause::Down => "is down",
                OutageCause::Failing => "is failing",
                OutageCause::Blocked(BlockReason::KeyRejected) => "rejects its key",
                OutageCause::Blocked(BlockReason::Forbidden) => "refuses its key",
                OutageCause::Blocked(money) => block_fault(money).0,
                OutageCause::Key(_) => return None,
                // A limit ends by itself and a hold was wanted: an issue only while requests fail.
                OutageCause::RateLimited | OutageCause::Held if !effect.breaks_anything() => {
                    return None;
                }
                OutageCause::RateLimited => "is rate limited",
                OutageCause::Held => "is blocked",
            };
            let level = effect.level();
            let title = effect.title(&format!("{} {what}", backend.label));
            let impact = sentence_from_clause(&outage.reason);
            (title, level, impact, outage.since, effect.readiness())
        }
    };
    let view = StatusIssueView {
        id: format!("backend/{}", backend.id),
        level,
        title,
        impact,
        since: since.map(Into::into),
        action: PanelActionView::OpenBackend { id: backend.id.to_string() },
    };
    Some(Issue::new(view, readiness))
}

/// Only the user knows what stops without it, so that nothing else is said of its effect.
fn service_issue(facts: &VerdictFacts, service: &ServiceFacts) -> Option<Issue> {
    let is_cut_off = facts.is_offline && !service.is_local;
    if service.is_up != Some(false) || is_cut_off {
        return None;
    }
    let view = StatusIssueView {
        id: format!("service/{}", service.id),
        level: VerdictLevel::Problem,
        title: format!("The required service {} is down", service.label),
        impact: sentence_from_clause(&service.reason),
        since: service.since.map(Into::into),
        action: PanelActionView::OpenHealth,
    };
    Some(Issue::new(view, Readiness::NotReady))
}

impl VerdictFacts {
    fn find(&self, id: &BackendId) -> Option<&BackendFacts> {
        self.backends.iter().find(|backend| backend.id == *id)
    }

    /// True unless it is known that the backend cannot answer now, nor in a moment.
    fn may_answer(&self, id: &BackendId) -> bool {
        self.find(id).map_or(*id == self.mock, |backend| {
            let is_cut_off = self.is_offline && !backend.is_local;
            !is_cut_off && backend.answers.can_answer()
        })
    }
}

/// What to say while some states are not confirmed; `None` if all are.
fn checking_sentence(backends: &[BackendFacts]) -> Option<String> {
    let unconfirmed = backends.iter().filter_map(|backend| match &backend.answers {
        BackendAnswers::Unconfirmed(last) => Some((backend, last.as_ref())),
        _ => None,
    });
    let unconfirmed: Vec<_> = unconfirmed.collect();
    let which = match (unconfirmed.as_slice(), backends.len()) {
        ([], _) => return None,
        ([(only, _)], _) => only.label.clone(),
        (some, all) if some.len() < all => {
            format!("{} of {}", some.len(), count_noun(all as u64, "backend"))
        }
        (_, all) => count_noun(all as u64, "backend"),
    };
    let were_up =
        unconfirmed.iter().all(|(_, last)| last.is_some_and(|last| last.state == HealthState::Up));
    let last = if were_up { " (last known: up)" } else { "" };
    Some(capitalize(&format!("checking {which}{last}")))
}

/// As [`checking_sentence`], for required services.
fn checking_services(services: &[ServiceFacts]) -> Option<String> {
    let unconfirmed: Vec<&ServiceFacts> =
        services.iter().filter(|service| service.is_up.is_none()).collect();
    match unconfirmed.as_slice() {
        [] => None,
        [only] => Some(format!("Checking {}", only.label)),
        several => Some(format!("Checking {}", count_noun(several.len() as u64, "service"))),
    }
}

#[cfg(test)]
mod tests;
