//! `gatehouse budgets`: lists, sets and removes spending limits.

use clap::Subcommand;
use control::Core;
use control::view::{
    BudgetDimension, BudgetPeriod, BudgetRef, BudgetScopeView, BudgetSet, BudgetView, UnixMs,
};

use super::completers;
use super::keys::render_sentence;
use crate::arguments::name::NameArgument;
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::{format_distance, format_money};
use crate::sign::Tone;
use crate::text::{Column, StyledText, TableCell, TextTable};
use crate::word::word;

/// What to do with budgets.
#[derive(Debug, Subcommand)]
pub(crate) enum BudgetsCommand {
    /// List budgets and what is left of them
    #[command(visible_alias = "ls")]
    List,
    /// Add a budget or change one; requests that could exceed it are refused
    #[command(visible_alias = "add", aliases = ["edit", "create", "new"])]
    Set(SetBudgetArguments),
    /// Remove a budget
    #[command(visible_alias = "rm", aliases = ["delete", "del"])]
    Remove(NameArgument),
}

#[derive(Debug, clap::Args)]
pub(crate) struct SetBudgetArguments {
    #[command(flatten)]
    named: NameArgument,
    /// Most to spend in a period, in US dollars, for example 20 or 2.50
    #[arg(long, value_name = "USD")]
    limit: String,
    /// When it begins anew; a budget that exists keeps its period
    #[arg(long, value_parser = word::<BudgetPeriod>())]
    period: Option<BudgetPeriod>,
    #[command(flatten)]
    scope: BudgetScopeArguments,
}

/// Whose spending counts; everything by default, and what it was for a budget that exists.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct BudgetScopeArguments {
    /// Count only this backend
    #[arg(long, value_name = "NAME", add = completers::candidates_from(completers::backend_names))]
    backend: Option<String>,
    /// Count only this key
    #[arg(long, value_name = "NAME")]
    key: Option<String>,
    /// Count only this client
    #[arg(long, value_name = "NAME", add = completers::candidates_from(completers::client_names))]
    client: Option<String>,
    /// Count only this value of the header x-gatehouse-project
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
    /// Count only this model, as the backend names it
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Count all spending again
    #[arg(long)]
    all: bool,
}

impl BudgetScopeArguments {
    /// The typed scope; `known`, that of the budget so far, if none was typed.
    fn merge_with(self, known: Option<BudgetScopeView>) -> Option<BudgetScopeView> {
        let typed = [
            (BudgetDimension::Backend, self.backend),
            (BudgetDimension::Credential, self.key),
            (BudgetDimension::Client, self.client),
            (BudgetDimension::Project, self.project),
            (BudgetDimension::Model, self.model),
        ];
        let mut typed = typed
            .into_iter()
            .filter_map(|(dimension, name)| Some(BudgetScopeView { dimension, name: name? }));
        typed.next().or(known.filter(|_| !self.all))
    }
}

pub(crate) async fn run(
    wanted: BudgetsCommand,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let now = console.now();
    match wanted {
        BudgetsCommand::List => {
            let known = control::budgets(core).await?;
            console.print_view(&known, |known| table(known, now))?;
        }
        BudgetsCommand::Set(typed) => {
            let known = control::budgets(core).await?;
            let known = known.into_iter().find(|budget| budget.id == typed.named.name);
            let (period, scope) = known.map_or((None, None), |it| (Some(it.period), it.scope));
            let req = BudgetSet {
                id: typed.named.name,
                limit_usd: typed.limit,
                period: typed.period.or(period).unwrap_or_default(),
                scope: typed.scope.merge_with(scope),
            };
            let set = control::budget_set(core, req).await?;
            console.print_view(&set, |set| table(std::slice::from_ref(set), now))?;
        }
        BudgetsCommand::Remove(named) => {
            control::budget_remove(core, BudgetRef { id: named.name.clone() }).await?;
            let sentence = format!("The budget {} is removed.", named.name);
            console.print_view(&(), |()| render_sentence(&sentence))?;
        }
    }
    Ok(Exit::Success)
}

pub(super) fn table(budgets: &[BudgetView], now: UnixMs) -> StyledText {
    let mut text = StyledText::new();
    if budgets.is_empty() {
        return render_sentence(
            "There is no budget. Add one with `gatehouse budgets set monthly --limit 20`.",
        );
    }
    let mut table = TextTable::new(&[
        Column::Left("Budget"),
        Column::Left("For"),
        Column::Right("Spent"),
        Column::Right("Limit"),
        Column::Right("Used"),
        Column::Left("Per"),
        Column::Left("Begins anew").hidden_at_rank(1),
    ]);
    for budget in budgets {
        let scope = budget.scope.as_ref();
        let tone = match budget.used_percent {
            0..80 => Tone::Plain,
            80..100 => Tone::Warn,
            _ => Tone::Bad,
        };
        table.row([
            TableCell::styled(Tone::Strong, &budget.id),
            scope
                .map_or_else(|| "all".to_owned(), |it| format!("{} {}", it.dimension, it.name))
                .into(),
            format_money(budget.spent_nano_usd).into(),
            format_money(budget.limit_nano_usd).into(),
            TableCell::styled(tone, &format!("{} %", budget.used_percent)),
            budget.period.word().into(),
            format_distance(now, budget.until).into(),
        ]);
    }
    text.table(&table);
    text
}
