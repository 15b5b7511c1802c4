//! What the return of the network forgets.

use domain::Moment;
use resilience::{Availability, ProbeOutcome};

use crate::world::{BAD, GOOD, World, endpoint, secs};

impl World {
    /// The network that was found to be down at `found` is back.
    fn network_back(&mut self, doubtful: Moment) {
        let one = self.one.clone();
        self.log.extend(self.endpoints.forget_failures(doubtful, |it| *it == one, self.now));
    }
}

#[test]
fn a_breaker_that_opened_in_doubt_is_closed_at_once() {
    let mut world = World::new();
    let doubtful = world.now;
    world.calls(3, BAD);
    // A trial in the outage says nothing, and one before it was found opens it again.
    world.pass(world.open_for());
    world.call(BAD);
    world.pass(secs(3));
    world.logged();
    world.network_back(doubtful);
    assert_eq!(world.logged(), ["open>closed network-back"]);
    assert_eq!(world.look(), Availability::Ready);
    // It opens by the same rule as before, for as long as the first time.
    world.calls(3, BAD);
    assert_eq!(world.open_for(), secs(5));
}

#[test]
fn one_that_opened_before_the_doubt_stays_open() {
    let mut world = World::new();
    world.calls(3, BAD);
    world.pass(world.open_for());
    let doubtful = world.now;
    world.call(BAD);
    let left = world.open_for();
    world.network_back(doubtful);
    assert_eq!(world.open_for(), left);
}

#[test]
fn a_closed_one_counts_anew_and_calls_from_before_do_not_count() {
    let mut world = World::new();
    let early: Vec<_> = (0..3).map(|_| world.begin()).collect();
    world.calls(2, BAD);
    world.probe(ProbeOutcome::Failed);
    world.network_back(world.now);
    for permit in early {
        world.end(permit, BAD);
    }
    world.calls(2, BAD);
    assert_eq!(world.look(), Availability::Ready);
    world.call(BAD);
    assert_eq!(world.open_for(), secs(5));
    assert_eq!(world.logged(), ["closed>open failures-in-a-row"]);
}

#[test]
fn endpoints_that_the_network_does_not_lead_to_keep_what_they_learnt() {
    let mut world = World::new();
    let doubtful = world.now;
    world.one = endpoint("near");
    world.calls(3, BAD);
    world.one = endpoint("far");
    world.calls(1, GOOD);
    world.network_back(doubtful);
    world.one = endpoint("near");
    assert_eq!(world.open_for(), secs(5));
}
