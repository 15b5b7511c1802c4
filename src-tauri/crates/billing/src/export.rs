//! The CSV files that the providers' consoles export. Columns are known by their documented names;
//! others are reported. A bad line is reported by file, line and field, and the days that it may
//! belong to are left out, so that no day is stored with less than was billed.
//!
//! Sources: OpenAI's usage page ("Export", cost), Anthropic's console (Cost, "Export"), OpenRouter's
//! activity page ("Export": by day and model, or one line for each generation).

use std::collections::{BTreeMap, BTreeSet};

use csv::{ByteRecord, ReaderBuilder};
use domain::{BillingProvider, NanoUsd};
use jiff::civil::Date;

use crate::amount::parse_dollars;
use crate::report::read_day;
use crate::{BilledDays, UNNAMED_LINE, add};

/// What a file says, and what of it could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Export {
    pub days: BilledDays,
    /// Lines that were read.
    pub lines: u64,
    pub problems: Vec<ExportProblem>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportProblem {
    pub file: String,
    /// Counted from 1; 1 is the header.
    pub line: u64,
    /// The column; empty for a whole line.
    pub field: String,
    pub problem: String,
}

/// Most problems that are listed.
const PROBLEMS_MAX: usize = 1_000;

/// The columns of one kind of file.
struct Columns {
    /// The day, or a time on it.
    day: &'static str,
    /// Dollars. An empty one is a day without costs.
    amount: &'static str,
    /// Dollars that another provider bills, for keys of one's own.
    own_key: Option<&'static str>,
    currency: Option<&'static str>,
    /// Together the name of the line.
    names: &'static [&'static str],
    /// Known, and not used.
    others: &'static [&'static str],
}

const OPENAI: Columns = Columns {
    day: "start_time_iso",
    amount: "amount_value",
    own_key: None,
    currency: Some("amount_currency"),
    names: &["line_item"],
    others: &[
        "start_time",
        "end_time",
        "end_time_iso",
        "quantity",
        "quantity_unit",
        "user_id",
        "api_key_id",
        "project_id",
        "organization_id",
        "project_name",
        "organization_name",
        "user_email",
        "api_source",
    ],
};

const ANTHROPIC: Columns = Columns {
    day: "usage_date_utc",
    amount: "cost_usd",
    own_key: None,
    currency: None,
    names: &["model", "token_type"],
    others: &[
        "workspace",
        "api_key",
        "usage_type",
        "context_window",
        "list_price_usd",
        "cost_type",
        "inference_geo",
        "speed",
        "api_key_id",
        "api_key_status",
    ],
};

const OPENROUTER_DAYS: Columns = Columns {
    day: "Date",
    amount: "Usage",
    own_key: Some("BYOK Usage"),
    currency: None,
    names: &["Slug"],
    others: &["Requests", "Prompt Tokens", "Completion Tokens", "Reasoning Tokens"],
};

const OPENROUTER_GENERATIONS: Columns = Columns {
    day: "created_at",
    amount: "cost_total",
    own_key: Some("byok_usage_inference"),
    currency: None,
    names: &["model_permaslug"],
    others: &[
        "generation_id",
        "cost_web_search",
        "cost_cache",
        "cost_file_processing",
        "tokens_prompt",
        "tokens_completion",
        "tokens_reasoning",
        "tokens_cached",
        "provider_name",
        "variant",
        "cancelled",
        "streamed",
        "user",
        "finish_reason_raw",
        "finish_reason_normalized",
        "generation_time_ms",
        "time_to_first_token_ms",
        "api_key_disabled",
        "api_key_name",
        "app_name",
    ],
};

const fn layouts(provider: BillingProvider) -> &'static [Columns] {
    match provider {
        BillingProvider::OpenAi => &[OPENAI],
        BillingProvider::Anthropic => &[ANTHROPIC],
        BillingProvider::OpenRouter => &[OPENROUTER_DAYS, OPENROUTER_GENERATIONS],
    }
}

/// Reads a file of that provider. What cannot be read is in `problems`.
#[must_use]
pub fn read_export(provider: BillingProvider, file: &str, bytes: &[u8]) -> Export {
    let mut reading = Reading { file: file.to_owned(), ..Reading::default() };
    // Such text has a zero in every other byte, also where its mark is lost.
    if bytes.contains(&0) {
        reading.report(1, "", "this is UTF-16 text; save the file as UTF-8");
        return reading.export;
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut csv = ReaderBuilder::new().flexible(true).from_reader(bytes);
    let header = match csv.byte_headers() {
        Ok(header) => header.clone(),
        Err(error) => {
            reading.report(1, "", &error.to_string());
            return reading.export;
        }
    };
    let names: Vec<String> =
        header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
    let Some(layout) = choose_layout(provider, &names, &mut reading) else {
        return reading.export;
    };
    let mut record = ByteRecord::new();
    loop {
        match csv.read_byte_record(&mut record) {
            Ok(true) => {
                let line = record.position().map_or(0, csv::Position::line);
                reading.read_row(layout, &names, &record, line);
            }
            Ok(false) => break,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                reading.report(line, "", &error.to_string());
                break;
            }
        }
    }
    reading.finish()
}

