//! Figures that are pinned to the Overview, with their values.

use domain::{NanoUsd, PinId, ShownCurrency, WallTime, capitalize};
use engine::Engine;
use ledger::{
    GroupBy, LatencyGroupBy, LatencyPart, LatencyParts, UsageQuery as Question, UsageTotals,
};
use settings::{PINS_MAX, PinMeasure, PinRange, PinSettings};

use crate::operation::currency::shown_currency;
use crate::operation::input;
use crate::operation::usage::period::{Period, change_percent, filter_names};
use crate::operation::usage::{bar_label, sum_period};
use crate::view::{
    PinDayView, PinRef, PinSave, PinUnit, PinView, PinsQuery, TimeZoneChoice, UsageFilter,
    UsagePeriodQuery, UsageRange,
};
use crate::{ApiError, unknown_name_error};

pub(crate) async fn pins_list(engine: &Engine, req: PinsQuery) -> Result<Vec<PinView>, ApiError> {
    let settings = engine.settings();
    let mut views = Vec::with_capacity(settings.pins.len());
    for (id, pin) in &settings.pins {
        views.push(pin_view(engine, id, pin, req.zone).await?);
    }
    Ok(views)
}

pub(crate) async fn pin_save(engine: &Engine, req: PinSave) -> Result<(), ApiError> {
    let id: PinId = input::parse_id("name", &req.name)?;
    let filter = filter_names(&req.filter).collect();
    let pin = PinSettings { measure: req.measure, range: req.range, filter };
    if let Some((what, hint)) = pin.filter_problem() {
        return Err(ApiError::invalid("measure", format!("{what}; {hint}")));
    }
    if pin.filter.values().any(|name| name.chars().count() > settings::MODEL_CHARS_MAX) {
        return Err(ApiError::invalid("filter", "this name is too long"));
    }
    let pins = &engine.settings().pins;
    if pins.len() >= PINS_MAX && !pins.contains_key(&id) {
        let message = format!("there are {PINS_MAX} pinned figures; remove one first");
        return Err(ApiError::invalid("name", message));
    }
    let save = move |draft: &mut settings::Settings| drop(draft.pins.insert(id, pin));
    engine.settings_editor().edit(save).await?;
    Ok(())
}

pub(crate) async fn pin_delete(engine: &Engine, req: PinRef) -> Result<(), ApiError> {
    let id: PinId = input::parse_id("name", &req.name)?;
    let settings = engine.settings();
    if !settings.pins.contains_key(&id) {
        let known = settings.pins.keys().map(PinId::as_str);
        return Err(unknown_name_error("pinned figure", id.as_str(), known));
    }
    engine.settings_editor().edit(move |draft| drop(draft.pins.shift_remove(&id))).await?;
    Ok(())
}

async fn pin_view(
    engine: &Engine,
    id: &PinId,
    pin: &PinSettings,
    zone: TimeZoneChoice,
) -> Result<PinView, ApiError> {
    let now = engine.clock().wall();
    let filter = filter_view(pin);
    let resolve = |range| {
        let query = UsagePeriodQuery { range, zone, from: None, to: None, filter: filter.clone() };
        Period::resolve(&query, now)
    };
    let period = resolve(usage_range(pin.range))?;
    let days = match pin.range {
        PinRange::Today => resolve(UsageRange::LastWeek)?,
        PinRange::LastWeek | PinRange::LastMonth => period.clone(),
    };
    let Measured { value, unpriced, .. } = measure(engine, pin, &period).await?;
    let by_day = measure(engine, pin, &days).await?.steps;
    let (previous, previous_label) = match period.previous() {
        Some((before, label)) => (measure(engine, pin, &before).await?.value, Some(label)),
        None => (None, None),
    };
    let unit = unit(pin.measure);
    let day = |(start, value): (WallTime, Value)| PinDayView {
        start: start.into(),
        label: bar_label(start, &days),
        value: value.map(|value| number(unit, value)),
    };
    Ok(PinView {
        name: id.to_string(),
        measure: pin.measure,
        range: pin.range,
        from: period.from.into(),
        to: period.to.into(),
        measure_label: capitalize(&pin.measure.word().replace('_', " ").replace("p95", "(p95)")),
        scope_label: scope_label(pin),
        unit,
        text: value_text(unit, value, shown_currency(engine)),
        value: value.map(|value| number(unit, value)),
        unpriced_requests: unpriced.into(),
        previous: previous.map(|value| number(unit, value)),
        previous_label,
        change: change(unit, value, previous),
        days: by_day.into_iter().map(day).collect(),
        filter,
    })
}

