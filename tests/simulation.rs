//! Simulates a day of faults in seconds: the real route table, attempt plan, breakers, cooldowns,
//! blocks, windows and queues on virtual time, with scripted providers and clients that retry as
//! real ones do. After every event an independent checker verifies the invariants.
//!
//! Everything derives from one seed. A broken invariant prints it; `SIMULATION_SEED=n` runs that
//! one world again, `SIMULATION_DAYS=n` runs longer, and `SIMULATION_WORLDS=n` runs more of the bad
//! hours.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails, and says what it measured"
)]

mod simulation {
    pub(crate) mod chance;
    pub(crate) mod checker;
    pub(crate) mod clients;
    pub(crate) mod gateway;
    pub(crate) mod observations;
    pub(crate) mod plans;
    pub(crate) mod replay;
    pub(crate) mod upstream;
    pub(crate) mod world;
}

use std::time::Duration;

use domain::RoutePolicy;
use resilience::RateRules;
use simulation::clients::{RequestRhythm, RetryHabit, SimulatedClient};
use simulation::plans::{rates, route, table, troubled_world};
use simulation::upstream::{ProviderFault, SimulatedUpstream};
use simulation::world::{World, WorldPlan};

const HOUR: Duration = Duration::from_secs(3_600);

const SEED: u64 = 4;

#[test]
fn a_day_of_faults_breaks_no_promise() {
    let days = number_from_variable("SIMULATION_DAYS").unwrap_or(1);
    let days = u32::try_from(days).expect("a number of days");
    let seed = number_from_variable("SIMULATION_SEED").unwrap_or(SEED);
    let totals = World::run(troubled_world(seed, 24 * HOUR * days, HOUR, 1)).totals;
    println!("{totals:#?}");
    assert!(totals.trips > 10 && totals.recoveries > 5, "too little went wrong: {totals:?}");
}

#[test]
fn many_bad_hours_break_no_promise() {
    let worlds = number_from_variable("SIMULATION_WORLDS").unwrap_or(25);
    let seeds = number_from_variable("SIMULATION_SEED").map_or(0..worlds, |seed| seed..seed + 1);
    for seed in seeds {
        World::run(troubled_world(seed, HOUR, Duration::from_secs(300), 3));
    }
}

#[test]
fn the_same_seed_is_the_same_history() {
    let history = |seed| World::run(troubled_world(seed, HOUR, HOUR / 12, 3)).history;
    assert_eq!(history(7), history(7));
    assert_ne!(history(7), history(8));
}

/// Ten requests a second for five minutes; the first choice fails twice.
#[test]
fn reliability_300() {
    let backends = [("first", 1), ("second", 1)];
    let first = SimulatedUpstream::healthy("first")
        .with_fault(ProviderFault::Refuse, 60, 90)
        .with_fault(ProviderFault::Errors { percent: 100 }, 180, 195);
    let steady = RequestRhythm::Steady { every: Duration::from_millis(100) };
    let totals = World::run(WorldPlan {
        seed: 300,
        lasts: Duration::from_secs(300) + Duration::from_micros(1),
        table: table(
            vec![route("m", RoutePolicy::Ordered, &[("first", 1), ("second", 1)])],
            &backends,
        ),
        upstreams: vec![first, SimulatedUpstream::healthy("second")],
        rates: rates(&backends),
        clients: vec![SimulatedClient::new("load", "m", steady)],
        dying_keys: Vec::new(),
        restarts: Vec::new(),
    })
    .totals;
    println!("{totals:#?}");
    assert_eq!((totals.requests, totals.answered), (3_000, 3_000));
    assert_eq!((totals.trips, totals.recoveries), (2, 2));
}

/// A thousand requests over the weights 5, 3 and 2. During an outage of one backend the others
/// share by their weights.
#[test]
fn shares_follow_the_weights() {
    let backends = [("five", 1), ("three", 1), ("two", 1)];
    let weights = [("five", 5), ("three", 3), ("two", 2)];
    let shares = |faults: &[(&str, ProviderFault)]| {
        let upstream = |(id, _): &(&str, u8)| {
            let fault = faults.iter().find(|(ill, _)| ill == id);
            let well = SimulatedUpstream::healthy(id);
            fault.map_or(well.clone(), |(_, fault)| well.with_fault(*fault, 0, 2_000))
        };
        let watch = World::run(WorldPlan {
            seed: 5,
            lasts: Duration::from_secs(1_000) + Duration::from_micros(1),
            table: table(vec![route("m", RoutePolicy::Weighted, &weights)], &backends),
            upstreams: backends.iter().map(upstream).collect(),
            rates: rates(&backends),
            clients: vec![SimulatedClient::new(
                "c",
                "m",
                RequestRhythm::Steady { every: Duration::from_secs(1) },
            )],
            dying_keys: Vec::new(),
            restarts: Vec::new(),
        });
        assert_eq!(watch.totals.answered, 1_000);
        backends.map(|(id, _)| watch.answered_percent(id))
    };
    let near = |shares: [f64; 3], wanted: [f64; 3]| {
        println!("{shares:?} for {wanted:?}");
        shares.iter().zip(wanted).all(|(share, wanted)| (share - wanted).abs() <= 5.0)
    };
    assert!(near(shares(&[]), [50.0, 30.0, 20.0]));
    assert!(near(shares(&[("five", ProviderFault::Refuse)]), [0.0, 60.0, 40.0]));
}

