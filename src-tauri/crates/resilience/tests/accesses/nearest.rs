//! When every candidate is closed.

use domain::Access;
use resilience::{Availability, Forced, Permit, TRIAL_HINT};

use crate::world::{BAD, GOOD, MODEL, World, access, rejected, secs, told};

impl World {
    fn trip(&mut self, access: &Access) {
        for _ in 0..3 {
            let permit = self.accesses.admit(access, MODEL, self.now).unwrap();
            self.end(permit, BAD);
        }
    }

    fn nearest(&mut self, group: &[&Access]) -> Option<(usize, Permit)> {
        let group: Vec<_> = group.iter().map(|access| (*access, MODEL)).collect();
        self.accesses.admit_nearest(&group, self.now)
    }

    fn reopens(&self, group: &[&Access]) -> Option<std::time::Duration> {
        let group = group.iter().map(|access| (*access, MODEL));
        self.accesses.nearest_reopen(group, self.now)
    }
}

#[test]
fn the_one_that_reopens_first_gets_a_single_trial() {
    let mut world = World::new();
    let (one, two) = (world.one.clone(), access("two"));
    world.trip(&two);
    world.pass(secs(2));
    world.trip(&one);
    assert_eq!(world.reopens(&[&one, &two]), Some(secs(3)));
    let (place, permit) = world.nearest(&[&one, &two]).unwrap();
    assert_eq!(place, 1);
    assert!(world.nearest(&[&one, &two]).is_none(), "its trial is out");
    assert_eq!(world.reopens(&[&two]), Some(TRIAL_HINT));
    world.end(permit, GOOD);
    assert_eq!(world.accesses.availability(&two, MODEL, world.now), Availability::Trial);
    assert_eq!(world.reopens(&[&one, &two]), Some(secs(0)));
    assert!(world.logged().contains(&"open>half-open nothing-else".to_owned()));
}

#[test]
fn a_dead_group_is_not_called_by_every_request() {
    let mut world = World::new();
    let (one, two) = (world.one.clone(), access("two"));
    world.trip(&one);
    world.trip(&two);
    let mut calls = 0;
    for _ in 0..100 {
        while let Some((_, permit)) = world.nearest(&[&one, &two]) {
            calls += 1;
            world.end(permit, BAD);
        }
    }
    assert_eq!(calls, 2, "once in each open time");
    assert_eq!(world.reopens(&[&one, &two]), Some(secs(10)), "and each failure costs a step");
}

#[test]
fn a_single_one_keeps_its_open_time() {
    let mut world = World::new();
    let one = world.one.clone();
    world.trip(&one);
    assert!(world.nearest(&[&one]).is_none());
    assert_eq!(world.reopens(&[&one]), Some(secs(5)));
}

#[test]
fn what_is_blocked_cools_down_or_is_held_open_is_left_alone() {
    let mut world = World::new();
    let names = ["blocked", "cooling", "held"];
    let [blocked, cooling, held] = names.map(access);
    for (access, happened) in [(&blocked, rejected()), (&cooling, told(Some(secs(3))))] {
        let late = world.accesses.admit(access, MODEL, world.now).unwrap();
        world.trip(access);
        world.end(late, happened);
    }
    world.trip(&held);
    world.accesses.force(&held, Forced::Open, None, world.now);
    assert!(world.nearest(&[&blocked, &cooling, &held]).is_none());
    assert_eq!(world.reopens(&[&blocked, &held]), None, "no time opens these");
    assert_eq!(world.reopens(&[&blocked, &cooling, &held]), Some(secs(5)));
    let one = world.one.clone();
    world.trip(&one);
    let (place, permit) = world.nearest(&[&blocked, &cooling, &held, &one]).unwrap();
    assert_eq!(place, 3);
    world.end(permit, GOOD);
}

#[test]
fn nothing_is_cut_short_while_something_is_ready() {
    let mut world = World::new();
    let (one, two) = (world.one.clone(), access("two"));
    world.trip(&one);
    assert!(world.nearest(&[&one, &two]).is_none());
    assert_eq!(world.reopens(&[&one, &two]), Some(secs(0)));
}

#[test]
fn an_open_time_of_later_may_be_cut_short_again() {
    let mut world = World::new();
    let (one, two) = (world.one.clone(), access("two"));
    world.trip(&one);
    world.trip(&two);
    for _ in 0..2 {
        let (_, permit) = world.nearest(&[&one, &two]).unwrap();
        world.end(permit, BAD);
    }
    world.pass(secs(10));
    for access in [&one, &two] {
        let permit = world.accesses.admit(access, MODEL, world.now).unwrap();
        world.end(permit, BAD);
    }
    let (_, permit) = world.nearest(&[&one, &two]).unwrap();
    world.end(permit, GOOD);
}
