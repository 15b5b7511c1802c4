//! Service levels of services, by observed time.

use std::collections::HashMap;
use std::time::Duration;

use engine::{LevelScope, ObjectiveTarget, ServiceAvailability};
use service_levels::{Burn, Objective, ObservedTime, RequestCounts};
use settings::Settings;

use super::objectives::time_text;
use super::{budget_percent, plain_view, state_of};
use crate::operation::health::span_text;
use crate::view::{LevelIndicator, LevelTimeView, ServiceLevelState, ServiceLevelView};

pub(super) fn availability_level_view(
    settings: &Settings,
    found: &ServiceAvailability,
) -> ServiceLevelView {
    let ServiceAvailability { service, objective, uptime } = found;
    let time = uptime.time;
    let target = (&LevelScope::Service(service.clone()), ObjectiveTarget::Service);
    let plain = plain_view(settings, target, RequestCounts::default(), &HashMap::new());
    let left = objective.downtime_left(time);
    let state = state_of(left, Burn::Within);
    ServiceLevelView {
        indicator: LevelIndicator::Availability,
        state,
        time: Some(time_view(*objective, time)),
        good_percent: uptime.share().map(|share| share * 100.0),
        budget_left_percent: budget_percent(left),
        advice: match state {
            ServiceLevelState::Tight | ServiceLevelState::Missed => {
                "Its days show when it was down.".to_owned()
            }
            _ => String::new(),
        },
        ..plain
    }
}

fn time_view(objective: Objective, time: ObservedTime) -> LevelTimeView {
    let allowed = objective.allowed_downtime(time.observed());
    LevelTimeView {
        observed_secs: time.observed().as_secs().into(),
        down_secs: time.bad.as_secs().into(),
        allowed_secs: allowed.as_secs().into(),
        left_secs: allowed.saturating_sub(time.bad).as_secs().into(),
        needed_secs: objective.observed_min().as_secs().into(),
    }
}

/// Completes "99.5 % in 7 days …". `observed` is zero for all services together.
pub(super) fn downtime_consequence(objective: Objective, observed: Duration) -> String {
    let allowed = |time: Duration| time_text(objective.allowed_downtime(time));
    let all = allowed(objective.period);
    match observed {
        Duration::ZERO => format!("allows {all} of downtime"),
        observed => format!(
            "allows {all} of downtime, or {} of the {} observed",
            allowed(observed),
            span_text(observed)
        ),
    }
}

#[cfg(test)]
mod tests {
    use domain::{ServiceGoal, ServicePeriod};

    use super::*;

    #[test]
    fn allowed_downtime_is_told_of_the_period_and_of_what_was_observed() {
        let week = Objective::new(ServiceGoal::Percent99_5, ServicePeriod::Week);
        assert_eq!(downtime_consequence(week, Duration::ZERO), "allows 50 min of downtime");
        let thirty = Duration::from_secs(30 * 3_600);
        let told = downtime_consequence(week, thirty);
        assert_eq!(told, "allows 50 min of downtime, or 9 min of the 30 h observed");
        let strict = Objective::new(ServiceGoal::Percent99_99, ServicePeriod::Week);
        let told = downtime_consequence(strict, thirty);
        assert_eq!(told, "allows 1 min of downtime, or 11 s of the 30 h observed");
    }
}
