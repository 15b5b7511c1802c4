//! Reads the keys of a backend: one name, or a list of names with weights.

use domain::{CredentialId, IdError, PoolOrder};
use indexmap::IndexMap;
use toml_edit::Value;

use crate::finding::{Findings, RepairAction, closest_word, quote_value};
use crate::section_reader::SectionReader;
use crate::{
    CredentialSettings, KeyPoolSettings, POOL_MEMBERS_MAX, PoolMemberSettings, WEIGHT_RANGE,
};

const HINT: &str = "write it like credentials = [\"first\", { id = \"second\", weight = 2 }]";

pub(super) fn read_pool(entry: &SectionReader, findings: &mut Findings) -> KeyPoolSettings {
    let order = entry.word("pool", PoolOrder::WORDS, findings).unwrap_or_default();
    let single = entry.id("credential", "key", findings);
    let members = match entry.item("credentials") {
        None => single.into_iter().map(PoolMemberSettings::new).collect(),
        Some(_) => read_members(entry, findings),
    };
    if entry.item("credential").is_some() && entry.item("credentials").is_some() {
        let what = "the keys are set twice, in credential and in credentials";
        entry.report_error(
            "credential",
            what,
            "remove credential and keep credentials",
            None,
            findings,
        );
    }
    check_weights(entry, order, &members, findings);
    KeyPoolSettings { order, members }
}

fn read_members(entry: &SectionReader, findings: &mut Findings) -> Vec<PoolMemberSettings> {
    let name = "credentials";
    let Some(list) = entry.item(name).and_then(toml_edit::Item::as_array) else {
        let single = entry.item(name).and_then(toml_edit::Item::as_str);
        let meant = single
            .map(|id| RepairAction::Set(Value::Array(std::iter::once(Value::from(id)).collect())));
        entry.report_error(name, "this must be a list of keys", HINT, meant, findings);
        return Vec::new();
    };
    if list.len() > POOL_MEMBERS_MAX {
        let what = format!("{} keys; at most {POOL_MEMBERS_MAX} are allowed", list.len());
        entry.report_error(name, what, "remove some of them", None, findings);
    }
    let mut members: Vec<PoolMemberSettings> = Vec::new();
    for (place, value) in list.iter().enumerate() {
        let Some(member) = read_member(entry, place, value, findings) else { continue };
        if members.iter().any(|known| known.credential == member.credential) {
            let what =
                format!("the key {} is listed twice", quote_value(member.credential.as_str()));
            let path = entry.path_of(name);
            findings.warning(&path, value.span(), what, "remove one of the two");
        } else {
            members.push(member);
        }
    }
    members
}

fn read_member(
    entry: &SectionReader,
    place: usize,
    value: &Value,
    findings: &mut Findings,
) -> Option<PoolMemberSettings> {
    let (id, weight) = match value {
        Value::String(id) => (Some(id.value().as_str()), 1),
        Value::InlineTable(table) => {
            let path = entry.path_of("credentials");
            let inner = SectionReader::list_entry(&path, place, table, value.span());
            inner.check_names(&["id", "weight"], findings);
            inner.require("id", HINT, findings);
            let weight = inner.integer("weight", &WEIGHT_RANGE, findings);
            (inner.text("id", findings), weight.unwrap_or(1))
        }
        _ => {
            let what = "the name of a key must be a string";
            findings.error(&entry.path_of("credentials"), value.span(), what, HINT);
            (None, 1)
        }
    };
    let credential = CredentialId::new(id?);
    let named = credential.map_err(|error| report_bad_name(entry, "credentials", &error, findings));
    Some(PoolMemberSettings { credential: named.ok()?, weight })
}

fn report_bad_name(entry: &SectionReader, name: &str, error: &IdError, findings: &mut Findings) {
    entry.report_error(
        name,
        "this is not a valid key name",
        crate::finding::id_error_hint(error),
        None,
        findings,
    );
}

fn check_weights(
    entry: &SectionReader,
    order: PoolOrder,
    members: &[PoolMemberSettings],
    findings: &mut Findings,
) {
    let by_weight = order == PoolOrder::Weighted && !members.is_empty();
    if by_weight && members.iter().all(|member| member.weight == 0) {
        let what = "every weight is 0, so all keys are used equally";
        let path = entry.path_of("credentials");
        findings.warning(
            &path,
            entry.span_of("credentials"),
            what,
            "set at least one weight above \
                                               0",
        );
    }
}

/// The keys named by an entry as written in the file, with the field and the index in its list.
pub(super) fn named_keys<'doc>(
    entry: &SectionReader<'doc>,
) -> Vec<(&'static str, Option<usize>, &'doc str)> {
    let single = entry.item("credential").and_then(toml_edit::Item::as_str);
    let single = single.map(|id| ("credential", None, id));
    let list = entry.item("credentials").and_then(toml_edit::Item::as_array);
    let listed = list.into_iter().flatten().enumerate().filter_map(|(place, value)| {
        let id = match value {
            Value::InlineTable(table) => table.get("id").and_then(Value::as_str),
            other => other.as_str(),
        };
        Some(("credentials", Some(place), id?))
    });
    single.into_iter().chain(listed).collect()
}

/// Reports a named credential that does not exist.
pub(super) fn check_key_exists(
    section: &SectionReader,
    (name, place, asked): (&'static str, Option<usize>, &str),
    known: &IndexMap<CredentialId, CredentialSettings>,
    findings: &mut Findings,
) {
    let ids = || known.keys().map(CredentialId::as_str);
    if ids().any(|id| id == asked) || CredentialId::new(asked).is_err() {
        return;
    }
    let what = match place {
        Some(_) => format!("there is no key named {}", quote_value(asked)),
        None => "there is no key with this name".to_owned(),
    };
    let hint = "add it with `gatehouse keys add`, or name an existing key";
    let action = closest_word(asked, ids()).map(|meant| match place {
        Some(place) => {
            RepairAction::SetAt { place, field: "id".to_owned(), value: Value::from(meant) }
        }
        None => RepairAction::Set(Value::from(meant)),
    });
    section.report_error(name, what, hint, action, findings);
}
