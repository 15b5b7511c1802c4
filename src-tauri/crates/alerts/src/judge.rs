//! Turns facts into the conditions that are true now.

mod keys;
mod local;
mod measured;
mod services;

use std::collections::{BTreeMap, BTreeSet};

use domain::{AlertSeverity, BackendId, BudgetMark, list_names};

pub use self::keys::ADD_CREDIT;
use self::keys::{key_blocked, refused_without_key};
use self::measured::{add_measurements, first_use, key_unused, stopped_loop};
use self::services::add_services;
use crate::condition::{Condition, Conditions, Fingerprint, condition};
use crate::facts::{
    BackendFact, BackendFault, BudgetFact, BurnFact, BurnSubject, ChannelFact, Facts,
    FailedBackend, GatewayFact, LedgerFact, RouteFact, RouteFault, VaultFact,
};
use crate::notification::{
    BUDGET_KEY_START, NAMES_MAX, cut_title, failed_backends_text, impact_sentence, join_sentences,
    joined_impact, to_sentence,
};
use crate::rule::{AlertRule, RuleTunings, tuning_of};

/// The conditions that hold by `facts` and the settings of the rules.
#[must_use]
pub fn conditions(facts: &Facts, tunings: &RuleTunings) -> Conditions {
    let configured = facts.configured.clone();
    let mut all = Conditions { configured, ..Conditions::default() };
    for backend in &facts.backends {
        let is_cut_off = facts.is_offline && !backend.is_local;
        match backend.fault {
            _ if is_cut_off => unknown_backend(&mut all, backend),
            BackendFault::Unknown => unknown_backend(&mut all, backend),
            BackendFault::None => {}
            BackendFault::Down => all.held.push(down(backend, facts)),
            BackendFault::KeyRejected | BackendFault::Unpaid => {}
            BackendFault::Trial => {
                all.near.insert(breaker_fingerprint(&backend.id));
                all.unsettled.insert(breaker_fingerprint(&backend.id));
            }
            BackendFault::Recovering => {
                all.unsettled.insert(breaker_fingerprint(&backend.id));
            }
            BackendFault::BreakerOpen => all.held.push(breaker_open(backend, facts)),
        }
    }
    add_services(&mut all, facts);
    let by_id: BTreeMap<&BackendId, &BackendFact> =
        facts.backends.iter().map(|backend| (&backend.id, backend)).collect();
    all.held.extend(facts.keys.iter().map(|key| key_blocked(key, &by_id)));
    all.held.extend(refused_without_key(facts));
    all.unknown.extend(
        facts
            .unverified_keys
            .iter()
            .map(|key| Fingerprint::new(AlertRule::KeyBlocked, key.as_str())),
    );
    let accepted = facts.accepted_keys.iter();
    all.seen.extend(
        accepted.map(|(key, at)| (Fingerprint::new(AlertRule::KeyBlocked, key.as_str()), *at)),
    );
    add_dead_routes(&mut all, facts, &by_id);
    all.held
        .extend(facts.budgets.iter().map(|budget| budget_mark(budget, &facts.budgets, tunings)));
    add_burns(&mut all, facts, tunings);
    all.held.extend(facts.gateway.as_ref().map(gateway_fault));
    all.held.extend(facts.ledger.as_ref().map(ledger_fault));
    all.held.extend(facts.vault.as_ref().map(|fault| vault_fault(fault, tunings)));
    all.held.extend(facts.unused_keys.iter().map(|key| key_unused(key, tunings)));
    all.held.extend(facts.first_uses.iter().map(|used| first_use(used, tunings)));
    all.held.extend(facts.stopped_clients.iter().map(|client| stopped_loop(client, tunings)));
    all.held.extend(facts.channels.iter().map(|fault| channel_fault(fault, tunings)));
    add_measurements(&mut all, facts, tunings);
    all
}

fn add_dead_routes(
    all: &mut Conditions,
    facts: &Facts,
    by_id: &BTreeMap<&BackendId, &BackendFact>,
) {
    let is_local = |id: &BackendId| by_id.get(id).is_none_or(|backend| backend.is_local);
    for route in &facts.dead_routes {
        let own = route_fingerprint(route);
        if facts.is_offline && !route.backends.iter().all(is_local) {
            all.unknown.insert(own);
            continue;
        }
        match route.fault {
            RouteFault::Dead => all.held.push(route_dead(route, facts)),
            RouteFault::Trial => {
                all.near.insert(own.clone());
                all.unsettled.insert(own);
            }
            RouteFault::Recovering => drop(all.unsettled.insert(own)),
        }
    }
}

fn route_fingerprint(route: &RouteFact) -> Fingerprint {
    Fingerprint::new(AlertRule::RouteDead, route.id.as_str())
}

