//! The conditions of rules that compare a number with a threshold, and what is said of each.

use domain::{
    AlertSeverity, BackendId, BalanceKind, ClientId, CredentialId, count_noun, format_seconds,
    group_digits, list_names,
};

use super::fault_causes;
use crate::condition::{Condition, Conditions, Fingerprint, condition};
use crate::facts::{Facts, FirstUse};
use crate::measurement::Measurement;
use crate::notification::{cut_title, join_sentences};
use crate::rule::{AlertRule, Position, RuleTuning, RuleTunings, SeverityRow, tuning_of};

/// Most names in a sentence.
const NAMES_MAX: usize = 3;
/// Share of failed requests from which it is something to do.
const ERROR_PERCENT_MEDIUM: f64 = 10.0;
/// Days before the end of a key from which it is something to do.
const EXPIRY_DAYS_MEDIUM: i64 = 3;

impl Measurement {
    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::new(self.rule(), self.scope())
    }

    fn severity(&self, tuning: &RuleTuning) -> AlertSeverity {
        let is_medium = match self {
            Self::Errors { .. } => self.value().is_some_and(|value| value >= ERROR_PERCENT_MEDIUM),
            Self::KeyExpiry { days, .. } => *days <= EXPIRY_DAYS_MEDIUM,
            _ => false,
        };
        match (self.rule().row().severity, is_medium) {
            (SeverityRow::Set, _) => tuning.severity,
            (SeverityRow::Follows(_), true) => AlertSeverity::Medium,
            (SeverityRow::Follows(_), false) => AlertSeverity::Low,
        }
    }

    /// The condition that it is beyond its threshold. What has an alert of its own says it all.
    fn condition(&self, tuning: &RuleTuning, facts: &Facts) -> Condition {
        let base = condition(self.rule(), self.scope());
        let told = match self {
            Self::Errors { .. } | Self::Latency { .. } => self.about_backend(base, facts),
            Self::Quota { .. } => self.about_quota(base, facts),
            Self::Balance { .. } => self.about_balance(base),
            Self::KeyExpiry { .. } | Self::KeyAge { .. } | Self::PlainKeys { .. } => {
                self.about_key(base)
            }
            Self::Spend(_) | Self::Requests(_) => self.about_usage(base),
            Self::Unpriced { .. } | Self::Bill { .. } => self.about_money(base),
            Self::Cache { .. } | Self::Disk { .. } => self.about_machine(base, facts),
            Self::Start { .. }
            | Self::AppMemory { .. }
            | Self::AppProcessor { .. }
            | Self::MachineMemory { .. }
            | Self::SlowQueries { .. }
            | Self::ProbeCoverage { .. } => self.about_local(base, facts),
            Self::ChecksAge { days } => Condition {
                title: "The checks have not been run for a long time".to_owned(),
                detail: join_sentences(&[
                    &format!(
                        "The last full run was {} ago.",
                        count_noun(days.unsigned_abs(), "day")
                    ),
                    "Run all checks on the page Readiness.",
                ]),
                path: "/readiness".to_owned(),
                ..base
            },
        };
        Condition { severity: self.severity(tuning), ..told }
    }

    fn about_backend(&self, base: Condition, facts: &Facts) -> Condition {
        let (backend, label) = match self {
            Self::Errors { backend, label, .. } | Self::Latency { backend, label, .. } => {
                (backend, label)
            }
            _ => return base,
        };
        let mut causes = fault_causes(backend, facts);
        let burn = format!("backend/{backend}");
        causes.push(Fingerprint::new(AlertRule::BurnFast, &burn));
        let (title, detail, over) = match self {
            Self::Errors { failed, requests, .. } => (
                format!("{label} fails often"),
                format!(
                    "{} of {} failed in half an hour.",
                    group_digits(*failed),
                    count_noun(*requests, "request")
                ),
                format!("{label} fails less"),
            ),
            Self::Latency { recent, usual, .. } => {
                causes.push(Fingerprint::new(AlertRule::ErrorRate, backend.as_str()));
                (
                    format!("{label} answers slowly"),
                    format!(
                        "The slowest first tokens take {}, usually {}.",
                        format_seconds(*recent),
                        format_seconds(*usual)
                    ),
                    format!("{label} is as fast as before"),
                )
            }
            _ => Default::default(),
        };
        Condition {
            notification: format!("burn/{burn}"),
            title: cut_title(&title),
            detail: join_sentences(&[&detail, "Put another backend first, or look at why."]),
            path: format!("/backends/{backend}"),
            over: Some((cut_title(&over), "It was so for five minutes.".to_owned())),
            inhibited_by: causes,
            ..base
        }
    }

    fn about_quota(&self, base: Condition, facts: &Facts) -> Condition {
        let Self::Quota { backend, label, limit, remaining, total } = self else { return base };
        Condition {
            title: cut_title(&format!("{label} is near its limit")),
            detail: join_sentences(&[
                &format!(
                    "{} of {} {limit} are left until it renews.",
                    group_digits(*remaining),
                    group_digits(*total)
                ),
                "Put another backend first, or send less at once.",
            ]),
            path: format!("/backends/{backend}"),
            over: Some((
                cut_title(&format!("{label} has room again")),
                "Its limit renewed.".to_owned(),
            )),
            inhibited_by: fault_causes(backend, facts),
            ..base
        }
    }

    fn about_balance(&self, base: Condition) -> Condition {
        let Self::Balance { key, kind, left, days } = self else { return base };
        let (what, more) = match kind {
            BalanceKind::Account => ("balance", "Top it up, or put another backend first."),
            BalanceKind::KeyLimit => ("limit", "Raise it, or put another backend first."),
        };
        let when = match days {
            None => "is used up".to_owned(),
            Some(0) => "is used up within a day".to_owned(),
            Some(days) => format!("is used up in {}", count_noun(*days, "day")),
        };
        let pace = if days.is_some() { "It is counted at the pace of the last week." } else { "" };
        Condition {
            title: cut_title(&format!("The {what} of {key} {when}")),
            detail: join_sentences(&[&format!("{left} is left."), pace, more]),
            path: format!("/keys/{key}"),
            inhibited_by: vec![Fingerprint::new(AlertRule::KeyBlocked, key.as_str())],
            ..base
        }
    }

    fn about_usage(&self, base: Condition) -> Condition {
        let over = |title: String, body: &str| Some((cut_title(&title), body.to_owned()));
        match self {
            Self::Spend(Some(spike)) => Condition {
                notification: "usage/spike".to_owned(),
                title: "Far higher cost than usual".to_owned(),
                detail: join_sentences(&[
                    &format!("{}, usually {}.", spike.actual, spike.usual),
                    &most(spike.client.as_ref()),
                    "See Costs, or pause the key.",
                ]),
                path: "/costs".to_owned(),
                over: over("Cost is as usual again".to_owned(), "The last hour was."),
                ..base
            },
            Self::Requests(Some(spike)) => Condition {
                notification: "usage/spike".to_owned(),
                title: "Far more requests than usual".to_owned(),
                detail: join_sentences(&[
                    &format!(
                        "{}, usually {} an hour.",
                        count_noun(spike.actual, "request"),
                        group_digits(spike.usual)
                    ),
                    &most(spike.client.as_ref()),
                    "A loop? Pause the client if so.",
                ]),
                path: "/requests".to_owned(),
                over: over("Requests are as many as usual".to_owned(), "The last hour's were."),
                // Many requests are why the hour is dear.
                inhibited_by: vec![Fingerprint::new(AlertRule::SpendAnomaly, "cost")],
                ..base
            },
            _ => base,
        }
    }

    fn about_money(&self, base: Condition) -> Condition {
        match self {
            Self::Unpriced { requests, models } => Condition {
                title: "Requests of unknown cost".to_owned(),
                detail: join_sentences(&[
                    &format!("{} in 24 hours.", count_noun(*requests, "request")),
                    "Budgets do not count them.",
                    &format!("Set a price of {}.", list_names(models.iter(), NAMES_MAX)),
                ]),
                path: "/costs".to_owned(),
                ..base
            },
            Self::Bill { provider, difference_percent, billed, computed } => Condition {
                title: cut_title(&format!(
                    "The bill of {provider} is {:.1} % {}",
                    difference_percent.abs(),
                    if *difference_percent < 0.0 { "lower" } else { "higher" }
                )),
                detail: join_sentences(&[
                    &format!("It billed {billed}, computed were {computed}."),
                    "Compare prices and keys used elsewhere.",
                ]),
                path: "/costs".to_owned(),
                ..base
            },
            _ => base,
        }
    }

    fn about_machine(&self, base: Condition, facts: &Facts) -> Condition {
        let over = |title: String, body: &str| Some((cut_title(&title), body.to_owned()));
        match self {
            Self::Cache { answered, eligible } => Condition {
                title: "Few answers come from the cache".to_owned(),
                detail: join_sentences(&[
                    &format!(
                        "{} of {} in 24 hours.",
                        group_digits(*answered),
                        count_noun(*eligible, "request")
                    ),
                    "See why on the page Cache, or switch it off for what never repeats.",
                ]),
                path: "/cache".to_owned(),
                ..base
            },
            Self::Disk { free_megabytes } => Condition {
                title: "The disk is almost full".to_owned(),
                detail: join_sentences(&[
                    &format!("{} MB are free.", group_digits(*free_megabytes)),
                    "Requests are refused when none is.",
                    "Make space, or keep requests for fewer days.",
                ]),
                path: "/settings?part=Ledger".to_owned(),
                over: over("The disk has space again".to_owned(), "There is enough."),
                inhibited_by: facts
                    .ledger
                    .iter()
                    .filter(|fault| fault.is_problem)
                    .map(|fault| Fingerprint::new(AlertRule::LedgerFault, &fault.cause))
                    .collect(),
                ..base
            },
            _ => base,
        }
    }

    fn about_key(&self, base: Condition) -> Condition {
        let blocked =
            |key: &CredentialId| vec![Fingerprint::new(AlertRule::KeyBlocked, key.as_str())];
        match self {
            Self::KeyExpiry { key, days } => {
                let when = match days {
                    ..0 => "has expired".to_owned(),
                    0 => "expires within a day".to_owned(),
                    days => format!("expires in {}", count_noun(days.unsigned_abs(), "day")),
                };
                Condition {
                    title: cut_title(&format!("The key {key} {when}")),
                    detail: join_sentences(&["Requests with it fail then.", "Replace it."]),
                    path: format!("/keys/{key}"),
                    inhibited_by: blocked(key),
                    ..base
                }
            }
            Self::KeyAge { key, days } => Condition {
                title: cut_title(&format!("The key {key} is old")),
                detail: join_sentences(&[
                    &format!("It has been in use for {} days.", group_digits(days.unsigned_abs())),
                    "Replace it, and revoke this one.",
                ]),
                path: format!("/keys/{key}"),
                // A key that expires is replaced anyway.
                inhibited_by: blocked(key)
                    .into_iter()
                    .chain([Fingerprint::new(AlertRule::KeyExpiry, key.as_str())])
                    .collect(),
                ..base
            },
            // No path of a file: an alert leaves this machine by webhook, mail and exports.
            Self::PlainKeys { keys } => Condition {
                title: match keys {
                    1 => "A key lies in plain text".to_owned(),
                    keys => format!("{} keys lie in plain text", group_digits(*keys)),
                },
                detail: join_sentences(&[
                    "Find keys, on the page Keys, shows where and moves them.",
                ]),
                path: "/keys".to_owned(),
                ..base
            },
            _ => base,
        }
    }
}

