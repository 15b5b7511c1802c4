//! `gatehouse clients`: lists, adds, changes and revokes clients of the gateway.

pub(crate) mod switch;
pub(crate) mod wiring;

use clap::Subcommand;
use control::view::{
    CacheMode, ClientAdd, ClientEdit, ClientPriority, ClientProgramView, ClientRef,
    ClientScopeView, ClientView, IssuedToken, RevokedClientView, TokenNotStoredView,
    TrafficLimitsView, UnixMs,
};
use control::{ApiError, Core, EngineConfig};
use domain::ClientId;

use super::completers;
use super::keys::parse_expiry;
use super::token::print_token;
use crate::arguments::name::NameArgument;
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::{CostSum, format_count, format_distance};
use crate::sign::{Sign, Tone};
use crate::text::{Column, StyledText, TableCell, TextTable, render_sentence};
use crate::unlock::unlock_interactively;
use crate::word::{WordOr, word, word_or_default};

#[derive(Debug, Subcommand)]
pub(crate) enum ClientsCommand {
    /// List clients and their use
    #[command(visible_alias = "ls")]
    List,
    /// Add a client and print only its token
    #[command(visible_alias = "new", alias = "create")]
    Add(AddClientArguments),
    /// Change a client's limits, cache, priority, project and expiry; its token stays
    #[command(aliases = ["set", "update"])]
    Edit(EditClientArguments),
    /// Send a client's requests to one backend or route; its files stay
    Switch(switch::SwitchArguments),
    /// Point a tool at the gateway in its own files; no token is put into them
    #[command(alias = "connect")]
    Wire(wiring::WireArguments),
    /// Disconnect one tool or all; what others changed in the files is kept
    #[command(alias = "disconnect")]
    Unwire(wiring::UnwireArguments),
    /// Show which tools use the gateway
    Status,
    /// Try what a connected tool does: get its token, list models; nothing is billed
    #[command(alias = "test")]
    Check(wiring::CheckArguments),
    /// Show how the other tools reach the gateway
    Guide(wiring::GuideArguments),
    /// Refuse a client's requests until it is allowed again; its token stays
    Block(ClientArgument),
    /// Let a blocked client send requests again
    #[command(alias = "unblock")]
    Allow(ClientArgument),
    /// Revoke a client's token immediately
    #[command(visible_aliases = ["rm", "del"], aliases = ["remove", "delete"])]
    Revoke(ClientArgument),
    /// Undo what a running Gatehouse revoked in the last ten minutes: the same token is valid again
    Restore(RevokedArgument),
}

