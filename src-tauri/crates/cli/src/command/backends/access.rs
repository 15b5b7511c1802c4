//! What holds a backend back with each of its keys, and what is set by hand.

use clap::ValueEnum;
use control::Core;
use control::view::{AccessForce, AccessRef, AccessView, FORCE_MINUTES_MAX, ForcedView, UnixMs};

use super::done;
use crate::console::Console;
use crate::exit::Failure;
use crate::quantity::{UNKNOWN, distance_if_known};
use crate::sign::{Sign, Tone};
use crate::text::{Column, Piece, Table, Text};

/// For how long something is set by hand where nobody says, in minutes.
const MINUTES_USUAL: u32 = 15;

/// A backend with one of its keys.
#[derive(Debug, clap::Args)]
pub(crate) struct Access {
    /// The backend
    #[arg(value_name = "NAME")]
    backend: String,
    /// With which of its keys; needed only if it has several
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

/// What is set by hand.
#[derive(Debug, clap::Args)]
pub(crate) struct Force {
    #[command(flatten)]
    access: Access,
    /// What the breaker does
    #[arg(long, value_enum)]
    to: Forced,
    /// For how long; closed lasts as long as the settings say, everything else 15
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=i64::from(FORCE_MINUTES_MAX)))]
    minutes: Option<u32>,
    /// Until `gatehouse backends reset`; closed ends by itself all the same
    #[arg(long, conflicts_with = "minutes")]
    until_reset: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Forced {
    /// Let nothing through
    Open,
    /// Let everything through; a rejected key still blocks
    Closed,
    /// Count and write down, stop nothing
    MonitorOnly,
    /// Do nothing
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
        Forced::Open => (ForcedView::Open, "open: it gets no requests"),
        Forced::Closed => (ForcedView::Closed, "closed: failures do not stop it"),
        Forced::MonitorOnly => (ForcedView::MonitorOnly, "to watching only"),
        Forced::Disabled => (ForcedView::Disabled, "to off"),
    };
    let has_own_time = wanted.until_reset || matches!(wanted.to, Forced::Closed);
    let minutes = wanted.minutes.or((!has_own_time).then_some(MINUTES_USUAL));
    let Access { backend, key: credential } = wanted.access;
    let req = AccessForce { backend, credential, forced, minutes };
    let now = console.now();
    let access = control::access_force(core, req).await?;
    console.answer(&access, |access| {
        let until = match access.forced.as_ref().and_then(|set| set.until) {
            Some(until) => format!("it ends {}", distance_if_known(now, Some(until))),
            None => "until it is reset".to_owned(),
        };
        done(&format!("Set the breaker of {} {what}, {until}.", name(access)))
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
        Column::Left("Key"),
        Column::Left("State"),
        Column::Left("Until"),
        Column::Left("Why"),
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
