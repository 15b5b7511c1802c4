//! Manual settings.

use resilience::{
    Availability, BreakerOverride, ClosedReason, EndpointState, ProbeOutcome, TransitionCause,
};

use crate::world::{BAD, GOOD, MODEL, World, rate_limited, rejected, secs};

impl World {
    fn force(&mut self, forced: BreakerOverride, for_secs: Option<u64>) {
        let until = for_secs.map(|time| self.now + secs(time));
        self.log.extend(self.endpoints.force(&self.one, forced, until, self.now));
    }
}

#[test]
fn forced_open_lets_nothing_out_until_it_expires() {
    let mut world = World::new();
    world.force(BreakerOverride::Open, Some(900));
    let until = Some(world.now + secs(900));
    assert_eq!(world.look(), Availability::Closed { reason: ClosedReason::ForcedOpen, until });
    world.pass(secs(899));
    assert!(world.endpoints.admit(&world.one, MODEL, world.now).is_err());
    world.pass(secs(1));
    assert_eq!(world.look(), Availability::Ready);
    let logged = world.logged();
    assert_eq!(logged, ["automatic>forced-open forced", "forced-open>automatic force-expired"]);
}

#[test]
fn without_an_end_it_holds_until_reset() {
    let mut world = World::new();
    world.force(BreakerOverride::Open, None);
    world.pass(secs(365 * 86_400));
    let held = Availability::Closed { reason: ClosedReason::ForcedOpen, until: None };
    assert_eq!(world.look(), held);
    world.log.extend(world.endpoints.reset(&world.one, world.now));
    assert_eq!(world.look(), Availability::Ready);
    let logged = world.logged();
    assert_eq!(logged, ["automatic>forced-open forced", "forced-open>automatic reset"]);
}

#[test]
fn the_breaker_keeps_its_state_behind_forced_open() {
    let mut world = World::new();
    let late = world.begin();
    world.force(BreakerOverride::Open, Some(4));
    world.end(late, BAD);
    assert_eq!(world.endpoints.status(&world.one, world.now).recent.calls, 1);
    world.pass(secs(4));
    world.calls(2, BAD);
    assert_eq!(world.open_for(), secs(5), "the call that was out is counted");
    world.force(BreakerOverride::Open, Some(60));
    world.pass(secs(59));
    assert!(
        world.endpoints.endpoints_due_for_probe(world.now).is_empty(),
        "held open by hand: no probes"
    );
    world.pass(secs(1));
    assert_eq!(world.look(), Availability::Trial);
}

#[test]
fn forced_closed_closes_an_open_one_and_does_not_trip() {
    let mut world = World::new();
    world.calls(3, BAD);
    world.force(BreakerOverride::Closed, Some(900));
    assert_eq!(world.look(), Availability::Ready);
    world.calls(30, BAD);
    for _ in 0..3 {
        world.probe(ProbeOutcome::Failed);
    }
    let standing = world.endpoints.status(&world.one, world.now);
    assert_eq!((world.look(), standing.breaker), (Availability::Ready, EndpointState::Closed));
    assert_eq!(standing.recent.calls, 30, "it goes on counting");
    world.pass(secs(900));
    world.call(BAD);
    assert_eq!(world.open_for(), secs(5), "the next failure after it finds three in a row");
    let logged = world.logged();
    let expected = [
        "closed>open failures-in-a-row",
        "automatic>forced-closed forced",
        "open>closed forced",
        "forced-closed>automatic force-expired",
        "closed>open failures-in-a-row",
    ];
    assert_eq!(logged, expected);
}

#[test]
fn forced_closed_does_not_overrule_the_provider() {
    let mut world = World::new();
    world.force(BreakerOverride::Closed, None);
    world.call(rate_limited(Some(secs(7))));
    assert!(matches!(
        world.look(),
        Availability::Closed { reason: ClosedReason::CoolingDown(_), .. }
    ));
    world.pass(secs(7));
    world.call(rejected());
    assert!(matches!(world.look(), Availability::Closed { reason: ClosedReason::Blocked(_), .. }));
}

#[test]
fn monitor_only_writes_the_log_and_holds_nothing_back() {
    let mut world = World::new();
    world.force(BreakerOverride::MonitorOnly, None);
    world.calls(3, BAD);
    assert_eq!(world.look(), Availability::Ready);
    assert_eq!(world.endpoints.status(&world.one, world.now).breaker, EndpointState::Open);
    world.calls(5, BAD);
    world.pass(secs(5));
    assert_eq!(world.endpoints.status(&world.one, world.now).breaker, EndpointState::HalfOpen);
    let (trial, beside) = (world.begin(), world.begin());
    world.end(beside, BAD);
    let breaker = world.endpoints.status(&world.one, world.now).breaker;
    assert_eq!(breaker, EndpointState::HalfOpen, "the breaker would not have let that one out");
    world.end(trial, GOOD);
    world.calls(2, GOOD);
    let breaker = world.endpoints.status(&world.one, world.now).breaker;
    assert_eq!(breaker, EndpointState::Recovering { percent: 10 });
    assert_eq!(world.look(), Availability::Ready);
    let logged = world.logged();
    let expected = [
        "automatic>monitor-only forced",
        "closed>open failures-in-a-row",
        "open>half-open open-time-over",
        "half-open>recovering trials-passed",
    ];
    assert_eq!(logged, expected);
}

#[test]
fn disabled_counts_nothing() {
    let mut world = World::new();
    world.calls(2, BAD);
    world.force(BreakerOverride::Disabled, Some(60));
    world.calls(30, BAD);
    for _ in 0..3 {
        world.probe(ProbeOutcome::Failed);
    }
    let late = world.begin();
    assert_eq!(world.endpoints.status(&world.one, world.now).recent.calls, 0);
    world.pass(secs(60));
    world.end(late, BAD);
    world.calls(2, BAD);
    assert_eq!(world.look(), Availability::Ready, "two since it is on again");
    world.call(BAD);
    assert_eq!(world.open_for(), secs(5));
}

#[test]
fn one_setting_replaces_the_other() {
    let mut world = World::new();
    world.force(BreakerOverride::Open, None);
    world.force(BreakerOverride::Closed, Some(10));
    assert_eq!(world.look(), Availability::Ready);
    let logged = world.logged();
    assert_eq!(logged, ["automatic>forced-open forced", "forced-open>forced-closed forced"]);
}

#[test]
fn a_reset_closes_an_open_one_with_the_first_open_time() {
    let mut world = World::new();
    world.half_open();
    world.call(BAD);
    let late = world.endpoints.admit(&world.one, MODEL, world.now + secs(10)).unwrap();
    world.pass(secs(10));
    world.log.clear();
    world.log.extend(world.endpoints.reset(&world.one, world.now));
    assert_eq!(world.log.last().map(|t| t.rule), Some(TransitionCause::Reset));
    assert_eq!(world.look(), Availability::Ready);
    world.end(late, BAD);
    world.calls(2, BAD);
    assert_eq!(world.look(), Availability::Ready, "a trial of before does not count");
    world.call(BAD);
    assert_eq!(world.open_for(), secs(5));
}
