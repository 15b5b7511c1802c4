//! The program `gatehouse-desktop`: reads the environment, starts the log, runs the window.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

use anyhow::Context as _;
use control::{DisplayAvailability, EngineConfig, LaunchContext};

#[global_allocator]
static ALLOCATOR: control::Allocator = control::ALLOCATOR;

fn main() -> ExitCode {
    redact_panics();
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a program reads its environment")]
fn start() -> anyhow::Result<()> {
    let filter = std::env::var("GATEHOUSE_LOG").unwrap_or_else(|_| "info".to_owned());
    let started = LaunchContext {
        arguments: std::env::args_os().collect(),
        variables: std::env::vars_os().collect(),
    };
    let variables = control::private_variables(started)
        .context("the keys in the environment could not be hidden from child processes")?;
    if DisplayAvailability::from_variables(&variables) == DisplayAvailability::Unavailable {
        anyhow::bail!(
            "there is no display to open a window on. Run `gatehouse serve --panel` and open the \
             link it prints, or set DISPLAY or WAYLAND_DISPLAY"
        );
    }
    control::harden_process();
    let config = EngineConfig::from_variables(variables)?;
    config.folders.create()?;
    let _log = control::start_log(&config.folders.log_folder(), &filter)?;
    gatehouse_desktop::run(config)
}

/// Redacts panic messages, which may quote a key.
fn redact_panics() {
    std::panic::set_hook(Box::new(|panic| print_error(&panic.to_string())));
}

#[expect(clippy::print_stderr, reason = "there is no window to say it in")]
fn print_error(message: &str) {
    eprintln!("gatehouse-desktop: {}", domain::redact(message));
}
