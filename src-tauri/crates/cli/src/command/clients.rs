//! `gatehouse clients`: lists, adds, changes and revokes clients of the gateway.

use clap::{Subcommand, ValueEnum};
use control::Core;
use control::view::{
    ClientAdd, ClientEdit, ClientPriorityView, ClientRef, ClientScopeView, ClientView, IssuedToken,
    LimitsView, NotStoredView, UnixMs,
};

use super::completions;
use super::keys::done;
use super::token::hand_out;
use crate::arguments::Named;
use crate::cache_mode::CacheMode;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::quantity::{distance, spend};
use crate::session::unlock_by_hand;
use crate::sign::Tone;
use crate::text::{Column, Piece, Table, Text};

/// What to do with clients.
#[derive(Debug, Subcommand)]
pub(crate) enum Clients {
    /// List clients and their use
    #[command(visible_alias = "ls")]
    List,
    /// Add a client and print only its token
    #[command(visible_alias = "new", alias = "create")]
    Add(Add),
    /// Change a client's limits, cache and priority; its token stays
    #[command(aliases = ["set", "update"])]
    Edit(Edit),
    /// Revoke a client's token immediately
    #[command(visible_aliases = ["rm", "del"], aliases = ["remove", "delete"])]
    Revoke(Client),
}

/// Names one client.
#[derive(Debug, clap::Args)]
pub(crate) struct Client {
    /// Its name
    #[arg(value_name = "NAME", add = completions::of(completions::clients))]
    name: String,
}

/// What changes for a client; everything else stays.
#[derive(Debug, clap::Args)]
pub(crate) struct Edit {
    #[command(flatten)]
    client: Client,
    /// Max requests per minute; `none` for no limit
    #[arg(long, value_name = "N")]
    requests_per_minute: Option<Limit>,
    /// Max tokens per minute, input and output; `none` for no limit
    #[arg(long, value_name = "N")]
    tokens_per_minute: Option<Limit>,
    /// Max concurrent requests; `none` for no limit
    #[arg(long, value_name = "N")]
    in_flight_max: Option<Limit>,
    /// Use the response cache; `default` leaves it to the request
    #[arg(long, value_enum)]
    cache: Option<CacheMode>,
    /// Priority when the gateway is busy
    #[arg(long, value_enum)]
    priority: Option<Priority>,
    #[command(flatten)]
    allowed: Allowed,
}

/// A limit as it is typed: a number, or `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limit(Option<u32>);

impl std::str::FromStr for Limit {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self(None)),
            number => number
                .parse()
                .map(|number| Self(Some(number)))
                .map_err(|_| "write a number or `none`".to_owned()),
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Priority {
    /// High: someone is waiting
    Interactive,
    /// Low: nobody is waiting
    Background,
}

impl Edit {
    /// The new settings: the typed values, and `known` for those not typed.
    fn over(self, known: ClientView) -> ClientEdit {
        let limit = |typed: Option<Limit>, known: Option<u32>| typed.map_or(known, |limit| limit.0);
        let named = |typed: Vec<String>, known: Vec<String>| match typed.as_slice() {
            [] => known,
            [all] if all == "all" => Vec::new(),
            _ => typed,
        };
        ClientEdit {
            id: known.id,
            scope: ClientScopeView {
                models: named(self.allowed.models, known.scope.models),
                backends: named(self.allowed.backends, known.scope.backends),
                routes: named(self.allowed.routes, known.scope.routes),
            },
            limits: LimitsView {
                requests_per_minute: limit(
                    self.requests_per_minute,
                    known.limits.requests_per_minute,
                ),
                tokens_per_minute: limit(self.tokens_per_minute, known.limits.tokens_per_minute),
                in_flight_max: limit(self.in_flight_max, known.limits.in_flight_max),
            },
            cache: self.cache.map_or(known.cache, CacheMode::view),
            priority: self.priority.map_or(known.priority, |priority| match priority {
                Priority::Interactive => ClientPriorityView::Interactive,
                Priority::Background => ClientPriorityView::Background,
            }),
        }
    }
}

/// A new client.
#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    #[command(flatten)]
    named: Named,
    /// Days until the token expires; never by default
    #[arg(long, value_name = "N")]
    expires_in_days: Option<u32>,
    #[command(flatten)]
    allowed: Allowed,
}

