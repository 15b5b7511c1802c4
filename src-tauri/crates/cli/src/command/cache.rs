//! `gatehouse cache`: shows what the response cache holds and saved, and purges it.

use clap::Subcommand;
use control::Core;
use control::view::{
    CachePurge, CachePurgeWhat, CacheQuery, CacheTierName, CacheTierView, CacheView, Count,
    ZoneChoice,
};

use super::keys::done;
use super::usage::Since;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::quantity::{UNKNOWN, duration, grouped};
use crate::sign::{Sign, Tone};
use crate::text::{Column, Piece, Table, Text};

const MIB: u64 = 1_048_576;

/// What to do with the cache.
#[derive(Debug, Subcommand)]
pub(crate) enum Cache {
    /// Show its size, what it saved, and why requests bypassed it
    #[command(aliases = ["show", "stats"])]
    Status(Status),
    /// Delete cached responses
    #[command(alias = "clear")]
    Purge(Purge),
}

/// Of which period.
#[derive(Debug, clap::Args)]
pub(crate) struct Status {
    /// How far back
    #[arg(long, value_enum, default_value_t = Since::Day)]
    since: Since,
}

/// Which answers.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Purge {
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
    wanted: Cache,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, Failure> {
    match wanted {
        Cache::Status(wanted) => {
            let query = CacheQuery { range: wanted.since.range(), zone: ZoneChoice::Local };
            console.answer(&control::cache(core, query).await?, status)?;
        }
        Cache::Purge(wanted) => {
            let req = CachePurge { what: wanted.what() };
            let purged = control::cache_purge(core, req).await?;
            console.answer(&purged, |purged| done(&purged.sentence))?;
        }
    }
    Ok(Exit::Fine)
}

impl Purge {
    fn what(self) -> CachePurgeWhat {
        match self {
            Self { backend: Some(id), .. } => CachePurgeWhat::Backend { id },
            Self { model: Some(name), .. } => CachePurgeWhat::Model { name },
            Self { client: Some(id), .. } => CachePurgeWhat::Client { id },
            Self { key: Some(key), .. } => CachePurgeWhat::Key { key },
            Self { older_than: Some(secs), .. } => CachePurgeWhat::OlderThan { secs },
            // Clap requires exactly one option, so only `--all` is left.
            Self { all: _, .. } => CachePurgeWhat::Everything,
        }
    }
}

pub(super) fn status(cache: &CacheView) -> Text {
    let mut text = Text::new();
    text.line(Tone::Strong, &cache.sentence);
    #[expect(clippy::cast_precision_loss, reason = "a time for people")]
    let saved = duration(cache.saved_ms.0 as f64);
    if cache.hits.0 > 0 {
        let share = cache.hit_percent.unwrap_or_default();
        let sentence =
            format!("Hit rate {share:.0} %; saved {} and {saved} of waiting.", cache.saved);
        text.line(Tone::Plain, &sentence);
    }
    let mut table = Table::new(&[
        Column::Left("Tier"),
        Column::Left("State"),
        Column::Right("Responses"),
        Column::Right("Size"),
        Column::Right("Limit"),
        Column::Right("Hits"),
        Column::Left(""),
    ]);
    for tier in &cache.tiers {
        table.row(row(tier));
    }
    text.end().table(&table);
    for bypass in &cache.bypasses {
        let hint = bypass.hint.as_deref().map(|hint| format!(" {hint}")).unwrap_or_default();
        let sentence = format!("{} bypassed the cache: {}", grouped(bypass.requests), bypass.label);
        text.piece(Tone::Plain, &sentence).line(Tone::Muted, &hint);
    }
    if let Some(advice) = &cache.advice {
        text.line(Tone::Plain, advice);
    }
    text
}

fn row(tier: &CacheTierView) -> [Piece; 7] {
    let name = match tier.tier {
        CacheTierName::Memory => "memory",
        CacheTierName::Disk => "disk",
        CacheTierName::Shared => "shared",
    };
    let known = |number: Option<Count>| number.map_or_else(|| UNKNOWN.to_owned(), grouped);
    [
        Piece::toned(Tone::Strong, name),
        Sign::from(tier.state).into(),
        known(tier.entries).into(),
        tier.bytes.map_or_else(|| UNKNOWN.to_owned(), size).into(),
        tier.bytes_max.map_or_else(|| UNKNOWN.to_owned(), size).into(),
        grouped(tier.hits).into(),
        tier.detail.as_str().into(),
    ]
}

/// Formats bytes as `0.4 MiB`.
fn size(bytes: Count) -> String {
    format!("{}.{} MiB", bytes.0 / MIB, bytes.0 % MIB * 10 / MIB)
}
