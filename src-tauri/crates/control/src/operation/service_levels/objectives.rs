//! The objectives of the settings, and what they allow.

use std::collections::HashMap;
use std::time::Duration;

use domain::{BackendId, count_noun, group_digits};
use engine::{
    LevelScope, ObjectiveTarget, ServiceLevel, default_first_token_max, default_terms,
    has_own_terms,
};
use ledger::LatencyHistogram;
use service_levels::{BurnWindow, Objective, RequestCounts};
use settings::Settings;

use super::downtime::downtime_consequence;
use super::{counts_within, default_text};
use crate::view::ObjectiveView;

const REQUESTS: &str = "requests";
const OBSERVED: &str = "observed time";

pub(super) fn objective_views(
    settings: &Settings,
    levels: &[ServiceLevel],
    first_tokens: &HashMap<String, LatencyHistogram>,
) -> Vec<ObjectiveView> {
    let first = Settings::default();
    let view = |target: &ObjectiveTarget| {
        let terms = default_terms(settings, *target);
        let counts = counts_of(settings, *target, levels, first_tokens);
        ObjectiveView {
            target: *target,
            label: label(*target).to_owned(),
            goal: terms.goal,
            period: terms.period,
            period_is_fixed: *target == ObjectiveTarget::FirstToken,
            is_default: default_text(settings, *target) == default_text(&first, *target),
            consequence: match target {
                ObjectiveTarget::Service => downtime_consequence(terms.objective(), Duration::ZERO),
                _ => consequence(*target, terms.objective(), counts.into_iter().sum()),
            },
        }
    };
    ObjectiveTarget::ALL.iter().map(view).collect()
}

const fn label(target: ObjectiveTarget) -> &'static str {
    match target {
        ObjectiveTarget::Gateway => "Gateway",
        ObjectiveTarget::Route => "Routes with a fallback",
        ObjectiveTarget::Backend => "Backends, and routes with only one",
        ObjectiveTarget::FirstToken => "First tokens",
        ObjectiveTarget::Service => "Services",
    }
}

/// The requests of each gateway, route or backend that the default is for, over its period. Those with
/// an objective of their own are left out.
pub(super) fn counts_of(
    settings: &Settings,
    target: ObjectiveTarget,
    levels: &[ServiceLevel],
    first_tokens: &HashMap<String, LatencyHistogram>,
) -> Vec<RequestCounts> {
    if target == ObjectiveTarget::FirstToken {
        let max = default_first_token_max(settings);
        let is_own = |name: &str| {
            BackendId::new(name)
                .is_ok_and(|id| has_own_terms(settings, &LevelScope::Backend(id), target))
        };
        let found = first_tokens.iter().filter(|(name, _)| !is_own(name));
        return found.map(|(_, found)| counts_within(found, max)).collect();
    }
    let window = BurnWindow::of_period(default_terms(settings, target).objective().period);
    let follows = |level: &&ServiceLevel| {
        level.target == target && !has_own_terms(settings, &level.scope, target)
    };
    levels.iter().filter(follows).map(|level| level.counts(window)).collect()
}

/// Completes "99.9 % in 30 days …".
pub(super) fn consequence(
    target: ObjectiveTarget,
    objective: Objective,
    counts: RequestCounts,
) -> String {
    let share = objective.allowed_bad_share();
    let (valid, noun) = match target {
        ObjectiveTarget::FirstToken => (counts.valid(), "answer"),
        _ => (counts.valid(), "request"),
    };
    let allowed = allowed_count(valid, share);
    let of = match valid {
        0 => format!("{} of 1,000 {noun}s", allowed_count(1_000, share)),
        valid => format!("{} of {}", group_digits(allowed), count_noun(valid, noun)),
    };
    match target {
        ObjectiveTarget::FirstToken => format!("allows {of} to begin later"),
        _ => format!("allows {}, or {of}", time_text(objective.period.mul_f64(share))),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count, rounded down"
)]
fn allowed_count(valid: u64, share: f64) -> u64 {
    (valid as f64 * share + 1e-9).floor() as u64
}

