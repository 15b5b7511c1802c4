//! Operations on what providers billed: fetch, import, and the difference to what was computed.

use billing::{
    ALERT_DIFFERENCE_MIN, DriftReason, EXPECTED_DRIFT_PERMILLE, ExportProblem, drift_percent,
    is_beyond_expected,
};
use domain::{
    AlertDelivery, BilledSource, BillingProvider, NanoUsd, ShownCurrency, WallTime, count_noun,
};
use engine::{CostReportError, CostReportProgress, Engine, ProviderDay, StoredReport};
use ledger::StatedCosts;

use crate::ApiError;
use crate::operation::currency::shown_currency;
use crate::view::{
    BilledLineView, BillingFetch, BillingImport, BillingProblemView, BillingProgressView,
    BillingReportView, DriftDayView, DriftProviderView, DriftQuery, DriftState, DriftView,
    StatedDriftView,
};

const fn admin_key_page(provider: BillingProvider) -> &'static str {
    match provider {
        BillingProvider::OpenAi => "https://platform.openai.com/settings/organization/admin-keys",
        BillingProvider::Anthropic => "https://console.anthropic.com/settings/admin-keys",
        BillingProvider::OpenRouter => "https://openrouter.ai/settings/provisioning-keys",
    }
}

pub(crate) async fn billing_fetch(
    engine: &Engine,
    req: BillingFetch,
) -> Result<BillingReportView, ApiError> {
    let days = check_days(req.days, billing::REPORT_DAYS_MAX)?;
    let stored = engine.cost_reports().fetch(req.provider, days).await;
    let stored = stored.map_err(|error| fetch_error(req.provider, error))?;
    Ok(report_view(req.provider, BilledSource::Api, &stored, shown_currency(engine)))
}

pub(crate) fn billing_progress_view(progress: &CostReportProgress) -> BillingProgressView {
    let CostReportProgress { provider, days_read, days, is_running } = *progress;
    let count = |days: usize| u64::try_from(days).unwrap_or(u64::MAX).into();
    BillingProgressView {
        provider,
        days_read: count(days_read),
        days: count(days),
        sentence: format!("{}: day {days_read} of {days}", provider.name()),
        is_running,
    }
}

pub(crate) async fn billing_cancel(engine: &Engine) -> Result<(), ApiError> {
    engine.cost_reports().cancel();
    Ok(())
}

pub(crate) async fn billing_import(
    engine: &Engine,
    req: BillingImport,
) -> Result<BillingReportView, ApiError> {
    let reports = engine.cost_reports();
    let stored = reports.import(req.provider, &req.file_name, req.text.as_bytes()).await?;
    Ok(report_view(req.provider, BilledSource::Csv, &stored, shown_currency(engine)))
}

pub(crate) async fn billing_drift(engine: &Engine, req: DriftQuery) -> Result<DriftView, ApiError> {
    let days = check_days(req.days, engine::DRIFT_DAYS_MAX)?;
    let mut rows = engine.cost_reports().drift(days).await?;
    rows.retain(|row| req.provider.is_none_or(|provider| provider == row.provider));
    let wanted = |provider: &&BillingProvider| req.provider.is_none_or(|one| one == **provider);
    let providers: Vec<_> = BillingProvider::ALL
        .iter()
        .filter(wanted)
        .filter_map(|provider| provider_view(engine, *provider, &rows))
        .collect();
    let stated = engine.cost_reports().stated(days, req.provider).await?;
    Ok(DriftView {
        finding: finding(&providers, shown_currency(engine)),
        levels: levels_sentence(engine),
        providers,
        days: rows.iter().map(day_view).collect(),
        stated_finding: stated_finding(&stated, shown_currency(engine)),
        stated: stated.iter().map(stated_view).collect(),
    })
}

fn stated_view(costs: &StatedCosts) -> StatedDriftView {
    let StatedCosts { stated, computed, .. } = *costs;
    let difference = stated - computed;
    let if_compared = |amount: NanoUsd| (costs.compared > 0).then(|| amount.into());
    StatedDriftView {
        backend: costs.backend.clone(),
        model: costs.model.clone(),
        answers: costs.answers.into(),
        compared: costs.compared.into(),
        stated_nano_usd: if_compared(stated),
        computed_nano_usd: if_compared(computed),
        difference_nano_usd: if_compared(difference),
        difference_percent: shown_percent(stated, computed),
        is_marked: costs.compared > 0 && is_beyond_expected(stated, computed),
    }
}

