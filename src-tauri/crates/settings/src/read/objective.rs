//! Reads the objective of one route, backend or service.

use domain::{ServiceGoal, ServicePeriod};

use crate::entry_field::{EntryField, EntryValue};
use crate::finding::Findings;
use crate::section_reader::SectionReader;
use crate::{FIRST_TOKEN_MAX_MS_RANGE, OwnObjective};

pub(crate) const OBJECTIVE_FIELD: EntryField = EntryField {
    name: "objective",
    value: EntryValue::Text("`{ goal = \"99.5\", period = \"7d\" }`"),
    default: None,
    meaning: "Its own objective. Values left out use the defaults in `service_levels`.",
};
pub(crate) const BACKEND_OBJECTIVE_FIELD: EntryField = EntryField {
    value: EntryValue::Text("`{ goal = \"99.5\", period = \"7d\", first_token_max_ms = 8000 }`"),
    ..OBJECTIVE_FIELD
};

pub(super) fn read_objective(entry: &SectionReader, findings: &mut Findings) -> OwnObjective {
    let section = entry.section(OBJECTIVE_FIELD.name, findings);
    section.check_names(&["goal", "period"], findings);
    read_goal(&section, findings)
}

pub(super) fn read_backend_objective(
    entry: &SectionReader,
    findings: &mut Findings,
) -> OwnObjective {
    let section = entry.section(OBJECTIVE_FIELD.name, findings);
    section.check_names(&["goal", "period", "first_token_max_ms"], findings);
    OwnObjective {
        first_token_max_ms: section.integer(
            "first_token_max_ms",
            &FIRST_TOKEN_MAX_MS_RANGE,
            findings,
        ),
        ..read_goal(&section, findings)
    }
}

fn read_goal(section: &SectionReader, findings: &mut Findings) -> OwnObjective {
    OwnObjective {
        goal: section.word("goal", ServiceGoal::WORDS, findings),
        period: section.word("period", ServicePeriod::WORDS, findings),
        first_token_max_ms: None,
    }
}
