//! A kill between any two steps. After each step the folder is copied as a kill would leave it; from
//! every copy the repair must lead to a whole file.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::agents::{config as agent_config, server, world as agent_world};
use super::world::{World, read, target};
use crate::{AgentProgram, ChangedKeys, ClientTool, WiredTool, Wiring, WiringError, WiringState};

const CLAUDE: ClientTool = ClientTool::ClaudeCode;
const BEFORE: &str = "{\n  \"model\": \"opus\"\n}\n";

/// A file of the tool, in its format.
fn text_of(config: &Path) -> &'static str {
    match config.extension().and_then(|end| end.to_str()) {
        Some("toml") => "model = \"opus\" # mine\n",
        Some("yml" | "yaml") => "note: opus\n",
        _ => BEFORE,
    }
}

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
fn record_steps<T: WiredTool>(
    world: &World,
    change: impl FnOnce(&Wiring<T>) -> Result<crate::ToolStatus<T>, WiringError>,
) -> usize {
    let steps = Arc::new(AtomicUsize::new(0));
    let mut wiring = world.wiring_of();
    let (home, state, kills) = (world.home(), world.path("state"), world.path("kills"));
    let (counted, vault) = (Arc::clone(&steps), Arc::clone(&world.vault));
    wiring.disk.after_step = Some(Box::new(move || {
        let step = counted.fetch_add(1, Ordering::Relaxed);
        vault.record_step(step);
        copy(&home, &kills.join(format!("{step}/home")));
        copy(&state, &kills.join(format!("{step}/state")));
    }));
    change(&wiring).expect("done");
    steps.load(Ordering::Relaxed)
}