#[derive(Debug, clap::Args)]
pub(crate) struct RevokedArgument {
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ClientArgument {
    /// Its name
    #[arg(value_name = "NAME", add = completers::candidates_from(completers::client_names))]
    name: String,
}

/// What changes for a client; everything else stays.
#[derive(Debug, clap::Args)]
pub(crate) struct EditClientArguments {
    #[command(flatten)]
    client: ClientArgument,
    /// Max requests per minute; `none` for no limit
    #[arg(long, value_name = "N")]
    requests_per_minute: Option<LimitArgument>,
    /// Max tokens per minute, input and output; `none` for no limit
    #[arg(long, value_name = "N")]
    tokens_per_minute: Option<LimitArgument>,
    /// Max concurrent requests; `none` for no limit
    #[arg(long, value_name = "N")]
    in_flight_max: Option<LimitArgument>,
    /// Use the response cache; `default` leaves it to the request
    #[arg(long, value_parser = word_or_default::<CacheMode>("Leave it to the request"))]
    cache: Option<WordOr<CacheMode>>,
    /// Priority when the gateway is busy
    #[arg(long, value_parser = word::<ClientPriority>())]
    priority: Option<ClientPriority>,
    /// Let it use MCP over HTTP too, if that is on; its prompts there count to the project agents
    #[arg(long, value_name = "true|false")]
    mcp: Option<bool>,
    /// When its token expires: a date such as 2026-12-31, a span such as 90d, or `never`
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// The project that its requests belong to; `none` for the one that each names
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
    #[command(flatten)]
    allowed: ClientScopeArguments,
}

/// A limit as it is typed: a number, or `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct LimitArgument(Option<u32>);

impl std::str::FromStr for LimitArgument {
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

impl EditClientArguments {
    /// The new settings: the typed values, and `known` for those not typed.
    fn merge_with(self, known: ClientView, now: UnixMs) -> Result<ClientEdit, ApiError> {
        let expires_at = parse_expiry(self.expires.as_deref(), known.expires_at, now)?;
        let limit =
            |typed: Option<LimitArgument>, known: Option<u32>| typed.map_or(known, |limit| limit.0);
        let named = |typed: Vec<String>, known: Vec<String>| match typed.as_slice() {
            [] => known,
            [all] if all == "all" => Vec::new(),
            _ => typed,
        };
        Ok(ClientEdit {
            id: known.id,
            expires_at,
            scope: ClientScopeView {
                models: named(self.allowed.models, known.scope.models),
                backends: named(self.allowed.backends, known.scope.backends),
                routes: named(self.allowed.routes, known.scope.routes),
            },
            limits: TrafficLimitsView {
                requests_per_minute: limit(
                    self.requests_per_minute,
                    known.limits.requests_per_minute,
                ),
                tokens_per_minute: limit(self.tokens_per_minute, known.limits.tokens_per_minute),
                in_flight_max: limit(self.in_flight_max, known.limits.in_flight_max),
            },
            cache: self.cache.unwrap_or(known.cache),
            priority: self.priority.unwrap_or(known.priority),
            mcp: self.mcp.unwrap_or(known.mcp),
            project: match self.project {
                None => known.project,
                Some(name) => project_name(name),
            },
        })
    }
}

/// A project as it is typed; `none` is no project.
pub(super) fn project_name(typed: String) -> Option<String> {
    (typed != "none").then_some(typed)
}

#[derive(Debug, clap::Args)]
pub(crate) struct AddClientArguments {
    #[command(flatten)]
    named: NameArgument,
    /// Days until the token expires; never by default
    #[arg(long, value_name = "N")]
    expires_in_days: Option<u32>,
    /// Make a token that reads /metrics, for Prometheus, and opens nothing else
    #[arg(long, conflicts_with_all = ["models", "backends", "routes"])]
    metrics: bool,
    /// Refuse its requests above this amount a month, with a budget of its own
    #[arg(long, value_name = "USD", conflicts_with = "metrics")]
    monthly_limit: Option<String>,
    /// Count its requests to this project, whatever they say; `none` for the one that each names
    #[arg(long, value_name = "NAME", conflicts_with = "metrics")]
    project: Option<String>,
    #[command(flatten)]
    allowed: ClientScopeArguments,
}

/// What a client may ask for; without any of a kind, everything of that kind.
#[derive(Debug, clap::Args)]
pub(crate) struct ClientScopeArguments {
    /// Allow only this model name (repeatable); a trailing * matches anything
    #[arg(long = "allow-model", value_name = "MODEL", add = completers::candidates_from(completers::model_names))]
    models: Vec<String>,
    /// Allow only this backend (repeatable)
    #[arg(long = "allow-backend", value_name = "BACKEND",
        add = completers::candidates_from(completers::backend_names))]
    backends: Vec<String>,
    /// Allow only this route (repeatable)
    #[arg(long = "allow-route", value_name = "ROUTE", add = completers::candidates_from(completers::route_names))]
    routes: Vec<String>,
}

impl ClientsCommand {
    /// The part of it that can be done without a core.
    pub(crate) fn without_core(&self, config: &EngineConfig) -> Option<wiring::StandaloneUnwire> {
        match self {
            Self::Unwire(wanted) => wiring::StandaloneUnwire::of(wanted, config),
            _ => None,
        }
    }
}

