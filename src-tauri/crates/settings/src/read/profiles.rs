//! Reads profiles, and checks what they name.

use domain::{BackendId, ProfileId};
use indexmap::IndexMap;

use super::entries::read_entries;
use super::names::{NameListRules, read_names};
use crate::finding::{Findings, closest_word, quote_value};
use crate::section_reader::SectionReader;
use crate::{ENTRIES_MAX, PROFILES_MAX, Profile, Settings};

const BACKENDS: NameListRules = NameListRules {
    field: "backends",
    one: "backend",
    example: "openai",
    entries_max: ENTRIES_MAX,
    chars_max: domain::SLUG_CHARS_MAX,
    fewer: "a backend that no profile names is in all of them",
};

pub(super) fn read_profiles(
    section: &SectionReader,
    findings: &mut Findings,
) -> IndexMap<ProfileId, Profile> {
    if section.names().len() > PROFILES_MAX {
        let what = format!("there are more than {PROFILES_MAX} profiles");
        findings.error(&section.path, section.span_of(""), what, "remove some of them");
    }
    read_entries(section, findings, |_: &ProfileId, entry, findings| {
        entry.check_names(&["backends"], findings);
        let names = read_names(entry, &BACKENDS, findings);
        let mut backends = Vec::with_capacity(names.len());
        for name in names {
            match BackendId::new(name.as_str()) {
                Ok(id) => backends.push(id),
                Err(_) => warn_missing(entry, &name, None, findings),
            }
        }
        Some(Profile { backends })
    })
}

/// The profile in use exists, and so do the backends of all profiles.
pub(super) fn check_profiles(
    choice: &SectionReader,
    profiles: &SectionReader,
    settings: &Settings,
    findings: &mut Findings,
) {
    let active = settings.profile.active.as_ref();
    if let Some(asked) = active.filter(|asked| !settings.profiles.contains_key(*asked)) {
        choice.report_unknown_name(
            "active",
            ("profile", asked.as_str()),
            settings.profiles.keys().map(ProfileId::as_str),
            || "name one of the profiles, or remove this line".to_owned(),
            findings,
        );
    }
    for (id, profile) in &settings.profiles {
        let entry = profiles.section(id.as_str(), &mut Findings::new(""));
        for backend in profile.backends.iter().filter(|it| !settings.backends.contains_key(*it)) {
            let known = settings.backends.keys().map(BackendId::as_str);
            let meant = closest_word(backend.as_str(), known);
            warn_missing(&entry, backend.as_str(), meant, findings);
        }
    }
}

fn warn_missing(entry: &SectionReader, name: &str, meant: Option<&str>, findings: &mut Findings) {
    let what = format!("there is no backend named {}, so it is skipped", quote_value(name));
    let hint = match meant {
        Some(meant) => format!("did you mean {meant}?"),
        None => "add that backend, or remove its name here".to_owned(),
    };
    entry.report_warning("backends", what, hint, None, findings);
}
