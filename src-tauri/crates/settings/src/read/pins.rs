//! Reads pinned figures.

use domain::{GroupBy, PinId};
use indexmap::IndexMap;

use super::entries::read_entries;
use crate::entry_field::{self, EntryField, EntryValue};
use crate::finding::Findings;
use crate::section_reader::SectionReader;
use crate::{MODEL_CHARS_MAX, PINS_MAX, PinMeasure, PinRange, PinSettings};

pub(crate) const PIN_FIELDS: &[EntryField] = &[
    EntryField {
        name: "measure",
        value: EntryValue::Words(PinMeasure::WORDS),
        default: None,
        meaning: "What it measures.",
    },
    EntryField {
        name: "range",
        value: EntryValue::Words(PinRange::WORDS),
        default: Some("last_week"),
        meaning: "The days that count, up to now.",
    },
    EntryField {
        name: GroupBy::Backend.word(),
        value: EntryValue::Text("a name"),
        default: None,
        meaning: "Counts only this backend. `first_token_p95` takes one of backend, model and route.",
    },
    EntryField {
        name: GroupBy::Model.word(),
        value: EntryValue::Text("a name"),
        default: None,
        meaning: "Counts only this model.",
    },
    EntryField {
        name: GroupBy::Client.word(),
        value: EntryValue::Text("a name"),
        default: None,
        meaning: "Counts only this client.",
    },
    EntryField {
        name: GroupBy::Credential.word(),
        value: EntryValue::Text("a name"),
        default: None,
        meaning: "Counts only this key.",
    },
    EntryField {
        name: GroupBy::Project.word(),
        value: EntryValue::Text("a name"),
        default: None,
        meaning: "Counts only this project; empty for requests without one.",
    },
    EntryField {
        name: GroupBy::Route.word(),
        value: EntryValue::Text("a name"),
        default: None,
        meaning: "Counts only this route.",
    },
];

pub(super) fn read_pins(
    section: &SectionReader,
    findings: &mut Findings,
) -> IndexMap<PinId, PinSettings> {
    if section.names().len() > PINS_MAX {
        let what = format!("there are more than {PINS_MAX} pinned figures");
        findings.error(&section.path, section.span_of(""), what, "remove some of them");
    }
    read_entries(section, findings, |_: &PinId, entry, findings| {
        entry.check_names(&entry_field::names(PIN_FIELDS), findings);
        entry.require("measure", "write what it measures, such as measure = \"cost\"", findings);
        let measure: Option<PinMeasure> = entry.word("measure", PinMeasure::WORDS, findings);
        let range = entry.word("range", PinRange::WORDS, findings).unwrap_or_default();
        let mut filter = std::collections::BTreeMap::new();
        for dimension in GroupBy::ALL {
            let Some(name) = entry.text(dimension.word(), findings) else { continue };
            if name.chars().count() > MODEL_CHARS_MAX {
                let what = format!("this is longer than {MODEL_CHARS_MAX} characters");
                let hint = "write the name as the requests have it";
                entry.report_error(dimension.word(), what, hint, None, findings);
            }
            filter.insert(*dimension, name.to_owned());
        }
        let pin = PinSettings { measure: measure?, range, filter };
        if let Some((what, hint)) = pin.filter_problem() {
            entry.report_error("measure", what, hint, None, findings);
        }
        Some(pin)
    })
}
