//! Reads where the requests of a switched client go, and which project a client's belong to.

use domain::{BackendId, ClientTarget, RouteId};

use crate::entry_field::{EntryField, EntryValue};
use crate::finding::Findings;
use crate::section_reader::SectionReader;
use crate::{MOCK_BACKEND_ID, PROJECT_CHARS_MAX, Settings};

pub(crate) const CLIENT_FIELDS: &[EntryField] = &[
    EntryField {
        name: "backend",
        value: EntryValue::Text("the name of a backend, or `mock`"),
        default: None,
        meaning: "Its requests for chat models go to this backend, whatever the routing rules say. \
                  `gatehouse clients switch` writes it.",
    },
    EntryField {
        name: "route",
        value: EntryValue::Text("the name of a route"),
        default: None,
        meaning: "The same for a route, whatever model a request names. Only one of the two can be set.",
    },
    EntryField {
        name: "blocked",
        value: EntryValue::Words(&["true", "false"]),
        default: Some("false"),
        meaning: "Its requests are refused while its token stays. `gatehouse clients block` writes it.",
    },
    EntryField {
        name: "project",
        value: EntryValue::Text("a name"),
        default: None,
        meaning: "Its requests belong to this project, whatever their header `x-gatehouse-project` says. Clients of a project with the same scope share cached responses.",
    },
];

/// Most names that an error lists.
const NAMES_SHOWN_MAX: usize = 8;

pub(super) fn read_client_target(
    entry: &SectionReader,
    findings: &mut Findings,
) -> Option<ClientTarget> {
    let backend = entry.id("backend", "backend", findings).map(ClientTarget::Backend);
    let route = entry.id("route", "route", findings).map(ClientTarget::Route);
    if entry.item("backend").is_some() && entry.item("route").is_some() {
        let what = "a client goes to a backend or to a route, not to both";
        entry.report_error("route", what, "remove one of the two", None, findings);
    }
    backend.or(route)
}

pub(super) fn read_project(entry: &SectionReader, findings: &mut Findings) -> Option<String> {
    let name = entry.text("project", findings)?.trim();
    let is_name = name.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    if !is_name || name.is_empty() || name.len() > PROJECT_CHARS_MAX {
        // A header could not hold another one, and would name another project.
        let hint =
            format!("write 1 to {PROJECT_CHARS_MAX} letters, digits, spaces and signs of ASCII");
        entry.report_error("project", "this is no name of a project", hint, None, findings);
        return None;
    }
    Some(name.to_owned())
}

/// Reports targets that do not exist.
pub(super) fn check_client_targets(
    clients: &SectionReader,
    settings: &Settings,
    findings: &mut Findings,
) {
    for (id, client) in &settings.clients {
        let entry = clients.section(id.as_str(), &mut Findings::new(""));
        let backends = || settings.backends.keys().map(BackendId::as_str).chain([MOCK_BACKEND_ID]);
        match &client.switched_to {
            None => {}
            Some(ClientTarget::Backend(id)) => {
                check_name(
                    &entry,
                    "backend",
                    id.as_str(),
                    &backends().collect::<Vec<_>>(),
                    findings,
                );
            }
            Some(ClientTarget::Route(id)) => {
                let routes: Vec<_> = settings.routes.keys().map(RouteId::as_str).collect();
                check_name(&entry, "route", id.as_str(), &routes, findings);
            }
        }
    }
}

/// `field` is also the noun for what it names.
fn check_name(
    entry: &SectionReader,
    field: &str,
    asked: &str,
    known: &[&str],
    findings: &mut Findings,
) {
    if known.contains(&asked) {
        return;
    }
    let otherwise = || match known {
        [] => format!("there is no {field} yet; remove this line"),
        known => {
            let shown = known.iter().take(NAMES_SHOWN_MAX).copied().collect::<Vec<_>>().join(", ");
            let more = if known.len() > NAMES_SHOWN_MAX { ", …" } else { "" };
            format!("name one of {shown}{more}, or remove this line")
        }
    };
    entry.report_unknown_name(field, (field, asked), known.iter().copied(), otherwise, findings);
}
