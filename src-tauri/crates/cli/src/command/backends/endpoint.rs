//! `gatehouse backends states`, `force` and `reset`: the breaker, cooldown and block of each
//! backend and key.

use control::Core;
use control::view::{
    BreakerOverride, EndpointForce, EndpointRef, EndpointView, FORCE_MINUTES_MAX, UnixMs,
};

use crate::command::completers;
use crate::console::Console;
use crate::exit::CommandError;
use crate::quantity::{UNKNOWN, format_distance_if_known};
use crate::sign::{Sign, Tone};
use crate::text::{Column, StyledText, TableCell, TextTable, render_sentence};
use crate::word::word;

/// Default duration of a manual override, in minutes.
const FORCE_MINUTES_DEFAULT: u32 = 15;

/// A backend with one of its keys.
#[derive(Debug, clap::Args)]
pub(crate) struct EndpointArguments {
    /// The backend
    #[arg(value_name = "NAME", add = completers::candidates_from(completers::backend_names))]
    backend: String,
    /// The key, if the backend has several
    #[arg(long, value_name = "KEY", add = completers::candidates_from(completers::key_names))]
    key: Option<String>,
}

/// What is set by hand.
#[derive(Debug, clap::Args)]
pub(crate) struct ForceArguments {
    #[command(flatten)]
    endpoint: EndpointArguments,
    /// What the breaker does until then
    #[arg(long, value_parser = word::<BreakerOverride>())]
    to: BreakerOverride,
    /// Minutes until it ends; by default 15, and for `closed` the time in the settings
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=i64::from(FORCE_MINUTES_MAX)))]
    minutes: Option<u32>,
    /// Keep it until `gatehouse backends reset`; `closed` still ends by itself
    #[arg(long, conflicts_with = "minutes")]
    until_reset: bool,
}

pub(super) async fn states(core: &Core, console: &mut Console) -> Result<(), CommandError> {
    let now = console.now();
    console.print_view(&control::accesses(core).await?, |accesses| table(accesses, now))
}

pub(super) async fn reset(
    wanted: EndpointArguments,
    core: &Core,
    console: &mut Console,
) -> Result<(), CommandError> {
    let req = EndpointRef { backend: wanted.backend, credential: wanted.key };
    let endpoint = control::access_reset(core, req).await?;
    console.print_view(&endpoint, |endpoint| {
        render_sentence(&format!("Reset {}.", endpoint_name(endpoint)))
    })
}

pub(super) async fn force(
    wanted: ForceArguments,
    core: &Core,
    console: &mut Console,
) -> Result<(), CommandError> {
    let forced = wanted.to;
    let what = match forced {
        BreakerOverride::Open => "to block traffic",
        BreakerOverride::Closed => "to allow traffic",
        BreakerOverride::MonitorOnly => "to monitor only",
        BreakerOverride::Disabled => "to disabled (nothing is counted or blocked)",
    };
    let has_own_time = wanted.until_reset || forced == BreakerOverride::Closed;
    let minutes = wanted.minutes.or((!has_own_time).then_some(FORCE_MINUTES_DEFAULT));
    let EndpointArguments { backend, key: credential } = wanted.endpoint;
    let req = EndpointForce { backend, credential, forced, minutes };
    let now = console.now();
    let endpoint = control::access_force(core, req).await?;
    console.print_view(&endpoint, |endpoint| {
        let until = match endpoint.forced.as_ref().and_then(|set| set.until) {
            Some(until) => format!("ending {}", format_distance_if_known(now, Some(until))),
            None => "until reset".to_owned(),
        };
        render_sentence(&format!("Set the breaker of {} {what}, {until}.", endpoint_name(endpoint)))
    })
}

fn endpoint_name(endpoint: &EndpointView) -> String {
    match &endpoint.credential {
        Some(key) => format!("{} with the key {key}", endpoint.backend),
        None => endpoint.backend.clone(),
    }
}

pub(crate) fn table(accesses: &Vec<EndpointView>, now: UnixMs) -> StyledText {
    let mut table = TextTable::new(&[
        Column::Left("Backend"),
        Column::Left("Key").hidden_at_rank(2),
        Column::Left("Breaker"),
        Column::Left("Until"),
        Column::Left("Reason").hidden_at_rank(1),
    ]);
    for endpoint in accesses {
        let own = &endpoint.availability;
        table.row([
            TableCell::styled(Tone::Strong, &endpoint.backend),
            endpoint.credential.as_deref().unwrap_or(UNKNOWN).into(),
            Sign::from(own.state).into(),
            format_distance_if_known(now, own.until).into(),
            own.why.as_str().into(),
        ]);
    }
    let mut text = StyledText::new();
    text.table(&table);
    for endpoint in accesses {
        for cooldown in endpoint.cooldowns.iter().filter(|cooldown| cooldown.model.is_some()) {
            let model = cooldown.model.as_deref().unwrap_or_default();
            let until = format_distance_if_known(now, Some(cooldown.until));
            let sentence = format!("{}: {model} {until}: {}", endpoint.backend, cooldown.why);
            text.line(Tone::Muted, &sentence);
        }
        if let Some(block) = &endpoint.block {
            text.line(Tone::Muted, &format!("{}: {}", endpoint.backend, block.fix));
        }
    }
    text
}