/// The gateway stays below the provider's limit, in whatever minute the provider counts.
#[test]
fn a_provider_never_meets_more_than_its_limit() {
    let backends = [("limited", 1), ("other", 1)];
    let limited = SimulatedUpstream::healthy("limited").taking_per_minute(30);
    let rules = RateRules { requests_per_minute: Some(30), tokens_per_minute: None };
    let rhythm = RequestRhythm::Steady { every: Duration::from_millis(590) };
    let watch = World::run(WorldPlan {
        seed: 21,
        lasts: HOUR,
        table: table(
            vec![route("m", RoutePolicy::Ordered, &[("limited", 1), ("other", 1)])],
            &backends,
        ),
        upstreams: vec![limited, SimulatedUpstream::healthy("other")],
        rates: vec![("limited", rules), ("other", RateRules::default())],
        clients: vec![SimulatedClient::new("c", "m", rhythm)],
        dying_keys: Vec::new(),
        restarts: Vec::new(),
    });
    let share = watch.answered_percent("limited");
    println!("{share} % by the limited one, {:#?}", watch.totals);
    assert_eq!(watch.totals.answered, watch.totals.requests);
    assert_eq!(watch.totals.rate_limited, 0);
    // 30 a minute of about 102, and the window may be a second longer than a minute.
    assert!((27.0..=30.0).contains(&share), "{share}");
}

/// A provider that accepts five concurrent calls and refuses the sixth: the adaptive limit finds
/// the number at little loss.
#[test]
fn what_a_provider_takes_at_once_is_found_out() {
    let backends = [("narrow", 1)];
    let narrow = SimulatedUpstream::healthy("narrow").taking_at_once(5);
    let rhythm = RequestRhythm::Bursts { size: 8, every: Duration::from_secs(20) };
    let totals = World::run(WorldPlan {
        seed: 22,
        lasts: HOUR,
        table: table(vec![route("m", RoutePolicy::Ordered, &[("narrow", 1)])], &backends),
        upstreams: vec![narrow],
        rates: rates(&backends),
        clients: vec![SimulatedClient::new("c", "m", rhythm)],
        dying_keys: Vec::new(),
        restarts: Vec::new(),
    })
    .totals;
    println!("{totals:#?}");
    assert!(totals.rate_limited * 20 < totals.requests, "{totals:?}");
}

/// A provider that is down for an hour, and clients that keep retrying: at most one call a second,
/// for any number of clients.
#[test]
fn a_dead_provider_and_retrying_clients_cause_next_to_nothing_once_it_is_open() {
    let secs = HOUR.as_secs();
    for retrying in [RetryHabit::AsSdk, RetryHabit::Stubborn] {
        for every in [Duration::from_secs(1), Duration::from_millis(50)] {
            let totals = run_sole_provider(12, HOUR, (0, secs + 400), every, retrying).totals;
            println!("{retrying:?} every {every:?}: {totals:#?}");
            assert_eq!(totals.answered, 0);
            assert!(totals.sent <= secs + 3, "{totals:?}");
            let often = every < Duration::from_secs(1);
            assert!(!often || totals.sent * 10 <= totals.requests, "{totals:?}");
        }
    }
}

/// The only provider is down for ten minutes. There is no fallback, so it is used again within two
/// seconds of its return, and then by all requests.
#[test]
fn a_sole_provider_that_is_back_is_used_at_once() {
    let every = Duration::from_millis(100);
    let away = (0, 600);
    let totals =
        run_sole_provider(31, Duration::from_secs(900), away, every, RetryHabit::Never).totals;
    println!("{totals:#?}");
    let lost = totals.requests - totals.answered;
    let within_the_outage = 600 * 10;
    assert!(lost <= within_the_outage + 2 * 10, "{} lost after it", lost - within_the_outage);
    assert_eq!((totals.trips, totals.recoveries), (1, 1), "{totals:?}");
}

/// A single provider without a fallback that refuses connections for some time.
fn run_sole_provider(
    seed: u64,
    lasts: Duration,
    (from, to): (u64, u64),
    every: Duration,
    retrying: RetryHabit,
) -> simulation::checker::InvariantChecker {
    let backends = [("alone", 1)];
    World::run(WorldPlan {
        seed,
        lasts,
        table: table(vec![route("m", RoutePolicy::Ordered, &[("alone", 1)])], &backends),
        upstreams: vec![SimulatedUpstream::healthy("alone").with_fault(
            ProviderFault::Refuse,
            from,
            to,
        )],
        rates: rates(&backends),
        clients: vec![
            SimulatedClient::new("client", "m", RequestRhythm::Steady { every }).retrying(retrying),
        ],
        dying_keys: Vec::new(),
        restarts: Vec::new(),
    })
}

#[expect(clippy::disallowed_methods, reason = "how a failing world is run again")]
fn number_from_variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a whole number"))
}
