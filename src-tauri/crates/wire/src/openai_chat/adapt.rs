//! Adapts a client's own Chat Completions body to a server that lacks some features. It edits
//! slices, so everything else reaches the backend as the client wrote it.

use std::ops::Range;

use bytes::Bytes;
use domain::Lack;

use super::request::DIALECT;
use crate::crossing::{Crossings, Write};
use crate::json::{Members, items, range_in};
use crate::{RequestError, Target};

/// Replacement for an image that was removed.
const PICTURE_LEFT_OUT: &str = "{\"type\":\"text\",\"text\":\"[image left out]\"}";

/// The missing features that require an edit.
const EDITED: [Lack; 8] = [
    Lack::StreamUsage,
    Lack::DeveloperRole,
    Lack::MaxCompletionTokens,
    Lack::ParallelToolCalls,
    Lack::ReasoningEffort,
    Lack::JsonSchema,
    Lack::Tools,
    Lack::Images,
];

/// Removes what the server does not support. Returns the body and the fields that were dropped.
pub(crate) fn adapt(body: Bytes, target: &Target) -> Result<(Bytes, Vec<String>), RequestError> {
    if !EDITED.iter().any(|lack| target.lacks(*lack)) {
        return Ok((body, Vec::new()));
    }
    // UTF-8 was checked when the request was parsed.
    let text = std::str::from_utf8(&body).unwrap_or_default().to_owned();
    let crossings = Crossings::into_dialect(DIALECT, target.crossing);
    let mut edit = Edit { target, text, crossings };
    edit.messages()?;
    edit.members()?;
    Ok((Bytes::from(edit.text), edit.crossings.into_dropped()))
}

struct Edit<'a> {
    target: &'a Target,
    text: String,
    crossings: Crossings,
}

impl Edit<'_> {
    fn members(&mut self) -> Result<(), RequestError> {
        let lacks = |lack: Lack| self.target.lacks(lack);
        if lacks(Lack::StreamUsage) {
            self.leave_out("stream_options");
        }
        if self.target.lacks(Lack::MaxCompletionTokens) {
            match self.has("max_tokens") {
                true => self.leave_out("max_completion_tokens"),
                false => self.rename("max_completion_tokens", "\"max_tokens\""),
            }
        }
        if self.target.lacks(Lack::ReasoningEffort) {
            self.leave_out("reasoning_effort");
        }
        if self.target.lacks(Lack::Tools) {
            self.tools()?;
        }
        if self.target.lacks(Lack::ParallelToolCalls) {
            self.leave_out("parallel_tool_calls");
        }
        if self.target.lacks(Lack::JsonSchema) {
            self.format()?;
        }
        Ok(())
    }

    fn tools(&mut self) -> Result<(), RequestError> {
        for key in ["tools", "functions"] {
            let is_filled = self.value(key).is_some_and(|raw| raw != "[]");
            if is_filled && self.crossings.lacking(key)? == Write::No {
                self.remove(key);
            }
        }
        for key in ["tools", "functions", "tool_choice", "function_call", "parallel_tool_calls"] {
            self.remove(key);
        }
        Ok(())
    }

    fn format(&mut self) -> Result<(), RequestError> {
        let Some(raw) = self.value("response_format") else { return Ok(()) };
        let kind = Members::parse(raw).ok().and_then(|format| format.string("type"));
        if kind.as_deref() == Some("json_schema")
            && self.crossings.lacking("response_format")? == Write::No
        {
            let at = self.value("response_format").map(|raw| range_in(&self.text, raw));
            self.replace(at, "{\"type\":\"json_object\"}");
        }
        Ok(())
    }

    /// Adapts roles and images in the messages.
    fn messages(&mut self) -> Result<(), RequestError> {
        let mut edits: Vec<(Range<usize>, &str)> = Vec::new();
        let root = Members::parse(&self.text).ok();
        let list = root.as_ref().and_then(|root| root.get("messages")).and_then(items);
        for (place, raw) in list.unwrap_or_default().into_iter().enumerate() {
            let Ok(message) = Members::parse(raw.get()) else { continue };
            let is_developer = message.string("role").as_deref() == Some("developer");
            if let Some(role) = message.get("role")
                && is_developer
                && self.target.lacks(Lack::DeveloperRole)
            {
                edits.push((range_in(&self.text, role.get()), "\"system\""));
            }
            let parts = message.get("content").filter(|_| self.target.lacks(Lack::Images));
            for (part_place, part) in
                parts.and_then(items).unwrap_or_default().into_iter().enumerate()
            {
                let kind = Members::parse(part.get()).ok().and_then(|part| part.string("type"));
                let path = format!("messages[{place}].content[{part_place}]");
                if kind.as_deref() == Some("image_url")
                    && self.crossings.lacking(&path)? == Write::No
                {
                    edits.push((range_in(&self.text, part.get()), PICTURE_LEFT_OUT));
                }
            }
        }
        edits.sort_by_key(|(at, _)| at.start);
        for (at, text) in edits.into_iter().rev() {
            self.text.replace_range(at, text);
        }
        Ok(())
    }

    fn value(&self, key: &str) -> Option<&str> {
        Some(Members::parse(&self.text).ok()?.get(key)?.get())
    }

    fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// Removes a member and records it as dropped.
    fn leave_out(&mut self, key: &str) {
        if self.has(key) {
            self.crossings.dropped(key);
        }
        self.remove(key);
    }

    /// Removes a member and one adjacent comma.
    fn remove(&mut self, key: &str) {
        if let Some(place) = self.place(key) {
            self.text.replace_range(place.removable, "");
        }
    }

    fn rename(&mut self, key: &str, quoted: &str) {
        let at = self.place(key).map(|place| place.key);
        self.replace(at, quoted);
    }

    fn replace(&mut self, at: Option<Range<usize>>, text: &str) {
        if let Some(at) = at {
            self.text.replace_range(at, text);
        }
    }

    /// Ranges of a member; top-level keys are unique.
    fn place(&self, key: &str) -> Option<Place> {
        let members = Members::parse(&self.text).ok()?;
        let all: Vec<_> = members.entries().collect();
        let at = all.iter().position(|(name, _)| *name == key)?;
        let value = range_in(&self.text, all.get(at)?.1.get());
        let before = at.checked_sub(1).and_then(|before| all.get(before));
        let before = before.map(|(_, raw)| range_in(&self.text, raw.get()).end);
        let start = before.or_else(|| self.text.find('{').map(|brace| brace + 1))?;
        let quote = start + self.text.get(start..value.start)?.find('"')?;
        let close = start + self.text.get(start..value.start)?.rfind('"')? + 1;
        let next = || Some(value.end + self.text.get(value.end..)?.find(['"', '}'])?);
        let removable = match before {
            Some(before) => before..value.end,
            None => quote..next()?,
        };
        Some(Place { key: quote..close, removable })
    }
}

struct Place {
    key: Range<usize>,
    removable: Range<usize>,
}
