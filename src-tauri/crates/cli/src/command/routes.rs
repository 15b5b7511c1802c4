//! `gatehouse routes`: lists, changes, explains and simulates routes.

use clap::Subcommand;
use control::Core;
use control::view::{RouteAsk, RouteChoiceView, RouteDecisionView, RouteView, RoutesView};

use super::keys::done;
use crate::arguments::Named;
use crate::confirm::Yes;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::quantity::{UNKNOWN, grouped};
use crate::sign::{Sign, Tone};
use crate::text::{Column, Piece, Table, Text};

mod edit;
mod simulate;

/// What to do with routes.
#[derive(Debug, Subcommand)]
pub(crate) enum Routes {
    /// List routes and where their requests went in the last day
    #[command(visible_alias = "ls")]
    List,
    /// Show one route with the state of its backends
    #[command(alias = "get")]
    Show(Named),
    /// Add a route
    #[command(visible_alias = "new", alias = "create")]
    Add(Box<edit::Add>),
    /// Change a route
    #[command(aliases = ["set", "update"])]
    Edit(Box<edit::Edit>),
    /// Move a route before or after the others
    #[command(visible_alias = "mv", alias = "order")]
    Move(edit::Move),
    /// Switch a route on again
    Enable(Named),
    /// Switch a route off without removing it
    Disable(Named),
    /// Remove a route
    #[command(visible_aliases = ["rm", "del"], alias = "delete")]
    Remove {
        #[command(flatten)]
        named: Named,
        #[command(flatten)]
        yes: Yes,
    },
    /// Show which backend would serve a request now, and why; nothing is sent
    Explain(Explain),
    /// Show where many requests would go; nothing is sent
    Simulate(simulate::Simulate),
}

/// A request that is not sent.
#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    /// The model name that a client would send
    #[arg(value_name = "MODEL", add = super::completions::of(super::completions::models))]
    model: String,
    /// From this client
    #[arg(long, value_name = "CLIENT", add = super::completions::of(super::completions::clients))]
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
    wanted: Routes,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, Failure> {
    match wanted {
        Routes::List => console.answer(&control::routes(core).await?, table)?,
        Routes::Show(named) => console.answer(&find(core, &named.name).await?, shown)?,
        Routes::Add(wanted) => edit::add(*wanted, core, console).await?,
        Routes::Edit(wanted) => edit::edit(*wanted, core, console).await?,
        Routes::Move(wanted) => edit::reorder(wanted, core, console).await?,
        Routes::Enable(named) => edit::switch(&named.name, true, core, console).await?,
        Routes::Disable(named) => edit::switch(&named.name, false, core, console).await?,
        Routes::Remove { named, yes } => {
            return edit::remove(&named.name, yes, core, console).await;
        }
        Routes::Simulate(wanted) => return simulate::run(wanted, core, console).await,
        Routes::Explain(wanted) => {
            let decision = control::route_explain(core, asked(wanted)).await?;
            console.answer(&decision, explained)?;
            return Ok(if decision.served { Exit::Fine } else { Exit::No });
        }
    }
    Ok(Exit::Fine)
}

async fn find(core: &Core, name: &str) -> Result<RouteView, Failure> {
    let routes = control::routes(core).await?.routes;
    match routes.iter().find(|route| route.id == name) {
        Some(route) => Ok(route.clone()),
        None => {
            let known = routes.iter().map(|route| route.id.as_str());
            Err(control::unknown_name("route", name, known).into())
        }
    }
}

fn asked(wanted: Explain) -> RouteAsk {
    let Explain { model, client, project, tools, images, json_schema, input_tokens } = wanted;
    RouteAsk { model, client, project, tools, vision: images, json_schema, input_tokens }
}

