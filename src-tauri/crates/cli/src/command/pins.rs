//! `gatehouse pins`: figures on the Overview.

use clap::Subcommand;
use control::Core;
use control::view::{
    PinMeasure, PinRange, PinRef, PinSave, PinUnit, PinView, PinsQuery, TimeZoneChoice, UsageFilter,
};

use super::completers;
use crate::arguments::name::NameArgument;
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::text::{Column, StyledText, TextTable, render_sentence};
use crate::word::word;

/// What to do with pinned figures.
#[derive(Debug, Subcommand)]
pub(crate) enum PinsCommand {
    /// List the pinned figures with their values
    #[command(visible_alias = "ls")]
    List,
    /// Pin a figure to the Overview, or change one; at most four
    #[command(visible_alias = "add", aliases = ["edit", "create", "new"])]
    Set(SetPinArguments),
    /// Remove a pinned figure
    #[command(visible_alias = "rm", aliases = ["remove", "del"])]
    Delete(NameArgument),
}

#[derive(Debug, clap::Args)]
pub(crate) struct SetPinArguments {
    #[command(flatten)]
    named: NameArgument,
    /// What it measures
    #[arg(long, value_parser = word::<PinMeasure>())]
    measure: PinMeasure,
    /// The days that count, up to now
    #[arg(long, value_parser = word::<PinRange>(), default_value = "last_week")]
    range: PinRange,
    /// Only requests to this backend
    #[arg(long, value_name = "ID", add = completers::candidates_from(completers::backend_names))]
    backend: Option<String>,
    /// Only requests of this model
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Only requests of this client
    #[arg(long, value_name = "ID", add = completers::candidates_from(completers::client_names))]
    client: Option<String>,
    /// Only requests with this key
    #[arg(long, value_name = "ID")]
    key: Option<String>,
    /// Only requests of this project; "" for those without one
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
    /// Only requests of this route
    #[arg(long, value_name = "ID", add = completers::candidates_from(completers::route_names))]
    route: Option<String>,
}

pub(crate) async fn run(
    wanted: PinsCommand,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    match wanted {
        PinsCommand::List => {
            let query = PinsQuery { zone: TimeZoneChoice::Local };
            console.print_view(&control::pins_list(core, query).await?, |pins| table(pins))?;
        }
        PinsCommand::Set(wanted) => {
            let SetPinArguments { named, measure, range, .. } = wanted;
            let filter = UsageFilter {
                backend: wanted.backend,
                model: wanted.model,
                client: wanted.client,
                credential: wanted.key,
                project: wanted.project,
                route: wanted.route,
            };
            let name = named.name;
            let done = format!("Pinned {name} to the Overview.");
            control::pin_save(core, PinSave { name, measure, range, filter }).await?;
            console.print_view(&(), |()| render_sentence(&done))?;
        }
        PinsCommand::Delete(NameArgument { name, .. }) => {
            let done = format!("Removed the pinned figure {name}.");
            control::pin_delete(core, PinRef { name }).await?;
            console.print_view(&(), |()| render_sentence(&done))?;
        }
    }
    Ok(Exit::Success)
}

/// The figure, and how many requests a cost leaves out.
fn value_text(pin: &PinView) -> String {
    match (pin.value, pin.unpriced_requests.0) {
        (None, _) | (_, 0) => pin.text.clone(),
        (Some(_), unpriced) => {
            format!("{} + {} unpriced", pin.text, domain::group_digits(unpriced))
        }
    }
}

pub(super) fn table(pins: &[PinView]) -> StyledText {
    if pins.is_empty() {
        return render_sentence("Nothing is pinned. Pin a figure with `gatehouse pins set`.");
    }
    let mut table = TextTable::new(&[
        Column::Left("Name"),
        Column::Left("Figure"),
        Column::Left("Of").hidden_at_rank(2),
        Column::Right("Value"),
        Column::Right("Change").hidden_at_rank(1),
    ]);
    for pin in pins {
        let unit = if pin.unit == PinUnit::Percent { "points" } else { "%" };
        let change = pin.change.map(|change| format!("{change:+} {unit}")).unwrap_or_default();
        table.row([
            pin.name.as_str().into(),
            pin.measure_label.as_str().into(),
            pin.scope_label.as_str().into(),
            value_text(pin).into(),
            change.into(),
        ]);
    }
    let mut text = StyledText::new();
    text.table(&table);
    text
}
