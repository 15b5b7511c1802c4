//! `gatehouse cache`: shows what the response cache holds and saved, and purges it.

use clap::Subcommand;
use control::Core;
use control::view::{
    CachePurge, CachePurgeSelector, CacheQuery, CacheTierView, CacheView, Count, TimeZoneChoice,
};

use super::usage::PeriodArgument;
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::{UNKNOWN, format_count, format_duration, format_money};
use crate::sign::{Sign, Tone};
use crate::text::{Column, StyledText, TableCell, TextTable, render_sentence};

const MIB: u64 = 1_048_576;

#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Show its size, what it saved, and why requests bypassed it
    #[command(aliases = ["show", "stats"])]
    Status(CacheStatusArguments),
    /// Delete cached responses
    #[command(alias = "clear")]
    Purge(CachePurgeArguments),
}

#[derive(Debug, clap::Args)]
pub(crate) struct CacheStatusArguments {
    /// How far back
    #[arg(long, value_enum, default_value_t = PeriodArgument::Day)]
    since: PeriodArgument,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct CachePurgeArguments {
    /// Everything
    #[arg(long)]
    all: bool,
    /// Responses from this backend
    #[arg(long, value_name = "NAME")]
    backend: Option<String>,
    /// Responses from this model
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Responses to this client
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
    /// One response, by its header x-gatehouse-cache-key
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Responses older than this many seconds
    #[arg(long, value_name = "SECS")]
    older_than: Option<u32>,
}

pub(crate) async fn run(
    wanted: CacheCommand,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    match wanted {
        CacheCommand::Status(wanted) => {
            let query = CacheQuery { range: wanted.since.range(), zone: TimeZoneChoice::Local };
            console.print_view(&control::cache(core, query).await?, render_status)?;
        }
        CacheCommand::Purge(wanted) => {
            let req = CachePurge { what: wanted.purge_selection() };
            let purged = control::cache_purge(core, req).await?;
            console.print_view(&purged, |purged| render_sentence(&purged.sentence))?;
        }
    }
    Ok(Exit::Success)
}

impl CachePurgeArguments {
    fn purge_selection(self) -> CachePurgeSelector {
        match self {
            Self { backend: Some(id), .. } => CachePurgeSelector::Backend { id },
            Self { model: Some(name), .. } => CachePurgeSelector::Model { name },
            Self { client: Some(id), .. } => CachePurgeSelector::Client { id },
            Self { key: Some(key), .. } => CachePurgeSelector::Key { key },
            Self { older_than: Some(secs), .. } => CachePurgeSelector::OlderThan { secs },
            // Clap requires exactly one option, so only `--all` is left.
            Self { all: _, .. } => CachePurgeSelector::Everything,
        }
    }
}

pub(super) fn render_status(cache: &CacheView) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Strong, &cache.sentence);
    #[expect(clippy::cast_precision_loss, reason = "a time for people")]
    let saved = format_duration(cache.saved_ms.0 as f64);
    if cache.hits.0 > 0 {
        let share = cache.hit_percent.unwrap_or_default();
        let sentence = format!(
            "Hit rate {share:.0} %; saved {} and {saved} of waiting.",
            format_money(cache.saved_nano_usd)
        );
        text.line(Tone::Plain, &sentence);
    }
    let mut table = TextTable::new(&[
        Column::Left("Tier"),
        Column::Left("State"),
        Column::Right("Responses"),
        Column::Right("Size"),
        Column::Right("Limit"),
        Column::Right("Hits"),
        Column::Left(""),
    ]);
    for tier in &cache.tiers {
        table.row(tier_row(tier));
    }
    text.end().table(&table);
    for bypass in &cache.bypasses {
        let hint = bypass.hint.as_deref().map(|hint| format!(" {hint}")).unwrap_or_default();
        let sentence =
            format!("{} bypassed the cache: {}", format_count(bypass.requests), bypass.label);
        text.piece(Tone::Plain, &sentence).line(Tone::Muted, &hint);
    }
    if let Some(advice) = &cache.advice {
        text.line(Tone::Plain, advice);
    }
    text
}

fn tier_row(tier: &CacheTierView) -> [TableCell; 7] {
    let known = |number: Option<Count>| number.map_or_else(|| UNKNOWN.to_owned(), format_count);
    [
        TableCell::styled(Tone::Strong, tier.tier.word()),
        Sign::from(tier.state).into(),
        known(tier.entries).into(),
        tier.bytes.map_or_else(|| UNKNOWN.to_owned(), format_mebibytes).into(),
        tier.bytes_max.map_or_else(|| UNKNOWN.to_owned(), format_mebibytes).into(),
        format_count(tier.hits).into(),
        tier.detail.as_str().into(),
    ]
}

/// Formats bytes as `0.4 MiB`.
fn format_mebibytes(bytes: Count) -> String {
    format!("{}.{} MiB", bytes.0 / MIB, bytes.0 % MIB * 10 / MIB)
}