/// `11 s`, `43 min`, `3.6 h`
pub(super) fn time_text(time: Duration) -> String {
    match time.as_secs_f64() / 60.0 {
        minutes if minutes < 1.0 => format!("{:.0} s", minutes * 60.0),
        minutes if minutes < 120.0 => format!("{minutes:.0} min"),
        minutes if minutes < 48.0 * 60.0 => format!("{:.1} h", minutes / 60.0),
        minutes => format!("{:.1} days", minutes / 1_440.0),
    }
}

/// `left` are the budgets of those that the objective is for; `None` where too little is known.
pub(super) fn effect(target: ObjectiveTarget, left: &[Option<f64>]) -> String {
    let left: Vec<f64> = left.iter().filter_map(|left| *left).collect();
    let missed = left.iter().filter(|left| **left <= 0.0).count();
    let (noun, data) = match target {
        ObjectiveTarget::Gateway => ("gateway", REQUESTS),
        ObjectiveTarget::Route => ("route", REQUESTS),
        ObjectiveTarget::Backend | ObjectiveTarget::FirstToken => ("backend", REQUESTS),
        ObjectiveTarget::Service => ("service", OBSERVED),
    };
    match (left.len(), missed) {
        (0, _) => format!("There {} to tell who would keep it.", too_little(target)),
        (1, 0) => format!("The {noun} with enough {data} would keep it."),
        (1, _) => format!("The {noun} with enough {data} would miss it."),
        (known, 0) => {
            format!("All {} with enough {data} would keep it.", count_noun(known as u64, noun))
        }
        (known, missed) => {
            format!("{missed} of {} would miss it.", count_noun(known as u64, noun))
        }
    }
}

/// What would become of the one that the objective is for.
pub(super) fn effect_of_one(target: ObjectiveTarget, left: Option<f64>) -> String {
    match left {
        None => format!("There {} to tell if it would be kept.", too_little(target)),
        Some(left) if left <= 0.0 => "It would be missed.".to_owned(),
        Some(left) => format!("It would be kept, with {:.0} % left.", left.min(1.0) * 100.0),
    }
}

const fn too_little(target: ObjectiveTarget) -> &'static str {
    match target {
        ObjectiveTarget::Service => "is too little observed time",
        _ => "are too few requests",
    }
}

#[cfg(test)]
mod tests {
    use domain::{ServiceGoal, ServicePeriod};

    use super::*;

    fn objective(goal: ServiceGoal, period: ServicePeriod) -> Objective {
        Objective::new(goal, period)
    }

    fn counts(good: u64, bad: u64) -> RequestCounts {
        RequestCounts { good, bad }
    }

    #[test]
    fn what_an_objective_allows_equals_what_is_computed_by_hand() {
        let month = objective(ServiceGoal::Percent99_9, ServicePeriod::Month);
        let check = |target, objective, counts, words: &str| {
            assert_eq!(consequence(target, objective, counts), words);
        };
        let route = ObjectiveTarget::Route;
        check(route, month, counts(11_990, 10), "allows 43 min, or 12 of 12,000 requests");
        check(route, month, counts(0, 0), "allows 43 min, or 1 of 1,000 requests");
        check(route, month, counts(1, 0), "allows 43 min, or 0 of 1 request");
        let week = objective(ServiceGoal::Percent95, ServicePeriod::Week);
        check(ObjectiveTarget::Backend, week, counts(100, 0), "allows 8.4 h, or 5 of 100 requests");
        let first = ObjectiveTarget::FirstToken;
        check(first, week, counts(230, 10), "allows 12 of 240 answers to begin later");
    }

    #[test]
    fn an_effect_is_told_only_of_those_with_enough_requests() {
        let week = objective(ServiceGoal::Percent99, ServicePeriod::Week);
        let told = |all: &[RequestCounts]| {
            let left: Vec<Option<f64>> = all.iter().map(|it| week.budget_left(*it)).collect();
            effect(ObjectiveTarget::Backend, &left)
        };
        let few = counts(10, 9);
        assert_eq!(told(&[few]), "There are too few requests to tell who would keep it.");
        assert_eq!(told(&[few, counts(100, 2)]), "The backend with enough requests would miss it.");
        assert_eq!(told(&[counts(100, 2), counts(1_000, 1)]), "1 of 2 backends would miss it.");
        let kept = [counts(1_000, 1), counts(1_000, 9)];
        assert_eq!(told(&kept), "All 2 backends with enough requests would keep it.");
    }
}
