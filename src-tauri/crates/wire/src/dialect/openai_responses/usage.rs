//! Usage as Responses reports it: the usage object, the service tier, and the calls of OpenAI's own
//! tools among the items of the output.

use domain::{Meter, MeteredUsage, TokenUsage, Usage};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::dialect::openai_usage::{RESPONSES, apply_tier, read_usage};
use crate::json::{Members, array_items};
use crate::neutral::ProviderEvent;
use crate::usage::{UsageBuilder, mark_unread};

/// What the calls of OpenAI's own tools in an answer count. OpenAI bills searches of the web and
/// in files by the call (<https://platform.openai.com/docs/pricing>); opening or searching a page
/// that was found is free. The billed searches also stand in `tool_usage`, which wins.
#[derive(Debug, Default)]
pub(super) struct ToolCalls {
    counts: MeteredUsage,
    unread: Option<String>,
}

impl ToolCalls {
    pub(super) fn of_output(output: &RawValue) -> Self {
        let mut calls = Self::default();
        let items = array_items(output).unwrap_or_default();
        for item in items.into_iter().filter_map(|item| Members::parse(item.get()).ok()) {
            calls.count_item(&item);
        }
        calls
    }

    /// What the calls so far are billed by; `None` if nothing.
    pub(super) fn billed_beside(&self) -> Option<ProviderEvent> {
        let mut usage = Usage { quantities: self.counts, ..Usage::default() };
        if let Some(unread) = &self.unread {
            mark_unread(&mut usage, unread);
        }
        (usage != Usage::default()).then_some(ProviderEvent::BilledBeside(usage))
    }

    /// Counts `item` of the output.
    pub(super) fn count_item(&mut self, item: &Members<'_>) {
        let kind = item.string("type").unwrap_or_default();
        let meter = match kind.as_str() {
            "web_search_call" => match item.object("action").string("type").as_deref() {
                // The first version of the tool reported no actions.
                Some("search") | None => Meter::WebSearch,
                Some("open_page" | "find_in_page" | "find") => return,
                Some(action) => return self.mark_unread(&format!("web_search_call: {action}")),
            },
            "file_search_call" => Meter::FileSearch,
            "code_interpreter_call" => Meter::CodeExecution,
            "image_generation_call" => Meter::Image,
            "shell_call" => match item.object("environment").string("type").as_deref() {
                Some("local") => return,
                // Billed by the container, as code is.
                Some("container_reference") => Meter::CodeExecution,
                _ => return self.mark_unread(&kind),
            },
            // Run by the client, or by somebody else's server.
            "function_call" | "custom_tool_call" | "computer_call" | "local_shell_call"
            | "apply_patch_call" | "tool_search_call" | "mcp_call" => return,
            other if other.ends_with("_call") => return self.mark_unread(other),
            _ => return,
        };
        self.counts.count(meter, 1);
    }

    fn mark_unread(&mut self, item: &str) {
        self.unread.get_or_insert_with(|| format!("output.{item}"));
    }
}

/// The usage of a `response` object that ends, or what is billed beside it. `streamed` are the calls
/// whose items came before it; some servers leave them out of the object.
pub(super) fn read_answer_usage(response: &Members<'_>, streamed: ToolCalls) -> ProviderEvent {
    match response.get("usage").and_then(|usage| read_usage(usage, &RESPONSES)) {
        Some(mut report) => {
            add_beside(&mut report.usage, response, streamed);
            ProviderEvent::Usage(report)
        }
        None => {
            let mut usage = Usage::default();
            add_beside(&mut usage, response, streamed);
            ProviderEvent::BilledBeside(usage)
        }
    }
}

