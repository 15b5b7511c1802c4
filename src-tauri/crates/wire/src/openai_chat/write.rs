//! Writes a request for an OpenAI-compatible Chat Completions server, using only what it supports.

use bytes::Bytes;
use domain::Lack;

use super::request::DIALECT;
use super::write_messages::write_messages;
use crate::crossing::{Crossings, Fate, Field, Write, fate};
use crate::dialect::Written;
use crate::names::{CUSTOM_INPUT, ToolNames};
use crate::neutral::{
    Effort, Json, OutputFormat, ParallelCalls, Reasoning, Request, Tool, ToolChoice, ToolKind,
};
use crate::object_text::{ObjectText, array};
use crate::{RequestError, Target};

/// Schema of a free-text tool that is sent as a function.
const FREE_TEXT_SCHEMA: &str = "{\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\"}},\"required\":[\"input\"],\"additionalProperties\":false}";
const _: () = assert!(CUSTOM_INPUT.len() == "input".len(), "the schema says so");

/// Name for a schema whose dialect gives it none.
const SCHEMA_NAME: &str = "answer";

pub(crate) fn write_request(request: &Request, target: &Target) -> Result<Written, RequestError> {
    let crossings = Crossings::into_dialect(DIALECT, target.crossing);
    let mut writer = Writer { request, target, names: ToolNames::of(request, DIALECT), crossings };
    writer.crossings.settle(request)?;
    let messages = write_messages(request, target, &writer.names, &mut writer.crossings)?;
    let body = ObjectText::new().text("model", &target.model).raw("messages", &array(&messages));
    let body = writer.tools(body)?;
    let body = writer.format(body)?;
    let body = writer.sampling(body)?;
    let body = writer.extras(body)?;
    let body = writer.delivery(body);
    Ok(Written { body: Bytes::from(body.finish()), dropped: writer.crossings.into_dropped() })
}

struct Writer<'a> {
    request: &'a Request,
    target: &'a Target,
    names: ToolNames,
    crossings: Crossings,
}

