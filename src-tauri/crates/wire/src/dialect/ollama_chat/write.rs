//! Writes a request for Ollama.

use bytes::Bytes;
use domain::Dialect;

use crate::dialect::field_filter::{FieldFilter, FieldKind};
use crate::dialect::tool_names::{ToolNames, call_arguments};
use crate::dialect::translation::TranslatedRequest;
use crate::dialect::turns::{alternate_turns, split_system};
use crate::json::json_builder::{JsonObjectBuilder, join_array};
use crate::json::quote;
use crate::neutral::{
    ContentPart, ConversationTurn, JsonText, MediaContent, MediaKind, MediaSource, ModelRequest,
    OutputFormat, ParallelCalls, Reasoning, Role, ThinkingEffort, ToolCall, ToolChoice, ToolKind,
    ToolResult,
};
use crate::{RequestError, Target};

const DIALECT: Dialect = Dialect::OllamaChat;

/// Arguments of a free-text tool that is sent as a function.
const FREE_TEXT_SCHEMA: &str = "{\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\"}},\"required\":[\"input\"]}";

/// Models that take a level of thinking. Others take yes or no, and refuse yes if they cannot
/// think.
const MODELS_WITH_LEVELS: &str = "gpt-oss";

pub(crate) fn write_request(
    request: &ModelRequest,
    target: &Target,
) -> Result<TranslatedRequest, RequestError> {
    let crossings = FieldFilter::for_dialect(DIALECT, target.crossing);
    let mut writer =
        OllamaRequestWriter { request, names: ToolNames::for_request(request, DIALECT), crossings };
    writer.crossings.filter_extras(request)?;
    let messages = writer.write_messages()?;
    let tools = writer.write_tools()?;
    let options = writer.write_options()?;
    let stream = if request.delivery.is_streamed() { "true" } else { "false" };
    let think = writer.thinking_value(&target.model);
    let format = match &request.output {
        OutputFormat::Text => None,
        OutputFormat::AnyJson => Some("\"json\""),
        OutputFormat::Schema { schema, .. } => Some(schema.get()),
    };
    let body = JsonObjectBuilder::new()
        .text("model", &target.model)
        .raw("messages", &join_array(&messages))
        .array_if("tools", &tools)
        .raw_if("format", format)
        .raw_if("think", think)
        .raw_if("options", options.as_deref())
        .raw("stream", stream)
        .finish();
    Ok(TranslatedRequest { body: Bytes::from(body), dropped: writer.crossings.into_dropped() })
}

struct OllamaRequestWriter<'a> {
    request: &'a ModelRequest,
    names: ToolNames,
    crossings: FieldFilter,
}

