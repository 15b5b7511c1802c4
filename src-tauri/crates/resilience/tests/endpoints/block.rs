//! Errors that only the user can fix.

use domain::CredentialId;
use resilience::{Availability, BlockReason, CallOutcome, ClosedReason};

use crate::world::{GOOD, MODEL, World, endpoint, rejected, request, secs};

fn blocked(reason: BlockReason) -> Availability {
    Availability::Closed { reason: ClosedReason::Blocked(reason), until: None }
}

#[test]
fn each_reason_blocks_at_once_and_no_time_lifts_it() {
    for reason in BlockReason::ALL {
        let mut world = World::new();
        world.call(CallOutcome::Blocked(*reason));
        assert_eq!(world.look(), blocked(*reason));
        world.pass(secs(365 * 86_400));
        assert_eq!(world.look(), blocked(*reason));
        assert!(world.endpoints.admit(&world.one, MODEL, world.now).is_err());
        assert_eq!(world.log[0].rule.word(), reason.word());
        assert_eq!(world.log[0].evidence, [request(1)]);
    }
}

#[test]
fn a_new_key_lifts_it_for_every_backend_of_that_key_alone() {
    let mut world = World::new();
    world.call(rejected());
    let mut keyless = endpoint("two");
    keyless.credential = None;
    let permit = world.endpoints.admit(&keyless, MODEL, world.now).unwrap();
    world.end(permit, rejected());
    world.log.clear();
    let other = CredentialId::new("other").unwrap();
    assert!(world.endpoints.lift_after_credential_change(&other, world.now).is_empty());
    assert_eq!(world.look(), blocked(BlockReason::KeyRejected));
    let key = CredentialId::new("key").unwrap();
    world.log.extend(world.endpoints.lift_after_credential_change(&key, world.now));
    assert_eq!(world.look(), Availability::Ready);
    assert_eq!(world.logged(), ["blocked>ready credential-changed"]);
    let still = world.endpoints.availability(&keyless, MODEL, world.now);
    assert_eq!(still, blocked(BlockReason::KeyRejected));
}

#[test]
fn a_check_by_hand_and_a_reset_lift_it() {
    let mut world = World::new();
    world.call(rejected());
    world.log.extend(world.endpoints.lift_block_after_recheck(&world.one, world.now));
    assert_eq!(world.look(), Availability::Ready);
    world.call(CallOutcome::Blocked(BlockReason::Unpaid));
    world.log.extend(world.endpoints.reset(&world.one, world.now));
    assert_eq!(world.look(), Availability::Ready);
    let logged = world.logged();
    let expected = [
        "ready>blocked key-rejected",
        "blocked>ready recheck-passed",
        "ready>blocked unpaid",
        "blocked>ready reset",
    ];
    assert_eq!(logged, expected);
}

#[test]
fn the_old_keys_last_calls_do_not_block_the_new_one() {
    let mut world = World::new();
    let late = world.begin();
    let key = CredentialId::new("key").unwrap();
    world.endpoints.lift_after_credential_change(&key, world.now);
    world.call(GOOD);
    world.end(late, rejected());
    assert_eq!(world.look(), Availability::Ready);
    world.call(rejected());
    assert_eq!(world.look(), blocked(BlockReason::KeyRejected));
}

#[test]
fn a_block_is_no_failure_and_its_first_reason_stays() {
    let mut world = World::new();
    let late = world.begin();
    world.call(rejected());
    world.end(late, CallOutcome::Blocked(BlockReason::Unpaid));
    assert_eq!(world.look(), blocked(BlockReason::KeyRejected));
    let standing = world.endpoints.status(&world.one, world.now);
    assert_eq!(standing.recent.calls, 0);
    assert_eq!(standing.reason, "Blocked: the provider rejected the key.");
}
