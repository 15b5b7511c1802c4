//! The engine of another process that starts, stops or hangs, as a command finds it.

use std::time::Duration;

use control::{Core, LockError, StartError};
use domain::{Clock, Secret, SystemClock};
use engine::{Folders, OwnerLock, OwnerNote};
use tempfile::TempDir;

use crate::world::{World, config, new_home, world};

fn owned(home: &TempDir) -> OwnerLock {
    let folders = Folders::resolve(Some(home.path())).expect("folders");
    folders.create().expect("created");
    OwnerLock::acquire(&folders).expect("free")
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_owner_is_awaited_and_then_reported() {
    let home = new_home();
    let _owner = owned(&home);
    let clock = SystemClock::new();
    let begun = clock.now();
    let outcome = Core::open(config(&home)).await;
    assert!(matches!(outcome, Err(StartError::Lock(LockError::Held(_)))), "{outcome:?}");
    let took = clock.now().since(begun);
    assert!((Duration::from_secs(5)..Duration::from_millis(5_200)).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_starting_owner_is_found_and_a_stopping_one_is_awaited() {
    let home = new_home();
    let owner = owned(&home);
    let note = OwnerNote {
        address: "http://127.0.0.1:9".to_owned(),
        token: Secret::parse("ghc_x".to_owned()).expect("a token"),
        pid: 1,
        version: String::new(),
    };
    let starts = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        owner.publish(&note).expect("published");
    };
    let (core, ()) = tokio::join!(Core::open(config(&home)), starts);
    assert!(matches!(core, Ok(Core::Remote(_))), "{core:?}");
    owner.withdraw();
    let stops = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        drop(owner);
    };
    let (core, ()) = tokio::join!(Core::open(config(&home)), stops);
    assert!(matches!(core, Ok(Core::Local(..))), "{core:?}");
}

#[tokio::test]
async fn an_engine_can_be_found_until_it_has_stopped() {
    let World { core, home, .. } = world().await;
    let folders = Folders::resolve(Some(home.path())).expect("folders");
    assert!(engine::find_owner(&folders).is_some());
    core.stop().await;
    assert!(engine::find_owner(&folders).is_none(), "nothing answers any more");
}