/// Judges every measurement by its rule's numbers.
pub(super) fn add_measurements(all: &mut Conditions, facts: &Facts, tunings: &RuleTunings) {
    for measurement in &facts.measurements {
        let rule = measurement.rule();
        let tuning = tuning_of(tunings, rule);
        let is_enough =
            measurement.requests().is_none_or(|requests| requests >= tuning.minimum.into());
        let position = measurement.value().and_then(|value| tuning.position(rule, value));
        let is_remote = matches!(measurement, Measurement::Errors { backend, .. }
            | Measurement::Latency { backend, .. } if is_remote(backend, facts));
        match position {
            _ if !is_enough || (facts.is_offline && is_remote) => {
                all.unknown.insert(measurement.fingerprint());
            }
            Some(Position::Beyond) => all.held.push(measurement.condition(&tuning, facts)),
            Some(Position::Near) => drop(all.near.insert(measurement.fingerprint())),
            Some(Position::Inside) | None => {}
        }
    }
    all.unknown.extend(
        facts
            .unknown_balances
            .iter()
            .map(|key| Fingerprint::new(AlertRule::BalanceLow, key.as_str())),
    );
    all.unknown_rules = facts.unmeasured.clone();
}

/// The alert about a key that no request used for 30 days.
pub(super) fn key_unused(key: &CredentialId, tunings: &RuleTunings) -> Condition {
    Condition {
        severity: tuning_of(tunings, AlertRule::KeyUnused).severity,
        title: cut_title(&format!("The key {key} is not used")),
        detail: join_sentences(&[
            "No request used it in 30 days.",
            "Remove it if nothing needs it.",
        ]),
        path: format!("/keys/{key}"),
        ..condition(AlertRule::KeyUnused, key.as_str())
    }
}

