//! References to items of earlier answers (`item_reference`).
//!
//! A client that leaves `store` at its default takes the items of an answer for kept, and sends their
//! ids in the next turn. The AI SDK's default OpenAI provider (4.0) does so for reasoning, and for
//! text. OpenAI keeps what it made; what the gateway made, the gateway has to keep. An item's id stands
//! in the stream before its text and its signature, so it cannot carry them.
//!
//! What is found is put in the place of its reference before anything else reads the request, as if
//! the client had sent the whole item: so a signature comes home, and no other code knows references.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::client_request::splice;
use crate::json::{Members, items, range_in};
use crate::neutral::Signature;
use crate::openai_responses::reasoning::is_foreign;

/// The beginnings of the ids of items that [`super::item`] makes.
const ITEM_PREFIXES: [&str; 5] = ["msg", "rs", "fc", "ctc", "ig"];

/// How the id of a request of the gateway begins, which stands within the ids of its items.
const REQUEST_PREFIX: &str = "req";

/// An item of an answer, as the client got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseItem {
    /// Its id.
    pub id: String,
    /// The whole item in JSON, its id included.
    pub json: Arc<str>,
}

/// The items that the gateway made of an answer: `answer` is the whole body, or ends with the last
/// event of a stream.
#[must_use]
pub fn response_items(answer: &[u8]) -> Vec<ResponseItem> {
    let text = std::str::from_utf8(answer).unwrap_or_default().trim_end();
    let last_event = || text.lines().rev().find_map(|line| line.strip_prefix("data: "));
    let whole = text.starts_with('{').then_some(text);
    let Some(members) = whole.or_else(last_event).and_then(|text| Members::parse(text).ok()) else {
        return Vec::new();
    };
    let response = if whole.is_some() { members } else { members.object("response") };
    let output = response.get("output").and_then(items).unwrap_or_default();
    let made = output.into_iter().filter_map(|item| {
        let id = Members::parse(item.get()).ok()?.string("id")?;
        is_made_here(&id).then(|| ResponseItem { id, json: item.get().into() })
    });
    made.collect()
}

/// `body` with the items in the place of their references. An item that is referred to twice is put in
/// once, so that a small body cannot become an endless one. What `find` does not know stays as it is.
#[must_use]
pub fn resolve_items(body: Bytes, mut find: impl FnMut(&str) -> Option<Arc<str>>) -> Bytes {
    let text = std::str::from_utf8(&body).unwrap_or_default();
    if !text.contains("item_reference") {
        return body;
    }
    let Ok(members) = Members::parse(text) else { return body };
    let mut seen = BTreeSet::new();
    let mut found: Vec<(Range<usize>, Arc<str>)> = Vec::new();
    for item in members.get("input").and_then(items).unwrap_or_default() {
        let Some(id) = reference(item.get()) else { continue };
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
    splice(&body, &edits)
}

/// `body` for a backend that speaks the dialect itself, without the items that it could not read:
/// references to items of ours that are not kept any more, and reasoning that the gateway made of
/// another provider's. With the paths of what was left out.
pub(crate) fn without_foreign_items(body: Bytes) -> (Bytes, Vec<String>) {
    let text = std::str::from_utf8(&body).unwrap_or_default();
    // Both beginnings of a foreign signature hold the first; ids of ours hold the second.
    if !text.contains(Signature::CROSSED_PREFIX) && !text.contains("_req") {
        return (body, Vec::new());
    }
    let input = Members::parse(text).ok().and_then(|members| members.get("input"));
    let Some((input, list)) = input.and_then(|input| Some((input, items(input)?))) else {
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
    (splice(&body, &[(&range_in(text, input.get()), &left)]), dropped)
}

fn is_unreadable(item: &str) -> bool {
    if let Some(id) = reference(item) {
        return is_made_here(&id);
    }
    let Ok(item) = Members::parse(item) else { return false };
    item.string("type").as_deref() == Some("reasoning")
        && (item.string("id").is_some_and(|id| is_made_here(&id))
            || item.string("encrypted_content").is_some_and(|content| is_foreign(&content)))
}

/// Whether a reference that nobody can resolve may be left out: to an item of ours, which a restart or
/// its age has taken, or to reasoning of another provider, which this backend could not use anyway.
pub(super) fn may_be_lost(id: &str) -> bool {
    is_made_here(id) || id.starts_with("rs_")
}

/// Whether the gateway made the item of this id, in whatever run.
fn is_made_here(id: &str) -> bool {
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

/// The id that an item of `input` refers to.
fn reference(item: &str) -> Option<String> {
    let item = Members::parse(item).ok()?;
    (item.string("type")? == "item_reference").then(|| item.string("id")).flatten()
}

#[cfg(test)]
mod tests;