/// What a client may ask for; without any of a kind, everything of that kind.
#[derive(Debug, clap::Args)]
pub(crate) struct Allowed {
    /// Allow only this model name (repeatable); a trailing * matches anything
    #[arg(long = "allow-model", value_name = "MODEL", add = completions::of(completions::models))]
    models: Vec<String>,
    /// Allow only this backend (repeatable)
    #[arg(long = "allow-backend", value_name = "BACKEND",
        add = completions::of(completions::backends))]
    backends: Vec<String>,
    /// Allow only this route (repeatable)
    #[arg(long = "allow-route", value_name = "ROUTE", add = completions::of(completions::routes))]
    routes: Vec<String>,
}

pub(crate) async fn run(
    wanted: Clients,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, Failure> {
    match wanted {
        Clients::List => {
            let now = console.now();
            console.answer(&control::clients(core).await?, |clients| table(clients, now))?;
        }
        Clients::Add(Add { named, expires_in_days, allowed }) => {
            unlock_by_hand(core, console).await?;
            let scope = ClientScopeView {
                models: allowed.models,
                backends: allowed.backends,
                routes: allowed.routes,
            };
            let req = ClientAdd { id: named.name.clone(), expires_in_days, scope };
            let issued = control::client_issue(core, req).await?;
            hand_out(&issued.client, &issued.token, console)?;
            console.remark(&remarks(&issued, &named.name));
        }
        Clients::Edit(wanted) => edit(wanted, core, console).await?,
        Clients::Revoke(client) => {
            control::client_revoke(core, ClientRef { id: client.name.clone() }).await?;
            console.answer(&(), |()| done(&format!("Revoked {}'s token.", client.name)))?;
        }
    }
    Ok(Exit::Fine)
}

async fn edit(wanted: Edit, core: &Core, console: &mut Console) -> Result<(), Failure> {
    let known = control::clients(core).await?;
    let found = known.iter().find(|client| client.id == wanted.client.name).cloned();
    let found = found.ok_or_else(|| {
        let names = known.iter().map(|client| client.id.as_str());
        control::unknown_name("client", &wanted.client.name, names)
    })?;
    let edited = control::client_edit(core, wanted.over(found)).await?;
    console.answer(&edited, |client| done(&limits_sentence(client)))
}

fn limits_sentence(client: &ClientView) -> String {
    let limits = client.limits;
    let limit = |what: &str, limit: Option<u32>| match limit {
        Some(limit) => format!("{limit} {what}"),
        None => format!("no limit on {what}"),
    };
    format!(
        "Changed {}: {}, {}, {}.",
        client.id,
        limit("requests per minute", limits.requests_per_minute),
        limit("tokens per minute", limits.tokens_per_minute),
        limit("concurrent requests", limits.in_flight_max),
    )
}

/// Notes about a new token: a changed client name, and the reason if the token was not stored.
pub(super) fn remarks(issued: &IssuedToken, typed: &str) -> Text {
    let mut text = Text::new();
    if issued.client != typed {
        let client = &issued.client;
        text.line(Tone::Muted, &format!("The client is named {client}."));
    }
    if let Some(NotStoredView { reason, hint }) = &issued.not_stored {
        let sentence =
            format!("Not stored: {reason}. Save the token now; it works without being stored.");
        text.piece(Tone::Warn, "warning: ").line(Tone::Plain, &sentence);
        if let Some(hint) = hint {
            text.piece(Tone::Muted, "hint: ").line(Tone::Plain, hint);
        }
    }
    text
}

pub(super) fn table(clients: &Vec<ClientView>, now: UnixMs) -> Text {
    if clients.is_empty() {
        return done("No clients yet. Add one with `gatehouse clients add NAME`.");
    }
    let mut table = Table::new(&[
        Column::Left("Client"),
        Column::Left("Expires"),
        Column::Left("Last used"),
        Column::Right("30 days").minor(1),
        Column::Left("Added").minor(2),
    ]);
    for client in clients {
        table.row([
            Piece::toned(Tone::Strong, &client.id),
            ends(client, now),
            client.seen_at.map_or_else(|| "never".to_owned(), |seen| distance(now, seen)).into(),
            spend(&client.last_month).into(),
            distance(now, client.created_at).into(),
        ]);
    }
    let mut text = Text::new();
    text.table(&table);
    text
}

fn ends(client: &ClientView, now: UnixMs) -> Piece {
    match client.expires_at {
        Some(end) if client.expired => {
            Piece::toned(Tone::Bad, &format!("■ expired {}", distance(now, end)))
        }
        Some(end) => distance(now, end).into(),
        None => "never".into(),
    }
}