fn add_beside(usage: &mut Usage, response: &Members<'_>, streamed: ToolCalls) {
    if let Some(tier) = response.get("service_tier") {
        apply_tier(usage, tier);
    }
    let listed = response.get("output").map(ToolCalls::of_output).unwrap_or_default();
    for meter in [Meter::WebSearch, Meter::FileSearch, Meter::CodeExecution, Meter::Image] {
        let counts = [&usage.quantities, &listed.counts, &streamed.counts];
        let count = counts.map(|counts| counts.get(meter)).into_iter().max();
        usage.quantities.set(meter, count.unwrap_or_default());
    }
    if let Some(unread) = listed.unread.or(streamed.unread) {
        mark_unread(usage, &unread);
    }
    // Images are billed at the rates of the model that made them.
    let mut tools = UsageBuilder::default();
    let tool_usage = response.object("tool_usage");
    tools.check_names("tool_usage", &tool_usage, &["web_search"]);
    let searches = tool_usage.object("web_search");
    tools.check_names("tool_usage.web_search", &searches, &["num_requests"]);
    if let Some(billed) = searches.get("num_requests") {
        usage.quantities.set(Meter::WebSearch, tools.read_count(Some(billed)));
    }
    if let Some(unread) = tools.unread() {
        mark_unread(usage, unread);
    }
}

/// A `usage` value for a client.
#[derive(Debug, Serialize)]
pub(super) struct ResponsesUsage {
    input_tokens: u64,
    input_tokens_details: ResponsesInputDetails,
    output_tokens: u64,
    output_tokens_details: ResponsesOutputDetails,
    total_tokens: u64,
}

#[derive(Debug, Serialize)]
struct ResponsesInputDetails {
    cached_tokens: u64,
    cache_write_tokens: u64,
}

#[derive(Debug, Serialize)]
struct ResponsesOutputDetails {
    reasoning_tokens: u64,
}

impl ResponsesUsage {
    pub(super) fn of(tokens: &TokenUsage) -> Self {
        let written = tokens.cache_write_5m.saturating_add(tokens.cache_write_1h);
        Self {
            input_tokens: tokens.input(),
            input_tokens_details: ResponsesInputDetails {
                cached_tokens: tokens.cache_read,
                cache_write_tokens: written,
            },
            output_tokens: tokens.output(),
            output_tokens_details: ResponsesOutputDetails { reasoning_tokens: tokens.reasoning },
            total_tokens: tokens.total(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UsageReading;

    fn check(json: &str, expected: [u64; 5], reading: UsageReading) {
        let raw: &RawValue = serde_json::from_str(json).expect("JSON");
        let report = read_usage(raw, &RESPONSES).unwrap_or_else(|| panic!("no usage in {json}"));
        let t = report.tokens();
        let got = [t.input_uncached, t.cache_read, t.cache_write_5m, t.output_visible, t.reasoning];
        assert_eq!((got, report.reading), (expected, reading), "{json}");
    }

    #[test]
    fn class_8_cached_tokens_are_counted_once() {
        let json = r#"{"input_tokens":100,"input_tokens_details":{"cached_tokens":60,
            "cache_write_tokens":30},"output_tokens":50,
            "output_tokens_details":{"reasoning_tokens":20},"total_tokens":150}"#;
        check(json, [10, 60, 30, 30, 20], UsageReading::AsReported);
        let raw: &RawValue = serde_json::from_str(json).expect("JSON");
        let tokens = read_usage(raw, &RESPONSES).expect("usage").tokens();
        let again = serde_json::to_value(ResponsesUsage::of(&tokens)).expect("JSON");
        assert_eq!(again, serde_json::from_str::<serde_json::Value>(json).expect("JSON"));
    }

    #[test]
    fn f50_parts_larger_than_their_whole_are_clamped_and_flagged() {
        use UsageReading::Adjusted;
        check(
            r#"{"input_tokens":10,"input_tokens_details":{"cached_tokens":11}}"#,
            [0, 10, 0, 0, 0],
            Adjusted,
        );
        check(
            r#"{"output_tokens":"5","output_tokens_details":{"reasoning_tokens":-1}}"#,
            [0, 0, 0, 5, 0],
            Adjusted,
        );
        let none = |json: &str| read_usage(serde_json::from_str(json).expect("JSON"), &RESPONSES);
        assert_eq!((none("{}"), none("3"), none("[]")), (None, None, None));
    }
}