fn breaker_fingerprint(backend: &BackendId) -> Fingerprint {
    Fingerprint::new(AlertRule::BreakerOpen, backend.as_str())
}

/// The alerts of the dead routes that lead to a backend.
fn dead_routes_of(backend: &BackendId, facts: &Facts) -> impl Iterator<Item = Fingerprint> {
    let own = facts.dead_routes.iter().filter(|route| route.backends.contains(backend));
    own.map(route_fingerprint)
}

/// While this machine is offline nobody can tell whether an outage is over.
fn add_burns(all: &mut Conditions, facts: &Facts, tunings: &RuleTunings) {
    for burn in &facts.burns {
        match facts.is_offline {
            true => drop(all.unknown.insert(burn_fingerprint(burn))),
            false => all.held.push(burning(burn, facts, tunings)),
        }
    }
}

fn burn_fingerprint(burn: &BurnFact) -> Fingerprint {
    let rule = if burn.is_fast { AlertRule::BurnFast } else { AlertRule::BurnSlow };
    Fingerprint::new(rule, &burn_scope(&burn.subject))
}

fn burn_scope(subject: &BurnSubject) -> String {
    match subject {
        BurnSubject::Gateway => "gateway".to_owned(),
        BurnSubject::Route { id, .. } => format!("route/{id}"),
        BurnSubject::Backend { id, .. } => format!("backend/{id}"),
    }
}

/// A backend that is known to be at fault has an alert of its own, a route fails by its backends and
/// the gateway by any of them: the narrowest is told.
fn burning(burn: &BurnFact, facts: &Facts, tunings: &RuleTunings) -> Condition {
    let rule = if burn.is_fast { AlertRule::BurnFast } else { AlertRule::BurnSlow };
    let severity = tuning_of(tunings, rule).severity;
    let (label, scopes, below) = match &burn.subject {
        BurnSubject::Gateway => {
            ("the gateway".to_owned(), vec!["gateway".to_owned()], all_backends(facts))
        }
        BurnSubject::Route { id, backends } => {
            (format!("the route {id}"), vec![id.to_string()], backends.clone())
        }
        BurnSubject::Backend { id, label } => {
            (label.clone(), vec![id.to_string()], vec![id.clone()])
        }
    };
    let scope = burn_scope(&burn.subject);
    let parts = below.iter().flat_map(|id| fault_causes(id, facts));
    let own = Fingerprint::new(rule, &scope);
    let narrower = facts.burns.iter().filter(|other| is_part(other, burn, &below));
    // A slow burn is what an error rate becomes that nobody stops.
    let rates = below.iter().filter(|_| !burn.is_fast);
    let rates = rates.map(|id| Fingerprint::new(AlertRule::ErrorRate, id.as_str()));
    let inhibited_by: Vec<Fingerprint> = parts
        .chain(rates)
        .chain(narrower.map(burn_fingerprint))
        .chain(
            facts
                .dead_routes
                .iter()
                .map(route_fingerprint)
                .filter(|_| !matches!(burn.subject, BurnSubject::Backend { .. })),
        )
        .filter(|cause| *cause != own)
        .collect();
    let times = burn.times_allowed.round();
    Condition {
        severity,
        scopes: scopes.into_iter().collect(),
        notification: format!("burn/{scope}"),
        title: cut_title(&format!("Requests to {label} fail")),
        detail: join_sentences(&[&format!(
            "{} of {} failed in {}, {times} times what its objective allows.",
            burn.failed, burn.requests, burn.window
        )]),
        path: "/health".to_owned(),
        over: Some((
            cut_title(&format!("Requests to {label} succeed again")),
            "Few enough fail.".to_owned(),
        )),
        inhibited_by,
        ..condition(rule, &scope)
    }
}

/// True if `other` is a part of `burn`.
fn is_part(other: &BurnFact, burn: &BurnFact, below: &[BackendId]) -> bool {
    match (&burn.subject, &other.subject) {
        (BurnSubject::Gateway, BurnSubject::Route { .. } | BurnSubject::Backend { .. }) => true,
        (BurnSubject::Route { .. }, BurnSubject::Backend { id, .. }) => below.contains(id),
        _ => false,
    }
}

fn all_backends(facts: &Facts) -> Vec<BackendId> {
    facts.backends.iter().map(|backend| backend.id.clone()).collect()
}

/// The alerts that a fault of a backend may have.
fn fault_causes(backend: &BackendId, facts: &Facts) -> Vec<Fingerprint> {
    let rules = [AlertRule::BackendDown, AlertRule::BreakerOpen, AlertRule::KeyBlocked];
    let own = rules.into_iter().map(|rule| Fingerprint::new(rule, backend.as_str()));
    let keys = facts.keys.iter().filter(|key| key.needed_by.contains(backend));
    own.chain(keys.map(|key| Fingerprint::new(AlertRule::KeyBlocked, key.id.as_str()))).collect()
}