/// Makes the folders what they were after a step.
fn kill_after(world: &World, step: usize) {
    world.vault.return_to(step);
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

fn kill_wirings<T: WiredTool>(
    world: &World,
    tool: T,
    (config, before): (&Path, Option<&str>),
    target: &T::Target,
) {
    if let Some(before) = before {
        world.write(config, before);
    }
    let steps = record_steps::<T>(world, |wiring| wiring.wire(tool, target, None));
    let wired = read(config).expect("a file");
    assert!(steps >= 10, "{tool:?}: {steps} steps");
    let mut completed = 0;
    for step in 0..steps {
        kill_after(world, step);
        let at = format!("{tool:?}, step {step}");
        let left = read(config);
        assert!(left.as_deref() == before || left.as_ref() == Some(&wired), "{at}");
        let wiring = world.wiring_of::<T>();
        assert!(wiring.repair().is_empty(), "{at}");
        match wiring.status(tool).state {
            WiringState::NotWired => assert_eq!(read(config).as_deref(), before, "{at}"),
            state => {
                assert_eq!(state, WiringState::Wired, "{at}");
                assert_eq!(read(config).as_ref(), Some(&wired), "{at}");
                wiring.unwire(tool, ChangedKeys::Refuse).expect("unwired");
                assert_eq!(read(config).as_deref(), before, "{at}");
                completed += 1;
            }
        }
        // What a kill leaves beside the record goes with the next change.
        wiring.wire(tool, target, None).expect("wired");
        assert_nothing_left(world, config, step);
    }
    assert!(completed > 5, "{tool:?}: {completed} of {steps} completed");
}

/// Half of the tools, since each step of each is undone and repeated.
fn half_of_tools(second: usize) -> impl Iterator<Item = ClientTool> {
    ClientTool::ALL
        .iter()
        .copied()
        .enumerate()
        .filter(move |(at, _)| at % 2 == second)
        .map(|it| it.1)
}

#[test]
fn a_wiring_killed_after_any_step_is_not_begun_or_completed() {
    half_of_tools(0).for_each(kill_wirings_of);
}

#[test]
fn a_wiring_of_another_tool_killed_after_any_step_is_not_begun_or_completed() {
    half_of_tools(1).for_each(kill_wirings_of);
}

fn kill_wirings_of(tool: ClientTool) {
    for is_there in [false, true] {
        let world = World::new();
        let config = world.config(tool);
        let before = is_there.then(|| text_of(&config));
        kill_wirings(&world, tool, (&config, before), &target());
    }
}

#[test]
fn an_entry_killed_after_any_step_is_not_begun_or_completed() {
    for program in AgentProgram::ALL {
        let world = agent_world();
        let config = agent_config(&world, *program);
        kill_wirings(&world, *program, (&config, Some(text_of(&config))), &server());
    }
}

#[test]
fn a_wiring_with_a_key_killed_after_any_step_is_not_begun_or_completed() {
    let world = World::new();
    let before = "{\n  \"env\": {\"ANTHROPIC_AUTH_TOKEN\": \"sk-CANARY-0123456789\"}\n}\n";
    let config = world.config(CLAUDE);
    kill_wirings(&world, CLAUDE, (&config, Some(before)), &target());
    world.wiring().unwire(CLAUDE, ChangedKeys::Refuse).expect("unwired");
    kill_unwirings(&world, CLAUDE, (&config, Some(before), false), &target());
}

fn kill_unwirings<T: WiredTool>(
    world: &World,
    tool: T,
    (config, before, edit): (&Path, Option<&str>, bool),
    target: &T::Target,
) {
    if let Some(before) = before {
        world.write(config, before);
    }
    world.wiring_of::<T>().wire(tool, target, None).expect("wired");
    let change = |text: &str| if edit { text.replace("opus", "haiku") } else { text.to_owned() };
    let wired = change(&read(config).expect("a file"));
    world.write(config, &wired);
    let expected = before.map(change);
    let steps = record_steps::<T>(world, |wiring| wiring.unwire(tool, ChangedKeys::Refuse));
    for step in 0..steps {
        kill_after(world, step);
        let at = format!("{tool:?}, step {step}");
        let left = read(config);
        assert!(left == expected || left.as_ref() == Some(&wired), "{at}");
        let wiring = world.wiring_of::<T>();
        assert!(wiring.repair().is_empty(), "{at}");
        match wiring.status(tool).state {
            WiringState::NotWired => assert_eq!(read(config), expected, "{at}"),
            state => {
                assert_eq!(state, WiringState::Wired, "{at}");
                assert_eq!(read(config).as_ref(), Some(&wired), "{at}");
                wiring.unwire(tool, ChangedKeys::Refuse).expect("unwired");
                assert_eq!(read(config), expected, "{at}");
            }
        }
        wiring.wire(tool, target, None).expect("wired");
        assert_nothing_left(world, config, step);
    }
}

#[test]
fn an_unwiring_killed_after_any_step_is_not_begun_or_completed() {
    half_of_tools(0).for_each(kill_unwirings_of);
}

#[test]
fn an_unwiring_of_another_tool_killed_after_any_step_is_not_begun_or_completed() {
    half_of_tools(1).for_each(kill_unwirings_of);
}

fn kill_unwirings_of(tool: ClientTool) {
    for (is_there, edit) in [(false, false), (true, false), (true, true)] {
        let world = World::new();
        let config = world.config(tool);
        let before = is_there.then(|| text_of(&config));
        kill_unwirings(&world, tool, (&config, before, edit), &target());
    }
}

#[test]
fn a_removal_of_an_entry_killed_after_any_step_is_not_begun_or_completed() {
    for program in AgentProgram::ALL {
        for edit in [false, true] {
            let world = agent_world();
            let config = agent_config(&world, *program);
            let before = Some(text_of(&config));
            kill_unwirings(&world, *program, (&config, before, edit), &server());
        }
    }
}

#[test]
fn a_file_changed_after_a_kill_is_left_alone_and_shown_as_drift() {
    let world = World::new();
    let config = world.config(CLAUDE);
    world.write(&config, BEFORE);
    let steps = record_steps::<ClientTool>(&world, |wiring| wiring.wire(CLAUDE, &target(), None));
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
