//! Reads budgets: a limit, a period, and at most one name whose spending counts.

use domain::{
    BUDGET_MARKS_DEFAULT, Budget, BudgetAction, BudgetDimension, BudgetId, BudgetPeriod,
    BudgetSchedule, NanoUsd, RouteId, Weekday,
};
use indexmap::IndexMap;
use toml_edit::Value;

use super::currency::decimal_digits;
use super::entries::read_entries;
use crate::entry_field::{self, EntryField, EntryValue};
use crate::finding::{Findings, id_error_hint, quote_value};
use crate::section_reader::SectionReader;
use crate::{
    BUDGET_DAYS_RANGE, BUDGET_LIMIT_MAX, BUDGET_MARK_PERCENT_RANGE, BUDGET_MARKS_MAX,
    BUDGET_RESET_DAY_RANGE, MODEL_CHARS_MAX, Settings,
};

pub(crate) const BUDGET_FIELDS: &[EntryField] = &[
    EntryField {
        name: "limit_usd",
        value: EntryValue::Text("US dollars: `20`, `2.50`"),
        default: None,
        meaning: "Most to spend in a period. Requests that it does not cover are treated by `action`.",
    },
    EntryField {
        name: "period",
        value: EntryValue::Words(BudgetPeriod::WORDS),
        default: Some("month"),
        meaning: "When the period resets. A rolling budget always covers the last `days`.",
    },
    EntryField {
        name: "days",
        value: EntryValue::Text("1 to 366"),
        default: None,
        meaning: "How many days a rolling budget looks back. Needed for that period only.",
    },
    EntryField {
        name: "reset_day",
        value: EntryValue::Text("1 to 31"),
        default: Some("1"),
        meaning: "Day on which a month begins; shorter months begin with their last one.",
    },
    EntryField {
        name: "reset_weekday",
        value: EntryValue::Words(Weekday::WORDS),
        default: Some("monday"),
        meaning: "Day on which a week begins.",
    },
    EntryField {
        name: "action",
        value: EntryValue::Words(BudgetAction::WORDS),
        default: Some("stop"),
        meaning: "What becomes of a request that it does not cover: it is sent and you are told, it \
                  is refused until you allow more, it goes to the route `switch_to`, or it is refused.",
    },
    EntryField {
        name: "switch_to",
        value: EntryValue::Text("the name of a route"),
        default: None,
        meaning: "Where the action `switch` sends requests. Needed for that action only.",
    },
    EntryField {
        name: "marks",
        value: EntryValue::Text("at most 8 percentages, 1 to 200"),
        default: Some("[50, 80, 95, 100]"),
        meaning: "You are told once a period when this much is spent.",
    },
    EntryField {
        name: "forecast",
        value: EntryValue::Words(&["true", "false"]),
        default: Some("true"),
        meaning: "You are told if the budget is forecast to run out before the period ends.",
    },
    EntryField {
        name: "refuse_unpriced",
        value: EntryValue::Words(&["true", "false"]),
        default: Some("false"),
        meaning: "Refuses requests with an unknown price. Otherwise they are not counted, and pass until \
                  the budget is used up.",
    },
    EntryField {
        name: BudgetDimension::Backend.word(),
        value: EntryValue::Text("a name"),
        default: None,
        meaning: "Counts only this backend. At most one of this and the next four; without them all \
                  spending counts.",
    },
    EntryField {
        name: BudgetDimension::Credential.word(),
        value: EntryValue::Text("a name"),
        default: None,
        meaning: "Counts only this key.",
    },
    EntryField {
        name: BudgetDimension::Client.word(),
        value: EntryValue::Text("a name"),
        default: None,
        meaning: "Counts only this client.",
    },
    EntryField {
        name: BudgetDimension::Project.word(),
        value: EntryValue::Text("a name"),
        default: None,
        meaning: "Counts only requests of this project.",
    },
    EntryField {
        name: BudgetDimension::Model.word(),
        value: EntryValue::Text("a name"),
        default: None,
        meaning: "Counts only this model, as the backend names it.",
    },
];
const LIMIT_HINT: &str = "write dollars, such as limit_usd = 20 or limit_usd = 2.50";
const DAYS_HINT: &str = "write how many days count, such as days = 30";
const SWITCH_HINT: &str = "name a route, such as switch_to = \"cheap\", or use another action";
const MARKS_HINT: &str = "write percentages, such as marks = [50, 80, 95, 100]";

pub(super) fn read_budgets(
    section: &SectionReader,
    findings: &mut Findings,
) -> IndexMap<BudgetId, Budget> {
    read_entries(section, findings, |_: &BudgetId, entry, findings| {
        entry.check_names(&entry_field::names(BUDGET_FIELDS), findings);
        entry.require("limit_usd", LIMIT_HINT, findings);
        let action = entry.word("action", BudgetAction::WORDS, findings).unwrap_or_default();
        let schedule = read_schedule(entry, findings);
        let scope = read_scope(entry, findings);
        let switch_to = read_switch_to(entry, action, findings);
        let marks = read_marks(entry, findings);
        let forecast = entry.boolean("forecast", findings).unwrap_or(true);
        let refuse_unpriced = entry.boolean("refuse_unpriced", findings).unwrap_or(false);
        let limit = read_limit(entry, findings)?;
        let schedule = schedule?;
        Some(Budget { limit, schedule, scope, action, switch_to, marks, forecast, refuse_unpriced })
    })
}

