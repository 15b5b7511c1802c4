//! `gatehouse clients switch`: where a client's requests go, without touching the tool's files.

use control::Core;
use control::view::{ClientSwitch, ClientTargetView, ClientView};

use super::{ClientArgument, completers, find_client};
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::sign::{Mark, Shape, Tone};
use crate::text::{Column, StyledText, TableCell, TextTable, render_sentence};

/// Without an option it lists what the client can be switched to.
#[derive(Debug, clap::Args)]
pub(crate) struct SwitchArguments {
    #[command(flatten)]
    client: ClientArgument,
    /// Send its requests for chat models to this backend
    #[arg(long, value_name = "BACKEND", group = "target",
        add = completers::candidates_from(completers::backend_names))]
    backend: Option<String>,
    /// Send its requests for chat models to this route, whatever model they name
    #[arg(long, value_name = "ROUTE", group = "target",
        add = completers::candidates_from(completers::route_names))]
    route: Option<String>,
    /// Let the routing rules decide again
    #[arg(long, group = "target")]
    reset: bool,
}

pub(super) async fn run(
    wanted: SwitchArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let SwitchArguments { client: ClientArgument { name }, backend, route, reset } = wanted;
    if backend.is_none() && route.is_none() && !reset {
        console.print_view(&find_client(core, &name).await?, render_targets)?;
        return Ok(Exit::Success);
    }
    let switched = control::client_switch(core, ClientSwitch { id: name, backend, route }).await?;
    console.print_view(&switched, |client| render_sentence(&switched_sentence(client)))?;
    Ok(Exit::Success)
}

pub(in crate::command) fn switched_sentence(client: &ClientView) -> String {
    let id = &client.id;
    match client.targets.iter().find(|target| target.current) {
        Some(ClientTargetView { backend: Some(backend), .. }) => format!(
            "{id}'s requests for chat models go to the backend {backend} from now on. \
             `gatehouse clients switch {id} --reset` undoes it."
        ),
        Some(ClientTargetView { route: Some(route), .. }) => format!(
            "{id}'s requests for chat models go to the route {route} from now on. \
             `gatehouse clients switch {id} --reset` undoes it."
        ),
        _ => format!("The routing rules decide about {id}'s requests again."),
    }
}

pub(in crate::command) fn render_targets(client: &ClientView) -> StyledText {
    if client.targets.is_empty() {
        return render_sentence(&format!("{} reads metrics and sends no requests.", client.id));
    }
    let mut table =
        TextTable::new(&[Column::Left(""), Column::Left("Goes to"), Column::Left("Option")]);
    for target in &client.targets {
        let option = match (&target.backend, &target.route) {
            (Some(backend), _) => format!("--backend {backend}"),
            (None, Some(route)) => format!("--route {route}"),
            (None, None) => "--reset".to_owned(),
        };
        table.row([
            if target.current { Shape::Disc.symbol().to_string() } else { String::new() }.into(),
            target_cell(target),
            option.into(),
        ]);
    }
    let mut text = StyledText::new();
    text.table(&table);
    text
}

/// Where the client's requests go now.
pub(super) fn current_cell(client: &ClientView) -> TableCell {
    client
        .targets
        .iter()
        .find(|target| target.current)
        .map_or_else(|| "".to_owned().into(), target_cell)
}

fn target_cell(target: &ClientTargetView) -> TableCell {
    match &target.unavailable {
        Some(why) => TableCell::styled(
            Tone::Warn,
            &Mark::Attention.before(&format!("{}, which {why}", target.label)),
        ),
        None => target.label.clone().into(),
    }
}
