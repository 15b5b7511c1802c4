//! Made-up facts in which one rule alone has something to say.

use std::time::Duration;

use domain::{
    AlertChannel, BackendId, BalanceKind, BudgetId, BudgetMark, ClientId, CredentialId, RouteId,
    ServiceId, WallTime,
};

use crate::facts::{
    BackendFact, BackendFault, BudgetFact, BurnFact, BurnSubject, ChannelFact, Facts, FirstUse,
    GatewayFact, Impact, KeyFact, LedgerFact, RouteFact, RouteFault, ServiceFact, VaultFact,
};
use crate::measurement::{Measurement, RequestSpike, SpendSpike};
use crate::rule::{AlertRule, RuleTuning, RuleTunings, tuning_of};

/// Name of everything that the facts are about.
const NAME: &str = "example";
const LABEL: &str = "Example";

/// Facts in which `rule` fires with its numbers in `tunings`; `None` for a rule that judges nothing.
pub(super) fn facts(rule: AlertRule, tunings: &RuleTunings) -> Option<Facts> {
    let tuning = tuning_of(tunings, rule);
    let mut facts = Facts::default();
    match rule {
        AlertRule::BackendDown => facts.backends.push(backend(BackendFault::Down)?),
        AlertRule::BreakerOpen => facts.backends.push(backend(BackendFault::BreakerOpen)?),
        AlertRule::RouteDead => facts.dead_routes.push(RouteFact {
            id: RouteId::new(NAME).ok()?,
            reason: "its backends are switched off".to_owned(),
            backends: Vec::new(),
            fault: RouteFault::Dead,
        }),
        AlertRule::BudgetMark => facts.budgets.push(budget(BudgetMark::Spent(80))?),
        AlertRule::BudgetForecast => facts.budgets.push(budget(BudgetMark::Forecast)?),
        AlertRule::GatewayFault => facts.gateway = Some(gateway()),
        AlertRule::LedgerFault => facts.ledger = Some(ledger()),
        AlertRule::KeyBlocked => {
            let needed_by = Vec::new();
            let (what, fix) = ("was rejected", "Replace the key.");
            facts.keys.push(KeyFact { id: key()?, what, fix, needed_by });
        }
        AlertRule::BurnFast | AlertRule::BurnSlow => facts.burns.push(burn(rule)?),
        AlertRule::ChannelFault => {
            let (channel, reason) = (AlertChannel::Mail, "its server does not answer".to_owned());
            facts.channels.push(ChannelFact { channel, reason });
        }
        AlertRule::VaultFault => {
            facts.vault = Some(VaultFact { hint: "Unlock it.".to_owned(), is_needed: true });
        }
        AlertRule::KeyUnused => facts.unused_keys.push(key()?),
        AlertRule::StoppedLoop => facts.stopped_clients.push(ClientId::new(NAME).ok()?),
        AlertRule::FirstUse => facts.first_uses.push(FirstUse::Client(NAME.to_owned())),
        AlertRule::ServiceDown => facts.services.push(ServiceFact {
            id: ServiceId::new(NAME).ok()?,
            label: LABEL.to_owned(),
            is_local: false,
            is_required: true,
            is_down: Some(true),
            reason: "it answers with status 503, not 200 to 299".to_owned(),
        }),
        AlertRule::Digest => return None,
        AlertRule::ErrorRate
        | AlertRule::SlowAnswers
        | AlertRule::SpendAnomaly
        | AlertRule::UnpricedModel
        | AlertRule::BillDrift
        | AlertRule::CacheHits
        | AlertRule::DiskSpace
        | AlertRule::KeyExpiry
        | AlertRule::KeyAge
        | AlertRule::PlainKey
        | AlertRule::QuotaLow
        | AlertRule::BalanceLow
        | AlertRule::UnusualUse
        | AlertRule::SlowStart
        | AlertRule::AppMemory
        | AlertRule::AppProcessor
        | AlertRule::MachineMemory
        | AlertRule::SlowQueries
        | AlertRule::ProbeCoverage
        | AlertRule::ChecksOld => facts.measurements.push(measurement(rule, &tuning)?),
    }
    Some(facts)
}

fn gateway() -> GatewayFact {
    GatewayFact {
        title: "The gateway is not listening",
        fix: "Its port is in use by another program.".to_owned(),
        path: "/health/local",
    }
}

fn ledger() -> LedgerFact {
    LedgerFact {
        cause: NAME.to_owned(),
        title: "Requests are not recorded".to_owned(),
        fix: "The disk is full. Make space.".to_owned(),
        is_problem: true,
    }
}

fn key() -> Option<CredentialId> {
    CredentialId::new(NAME).ok()
}

