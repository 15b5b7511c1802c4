//! `gatehouse backends states`, `force` and `reset`: the circuit, cooldown and block of each
//! backend and key.

use clap::ValueEnum;
use control::Core;
use control::view::{AccessForce, AccessRef, AccessView, FORCE_MINUTES_MAX, ForcedView, UnixMs};

use super::done;
use crate::command::completions;
use crate::console::Console;
use crate::exit::Failure;
use crate::quantity::{UNKNOWN, distance_if_known};
use crate::sign::{Sign, Tone};
use crate::text::{Column, Piece, Table, Text};

/// Default duration of a manual override, in minutes.
const MINUTES_USUAL: u32 = 15;

/// A backend with one of its keys.
#[derive(Debug, clap::Args)]
pub(crate) struct Access {
    /// The backend
    #[arg(value_name = "NAME", add = completions::of(completions::backends))]
    backend: String,
    /// The key, if the backend has several
    #[arg(long, value_name = "KEY", add = completions::of(completions::keys))]
    key: Option<String>,
}

/// What is set by hand.
#[derive(Debug, clap::Args)]
pub(crate) struct Force {
    #[command(flatten)]
    access: Access,
    /// What the circuit breaker does until then
    #[arg(long, value_enum)]
    to: Forced,
    /// Minutes until it ends; by default 15, and for `closed` the time in the settings
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=i64::from(FORCE_MINUTES_MAX)))]
    minutes: Option<u32>,
    /// Keep it until `gatehouse backends reset`; `closed` still ends by itself
    #[arg(long, conflicts_with = "minutes")]
    until_reset: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Forced {
    /// Block traffic
    #[value(alias = "block")]
    Open,
    /// Allow traffic; a rejected key still blocks
    #[value(alias = "allow")]
    Closed,
    /// Monitor only: count failures, block nothing
    #[value(alias = "count-only")]
    MonitorOnly,
    /// Disable the breaker: neither count nor block
    Disabled,
}

pub(super) async fn states(core: &Core, console: &mut Console) -> Result<(), Failure> {
    let now = console.now();
    console.answer(&control::accesses(core).await?, |accesses| table(accesses, now))
}

pub(super) async fn reset(
    wanted: Access,
    core: &Core,
    console: &mut Console,
) -> Result<(), Failure> {
    let req = AccessRef { backend: wanted.backend, credential: wanted.key };
    let access = control::access_reset(core, req).await?;
    console.answer(&access, |access| done(&format!("Reset {}.", name(access))))
}

pub(super) async fn force(
    wanted: Force,
    core: &Core,
    console: &mut Console,
) -> Result<(), Failure> {
    let (forced, what) = match wanted.to {
        Forced::Open => (ForcedView::Open, "to block traffic"),
        Forced::Closed => (ForcedView::Closed, "to allow traffic"),
        Forced::MonitorOnly => (ForcedView::MonitorOnly, "to monitor only"),
        Forced::Disabled => (ForcedView::Disabled, "to disabled (nothing is counted or blocked)"),
    };
    let has_own_time = wanted.until_reset || matches!(wanted.to, Forced::Closed);
    let minutes = wanted.minutes.or((!has_own_time).then_some(MINUTES_USUAL));
    let Access { backend, key: credential } = wanted.access;
    let req = AccessForce { backend, credential, forced, minutes };
    let now = console.now();
    let access = control::access_force(core, req).await?;
    console.answer(&access, |access| {
        let until = match access.forced.as_ref().and_then(|set| set.until) {
            Some(until) => format!("ending {}", distance_if_known(now, Some(until))),
            None => "until reset".to_owned(),
        };
        done(&format!("Set the circuit breaker of {} {what}, {until}.", name(access)))
    })
}

fn name(access: &AccessView) -> String {
    match &access.credential {
        Some(key) => format!("{} with the key {key}", access.backend),
        None => access.backend.clone(),
    }
}

pub(crate) fn table(accesses: &Vec<AccessView>, now: UnixMs) -> Text {
    let mut table = Table::new(&[
        Column::Left("Backend"),
        Column::Left("Key").minor(2),
        Column::Left("Circuit"),
        Column::Left("Until"),
        Column::Left("Reason").minor(1),
    ]);
    for access in accesses {
        let own = &access.availability;
        table.row([
            Piece::toned(Tone::Strong, &access.backend),
            access.credential.as_deref().unwrap_or(UNKNOWN).into(),
            Sign::from(own.state).into(),
            distance_if_known(now, own.until).into(),
            own.why.as_str().into(),
        ]);
    }
    let mut text = Text::new();
    text.table(&table);
    for access in accesses {
        for cooldown in access.cooldowns.iter().filter(|cooldown| cooldown.model.is_some()) {
            let model = cooldown.model.as_deref().unwrap_or_default();
            let until = distance_if_known(now, Some(cooldown.until));
            let sentence = format!("{}: {model} {until}: {}", access.backend, cooldown.why);
            text.line(Tone::Muted, &sentence);
        }
        if let Some(block) = &access.block {
            text.line(Tone::Muted, &format!("{}: {}", access.backend, block.fix));
        }
    }
    text
}
