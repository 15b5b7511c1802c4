//! Rules that compare a number with a threshold: a table of what fires, and a simulated week.

use super::simulation::Weeks;
use super::*;
use domain::BalanceKind;

use crate::facts::{GatewayFact, KeyFact, VaultFact};
use crate::measurement::{Measurement, RequestSpike, SpendSpike};

fn key(text: &str) -> domain::CredentialId {
    domain::CredentialId::new(text).expect("a good id")
}

fn errors(failed: u64, requests: u64) -> Measurement {
    Measurement::Errors { backend: id("a"), label: "OpenAI".to_owned(), failed, requests }
}

fn latency(recent_ms: u64, usual_ms: u64, requests: u64) -> Measurement {
    let [recent, usual] = [recent_ms, usual_ms].map(Duration::from_millis);
    Measurement::Latency { backend: id("a"), label: "OpenAI".to_owned(), requests, recent, usual }
}

fn spend(percent_of_usual: f64) -> Measurement {
    Measurement::Spend(Some(SpendSpike {
        percent_of_usual,
        actual: "$9.00".to_owned(),
        usual: "$1.00".to_owned(),
        client: Some("editor".to_owned()),
    }))
}

fn requests(percent_of_usual: f64) -> Measurement {
    let client = Some("editor".to_owned());
    Measurement::Requests(Some(RequestSpike { percent_of_usual, actual: 900, usual: 100, client }))
}

fn balance(kind: BalanceKind, days: Option<u64>) -> Measurement {
    let left = if days.is_some() { "$1.20" } else { "$0.00" }.to_owned();
    Measurement::Balance { key: key("main"), kind, left, days }
}

fn unpriced(requests: u64) -> Measurement {
    Measurement::Unpriced { requests, models: vec!["new-model".to_owned()] }
}

fn bill(difference_percent: f64) -> Measurement {
    Measurement::Bill {
        provider: "openai".to_owned(),
        difference_percent,
        billed: "$11.00".to_owned(),
        computed: "$10.00".to_owned(),
    }
}

const fn cache(answered: u64, eligible: u64) -> Measurement {
    Measurement::Cache { answered, eligible }
}

const fn disk(free_megabytes: u64) -> Measurement {
    Measurement::Disk { free_megabytes }
}

fn start(fastest_ms: u64) -> Measurement {
    let fastest = Duration::from_millis(fastest_ms);
    Measurement::Start { fastest, stage: "ledger".to_owned() }
}

fn expiry(days: i64) -> Measurement {
    Measurement::KeyExpiry { key: key("main"), days }
}

fn quota(remaining: u64, total: u64) -> Measurement {
    let (label, limit) = ("OpenAI".to_owned(), "requests".to_owned());
    Measurement::Quota { backend: id("a"), label, limit, remaining, total }
}

fn plain_keys(keys: u64) -> Measurement {
    Measurement::PlainKeys { keys }
}

fn age(days: i64) -> Measurement {
    Measurement::KeyAge { key: key("main"), days }
}