pub(crate) async fn run(
    wanted: ClientsCommand,
    core: &Core,
    outranking: &[String],
    console: &mut Console,
) -> Result<Exit, CommandError> {
    match wanted {
        ClientsCommand::List => {
            let now = console.now();
            console.print_view(&control::clients(core).await?, |clients| table(clients, now))?;
        }
        ClientsCommand::Add(AddClientArguments {
            named,
            expires_in_days,
            metrics,
            monthly_limit,
            project,
            allowed,
        }) => {
            unlock_interactively(core, console).await?;
            let scope = ClientScopeView {
                models: allowed.models,
                backends: allowed.backends,
                routes: allowed.routes,
            };
            let req = ClientAdd {
                id: named.name.clone(),
                expires_in_days,
                scope,
                reads_metrics: metrics,
                monthly_limit_usd: monthly_limit,
                project: project.and_then(project_name),
            };
            let issued = control::client_issue(core, req).await?;
            print_token(&issued.client, &issued.token, console)?;
            console.print_remark(&render_token_notes(&issued, &named.name));
        }
        ClientsCommand::Edit(wanted) => edit(wanted, core, console).await?,
        ClientsCommand::Switch(wanted) => return switch::run(wanted, core, console).await,
        ClientsCommand::Wire(it) => return wiring::wire(it, core, outranking, console).await,
        ClientsCommand::Unwire(wanted) => return wiring::unwire(wanted, core, console).await,
        ClientsCommand::Guide(wanted) => return wiring::guide(wanted, core, console).await,
        ClientsCommand::Check(wanted) => return wiring::check(wanted, core, console).await,
        ClientsCommand::Status => return wiring::status(core, outranking, console).await,
        ClientsCommand::Block(ClientArgument { name: id }) => {
            let blocked = control::client_block(core, ClientRef { id }).await?;
            console.print_view(&blocked, |client| render_sentence(&blocked_sentence(client)))?;
        }
        ClientsCommand::Allow(ClientArgument { name: id }) => {
            let allowed = control::client_allow(core, ClientRef { id }).await?;
            console.print_view(&allowed, |client| render_sentence(&blocked_sentence(client)))?;
        }
        ClientsCommand::Revoke(client) => {
            let revoked =
                control::client_revoke(core, ClientRef { id: client.name.clone() }).await?;
            // An engine for this command alone forgets what it revoked.
            let can_restore = matches!(core, Core::Remote(_));
            console.print_view(&revoked, |ended| {
                render_sentence(&revoked_sentence(ended, can_restore))
            })?;
        }
        ClientsCommand::Restore(client) => {
            let restored =
                control::client_restore(core, ClientRef { id: client.name.clone() }).await?;
            console.print_view(&restored, |client| render_sentence(&restored_sentence(client)))?;
        }
    }
    Ok(Exit::Success)
}

async fn edit(
    wanted: EditClientArguments,
    core: &Core,
    console: &mut Console,
) -> Result<(), CommandError> {
    let found = find_client(core, &wanted.client.name).await?;
    let edited = control::client_edit(core, wanted.merge_with(found, console.now())?).await?;
    console.print_view(&edited, |client| render_sentence(&describe_limits(client)))
}

fn blocked_sentence(ClientView { id, blocked, expired, .. }: &ClientView) -> String {
    match (blocked, expired) {
        (true, _) => format!(
            "Blocked {id}. Its new requests are refused until `gatehouse clients allow {id}`."
        ),
        (false, false) => format!("{id} may send requests again."),
        (false, true) => format!("{id} is not blocked any more, but its token has expired."),
    }
}

