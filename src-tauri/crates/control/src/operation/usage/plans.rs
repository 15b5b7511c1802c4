//! Plans of coding tools: what is left of their windows, and what usage of them is worth.

use analytics::{PlanWindow, PlanWindowState};
use domain::{SessionTool, WallTime, count_noun};
use engine::Engine;
use jiff::tz::TimeZone;
use ledger::{SessionGroupBy, SessionQuery};
use session_logs::{PlanReading, PlanWindowReading};

use crate::ApiError;
use crate::view::{PlanValueView, PlanView, PlanWindowView, PlansView};

/// How far back the value of usage looks.
const VALUE_MS: i64 = 30 * 24 * 3_600 * 1_000;

pub(crate) async fn plans(engine: &Engine) -> Result<PlansView, ApiError> {
    let now = engine.clock().wall();
    let read = engine.log_import().plan_limits().await;
    let plans: Vec<_> = read.iter().map(|reading| plan_view(reading, now)).collect();
    Ok(PlansView { finding: describe(&plans), plans, values: values(engine, now).await? })
}

async fn values(engine: &Engine, now: WallTime) -> Result<Vec<PlanValueView>, ApiError> {
    let query = SessionQuery {
        from: now.minus_ms(VALUE_MS),
        to: WallTime::from_unix_ms(i64::MAX),
        group_by: SessionGroupBy::Tool,
        zone: TimeZone::UTC,
    };
    let sums = engine.ledger().session_usage(query).await?;
    let value = |(key, sums): &(String, ledger::SessionTotals)| {
        let tool: SessionTool = key.parse().ok()?;
        Some(PlanValueView {
            tool,
            tool_name: tool.name().to_owned(),
            answers: sums.answers.into(),
            value_nano_usd: sums.value.into(),
            is_value_unknown: domain::is_cost_unknown(sums.value, sums.answers, sums.unpriced),
            unpriced_answers: sums.unpriced.into(),
        })
    };
    Ok(sums.groups.iter().filter_map(value).collect())
}

fn plan_view(reading: &PlanReading, now: WallTime) -> PlanView {
    let plan = reading.plan.as_ref().map(|plan| format!(" ({plan})")).unwrap_or_default();
    let limit = reading.limit.as_ref().map(|limit| format!(", {limit}")).unwrap_or_default();
    PlanView {
        tool: reading.tool,
        label: format!("{}{plan}{limit}", reading.tool.name()),
        read_at: reading.read.into(),
        windows: reading.windows.iter().map(|window| window_view(window, now)).collect(),
    }
}

fn window_view(told: &PlanWindowReading, now: WallTime) -> PlanWindowView {
    let PlanWindowReading { minutes, used_percent, resets, read } = *told;
    let outlook = PlanWindow { minutes, used_percent, resets, read }.outlook(now);
    PlanWindowView {
        label: length_words(told.length()),
        state: outlook.state,
        used_percent: (outlook.state != PlanWindowState::StartedAgain).then_some(used_percent),
        elapsed_percent: outlook.elapsed_percent,
        resets_at: resets.into(),
        runs_out_at: outlook.runs_out.map(Into::into),
        read_at: read.into(),
    }
}

/// Whole days or hours if it is some.
fn length_words(minutes: i64) -> String {
    let minutes = u64::try_from(minutes).unwrap_or_default();
    let (amount, unit) = match minutes {
        days if days >= 24 * 60 && days.is_multiple_of(24 * 60) => (days / (24 * 60), "day"),
        hours if hours >= 60 && hours.is_multiple_of(60) => (hours / 60, "hour"),
        _ => (minutes, "minute"),
    };
    count_noun(amount, unit)
}

/// How much a window asks for attention: less is more.
const fn rank(state: PlanWindowState) -> u8 {
    match state {
        PlanWindowState::UsedUp => 0,
        PlanWindowState::RunsOut => 1,
        PlanWindowState::NoPace => 2,
        PlanWindowState::Lasts => 3,
        PlanWindowState::StartedAgain => 4,
    }
}

/// The most pressing window.
fn describe(plans: &[PlanView]) -> String {
    let windows =
        plans.iter().flat_map(|plan| plan.windows.iter().map(move |window| (plan, window)));
    let Some((plan, window)) = windows.min_by_key(|(_, window)| rank(window.state)) else {
        return "No tool has written down the limits of a plan in the last 8 days".to_owned();
    };
    let (plan, length) = (&plan.label, &window.label);
    match window.state {
        PlanWindowState::UsedUp => format!("{plan}: the window of {length} is used up"),
        PlanWindowState::RunsOut => {
            format!("{plan}: at this pace the window of {length} is used up early")
        }
        PlanWindowState::NoPace => {
            format!("{plan}: it is not known whether the window of {length} will last")
        }
        PlanWindowState::Lasts => {
            format!("{plan}: at this pace the window of {length} lasts until it starts again")
        }
        PlanWindowState::StartedAgain => {
            "Every window has started again since its tool last reported it".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_named_by_its_largest_whole_unit() {
        for (minutes, words) in [
            (300, "5 hours"),
            (299, "5 hours"),
            (10_080, "7 days"),
            (1_440, "1 day"),
            (60, "1 hour"),
            (90, "90 minutes"),
            (56, "56 minutes"),
        ] {
            let at = WallTime::from_unix_ms(0);
            let told = PlanWindowReading { minutes, used_percent: 0.0, resets: at, read: at };
            assert_eq!(length_words(told.length()), words);
        }
    }
}