#[test]
fn each_rule_holds_from_its_threshold_on_and_says_what_it_means() {
    let judged = |measurement: Measurement| {
        let facts = Facts { measurements: vec![measurement], ..Facts::default() };
        let all = conditions(&facts, &tunings());
        let held = all.held.first();
        held.map(|it| format!("{}: {} | {}", it.severity, it.title, it.detail))
    };
    let table = [
        (
            errors(5, 500),
            "low: OpenAI fails often | 5 of 500 requests failed in half an hour. Put another backend \
             first, or look at why.",
        ),
        (
            errors(10, 100),
            "medium: OpenAI fails often | 10 of 100 requests failed in half an hour. Put another \
             backend first, or look at why.",
        ),
        (
            latency(3_000, 1_500, 10),
            "low: OpenAI answers slowly | The slowest first tokens take 3.0 s, usually 1.5 s. Put \
             another backend first, or look at why.",
        ),
        (
            spend(900.0),
            "high: Far higher cost than usual | $9.00, usually $1.00. Most of it by editor. See \
             Costs, or pause the key.",
        ),
        (
            requests(900.0),
            "high: Far more requests than usual | 900 requests, usually 100 an hour. Most of it by \
             editor. A loop? Pause the client if so.",
        ),
        (
            unpriced(1),
            "low: Requests of unknown cost | 1 request in 24 hours. Budgets do not count them. Set a \
             price of new-model.",
        ),
        (
            bill(-2.0),
            "low: The bill of openai is 2.0 % lower | It billed $11.00, computed were $10.00. \
             Compare prices and keys used elsewhere.",
        ),
        (
            cache(24, 50),
            "info: Few answers come from the cache | 24 of 50 requests in 24 hours. See why on the \
             page Cache, or switch it off for what never repeats.",
        ),
        (
            disk(499),
            "medium: The disk is almost full | 499 MB are free. Requests are refused when none is. \
             Make space, or keep requests for fewer days.",
        ),
        (
            start(1_000),
            "info: Gatehouse starts slowly | The last three starts took 1000 ms or more. Longest stage: \
             ledger. See Health, Local.",
        ),
        (
            Measurement::AppMemory { megabytes: 240 },
            "medium: Gatehouse uses much memory | 240 MB. A smaller response cache uses less.",
        ),
        (
            Measurement::AppProcessor { percent: 80.0 },
            "medium: Gatehouse keeps a processor core busy | It uses 80 % of one. A client that never \
             stops? See Requests.",
        ),
        (
            Measurement::MachineMemory { percent: 85.0 },
            "medium: This machine's memory is almost full | 85 % is in use, mostly by other programs. \
             Local models use the most. Close what you do not need.",
        ),
        (
            Measurement::SlowQueries { count: 3 },
            "medium: The ledger answers slowly | 3 statements took 100 ms or longer in an hour. \
             Health, Local, names them. Keep requests for fewer days.",
        ),
        (
            Measurement::ProbeCoverage { percent: 89.9 },
            "medium: Backends are not checked as they should be | Their state was known for 89.9 % of \
             the last hour. Alerts about them may come late.",
        ),
        (
            Measurement::ChecksAge { days: 30 },
            "low: The checks have not been run for a long time | The last full run was 30 days ago. Run all \
             checks on the page Readiness.",
        ),
        (
            expiry(14),
            "low: The key main expires in 14 days | Requests with it fail then. Replace it.",
        ),
        (
            expiry(3),
            "medium: The key main expires in 3 days | Requests with it fail then. Replace it.",
        ),
        (
            expiry(0),
            "medium: The key main expires within a day | Requests with it fail then. Replace it.",
        ),
        (expiry(-1), "medium: The key main has expired | Requests with it fail then. Replace it."),
        (
            age(90),
            "low: The key main is old | It has been in use for 90 days. Replace it, and revoke this \
             one.",
        ),
        (
            quota(9, 100),
            "medium: OpenAI is near its limit | 9 of 100 requests are left until it renews. Put \
             another backend first, or send less at once.",
        ),
        (
            balance(BalanceKind::Account, Some(3)),
            "medium: The balance of main is used up in 3 days | $1.20 is left. It is counted at \
             the pace of the last week. Top it up, or put another backend first.",
        ),
        (
            balance(BalanceKind::KeyLimit, Some(0)),
            "medium: The limit of main is used up within a day | $1.20 is left. It is counted at \
             the pace of the last week. Raise it, or put another backend first.",
        ),
        (
            balance(BalanceKind::Account, None),
            "medium: The balance of main is used up | $0.00 is left. Top it up, or put another \
             backend first.",
        ),
        (
            plain_keys(2),
            "low: 2 keys lie in plain text | Find keys, on the page Keys, shows where and moves \
             them.",
        ),
        (
            plain_keys(1),
            "low: A key lies in plain text | Find keys, on the page Keys, shows where and moves \
             them.",
        ),
    ];
    for (measurement, expected) in table {
        assert_eq!(judged(measurement.clone()).as_deref(), Some(expected), "{measurement:?}");
    }
    let silent = [
        errors(4, 20),
        errors(5, 501),
        errors(19, 19),
        latency(3_000, 1_501, 10),
        latency(900, 100, 10),
        latency(9_000, 100, 9),
        spend(149.0),
        Measurement::Spend(None),
        requests(499.0),
        Measurement::Requests(None),
        unpriced(0),
        bill(1.9),
        cache(25, 50),
        cache(0, 49),
        disk(500),
        start(999),
        Measurement::AppMemory { megabytes: 239 },
        Measurement::AppProcessor { percent: 79.9 },
        Measurement::MachineMemory { percent: 84.9 },
        Measurement::SlowQueries { count: 2 },
        Measurement::ProbeCoverage { percent: 90.0 },
        Measurement::ChecksAge { days: 29 },
        expiry(15),
        age(89),
        quota(10, 100),
        balance(BalanceKind::Account, Some(4)),
        plain_keys(0),
    ];
    for measurement in silent {
        assert_eq!(judged(measurement.clone()), None, "{measurement:?}");
    }
}

