//! `gatehouse requests views`: filters under a name, which the panel offers too.

use control::Core;
use control::view::{SavedView, SavedViewRef};

use super::filter::{self, RequestFilterArguments};
use crate::arguments::name::NameArgument;
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::text::{Column, StyledText, TextTable, render_sentence};

#[derive(Debug, clap::Args)]
pub(super) struct ViewsArguments {
    #[command(subcommand)]
    command: Option<ViewsCommand>,
}

#[derive(Debug, clap::Subcommand)]
enum ViewsCommand {
    /// List the saved views with their filters
    #[command(visible_alias = "ls")]
    List,
    /// Save filters as a view, or change one
    #[command(visible_alias = "add", aliases = ["save", "edit", "create", "new"])]
    Set(SetViewArguments),
    /// Remove a saved view
    #[command(visible_alias = "rm", aliases = ["remove", "del"])]
    Delete(NameArgument),
}

#[derive(Debug, clap::Args)]
struct SetViewArguments {
    #[command(flatten)]
    named: NameArgument,
    #[command(flatten)]
    filter: Box<RequestFilterArguments>,
}

pub(super) async fn run(
    wanted: &ViewsArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    match &wanted.command {
        None | Some(ViewsCommand::List) => {
            console.print_view(&control::saved_views(core).await?, |views| table(views))?;
        }
        Some(ViewsCommand::Set(SetViewArguments { named, filter })) => {
            if filter.is_at_a_moment() {
                let message = "a view is not saved with --since and --until, which are moments";
                return Err(CommandError::new(Exit::Usage, message)
                    .with_hint("Use --within 12h: the period then moves on with the time."));
            }
            let query = filter::build_query(filter, 0, core, console.now()).await?;
            let name = named.name.clone();
            let done =
                format!("Saved the view {name}. See it with `gatehouse requests --view {name}`.");
            control::saved_view_set(core, SavedView { name, query }).await?;
            console.print_view(&(), |()| render_sentence(&done))?;
        }
        Some(ViewsCommand::Delete(NameArgument { name, .. })) => {
            let done = format!("Removed the view {name}.");
            control::saved_view_remove(core, SavedViewRef { name: name.clone() }).await?;
            console.print_view(&(), |()| render_sentence(&done))?;
        }
    }
    Ok(Exit::Success)
}

pub(in crate::command) fn table(views: &[SavedView]) -> StyledText {
    if views.is_empty() {
        let none = "No saved views. Save one with `gatehouse requests views set NAME --failed`.";
        return render_sentence(none);
    }
    let mut table = TextTable::new(&[Column::Left("Name"), Column::Left("Filters")]);
    for view in views {
        let fields = serde_json::to_value(&view.query).unwrap_or_default();
        let filters = fields.as_object().into_iter().flatten();
        let filters = filters.filter(|(name, value)| !value.is_null() && *name != "limit");
        let words = filters.map(|(name, value)| match value.as_str() {
            Some("") => format!("no {name}"),
            Some(text) => format!("{name} {text}"),
            None => format!("{name} {value}"),
        });
        let words = words.collect::<Vec<_>>().join(", ");
        table.row([view.name.as_str().into(), words.as_str().into()]);
    }
    let mut text = StyledText::new();
    text.table(&table);
    text
}
