//! `gatehouse budgets backtest`: what a budget would have done to the requests of the last days.

use control::view::{
    BUDGET_BACKTEST_DAYS_MAX, BudgetBacktest, BudgetBacktestView, NanoDollars, UnixMs,
};
use control::{ApiError, Core};

use super::{BudgetTermsArguments, find_known};
use crate::quantity::format_distance;
use crate::sign::Tone;
use crate::text::StyledText;

#[derive(Debug, clap::Args)]
pub(crate) struct BacktestArguments {
    /// Most to spend in a period, in US dollars; a budget that exists has its own
    #[arg(long, value_name = "USD")]
    limit: Option<String>,
    /// Days back, from now
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=i64::from(BUDGET_BACKTEST_DAYS_MAX)))]
    last: u32,
    #[command(flatten)]
    terms: BudgetTermsArguments,
}

pub(super) async fn run(
    typed: BacktestArguments,
    core: &Core,
) -> Result<BudgetBacktestView, ApiError> {
    let known = find_known(core, &typed.terms.named.name).await?;
    let own = known.as_ref().map(|budget| decimal_dollars(budget.limit_nano_usd));
    let limit = typed.limit.or(own).ok_or_else(|| {
        ApiError::invalid("limit", "there is no budget of this name")
            .with_hint("Name a limit to try: --limit 20")
    })?;
    let budget = typed.terms.merge_with(limit, known.as_ref());
    control::budget_backtest(core, BudgetBacktest { budget, last_days: typed.last }).await
}

/// A whole number of nano-dollars as the settings write it.
fn decimal_dollars(amount: NanoDollars) -> String {
    format!("{}.{:09}", amount.0 / 1_000_000_000, amount.0 % 1_000_000_000)
}

pub(in crate::command) fn render_backtest(found: &BudgetBacktestView, now: UnixMs) -> StyledText {
    let mut text = StyledText::new();
    let tone = if found.refused.0 > 0 { Tone::Warn } else { Tone::Good };
    text.line(tone, &found.sentence);
    if let Some(first) = found.first_refused {
        text.line(Tone::Plain, &format!("The first one was {}.", format_distance(now, first)));
    }
    text.line(Tone::Muted, &found.caveat);
    text
}