/// The layout whose columns the file has. Reports unknown columns, or those that are missing.
fn choose_layout(
    provider: BillingProvider,
    names: &[String],
    reading: &mut Reading,
) -> Option<&'static Columns> {
    let has = |name: &str| names.iter().any(|known| known == name);
    let layouts = layouts(provider);
    let Some(layout) = layouts.iter().find(|layout| has(layout.day) && has(layout.amount)) else {
        for layout in layouts.iter().take(1) {
            for missing in [layout.day, layout.amount].into_iter().filter(|name| !has(name)) {
                let problem = format!(
                    "this column is missing, so this is no cost export of {}",
                    provider.name()
                );
                reading.report(1, missing, &problem);
            }
        }
        return None;
    };
    let known = |name: &&String| {
        let name = name.as_str();
        [Some(layout.day), Some(layout.amount), layout.own_key, layout.currency]
            .contains(&Some(name))
            || layout.names.contains(&name)
            || layout.others.contains(&name)
    };
    for unknown in names.iter().filter(|name| !known(name)) {
        reading.report(1, unknown, "this column is not known and was not used");
    }
    Some(layout)
}

#[derive(Default)]
struct Reading {
    file: String,
    export: Export,
    /// Days of lines that could not be read.
    incomplete: BTreeSet<Date>,
}

impl Reading {
    fn report(&mut self, line: u64, field: &str, problem: &str) {
        if self.export.problems.len() < PROBLEMS_MAX {
            self.export.problems.push(ExportProblem {
                file: self.file.clone(),
                line,
                field: field.to_owned(),
                problem: problem.to_owned(),
            });
        }
    }

    fn read_row(&mut self, layout: &Columns, names: &[String], record: &ByteRecord, line: u64) {
        let mut cells: BTreeMap<&str, &str> = BTreeMap::new();
        let mut not_text = None;
        for (name, cell) in names.iter().zip(record) {
            match std::str::from_utf8(cell) {
                // What stands in place of a byte that was no text when the file was read.
                Ok(text) if !text.contains(char::REPLACEMENT_CHARACTER) => {
                    cells.insert(name, text.trim());
                }
                _ => not_text = Some(name),
            }
        }
        let cell = |name: &str| cells.get(name).copied().unwrap_or_default();
        let day = read_day(cell(layout.day));
        let fault = if record.len() != names.len() {
            let counted = format!("{} cells, but {} columns", record.len(), names.len());
            Some((String::new(), counted))
        } else if let Some(name) = not_text {
            Some((name.clone(), "this is not UTF-8 text".to_owned()))
        } else if day.is_none() {
            Some((layout.day.to_owned(), format!("{:?} is no day in UTC", cell(layout.day))))
        } else {
            None
        };
        let read = match (fault, day) {
            (None, Some(day)) => self.read_amounts(layout, day, &cell),
            (fault, _) => Err(fault.unwrap_or_default()),
        };
        match read {
            Ok(()) => self.export.lines += 1,
            Err((field, problem)) => {
                self.incomplete.extend(day);
                self.report(line, &field, &problem);
            }
        }
    }

    fn read_amounts<'a>(
        &mut self,
        layout: &Columns,
        day: Date,
        cell: &impl Fn(&str) -> &'a str,
    ) -> Result<(), (String, String)> {
        if let Some(name) = layout.currency
            && !cell(name).is_empty()
            && !cell(name).eq_ignore_ascii_case("usd")
        {
            let problem = format!("{:?} is billed, and only US dollars are compared", cell(name));
            return Err((name.to_owned(), problem));
        }
        let amount = |name: &str| -> Result<Option<NanoUsd>, (String, String)> {
            match cell(name) {
                "" => Ok(None),
                text => {
                    let amount = parse_dollars(text).filter(|_| !text.starts_with(['=', '+', '@']));
                    amount
                        .map(Some)
                        .ok_or_else(|| (name.to_owned(), format!("{text:?} is no amount")))
                }
            }
        };
        let billed = amount(layout.amount)?;
        let own = layout.own_key.map_or(Ok(None), amount)?;
        let names: Vec<_> =
            layout.names.iter().map(|name| cell(name)).filter(|name| !name.is_empty()).collect();
        let line = if names.is_empty() { UNNAMED_LINE.to_owned() } else { names.join(", ") };
        self.export.days.entry(day).or_default();
        if let Some(own) = own.filter(|own| *own != NanoUsd::ZERO) {
            add(&mut self.export.days, day, format!("{line} (own key)"), own);
        }
        if let Some(billed) = billed {
            add(&mut self.export.days, day, line, billed);
        }
        Ok(())
    }

    /// Leaves out the days that a bad line belongs to.
    fn finish(mut self) -> Export {
        for day in std::mem::take(&mut self.incomplete) {
            self.export.days.remove(&day);
        }
        self.export
    }
}
