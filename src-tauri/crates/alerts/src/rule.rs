//! The table of alert rules.
//!
//! A rule is here only if what it judges is measured. Not here, because nothing records it yet:
//! slow answers against a baseline, error rates, unusual spending, headroom of rate
//! limits, differences to invoices, cache hits, start time, memory, processor and disk, the age of
//! keys and their unusual use.

use std::time::Duration;

domain::words! {
    /// A rule of alerts.
    AlertRule {
        /// A backend does not answer
        BackendDown = "backend-down",
        /// A backend answers its probes, but requests to it fail
        BreakerOpen = "breaker-open",
        /// A route has no backend that can answer
        RouteDead = "route-dead",
        /// A budget reached one of its marks
        BudgetMark = "budget-mark",
        /// A budget will be used up before its period ends
        BudgetForecast = "budget-forecast",
        /// Requests are not recorded as they should be
        LedgerFault = "ledger-fault",
        /// A key was rejected or is missing
        KeyBlocked = "key-blocked",
        /// So many requests fail that an objective is missed within days
        BurnFast = "burn-fast",
        /// So many requests fail that an objective is missed before its period ends
        BurnSlow = "burn-slow",
        /// A webhook or mail does not reach its server
        ChannelFault = "channel-fault",
        /// A sum of the day or the week
        Digest = "digest",
    }
}

domain::words! {
    /// What an alert rule watches over.
    AlertGroup {
        Backends = "backends",
        Money = "money",
        LocalApp = "local-app",
        Keys = "keys",
    }
}

domain::words! {
    /// How an alert ended.
    AlertEnding {
        /// What it was about is over
        Resolved = "resolved",
        /// Nothing is known about it any more
        Unknown = "unknown",
        /// Its rule was switched off
        SwitchedOff = "switched-off",
    }
}

/// How long an alert is kept while nothing is known about its condition.
pub const UNKNOWN_KEPT: Duration = Duration::from_secs(120);

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleRow {
    pub rule: AlertRule,
    pub group: AlertGroup,
    pub title: &'static str,
    /// When it fires and how urgent that is, in a sentence or two.
    pub condition: &'static str,
    /// How long the condition must hold before an alert fires.
    pub hold: Duration,
    /// How long the condition must be over before the alert ends.
    pub keep: Duration,
}

const fn row(
    (rule, group): (AlertRule, AlertGroup),
    title: &'static str,
    condition: &'static str,
    hold_secs: u64,
    keep_secs: u64,
) -> RuleRow {
    let (hold, keep) = (Duration::from_secs(hold_secs), Duration::from_secs(keep_secs));
    RuleRow { rule, group, title, condition, hold, keep }
}

const ROWS: &[RuleRow] = &[
    row(
        (AlertRule::BackendDown, AlertGroup::Backends),
        "Backend down",
        "A backend failed three times in a row. Critical if something that clients ask for has no \
         other backend, medium otherwise.",
        0,
        120,
    ),
    row(
        (AlertRule::BreakerOpen, AlertGroup::Backends),
        "Backend failing",
        "The gateway sends a backend no requests, because too many of them failed, for two minutes. \
         High if something that clients ask for has no other backend, low otherwise.",
        120,
        60,
    ),
    row(
        (AlertRule::RouteDead, AlertGroup::Backends),
        "Route without a backend",
        "No backend of a route can answer for ten seconds, and none of them has an alert of its own.",
        10,
        60,
    ),
    row(
        (AlertRule::BudgetMark, AlertGroup::Money),
        "Budget mark reached",
        "A budget reached one of its marks. Low below 80 %, medium from 80 %, high from 100 %, \
         critical when requests are refused.",
        0,
        0,
    ),
    row(
        (AlertRule::BudgetForecast, AlertGroup::Money),
        "Budget will be used up early",
        "At this pace a budget is used up before its period ends, for half an hour.",
        1_800,
        21_600,
    ),
    row(
        (AlertRule::LedgerFault, AlertGroup::LocalApp),
        "Ledger fault",
        "The ledger is behind, cannot be written, lacks records or could not be backed up. Critical \
         if records are missing or requests are refused, medium otherwise.",
        0,
        600,
    ),
    row(
        (AlertRule::KeyBlocked, AlertGroup::Keys),
        "Key rejected",
        "A key in use was rejected or is missing. Critical if something that clients ask for has no \
         other backend, high otherwise.",
        0,
        0,
    ),
    row(
        (AlertRule::BurnFast, AlertGroup::Backends),
        "Many requests fail",
        "At this rate the failures that an objective allows are used up within days, for two minutes. \
         High. Needs 20 requests and 5 failures.",
        120,
        300,
    ),
    row(
        (AlertRule::BurnSlow, AlertGroup::Backends),
        "Requests fail steadily",
        "At this rate the failures that an objective allows are used up before its period ends, for \
         a quarter of an hour. Medium. Needs 20 requests and 5 failures.",
        900,
        1_800,
    ),
    row(
        (AlertRule::ChannelFault, AlertGroup::LocalApp),
        "Alerts not sent",
        "A webhook or a mail could not be sent. It ends when one was sent, or when the channel is \
         switched off.",
        0,
        0,
    ),
    row(
        (AlertRule::Digest, AlertGroup::LocalApp),
        "Digest",
        "A sum of the alerts, requests and cost of a day or a week. It is an entry of the inbox, and \
         a mail if mail is switched on.",
        0,
        0,
    ),
];

impl AlertRule {
    /// The rule's row.
    #[must_use]
    pub fn row(self) -> &'static RuleRow {
        const FIRST: RuleRow = row((AlertRule::BackendDown, AlertGroup::Backends), "", "", 0, 0);
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
        for rule in AlertRule::ALL {
            assert!(!rule.row().title.is_empty() && rule.row().condition.ends_with('.'));
        }
    }
}