fn filter_view(pin: &PinSettings) -> UsageFilter {
    let name = |by: GroupBy| pin.filter.get(&by).cloned();
    UsageFilter {
        backend: name(GroupBy::Backend),
        model: name(GroupBy::Model),
        client: name(GroupBy::Client),
        credential: name(GroupBy::Credential),
        project: name(GroupBy::Project),
        route: name(GroupBy::Route),
    }
}

const fn usage_range(range: PinRange) -> UsageRange {
    match range {
        PinRange::Today => UsageRange::Today,
        PinRange::LastWeek => UsageRange::LastWeek,
        PinRange::LastMonth => UsageRange::LastMonth,
    }
}

const fn unit(measure: PinMeasure) -> PinUnit {
    match measure {
        PinMeasure::Cost | PinMeasure::CostPerRequest => PinUnit::NanoUsd,
        PinMeasure::Requests => PinUnit::Requests,
        PinMeasure::SuccessRate => PinUnit::Percent,
        PinMeasure::Tokens => PinUnit::Tokens,
        PinMeasure::FirstTokenP95 => PinUnit::Ms,
    }
}

fn scope_label(pin: &PinSettings) -> String {
    let named = pin.filter.iter().map(|(by, name)| match (by, name.as_str()) {
        (GroupBy::Credential, "") => "no key".to_owned(),
        (GroupBy::Credential, name) => format!("key {name}"),
        (by, "") => format!("no {by}"),
        (by, name) => format!("{by} {name}"),
    });
    let range = match pin.range {
        PinRange::Today => "today",
        PinRange::LastWeek => "7 days",
        PinRange::LastMonth => "30 days",
    };
    named.chain([range.to_owned()]).collect::<Vec<_>>().join(", ")
}

/// A value in units of the measure; of percentages and milliseconds in tenths.
type Value = Option<i64>;

type Steps = Vec<(WallTime, Value)>;

struct Measured {
    value: Value,
    /// Requests that are not in it, since their cost is not known; 0 of what is no cost.
    unpriced: u64,
    steps: Steps,
}

async fn measure(
    engine: &Engine,
    pin: &PinSettings,
    period: &Period,
) -> Result<Measured, ApiError> {
    if pin.measure == PinMeasure::FirstTokenP95 {
        return measure_first_token(engine, pin, period).await;
    }
    let filter: ledger::DimensionFilter = pin.filter.clone().into_iter().collect();
    let sums = sum_period(engine, period, GroupBy::Backend, &filter).await?;
    let is_of_attempts = filter.is_of_attempts();
    let value = |totals: &UsageTotals| measure_totals(pin.measure, totals, is_of_attempts);
    let steps = sums.buckets.iter().map(|bucket| {
        let mut totals = UsageTotals::default();
        bucket.groups.iter().for_each(|(_, group)| totals += *group);
        (bucket.start, value(&totals))
    });
    let unpriced = match unit(pin.measure) {
        PinUnit::NanoUsd => sums.totals.unpriced_requests,
        PinUnit::Requests | PinUnit::Percent | PinUnit::Tokens | PinUnit::Ms => 0,
    };
    Ok(Measured { value: value(&sums.totals), unpriced, steps: steps.collect() })
}

async fn measure_first_token(
    engine: &Engine,
    pin: &PinSettings,
    period: &Period,
) -> Result<Measured, ApiError> {
    let (group_by, name) = match pin.filter.first_key_value() {
        Some((GroupBy::Backend, name)) => (LatencyGroupBy::Backend, Some(name.clone())),
        Some((GroupBy::Model, name)) => (LatencyGroupBy::Model, Some(name.clone())),
        Some((GroupBy::Route, name)) => (LatencyGroupBy::Route, Some(name.clone())),
        _ => (LatencyGroupBy::All, None),
    };
    let Period { from, to, bucket, zone } = period;
    let question = Question::new(*from, *to, *bucket, zone, GroupBy::Backend)
        .map_err(|error| ApiError::failed(error.to_string()))?;
    let latencies = engine.ledger().latencies(question, group_by, name).await?;
    let p95 = |parts: &LatencyParts| {
        let latency = parts.get(&LatencyPart::FirstToken)?.percentile(95.0);
        i64::try_from((latency.as_micros() + 50) / 100).ok()
    };
    let steps = latencies.buckets.iter().map(|(start, parts)| (*start, p95(parts)));
    Ok(Measured { value: p95(&latencies.all), unpriced: 0, steps: steps.collect() })
}