fn unknown_backend(all: &mut Conditions, backend: &BackendFact) {
    for rule in [AlertRule::BackendDown, AlertRule::BreakerOpen] {
        all.unknown.insert(Fingerprint::new(rule, backend.id.as_str()));
    }
}

fn failed(backend: &BackendFact) -> FailedBackend {
    FailedBackend {
        backend: backend.id.clone(),
        label: backend.label.clone(),
        server: backend.server.clone(),
        reason: backend.reason.clone(),
        impact: backend.impact.clone(),
    }
}

fn work_again<'a>(labels: impl ExactSizeIterator<Item = &'a str>) -> Option<(String, String)> {
    match labels.len() {
        1 => works_again(&list_names(labels, 1)),
        several => Some((
            cut_title(&format!("{several} backends work again")),
            format!("{} answer requests.", list_names(labels, NAMES_MAX)),
        )),
    }
}

fn works_again(label: &str) -> Option<(String, String)> {
    Some((cut_title(&format!("{label} works again")), "It answers requests.".to_owned()))
}

/// The backends at the server of this one that are down, this one first.
fn down_together<'a>(backend: &'a BackendFact, facts: &'a Facts) -> Vec<&'a BackendFact> {
    let is_other = |it: &&BackendFact| {
        it.fault == BackendFault::Down && it.server == backend.server && it.id != backend.id
    };
    std::iter::once(backend).chain(facts.backends.iter().filter(is_other)).collect()
}

/// One dead server is one cause, however many backends it has: the first of them to be down is the
/// alert, and tells of all. So does the alert of a route that had lost its backends before.
fn down(backend: &BackendFact, facts: &Facts) -> Condition {
    let together = down_together(backend, facts);
    let all_failed: Vec<FailedBackend> = together.iter().map(|it| failed(it)).collect();
    let all_failed: Vec<&FailedBackend> = all_failed.iter().collect();
    let (title, detail, path) = failed_backends_text(&backend.server, &all_failed);
    let is_critical = joined_impact(&all_failed).is_critical();
    let labels = together.iter().map(|it| it.label.as_str());
    let others = together.iter().filter(|it| it.id != backend.id);
    let same_cause = others.map(|it| Fingerprint::new(AlertRule::BackendDown, it.id.as_str()));
    let same_cause = same_cause.chain(dead_routes_of(&backend.id, facts));
    Condition {
        severity: if is_critical { AlertSeverity::Critical } else { AlertSeverity::Medium },
        notification: format!("fault/{}", backend.server),
        title,
        detail,
        path,
        over: work_again(labels),
        same_cause: same_cause.collect(),
        failed: Some(failed(backend)),
        passes_quiet_hours: is_critical,
        ..condition(AlertRule::BackendDown, backend.id.as_str())
    }
}

/// A backend that fails at a server that is down, or whose routes have no other, is part of that.
fn breaker_open(backend: &BackendFact, facts: &Facts) -> Condition {
    let down = down_together(backend, facts).into_iter();
    let down = down.map(|it| Fingerprint::new(AlertRule::BackendDown, it.id.as_str()));
    let failed = failed(backend);
    let sentence = impact_sentence(&backend.impact, &[&failed]);
    let is_alone = backend.impact.is_critical();
    Condition {
        severity: if is_alone { AlertSeverity::High } else { AlertSeverity::Low },
        notification: format!("fault/{}", backend.server),
        title: cut_title(&format!("{} is failing", backend.label)),
        detail: join_sentences(&[&sentence, &to_sentence(&backend.reason)]),
        path: format!("/backends/{}", backend.id),
        over: works_again(&backend.label),
        inhibited_by: down.chain(dead_routes_of(&backend.id, facts)).collect(),
        ..condition(AlertRule::BreakerOpen, backend.id.as_str())
    }
}

/// A route whose backends have alerts of their own is part of those. A breaker's is none: it comes late
/// and is part of the route's.
fn route_dead(route: &RouteFact, facts: &Facts) -> Condition {
    let causes = route.backends.iter().flat_map(|backend| {
        let own = breaker_fingerprint(backend);
        fault_causes(backend, facts).into_iter().filter(move |cause| *cause != own)
    });
    Condition {
        severity: AlertSeverity::Critical,
        title: cut_title(&format!("The route {} has no backend", route.id)),
        detail: join_sentences(&["Its requests fail.", &to_sentence(&route.reason)]),
        path: format!("/routing/{}", route.id),
        over: Some((
            cut_title(&format!("The route {} works again", route.id)),
            "It has a backend that can answer.".to_owned(),
        )),
        inhibited_by: causes.collect(),
        passes_quiet_hours: true,
        ..condition(AlertRule::RouteDead, route.id.as_str())
    }
}

