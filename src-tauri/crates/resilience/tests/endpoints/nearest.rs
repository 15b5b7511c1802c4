//! Trials when no other endpoint can answer.

use domain::Endpoint;
use resilience::{Availability, BreakerOverride, Permit, SOLE_TRIAL_AFTER, TRIAL_RETRY_AFTER};

use crate::world::{
    BAD, GOOD, MODEL, World, endpoint, failed_with_wait, rate_limited, rejected, request, secs,
};

impl World {
    fn trip(&mut self, endpoint: &Endpoint) {
        for _ in 0..3 {
            let permit = self.endpoints.admit(endpoint, MODEL, self.now).unwrap();
            self.end(permit, BAD);
        }
    }

    fn nearest(&mut self, group: &[&Endpoint]) -> Option<(usize, Permit)> {
        let group: Vec<_> = group.iter().map(|endpoint| (*endpoint, MODEL)).collect();
        self.endpoints.admit_sole_trial(&group, self.now)
    }

    fn reopens(&self, group: &[&Endpoint]) -> Option<std::time::Duration> {
        let group = group.iter().map(|endpoint| (*endpoint, MODEL));
        self.endpoints.time_until_reopen(group, self.now)
    }

    fn of(&self, endpoint: &Endpoint) -> Availability {
        self.endpoints.availability(endpoint, MODEL, self.now)
    }

    /// Admits a request with the candidates `group`, as the gateway does.
    fn request(&mut self, group: &[&Endpoint]) -> Option<Permit> {
        for one in group {
            let others = group.iter().filter(|other| other != &one).map(|other| (*other, MODEL));
            if let Ok(permit) = self.endpoints.admit_with_alternatives(one, MODEL, others, self.now)
            {
                return Some(permit);
            }
        }
        self.nearest(group).map(|(_, permit)| permit)
    }
}

#[test]
fn a_sole_one_that_is_back_is_used_within_a_second_and_without_a_ramp() {
    let mut world = World::new();
    let one = world.one.clone();
    world.trip(&one);
    // Stays dead until its open time is the longest.
    for _ in 0..30 {
        world.pass(SOLE_TRIAL_AFTER);
        let permit = world.request(&[&one]).expect("a trial each second");
        assert!(world.request(&[&one]).is_none(), "one at a time");
        world.end(permit, BAD);
        assert!(world.request(&[&one]).is_none(), "and then a pause");
        assert_eq!(world.reopens(&[&one]), Some(SOLE_TRIAL_AFTER));
    }
    assert_eq!(world.open_for(), secs(60));
    world.pass(SOLE_TRIAL_AFTER);
    let permit = world.request(&[&one]).expect("a trial");
    world.end(permit, GOOD);
    assert_eq!(world.look(), Availability::Ready);
    assert_eq!(world.logged().last().unwrap(), "half-open>closed trials-passed");
}

#[test]
fn nobody_waits_for_the_end_of_a_sole_trial_that_answers() {
    let mut world = World::new();
    let one = world.one.clone();
    world.trip(&one);
    world.pass(SOLE_TRIAL_AFTER);
    let permit = world.request(&[&one]).expect("a trial");
    world.log.extend(world.endpoints.answer_started(&permit, request(9), world.now));
    assert_eq!(world.look(), Availability::Ready);
    // The end of the answer still counts, like that of any call.
    world.calls(2, BAD);
    assert_eq!(world.look(), Availability::Ready);
    world.end(permit, BAD);
    assert!(matches!(world.look(), Availability::Closed { .. }));
    world.pass(SOLE_TRIAL_AFTER);
    let late = world.request(&[&one]).expect("a trial");
    world.endpoints.reset(&one, world.now);
    world.calls(3, BAD);
    assert!(
        world.endpoints.answer_started(&late, request(10), world.now).is_empty(),
        "of another round"
    );
    assert!(matches!(world.look(), Availability::Closed { .. }));
}

