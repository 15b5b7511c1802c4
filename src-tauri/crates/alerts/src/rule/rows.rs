//! What each rule judges, in words, and which of its numbers the settings hold.
//!
//! One piece: a table, which is read as a whole.

use std::time::Duration;

use super::{AlertGroup, AlertRule};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleRow {
    pub rule: AlertRule,
    pub group: AlertGroup,
    pub title: &'static str,
    /// Completes "Fires when …". `{threshold}` and `{minimum}` stand for its numbers.
    pub(super) when: &'static str,
    /// Completes "Ends when …".
    pub(super) over: &'static str,
    pub severity: SeverityRow,
    pub threshold: Option<Threshold>,
    /// Name of the setting with the least number of requests, after the rule's; `None` for a rule
    /// that needs none.
    pub minimum: Option<&'static str>,
    /// How long the condition must be over before the alert ends.
    pub keep: Duration,
}

/// Where the severity of an alert comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeverityRow {
    /// From the settings.
    Set,
    /// From what happened, as this sentence says.
    Follows(&'static str),
}

/// The number that a measurement is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold {
    /// Name of its setting, after the rule's.
    pub setting: &'static str,
    /// Written after the number.
    pub unit: &'static str,
    pub side: ThresholdSide,
    /// Share of the threshold, in percent, that a measurement must have come back to before the
    /// condition counts as over. In between an alert stays and none begins.
    pub clear_percent: u32,
}

/// On which side of its threshold a measurement fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThresholdSide {
    AtLeast,
    AtMost,
    Below,
}

const fn row(
    (rule, group): (AlertRule, AlertGroup),
    title: &'static str,
    (when, over): (&'static str, &'static str),
    severity: SeverityRow,
    keep_secs: u64,
) -> RuleRow {
    let keep = Duration::from_secs(keep_secs);
    RuleRow { rule, group, title, when, over, severity, threshold: None, minimum: None, keep }
}

impl RuleRow {
    const fn threshold(
        mut self,
        (setting, unit): (&'static str, &'static str),
        side: ThresholdSide,
        clear_percent: u32,
    ) -> Self {
        self.threshold = Some(Threshold { setting, unit, side, clear_percent });
        self
    }

    const fn minimum(mut self, setting: &'static str) -> Self {
        self.minimum = Some(setting);
        self
    }
}

const BY_IMPACT: SeverityRow = SeverityRow::Follows(
    "Critical if something that clients ask for has no other backend, medium otherwise.",
);
const PERCENT: (&str, &str) = ("percent", " %");
const DAYS: (&str, &str) = ("days", " days");
const MEGABYTES: (&str, &str) = ("megabytes", " MB");
const REQUESTS_MIN: &str = "requests_min";

