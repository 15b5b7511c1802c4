//! `gatehouse status`: gateway, backends and spend on one screen.

use control::Core;
use control::view::{ActionView, BackendCountsView, GatewayState, NeedView, StatusView, UnixMs};

use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::quantity::{counted, distance, spend};
use crate::sign::{Sign, Tone};
use crate::text::{Piece, Table, Text};

pub(crate) async fn run(core: &Core, console: &mut Console) -> Result<Exit, Failure> {
    let status = control::status(core).await?;
    console.answer(&status, text)?;
    Ok(exit(&status, matches!(core, Core::Remote(_))))
}

/// The exit code for a supervisor: `No` if nothing runs, the gateway does not listen, or all of the
/// user's own backends are known to be down. An unknown state is no reason for a restart.
pub(super) fn exit(status: &StatusView, is_running: bool) -> Exit {
    let BackendCountsView { total, down, disabled, .. } = status.backends;
    // `total` includes the built-in mock, which is always up and serves no real request.
    let own = total.saturating_sub(1).saturating_sub(disabled);
    let nothing_answers = own > 0 && down >= own;
    let listens = status.gateway.state == GatewayState::Listening;
    if is_running && listens && !nothing_answers { Exit::Fine } else { Exit::No }
}

/// Renders the verdict and what needs attention, then the facts.
pub(super) fn text(status: &StatusView) -> Text {
    let mut text = Text::new();
    let verdict = Sign::from(status.verdict.level);
    text.sign(verdict).piece(Tone::Plain, "  ").line(Tone::Strong, &status.verdict.sentence);
    for need in &status.verdict.needs {
        tell_need(&mut text, need, status.now);
    }
    text.end().table(&facts(status));
    text
}

fn tell_need(text: &mut Text, need: &NeedView, now: UnixMs) {
    let since = need.since.map_or_else(String::new, |since| format!(" ({})", distance(now, since)));
    text.piece(Tone::Plain, "  ").sign(need.level).piece(Tone::Plain, "  ");
    text.piece(Tone::Plain, &need.title).line(Tone::Muted, &since);
    text.piece(Tone::Plain, "      ").line(Tone::Muted, &need.impact);
    if let Some(command) = next_step(need) {
        text.piece(Tone::Muted, "      try: ").line(Tone::Plain, &command);
    }
}

/// The command that does the same as the panel's button; `None` if the need itself names one.
fn next_step(need: &NeedView) -> Option<String> {
    // The button for these needs opens the settings; no command would help.
    match need.id.as_str() {
        "gateway" | "vault" | "vault/missing" => return None,
        _ => {}
    }
    Some(match &need.action {
        ActionView::OpenBackend { id } => format!("gatehouse backends test {id}"),
        ActionView::OpenKey { id } => format!("gatehouse keys verify {id}"),
        ActionView::OpenRoute { .. } | ActionView::OpenRouting => {
            "gatehouse routes list".to_owned()
        }
        ActionView::AddBackend => "gatehouse backends add".to_owned(),
        ActionView::AddClient => "gatehouse clients add".to_owned(),
        ActionView::RunChecks | ActionView::OpenReadiness => "gatehouse check".to_owned(),
        ActionView::OpenSettings => "gatehouse settings check".to_owned(),
        ActionView::OpenLedger => "gatehouse ledger status".to_owned(),
    })
}

fn facts(status: &StatusView) -> Table {
    let mut table = Table::of_facts();
    let gateway = &status.gateway;
    let gateway_detail = match &gateway.reason {
        Some(reason) => format!("{}: {reason}", gateway.address),
        None => gateway.address.clone(),
    };
    let kind = super::keys::vault_kind(status.vault.kind);
    let vault_detail = match &status.vault.hint {
        Some(hint) => format!("{kind}: {hint}"),
        None => kind.to_owned(),
    };
    let today = &status.spend_today;
    let started = distance(status.now, status.started_at);
    table.row([name("Gateway"), Sign::from(gateway.state).into(), gateway_detail.into()]);
    table.row([name("Vault"), Sign::from(status.vault.state).into(), vault_detail.into()]);
    table.row([
        name("Backends"),
        counted(total(&status.backends), "backend").into(),
        backends(&status.backends).into(),
    ]);
    table.row([name("Today"), spend(today).into(), counted(today.requests, "request").into()]);
    table.row([name("In flight"), status.requests_in_flight.to_string().into(), "".into()]);
    if let Some(run) = &status.last_run {
        let when = format!("{}, {}", run.sentence, distance(status.now, run.ended_at));
        table.row([name("Last check"), Sign::from(run.verdict).into(), when.into()]);
    }
    table.row([
        name("Version"),
        status.version.as_str().into(),
        format!("started {started}").into(),
    ]);
    table.row([name("Data"), "".into(), status.data_folder.as_str().into()]);
    table
}

fn name(text: &str) -> Piece {
    Piece::toned(Tone::Muted, text)
}

fn total(counts: &BackendCountsView) -> control::view::Count {
    control::view::Count(counts.total.into())
}

/// Lists the states that occur: `2 up, 1 down`.
fn backends(counts: &BackendCountsView) -> String {
    let parts = [
        (counts.up, "up"),
        (counts.down, "down"),
        (counts.unknown, "unknown"),
        (counts.disabled, "off"),
    ];
    let told = parts.iter().filter(|(number, _)| *number > 0);
    told.map(|(number, word)| format!("{number} {word}")).collect::<Vec<_>>().join(", ")
}
