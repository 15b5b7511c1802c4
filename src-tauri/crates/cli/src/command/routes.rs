//! `gatehouse routes`: where requests go, and why.

use clap::Subcommand;
use control::Core;
use control::view::{RouteAsk, RouteChoiceView, RouteDecisionView, RouteView, RoutesView};

use super::keys::done;
use crate::arguments::Named;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::quantity::{UNKNOWN, grouped};
use crate::sign::{Sign, Tone};
use crate::text::{Column, Piece, Table, Text};

/// What to do with routes.
#[derive(Debug, Subcommand)]
pub(crate) enum Routes {
    /// List routes and where their requests went in the last day
    List,
    /// Show one route with the state of its candidates
    Show(Named),
    /// Say which backend would serve a request now, and why; nothing is sent
    Explain(Explain),
}

/// A request that is thought of and not sent.
#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    /// The model as a client would name it
    #[arg(value_name = "MODEL")]
    model: String,
    /// Asked by this client
    #[arg(long, value_name = "CLIENT")]
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
    /// With an answer by a JSON schema
    #[arg(long)]
    json_schema: bool,
    /// With a question of so many tokens
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    input_tokens: u32,
}

/// Does it.
pub(crate) async fn run(
    wanted: Routes,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, Failure> {
    match wanted {
        Routes::List => console.answer(&control::routes(core).await?, table)?,
        Routes::Show(named) => {
            let mut all = control::routes(core).await?.routes.into_iter();
            let found = all.find(|route| route.id == named.name);
            let route = found.ok_or_else(|| {
                Failure::new(Exit::No, format!("there is no route named {}", named.name))
                    .with_hint("`gatehouse routes list` lists them.")
            })?;
            console.answer(&route, shown)?;
        }
        Routes::Explain(wanted) => {
            let decision = control::route_explain(core, asked(wanted)).await?;
            console.answer(&decision, explained)?;
            return Ok(if decision.served { Exit::Fine } else { Exit::No });
        }
    }
    Ok(Exit::Fine)
}

fn asked(wanted: Explain) -> RouteAsk {
    let Explain { model, client, project, tools, images, json_schema, input_tokens } = wanted;
    RouteAsk { model, client, project, tools, vision: images, json_schema, input_tokens }
}

pub(super) fn table(view: &RoutesView) -> Text {
    if view.routes.is_empty() {
        return done(
            "No routes yet: a request goes by its model's name. Make one in the panel or in the settings file.",
        );
    }
    let mut table = Table::new(&[
        Column::Left("Route"),
        Column::Left("Answers to"),
        Column::Left("Policy"),
        Column::Left("Leads to"),
        Column::Right("24 hours"),
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
    fact("Answers to", route.models.join(", "));
    fact("Policy", policy(route));
    for (name, values) in [("Clients", &route.clients), ("Projects", &route.projects)] {
        if !values.is_empty() {
            fact(name, values.join(", "));
        }
    }
    let sticky = route.sticky_secs.map_or("no".to_owned(), |secs| format!("for {secs} s"));
    fact("Conversations stay", sticky);
    fact("Requests in 24 hours", grouped(route.requests));
    let mut table = Table::new(&[
        Column::Left("Candidate"),
        Column::Left("Model"),
        Column::Right("Weight"),
        Column::Left("State"),
        Column::Right("24 hours"),
        Column::Left("Why"),
    ]);
    for one in &route.candidates {
        table.row([
            Piece::toned(Tone::Strong, &one.backend),
            one.model.as_deref().unwrap_or("as asked").into(),
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
        let line = format!("Left out: {}/{}. {}", passed.backend, passed.model, passed.reason);
        text.line(Tone::Muted, &line);
    }
    text
}

fn candidates(choices: &[RouteChoiceView]) -> Table {
    let mut table = Table::new(&[
        Column::Right("Place"),
        Column::Left("Backend"),
        Column::Left("Key"),
        Column::Left("Model"),
        Column::Left("State"),
        Column::Left("Why"),
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
