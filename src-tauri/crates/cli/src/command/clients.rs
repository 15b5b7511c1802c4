//! `gatehouse clients`: lists, adds, changes and revokes clients of the gateway.

mod edit;
pub(super) mod scope;
pub(super) mod show;
pub(crate) mod switch;
pub(crate) mod unwire;
pub(crate) mod wiring;

use clap::Subcommand;
use control::view::{
    ClientAdd, ClientProgramView, ClientRef, ClientScopeView, ClientView, IssuedToken,
    RevokedClientView, TokenNotStoredView, UnixMs,
};
use control::{Core, EngineConfig};
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

#[derive(Debug, Subcommand)]
pub(crate) enum ClientsCommand {
    /// List clients and their use
    #[command(visible_alias = "ls")]
    List,
    /// Show what one client may do, and until when
    Show(ClientArgument),
    /// Add a client and print only its token
    #[command(visible_alias = "new", alias = "create")]
    Add(AddClientArguments),
    /// Change a client's limits, cache, priority, project and expiry; its token stays
    #[command(aliases = ["set", "update"])]
    Edit(edit::EditClientArguments),
    /// Send a client's requests to one backend or route; its files stay
    Switch(switch::SwitchArguments),
    /// Point a tool at the gateway in its own files; no token is put into them
    #[command(alias = "connect")]
    Wire(wiring::WireArguments),
    /// Disconnect one tool or all; what others changed in the files is kept
    #[command(alias = "disconnect")]
    Unwire(unwire::UnwireArguments),
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
    allowed: scope::ClientScopeArguments,
}

impl ClientsCommand {
    /// The part of it that can be done without a core.
    pub(crate) fn without_core(&self, config: &EngineConfig) -> Option<unwire::StandaloneUnwire> {
        match self {
            Self::Unwire(wanted) => unwire::StandaloneUnwire::of(wanted, config),
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
        ClientsCommand::Show(client) => {
            let (found, now) = (find_client(core, &client.name).await?, console.now());
            console.print_view(&found, |client| show::render_client(client, now))?;
        }
        ClientsCommand::Add(AddClientArguments {
            named,
            expires_in_days,
            metrics,
            monthly_limit,
            project,
            allowed,
        }) => {
            let req = ClientAdd {
                id: named.name.clone(),
                expires_in_days,
                scope: allowed.merge_with(ClientScopeView::default())?,
                reads_metrics: metrics,
                monthly_limit_usd: monthly_limit,
                project: project.and_then(project_name),
            };
            unlock_interactively(core, console).await?;
            let issued = control::client_issue(core, req).await?;
            print_token(&issued.client, &issued.token, console)?;
            console.print_remark(&render_token_notes(&issued, &named.name));
        }
        ClientsCommand::Edit(wanted) => edit::run(wanted, core, console).await?,
        ClientsCommand::Switch(wanted) => return switch::run(wanted, core, console).await,
        ClientsCommand::Wire(it) => return wiring::wire(it, core, outranking, console).await,
        ClientsCommand::Unwire(wanted) => return unwire::run(wanted, core, console).await,
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