const ROWS: &[RuleRow] = &[
    row(
        (AlertRule::BackendDown, AlertGroup::Backends),
        "Backend down",
        ("a backend failed three times in a row", "it answers again"),
        BY_IMPACT,
        120,
    ),
    row(
        (AlertRule::BreakerOpen, AlertGroup::Backends),
        "Backend failing",
        (
            "the gateway sends a backend no requests, because too many of them failed",
            "it gets requests again",
        ),
        SeverityRow::Follows(
            "High if something that clients ask for has no other backend, low otherwise.",
        ),
        60,
    ),
    row(
        (AlertRule::RouteDead, AlertGroup::Backends),
        "Route without a backend",
        (
            "no backend of a route can answer, and none of them has an alert of its own",
            "one can answer",
        ),
        SeverityRow::Follows("Critical."),
        60,
    ),
    row(
        (AlertRule::BudgetMark, AlertGroup::Money),
        "Budget mark reached",
        ("a budget reached one of its marks", "its period is over or its limit is raised"),
        SeverityRow::Follows(
            "Low below 80 %, medium from 80 %, high from 100 %, critical when requests are \
             refused.",
        ),
        0,
    ),
    row(
        (AlertRule::BudgetForecast, AlertGroup::Money),
        "Budget will be used up early",
        (
            "a budget is used up before its period ends, at this pace",
            "the pace is slow enough again",
        ),
        SeverityRow::Set,
        21_600,
    ),
    row(
        (AlertRule::GatewayFault, AlertGroup::LocalApp),
        "Gateway fault",
        (
            "the gateway cannot open its port, or answers no request of its own twice in a row",
            "it answers",
        ),
        SeverityRow::Follows("Critical."),
        0,
    ),
    row(
        (AlertRule::LedgerFault, AlertGroup::LocalApp),
        "Ledger fault",
        (
            "the ledger is behind, cannot be written, lacks records or could not be backed up",
            "it works again",
        ),
        SeverityRow::Follows(
            "Critical if records are missing or requests are refused, medium otherwise.",
        ),
        600,
    ),
    row(
        (AlertRule::KeyBlocked, AlertGroup::Keys),
        "Key rejected",
        (
            "a key in use was rejected or is missing, has no credit left or no permission, or \
             reached its spend limit",
            "it is accepted, its block is lifted or it is no longer in use",
        ),
        SeverityRow::Follows(
            "Critical if something that clients ask for has no other backend, high otherwise.",
        ),
        0,
    ),
    row(
        (AlertRule::BurnFast, AlertGroup::Backends),
        "Many requests fail",
        (
            "the failures that an objective allows are used up within days, at the rate of at least \
             20 requests and 5 failures",
            "few enough fail",
        ),
        SeverityRow::Set,
        300,
    ),
    row(
        (AlertRule::BurnSlow, AlertGroup::Backends),
        "Requests fail steadily",
        (
            "the failures that an objective allows are used up before its period ends, at the rate \
             of at least 20 requests and 5 failures",
            "few enough fail",
        ),
        SeverityRow::Set,
        1_800,
    ),
    row(
        (AlertRule::ChannelFault, AlertGroup::LocalApp),
        "Alerts not sent",
        ("a webhook or a mail could not be sent", "one was sent or its channel is switched off"),
        SeverityRow::Set,
        0,
    ),
    row(
        (AlertRule::Digest, AlertGroup::LocalApp),
        "Digest",
        ("a day or a week of alerts, requests and cost is summed up", "it is in the inbox"),
        SeverityRow::Follows("Info. It is also a mail if mail is switched on."),
        0,
    ),
    row(
        (AlertRule::ErrorRate, AlertGroup::Backends),
        "Requests to a backend fail",
        (
            "{threshold} or more of at least {minimum} requests to a backend failed in half an \
             hour, and five of them or more",
            "fewer fail",
        ),
        SeverityRow::Follows("Medium from 10 %, low below."),
        300,
    )
    .threshold(PERCENT, ThresholdSide::AtLeast, 80)
    .minimum(REQUESTS_MIN),
    row(
        (AlertRule::SlowAnswers, AlertGroup::Backends),
        "Slow answers",
        (
            "the slowest answers (95th percentile of the first token) of at least {minimum} \
             requests in half an hour took {threshold} or more of the time that they took in the \
             week before, and a second longer",
            "they are faster",
        ),
        SeverityRow::Set,
        300,
    )
    .threshold(PERCENT, ThresholdSide::AtLeast, 80)
    .minimum(REQUESTS_MIN),
    row(
        (AlertRule::SpendAnomaly, AlertGroup::Money),
        "Unusual cost",
        (
            "this hour or the previous one costs at least {threshold} of the usual amount and at least \
             $1 more, and stands out from the last four weeks",
            "an hour is as usual",
        ),
        SeverityRow::Set,
        1_800,
    )
    .threshold(PERCENT, ThresholdSide::AtLeast, 100),
    row(
        (AlertRule::UnpricedModel, AlertGroup::Money),
        "Unknown cost",
        (
            "the cost of {threshold} or more requests of the last 24 hours is not known",
            "the cost of fewer is unknown",
        ),
        SeverityRow::Set,
        0,
    )
    .threshold(("requests", ""), ThresholdSide::AtLeast, 100),
    row(
        (AlertRule::BillDrift, AlertGroup::Money),
        "Bill differs",
        (
            "a provider billed {threshold} or more and at least $1 above or below what was \
             computed for the last week",
            "both agree",
        ),
        SeverityRow::Set,
        0,
    )
    .threshold(PERCENT, ThresholdSide::AtLeast, 80),
    row(
        (AlertRule::CacheHits, AlertGroup::LocalApp),
        "Few cache hits",
        (
            "less than {threshold} of at least {minimum} requests that looked into the response \
             cache in 24 hours were answered from it",
            "more are",
        ),
        SeverityRow::Set,
        3_600,
    )
    .threshold(PERCENT, ThresholdSide::Below, 120)
    .minimum(REQUESTS_MIN),
    row(
        (AlertRule::DiskSpace, AlertGroup::LocalApp),
        "Disk almost full",
        ("less than {threshold} are free on the disk with the data", "there is more space"),
        SeverityRow::Set,
        300,
    )
    .threshold(MEGABYTES, ThresholdSide::Below, 120),
    row(
        (AlertRule::VaultFault, AlertGroup::Keys),
        "Keys cannot be read",
        ("the vault is locked, hangs or cannot be read", "keys can be read"),
        SeverityRow::Set,
        0,
    ),
    row(
        (AlertRule::KeyExpiry, AlertGroup::Keys),
        "Key expires",
        (
            "a key expires within {threshold}, by the date that you gave or its service told",
            "it is replaced",
        ),
        SeverityRow::Follows("Low, medium from three days before."),
        0,
    )
    .threshold(DAYS, ThresholdSide::AtMost, 100),
    row(
        (AlertRule::KeyAge, AlertGroup::Keys),
        "Old key",
        ("a key has been in use for {threshold} or more", "it is replaced"),
        SeverityRow::Set,
        0,
    )
    .threshold(DAYS, ThresholdSide::AtLeast, 100),
    row(
        (AlertRule::KeyUnused, AlertGroup::Keys),
        "Unused key",
        ("no request used a key in 30 days", "one uses it"),
        SeverityRow::Set,
        0,
    ),
    row(
        (AlertRule::UnusualUse, AlertGroup::Keys),
        "Unusual use",
        (
            "this hour or the one before has {threshold} or more of the requests of a usual busy \
             hour, and at least 60",
            "an hour is as usual",
        ),
        SeverityRow::Set,
        1_800,
    )
    .threshold(PERCENT, ThresholdSide::AtLeast, 100),
    row(
        (AlertRule::FirstUse, AlertGroup::Keys),
        "First use",
        (
            "a client or a model is used for the first time, once a week of requests is known",
            "it was a day ago",
        ),
        SeverityRow::Set,
        0,
    ),
    row(
        (AlertRule::StoppedLoop, AlertGroup::Keys),
        "Stopped loop",
        (
            "a client sends one conversation again and again with hardly an answer, and is stopped",
            "it was half an hour ago",
        ),
        SeverityRow::Set,
        0,
    ),
    row(
        (AlertRule::PlainKey, AlertGroup::Keys),
        "Keys in plain text",
        (
            "{threshold} or more keys lie in plain text in shell profiles and files of coding tools, \
             which are read every six hours",
            "fewer do",
        ),
        SeverityRow::Set,
        0,
    )
    .threshold(("keys", ""), ThresholdSide::AtLeast, 100),
    row(
        (AlertRule::QuotaLow, AlertGroup::Money),
        "Near a provider's limit",
        (
            "less than {threshold} is left of a limit that a provider names in its answers, by every \
             key of a backend",
            "more is left or it renewed",
        ),
        SeverityRow::Set,
        600,
    )
    .threshold(PERCENT, ThresholdSide::Below, 120),
    row(
        (AlertRule::BalanceLow, AlertGroup::Money),
        "Balance runs out",
        (
            "a key's remaining balance lasts {threshold} or less at last week's rate",
            "it lasts longer",
        ),
        SeverityRow::Set,
        600,
    )
    .threshold(DAYS, ThresholdSide::AtMost, 100),
    row(
        (AlertRule::ServiceDown, AlertGroup::Services),
        "Service down",
        ("the check of a service failed three times in a row or its key was rejected", "it passes"),
        SeverityRow::Follows("High if the service is required, low otherwise."),
        120,
    ),
    row(
        (AlertRule::SlowStart, AlertGroup::LocalApp),
        "Slow start",
        ("the last three starts took {threshold} or more each", "one is faster"),
        SeverityRow::Set,
        0,
    )
    .threshold(("ms", " ms"), ThresholdSide::AtLeast, 100),
    row(
        (AlertRule::AppMemory, AlertGroup::LocalApp),
        "Much memory",
        ("Gatehouse uses {threshold} of memory or more", "it uses less"),
        SeverityRow::Set,
        300,
    )
    .threshold(MEGABYTES, ThresholdSide::AtLeast, 90),
    row(
        (AlertRule::AppProcessor, AlertGroup::LocalApp),
        "Busy processor",
        ("Gatehouse uses {threshold} of a processor core or more", "it uses less"),
        SeverityRow::Set,
        300,
    )
    .threshold(PERCENT, ThresholdSide::AtLeast, 80),
    row(
        (AlertRule::MachineMemory, AlertGroup::LocalApp),
        "Memory almost full",
        ("{threshold} or more of this machine's memory is in use", "less is in use"),
        SeverityRow::Set,
        300,
    )
    .threshold(PERCENT, ThresholdSide::AtLeast, 95),
    row(
        (AlertRule::SlowQueries, AlertGroup::LocalApp),
        "Slow ledger",
        (
            "{threshold} or more statements of the ledger took 100 ms or longer within an hour",
            "fewer do",
        ),
        SeverityRow::Set,
        600,
    )
    .threshold(("statements", ""), ThresholdSide::AtLeast, 50),
    row(
        (AlertRule::ProbeCoverage, AlertGroup::LocalApp),
        "Backends not checked",
        (
            "the state of backends was known for less than {threshold} of the last hour",
            "it is known for more of it",
        ),
        SeverityRow::Set,
        600,
    )
    .threshold(PERCENT, ThresholdSide::Below, 102),
    row(
        (AlertRule::ChecksOld, AlertGroup::LocalApp),
        "Old checks",
        (
            "all checks of the page Readiness were run {threshold} ago or longer, if they ever were",
            "they are run",
        ),
        SeverityRow::Set,
        0,
    )
    .threshold(DAYS, ThresholdSide::AtLeast, 100),
];

impl AlertRule {
    #[must_use]
    pub fn row(self) -> &'static RuleRow {
        const FIRST: RuleRow =
            row((AlertRule::BackendDown, AlertGroup::Backends), "", ("", ""), SeverityRow::Set, 0);
        ROWS.iter().find(|row| row.rule == self).unwrap_or(&FIRST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_one_row_in_the_order_of_its_words() {
        let rules: Vec<AlertRule> = ROWS.iter().map(|row| row.rule).collect();
        assert_eq!(rules, AlertRule::ALL);
        for row in ROWS {
            assert!(!row.title.is_empty() && !row.over.is_empty());
            assert_eq!(row.when.contains("{threshold}"), row.threshold.is_some(), "{}", row.rule);
            assert_eq!(row.when.contains("{minimum}"), row.minimum.is_some(), "{}", row.rule);
        }
    }
}
