//! Writes a request for Ollama.

use std::borrow::Cow;

use bytes::Bytes;
use domain::Dialect;

use crate::crossing::{Crossings, Fate, Field, fate};
use crate::dialect::Written;
use crate::json::quote;
use crate::names::{CUSTOM_INPUT, ToolNames};
use crate::neutral::{
    CallKind, Effort, Json, Media, MediaKind, MediaSource, Message, OutputFormat, ParallelCalls,
    Part, Reasoning, Request, Role, ToolCall, ToolChoice, ToolKind, ToolResult,
};
use crate::object_text::{ObjectText, array};
use crate::turns::{alternate, split_system};
use crate::{RequestError, Target};

const DIALECT: Dialect = Dialect::OllamaChat;

/// Arguments of a free-text tool that is sent as a function.
const FREE_TEXT_SCHEMA: &str = "{\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\"}},\"required\":[\"input\"]}";

/// Models that take a level of thinking. Others take yes or no, and refuse yes if they cannot
/// think.
const MODELS_WITH_LEVELS: &str = "gpt-oss";

pub(crate) fn write_request(request: &Request, target: &Target) -> Result<Written, RequestError> {
    let crossings = Crossings::into_dialect(DIALECT, target.crossing);
    let mut writer = Writer { request, names: ToolNames::of(request, DIALECT), crossings };
    writer.crossings.settle(request)?;
    let messages = writer.messages()?;
    let tools = writer.tools()?;
    let options = writer.options()?;
    let stream = if request.delivery.is_streamed() { "true" } else { "false" };
    let think = writer.think(&target.model);
    let format = match &request.output {
        OutputFormat::Text => None,
        OutputFormat::AnyJson => Some("\"json\""),
        OutputFormat::Schema { schema, .. } => Some(schema.get()),
    };
    let body = ObjectText::new()
        .text("model", &target.model)
        .raw("messages", &array(&messages))
        .array_if("tools", &tools)
        .raw_if("format", format)
        .raw_if("think", think)
        .raw_if("options", options.as_deref())
        .raw("stream", stream)
        .finish();
    Ok(Written { body: Bytes::from(body), dropped: writer.crossings.into_dropped() })
}

struct Writer<'a> {
    request: &'a Request,
    names: ToolNames,
    crossings: Crossings,
}

