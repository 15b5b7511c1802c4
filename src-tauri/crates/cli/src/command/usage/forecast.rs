//! `gatehouse usage forecast`: what this month costs.

use control::Core;
use control::view::{ForecastMethod, UsageForecastQuery, UsageForecastView};

use super::period::UsageFilterArguments;
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::format_money;
use crate::sign::Tone;
use crate::text::{Column, StyledText, TextTable};

pub(super) async fn run(
    wanted: &UsageFilterArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let query = UsageForecastQuery { zone: wanted.zone(), filter: wanted.filter() };
    let forecast = control::usage_forecast(core, query).await?;
    console.print_view(&forecast, text)?;
    Ok(Exit::Success)
}

pub(in crate::command) fn text(forecast: &UsageForecastView) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Strong, &forecast.finding);
    if let Some(tested) = forecast.back_test {
        let months = if tested.months == 1 { "month" } else { "months" };
        let sentence = format!(
            "Forecasts of {} earlier {months}, made on the 14th day, were {:.1} % off.",
            tested.months, tested.error_percent
        );
        text.line(Tone::Muted, &sentence);
    }
    // Without any spending there is no forecast, and a column of zeros would look like one.
    if forecast.method == ForecastMethod::None {
        return text;
    }
    let mut table = TextTable::new(&[
        Column::Left("Day"),
        Column::Right("Spent"),
        Column::Right("Expected"),
        Column::Right("Month so far"),
    ]);
    let shown = |amount: Option<_>| amount.map_or_else(String::new, format_money);
    for day in &forecast.days {
        table.row([
            day.label.as_str().into(),
            shown(day.spent_nano_usd).into(),
            shown(day.expected_nano_usd).into(),
            format_money(day.cumulative_nano_usd).into(),
        ]);
    }
    text.end().table(&table);
    text
}
