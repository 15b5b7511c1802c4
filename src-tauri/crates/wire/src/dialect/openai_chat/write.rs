//! Writes a request for an OpenAI-compatible Chat Completions server, using only what it supports.

use bytes::Bytes;
use domain::{Dialect, UnsupportedFeature};

use super::write_messages::write_messages;
use crate::dialect::field_filter::{FieldDecision, FieldFilter, FieldKind};
use crate::dialect::tool_names::{CUSTOM_INPUT, ToolNames};
use crate::dialect::translation::TranslatedRequest;
use crate::json::json_builder::{JsonObjectBuilder, join_array};
use crate::neutral::{
    JsonText, ModelRequest, OutputFormat, ParallelCalls, Reasoning, ThinkingEffort, ToolChoice,
    ToolDefinition, ToolKind,
};
use crate::{RequestError, Target};

/// Schema of a free-text tool that is sent as a function.
const FREE_TEXT_SCHEMA: &str = "{\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\"}},\"required\":[\"input\"],\"additionalProperties\":false}";
const _: () = assert!(CUSTOM_INPUT.len() == "input".len(), "the schema says so");

/// Name for a schema whose dialect gives it none.
const SCHEMA_NAME: &str = "answer";

pub(crate) fn write_request(
    request: &ModelRequest,
    target: &Target,
) -> Result<TranslatedRequest, RequestError> {
    let crossings = FieldFilter::for_dialect(Dialect::OpenAiChat, target.crossing);
    let mut writer = ChatRequestWriter {
        request,
        target,
        names: ToolNames::for_request(request, Dialect::OpenAiChat),
        crossings,
    };
    writer.crossings.filter_extras(request)?;
    let messages = write_messages(request, target, &writer.names, &mut writer.crossings)?;
    let body = JsonObjectBuilder::new()
        .text("model", &target.model)
        .raw("messages", &join_array(&messages));
    let body = writer.write_tools(body)?;
    let body = writer.write_response_format(body)?;
    let body = writer.write_sampling(body)?;
    let body = writer.write_extras(body)?;
    let body = writer.write_delivery(body);
    Ok(TranslatedRequest {
        body: Bytes::from(body.finish()),
        dropped: writer.crossings.into_dropped(),
    })
}

struct ChatRequestWriter<'a> {
    request: &'a ModelRequest,
    target: &'a Target,
    names: ToolNames,
    crossings: FieldFilter,
}