/// The alert about a client or a model that was not used before.
pub(super) fn first_use(used: &FirstUse, tunings: &RuleTunings) -> Condition {
    let (kind, name, detail, next, path) = match used {
        FirstUse::Client(name) => (
            "client",
            name,
            "It sent its first request within a day.",
            "Remove it if you do not know it.",
            "/clients",
        ),
        FirstUse::Model(name) => (
            "model",
            name,
            "It was asked for the first time within a day.",
            "See who asked.",
            "/requests",
        ),
    };
    Condition {
        severity: tuning_of(tunings, AlertRule::FirstUse).severity,
        scopes: [name.clone()].into(),
        title: cut_title(&format!("New {kind}: {name}")),
        detail: join_sentences(&[detail, next]),
        path: path.to_owned(),
        ..condition(AlertRule::FirstUse, &format!("{kind}/{name}"))
    }
}

/// The alert about a client that the runaway guard stopped.
pub(super) fn stopped_loop(client: &ClientId, tunings: &RuleTunings) -> Condition {
    Condition {
        severity: tuning_of(tunings, AlertRule::StoppedLoop).severity,
        scopes: [client.to_string()].into(),
        title: cut_title(&format!("{client} was stopped: it is in a loop")),
        detail: join_sentences(&[
            "It sent one conversation again and again.",
            "See what it does before it goes on.",
        ]),
        path: "/clients".to_owned(),
        ..condition(AlertRule::StoppedLoop, client.as_str())
    }
}

fn is_remote(backend: &BackendId, facts: &Facts) -> bool {
    facts.backends.iter().any(|known| known.id == *backend && !known.is_local)
}

fn most(client: Option<&String>) -> String {
    client.map_or_else(String::new, |client| format!("Most of it by {client}."))
}
