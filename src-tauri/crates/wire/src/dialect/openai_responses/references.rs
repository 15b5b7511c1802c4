//! References to items of earlier answers (`item_reference`).
//!
//! A client that leaves `store` at its default assumes that the items of an answer are stored, and
//! sends their ids in the next turn; the AI SDK's default OpenAI provider (4.0) does so for
//! reasoning and text. OpenAI stores its own items, so the gateway must store the items that it
//! creates. An item's id precedes its text and signature in the stream, so the id cannot carry
//! them.
//!
//! References are replaced by the items before anything else reads the request, as if the client
//! had sent the whole items. That returns signatures to their provider, and no other code has to
//! handle references.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::dialect::openai_responses::reasoning::is_foreign;
use crate::json::{Members, array_items, range_in, replace_ranges};
use crate::neutral::ThoughtSignature;

/// Prefixes of the item ids that [`super::item`] generates.
const ITEM_PREFIXES: [&str; 5] = ["msg", "rs", "fc", "ctc", "ig"];

/// Prefix of a gateway request's id, which is part of its items' ids.
const REQUEST_PREFIX: &str = "req";

/// An item of an answer, as the client received it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseItem {
    pub id: String,
    /// The whole item as JSON, including its id.
    pub json: Arc<str>,
}

/// The items that the gateway created in an answer. `answer` is a whole body, or bytes that end
/// with the last event of a stream.
#[must_use]
pub fn response_items(answer: &[u8]) -> Vec<ResponseItem> {
    let text = std::str::from_utf8(answer).unwrap_or_default().trim_end();
    let last_event = || text.lines().rev().find_map(|line| line.strip_prefix("data: "));
    let whole = text.starts_with('{').then_some(text);
    let Some(members) = whole.or_else(last_event).and_then(|text| Members::parse(text).ok()) else {
        return Vec::new();
    };
    let response = if whole.is_some() { members } else { members.object("response") };
    let output = response.get("output").and_then(array_items).unwrap_or_default();
    let made = output.into_iter().filter_map(|item| {
        let id = Members::parse(item.get()).ok()?.string("id")?;
        is_gateway_item(&id).then(|| ResponseItem { id, json: item.get().into() })
    });
    made.collect()
}

/// Replaces item references in `body` with the items. An item that is referenced twice is inserted
/// once, so that a small body cannot grow without limit. References that `find` does not know stay
/// unchanged.
#[must_use]
pub fn resolve_items(body: Bytes, mut find: impl FnMut(&str) -> Option<Arc<str>>) -> Bytes {
    let text = std::str::from_utf8(&body).unwrap_or_default();
    if !text.contains("item_reference") {
        return body;
    }
    let Ok(members) = Members::parse(text) else { return body };
    let mut seen = BTreeSet::new();
    let mut found: Vec<(Range<usize>, Arc<str>)> = Vec::new();
    for item in members.get("input").and_then(array_items).unwrap_or_default() {
        let Some(id) = referenced_id(item.get()) else { continue };
        if seen.insert(id.clone())
            && let Some(json) = find(&id)
        {
            found.push((range_in(text, item.get()), json));
        }
    }
    if found.is_empty() {
        return body;
    }
    let edits: Vec<_> = found.iter().map(|(at, json)| (at, &**json)).collect();
    replace_ranges(&body, &edits)
}

/// Removes items that a backend of this dialect could not read: references to gateway items that
/// are no longer stored, and reasoning made from another provider's. Returns the body and the paths
/// of the removed items.
pub(crate) fn remove_foreign_items(body: Bytes) -> (Bytes, Vec<String>) {
    let text = std::str::from_utf8(&body).unwrap_or_default();
    // A foreign signature contains the first string with either prefix; ids of gateway items
    // contain the second.
    if !text.contains(ThoughtSignature::FOREIGN_PREFIX) && !text.contains("_req") {
        return (body, Vec::new());
    }
    let input = Members::parse(text).ok().and_then(|members| members.get("input"));
    let Some((input, list)) = input.and_then(|input| Some((input, array_items(input)?))) else {
        return (body, Vec::new());
    };
    let (mut kept, mut dropped) = (Vec::new(), Vec::new());
    for (place, item) in list.iter().enumerate() {
        if is_unreadable(item.get()) {
            dropped.push(format!("input[{place}]"));
        } else {
            kept.push(item.get());
        }
    }
    if dropped.is_empty() {
        return (body, dropped);
    }
    let left = format!("[{}]", kept.join(","));
    (replace_ranges(&body, &[(&range_in(text, input.get()), &left)]), dropped)
}

fn is_unreadable(item: &str) -> bool {
    if let Some(id) = referenced_id(item) {
        return is_gateway_item(&id);
    }
    let Ok(item) = Members::parse(item) else { return false };
    item.string("type").as_deref() == Some("reasoning")
        && (item.string("id").is_some_and(|id| is_gateway_item(&id))
            || item.string("encrypted_content").is_some_and(|content| is_foreign(&content)))
}

/// True if an unresolved reference may be dropped: to a gateway item, lost by a restart or by age,
/// or to another provider's reasoning, which this backend could not use anyway.
pub(super) fn is_droppable_reference(id: &str) -> bool {
    is_gateway_item(id) || id.starts_with("rs_")
}

/// True if any run of the gateway created the item with this id.
fn is_gateway_item(id: &str) -> bool {
    let mut parts = id.split('_');
    let (Some(prefix), Some(request), Some(place), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    ITEM_PREFIXES.contains(&prefix)
        && request.starts_with(REQUEST_PREFIX)
        && request.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && !place.is_empty()
        && place.bytes().all(|byte| byte.is_ascii_digit())
}

/// The id that an `item_reference` refers to.
fn referenced_id(item: &str) -> Option<String> {
    let item = Members::parse(item).ok()?;
    (item.string("type")? == "item_reference").then(|| item.string("id")).flatten()
}

#[cfg(test)]
mod tests;
