//! A kill between any two steps. After each step the folder is copied as a kill would leave it; from
//! every copy the repair must lead to a whole file.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::world::{World, read, target};
use crate::{ChangedKeys, ClientTool, Wiring, WiringError, WiringState};

const CLAUDE: ClientTool = ClientTool::ClaudeCode;
const BEFORE: &str = "{\n  \"model\": \"opus\"\n}\n";

pub(super) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let (source, copied) = (entry.path(), to.join(entry.file_name()));
        match source.is_dir() {
            true => copy(&source, &copied),
            false => drop(std::fs::copy(&source, &copied).expect("copied")),
        }
    }
}

/// Runs `change` and returns how many steps it took. `kills/N` is what a kill after step N leaves.
fn record_steps(
    world: &World,
    change: impl FnOnce(&Wiring) -> Result<crate::ToolStatus, WiringError>,
) -> usize {
    let steps = Arc::new(AtomicUsize::new(0));
    let mut wiring = world.wiring();
    let (home, state, kills) = (world.home(), world.path("state"), world.path("kills"));
    let counted = Arc::clone(&steps);
    wiring.disk.after_step = Some(Box::new(move || {
        let step = counted.fetch_add(1, Ordering::Relaxed);
        copy(&home, &kills.join(format!("{step}/home")));
        copy(&state, &kills.join(format!("{step}/state")));
    }));
    change(&wiring).expect("done");
    steps.load(Ordering::Relaxed)
}

/// Makes the folders what they were after a step.
fn kill_after(world: &World, step: usize) {
    for name in ["home", "state"] {
        std::fs::remove_dir_all(world.path(name)).expect("removed");
        copy(&world.path(&format!("kills/{step}/{name}")), &world.path(name));
    }
}

fn assert_nothing_left(world: &World, config: &Path, step: usize) {
    for folder in [config.parent().expect("a folder"), &world.path("state/wiring")] {
        let left = world.names(folder);
        assert!(!left.iter().any(|name| name.starts_with(".gatehouse")), "step {step}: {left:?}");
    }
}

#[test]
fn a_wiring_killed_after_any_step_is_not_begun_or_completed() {
    for (tool, before) in [
        (CLAUDE, None),
        (CLAUDE, Some(BEFORE)),
        (ClientTool::OpenCode, Some(BEFORE)),
        (ClientTool::Zed, Some(BEFORE)),
    ] {
        let world = World::new();
        let config = world.config(tool);
        if let Some(before) = before {
            world.write(&config, before);
        }
        let steps = record_steps(&world, |wiring| wiring.wire(tool, &target(), None));
        let wired = read(&config).expect("a file");
        assert!(steps >= 10, "{steps} steps");
        let mut completed = 0;
        for step in 0..steps {
            kill_after(&world, step);
            let left = read(&config);
            assert!(left.as_deref() == before || left.as_ref() == Some(&wired), "step {step}");
            let wiring = world.wiring();
            assert!(wiring.repair().is_empty(), "step {step}");
            match wiring.status(tool).state {
                WiringState::NotWired => {
                    assert_eq!(read(&config).as_deref(), before, "step {step}");
                }
                state => {
                    assert_eq!(state, WiringState::Wired, "step {step}");
                    assert_eq!(read(&config).as_ref(), Some(&wired), "step {step}");
                    wiring.unwire(tool, ChangedKeys::Refuse).expect("unwired");
                    assert_eq!(read(&config).as_deref(), before, "step {step}");
                    completed += 1;
                }
            }
            // What a kill leaves beside the record goes with the next change.
            wiring.wire(tool, &target(), None).expect("wired");
            assert_nothing_left(&world, &config, step);
        }
        assert!(completed > 5, "{completed} of {steps} completed");
    }
}

#[test]
fn an_unwiring_killed_after_any_step_is_not_begun_or_completed() {
    for (tool, before, edit) in [
        (CLAUDE, None, false),
        (CLAUDE, Some(BEFORE), false),
        (CLAUDE, Some(BEFORE), true),
        (ClientTool::OpenCode, Some(BEFORE), true),
        (ClientTool::Zed, Some(BEFORE), true),
    ] {
        let world = World::new();
        let config = world.config(tool);
        if let Some(before) = before {
            world.write(&config, before);
        }
        world.wiring().wire(tool, &target(), None).expect("wired");
        let change =
            |text: &str| if edit { text.replace("opus", "haiku") } else { text.to_owned() };
        let wired = change(&read(&config).expect("a file"));
        world.write(&config, &wired);
        let expected = before.map(change);
        let steps = record_steps(&world, |wiring| wiring.unwire(tool, ChangedKeys::Refuse));
        for step in 0..steps {
            kill_after(&world, step);
            let left = read(&config);
            assert!(left == expected || left.as_ref() == Some(&wired), "step {step}");
            let wiring = world.wiring();
            assert!(wiring.repair().is_empty(), "step {step}");
            match wiring.status(tool).state {
                WiringState::NotWired => assert_eq!(read(&config), expected, "step {step}"),
                state => {
                    assert_eq!(state, WiringState::Wired, "step {step}");
                    assert_eq!(read(&config).as_ref(), Some(&wired), "step {step}");
                    wiring.unwire(tool, ChangedKeys::Refuse).expect("unwired");
                    assert_eq!(read(&config), expected, "step {step}");
                }
            }
            wiring.wire(tool, &target(), None).expect("wired");
            assert_nothing_left(&world, &config, step);
        }
    }
}

#[test]
fn a_file_changed_after_a_kill_is_left_alone_and_shown_as_drift() {
    let world = World::new();
    let config = world.config(CLAUDE);
    world.write(&config, BEFORE);
    let steps = record_steps(&world, |wiring| wiring.wire(CLAUDE, &target(), None));
    let mut drifted = 0;
    for step in 0..steps {
        kill_after(&world, step);
        let other = "{\n  \"model\": \"someone's\"\n}\n";
        world.write(&config, other);
        let wiring = world.wiring();
        assert!(wiring.repair().is_empty(), "step {step}");
        assert_eq!(read(&config).as_deref(), Some(other), "step {step}");
        drifted += usize::from(wiring.status(CLAUDE).state == WiringState::Drifted);
    }
    assert!(drifted > 0);
}
