//! Whether problems will be noticed: budgets on what is paid, prices that are up to date, alerts that
//! reach the user.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{NanoUsd, count_noun, list_names};

use crate::check::{
    CheckBody, CheckCategory, CheckId, CheckOutcome, CheckSeverity, FixAction, ReadinessCheck,
};
use crate::environment::{AlertChannelFacts, ChannelTestResult, ReadinessEnvironment};

/// Age from which a price list is too old, in days.
const PRICE_LIST_DAYS_MAX: u64 = 30;
/// Age from which a test that was seen says nothing any more, in days.
const SEEN_TEST_DAYS_MAX: u64 = 90;
const NANOS_PER_DOLLAR: u64 = 1_000_000_000;
/// Names listed in a cause.
const NAMES_MAX: usize = 3;

pub(super) fn checks(environment: &Arc<dyn ReadinessEnvironment>) -> [ReadinessCheck; 3] {
    let check = |id, title, body: Arc<dyn CheckBody>| {
        let (category, severity) = (CheckCategory::Monitoring, CheckSeverity::Major);
        ReadinessCheck::new(CheckId::new(id), title, category, severity, body)
    };
    let environment = || Arc::clone(environment);
    [
        check("R-20", "A budget covers each paid backend", Arc::new(BudgetsCheck(environment())))
            .with_dependencies([CheckId::new("R-09")]),
        check("R-21", "Prices are up to date", Arc::new(PricesCheck(environment()))),
        check("R-22", "Alerts reach you", Arc::new(AlertsCheck(environment()))),
    ]
}

struct BudgetsCheck(Arc<dyn ReadinessEnvironment>);

#[async_trait]
impl CheckBody for BudgetsCheck {
    async fn run(&self) -> CheckOutcome {
        let paid = self.0.paid_backends().await;
        if paid.is_empty() {
            return CheckOutcome::not_applicable("no backend in use is paid by a key");
        }
        let total = paid.len();
        let bare: Vec<String> =
            paid.into_iter().filter(|it| !it.is_covered).map(|it| it.label).collect();
        if bare.is_empty() {
            return CheckOutcome::pass().with_evidence(format!("{total} covered by a budget"));
        }
        let verb = if bare.len() == 1 { "has" } else { "have" };
        let cause = format!("{} {verb} no budget", list_names(bare.into_iter(), NAMES_MAX));
        CheckOutcome::warn(cause, budget_advice(self.0.month_cost().await.ok()))
            .with_action(FixAction::OpenBudgets)
    }
}

/// No amount is advised: a budget stops requests, and a month may cost more than the ones before.
fn budget_advice(month_cost: Option<NanoUsd>) -> String {
    let advice = "Decide what a month may cost: `gatehouse budgets set monthly --limit DOLLARS` stops \
                  there, and with `--action tell` it only tells.";
    let nanos = month_cost.and_then(|cost| u64::try_from(cost.nanos()).ok()).unwrap_or_default();
    match nanos.div_ceil(NANOS_PER_DOLLAR) {
        0 => advice.to_owned(),
        dollars => format!(
            "{advice} Requests with a known price cost up to {} in the last 30 days.",
            count_noun(dollars, "dollar")
        ),
    }
}

struct PricesCheck(Arc<dyn ReadinessEnvironment>);

#[async_trait]
impl CheckBody for PricesCheck {
    async fn run(&self) -> CheckOutcome {
        let facts = match self.0.prices().await {
            Ok(facts) => facts,
            Err(reason) => return CheckOutcome::not_applicable(reason),
        };
        let date = format!("the price list is of {}", facts.list_date);
        let unpriced = facts.unpriced_models.len();
        let outcome = if unpriced > 0 {
            let noun = if unpriced == 1 { "the model" } else { "the models" };
            let names = list_names(facts.unpriced_models.into_iter(), NAMES_MAX);
            CheckOutcome::warn(
                format!("requests to {noun} {names} have no price"),
                "Set their prices with `gatehouse prices set`, or import a list that has them.",
            )
        } else if facts.list_age_days > PRICE_LIST_DAYS_MAX {
            CheckOutcome::warn(
                format!("the price list is {} days old", facts.list_age_days),
                "Import a newer list with `gatehouse prices import`, or update Gatehouse.",
            )
        } else {
            return CheckOutcome::pass().with_evidence(date);
        };
        outcome.with_evidence(date).with_action(FixAction::OpenPrices)
    }
}

struct AlertsCheck(Arc<dyn ReadinessEnvironment>);

#[async_trait]
impl CheckBody for AlertsCheck {
    async fn run(&self) -> CheckOutcome {
        let channels = self.0.alert_channels().await;
        let Some(first) = channels.first() else {
            return CheckOutcome::warn(
                "no alert leaves Gatehouse, because every channel is off",
                "Switch notifications on with `gatehouse settings set notifications_enabled true`.",
            )
            .with_action(FixAction::OpenAlertChannels);
        };
        let seen_days = channels.iter().filter_map(AlertChannelFacts::seen_days).min();
        let outcome = match seen_days {
            Some(days) if days <= SEEN_TEST_DAYS_MAX => CheckOutcome::pass(),
            _ => {
                let cause = match seen_days {
                    Some(days) => format!("the last test that you saw is {days} days old"),
                    None => "nobody has confirmed that a test arrived".to_owned(),
                };
                let name = &first.name;
                let fix = format!(
                    "Send a test with `gatehouse alerts test {name}` and say whether it arrived."
                );
                CheckOutcome::warn(cause, fix).with_action(FixAction::OpenAlertChannels)
            }
        };
        channels.iter().fold(outcome, |outcome, channel| outcome.with_evidence(channel.sentence()))
    }
}

impl AlertChannelFacts {
    /// How old the last test is, if the user saw it.
    fn seen_days(&self) -> Option<u64> {
        self.last_test.as_ref().filter(|it| it.result == ChannelTestResult::Seen).map(|it| it.days)
    }

    fn sentence(&self) -> String {
        let name = &self.name;
        let Some(test) = &self.last_test else { return format!("{name}: never tested") };
        let result = match &test.result {
            ChannelTestResult::Seen => "test seen",
            ChannelTestResult::NotSeen => "test not seen",
            ChannelTestResult::Unanswered => "test sent, delivery not confirmed",
            ChannelTestResult::Failed(reason) => return format!("{name}: test failed: {reason}"),
        };
        match test.days {
            0 => format!("{name}: {result}, today"),
            1 => format!("{name}: {result}, a day ago"),
            days => format!("{name}: {result}, {days} days ago"),
        }
    }
}
