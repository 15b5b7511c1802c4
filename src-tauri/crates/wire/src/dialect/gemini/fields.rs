//! Members of a Gemini request: camelCase as documented, or `snake_case` as LiteLLM and others send
//! it. Google accepts both (proto3 JSON).
//!
//! Readers take members out one by one. What remains is unknown and is reported, never lost
//! silently.

use std::collections::HashSet;

use crate::RequestError;
use crate::dialect::field_filter::FieldKind;
use crate::json::json_node::{JsonNode, JsonObject};
use crate::neutral::ExtraField;

/// Members of one object that have not been taken.
#[derive(Debug)]
pub(crate) struct RemainingMembers<'a> {
    path: String,
    members: Vec<(String, JsonNode<'a>)>,
}

impl<'a> RemainingMembers<'a> {
    /// Errors if `node` is no object or has a member in both spellings.
    pub(crate) fn from_node(node: &JsonNode<'a>) -> Result<Self, RequestError> {
        Self::from_object(&node.object()?)
    }

    /// Converts names to camelCase. Errors if a member comes in both spellings.
    pub(crate) fn from_object(object: &JsonObject<'a>) -> Result<Self, RequestError> {
        let members: Vec<_> =
            object.entries().map(|(key, node)| (to_camel_case(key), node)).collect();
        let mut seen = HashSet::new();
        for (key, _) in &members {
            if !seen.insert(key.as_str()) {
                return Err(RequestError::DuplicateKey(object.path_to(key)));
            }
        }
        Ok(Self { path: object.path().to_owned(), members })
    }

    /// Takes the member whose camelCase name is `key`.
    pub(crate) fn take(&mut self, key: &str) -> Option<JsonNode<'a>> {
        let place = self.members.iter().position(|(name, _)| name == key)?;
        Some(self.members.remove(place).1)
    }

    pub(crate) fn take_text(&mut self, key: &str) -> Result<Option<String>, RequestError> {
        self.take(key).map(|node| node.text()).transpose()
    }

    /// Takes the text at `key`; errors if it is missing.
    pub(crate) fn take_required_text(&mut self, key: &str) -> Result<String, RequestError> {
        self.take_text(key)?.ok_or_else(|| RequestError::Missing(self.path_to(key)))
    }

    /// Takes the member `key` and keeps it as an extra.
    pub(crate) fn take_extra(&mut self, key: &str, field: FieldKind, extras: &mut Vec<ExtraField>) {
        extras.extend(self.take(key).map(|node| node.extra(field)));
    }

    /// Keeps the remaining members as unknown extras.
    pub(crate) fn keep_rest(self, extras: &mut Vec<ExtraField>) {
        extras.extend(self.members.iter().map(|(_, node)| node.extra(FieldKind::Unknown)));
    }

    /// The remaining members, names in camelCase.
    pub(crate) fn into_members(self) -> Vec<(String, JsonNode<'a>)> {
        self.members
    }

    pub(crate) fn path_to(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

/// Converts `snake_case` to camelCase; camelCase stays unchanged.
pub(crate) fn to_camel_case(key: &str) -> String {
    let mut name = String::with_capacity(key.len());
    let mut is_after_underscore = false;
    for c in key.chars() {
        match c {
            '_' if !name.is_empty() => is_after_underscore = true,
            c if is_after_underscore => {
                name.push(c.to_ascii_uppercase());
                is_after_underscore = false;
            }
            c => name.push(c),
        }
    }
    name
}
