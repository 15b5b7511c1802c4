//! Reads budgets: a limit, a period, and at most one name whose spending counts.

use domain::{Budget, BudgetDimension, BudgetId, BudgetPeriod, NanoUsd};
use indexmap::IndexMap;

use super::currency::decimal_digits;
use super::entries::read_entries;
use crate::finding::Findings;
use crate::section_reader::SectionReader;
use crate::{BUDGET_LIMIT_MAX, MODEL_CHARS_MAX};

const LIMIT_HINT: &str = "write dollars, such as limit_usd = 20 or limit_usd = 2.50";

pub(super) fn read_budgets(
    section: &SectionReader,
    findings: &mut Findings,
) -> IndexMap<BudgetId, Budget> {
    read_entries(section, findings, |_: &BudgetId, entry, findings| {
        let names: Vec<&str> = ["limit_usd", "period"]
            .into_iter()
            .chain(BudgetDimension::WORDS.iter().copied())
            .collect();
        entry.check_names(&names, findings);
        entry.require("limit_usd", LIMIT_HINT, findings);
        let period = entry.word("period", BudgetPeriod::WORDS, findings).unwrap_or_default();
        let scope = read_scope(entry, findings);
        Some(Budget { limit: read_limit(entry, findings)?, period, scope })
    })
}

fn read_limit(entry: &SectionReader, findings: &mut Findings) -> Option<NanoUsd> {
    let value = entry.item("limit_usd")?.as_value()?;
    let digits = match value {
        toml_edit::Value::Integer(_) | toml_edit::Value::Float(_) => decimal_digits(value),
        _ => None,
    };
    let limit = digits.and_then(|digits| NanoUsd::from_dollars(&digits).ok());
    let allowed = limit.filter(|limit| (NanoUsd::new(1)..=BUDGET_LIMIT_MAX).contains(limit));
    if allowed.is_none() {
        let what = "this is no amount above 0 and up to 1,000,000 dollars";
        entry.report_error("limit_usd", what, LIMIT_HINT, None, findings);
    }
    allowed
}

fn read_scope(entry: &SectionReader, findings: &mut Findings) -> Option<(BudgetDimension, String)> {
    let named = |dimension: &BudgetDimension| entry.item(dimension.word()).is_some();
    let mut given = BudgetDimension::ALL.iter().copied().filter(named);
    let dimension = given.next()?;
    if let Some(second) = given.next() {
        let what = format!("a budget is for one of {} and {}", dimension.word(), second.word());
        let hint = "remove one of them, or make two budgets";
        entry.report_error(second.word(), what, hint, None, findings);
    }
    let name = entry.text(dimension.word(), findings)?.trim();
    if name.is_empty() || name.chars().count() > MODEL_CHARS_MAX {
        let hint = format!("write a name of 1 to {MODEL_CHARS_MAX} characters");
        entry.report_error(dimension.word(), "this is no name", hint, None, findings);
    }
    Some((dimension, name.to_owned()))
}