/// A sentence for each backend, in the order of their first group.
fn stated_finding(groups: &[StatedCosts], currency: ShownCurrency) -> Option<String> {
    let mut backends: Vec<StatedCosts> = Vec::new();
    for group in groups {
        match backends.iter_mut().find(|sum| sum.backend == group.backend) {
            Some(sum) => {
                sum.answers += group.answers;
                sum.compared += group.compared;
                sum.stated += group.stated;
                sum.computed += group.computed;
            }
            None => backends.push(group.clone()),
        }
    }
    let sentence = |sum: &StatedCosts| {
        let answers = count_noun(sum.answers, "answer");
        if sum.compared == 0 {
            return format!(
                "{} states what {answers} cost; no price of its models is known to compare it with.",
                sum.backend
            );
        }
        let percent = shown_percent(sum.stated, sum.computed);
        let percent = percent.map(|percent| format!(" ({percent:+.1} %)")).unwrap_or_default();
        let of = match sum.compared == sum.answers {
            true => format!("the same {answers}"),
            false => format!("{} of {answers}", sum.compared),
        };
        format!(
            "{} states {} and Gatehouse computes {} for {of}{percent}.",
            sum.backend,
            currency.format(sum.stated),
            currency.format(sum.computed),
        )
    };
    let sentences: Vec<String> = backends.iter().map(sentence).collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

fn check_days(days: u32, days_max: i64) -> Result<i64, ApiError> {
    let days = i64::from(days);
    match (1..=days_max).contains(&days) {
        true => Ok(days),
        false => Err(ApiError::invalid("days", format!("choose 1 to {days_max} days"))),
    }
}

fn fetch_error(provider: BillingProvider, error: CostReportError) -> ApiError {
    let (name, page) = (provider.name(), admin_key_page(provider));
    let add = format!("`gatehouse keys add NAME --billing {}`", provider.word());
    match error {
        CostReportError::Vault(error) => error.into(),
        CostReportError::Ledger(error) => error.into(),
        CostReportError::NoKey(_) => ApiError::not_found(error.to_string()).with_hint(format!(
            "Make one at {page} and store it with {add}. Or import the file that {name}'s console exports."
        )),
        CostReportError::NotAdmin(..) => ApiError::failed(error.to_string()).with_hint(format!(
            "A key for requests cannot read costs. Make an admin key at {page}, remove this one and store the new one with {add}."
        )),
        other => ApiError::failed(other.to_string()),
    }
}

fn report_view(
    provider: BillingProvider,
    source: BilledSource,
    stored: &StoredReport,
    currency: ShownCurrency,
) -> BillingReportView {
    let amounts = || stored.days.values().flat_map(|lines| lines.values());
    let billed: NanoUsd = amounts().copied().sum();
    let days = stored.days.len() as u64;
    let mut finding = match days {
        0 => format!("No day of {} was stored.", provider.name()),
        _ => format!(
            "{} billed {} on {}.",
            provider.name(),
            currency.format(billed),
            count_noun(days, "day")
        ),
    };
    if !stored.problems.is_empty() {
        finding.push_str(&format!(" {}.", count_noun(stored.problems.len() as u64, "problem")));
    }
    BillingReportView {
        provider,
        source,
        days: days.into(),
        lines: (amounts().count() as u64).into(),
        billed_nano_usd: billed.into(),
        problems: stored.problems.iter().map(problem_view).collect(),
        finding,
    }
}

fn problem_view(problem: &ExportProblem) -> BillingProblemView {
    BillingProblemView {
        file: problem.file.clone(),
        line: problem.line.into(),
        field: problem.field.clone(),
        problem: problem.problem.clone(),
    }
}

/// `None` for a provider without traffic, report and key.
fn provider_view(
    engine: &Engine,
    provider: BillingProvider,
    rows: &[ProviderDay],
) -> Option<DriftProviderView> {
    let key = engine.cost_reports().admin_key(provider);
    let own = || rows.iter().filter(move |row| row.provider == provider);
    if key.is_none() && own().next().is_none() {
        return None;
    }
    let reported = || own().filter_map(|row| Some((row, row.report.as_ref()?)));
    let computed: NanoUsd = reported().map(|(row, _)| row.computed.cost).sum();
    let billed: NanoUsd = reported().map(|(_, report)| report.total()).sum();
    let fetched: Option<WallTime> = reported().map(|(_, report)| report.fetched).max();
    Some(DriftProviderView {
        provider,
        label: provider.name().to_owned(),
        key: key.map(|key| key.to_string()),
        fetched: fetched.map(Into::into),
        reconciled_days: (reported().count() as u64).into(),
        open_days: (own().filter(|row| row.report.is_none()).count() as u64).into(),
        computed_nano_usd: computed.into(),
        billed_nano_usd: billed.into(),
        difference_nano_usd: (billed - computed).into(),
        difference_percent: shown_percent(billed, computed),
        is_marked: is_beyond_expected(billed, computed),
    })
}

fn finding(providers: &[DriftProviderView], currency: ShownCurrency) -> String {
    let sentences: Vec<String> = providers
        .iter()
        .filter(|provider| provider.reconciled_days.0 > 0)
        .map(|provider| {
            format!(
                "{} billed {} and Gatehouse computed {} on {}.",
                provider.label,
                provider.billed_nano_usd.shown_in(currency),
                provider.computed_nano_usd.shown_in(currency),
                count_noun(provider.reconciled_days.0, "reconciled day")
            )
        })
        .collect();
    match sentences.is_empty() {
        true => "Nothing is reconciled: there is no cost report of these days.".to_owned(),
        false => sentences.join(" "),
    }
}

fn day_view(row: &ProviderDay) -> DriftDayView {
    let billed = row.report.as_ref().map(ledger::BilledDay::total);
    let lines = row.report.iter().flat_map(|report| &report.lines);
    DriftDayView {
        provider: row.provider,
        day: row.day.to_string(),
        state: match row.report {
            Some(_) => DriftState::Reconciled,
            None => DriftState::NotReconciled,
        },
        computed_nano_usd: row.computed.cost.into(),
        billed_nano_usd: billed.map(Into::into),
        difference_nano_usd: row.drift.difference.map(Into::into),
        difference_percent: billed.and_then(|billed| shown_percent(billed, row.computed.cost)),
        is_marked: billed.is_some_and(|billed| is_beyond_expected(billed, row.computed.cost)),
        requests: row.computed.requests.into(),
        unpriced_requests: row.computed.unpriced_requests.into(),
        priced_percent: super::priced_percent(
            row.computed.requests.saturating_sub(row.computed.unbilled_requests),
            row.computed.unpriced_requests,
        ),
        source: row.report.as_ref().map(|report| report.source),
        fetched: row.report.as_ref().map(|report| report.fetched.into()),
        reasons: row.drift.reasons.iter().map(|reason| reason_sentence(*reason)).collect(),
        lines: lines
            .map(|(line, amount)| BilledLineView {
                line: line.clone(),
                amount_nano_usd: (*amount).into(),
            })
            .collect(),
    }
}

fn reason_sentence(reason: DriftReason) -> String {
    match reason {
        DriftReason::Unpriced(1) => "1 request has no price".to_owned(),
        DriftReason::Unpriced(number) => {
            format!("{} have no price", count_noun(number, "request"))
        }
        DriftReason::BilledMore => {
            "billed more than Gatehouse saw; requests outside Gatehouse are not known".to_owned()
        }
        DriftReason::BilledLess => {
            "billed less than Gatehouse computed; a discount, a credit or a price that is too high"
                .to_owned()
        }
        DriftReason::NotOver => "the day is not over".to_owned(),
    }
}

/// [`drift_percent`] with one decimal.
fn shown_percent(billed: NanoUsd, computed: NanoUsd) -> Option<f64> {
    drift_percent(billed, computed).map(|percent| (percent * 10.0).round() / 10.0)
}

/// What a mark means, and from where on there is an alert instead.
fn levels_sentence(engine: &Engine) -> String {
    let alerts = &engine.settings().alerts;
    let expected = f64::from(EXPECTED_DRIFT_PERMILLE) / 10.0;
    let marked = format!("Marked are differences of more than {expected} % of the bill.");
    match alerts.bill_drift {
        AlertDelivery::Off => format!("{marked} The alert \"Bill differs\" is off."),
        AlertDelivery::Inbox | AlertDelivery::Notification => format!(
            "{marked} The alert \"Bill differs\" begins at {} % of a provider's week and {}.",
            alerts.bill_drift_percent,
            shown_currency(engine).format(ALERT_DIFFERENCE_MIN)
        ),
    }
}