impl Writer<'_> {
    fn messages(&mut self) -> Result<Vec<String>, RequestError> {
        let (system, turns) = split_system(&self.request.messages);
        let mut messages = Vec::new();
        let system = joined(&system);
        if !system.is_empty() {
            messages.push(said("system", &system).finish());
        }
        for turn in alternate(turns) {
            match turn.role {
                Role::Assistant => messages.extend(self.assistant(&turn)),
                Role::User | Role::System => self.user(&turn, &mut messages)?,
            }
        }
        Ok(messages)
    }

    fn user(&mut self, turn: &Message, out: &mut Vec<String>) -> Result<(), RequestError> {
        let mut images = Vec::new();
        for part in &turn.parts {
            match part {
                Part::ToolResult(result) => {
                    out.push(self.result(result));
                    for inner in &result.content {
                        if let Part::Media(media) = inner {
                            images.extend(self.image(media)?);
                        }
                    }
                }
                Part::Media(media) => images.extend(self.image(media)?),
                _ => {}
            }
        }
        let text = joined(&turn.parts);
        if !text.is_empty() || !images.is_empty() {
            out.push(said("user", &text).array_if("images", &images).finish());
        }
        Ok(())
    }

    fn result(&self, result: &ToolResult) -> String {
        let name = result.name.as_deref().map(|name| self.names.wire(name, None));
        let mut text = joined(&result.content);
        if result.is_error && !text.to_lowercase().contains("error") {
            text.insert_str(0, "Error: ");
        }
        said("tool", &text).text_if("tool_name", name.as_deref()).finish()
    }

    /// Base64 of an image. Other media cannot be sent.
    fn image(&mut self, media: &Media) -> Result<Option<String>, RequestError> {
        let path = "messages.content";
        let field = match (media.kind, &media.source) {
            (MediaKind::Image, MediaSource::Base64(data)) => return Ok(Some(quote(data))),
            (_, MediaSource::File(_)) => Field::ProviderFile,
            (MediaKind::Image, MediaSource::Url(_)) => {
                self.crossings.lacking(path)?;
                return Ok(None);
            }
            (MediaKind::Document, _) => Field::Document,
            (MediaKind::Audio, _) => Field::AudioInput,
        };
        self.crossings.judge(field, path)?;
        Ok(None)
    }

    fn assistant(&self, turn: &Message) -> Option<String> {
        let call = |part: &Part| match part {
            Part::ToolCall(call) => Some(self.call(call)),
            _ => None,
        };
        let thought = |part: &Part| match part {
            // Ollama signs nothing, so signed thoughts are another provider's.
            Part::Thinking { text, signature: None } => Some(text.clone()),
            _ => None,
        };
        let calls: Vec<_> = turn.parts.iter().filter_map(call).collect();
        let thinking: String = turn.parts.iter().filter_map(thought).collect();
        let text = joined(&turn.parts);
        let thinking = (!thinking.is_empty() && !calls.is_empty()).then_some(thinking);
        if text.is_empty() && calls.is_empty() {
            return None;
        }
        let message = said("assistant", &text).text_if("thinking", thinking.as_deref());
        Some(message.array_if("tool_calls", &calls).finish())
    }

    fn call(&self, call: &ToolCall) -> String {
        let text = call.arguments.trim();
        let arguments = match (call.kind, Json::parse(text)) {
            (CallKind::Custom, _) => custom(CUSTOM_INPUT, &call.arguments),
            (CallKind::Function, Some(json)) if json.is_object() => Cow::Borrowed(text),
            (CallKind::Function, _) if text.is_empty() => Cow::Borrowed("{}"),
            // Only objects are allowed; the model's text stays visible.
            (CallKind::Function, _) => custom("_raw", &call.arguments),
        };
        let name = self.names.wire(&call.name, call.namespace.as_deref());
        let function = ObjectText::new().text("name", &name).raw("arguments", &arguments).finish();
        ObjectText::new().raw("function", &function).finish()
    }

    fn tools(&mut self) -> Result<Vec<String>, RequestError> {
        if self.request.parallel_calls == ParallelCalls::OneAtATime {
            self.crossings.judge(Field::ParallelCalls, "parallel_tool_calls")?;
        }
        let wanted = match &self.request.tool_choice {
            Some(ToolChoice::None) => return Ok(Vec::new()),
            None | Some(ToolChoice::Auto) => None,
            Some(ToolChoice::Required) => {
                self.crossings.lacking("tool_choice")?;
                None
            }
            Some(ToolChoice::Named { name, .. }) => {
                self.crossings.lacking("tool_choice")?;
                Some(name)
            }
        };
        let mut tools = Vec::new();
        for tool in &self.request.tools {
            let schema = match &tool.kind {
                ToolKind::Function { schema, .. } => schema.as_ref().map(Json::get),
                ToolKind::Custom { .. } => Some(FREE_TEXT_SCHEMA),
                ToolKind::Server { .. } => {
                    self.crossings.judge(Field::ServerTool, &tool.path())?;
                    continue;
                }
            };
            if wanted.is_some_and(|name| *name != tool.name) {
                continue;
            }
            let function = ObjectText::new()
                .text("name", &self.names.wire(&tool.name, tool.namespace.as_deref()))
                .text("description", tool.description.as_deref().unwrap_or_default())
                .raw("parameters", schema.unwrap_or("{\"type\":\"object\",\"properties\":{}}"))
                .finish();
            let tool = ObjectText::new().text("type", "function").raw("function", &function);
            tools.push(tool.finish());
        }
        Ok(tools)
    }

    fn options(&mut self) -> Result<Option<String>, RequestError> {
        let request = self.request;
        if request.choices.is_some() {
            self.crossings.judge(Field::Choices, "n")?;
        }
        if request.user.is_some() {
            self.crossings.judge(Field::Metadata, "user")?;
        }
        let stop: Vec<_> = request.stop.iter().map(|text| quote(text)).collect();
        let limit = request.output_tokens_max.map(|count| count.to_string());
        let mut options = ObjectText::new()
            .raw_if("num_predict", limit.as_deref())
            .raw_if("temperature", request.temperature.as_ref().map(Json::get))
            .raw_if("top_p", request.top_p.as_ref().map(Json::get))
            .raw_if("top_k", request.top_k.as_ref().map(Json::get))
            .array_if("stop", &stop);
        for extra in &request.extras {
            let key = match (extra.field, extra.common_word()) {
                (_, Some(word)) => word,
                (field, None) if fate(field, DIALECT) == Fate::Crosses => {
                    // The field crosses, but Ollama has no name for it.
                    self.crossings.lacking(&extra.path)?;
                    continue;
                }
                _ => continue,
            };
            options = options.raw(key, extra.value.get());
        }
        let options = options.finish();
        Ok((options != "{}").then_some(options))
    }

    /// A level for models that take one, else `false` or nothing: models that can think do so by
    /// default, and the others refuse the option.
    fn think(&mut self, model: &str) -> Option<&'static str> {
        if self.request.reasoning == Reasoning::Off {
            return Some("false");
        }
        let effort = self.request.reasoning.effort()?;
        if !model.contains(MODELS_WITH_LEVELS) {
            self.crossings.dropped("reasoning_effort");
            return None;
        }
        Some(match effort {
            Effort::Minimal | Effort::Low => "\"low\"",
            Effort::Medium => "\"medium\"",
            Effort::High | Effort::ExtraHigh | Effort::Max => "\"high\"",
        })
    }
}

fn custom(key: &str, text: &str) -> Cow<'static, str> {
    Cow::Owned(ObjectText::new().text(key, text).finish())
}

fn said(role: &str, text: &str) -> ObjectText {
    ObjectText::new().text("role", role).text("content", text)
}

fn joined(parts: &[Part]) -> String {
    let text = |part: &Part| match part {
        Part::Text { text, .. } | Part::Refusal(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    };
    parts.iter().filter_map(text).collect::<Vec<_>>().join("\n\n")
}