/// Reports routes that do not exist.
pub(super) fn check_budgets(section: &SectionReader, settings: &Settings, findings: &mut Findings) {
    let routes = settings.routes.keys().map(RouteId::as_str);
    for (id, budget) in &settings.budgets {
        let entry = section.section(id.as_str(), &mut Findings::new(""));
        let Some(route) = &budget.switch_to else { continue };
        match settings.routes.get(route) {
            Some(known) if known.enabled => {}
            Some(_) => {
                let what = format!("the route {route} is switched off, so requests are refused");
                let hint = "switch it on, or name another route";
                entry.report_warning("switch_to", what, hint, None, findings);
            }
            None => entry.report_unknown_name(
                "switch_to",
                ("route", route.as_str()),
                routes.clone(),
                || "add the route, or name one that exists".to_owned(),
                findings,
            ),
        }
    }
}

fn read_schedule(entry: &SectionReader, findings: &mut Findings) -> Option<BudgetSchedule> {
    let period: BudgetPeriod =
        entry.word("period", BudgetPeriod::WORDS, findings).unwrap_or_default();
    let weekday = entry.word("reset_weekday", Weekday::WORDS, findings);
    let day = entry.integer("reset_day", &BUDGET_RESET_DAY_RANGE, findings);
    let days = entry.integer("days", &BUDGET_DAYS_RANGE, findings);
    for (name, of) in [
        ("reset_weekday", BudgetPeriod::Week),
        ("reset_day", BudgetPeriod::Month),
        ("days", BudgetPeriod::Rolling),
    ] {
        if period != of && entry.item(name).is_some() {
            let what = format!("this has no effect on a budget per {period}");
            let hint = format!("remove it, or write period = \"{of}\"");
            entry.report_warning(name, what, hint, None, findings);
        }
    }
    match period {
        BudgetPeriod::Day => Some(BudgetSchedule::Day),
        BudgetPeriod::Week => {
            Some(BudgetSchedule::Week { begins_on: weekday.unwrap_or(Weekday::Monday) })
        }
        BudgetPeriod::Month => Some(BudgetSchedule::Month { begins_on: day.unwrap_or(1) }),
        BudgetPeriod::Rolling => {
            entry.require("days", DAYS_HINT, findings);
            Some(BudgetSchedule::Rolling { days: days? })
        }
    }
}

fn read_switch_to(
    entry: &SectionReader,
    action: BudgetAction,
    findings: &mut Findings,
) -> Option<RouteId> {
    if action != BudgetAction::Switch {
        if entry.item("switch_to").is_some() {
            let what = format!("this has no effect with the action {action}");
            let hint = "remove it, or write action = \"switch\"";
            entry.report_warning("switch_to", what, hint, None, findings);
        }
        return None;
    }
    entry.require("switch_to", SWITCH_HINT, findings);
    let id = RouteId::new(entry.text("switch_to", findings)?);
    id.map_err(|error| {
        let what = "this is not a valid route name";
        entry.report_error("switch_to", what, id_error_hint(&error), None, findings);
    })
    .ok()
}

/// Ascending and without repetitions, however they are written.
fn read_marks(entry: &SectionReader, findings: &mut Findings) -> Vec<u16> {
    let Some(item) = entry.item("marks") else { return BUDGET_MARKS_DEFAULT.to_vec() };
    let Some(list) = item.as_array() else {
        entry.report_error("marks", "this must be a list of numbers", MARKS_HINT, None, findings);
        return Vec::new();
    };
    if list.len() > BUDGET_MARKS_MAX {
        let what = format!("{} marks; at most {BUDGET_MARKS_MAX} are allowed", list.len());
        entry.report_error("marks", what, "remove some of them", None, findings);
    }
    let percent = |value: &Value| {
        let percent = value.as_integer().filter(|it| BUDGET_MARK_PERCENT_RANGE.contains(it))?;
        u16::try_from(percent).ok()
    };
    if let Some(wrong) = list.iter().find(|value| percent(value).is_none()) {
        let (low, high) = (BUDGET_MARK_PERCENT_RANGE.start(), BUDGET_MARK_PERCENT_RANGE.end());
        let text = wrong.clone().decorated("", "").to_string();
        let what = format!("{} is no percentage from {low} to {high}", quote_value(&text));
        entry.report_error("marks", what, MARKS_HINT, None, findings);
    }
    let mut marks: Vec<u16> = list.iter().filter_map(percent).collect();
    marks.sort_unstable();
    marks.dedup();
    marks
}

fn read_limit(entry: &SectionReader, findings: &mut Findings) -> Option<NanoUsd> {
    let value = entry.item("limit_usd")?.as_value()?;
    let digits = match value {
        Value::Integer(_) | Value::Float(_) => decimal_digits(value),
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
