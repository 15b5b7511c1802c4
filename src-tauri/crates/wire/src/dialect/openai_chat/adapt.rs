//! Adapts a client's own Chat Completions body to a server that lacks some features. It edits
//! slices, so everything else reaches the backend as the client wrote it.

use std::ops::Range;

use bytes::Bytes;
use domain::{Dialect, UnsupportedFeature};

use crate::dialect::field_filter::{FieldDecision, FieldFilter};
use crate::json::{Members, array_items, range_in};
use crate::{RequestError, Target};

/// Replacement for an image that was removed.
const IMAGE_PLACEHOLDER: &str = "{\"type\":\"text\",\"text\":\"[image left out]\"}";

/// The missing features that require an edit.
const EDITED_FEATURES: [UnsupportedFeature; 8] = [
    UnsupportedFeature::StreamUsage,
    UnsupportedFeature::DeveloperRole,
    UnsupportedFeature::MaxCompletionTokens,
    UnsupportedFeature::ParallelToolCalls,
    UnsupportedFeature::ReasoningEffort,
    UnsupportedFeature::JsonSchema,
    UnsupportedFeature::Tools,
    UnsupportedFeature::Images,
];

/// Removes what the server does not support. Returns the body and the fields that were dropped.
pub(crate) fn adapt_body(
    body: Bytes,
    target: &Target,
) -> Result<(Bytes, Vec<String>), RequestError> {
    if !EDITED_FEATURES.iter().any(|lack| target.lacks(*lack)) {
        return Ok((body, Vec::new()));
    }
    // UTF-8 was checked when the request was parsed.
    let text = std::str::from_utf8(&body).unwrap_or_default().to_owned();
    let crossings = FieldFilter::for_dialect(Dialect::OpenAiChat, target.crossing);
    let mut edit = ChatBodyEditor { target, text, crossings };
    edit.adapt_messages()?;
    edit.adapt_members()?;
    Ok((Bytes::from(edit.text), edit.crossings.into_dropped()))
}

struct ChatBodyEditor<'a> {
    target: &'a Target,
    text: String,
    crossings: FieldFilter,
}

impl ChatBodyEditor<'_> {
    fn adapt_members(&mut self) -> Result<(), RequestError> {
        let lacks = |lack: UnsupportedFeature| self.target.lacks(lack);
        if lacks(UnsupportedFeature::StreamUsage) {
            self.drop_member("stream_options");
        }
        if self.target.lacks(UnsupportedFeature::MaxCompletionTokens) {
            match self.has_member("max_tokens") {
                true => self.drop_member("max_completion_tokens"),
                false => self.rename_member("max_completion_tokens", "\"max_tokens\""),
            }
        }
        if self.target.lacks(UnsupportedFeature::ReasoningEffort) {
            self.drop_member("reasoning_effort");
        }
        if self.target.lacks(UnsupportedFeature::Tools) {
            self.adapt_tools()?;
        }
        if self.target.lacks(UnsupportedFeature::ParallelToolCalls) {
            self.drop_member("parallel_tool_calls");
        }
        if self.target.lacks(UnsupportedFeature::JsonSchema) {
            self.adapt_response_format()?;
        }
        Ok(())
    }

    fn adapt_tools(&mut self) -> Result<(), RequestError> {
        for key in ["tools", "functions"] {
            let is_filled = self.member_value(key).is_some_and(|raw| raw != "[]");
            if is_filled && self.crossings.check_unsupported(key)? == FieldDecision::Omit {
                self.remove_member(key);
            }
        }
        for key in ["tools", "functions", "tool_choice", "function_call", "parallel_tool_calls"] {
            self.remove_member(key);
        }
        Ok(())
    }

    fn adapt_response_format(&mut self) -> Result<(), RequestError> {
        let Some(raw) = self.member_value("response_format") else { return Ok(()) };
        let kind = Members::parse(raw).ok().and_then(|format| format.string("type"));
        if kind.as_deref() == Some("json_schema")
            && self.crossings.check_unsupported("response_format")? == FieldDecision::Omit
        {
            let at = self.member_value("response_format").map(|raw| range_in(&self.text, raw));
            self.replace_range(at, "{\"type\":\"json_object\"}");
        }
        Ok(())
    }

    /// Adapts roles and images in the messages.
    fn adapt_messages(&mut self) -> Result<(), RequestError> {
        let mut edits: Vec<(Range<usize>, &str)> = Vec::new();
        let root = Members::parse(&self.text).ok();
        let list = root.as_ref().and_then(|root| root.get("messages")).and_then(array_items);
        for (place, raw) in list.unwrap_or_default().into_iter().enumerate() {
            let Ok(message) = Members::parse(raw.get()) else { continue };
            let is_developer = message.string("role").as_deref() == Some("developer");
            if let Some(role) = message.get("role")
                && is_developer
                && self.target.lacks(UnsupportedFeature::DeveloperRole)
            {
                edits.push((range_in(&self.text, role.get()), "\"system\""));
            }
            let parts =
                message.get("content").filter(|_| self.target.lacks(UnsupportedFeature::Images));
            for (part_place, part) in
                parts.and_then(array_items).unwrap_or_default().into_iter().enumerate()
            {
                let kind = Members::parse(part.get()).ok().and_then(|part| part.string("type"));
                let path = format!("messages[{place}].content[{part_place}]");
                if kind.as_deref() == Some("image_url")
                    && self.crossings.check_unsupported(&path)? == FieldDecision::Omit
                {
                    edits.push((range_in(&self.text, part.get()), IMAGE_PLACEHOLDER));
                }
            }
        }
        edits.sort_by_key(|(at, _)| at.start);
        for (at, text) in edits.into_iter().rev() {
            self.text.replace_range(at, text);
        }
        Ok(())
    }

    fn member_value(&self, key: &str) -> Option<&str> {
        Some(Members::parse(&self.text).ok()?.get(key)?.get())
    }

    fn has_member(&self, key: &str) -> bool {
        self.member_value(key).is_some()
    }

    /// Removes a member and records it as dropped.
    fn drop_member(&mut self, key: &str) {
        if self.has_member(key) {
            self.crossings.record_dropped(key);
        }
        self.remove_member(key);
    }

    /// Removes a member and one adjacent comma.
    fn remove_member(&mut self, key: &str) {
        if let Some(place) = self.member_ranges(key) {
            self.text.replace_range(place.removable, "");
        }
    }

    fn rename_member(&mut self, key: &str, quoted: &str) {
        let at = self.member_ranges(key).map(|place| place.key);
        self.replace_range(at, quoted);
    }

    fn replace_range(&mut self, at: Option<Range<usize>>, text: &str) {
        if let Some(at) = at {
            self.text.replace_range(at, text);
        }
    }

    /// Ranges of a member; top-level keys are unique.
    fn member_ranges(&self, key: &str) -> Option<MemberRanges> {
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
        Some(MemberRanges { key: quote..close, removable })
    }
}

struct MemberRanges {
    key: Range<usize>,
    removable: Range<usize>,
}
