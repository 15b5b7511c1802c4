//! `gatehouse routes`: lists, changes, explains and simulates routes.

use clap::Subcommand;
use control::Core;
use control::view::{
    HypotheticalRequest, RankedCandidateView, RouteDecisionView, RouteView, RoutesView,
};

use crate::arguments::name::NameArgument;
use crate::confirm::YesArgument;
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::{UNKNOWN, format_count};
use crate::sign::{Sign, Tone};
use crate::text::{Column, StyledText, TableCell, TextTable, render_sentence};

mod edit;
mod simulate;

#[derive(Debug, Subcommand)]
pub(crate) enum RoutesCommand {
    /// List routes and where their requests went in the last day
    #[command(visible_alias = "ls")]
    List,
    /// Show one route with the state of its backends
    #[command(alias = "get")]
    Show(NameArgument),
    /// Add a route
    #[command(visible_alias = "new", alias = "create")]
    Add(Box<edit::AddRouteArguments>),
    /// Change a route
    #[command(aliases = ["set", "update"])]
    Edit(Box<edit::EditRouteArguments>),
    /// Move a route before or after the others
    #[command(visible_alias = "mv", alias = "order")]
    Move(edit::MoveRouteArguments),
    /// Switch a route on again
    Enable(NameArgument),
    /// Switch a route off without removing it
    Disable(NameArgument),
    /// Remove a route
    #[command(visible_aliases = ["rm", "del"], alias = "delete")]
    Remove {
        #[command(flatten)]
        named: NameArgument,
        #[command(flatten)]
        yes: YesArgument,
    },
    /// Show which backend would serve a request now, and why; nothing is sent
    Explain(ExplainArguments),
    /// Show where many requests would go; nothing is sent
    Simulate(simulate::SimulateArguments),
}

/// A request that is not sent.
#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArguments {
    /// The model name that a client would send
    #[arg(value_name = "MODEL", add = super::completers::candidates_from(super::completers::model_names))]
    model: String,
    /// From this client
    #[arg(long, value_name = "CLIENT", add = super::completers::candidates_from(super::completers::client_names))]
    client: Option<String>,
    /// For this project
    #[arg(long, value_name = "PROJECT")]
    project: Option<String>,
    /// With tools
    #[arg(long)]
    tools: bool,
    /// With images
    #[arg(long)]
    images: bool,
    /// With a JSON schema for the answer
    #[arg(long)]
    json_schema: bool,
    /// With this many input tokens
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    input_tokens: u32,
}

pub(crate) async fn run(
    wanted: RoutesCommand,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    match wanted {
        RoutesCommand::List => console.print_view(&control::routes(core).await?, table)?,
        RoutesCommand::Show(named) => {
            console.print_view(&find_route(core, &named.name).await?, render_route)?;
        }
        RoutesCommand::Add(wanted) => edit::add(*wanted, core, console).await?,
        RoutesCommand::Edit(wanted) => edit::edit(*wanted, core, console).await?,
        RoutesCommand::Move(wanted) => edit::reorder(wanted, core, console).await?,
        RoutesCommand::Enable(named) => edit::set_enabled(&named.name, true, core, console).await?,
        RoutesCommand::Disable(named) => {
            edit::set_enabled(&named.name, false, core, console).await?;
        }
        RoutesCommand::Remove { named, yes } => {
            return edit::remove(&named.name, yes, core, console).await;
        }
        RoutesCommand::Simulate(wanted) => return simulate::run(wanted, core, console).await,
        RoutesCommand::Explain(wanted) => {
            let decision = control::route_explain(core, build_route_request(wanted)).await?;
            console.print_view(&decision, render_decision)?;
            return Ok(if decision.served { Exit::Success } else { Exit::Negative });
        }
    }
    Ok(Exit::Success)
}

async fn find_route(core: &Core, name: &str) -> Result<RouteView, CommandError> {
    let routes = control::routes(core).await?.routes;
    match routes.iter().find(|route| route.id == name) {
        Some(route) => Ok(route.clone()),
        None => {
            let known = routes.iter().map(|route| route.id.as_str());
            Err(control::unknown_name_error("route", name, known).into())
        }
    }
}

fn build_route_request(wanted: ExplainArguments) -> HypotheticalRequest {
    let ExplainArguments { model, client, project, tools, images, json_schema, input_tokens } =
        wanted;
    HypotheticalRequest { model, client, project, tools, vision: images, json_schema, input_tokens }
}