#[test]
fn a_vault_that_cannot_be_read_and_a_key_that_nobody_uses_are_told() {
    let vault = |is_needed| VaultFact { hint: "Unlock it.".to_owned(), is_needed };
    let told = |facts: Facts| -> Vec<String> {
        let all = conditions(&facts, &tunings());
        all.held.iter().map(|it| format!("{}: {}", it.title, it.detail)).collect()
    };
    let needed = Facts { vault: Some(vault(true)), ..Facts::default() };
    assert_eq!(told(needed), ["Keys cannot be read: Requests that need a key fail. Unlock it."]);
    let idle = Facts { vault: Some(vault(false)), ..Facts::default() };
    assert_eq!(told(idle), ["Keys cannot be read: No backend needs a key now. Unlock it."]);
    let unused = Facts { unused_keys: vec![key("old")], ..Facts::default() };
    assert_eq!(
        told(unused),
        ["The key old is not used: No request used it in 30 days. Remove it if nothing needs it."]
    );
}

#[test]
fn a_first_use_is_told_of_each_name() {
    use crate::facts::FirstUse;
    let first_uses = vec![FirstUse::Client("cursor".to_owned()), FirstUse::Model("o9".to_owned())];
    let all = conditions(&Facts { first_uses, ..Facts::default() }, &tunings());
    let told: Vec<String> =
        all.held.iter().map(|it| format!("{}: {}", it.title, it.detail)).collect();
    assert_eq!(
        told,
        [
            "New client: cursor: It sent its first request within a day. Remove it if you do not know \
             it.",
            "New model: o9: It was asked for the first time within a day. See who asked.",
        ]
    );
}

#[test]
fn a_gateway_that_does_not_listen_is_told_at_once_in_quiet_hours_too() {
    let gateway = Some(GatewayFact {
        title: "The gateway is not listening",
        fix: "port 8080 is in use by another program; choose another port".to_owned(),
        path: "/settings?part=Gateway",
    });
    let all = conditions(&Facts { gateway, ..Facts::default() }, &tunings());
    let [held] = all.held.as_slice() else { panic!("{all:?}") };
    assert_eq!((held.severity, held.passes_quiet_hours), (AlertSeverity::Critical, true));
    assert_eq!(
        format!("{}: {}", held.title, held.detail),
        "The gateway is not listening: Every request of a client fails. Port 8080 is in use by \
         another program; choose another port."
    );
    let unmeasured = BTreeSet::from([AlertRule::GatewayFault]);
    let all = conditions(&Facts { unmeasured, ..Facts::default() }, &tunings());
    assert!(all.held.is_empty() && all.unknown_rules.contains(&AlertRule::GatewayFault));
}

#[test]
fn a_client_in_a_loop_is_told_by_name() {
    let stopped_clients = vec![domain::ClientId::new("cursor").expect("an id")];
    let all = conditions(&Facts { stopped_clients, ..Facts::default() }, &tunings());
    let [held] = all.held.as_slice() else { panic!("{all:?}") };
    assert_eq!(
        format!("{}: {}", held.title, held.detail),
        "cursor was stopped: it is in a loop: It sent one conversation again and again. See what it \
         does before it goes on."
    );
}