fn backend(fault: BackendFault) -> Option<BackendFact> {
    Some(BackendFact {
        id: BackendId::new(NAME).ok()?,
        label: LABEL.to_owned(),
        server: "example.com".to_owned(),
        is_local: false,
        fault,
        reason: "it does not answer".to_owned(),
        impact: Impact::default(),
    })
}

fn budget(mark: BudgetMark) -> Option<BudgetFact> {
    let title = match mark {
        BudgetMark::Spent(percent) => format!("Budget {NAME}: {percent} % used"),
        BudgetMark::Forecast | BudgetMark::Refused => {
            format!("Budget {NAME} will be used up early")
        }
    };
    Some(BudgetFact {
        id: BudgetId::new(NAME).ok()?,
        mark,
        period_from: WallTime::default(),
        title,
        message: "$8.00 of $10.00 is spent this month.".to_owned(),
    })
}

fn burn(rule: AlertRule) -> Option<BurnFact> {
    Some(BurnFact {
        subject: BurnSubject::Backend { id: BackendId::new(NAME).ok()?, label: LABEL.to_owned() },
        is_fast: rule == AlertRule::BurnFast,
        failed: 20,
        requests: 100,
        window: "1h".to_owned(),
        times_allowed: 40.0,
    })
}

/// A measurement on the wrong side of the rule's threshold, of enough requests.
fn measurement(rule: AlertRule, tuning: &RuleTuning) -> Option<Measurement> {
    let threshold = u64::from(tuning.threshold);
    let requests = u64::from(tuning.minimum).max(100);
    let percent = f64::from(tuning.threshold) + 1.0;
    let (backend, label) = (BackendId::new(NAME).ok()?, LABEL.to_owned());
    Some(match rule {
        AlertRule::ErrorRate => {
            let failed = (requests * threshold).div_ceil(100).max(5);
            Measurement::Errors { backend, label, failed, requests }
        }
        AlertRule::SlowAnswers => {
            let usual = Duration::from_secs(10);
            let recent = usual.mul_f64(percent / 100.0);
            Measurement::Latency { backend, label, requests, recent, usual }
        }
        AlertRule::SpendAnomaly => Measurement::Spend(Some(SpendSpike {
            percent_of_usual: percent,
            actual: "$9.00".to_owned(),
            usual: "$1.00".to_owned(),
            client: Some(NAME.to_owned()),
        })),
        AlertRule::UnusualUse => Measurement::Requests(Some(RequestSpike {
            percent_of_usual: percent,
            actual: 900,
            usual: 100,
            client: Some(NAME.to_owned()),
        })),
        AlertRule::UnpricedModel => {
            Measurement::Unpriced { requests: threshold, models: vec![NAME.to_owned()] }
        }
        AlertRule::BillDrift => Measurement::Bill {
            provider: NAME.to_owned(),
            difference_percent: percent,
            billed: "$11.00".to_owned(),
            computed: "$10.00".to_owned(),
        },
        AlertRule::CacheHits => Measurement::Cache { answered: 0, eligible: requests },
        AlertRule::DiskSpace => Measurement::Disk { free_megabytes: threshold.saturating_sub(1) },
        AlertRule::KeyExpiry => {
            Measurement::KeyExpiry { key: key()?, days: threshold.cast_signed() }
        }
        AlertRule::KeyAge => Measurement::KeyAge { key: key()?, days: threshold.cast_signed() },
        AlertRule::PlainKey => Measurement::PlainKeys { keys: threshold },
        AlertRule::QuotaLow => Measurement::Quota {
            backend,
            label,
            limit: "requests".to_owned(),
            remaining: threshold.saturating_sub(1),
            total: 100,
        },
        AlertRule::BalanceLow => Measurement::Balance {
            key: key()?,
            kind: BalanceKind::Account,
            left: "$1.20".to_owned(),
            days: Some(threshold),
        },
        _ => return local_measurement(rule, threshold),
    })
}

/// Of this program and its machine.
fn local_measurement(rule: AlertRule, threshold: u64) -> Option<Measurement> {
    let percent = threshold as f64;
    Some(match rule {
        AlertRule::SlowStart => Measurement::Start {
            fastest: Duration::from_millis(threshold),
            stage: "opening the ledger".to_owned(),
        },
        AlertRule::AppMemory => Measurement::AppMemory { megabytes: threshold },
        AlertRule::AppProcessor => Measurement::AppProcessor { percent },
        AlertRule::MachineMemory => Measurement::MachineMemory { percent },
        AlertRule::SlowQueries => Measurement::SlowQueries { count: threshold },
        AlertRule::ProbeCoverage => Measurement::ProbeCoverage { percent: percent - 1.0 },
        AlertRule::ChecksOld => Measurement::ChecksAge { days: threshold.cast_signed() },
        _ => return None,
    })
}
