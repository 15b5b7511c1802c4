//! Price files: the program's own format, in which the bundled prices are kept too, and those of two
//! public catalogues. A row that cannot be read is listed with its line and field; the others load.

mod fields;
mod litellm;
mod models_dev;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use domain::{BackendId, WallTime};
use serde::Deserialize;
use serde_json::value::RawValue;

use self::fields::{RowFields, SourceText};
#[cfg(test)]
use crate::Provider;
use crate::{Factor, PriceOwner, PriceTerms};

/// Most rows of a file; more is a mistake. LiteLLM's catalogue has some four thousand.
pub(crate) const PRICE_ROWS_MAX: usize = 20_000;

#[derive(Debug, Default)]
pub struct PriceFile {
    pub rows: Vec<PriceFileRow>,
    pub problems: Vec<PriceFileProblem>,
    /// Rows of providers whose prices this program does not keep.
    pub foreign_rows: usize,
}

/// A row that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceFileRow {
    pub owner: PriceOwner,
    /// `*` for what all models of the owner share.
    pub model: String,
    /// The start of a day in UTC; `None` in catalogues, which name no dates.
    pub from: Option<WallTime>,
    /// Exclusive.
    pub until: Option<WallTime>,
    /// The page that the price comes from; empty if the file names none.
    pub source: String,
    pub value: PriceFileValue,
    pub place: PriceFilePlace,
}

/// Where a row stands in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceFilePlace {
    /// From 1.
    pub line: usize,
    /// See [`PriceFileProblem::row`].
    pub row: String,
}

impl PriceFilePlace {
    /// A problem that only shows beside what is known outside the file.
    #[must_use]
    pub fn problem(&self, field: &str, problem: String) -> PriceFileProblem {
        let Self { line, row } = self.clone();
        PriceFileProblem { line, row, field: field.to_owned(), problem }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PriceFileValue {
    Terms(PriceTerms),
    /// A factor on what the backend's provider lists.
    Multiplier(Factor),
}

/// Why a row, or a part of it, was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceFileProblem {
    /// Line in the text, from 1.
    pub line: usize,
    /// The model, or the number of the row where it has no readable model.
    pub row: String,
    /// Path of the field: `above.rates.input`.
    pub field: String,
    /// What is wrong, and what to write instead.
    pub problem: String,
}

impl fmt::Display for PriceFileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, row, field, problem } = self;
        write!(f, "line {line}, {row}, {field}: {problem}")
    }
}

/// Why nothing of a file was read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceFileError {
    #[error("line {line}, column {column}: this is not JSON ({detail})")]
    NotJson { line: usize, column: usize, detail: String },
    #[error(
        "this is not a price list; expected {{\"prices\": [...]}}, or a catalogue of LiteLLM or \
         models.dev"
    )]
    NotAPriceList,
    #[error("the list has more than {PRICE_ROWS_MAX} rows")]
    TooManyRows,
}

domain::words! {
    /// The format of a price file.
    PriceFileFormat {
        /// The program's own format.
        Gatehouse = "gatehouse",
        /// LiteLLM's `model_prices_and_context_window.json`.
        LiteLlm = "litellm",
        /// `api.json` of models.dev.
        ModelsDev = "models_dev",
    }
}

/// Reads a price list of any known format.
pub fn read_price_file(text: &str) -> Result<(PriceFileFormat, PriceFile), PriceFileError> {
    // An editor may put a byte order mark before the text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let whole: &RawValue = serde_json::from_str(text).map_err(|error| PriceFileError::NotJson {
        line: error.line(),
        column: error.column(),
        detail: error.to_string(),
    })?;
    let fields = fields::entries(whole).ok_or(PriceFileError::NotAPriceList)?;
    if fields.len() > PRICE_ROWS_MAX {
        return Err(PriceFileError::TooManyRows);
    }
    let text = SourceText::new(text);
    if let Some((_, prices)) = fields.iter().find(|(name, _)| name == "prices") {
        return Ok((PriceFileFormat::Gatehouse, read_rows(&text, prices)?));
    }
    if litellm::is_catalogue(&fields) {
        return Ok((PriceFileFormat::LiteLlm, litellm::read(&text, &fields)));
    }
    match models_dev::is_catalogue(&fields) {
        true => Ok((PriceFileFormat::ModelsDev, models_dev::read(&text, &fields))),
        false => Err(PriceFileError::NotAPriceList),
    }
}

