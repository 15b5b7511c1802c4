//! `gatehouse clients`: tools on this machine that may call the gateway.

use clap::Subcommand;
use control::Core;
use control::view::{ClientAdd, ClientRef, ClientView, UnixMs};

use super::keys::done;
use super::token::hand_out;
use crate::arguments::Named;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::quantity::{distance, distance_if_known, spend};
use crate::session::unlock_by_hand;
use crate::sign::Tone;
use crate::text::{Column, Piece, Table, Text};

/// What to do with clients.
#[derive(Debug, Subcommand)]
pub(crate) enum Clients {
    /// List clients and their use
    List,
    /// Make a client and print its token and nothing else
    Add(Add),
    /// End a client's token at once
    Revoke(Named),
}

/// A new client.
#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    #[command(flatten)]
    named: Named,
    /// Days until its token ends; never without this
    #[arg(long, value_name = "N")]
    expires_in_days: Option<u32>,
}

/// Does it.
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
        Clients::Add(Add { named, expires_in_days }) => {
            unlock_by_hand(core, console).await?;
            let req = ClientAdd { id: named.name.clone(), expires_in_days };
            let token = control::client_issue(core, req).await?;
            hand_out(&named.name, &token, console)?;
        }
        Clients::Revoke(named) => {
            unlock_by_hand(core, console).await?;
            control::client_revoke(core, ClientRef { id: named.name.clone() }).await?;
            console.answer(&(), |()| done(&format!("The token of {} has ended.", named.name)))?;
        }
    }
    Ok(Exit::Fine)
}

pub(super) fn table(clients: &Vec<ClientView>, now: UnixMs) -> Text {
    if clients.is_empty() {
        return done("No clients yet. Make one with `gatehouse clients add NAME`.");
    }
    let mut table = Table::new(&[
        Column::Left("Client"),
        Column::Left("Token ends"),
        Column::Left("Last heard of"),
        Column::Right("30 days"),
        Column::Left("Made"),
    ]);
    for client in clients {
        table.row([
            Piece::toned(Tone::Strong, &client.id),
            ends(client, now),
            distance_if_known(now, client.seen_at).into(),
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
            Piece::toned(Tone::Bad, &format!("■ ended {}", distance(now, end)))
        }
        Some(end) => distance(now, end).into(),
        None => "never".into(),
    }
}
