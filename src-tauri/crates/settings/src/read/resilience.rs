//! Reads the resilience settings: a preset, or each number.

use crate::finding::{Findings, RepairAction};
use crate::section_reader::SectionReader;
use crate::{ResilienceNumbers, ResiliencePreset, ResilienceSettings};

pub(super) fn read_resilience(
    section: &SectionReader,
    findings: &mut Findings,
) -> ResilienceSettings {
    let fields = ResilienceNumbers::FIELDS.iter().map(|field| field.name);
    section.check_names(&fields.chain(["preset"]).collect::<Vec<_>>(), findings);
    let word = section.word("preset", ResiliencePreset::WORDS, findings);
    let custom = ResilienceNumbers::read(|field| {
        section.integer(field.name, &field.range, field.default, findings)
    });
    check_ascending(section, &custom, findings);
    // Numbers without a preset mean a custom one.
    let preset = word.unwrap_or(match custom == ResilienceNumbers::default() {
        true => ResiliencePreset::default(),
        false => ResiliencePreset::Custom,
    });
    ResilienceSettings { preset, custom }
}

fn check_ascending(section: &SectionReader, numbers: &ResilienceNumbers, findings: &mut Findings) {
    for (low, high) in ResilienceNumbers::ORDERED_PAIRS {
        let (Some(first), Some(last)) = (numbers.get(low), numbers.get(high)) else { continue };
        if first > last {
            let what =
                format!("{low} is {first}; it must not be larger than {high}, which is {last}");
            let (name, meant) = match section.item(high) {
                Some(_) => (high, first),
                None => (low, last),
            };
            let action = Some(RepairAction::Set(i64::from(meant).into()));
            section.report_error(name, what, format!("write {name} = {meant}"), action, findings);
        }
    }
}