impl ChatRequestWriter<'_> {
    fn write_tools(&mut self, body: JsonObjectBuilder) -> Result<JsonObjectBuilder, RequestError> {
        let mut tools = Vec::new();
        for tool in &self.request.tools {
            tools.extend(self.write_tool(tool)?);
        }
        if tools.is_empty() {
            return Ok(body);
        }
        if self.target.lacks(UnsupportedFeature::Tools)
            && self.crossings.check_unsupported("tools")? == FieldDecision::Omit
        {
            return Ok(body);
        }
        let choice = self.request.tool_choice.as_ref().map(|choice| self.write_tool_choice(choice));
        let body = body.array_if("tools", &tools).raw_if("tool_choice", choice.as_deref());
        Ok(match self.request.parallel_calls {
            ParallelCalls::Unset => body,
            _ if self.target.lacks(UnsupportedFeature::ParallelToolCalls) => {
                self.crossings.record_dropped("parallel_tool_calls");
                body
            }
            ParallelCalls::Allowed => body.raw("parallel_tool_calls", "true"),
            ParallelCalls::OneAtATime => body.raw("parallel_tool_calls", "false"),
        })
    }

    fn write_tool(&mut self, tool: &ToolDefinition) -> Result<Option<String>, RequestError> {
        let (schema, strict) = match &tool.kind {
            ToolKind::Function { schema, strict } => (schema.as_ref().map(JsonText::get), *strict),
            ToolKind::Custom { format } => {
                if format.is_some() {
                    self.crossings.record_dropped(format!("{}.format", tool.path()));
                }
                (Some(FREE_TEXT_SCHEMA), None)
            }
            ToolKind::Server { .. } => {
                self.crossings.check(FieldKind::ServerTool, &tool.path())?;
                return Ok(None);
            }
        };
        let function = JsonObjectBuilder::new()
            .text("name", &self.names.wire_name(&tool.name, tool.namespace.as_deref()))
            .text_if("description", tool.description.as_deref())
            .raw_if("parameters", schema)
            .raw_if("strict", strict.map(|strict| if strict { "true" } else { "false" }))
            .finish();
        Ok(Some(
            JsonObjectBuilder::new().text("type", "function").raw("function", &function).finish(),
        ))
    }

    fn write_tool_choice(&self, choice: &ToolChoice) -> String {
        match choice {
            ToolChoice::Auto => "\"auto\"".to_owned(),
            ToolChoice::None => "\"none\"".to_owned(),
            ToolChoice::Required => "\"required\"".to_owned(),
            ToolChoice::Named { name, namespace } => {
                let name = self.names.wire_name(name, namespace.as_deref());
                let function = JsonObjectBuilder::new().text("name", &name).finish();
                JsonObjectBuilder::new()
                    .text("type", "function")
                    .raw("function", &function)
                    .finish()
            }
        }
    }

    fn write_response_format(
        &mut self,
        body: JsonObjectBuilder,
    ) -> Result<JsonObjectBuilder, RequestError> {
        let any = "{\"type\":\"json_object\"}";
        Ok(match &self.request.output {
            OutputFormat::Text => body,
            OutputFormat::AnyJson => body.raw("response_format", any),
            OutputFormat::Schema { .. } if self.target.lacks(UnsupportedFeature::JsonSchema) => {
                self.crossings.check_unsupported("response_format")?;
                body.raw("response_format", any)
            }
            OutputFormat::Schema { name, description, schema, strict } => {
                let inner = JsonObjectBuilder::new()
                    .text("name", name.as_deref().unwrap_or(SCHEMA_NAME))
                    .text_if("description", description.as_deref())
                    .raw("schema", schema.get())
                    .raw_if("strict", strict.map(|strict| if strict { "true" } else { "false" }))
                    .finish();
                let format =
                    JsonObjectBuilder::new().text("type", "json_schema").raw("json_schema", &inner);
                body.raw("response_format", &format.finish())
            }
        })
    }

    fn write_sampling(
        &mut self,
        body: JsonObjectBuilder,
    ) -> Result<JsonObjectBuilder, RequestError> {
        let request = self.request;
        if request.top_k.is_some() {
            self.crossings.check(FieldKind::TopK, "top_k")?;
        }
        let limit = if self.target.lacks(UnsupportedFeature::MaxCompletionTokens) {
            "max_tokens"
        } else {
            "max_completion_tokens"
        };
        let number = |count: Option<u64>| count.map(|count| count.to_string());
        let stop: Vec<_> = request.stop.iter().map(|text| crate::json::quote(text)).collect();
        let effort = self.effort_value();
        Ok(body
            .raw_if(limit, number(request.output_tokens_max).as_deref())
            .raw_if("temperature", request.temperature.as_ref().map(JsonText::get))
            .raw_if("top_p", request.top_p.as_ref().map(JsonText::get))
            .array_if("stop", &stop)
            .raw_if("n", number(request.choices).as_deref())
            .text_if("reasoning_effort", effort)
            .text_if("user", request.user.as_deref()))
    }

    /// `reasoning_effort`, limited to the three values that every server with this field accepts.
    fn effort_value(&mut self) -> Option<&'static str> {
        let reasoning = self.request.reasoning;
        if reasoning == Reasoning::Off {
            self.crossings.record_dropped("reasoning");
        }
        let effort = reasoning.effort()?;
        if self.target.lacks(UnsupportedFeature::ReasoningEffort) {
            self.crossings.record_dropped("reasoning_effort");
            return None;
        }
        Some(match effort {
            ThinkingEffort::Minimal | ThinkingEffort::Low => "low",
            ThinkingEffort::Medium => "medium",
            ThinkingEffort::High | ThinkingEffort::ExtraHigh | ThinkingEffort::Max => "high",
        })
    }

    /// Writes the extra fields that can be translated.
    fn write_extras(
        &mut self,
        mut body: JsonObjectBuilder,
    ) -> Result<JsonObjectBuilder, RequestError> {
        for (name, value) in self.crossings.named_extras(self.request)? {
            body = body.raw(name, value.get());
        }
        Ok(body)
    }

    fn write_delivery(&self, body: JsonObjectBuilder) -> JsonObjectBuilder {
        if !self.request.delivery.is_streamed() {
            return body;
        }
        let body = body.raw("stream", "true");
        if self.target.lacks(UnsupportedFeature::StreamUsage) {
            return body;
        }
        body.raw("stream_options", "{\"include_usage\":true}")
    }
}