impl OllamaRequestWriter<'_> {
    fn write_messages(&mut self) -> Result<Vec<String>, RequestError> {
        let (system, turns) = split_system(&self.request.messages);
        let mut messages = Vec::new();
        let system = join_texts(&system);
        if !system.is_empty() {
            messages.push(message_object("system", &system).finish());
        }
        for turn in alternate_turns(turns) {
            match turn.role {
                Role::Assistant => messages.extend(self.write_assistant_turn(&turn)),
                Role::User | Role::System => self.write_user_turn(&turn, &mut messages)?,
            }
        }
        Ok(messages)
    }

    fn write_user_turn(
        &mut self,
        turn: &ConversationTurn,
        out: &mut Vec<String>,
    ) -> Result<(), RequestError> {
        let mut images = Vec::new();
        for part in &turn.parts {
            match part {
                ContentPart::ToolResult(result) => {
                    out.push(self.write_result(result));
                    for inner in &result.content {
                        if let ContentPart::Media(media) = inner {
                            images.extend(self.write_image(media)?);
                        }
                    }
                }
                ContentPart::Media(media) => images.extend(self.write_image(media)?),
                _ => {}
            }
        }
        let text = join_texts(&turn.parts);
        if !text.is_empty() || !images.is_empty() {
            out.push(message_object("user", &text).array_if("images", &images).finish());
        }
        Ok(())
    }

    fn write_result(&self, result: &ToolResult) -> String {
        let name = result.name.as_deref().map(|name| self.names.wire_name(name, None));
        let mut text = join_texts(&result.content);
        if result.is_error && !text.to_lowercase().contains("error") {
            text.insert_str(0, "Error: ");
        }
        message_object("tool", &text).text_if("tool_name", name.as_deref()).finish()
    }

    /// Base64 of an image. Other media cannot be sent.
    fn write_image(&mut self, media: &MediaContent) -> Result<Option<String>, RequestError> {
        let path = "messages.content";
        let field = match (media.kind, &media.source) {
            (MediaKind::Image, MediaSource::Base64(data)) => return Ok(Some(quote(data))),
            (_, MediaSource::File(_)) => FieldKind::ProviderFile,
            (MediaKind::Image, MediaSource::Url(_)) => {
                self.crossings.check_unsupported(path)?;
                return Ok(None);
            }
            (MediaKind::Document, _) => FieldKind::Document,
            (MediaKind::Audio, _) => FieldKind::AudioInput,
        };
        self.crossings.check(field, path)?;
        Ok(None)
    }

    fn write_assistant_turn(&self, turn: &ConversationTurn) -> Option<String> {
        let call = |part: &ContentPart| match part {
            ContentPart::ToolCall(call) => Some(self.write_call(call)),
            _ => None,
        };
        let thought = |part: &ContentPart| match part {
            // Ollama signs nothing, so signed thoughts are another provider's.
            ContentPart::Thinking { text, signature: None } => Some(text.clone()),
            _ => None,
        };
        let calls: Vec<_> = turn.parts.iter().filter_map(call).collect();
        let thinking: String = turn.parts.iter().filter_map(thought).collect();
        let text = join_texts(&turn.parts);
        let thinking = (!thinking.is_empty() && !calls.is_empty()).then_some(thinking);
        if text.is_empty() && calls.is_empty() {
            return None;
        }
        let message = message_object("assistant", &text).text_if("thinking", thinking.as_deref());
        Some(message.array_if("tool_calls", &calls).finish())
    }

    fn write_call(&self, call: &ToolCall) -> String {
        let name = self.names.wire_name(&call.name, call.namespace.as_deref());
        let arguments = call_arguments(call);
        let function =
            JsonObjectBuilder::new().text("name", &name).raw("arguments", arguments.get()).finish();
        JsonObjectBuilder::new().raw("function", &function).finish()
    }

    fn write_tools(&mut self) -> Result<Vec<String>, RequestError> {
        if self.request.parallel_calls == ParallelCalls::OneAtATime {
            self.crossings.check(FieldKind::ParallelCalls, "parallel_tool_calls")?;
        }
        let wanted = match &self.request.tool_choice {
            Some(ToolChoice::None) => return Ok(Vec::new()),
            None | Some(ToolChoice::Auto) => None,
            Some(ToolChoice::Required) => {
                self.crossings.check_unsupported("tool_choice")?;
                None
            }
            Some(ToolChoice::Named { name, .. }) => {
                self.crossings.check_unsupported("tool_choice")?;
                Some(name)
            }
        };
        let mut tools = Vec::new();
        for tool in &self.request.tools {
            let schema = match &tool.kind {
                ToolKind::Function { schema, .. } => schema.as_ref().map(JsonText::get),
                ToolKind::Custom { .. } => Some(FREE_TEXT_SCHEMA),
                ToolKind::Server { .. } => {
                    self.crossings.check(FieldKind::ServerTool, &tool.path())?;
                    continue;
                }
            };
            if wanted.is_some_and(|name| *name != tool.name) {
                continue;
            }
            let function = JsonObjectBuilder::new()
                .text("name", &self.names.wire_name(&tool.name, tool.namespace.as_deref()))
                .text("description", tool.description.as_deref().unwrap_or_default())
                .raw("parameters", schema.unwrap_or("{\"type\":\"object\",\"properties\":{}}"))
                .finish();
            let tool = JsonObjectBuilder::new().text("type", "function").raw("function", &function);
            tools.push(tool.finish());
        }
        Ok(tools)
    }

    fn write_options(&mut self) -> Result<Option<String>, RequestError> {
        let request = self.request;
        if request.choices.is_some() {
            self.crossings.check(FieldKind::Choices, "n")?;
        }
        if request.user.is_some() {
            self.crossings.check(FieldKind::Metadata, "user")?;
        }
        let stop: Vec<_> = request.stop.iter().map(|text| quote(text)).collect();
        let limit = request.output_tokens_max.map(|count| count.to_string());
        let mut options = JsonObjectBuilder::new()
            .raw_if("num_predict", limit.as_deref())
            .raw_if("temperature", request.temperature.as_ref().map(JsonText::get))
            .raw_if("top_p", request.top_p.as_ref().map(JsonText::get))
            .raw_if("top_k", request.top_k.as_ref().map(JsonText::get))
            .array_if("stop", &stop);
        for (name, value) in self.crossings.named_extras(request)? {
            options = options.raw(name, value.get());
        }
        let options = options.finish();
        Ok((options != "{}").then_some(options))
    }

    /// A level for models that take one, else `false` or nothing: models that can think do so by
    /// default, and the others refuse the option.
    fn thinking_value(&mut self, model: &str) -> Option<&'static str> {
        if self.request.reasoning == Reasoning::Off {
            return Some("false");
        }
        let effort = self.request.reasoning.effort()?;
        if !model.contains(MODELS_WITH_LEVELS) {
            self.crossings.record_dropped("reasoning_effort");
            return None;
        }
        Some(match effort {
            ThinkingEffort::Minimal | ThinkingEffort::Low => "\"low\"",
            ThinkingEffort::Medium => "\"medium\"",
            ThinkingEffort::High | ThinkingEffort::ExtraHigh | ThinkingEffort::Max => "\"high\"",
        })
    }
}

fn message_object(role: &str, text: &str) -> JsonObjectBuilder {
    JsonObjectBuilder::new().text("role", role).text("content", text)
}

fn join_texts(parts: &[ContentPart]) -> String {
    let texts = parts.iter().filter_map(ContentPart::as_text).filter(|text| !text.is_empty());
    texts.collect::<Vec<_>>().join("\n\n")
}
