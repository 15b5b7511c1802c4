//! `gatehouse clients show`: everything that one client may do, which its row in the list has no room
//! for.

use control::view::{ClientView, UnixMs};

use super::{program_text, state_cell, switch};
use crate::quantity::{CostSum, format_count, format_distance};
use crate::sign::Tone;
use crate::text::{StyledText, TableCell, TextTable};

pub(in crate::command) fn render_client(client: &ClientView, now: UnixMs) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Strong, &client.id).end().table(&facts(client, now));
    text
}

/// What an edited client may do now.
pub(super) fn render_edited(client: &ClientView, now: UnixMs) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Plain, &format!("Changed {}:", client.id)).end().table(&facts(client, now));
    text
}

fn facts(client: &ClientView, now: UnixMs) -> TextTable {
    let mut facts = TextTable::without_header();
    let mut fact = |name: &str, value: TableCell| {
        facts.row([TableCell::styled(Tone::Muted, name), value]);
    };
    fact("State", state_cell(client));
    let expires = client.expires_at.map(|end| format_distance(now, end));
    fact("Expires", expires.unwrap_or_else(|| "never".to_owned()).into());
    let used = client.seen_at.map(|seen| format_distance(now, seen));
    fact("Last used", used.unwrap_or_else(|| "never".to_owned()).into());
    if client.reads_metrics {
        fact("May", "read /metrics, and nothing else".into());
        return facts;
    }
    if let Some(program) = &client.program {
        fact("Program", program_text(program).into());
    }
    for (name, value) in permissions(client) {
        fact(name, value);
    }
    fact("30 days", CostSum::from(&client.last_month).text().into());
    facts
}

/// What it may ask for, by which limits, and where its requests go.
fn permissions(client: &ClientView) -> Vec<(&'static str, TableCell)> {
    let (scope, limits) = (&client.scope, client.limits);
    let limit = |limit: Option<u32>| match limit {
        Some(limit) => format_count(u64::from(limit).into()).into(),
        None => "no limit".into(),
    };
    let budgets: Vec<&str> =
        client.own_budget.iter().chain(&client.other_budgets).map(String::as_str).collect();
    let project = client.project.as_deref().unwrap_or("as each request names");
    vec![
        ("Models", allowed(&scope.models)),
        ("Backends", allowed(&scope.backends)),
        ("Routes", allowed(&scope.routes)),
        ("Goes to", switch::current_cell(client)),
        ("Requests per minute", limit(limits.requests_per_minute)),
        ("Tokens per minute", limit(limits.tokens_per_minute)),
        ("Concurrent requests", limit(limits.in_flight_max)),
        ("Budgets", if budgets.is_empty() { "none".into() } else { budgets.join(", ").into() }),
        ("Cache", client.cache.map_or("as each request asks", |mode| mode.word()).into()),
        ("Priority", client.priority.word().into()),
        ("MCP over HTTP", if client.mcp { "yes" } else { "no" }.into()),
        ("Project", project.into()),
    ]
}

/// An empty list allows everything of its kind.
fn allowed(names: &[String]) -> TableCell {
    if names.is_empty() { "all".into() } else { format!("only {}", names.join(", ")).into() }
}