pub(super) fn table(view: &RoutesView) -> StyledText {
    if view.routes.is_empty() {
        return render_sentence(
            "No routes yet. Requests go by model name. Add one with `gatehouse routes add NAME BACKEND/MODEL`.",
        );
    }
    let mut table = TextTable::new(&[
        Column::Left("Route"),
        Column::Left("Models").hidden_at_rank(1),
        Column::Left("Policy").hidden_at_rank(2),
        Column::Left("Backends"),
        Column::Right("24 hours").hidden_at_rank(3),
    ]);
    for route in &view.routes {
        let leads: Vec<&str> = route.candidates.iter().map(|one| one.backend.as_str()).collect();
        let tone = if route.enabled { Tone::Strong } else { Tone::Muted };
        let policy = if route.enabled { describe_policy(route) } else { "off".to_owned() };
        table.row([
            TableCell::styled(tone, &route.id),
            route.models.join(", ").into(),
            policy.into(),
            leads.join(", ").into(),
            format_count(route.requests).into(),
        ]);
    }
    let mut text = StyledText::new();
    text.line(Tone::Plain, &view.sentence).end().table(&table);
    text
}

pub(super) fn render_route(route: &RouteView) -> StyledText {
    let mut facts = TextTable::without_header();
    let mut fact = |name: &str, value: String| {
        facts.row([TableCell::styled(Tone::Muted, name), value.into()]);
    };
    fact("Models", route.models.join(", "));
    fact("Policy", describe_policy(route));
    for (name, values) in [("Clients", &route.clients), ("Projects", &route.projects)] {
        if !values.is_empty() {
            fact(name, values.join(", "));
        }
    }
    let sticky = route.sticky_secs.map_or("no".to_owned(), |secs| format!("for {secs} s"));
    fact("Sticky", sticky);
    fact("Requests in 24 hours", format_count(route.requests));
    let mut table = TextTable::new(&[
        Column::Left("Backend"),
        Column::Left("Model"),
        Column::Right("Weight").hidden_at_rank(2),
        Column::Left("State"),
        Column::Right("24 hours").hidden_at_rank(1),
        Column::Left("Why").hidden_at_rank(3),
    ]);
    for one in &route.candidates {
        table.row([
            TableCell::styled(Tone::Strong, &one.backend),
            one.model.as_deref().unwrap_or("as requested").into(),
            one.weight.to_string().into(),
            Sign::from(one.availability.state).into(),
            format_count(one.requests).into(),
            one.availability.why.as_str().into(),
        ]);
    }
    let mut text = StyledText::new();
    text.line(Tone::Strong, &route.id).line(Tone::Plain, &route.sentence).end();
    text.table(&facts).end().table(&table);
    text
}

pub(super) fn render_decision(decision: &RouteDecisionView) -> StyledText {
    let mut text = StyledText::new();
    let tone = if decision.served { Tone::Plain } else { Tone::Bad };
    text.line(tone, &decision.sentence);
    if !decision.candidates.is_empty() {
        text.end().table(&candidates_table(&decision.candidates));
    }
    for passed in &decision.passed_over {
        let line = format!("Skipped: {}/{}. {}", passed.backend, passed.model, passed.reason);
        text.line(Tone::Muted, &line);
    }
    text
}

fn candidates_table(choices: &[RankedCandidateView]) -> TextTable {
    let mut table = TextTable::new(&[
        Column::Right("#"),
        Column::Left("Backend"),
        Column::Left("Key").hidden_at_rank(2),
        Column::Left("Model"),
        Column::Left("State"),
        Column::Left("Why").hidden_at_rank(1),
    ]);
    for choice in choices {
        table.row([
            choice.place.to_string().into(),
            TableCell::styled(Tone::Strong, &choice.backend),
            choice.credential.as_deref().unwrap_or(UNKNOWN).into(),
            choice.model.as_str().into(),
            Sign::from(choice.availability.state).into(),
            choice.why.as_str().into(),
        ]);
    }
    table
}

fn describe_policy(route: &RouteView) -> String {
    let word = route.policy.word();
    let weights = route.weights;
    match word {
        "balanced" => format!(
            "{word} (latency {}, cost {}, headroom {})",
            weights.latency, weights.cost, weights.headroom
        ),
        _ => word.to_owned(),
    }
}