#[test]
fn a_trial_beside_which_another_could_answer_closes_nothing_by_itself() {
    let mut world = World::new();
    let (one, two) = (world.one.clone(), endpoint("two"));
    world.half_open();
    let permit = world.request(&[&one, &two]).expect("a trial");
    assert_eq!(permit.endpoint(), &one);
    assert!(world.endpoints.answer_started(&permit, request(9), world.now).is_empty());
    world.end(permit, GOOD);
    assert_eq!(world.look(), Availability::Trial);
    world.log.clear();
    // With the other endpoint blocked, the next success is enough.
    let permit = world.endpoints.admit(&two, MODEL, world.now).unwrap();
    world.end(permit, rejected());
    let permit = world.request(&[&one, &two]).expect("a trial");
    world.end(permit, GOOD);
    assert_eq!(world.look(), Availability::Ready);
}

#[test]
fn the_one_that_reopens_first_gets_a_single_trial() {
    let mut world = World::new();
    let (one, two) = (world.one.clone(), endpoint("two"));
    world.trip(&two);
    world.pass(secs(2));
    world.trip(&one);
    assert!(world.nearest(&[&one, &two]).is_none(), "one has failed just now");
    assert_eq!(world.reopens(&[&one, &two]), Some(SOLE_TRIAL_AFTER));
    world.pass(SOLE_TRIAL_AFTER);
    assert_eq!(world.reopens(&[&one, &two]), Some(secs(0)));
    let (place, permit) = world.nearest(&[&one, &two]).unwrap();
    assert_eq!(place, 1);
    assert!(world.nearest(&[&one, &two]).is_none(), "its trial is out");
    assert_eq!(world.reopens(&[&two]), Some(TRIAL_RETRY_AFTER));
    world.end(permit, GOOD);
    assert_eq!(world.of(&two), Availability::Ready);
    assert_eq!(world.reopens(&[&one, &two]), Some(secs(0)));
    assert!(world.logged().contains(&"open>half-open nothing-else".to_owned()));
}

#[test]
fn a_dead_group_is_called_once_a_second_by_however_many_requests() {
    let mut world = World::new();
    let (one, two) = (world.one.clone(), endpoint("two"));
    world.trip(&one);
    world.trip(&two);
    let mut calls = 0;
    for _ in 0..6_000 {
        while let Some(permit) = world.request(&[&one, &two]) {
            calls += 1;
            world.end(permit, BAD);
        }
        world.pass(secs(1) / 100);
    }
    assert!((55..=60).contains(&calls), "{calls} in a minute");
}

#[test]
fn a_wait_that_the_server_asked_for_is_kept() {
    let mut world = World::new();
    let one = world.one.clone();
    world.calls(2, BAD);
    world.call(failed_with_wait(secs(30)));
    world.pass(secs(29));
    assert!(world.nearest(&[&one]).is_none());
    assert_eq!(world.reopens(&[&one]), Some(secs(1)));
    let two = endpoint("two");
    world.trip(&two);
    world.pass(SOLE_TRIAL_AFTER);
    assert_eq!(world.look(), Availability::Trial, "its time is over");
}

#[test]
fn what_is_blocked_cools_down_or_is_held_open_is_left_alone() {
    let mut world = World::new();
    let names = ["blocked", "cooling", "held"];
    let [blocked, cooling, held] = names.map(endpoint);
    for (endpoint, happened) in [(&blocked, rejected()), (&cooling, rate_limited(Some(secs(3))))] {
        let late = world.endpoints.admit(endpoint, MODEL, world.now).unwrap();
        world.trip(endpoint);
        world.end(late, happened);
    }
    world.trip(&held);
    world.endpoints.force(&held, BreakerOverride::Open, None, world.now);
    world.pass(SOLE_TRIAL_AFTER);
    assert!(world.nearest(&[&blocked, &cooling, &held]).is_none());
    assert_eq!(world.reopens(&[&blocked, &held]), None, "no time opens these");
    assert_eq!(world.reopens(&[&blocked, &cooling, &held]), Some(secs(4)));
    let one = world.one.clone();
    world.trip(&one);
    world.pass(SOLE_TRIAL_AFTER);
    let (place, permit) = world.nearest(&[&blocked, &cooling, &held, &one]).unwrap();
    assert_eq!(place, 3);
    world.end(permit, GOOD);
}

#[test]
fn nothing_is_cut_short_while_something_is_ready() {
    let mut world = World::new();
    let (one, two) = (world.one.clone(), endpoint("two"));
    world.trip(&one);
    world.pass(SOLE_TRIAL_AFTER);
    assert!(world.nearest(&[&one, &two]).is_none());
    assert_eq!(world.reopens(&[&one, &two]), Some(secs(0)));
}
