//! `gatehouse usage statement`: writes the statement of a month.

use std::path::PathBuf;

use control::Core;
use control::view::{SavedFile, StatementFormat, StatementQuery, TimeZoneChoice};

use super::super::data_file::{answer_with, is_document};
use crate::console::{Console, ConsoleFormat};
use crate::exit::{CommandError, Exit};
use crate::quantity::format_counted_noun;
use crate::word::word;

#[derive(Debug, clap::Args)]
pub(crate) struct StatementArguments {
    /// Year and month, for example 2026-11; the present one by default
    #[arg(long, value_name = "MONTH")]
    month: Option<String>,
    /// Only this project; empty for requests without one
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
    /// Days are in UTC, as on provider dashboards, instead of local time
    #[arg(long)]
    utc: bool,
    /// A page to print, or a table for programs; named, it is printed as it is also with --json
    #[arg(long, value_parser = word::<StatementFormat>())]
    format: Option<StatementFormat>,
    /// Write to this file instead of the standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) async fn run(
    wanted: &StatementArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let format = match (wanted.format, console.format) {
        (None, ConsoleFormat::Json) => StatementFormat::Json,
        (named, _) => named.unwrap_or_default(),
    };
    let query = StatementQuery {
        month: wanted.month.clone(),
        project: wanted.project.clone(),
        zone: if wanted.utc { TimeZoneChoice::Utc } else { TimeZoneChoice::Local },
        format,
    };
    let statement = control::statement(core, query).await?;
    let is_document = is_document(wanted.format.as_ref(), console);
    let describe = |saved: &SavedFile| format_counted_noun(saved.requests, "request");
    answer_with(&statement, wanted.output.as_deref(), is_document, describe, console)?;
    Ok(Exit::Success)
}
