//! `gatehouse usage statement`: writes the statement of a month.

use std::path::PathBuf;

use control::Core;
use control::view::{StatementFormat, StatementQuery, TimeZoneChoice};

use crate::console::{Console, ConsoleFormat};
use crate::exit::{CommandError, Exit};
use crate::output_file::write_file;
use crate::quantity::format_counted_noun;
use crate::text::render_sentence;
use crate::word::word;

#[derive(Debug, clap::Args)]
pub(crate) struct StatementArguments {
    /// Year and month, for example 2026-11; the present one by default
    #[arg(long, value_name = "MONTH")]
    month: Option<String>,
    /// Only this value of the header x-gatehouse-project; empty for requests without one
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
    /// Days are in UTC, as on provider dashboards, instead of local time
    #[arg(long)]
    utc: bool,
    /// A page to print, or a table for programs
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
    match &wanted.output {
        None => console.print(&statement.text)?,
        Some(path) => {
            write_file(path, &statement.text)?;
            let requests = format_counted_noun(statement.requests, "request");
            let text = format!("Wrote {}: {requests}.", path.display());
            console.print(&render_sentence(&text).to_string())?;
        }
    }
    Ok(Exit::Success)
}
