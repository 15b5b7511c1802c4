//! `gatehouse requests export`: writes the requests that match filters as CSV or JSON.

use std::path::PathBuf;

use control::Core;
use control::view::{RequestsExport, RequestsFormat, SavedFile};

use super::super::data_file::{answer_with, is_document};
use super::filter;
use crate::console::{Console, ConsoleFormat};
use crate::exit::{CommandError, Exit};
use crate::quantity::{CostSum, format_counted_noun};
use crate::sign::Tone;
use crate::text::StyledText;
use crate::word::word;

#[derive(Debug, clap::Args)]
pub(super) struct ExportRequestsArguments {
    /// A table for spreadsheets, or for programs; named, it is printed as it is also with --json
    #[arg(long, value_parser = word::<RequestsFormat>())]
    format: Option<RequestsFormat>,
    /// Write to this file instead of the standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Most requests, the newest
    #[arg(long, short = 'n', value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    #[command(flatten)]
    filter: Box<filter::RequestFilterArguments>,
}

pub(super) async fn run(
    wanted: &ExportRequestsArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let format = match (wanted.format, console.format) {
        (None, ConsoleFormat::Json) => RequestsFormat::Json,
        (named, _) => named.unwrap_or_default(),
    };
    let query = filter::build_query(&wanted.filter, wanted.limit, core, console.now()).await?;
    let file = control::requests_export(core, RequestsExport { query, format }).await?;
    let (is_document, is_whole) = (is_document(wanted.format.as_ref(), console), file.is_whole);
    let describe = |saved: &SavedFile| {
        let requests = format_counted_noun(saved.requests, "request");
        format!("{requests}, {}", CostSum::from(saved).text())
    };
    answer_with(&file, wanted.output.as_deref(), is_document, describe, console)?;
    if !is_whole {
        let mut remark = StyledText::new();
        let text = "Older requests match too. Raise --limit, or narrow the filters with --until.";
        remark.line(Tone::Warn, text);
        console.print_remark(&remark);
    }
    Ok(Exit::Success)
}
