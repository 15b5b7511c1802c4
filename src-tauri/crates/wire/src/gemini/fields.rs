//! Members of a Gemini request: camelCase as documented, or `snake_case` as LiteLLM and others send
//! it. Google accepts both (proto3 JSON).
//!
//! Readers take members out one by one. What remains is unknown and is reported, never lost
//! silently.

use std::collections::HashSet;

use crate::RequestError;
use crate::crossing::Field;
use crate::neutral::Extra;
use crate::node::{Node, Object};

/// Members of one object that have not been taken.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    path: String,
    members: Vec<(String, Node<'a>)>,
}

impl<'a> Fields<'a> {
    /// Errors if `node` is no object or has a member in both spellings.
    pub(crate) fn of(node: &Node<'a>) -> Result<Self, RequestError> {
        Self::of_object(&node.object()?)
    }

    /// Converts names to camelCase. Errors if a member comes in both spellings.
    pub(crate) fn of_object(object: &Object<'a>) -> Result<Self, RequestError> {
        let members: Vec<_> = object.entries().map(|(key, node)| (camel(key), node)).collect();
        let mut seen = HashSet::new();
        for (key, _) in &members {
            if !seen.insert(key.as_str()) {
                return Err(RequestError::DuplicateKey(object.path_to(key)));
            }
        }
        Ok(Self { path: object.path().to_owned(), members })
    }

    /// Takes the member whose camelCase name is `key`.
    pub(crate) fn take(&mut self, key: &str) -> Option<Node<'a>> {
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
    pub(crate) fn take_extra(&mut self, key: &str, field: Field, extras: &mut Vec<Extra>) {
        extras.extend(self.take(key).map(|node| extra(field, &node)));
    }

    /// Keeps the remaining members as unknown extras.
    pub(crate) fn rest(self, extras: &mut Vec<Extra>) {
        extras.extend(self.members.iter().map(|(_, node)| extra(Field::Unknown, node)));
    }

    /// The remaining members, names in camelCase.
    pub(crate) fn into_members(self) -> Vec<(String, Node<'a>)> {
        self.members
    }

    pub(crate) fn path_to(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

pub(super) fn extra(field: Field, node: &Node<'_>) -> Extra {
    Extra { field, path: node.path().to_owned(), value: node.json() }
}

/// Converts `snake_case` to camelCase; camelCase stays unchanged.
pub(crate) fn camel(key: &str) -> String {
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