#[test]
fn a_week_of_numbers_fires_and_ends_exactly_as_listed() {
    const HOUR: u64 = 3_600;
    const DAY: u64 = 24 * HOUR;
    let mut weeks = Weeks::new();
    let set = |weeks: &mut Weeks, measurement, secs| {
        weeks.bench.facts.measurements = vec![measurement];
        weeks.run(secs);
    };
    // Too short, then for an hour; near the threshold it goes on, and it ends five minutes after.
    set(&mut weeks, errors(50, 100), 285);
    set(&mut weeks, errors(0, 100), DAY - 285);
    assert_eq!(weeks.log, Vec::<String>::new(), "a short one");
    set(&mut weeks, errors(50, 100), HOUR);
    set(&mut weeks, errors(9, 1_000), HOUR);
    set(&mut weeks, errors(8, 1_000), DAY - 2 * HOUR);
    // A disk that swings about its threshold is one alert.
    for _ in 0..12 {
        set(&mut weeks, disk(450), HOUR);
        set(&mut weeks, disk(550), HOUR);
    }
    set(&mut weeks, disk(600), DAY);
    // Nothing can be read for a minute, then for longer: the alert ends, since nobody knows.
    set(&mut weeks, unpriced(3), HOUR);
    weeks.bench.facts.measurements.clear();
    weeks.bench.facts.unmeasured = [AlertRule::UnpricedModel].into();
    weeks.run(60);
    weeks.bench.facts.unmeasured.clear();
    set(&mut weeks, unpriced(3), HOUR);
    weeks.bench.facts.measurements.clear();
    weeks.bench.facts.unmeasured = [AlertRule::UnpricedModel].into();
    weeks.run(DAY - 2 * HOUR - 60);
    weeks.bench.facts.unmeasured.clear();
    // Few hits count once they have been few for a day.
    set(&mut weeks, cache(10, 100), DAY - 15);
    set(&mut weeks, cache(90, 100), DAY + 15);
    assert_eq!(
        weeks.log,
        [
            format!("{} fires error-rate/a", DAY + 15 + 300),
            format!("{} ends 1 resolved", DAY + 2 * HOUR + 15 + 300),
            format!("{} fires disk-space/disk", 2 * DAY + 15 + 300),
            format!("{} ends 2 resolved", 3 * DAY + 15 + 300),
            format!("{} fires unpriced-model/cost", 4 * DAY + 15),
            format!("{} ends 3 unknown", 4 * DAY + 2 * HOUR + 60 + 15 + 120),
        ]
    );
    let titles: Vec<&str> = weeks.sent.iter().map(|(_, it)| it.title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "OpenAI fails often",
            "OpenAI fails less",
            "The disk is almost full",
            "The disk has space again",
        ]
    );
    assert!(weeks.visible.is_empty() && weeks.open.is_empty());
}

#[test]
fn one_cause_is_one_alert_unless_the_rule_of_the_cause_is_off() {
    let fired = |weeks: &Weeks| -> Vec<String> {
        let all = weeks.bench.book.alerts();
        all.iter().map(|alert| alert.condition.fingerprint.to_string()).collect()
    };
    let mut weeks = Weeks::new();
    weeks.bench.facts.measurements = vec![requests(900.0), spend(900.0)];
    weeks.run(600);
    assert_eq!(fired(&weeks), ["spend-anomaly/cost"]);
    // Where the cause is not told, what follows from it is.
    let off = RuleTuning { delivery: AlertDelivery::Off, ..RuleTuning::default() };
    weeks.bench.context.tunings.insert(AlertRule::SpendAnomaly, off);
    weeks.run(600);
    assert_eq!(fired(&weeks), ["unusual-use/requests"]);

    let mut weeks = Weeks::new();
    weeks.bench.set(down("a", covered()));
    weeks.bench.facts.measurements = vec![errors(50, 100), latency(9_000, 1_000, 50)];
    weeks.run(600);
    assert_eq!(fired(&weeks), ["backend-down/a"]);
    weeks.bench.clear("a");
    weeks.run(600);
    assert_eq!(fired(&weeks), ["error-rate/a"], "slow answers are part of it");

    let mut weeks = Weeks::new();
    weeks.bench.facts.measurements = vec![expiry(-1), age(400)];
    let blocked = KeyFact { id: key("main"), what: "was rejected", fix: "", needed_by: vec![] };
    weeks.bench.facts.keys = vec![blocked];
    weeks.run(60);
    assert_eq!(fired(&weeks), ["key-blocked/main"]);
    weeks.bench.facts.keys.clear();
    weeks.run(60);
    assert_eq!(fired(&weeks), ["key-expiry/main"]);
}

#[test]
fn offline_says_nothing_about_remote_backends() {
    let mut bench = Bench::new();
    bench.set(BackendFact { fault: BackendFault::None, ..down("a", covered()) });
    bench.facts.is_offline = true;
    bench.facts.measurements = vec![errors(50, 100)];
    bench.run(600);
    assert!(bench.book.alerts().is_empty());
    bench.facts.is_offline = false;
    bench.run(600);
    assert_eq!(bench.book.alerts().len(), 1);
}

#[test]
fn a_changed_number_counts_at_the_next_evaluation() {
    let mut bench = Bench::new();
    bench.facts.measurements = vec![disk(900)];
    bench.run(600);
    assert!(bench.book.alerts().is_empty());
    let tuning = RuleTuning {
        hold: Duration::from_secs(5),
        threshold: 1_000,
        severity: AlertSeverity::Critical,
        ..RuleTuning::default()
    };
    bench.context.tunings.insert(AlertRule::DiskSpace, tuning);
    bench.run(6);
    let fired = bench.book.alerts();
    assert!(fired[0].is_firing());
    assert_eq!(fired[0].condition.severity, AlertSeverity::Critical);
}