impl Writer<'_> {
    fn tools(&mut self, body: ObjectText) -> Result<ObjectText, RequestError> {
        let mut tools = Vec::new();
        for tool in &self.request.tools {
            tools.extend(self.tool(tool)?);
        }
        if tools.is_empty() {
            return Ok(body);
        }
        if self.target.lacks(Lack::Tools) && self.crossings.lacking("tools")? == Write::No {
            return Ok(body);
        }
        let choice = self.request.tool_choice.as_ref().map(|choice| self.choice(choice));
        let body = body.array_if("tools", &tools).raw_if("tool_choice", choice.as_deref());
        Ok(match self.request.parallel_calls {
            ParallelCalls::Unsaid => body,
            _ if self.target.lacks(Lack::ParallelToolCalls) => {
                self.crossings.dropped("parallel_tool_calls");
                body
            }
            ParallelCalls::Allowed => body.raw("parallel_tool_calls", "true"),
            ParallelCalls::OneAtATime => body.raw("parallel_tool_calls", "false"),
        })
    }

    fn tool(&mut self, tool: &Tool) -> Result<Option<String>, RequestError> {
        let (schema, strict) = match &tool.kind {
            ToolKind::Function { schema, strict } => (schema.as_ref().map(Json::get), *strict),
            ToolKind::Custom { format } => {
                if format.is_some() {
                    self.crossings.dropped(format!("{}.format", tool.path()));
                }
                (Some(FREE_TEXT_SCHEMA), None)
            }
            ToolKind::Server { .. } => {
                self.crossings.judge(Field::ServerTool, &tool.path())?;
                return Ok(None);
            }
        };
        let function = ObjectText::new()
            .text("name", &self.names.wire(&tool.name, tool.namespace.as_deref()))
            .text_if("description", tool.description.as_deref())
            .raw_if("parameters", schema)
            .raw_if("strict", strict.map(|strict| if strict { "true" } else { "false" }))
            .finish();
        Ok(Some(ObjectText::new().text("type", "function").raw("function", &function).finish()))
    }

    fn choice(&self, choice: &ToolChoice) -> String {
        match choice {
            ToolChoice::Auto => "\"auto\"".to_owned(),
            ToolChoice::None => "\"none\"".to_owned(),
            ToolChoice::Required => "\"required\"".to_owned(),
            ToolChoice::Named { name, namespace } => {
                let name = self.names.wire(name, namespace.as_deref());
                let function = ObjectText::new().text("name", &name).finish();
                ObjectText::new().text("type", "function").raw("function", &function).finish()
            }
        }
    }

    fn format(&mut self, body: ObjectText) -> Result<ObjectText, RequestError> {
        let any = "{\"type\":\"json_object\"}";
        Ok(match &self.request.output {
            OutputFormat::Text => body,
            OutputFormat::AnyJson => body.raw("response_format", any),
            OutputFormat::Schema { .. } if self.target.lacks(Lack::JsonSchema) => {
                self.crossings.lacking("response_format")?;
                body.raw("response_format", any)
            }
            OutputFormat::Schema { name, description, schema, strict } => {
                let inner = ObjectText::new()
                    .text("name", name.as_deref().unwrap_or(SCHEMA_NAME))
                    .text_if("description", description.as_deref())
                    .raw("schema", schema.get())
                    .raw_if("strict", strict.map(|strict| if strict { "true" } else { "false" }))
                    .finish();
                let format =
                    ObjectText::new().text("type", "json_schema").raw("json_schema", &inner);
                body.raw("response_format", &format.finish())
            }
        })
    }

    fn sampling(&mut self, body: ObjectText) -> Result<ObjectText, RequestError> {
        let request = self.request;
        if request.top_k.is_some() {
            self.crossings.judge(Field::TopK, "top_k")?;
        }
        let limit = if self.target.lacks(Lack::MaxCompletionTokens) {
            "max_tokens"
        } else {
            "max_completion_tokens"
        };
        let number = |count: Option<u64>| count.map(|count| count.to_string());
        let stop: Vec<_> = request.stop.iter().map(|text| crate::json::quote(text)).collect();
        let effort = self.effort();
        Ok(body
            .raw_if(limit, number(request.output_tokens_max).as_deref())
            .raw_if("temperature", request.temperature.as_ref().map(Json::get))
            .raw_if("top_p", request.top_p.as_ref().map(Json::get))
            .array_if("stop", &stop)
            .raw_if("n", number(request.choices).as_deref())
            .text_if("reasoning_effort", effort)
            .text_if("user", request.user.as_deref()))
    }

    /// `reasoning_effort`, limited to the three values that every server with this field accepts.
    fn effort(&mut self) -> Option<&'static str> {
        let reasoning = self.request.reasoning;
        if reasoning == Reasoning::Off {
            self.crossings.dropped("reasoning");
        }
        let effort = reasoning.effort()?;
        if self.target.lacks(Lack::ReasoningEffort) {
            self.crossings.dropped("reasoning_effort");
            return None;
        }
        Some(match effort {
            Effort::Minimal | Effort::Low => "low",
            Effort::Medium => "medium",
            Effort::High | Effort::ExtraHigh | Effort::Max => "high",
        })
    }

    /// Writes the extra fields that can be translated.
    fn extras(&mut self, mut body: ObjectText) -> Result<ObjectText, RequestError> {
        for extra in &self.request.extras {
            let key = match (extra.field, extra.common_word()) {
                (_, Some(word)) => word,
                (Field::Verbosity, None) => "verbosity",
                (field, None) if fate(field, DIALECT) == Fate::Crosses => {
                    // Another dialect's name for it is not valid here.
                    self.crossings.lacking(&extra.path)?;
                    continue;
                }
                _ => continue,
            };
            body = body.raw(key, extra.value.get());
        }
        Ok(body)
    }

    fn delivery(&self, body: ObjectText) -> ObjectText {
        if !self.request.delivery.is_streamed() {
            return body;
        }
        let body = body.raw("stream", "true");
        if self.target.lacks(Lack::StreamUsage) {
            return body;
        }
        body.raw("stream_options", "{\"include_usage\":true}")
    }
}