fn revoked_sentence(
    RevokedClientView { id, budget }: &RevokedClientView,
    can_restore: bool,
) -> String {
    let revoked = match budget {
        Some(budget) => format!("Revoked {id}'s token and removed its budget, {budget}."),
        None => format!("Revoked {id}'s token."),
    };
    match can_restore {
        true => {
            format!("{revoked} To undo it within ten minutes: `gatehouse clients restore {id}`.")
        }
        false => revoked,
    }
}

fn restored_sentence(ClientView { id, own_budget, .. }: &ClientView) -> String {
    match own_budget {
        Some(budget) => format!("{id}'s token is valid again, with its budget, {budget}."),
        None => format!("{id}'s token is valid again."),
    }
}

async fn find_client(core: &Core, name: &str) -> Result<ClientView, CommandError> {
    let known = control::clients(core).await?;
    Ok(find_named(&known, name).cloned().ok_or_else(|| {
        let names = known.iter().map(|client| client.id.as_str());
        control::unknown_name_error("client", name, names)
    })?)
}

/// The client with this name, which may be its id.
pub(super) fn find_named<'a>(known: &'a [ClientView], name: &str) -> Option<&'a ClientView> {
    let id = ClientId::from_name(name).ok()?;
    known.iter().find(|client| client.id == id.as_str())
}

fn describe_limits(client: &ClientView) -> String {
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
pub(super) fn render_token_notes(issued: &IssuedToken, typed: &str) -> StyledText {
    let mut text = StyledText::new();
    if issued.client != typed {
        let client = &issued.client;
        text.line(Tone::Muted, &format!("The client is named {client}."));
    }
    if let Some(TokenNotStoredView { reason, hint }) = &issued.not_stored {
        let sentence =
            format!("Not stored: {reason}. Save the token now; it works without being stored.");
        text.piece(Tone::Warn, "warning: ").line(Tone::Plain, &sentence);
        if let Some(hint) = hint {
            text.piece(Tone::Muted, "hint: ").line(Tone::Plain, hint);
        }
    }
    text
}

pub(super) fn table(clients: &Vec<ClientView>, now: UnixMs) -> StyledText {
    if clients.is_empty() {
        return render_sentence("No clients yet. Add one with `gatehouse clients add NAME`.");
    }
    let mut table = TextTable::new(&[
        Column::Left("Client"),
        Column::Left("State"),
        Column::Left("Expires").hidden_at_rank(2),
        Column::Left("Last used"),
        Column::Left("Project").hidden_at_rank(5),
        Column::Left("Program").hidden_at_rank(4),
        Column::Left("Goes to").hidden_at_rank(2),
        Column::Right("30 days").hidden_at_rank(1),
        Column::Left("Added").hidden_at_rank(3),
    ]);
    for client in clients {
        table.row([
            TableCell::styled(Tone::Strong, &client.id),
            state_cell(client),
            client
                .expires_at
                .map_or_else(|| "never".to_owned(), |end| format_distance(now, end))
                .into(),
            client
                .seen_at
                .map_or_else(|| "never".to_owned(), |seen| format_distance(now, seen))
                .into(),
            client.project.as_deref().unwrap_or_default().into(),
            client.program.as_ref().map_or_else(|| "unknown".to_owned(), program_text).into(),
            switch::current_cell(client),
            CostSum::from(&client.last_month).text().into(),
            format_distance(now, client.created_at).into(),
        ]);
    }
    let mut text = StyledText::new();
    text.table(&table);
    text
}

fn program_text(program: &ClientProgramView) -> String {
    match &program.version {
        Some(version) => format!("{} {version}", program.name),
        None => program.name.clone(),
    }
}

/// The state, and how much a blocked client was refused.
fn state_cell(client: &ClientView) -> TableCell {
    let sign = Sign::from(client.state);
    match &client.refused {
        Some(refused) => {
            let count = format_count(refused.count);
            TableCell::styled(sign.tone.into(), &format!("{}, {count} refused", sign.text()))
        }
        None => sign.into(),
    }
}
