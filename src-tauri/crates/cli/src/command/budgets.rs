//! `gatehouse budgets`: lists, sets and removes spending limits.

pub(super) mod backtest;

use clap::Subcommand;
use control::view::{
    BudgetAction, BudgetAllow, BudgetCrossingView, BudgetDimension, BudgetMarkKind, BudgetPeriod,
    BudgetRef, BudgetScopeView, BudgetSet, BudgetView, UnixMs, Weekday,
};
use control::{ApiError, Core};

use super::completers;
use crate::arguments::name::NameArgument;
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::{format_counted_noun, format_distance, format_money};
use crate::sign::{Sign, Tone};
use crate::text::{Column, StyledText, TableCell, TextTable, render_sentence};
use crate::word::word;

#[derive(Debug, Subcommand)]
pub(crate) enum BudgetsCommand {
    /// List budgets and their remaining amounts
    #[command(visible_alias = "ls")]
    List,
    /// Show a budget, its extra allowances and the marks it has reached
    Show(NameArgument),
    /// Add a budget or change one; requests that could exceed it are refused
    #[command(visible_alias = "add", aliases = ["edit", "create", "new"])]
    Set(Box<SetBudgetArguments>),
    /// Allow more than a budget's limit, for a time
    Allow(AllowArguments),
    /// Replay recent requests against a budget, as it is or with other values
    Backtest(Box<backtest::BacktestArguments>),
    /// Remove a budget
    #[command(visible_alias = "rm", aliases = ["delete", "del"])]
    Remove(NameArgument),
}

#[derive(Debug, clap::Args)]
pub(crate) struct SetBudgetArguments {
    /// Most to spend in a period, in US dollars, for example 20 or 2.50
    #[arg(long, value_name = "USD")]
    limit: String,
    #[command(flatten)]
    terms: BudgetTermsArguments,
}

#[derive(Debug, clap::Args)]
struct BudgetTermsArguments {
    #[command(flatten)]
    named: NameArgument,
    /// Period; an existing budget keeps its own
    #[arg(long, value_parser = word::<BudgetPeriod>())]
    period: Option<BudgetPeriod>,
    /// Days that a rolling budget looks back
    #[arg(long, value_name = "DAYS")]
    days: Option<u16>,
    /// Day on which a month begins; shorter months begin with their last one
    #[arg(long, value_name = "DAY")]
    reset_day: Option<u8>,
    /// Day on which a week begins
    #[arg(long, value_parser = word::<Weekday>())]
    reset_weekday: Option<Weekday>,
    /// What happens to a request that exceeds it (default: stop)
    #[arg(long, value_parser = word::<BudgetAction>())]
    action: Option<BudgetAction>,
    /// The route that the action switch sends requests to
    #[arg(long, value_name = "ROUTE", add = completers::candidates_from(completers::route_names))]
    switch_to: Option<String>,
    /// Percentages at which you are told, for example 50,80,100; none for no mark
    #[arg(long, value_name = "PERCENT,…", value_parser = parse_marks)]
    marks: Option<Marks>,
    /// Notify me if the budget is forecast to run out before the period ends
    #[arg(long, value_name = "BOOL")]
    forecast: Option<bool>,
    /// Refuse requests with an unknown price
    #[arg(long, value_name = "BOOL")]
    refuse_unpriced: Option<bool>,
    #[command(flatten)]
    scope: BudgetScopeArguments,
}

/// Percentages of one argument.
#[derive(Debug, Clone)]
struct Marks(Vec<u16>);

fn parse_marks(text: &str) -> Result<Marks, String> {
    if text == "none" {
        return Ok(Marks(Vec::new()));
    }
    let marks: Result<Vec<u16>, _> = text.split(',').map(|mark| mark.trim().parse()).collect();
    marks.map(Marks).map_err(|_| "write percentages such as 50,80,100, or none".to_owned())
}

