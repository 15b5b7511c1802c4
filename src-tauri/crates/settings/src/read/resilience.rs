//! Reads and writes the resilience settings: a preset, and each number.

use crate::finding::{Findings, RepairAction};
use crate::model::PresetRow;
use crate::section_reader::SectionReader;
use crate::setting::{Rows, Section, Setting, TableFields};
use crate::{ResilienceNumbers, ResiliencePreset, ResilienceSettings};

impl Section for ResilienceSettings {
    fn read(section: &SectionReader, findings: &mut Findings) -> Self {
        let names: Vec<_> = Self::settings().iter().map(|setting| setting.name).collect();
        section.check_names(&names, findings);
        let word = section.word("preset", ResiliencePreset::WORDS, findings);
        let mut custom = ResilienceNumbers::default();
        custom.read_rows(section, findings);
        check_ascending(section, &custom, findings);
        // Numbers without a preset mean a custom one.
        let preset = word.unwrap_or(match custom == ResilienceNumbers::default() {
            true => ResiliencePreset::default(),
            false => ResiliencePreset::Custom,
        });
        Self { preset, custom }
    }

    /// Leaves the preset out only if it and all numbers are the defaults: numbers without a preset
    /// mean a custom one.
    fn write(&self) -> TableFields {
        let mut fields = match *self == Self::default() {
            true => TableFields::new(),
            false => PresetRow { preset: self.preset }.write_rows(),
        };
        fields.extend(self.custom.write_rows());
        fields
    }

    fn settings() -> Vec<&'static Setting> {
        <PresetRow as Rows>::settings().chain(<ResilienceNumbers as Rows>::settings()).collect()
    }
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