/// `None` where there is nothing to divide by, or no cost is known. `is_of_attempts` if the sums are
/// those of a backend, key or model.
fn measure_totals(measure: PinMeasure, totals: &UsageTotals, is_of_attempts: bool) -> Value {
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let requests = count(totals.requests);
    let rounded = |part: i64, whole: i64| part.saturating_add(whole / 2).checked_div(whole);
    match measure {
        PinMeasure::Cost => totals.known_cost().map(NanoUsd::nanos),
        PinMeasure::Requests => Some(requests),
        PinMeasure::SuccessRate => {
            rounded((requests - count(totals.failed)).saturating_mul(1_000), requests)
        }
        PinMeasure::CostPerRequest => {
            let shared_by = totals.known_priced_requests(is_of_attempts)?;
            rounded(totals.cost.nanos(), count(shared_by))
        }
        PinMeasure::Tokens => Some(count(totals.tokens.total())),
        PinMeasure::FirstTokenP95 => None,
    }
}

fn number(unit: PinUnit, value: i64) -> f64 {
    match unit {
        PinUnit::Percent | PinUnit::Ms => value as f64 / 10.0,
        PinUnit::NanoUsd | PinUnit::Requests | PinUnit::Tokens => value as f64,
    }
}

fn value_text(unit: PinUnit, value: Value, currency: ShownCurrency) -> String {
    let Some(value) = value else { return "unknown".to_owned() };
    match unit {
        PinUnit::NanoUsd => currency.format(NanoUsd::new(value)),
        PinUnit::Requests | PinUnit::Tokens => domain::group_digits(value.unsigned_abs()),
        PinUnit::Percent => format!("{:.1} %", number(unit, value)),
        PinUnit::Ms => format!("{:.0} ms", number(unit, value)),
    }
}

/// In percent; percentages change by percentage points.
fn change(unit: PinUnit, value: Value, previous: Value) -> Option<f64> {
    let (value, previous) = (value?, previous?);
    match unit {
        PinUnit::Percent => Some(number(unit, value - previous)),
        _ => change_percent(value.into(), previous.into()).map(f64::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_unknown_where_nothing_is_known() {
        let check = |measure, totals: &UsageTotals, expected| {
            assert_eq!(measure_totals(measure, totals, true), expected, "{measure:?} {totals:?}");
        };
        let none = UsageTotals::default();
        check(PinMeasure::Cost, &none, Some(0));
        check(PinMeasure::SuccessRate, &none, None);
        check(PinMeasure::CostPerRequest, &none, None);
        // Ten were answered for a dollar, and five failed there and were answered elsewhere.
        let shared = UsageTotals {
            requests: 10,
            cost: NanoUsd::new(1_000_000_000),
            unpriced_requests: 5,
            unpriced_attempts: 5,
            ..none
        };
        check(PinMeasure::CostPerRequest, &shared, None);
        let whole = measure_totals(PinMeasure::CostPerRequest, &shared, false);
        assert_eq!(whole, Some(200_000_000), "of all requests, five are unpriced");
        // A failed attempt was made there, and the request was answered elsewhere.
        let tried = UsageTotals { unpriced_requests: 1, ..none };
        check(PinMeasure::Cost, &tried, None);
        let unpriced = UsageTotals { requests: 3, unpriced_requests: 3, failed: 1, ..none };
        check(PinMeasure::Cost, &unpriced, None);
        check(PinMeasure::SuccessRate, &unpriced, Some(667));
        check(PinMeasure::CostPerRequest, &unpriced, None);
        let paid = UsageTotals { unpriced_requests: 1, cost: NanoUsd::new(5), ..unpriced };
        check(PinMeasure::Cost, &paid, Some(5));
        check(PinMeasure::CostPerRequest, &paid, Some(3));
        let in_part = UsageTotals { cost: NanoUsd::new(5), ..unpriced };
        check(PinMeasure::Cost, &in_part, Some(5));
    }

    #[test]
    fn figures_are_written_in_their_unit() {
        let text = |unit, value| value_text(unit, value, ShownCurrency::USD);
        assert_eq!(text(PinUnit::NanoUsd, Some(4_100_000_000)), "$4.10");
        assert_eq!(text(PinUnit::Percent, Some(667)), "66.7 %");
        assert_eq!(text(PinUnit::Tokens, Some(1_234_567)), "1,234,567");
        assert_eq!(text(PinUnit::Ms, Some(4_204)), "420 ms");
        assert_eq!(text(PinUnit::Ms, None), "unknown");
    }

    #[test]
    fn percentages_change_by_points() {
        assert_eq!(change(PinUnit::Percent, Some(985), Some(990)), Some(-0.5));
        assert_eq!(change(PinUnit::NanoUsd, Some(150), Some(100)), Some(50.0));
        assert_eq!(change(PinUnit::Requests, Some(1), Some(0)), None);
        assert_eq!(change(PinUnit::Ms, None, Some(1)), None);
    }
}
