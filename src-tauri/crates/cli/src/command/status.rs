//! `gatehouse status`: gateway, backends and spend on one screen.

use control::Core;
use control::view::{
    BackendCountsView, GatewayState, PanelActionView, StatusIssueView, StatusView, UnixMs,
};

use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::{CostSum, format_counted_noun, format_distance};
use crate::sign::{Sign, Tone};
use crate::text::{StyledText, TableCell, TextTable};

pub(crate) async fn run(core: &Core, console: &mut Console) -> Result<Exit, CommandError> {
    let status = control::status(core).await?;
    console.print_view(&status, render_status)?;
    Ok(exit(&status, matches!(core, Core::Remote(_))))
}

/// The exit code for a supervisor: `No` if nothing runs, the gateway does not answer, or all of the
/// user's own backends are known to be down. An unknown state is no reason for a restart.
pub(super) fn exit(status: &StatusView, is_running: bool) -> Exit {
    let BackendCountsView { total, down, disabled, .. } = status.backends;
    // `total` includes the built-in mock, which is always up and serves no real request.
    let own = total.saturating_sub(1).saturating_sub(disabled);
    let nothing_answers = own > 0 && down >= own;
    // A paused gateway answers, and a restart would end the user's pause.
    let answers = matches!(status.gateway.state, GatewayState::Listening | GatewayState::Paused);
    if is_running && answers && !nothing_answers { Exit::Success } else { Exit::Negative }
}

/// Renders the verdict and what needs attention, then the facts.
pub(super) fn render_status(status: &StatusView) -> StyledText {
    let mut text = StyledText::new();
    let verdict = Sign::from(status.verdict.level);
    text.sign(verdict).piece(Tone::Plain, "  ").line(Tone::Strong, &status.verdict.sentence);
    for need in &status.verdict.needs {
        append_need(&mut text, need, status.now);
    }
    text.end().table(&facts_table(status));
    text
}

fn append_need(text: &mut StyledText, need: &StatusIssueView, now: UnixMs) {
    let since =
        need.since.map_or_else(String::new, |since| format!(" ({})", format_distance(now, since)));
    text.piece(Tone::Plain, "  ").sign(need.level).piece(Tone::Plain, "  ");
    text.piece(Tone::Plain, &need.title).line(Tone::Muted, &since);
    text.piece(Tone::Plain, "      ").line(Tone::Muted, &need.impact);
    if let Some(command) = suggested_command(need) {
        text.piece(Tone::Muted, "      try: ").line(Tone::Plain, &command);
    }
}

/// The command that does the same as the panel's button; `None` if the need itself names one.
fn suggested_command(need: &StatusIssueView) -> Option<String> {
    // The button for these needs opens the settings; no command would help.
    match (need.id.as_str(), &need.action) {
        (_, PanelActionView::ResumeGateway) => {}
        ("gateway" | "vault" | "vault/missing", _) => return None,
        _ => {}
    }
    Some(match &need.action {
        PanelActionView::OpenBackend { id } => format!("gatehouse backends test {id}"),
        PanelActionView::OpenKey { id } => format!("gatehouse keys verify {id}"),
        PanelActionView::OpenRoute { .. } | PanelActionView::OpenRouting => {
            "gatehouse routes list".to_owned()
        }
        PanelActionView::AddBackend => "gatehouse backends add".to_owned(),
        PanelActionView::AddClient => "gatehouse clients add".to_owned(),
        PanelActionView::OpenClients => "gatehouse clients status".to_owned(),
        PanelActionView::FindKeys => "gatehouse keys scan".to_owned(),
        PanelActionView::RunChecks | PanelActionView::OpenReadiness => "gatehouse check".to_owned(),
        PanelActionView::ResumeGateway => "gatehouse resume".to_owned(),
        PanelActionView::OpenHealth => "gatehouse services list".to_owned(),
        PanelActionView::OpenSettings => "gatehouse settings check".to_owned(),
        PanelActionView::OpenLedger => "gatehouse ledger status".to_owned(),
        PanelActionView::OpenBudgets => "gatehouse budgets list".to_owned(),
        PanelActionView::OpenPrices => "gatehouse prices list".to_owned(),
        PanelActionView::OpenAlertChannels => "gatehouse alerts channels".to_owned(),
        PanelActionView::OpenBudget { id } => format!("gatehouse budgets allow {id} --usd 5"),
    })
}

fn facts_table(status: &StatusView) -> TextTable {
    let mut table = TextTable::without_header();
    let gateway = &status.gateway;
    let gateway_detail = match &gateway.reason {
        Some(reason) => format!("{}: {reason}", gateway.address),
        None => gateway.address.clone(),
    };
    let kind = super::keys::vault_kind_word(status.vault.kind);
    let vault_detail = match &status.vault.hint {
        Some(hint) => format!("{kind}: {hint}"),
        None => kind.to_owned(),
    };
    let today = &status.spend_today;
    let started = format_distance(status.now, status.started_at);
    table.row([name_cell("Gateway"), Sign::from(gateway.state).into(), gateway_detail.into()]);
    table.row([name_cell("Vault"), Sign::from(status.vault.state).into(), vault_detail.into()]);
    table.row([
        name_cell("Backends"),
        format_counted_noun(total_backends(&status.backends), "backend").into(),
        describe_backends(&status.backends).into(),
    ]);
    table.row([
        name_cell("Today"),
        CostSum::from(today).text().into(),
        format_counted_noun(today.requests, "request").into(),
    ]);
    table.row([name_cell("In flight"), status.requests_in_flight.to_string().into(), "".into()]);
    if let Some(run) = &status.last_run {
        let when = format!("{}, {}", run.sentence, format_distance(status.now, run.ended_at));
        table.row([name_cell("Last check"), Sign::from(run.verdict).into(), when.into()]);
    }
    if let Some(telemetry) = &status.telemetry {
        let tone = if telemetry.failing_since.is_some() { Tone::Warn } else { Tone::Plain };
        let sentence = TableCell::styled(tone, &telemetry.sentence);
        table.row([name_cell("Telemetry"), "".into(), sentence]);
    }
    table.row([
        name_cell("Version"),
        status.version.as_str().into(),
        format!("started {started}").into(),
    ]);
    table.row([name_cell("Data"), "".into(), status.data_folder.as_str().into()]);
    table
}

fn name_cell(text: &str) -> TableCell {
    TableCell::styled(Tone::Muted, text)
}

fn total_backends(counts: &BackendCountsView) -> control::view::Count {
    control::view::Count(counts.total.into())
}

/// Lists the states that occur: `2 up, 1 down`.
fn describe_backends(counts: &BackendCountsView) -> String {
    let parts = [
        (counts.up, "up"),
        (counts.degraded, "degraded"),
        (counts.down, "down"),
        (counts.unknown, "unknown"),
        (counts.disabled, "off"),
    ];
    let told = parts.iter().filter(|(number, _)| *number > 0);
    told.map(|(number, word)| format!("{number} {word}")).collect::<Vec<_>>().join(", ")
}
