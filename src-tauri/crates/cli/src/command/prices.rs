//! `gatehouse prices`: lists prices, sets one's own, imports a list and takes the last change back.

use std::io::Read as _;
use std::path::PathBuf;

use clap::Subcommand;
use control::Core;
use control::view::{
    Count, ListedPriceView, NanoDollars, PriceChangeView, PriceImport, PriceImportRef,
    PriceImportView, PriceRowState, PriceSet, PriceSetRate, PriceSetRegion, PricesQuery,
    PricesView,
};
use domain::{Meter, PriceTier};

use super::completers::{backend_names, candidates_from};
use crate::confirm::confirm_plan;
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::{UNKNOWN, format_count, format_counted_noun, format_shortest_dollars};
use crate::sign::Tone;
use crate::text::{Column, StyledText, TableCell, TextTable, render_sentence};
use crate::word::word;

/// Most differences and problems printed as text; JSON has what the core lists.
const LINES_MAX: usize = 20;

#[derive(Debug, Subcommand)]
pub(crate) enum PricesCommand {
    /// List prices with their source and date
    List(PriceListArguments),
    /// Set your own price of a model at a backend, from now on
    Set(PriceSetArguments),
    /// Import a price list: Gatehouse's own format, LiteLLM's or models.dev's
    Import(PriceImportArguments),
    /// Take back the last `set` or `import`
    Undo,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PriceListArguments {
    /// Only models whose name contains this
    #[arg(default_value = "")]
    model: String,
    /// Only prices of this provider or backend
    #[arg(long, value_name = "NAME", default_value = "")]
    of: String,
    /// Most rows
    #[arg(long, short = 'n', default_value_t = 100)]
    limit: u32,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PriceSetArguments {
    #[arg(add = candidates_from(backend_names))]
    backend: String,
    /// The model's name at the backend, or * for all of them
    model: String,
    /// US dollars per million input tokens
    #[arg(long, value_name = "USD", default_value = "")]
    input: String,
    /// US dollars per million output tokens
    #[arg(long, value_name = "USD", default_value = "")]
    output: String,
    /// US dollars per million tokens read from a prompt cache
    #[arg(long, value_name = "USD", default_value = "")]
    cache_read: String,
    /// US dollars per million tokens written to a prompt cache
    #[arg(long, value_name = "USD", default_value = "")]
    cache_write: String,
    /// The price of any meter, repeatable: US dollars per million tokens, thousand calls, image,
    /// second or request, as in web_search=10
    #[arg(long = "rate", value_name = "METER=USD", value_parser = parse_rate)]
    rates: Vec<PriceSetRate>,
    /// The prices are those of this service tier
    #[arg(long, value_name = "TIER", value_parser = word::<PriceTier>())]
    tier: Option<PriceTier>,
    /// The prices are those of requests with more input tokens than this
    #[arg(long, value_name = "TOKENS")]
    above: Option<u64>,
    /// What tokens cost in a region, as a factor: us=1.1
    #[arg(long, value_name = "REGION=FACTOR", value_parser = parse_region)]
    region: Option<PriceSetRegion>,
}

impl PriceSetArguments {
    fn into_request(self) -> PriceSet {
        let Self { backend, model, input, output, cache_read, cache_write, .. } = self;
        let named = [
            (Meter::Input, input),
            (Meter::Output, output),
            (Meter::CacheRead, cache_read),
            (Meter::CacheWrite5m, cache_write),
        ];
        let named = named.into_iter().map(|(meter, price)| PriceSetRate { meter, price });
        let rates = named.filter(|rate| !rate.price.is_empty()).chain(self.rates).collect();
        let above_tokens = self.above.map(Count);
        PriceSet { backend, model, rates, tier: self.tier, above_tokens, region: self.region }
    }
}

fn parse_rate(text: &str) -> Result<PriceSetRate, String> {
    let (meter, price) =
        text.split_once('=').ok_or("write the meter and its price: web_search=10")?;
    let meter = meter.trim().parse::<Meter>().map_err(|_| {
        let known: Vec<_> = Meter::ALL.iter().map(|meter| meter.word()).collect();
        format!("there is no meter “{meter}”; known are {}", known.join(", "))
    })?;
    Ok(PriceSetRate { meter, price: price.to_owned() })
}

fn parse_region(text: &str) -> Result<PriceSetRegion, String> {
    let (name, factor) = text.split_once('=').ok_or("write the region and its factor: us=1.1")?;
    Ok(PriceSetRegion { name: name.to_owned(), factor: factor.to_owned() })
}

#[derive(Debug, clap::Args)]
pub(crate) struct PriceImportArguments {
    /// The file; - reads standard input
    #[arg(value_name = "FILE", required_unless_present = "url")]
    file: Option<PathBuf>,
    /// Fetch the list from this address
    #[arg(long, value_name = "URL", conflicts_with = "file")]
    url: Option<String>,
    /// Only show what would change
    #[arg(long)]
    dry_run: bool,
    /// Import without confirmation
    #[arg(long, short = 'y')]
    yes: bool,
}

pub(crate) async fn run(
    wanted: PricesCommand,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    match wanted {
        PricesCommand::List(PriceListArguments { model, of, limit }) => {
            let prices = control::prices(core, PricesQuery { model, owner: of, limit }).await?;
            console.print_view(&prices, render_list)?;
            Ok(if prices.rows.is_empty() { Exit::Negative } else { Exit::Success })
        }
        PricesCommand::Set(wanted) => {
            print_change(&control::price_set(core, wanted.into_request()).await?, console)
        }
        PricesCommand::Import(wanted) => import(wanted, core, console).await,
        PricesCommand::Undo => print_change(&control::price_undo(core).await?, console),
    }
}

fn print_change(change: &PriceChangeView, console: &mut Console) -> Result<Exit, CommandError> {
    console.print_view(change, |change| render_sentence(&change.sentence))?;
    Ok(Exit::Success)
}

async fn import(
    wanted: PriceImportArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let preview = control::price_import(core, read_list(&wanted)?).await?;
    let changes = preview.changed.0 + preview.new.0;
    if wanted.dry_run || changes == 0 {
        console.print_view(&preview, render_preview)?;
        return Ok(Exit::Success);
    }
    if !wanted.yes {
        console.print_remark(&render_preview(&preview));
        let plan = format!("Imports {}.", format_counted_noun(changes.into(), "price"));
        if !confirm_plan(&plan, console)? {
            return Ok(Exit::Negative);
        }
    }
    let change = control::price_import_apply(core, PriceImportRef { id: preview.id }).await?;
    print_change(&change, console)
}

fn read_list(wanted: &PriceImportArguments) -> Result<PriceImport, CommandError> {
    let Some(file) = &wanted.file else {
        return Ok(PriceImport::Address { url: wanted.url.clone().unwrap_or_default() });
    };
    let name = file.display().to_string();
    let mut text = String::new();
    if name == "-" {
        std::io::stdin().lock().read_to_string(&mut text)?;
        return Ok(PriceImport::Text { name: "standard input".to_owned(), text });
    }
    let read = std::fs::read_to_string(file);
    let text = read.map_err(|error| {
        CommandError::new(Exit::Usage, format!("{name} cannot be read: {error}"))
    })?;
    Ok(PriceImport::Text { name, text })
}

pub(super) fn render_list(prices: &PricesView) -> StyledText {
    if prices.rows.is_empty() {
        return render_sentence("No price matches. `gatehouse prices set` adds your own.");
    }
    let mut table = TextTable::new(&[
        Column::Left("Model"),
        Column::Left("Of"),
        Column::Right("Input"),
        Column::Right("Cached").hidden_at_rank(2),
        Column::Right("Output"),
        Column::Left("From").hidden_at_rank(1),
        Column::Left("Until").hidden_at_rank(1),
        Column::Left("Source").hidden_at_rank(3),
    ]);
    for row in &prices.rows {
        table.row(list_row(row));
    }
    let mut text = StyledText::new();
    text.line(Tone::Strong, &prices.sentence).end().table(&table);
    let shown = u64::try_from(prices.rows.len()).unwrap_or(u64::MAX);
    if prices.found.0 > shown {
        let more =
            format!("{} more; --limit shows them.", format_count((prices.found.0 - shown).into()));
        text.line(Tone::Muted, &more);
    }
    text.line(Tone::Muted, "US dollars per million tokens. --json has every rate.");
    text
}

fn list_row(row: &ListedPriceView) -> [TableCell; 8] {
    let price = |price: Option<NanoDollars>| {
        price.map_or_else(|| UNKNOWN.to_owned(), format_shortest_dollars)
    };
    let tone = match row.state {
        PriceRowState::InForce => Tone::Strong,
        PriceRowState::Upcoming | PriceRowState::Ended => Tone::Muted,
    };
    [
        TableCell::styled(tone, &row.model),
        row.owner.as_str().into(),
        price(row.input).into(),
        price(row.cache_read).into(),
        price(row.output).into(),
        row.from.as_str().into(),
        row.until.as_deref().unwrap_or_default().into(),
        row.source.as_str().into(),
    ]
}

pub(super) fn render_preview(preview: &PriceImportView) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Strong, &preview.sentence);
    for difference in preview.differences.iter().take(LINES_MAX) {
        text.piece(Tone::Plain, &format!("{} {}: ", difference.owner, difference.model));
        text.line(Tone::Muted, &difference.changes.join(", "));
    }
    more(&mut text, preview.changed.0 + preview.new.0, "price");
    for problem in preview.problems.iter().take(LINES_MAX) {
        let place = format!("line {}, {}, {}: ", problem.line.0, problem.row, problem.field);
        text.piece(Tone::Warn, &place).line(Tone::Plain, &problem.problem);
    }
    more(&mut text, preview.problems_found.0, "problem");
    text
}

fn more(text: &mut StyledText, all: u64, noun: &str) {
    let rest = all.saturating_sub(LINES_MAX as u64);
    if rest > 0 {
        text.line(
            Tone::Muted,
            &format!("and {}", format_counted_noun(rest.into(), &format!("more {noun}"))),
        );
    }
}