fn read_rows(text: &SourceText<'_>, prices: &RawValue) -> Result<PriceFile, PriceFileError> {
    let rows: Vec<&RawValue> =
        Deserialize::deserialize(prices).map_err(|_| PriceFileError::NotAPriceList)?;
    if rows.len() > PRICE_ROWS_MAX {
        return Err(PriceFileError::TooManyRows);
    }
    let mut file = PriceFile::default();
    let mut lines = HashMap::new();
    for (row, number) in rows.into_iter().zip(1_usize..) {
        let mut fields = RowFields::new(text, row, format!("row {number}"));
        let read = read_row(&mut fields);
        if let Some(row) = &read {
            match lines.entry((row.owner.clone(), row.model.clone(), row.from)) {
                Entry::Vacant(place) => drop(place.insert(row.place.line)),
                Entry::Occupied(first) => {
                    let first = first.get();
                    fields.problem("from", &format!(
                        "is the first day of the row in line {first} too, which is for the same model; \
                         write one row for each day"
                    ));
                }
            }
        }
        match (read, fields.into_problems()) {
            (Some(row), problems) if problems.is_empty() => file.rows.push(row),
            (_, problems) => file.problems.extend(problems),
        }
    }
    Ok(file)
}

/// The fields of a row in the program's own format.
const FIELDS: &[&str] = &[
    "provider",
    "backend",
    "model",
    "from",
    "until",
    "source",
    "rates",
    "above",
    "tiers",
    "regions",
    "multiplier",
];

fn read_row(fields: &mut RowFields<'_>) -> Option<PriceFileRow> {
    fields.require("model", "the model's id, or \"*\" for all of them");
    let model = fields.text("model")?;
    fields.name_row(&model);
    fields.refuse_others(FIELDS);
    let owner = read_owner(fields)?;
    fields.require("from", "the first day, as in \"2026-11-01\"");
    let from = fields.day("from");
    let until = fields.day("until");
    if let (Some(from), Some(until)) = (from, until)
        && until <= from
    {
        fields.problem("until", "is not after `from`; it is the first day without this price");
    }
    let source = fields.text("source").unwrap_or_default();
    let value = match fields.get("multiplier") {
        Some(_) => {
            if matches!(owner, PriceOwner::Provider(_)) {
                let problem = "is on what a backend's provider lists; write \"backend\" in the place of \
                               \"provider\", or the rates";
                fields.problem("multiplier", problem);
            }
            PriceFileValue::Multiplier(fields.parsed("multiplier")?)
        }
        None => PriceFileValue::Terms(fields.terms()?),
    };
    let place = fields.place();
    Some(PriceFileRow { owner, model, from, until, source, value, place })
}

fn read_owner(fields: &mut RowFields<'_>) -> Option<PriceOwner> {
    match (fields.text("provider"), fields.text("backend")) {
        (Some(provider), None) => match provider.parse() {
            Ok(provider) => Some(PriceOwner::Provider(provider)),
            Err(error) => {
                fields.problem("provider", &format!("{provider:?} is not known; {error}"));
                None
            }
        },
        (None, Some(backend)) => match BackendId::new(&backend) {
            Ok(backend) => Some(PriceOwner::Backend(backend)),
            Err(error) => {
                fields.problem("backend", &error.to_string());
                None
            }
        },
        (Some(_), Some(_)) => {
            fields.problem("backend", "stands beside `provider`; write one of the two");
            None
        }
        (None, None) => {
            fields.problem("provider", "is missing; write \"provider\" or \"backend\"");
            None
        }
    }
}

#[cfg(test)]
mod tests;