impl BudgetTermsArguments {
    /// The typed values; those of `known`, the budget so far, where none was typed.
    fn merge_with(self, limit: String, known: Option<&BudgetView>) -> BudgetSet {
        let period = self.period.or(known.map(|it| it.period)).unwrap_or_default();
        let same = known.filter(|it| it.period == period);
        let action = self.action.or(known.map(|it| it.action));
        BudgetSet {
            id: self.named.name,
            limit_usd: limit,
            period,
            days: self.days.or(same.and_then(|it| it.days)),
            reset_day: self.reset_day.or(same.and_then(|it| it.reset_day)),
            reset_weekday: self.reset_weekday.or(same.and_then(|it| it.reset_weekday)),
            scope: self.scope.merge_with(known.and_then(|it| it.scope.clone())),
            action,
            switch_to: self.switch_to.or(known.and_then(|it| it.switch_to.clone())),
            marks: self.marks.map(|it| it.0).or(known.map(|it| it.marks.clone())),
            forecast: self.forecast.or(known.map(|it| it.forecast)),
            refuse_unpriced: self.refuse_unpriced.or(known.map(|it| it.refuse_unpriced)),
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct AllowArguments {
    #[command(flatten)]
    named: NameArgument,
    /// Extra amount in US dollars; 0 removes the allowance
    #[arg(long, value_name = "USD")]
    usd: String,
    /// How long: a span such as 2h, or a time such as 2026-12-01 or "2026-12-01 18:00"; by default
    /// until the period ends
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
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
    /// Count only this project
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
        BudgetsCommand::Show(named) => {
            let shown = find(core, &named.name).await?;
            console.print_view(&shown, |shown| render_budget(shown, now))?;
        }
        BudgetsCommand::Set(typed) => {
            let known = find_known(core, &typed.terms.named.name).await?;
            let req = typed.terms.merge_with(typed.limit, known.as_ref());
            let set = control::budget_set(core, req).await?;
            console.print_view(&set, |set| table(std::slice::from_ref(set), now))?;
        }
        BudgetsCommand::Backtest(typed) => {
            let found = backtest::run(*typed, core).await?;
            console.print_view(&found, |found| backtest::render_backtest(found, now))?;
        }
        BudgetsCommand::Allow(AllowArguments { named, usd, until }) => {
            let parse = |text: String| {
                control::parse_time_to_come(&text, now).ok_or_else(|| {
                    let example = "2h, 2026-12-01 or 2026-12-01 18:00";
                    ApiError::invalid("until", format!("name a time to come, such as {example}"))
                })
            };
            let until = until.map(parse).transpose()?;
            let req = BudgetAllow { id: named.name, usd, until };
            let allowed = control::budget_allow(core, req).await?;
            console.print_view(&allowed, |it| render_budget(it, now))?;
        }
        BudgetsCommand::Remove(named) => {
            control::budget_remove(core, BudgetRef { id: named.name.clone() }).await?;
            let sentence = format!("The budget {} is removed.", named.name);
            console.print_view(&(), |()| render_sentence(&sentence))?;
        }
    }
    Ok(Exit::Success)
}

async fn find_known(core: &Core, name: &str) -> Result<Option<BudgetView>, ApiError> {
    let known = control::budgets(core).await?;
    Ok(known.into_iter().find(|budget| budget.id == name))
}

async fn find(core: &Core, name: &str) -> Result<BudgetView, ApiError> {
    let known = control::budgets(core).await?;
    let names: Vec<String> = known.iter().map(|it| it.id.clone()).collect();
    let found = known.into_iter().find(|it| it.id == name);
    found.ok_or_else(|| {
        control::unknown_name_error("budget", name, names.iter().map(String::as_str))
    })
}

/// A budget with what is allowed more and the marks that it reached.
pub(super) fn render_budget(budget: &BudgetView, now: UnixMs) -> StyledText {
    let mut text = table(std::slice::from_ref(budget), now);
    for sentence in sentences(budget, now) {
        text.line(Tone::Plain, &sentence);
    }
    if budget.crossings.is_empty() {
        return text;
    }
    let mut table = TextTable::new(&[
        Column::Left("Reached"),
        Column::Left("When"),
        Column::Right("Spent"),
        Column::Right("Limit"),
    ]);
    for crossing in &budget.crossings {
        table.row([
            mark_name(crossing).into(),
            format_distance(now, crossing.at).into(),
            format_money(crossing.spent_nano_usd).into(),
            format_money(crossing.limit_nano_usd).into(),
        ]);
    }
    text.end();
    text.table(&table);
    text
}

fn mark_name(crossing: &BudgetCrossingView) -> String {
    match (crossing.kind, crossing.percent) {
        (BudgetMarkKind::Spent, Some(percent)) => format!("{percent} %"),
        (kind, _) => kind.word().to_owned(),
    }
}

/// What the table has no column for.
fn sentences(budget: &BudgetView, now: UnixMs) -> Vec<String> {
    let mut sentences = Vec::new();
    for allowance in &budget.allowances {
        let ends = format_distance(now, allowance.until);
        sentences
            .push(format!("{} more is allowed; it ends {ends}.", format_money(allowance.nano_usd)));
    }
    if let Some(used_up) = budget.used_up_at {
        let used_up = format_distance(now, used_up);
        sentences.push(format!("At this rate it runs out {used_up}, before the period resets."));
    }
    sentences.extend(reserved_sentence(budget));
    if budget.interrupted_requests.0 > 0 {
        let requests = format_counted_noun(budget.interrupted_requests, "request");
        let amount = format_money(budget.interrupted_nano_usd);
        sentences.push(format!(
            "A crash interrupted {requests}; the cost is unknown. The {amount} reserved for it counts \
             until the period ends."
        ));
    }
    if budget.unpriced_requests.0 > 0 {
        let requests = format_counted_noun(budget.unpriced_requests, "request");
        sentences.push(format!("Not counted: {requests} with an unknown price."));
    }
    if budget.refuse_unpriced {
        sentences.push("It refuses requests with an unknown price.".to_owned());
    }
    sentences
}

fn reserved_sentence(budget: &BudgetView) -> Option<String> {
    let (slack, open) = (budget.slack_nano_usd, budget.unbounded_requests);
    if budget.reserved_nano_usd.0 == 0 && open.0 == 0 {
        return None;
    }
    let mut sentence =
        format!("{} is reserved for requests in flight", format_money(budget.reserved_nano_usd));
    if slack.0 > 0 {
        sentence.push_str(&format!("; long answers may cost {} more", format_money(slack)));
    }
    if open.0 > 0 {
        let requests = format_counted_noun(open, "request");
        sentence.push_str(&format!("; the cost of {requests} is unknown so far"));
    }
    Some(sentence + ".")
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
        Column::Left("State"),
        Column::Left("Per"),
        Column::Left("Then").hidden_at_rank(2),
        Column::Left("Resets").hidden_at_rank(1),
    ]);
    for budget in budgets {
        let scope = budget.scope.as_ref();
        table.row([
            TableCell::styled(Tone::Strong, &budget.id),
            scope
                .map_or_else(|| "all".to_owned(), |it| format!("{} {}", it.dimension, it.name))
                .into(),
            format_money(budget.spent_nano_usd).into(),
            format_limit(budget).into(),
            format!("{} %", budget.used_percent).into(),
            Sign::from(budget.state).into(),
            format_period(budget).into(),
            budget.switch_to.as_deref().unwrap_or(budget.action.word()).into(),
            match budget.period {
                BudgetPeriod::Rolling => "–".into(),
                _ => format_distance(now, budget.until).into(),
            },
        ]);
    }
    text.table(&table);
    text
}

/// The limit, and what is allowed more: `$20.00 +$5.00`.
fn format_limit(budget: &BudgetView) -> String {
    match budget.allowed_nano_usd.0 {
        0 => format_money(budget.limit_nano_usd),
        _ => format!(
            "{} +{}",
            format_money(budget.limit_nano_usd),
            format_money(budget.allowed_nano_usd)
        ),
    }
}

fn format_period(budget: &BudgetView) -> String {
    match budget.days {
        Some(days) => format!("{days} days"),
        None => budget.period.word().to_owned(),
    }
}