pub(super) fn table(view: &RoutesView) -> Text {
    if view.routes.is_empty() {
        return done(
            "No routes yet. Requests go by model name. Add one with `gatehouse routes add NAME BACKEND/MODEL`.",
        );
    }
    let mut table = Table::new(&[
        Column::Left("Route"),
        Column::Left("Models").minor(1),
        Column::Left("Policy").minor(2),
        Column::Left("Backends"),
        Column::Right("24 hours").minor(3),
    ]);
    for route in &view.routes {
        let leads: Vec<&str> = route.candidates.iter().map(|one| one.backend.as_str()).collect();
        let tone = if route.enabled { Tone::Strong } else { Tone::Muted };
        let policy = if route.enabled { policy(route) } else { "off".to_owned() };
        table.row([
            Piece::toned(tone, &route.id),
            route.models.join(", ").into(),
            policy.into(),
            leads.join(", ").into(),
            grouped(route.requests).into(),
        ]);
    }
    let mut text = Text::new();
    text.line(Tone::Plain, &view.sentence).end().table(&table);
    text
}

pub(super) fn shown(route: &RouteView) -> Text {
    let mut facts = Table::of_facts();
    let mut fact = |name: &str, value: String| {
        facts.row([Piece::toned(Tone::Muted, name), value.into()]);
    };
    fact("Models", route.models.join(", "));
    fact("Policy", policy(route));
    for (name, values) in [("Clients", &route.clients), ("Projects", &route.projects)] {
        if !values.is_empty() {
            fact(name, values.join(", "));
        }
    }
    let sticky = route.sticky_secs.map_or("no".to_owned(), |secs| format!("for {secs} s"));
    fact("Sticky", sticky);
    fact("Requests in 24 hours", grouped(route.requests));
    let mut table = Table::new(&[
        Column::Left("Backend"),
        Column::Left("Model"),
        Column::Right("Weight").minor(2),
        Column::Left("State"),
        Column::Right("24 hours").minor(1),
        Column::Left("Why").minor(3),
    ]);
    for one in &route.candidates {
        table.row([
            Piece::toned(Tone::Strong, &one.backend),
            one.model.as_deref().unwrap_or("as requested").into(),
            one.weight.to_string().into(),
            Sign::from(one.availability.state).into(),
            grouped(one.requests).into(),
            one.availability.why.as_str().into(),
        ]);
    }
    let mut text = Text::new();
    text.line(Tone::Strong, &route.id).line(Tone::Plain, &route.sentence).end();
    text.table(&facts).end().table(&table);
    text
}

pub(super) fn explained(decision: &RouteDecisionView) -> Text {
    let mut text = Text::new();
    let tone = if decision.served { Tone::Plain } else { Tone::Bad };
    text.line(tone, &decision.sentence);
    if !decision.candidates.is_empty() {
        text.end().table(&candidates(&decision.candidates));
    }
    for passed in &decision.passed_over {
        let line = format!("Skipped: {}/{}. {}", passed.backend, passed.model, passed.reason);
        text.line(Tone::Muted, &line);
    }
    text
}

fn candidates(choices: &[RouteChoiceView]) -> Table {
    let mut table = Table::new(&[
        Column::Right("#"),
        Column::Left("Backend"),
        Column::Left("Key").minor(2),
        Column::Left("Model"),
        Column::Left("State"),
        Column::Left("Why").minor(1),
    ]);
    for choice in choices {
        table.row([
            choice.place.to_string().into(),
            Piece::toned(Tone::Strong, &choice.backend),
            choice.credential.as_deref().unwrap_or(UNKNOWN).into(),
            choice.model.as_str().into(),
            Sign::from(choice.availability.state).into(),
            choice.why.as_str().into(),
        ]);
    }
    table
}

fn policy(route: &RouteView) -> String {
    let word = domain::RoutePolicy::from(route.policy).word();
    let weights = route.weights;
    match word {
        "balanced" => format!(
            "{word} (latency {}, cost {}, headroom {})",
            weights.latency, weights.cost, weights.headroom
        ),
        _ => word.to_owned(),
    }
}
