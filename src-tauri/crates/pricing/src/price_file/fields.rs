//! The fields of one row, read with located errors.

use std::borrow::Cow;

use domain::{Meter, WallTime};
use serde::Deserialize;
use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{PriceFilePlace, PriceFileProblem};
use crate::{PriceTerms, Rate, RateError};

pub(super) type Entries<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

/// The members of an object in their order; `None` if `value` is not an object.
pub(super) fn entries(value: &RawValue) -> Option<Entries<'_>> {
    struct Object;
    impl<'de> Visitor<'de> for Object {
        type Value = Entries<'de>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut all = Vec::new();
            while let Some(key) = map.next_key::<BorrowedText<'de>>()? {
                all.push((key.0, map.next_value()?));
            }
            Ok(all)
        }
    }
    value.deserialize_map(Object).ok()
}

#[derive(Deserialize)]
struct BorrowedText<'a>(#[serde(borrow)] Cow<'a, str>);

pub(super) fn member<'a>(fields: &Entries<'a>, name: &str) -> Option<&'a RawValue> {
    fields.iter().find(|(field, _)| field == name).map(|(_, value)| *value)
}

/// The text of a file, with the places where its lines begin.
pub(super) struct SourceText<'a> {
    text: &'a str,
    line_starts: Vec<usize>,
}

impl<'a> SourceText<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let line_starts = text.match_indices('\n').map(|(offset, _)| offset + 1).collect();
        Self { text, line_starts }
    }

    /// The line of `value`, which is a part of the text; from 1.
    fn line(&self, value: &RawValue) -> usize {
        let offset = value.get().as_ptr().addr().saturating_sub(self.text.as_ptr().addr());
        self.line_starts.partition_point(|start| *start <= offset) + 1
    }
}

/// A row with the problems found in it so far.
pub(super) struct RowFields<'a> {
    text: &'a SourceText<'a>,
    row: String,
    value: &'a RawValue,
    fields: Entries<'a>,
    problems: Vec<PriceFileProblem>,
}

impl<'a> RowFields<'a> {
    pub(super) fn new(text: &'a SourceText<'a>, value: &'a RawValue, row: String) -> Self {
        let fields = entries(value);
        let is_object = fields.is_some();
        let fields = fields.unwrap_or_default();
        let mut row = Self { text, row, value, fields, problems: Vec::new() };
        if !is_object {
            row.problem("", "is not an object; write {\"provider\": …, \"model\": …}");
        }
        row
    }

    pub(super) fn name_row(&mut self, name: &str) {
        self.row = format!("{} ({name})", self.row);
    }

    pub(super) fn place(&self) -> PriceFilePlace {
        PriceFilePlace { line: self.text.line(self.value), row: self.row.clone() }
    }

    pub(super) fn into_problems(self) -> Vec<PriceFileProblem> {
        self.problems
    }

    pub(super) fn problem(&mut self, field: &str, problem: &str) {
        let top = field.split('.').next().unwrap_or(field);
        let line = self.text.line(self.get(top).unwrap_or(self.value));
        let (row, field, problem) = (self.row.clone(), field.to_owned(), problem.to_owned());
        self.problems.push(PriceFileProblem { line, row, field, problem });
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        member(&self.fields, name)
    }

    pub(super) fn all(&self) -> Entries<'a> {
        self.fields.clone()
    }

    pub(super) fn refuse_others(&mut self, known: &[&str]) {
        for (name, _) in self.all() {
            if !known.contains(&&*name) {
                self.problem(&name, &format!("is not a field; use one of: {}", known.join(", ")));
            }
        }
    }

    /// Reports a field that is not there, unless the row is not even an object.
    pub(super) fn require(&mut self, name: &str, what: &str) {
        if self.get(name).is_none() && self.problems.is_empty() {
            self.problem(name, &format!("is missing; write {what}"));
        }
    }

    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        let value = self.get(name)?;
        let text: Option<String> = serde_json::from_str(value.get()).ok();
        if text.is_none() {
            self.problem(name, "is not a text; write it in quotes");
        }
        text.filter(|text| !text.trim().is_empty())
    }

    pub(super) fn day(&mut self, name: &str) -> Option<WallTime> {
        let text = self.text(name)?;
        let day = WallTime::from_day(&text);
        if day.is_none() {
            self.problem(name, &format!("{text:?} is not a day; write it like \"2026-11-01\""));
        }
        day
    }

    /// The field as a value of its type, if it is there.
    pub(super) fn parsed<T: Deserialize<'a>>(&mut self, name: &str) -> Option<T> {
        let value = self.get(name)?;
        let mut reader = serde_json::Deserializer::from_str(value.get());
        match serde_path_to_error::deserialize(&mut reader) {
            Ok(read) => Some(read),
            Err(error) => {
                let inner = error.path().to_string();
                // A question mark stands for a name that the message has.
                let inner = inner.trim_matches(['.', '?']);
                let mut path = [name, inner].join(".").trim_end_matches('.').to_owned();
                let message = error.into_inner().to_string();
                // The place is one within the value, and the line says where that is.
                let mut message = message.split(" at line ").next().unwrap_or(&message);
                if let Some((meter, rest)) = message.split_once(": ")
                    && meter.parse::<Meter>().is_ok()
                {
                    (path, message) = (format!("{path}.{meter}"), rest);
                }
                self.problem(&path, message);
                None
            }
        }
    }

    /// The terms of the row; `None` without any rate.
    pub(super) fn terms(&mut self) -> Option<PriceTerms> {
        self.require("rates", "the rates, as in {\"input\": 2, \"output\": 8}");
        let terms = PriceTerms {
            rates: self.parsed("rates")?,
            above: self.parsed("above"),
            tiers: self.parsed("tiers").unwrap_or_default(),
            regions: self.parsed("regions").unwrap_or_default(),
        };
        Some(terms)
    }
}

/// What to say of a value that is no price; a text that holds a number is the usual case.
pub(super) fn price_error(text: &str, error: RateError) -> String {
    let inner: Option<String> = serde_json::from_str(text).ok();
    let is_price = |inner: &String| Rate::from_quote(inner, domain::Unit::Tokens).is_ok();
    match inner.filter(is_price) {
        Some(inner) => format!("{text} is a text; write the number {inner}, without quotes"),
        None => error.to_string(),
    }
}