/// The scope holds the period, so that each mark is told once in each.
fn budget_mark(budget: &BudgetFact, all: &[BudgetFact], tunings: &RuleTunings) -> Condition {
    let same =
        |other: &&BudgetFact| other.id == budget.id && other.period_from == budget.period_from;
    let higher = all
        .iter()
        .filter(same)
        .filter(|it| it.mark != BudgetMark::Forecast && rank(it.mark) > rank(budget.mark));
    let rule = match budget.mark {
        BudgetMark::Forecast => AlertRule::BudgetForecast,
        BudgetMark::Spent(_) | BudgetMark::Refused => AlertRule::BudgetMark,
    };
    Condition {
        severity: match budget.mark {
            BudgetMark::Refused => AlertSeverity::Critical,
            BudgetMark::Spent(percent) if percent >= 100 => AlertSeverity::High,
            BudgetMark::Spent(percent) if percent >= 80 => AlertSeverity::Medium,
            BudgetMark::Forecast => tuning_of(tunings, rule).severity,
            BudgetMark::Spent(_) => AlertSeverity::Low,
        },
        scopes: BTreeSet::from([budget.id.to_string()]),
        notification: format!("{BUDGET_KEY_START}{}", budget.id),
        title: cut_title(&budget.title),
        detail: join_sentences(&[&budget.message]),
        path: "/budgets".to_owned(),
        inhibited_by: higher.map(budget_fingerprint).collect(),
        passes_quiet_hours: budget.mark == BudgetMark::Refused,
        ..condition(rule, &budget_scope(budget))
    }
}

fn budget_fingerprint(budget: &BudgetFact) -> Fingerprint {
    let rule = match budget.mark {
        BudgetMark::Forecast => AlertRule::BudgetForecast,
        BudgetMark::Spent(_) | BudgetMark::Refused => AlertRule::BudgetMark,
    };
    Fingerprint::new(rule, &budget_scope(budget))
}

fn budget_scope(budget: &BudgetFact) -> String {
    format!("{}/{}/{}", budget.id, budget.mark, budget.period_from.unix_ms())
}

/// A higher mark says all that a lower one does. A forecast is no news once the budget is spent.
const fn rank(mark: BudgetMark) -> u32 {
    match mark {
        BudgetMark::Forecast => 99,
        BudgetMark::Spent(percent) => percent as u32,
        BudgetMark::Refused => u32::MAX,
    }
}

fn gateway_fault(fault: &GatewayFact) -> Condition {
    Condition {
        severity: AlertSeverity::Critical,
        title: cut_title(fault.title),
        detail: join_sentences(&["Every request of a client fails.", &to_sentence(&fault.fix)]),
        path: fault.path.to_owned(),
        over: Some(("The gateway works again".to_owned(), "It answers requests.".to_owned())),
        passes_quiet_hours: true,
        ..condition(AlertRule::GatewayFault, "gateway")
    }
}

fn ledger_fault(fault: &LedgerFact) -> Condition {
    Condition {
        severity: if fault.is_problem { AlertSeverity::Critical } else { AlertSeverity::Medium },
        scopes: BTreeSet::from(["ledger".to_owned()]),
        notification: "ledger".to_owned(),
        title: cut_title(&fault.title),
        detail: join_sentences(&[&fault.fix]),
        path: "/settings?part=Ledger".to_owned(),
        over: Some((
            "The ledger works again".to_owned(),
            "Requests are recorded as usual.".to_owned(),
        )),
        tells_end_at_once: true,
        passes_quiet_hours: fault.is_problem,
        ..condition(AlertRule::LedgerFault, &fault.cause)
    }
}

fn channel_fault(fault: &ChannelFact, tunings: &RuleTunings) -> Condition {
    let label = fault.channel.label();
    Condition {
        severity: tuning_of(tunings, AlertRule::ChannelFault).severity,
        title: cut_title(&format!("{label} cannot deliver alerts")),
        detail: join_sentences(&[&to_sentence(&fault.reason), "See Alerts, Channels."]),
        path: "/alerts/channels".to_owned(),
        over: Some((
            cut_title(&format!("{label} delivers alerts again")),
            "A message was sent.".to_owned(),
        )),
        ..condition(AlertRule::ChannelFault, fault.channel.word())
    }
}

fn vault_fault(fault: &VaultFact, tunings: &RuleTunings) -> Condition {
    let impact = match fault.is_needed {
        true => "Requests that need a key fail.",
        false => "No backend needs a key now.",
    };
    Condition {
        severity: tuning_of(tunings, AlertRule::VaultFault).severity,
        title: "Keys cannot be read".to_owned(),
        detail: join_sentences(&[impact, &fault.hint]),
        path: "/settings?part=Vault".to_owned(),
        over: Some(("Keys can be read again".to_owned(), "The vault answers.".to_owned())),
        ..condition(AlertRule::VaultFault, "vault")
    }
}
