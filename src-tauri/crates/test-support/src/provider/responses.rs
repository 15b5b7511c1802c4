//! OpenAI's Responses.

use serde_json::{Value, json};

use super::scripted_answer::{
    DeclaredTool, ParsedPrompt, ScriptedAnswer, ScriptedToolCall, ToolChoiceMode, data_url_note,
};
use super::strict_object::{
    ParseResult, StrictObject, check_call_id, check_strict_schema, check_tool_name,
};
use super::{
    AnswerDelivery, PROVIDER_CACHED_TOKENS, PROVIDER_INPUT_TOKENS, PROVIDER_OUTPUT_TOKENS,
    PROVIDER_REASONING_TOKENS, ProviderRequest,
};

const FIELDS: &str = "model! input! instructions stream stream_options tools tool_choice \
parallel_tool_calls text reasoning max_output_tokens max_tool_calls temperature top_p top_logprobs \
include store metadata client_metadata user prompt_cache_key safety_identifier service_tier \
truncation";

pub(super) fn read(body: &Value) -> ParseResult<ProviderRequest> {
    let form = StrictObject::new("body", body, FIELDS)?;
    let mut question =
        ParsedPrompt { model: form.text("model")?.to_owned(), ..ParsedPrompt::default() };
    if form.get("instructions").is_some() {
        question.system.push(form.text("instructions")?.to_owned());
    }
    match form.get("input") {
        Some(Value::String(text)) => question.user.clone_from(text),
        _ => read_items(form.list("input")?, &mut question)?,
    }
    for tool in form.list("tools")? {
        read_tools(tool, &mut question.tools)?;
    }
    question.choice = match form.get("tool_choice") {
        None => ToolChoiceMode::Auto,
        Some(Value::String(word)) => match word.as_str() {
            "auto" => ToolChoiceMode::Auto,
            "none" => ToolChoiceMode::None,
            "required" => ToolChoiceMode::Any,
            _ => return Err(format!("tool_choice: {word:?} is none")),
        },
        Some(named) => {
            let named = StrictObject::new("tool_choice", named, "type! name!")?;
            ToolChoiceMode::Named(named.text("name")?.to_owned())
        }
    };
    question.one_call = form.get("parallel_tool_calls") == Some(&json!(false));
    if let Some(reasoning) = form.get("reasoning") {
        let reasoning = StrictObject::new("reasoning", reasoning, "effort summary")?;
        let efforts = ["none", "minimal", "low", "medium", "high", "xhigh"];
        reasoning.one_of("effort", &efforts)?;
        reasoning.one_of("summary", &["auto", "concise", "detailed"])?;
    }
    if let Some(text) = form.get("text") {
        question.schema = read_format(text)?;
    }
    question.tokens_max = form.count("max_output_tokens")?;
    let stream = form.flag("stream")?;
    let delivery =
        if stream { AnswerDelivery::Stream { usage: true } } else { AnswerDelivery::Whole };
    Ok(ProviderRequest { question, delivery })
}

fn read_items(items: &[Value], question: &mut ParsedPrompt) -> ParseResult<()> {
    let (mut calls, mut answered): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for (item, number) in items.iter().zip(0..) {
        let place = format!("input[{number}]");
        match item.get("type").and_then(Value::as_str).unwrap_or("message") {
            "message" => read_message(&place, item, question)?,
            "function_call" => {
                let form = StrictObject::new(
                    &place,
                    item,
                    "type! call_id! name! arguments! id status namespace",
                )?;
                check_call_id(&form.path_of("call_id"), form.text("call_id")?)?;
                check_tool_name(&form.path_of("name"), form.text("name")?)?;
                serde_json::from_str::<Value>(form.text("arguments")?)
                    .map_err(|error| format!("{place}: arguments are no JSON: {error}"))?;
                calls.push(form.text("call_id")?.to_owned());
            }
            "function_call_output" => {
                let form = StrictObject::new(&place, item, "type! call_id! output! id status")?;
                let id = form.text("call_id")?;
                if !calls.iter().any(|call| call == id) {
                    return Err(format!("{place}: no call {id} before it"));
                }
                answered.push(id.to_owned());
                question.results.push(read_output(&form)?);
            }
            // The mock stores nothing, but accepts the ids that it hands out.
            "item_reference" => {
                StrictObject::new(&place, item, "type! id!")?.one_of("id", &["rs_1", "msg_1"])?;
            }
            "reasoning" => {
                let known = "type! id! summary! encrypted_content content status";
                StrictObject::new(&place, item, known)?;
            }
            other => return Err(format!("{place}.type: {other:?} is none")),
        }
    }
    match calls.iter().find(|call| !answered.contains(call)) {
        Some(call) => Err(format!("no output found for call {call}")),
        None => Ok(()),
    }
}

fn read_output(form: &StrictObject<'_>) -> ParseResult<String> {
    if form.get("output").is_some_and(Value::is_string) {
        return Ok(form.text("output")?.to_owned());
    }
    let mut texts = Vec::new();
    for part in form.list("output")? {
        let part = StrictObject::new(&form.path_of("output"), part, "type! text!")?;
        part.one_of("type", &["input_text"])?;
        texts.push(part.text("text")?);
    }
    Ok(texts.join("\n"))
}

fn read_message(place: &str, item: &Value, question: &mut ParsedPrompt) -> ParseResult<()> {
    let form = StrictObject::new(place, item, "type role! content! id status phase")?;
    let role = form.one_of("role", &["user", "assistant", "system", "developer"])?;
    let part_kind = if role == Some("assistant") { "output_text" } else { "input_text" };
    let (mut texts, mut images) = (Vec::new(), Vec::new());
    match form.get("content") {
        Some(Value::String(text)) => texts.push(text.as_str()),
        _ => {
            for part in form.list("content")? {
                let place = form.path_of("content");
                if part.get("type") == Some(&json!("input_image")) {
                    let part = StrictObject::new(&place, part, "type! image_url detail")?;
                    images.push(data_url_note(&place, part.text("image_url")?)?);
                } else {
                    let part = StrictObject::new(&place, part, "type! text! annotations logprobs")?;
                    part.one_of("type", &[part_kind])?;
                    texts.push(part.text("text")?);
                }
            }
        }
    }
    match role {
        Some("user") => (question.user, question.images) = (texts.join("\n"), images),
        Some("system" | "developer") => question.system.push(texts.join("\n")),
        _ => {}
    }
    question.results.clear();
    Ok(())
}

/// Adds a tool, or the tools of a namespace. Tools that the provider runs itself add none.
fn read_tools(tool: &Value, tools: &mut Vec<DeclaredTool>) -> ParseResult<()> {
    match tool.get("type").and_then(Value::as_str) {
        Some("web_search") => {
            StrictObject::new("tools", tool, "type! external_web_access search_context_size")
                .map(drop)
        }
        Some("namespace") => {
            let form = StrictObject::new("tools", tool, "type! name! description! tools!")?;
            check_tool_name("tools.name", form.text("name")?)?;
            let (name, before) = (form.text("name")?, tools.len());
            form.list("tools")?.iter().try_for_each(|nested| read_tools(nested, tools))?;
            for tool in tools.iter_mut().skip(before) {
                tool.namespace = Some(name.to_owned());
            }
            Ok(())
        }
        Some("custom") => {
            let form = StrictObject::new("tools", tool, "type! name! description format")?;
            check_tool_name("tools.name", form.text("name")?)?;
            let name = form.text("name")?.to_owned();
            tools.push(DeclaredTool { name, namespace: None, schema: None });
            Ok(())
        }
        _ => {
            tools.push(read_tool(tool)?);
            Ok(())
        }
    }
}

fn read_tool(tool: &Value) -> ParseResult<DeclaredTool> {
    let form = StrictObject::new("tools", tool, "type! name! parameters! strict description")?;
    form.one_of("type", &["function"])?;
    let (name, schema) = (form.text("name")?, form.get("parameters"));
    check_tool_name("tools.name", name)?;
    let schema = schema.cloned().unwrap_or_else(|| json!({"type": "object"}));
    if form.flag("strict")? {
        check_strict_schema("tools.parameters", &schema)?;
    }
    Ok(DeclaredTool::function(name, schema))
}

fn read_format(text: &Value) -> ParseResult<Option<Value>> {
    let text = StrictObject::new("text", text, "format verbosity")?;
    let Some(format) = text.get("format") else { return Ok(None) };
    let form = StrictObject::new("text.format", format, "type! name schema strict description")?;
    if form.text("type")? != "json_schema" {
        form.one_of("type", &["text", "json_object"])?;
        return Ok(None);
    }
    check_tool_name("text.format.name", form.text("name")?)?;
    let schema = form.get("schema").cloned();
    if form.flag("strict")? {
        check_strict_schema("text.format.schema", schema.as_ref().unwrap_or(&Value::Null))?;
    }
    Ok(schema)
}

/// The output items of a whole answer.
fn items(speech: &ScriptedAnswer) -> Vec<Value> {
    let mut items = Vec::new();
    if let Some(thinking) = &speech.thinking {
        items.push(json!({"id": "rs_1", "type": "reasoning",
            "summary": [{"type": "summary_text", "text": thinking}]}));
    }
    if !speech.text.is_empty() {
        items.push(json!({"id": "msg_1", "type": "message", "role": "assistant",
            "status": "completed", "content": [text_part(&speech.text)]}));
    }
    items.extend(speech.calls.iter().map(call_item));
    items
}

fn call_item(call: &ScriptedToolCall) -> Value {
    let text = call.arguments_text();
    let mut item = if call.arguments.is_string() {
        json!({"id": format!("ctc_{}", call.id), "type": "custom_tool_call", "input": text})
    } else {
        json!({"id": format!("fc_{}", call.id), "type": "function_call", "arguments": text})
    };
    if let Some(members) = item.as_object_mut() {
        members.insert("status".to_owned(), json!("completed"));
        members.insert("call_id".to_owned(), json!(call.id));
        members.insert("name".to_owned(), json!(call.name));
        let namespace = call.namespace.as_ref();
        members.extend(namespace.map(|name| ("namespace".to_owned(), json!(name))));
    }
    item
}

fn text_part(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

pub(super) fn whole_answer(question: &ParsedPrompt, speech: &ScriptedAnswer) -> Value {
    let reasoning = if speech.thinking.is_some() { PROVIDER_REASONING_TOKENS } else { 0 };
    let usage = json!({"input_tokens": PROVIDER_INPUT_TOKENS,
        "input_tokens_details": {"cached_tokens": PROVIDER_CACHED_TOKENS, "cache_write_tokens": 0},
        "output_tokens": PROVIDER_OUTPUT_TOKENS,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": PROVIDER_INPUT_TOKENS + PROVIDER_OUTPUT_TOKENS});
    let (status, details) = match speech.cut_short {
        true => ("incomplete", json!({"reason": "max_output_tokens"})),
        false => ("completed", Value::Null),
    };
    response(
        question,
        status,
        json!({"output": items(speech), "usage": usage,
        "incomplete_details": details}),
    )
}

fn response(question: &ParsedPrompt, status: &str, more: Value) -> Value {
    let mut response = json!({"id": "resp_1", "object": "response", "created_at": 1,
        "status": status, "model": question.model, "output": [], "parallel_tool_calls": true,
        "tool_choice": "auto", "tools": [], "error": null, "incomplete_details": null,
        "instructions": null, "metadata": {}, "temperature": 1.0, "top_p": 1.0, "usage": null});
    if let (Some(members), Value::Object(more)) = (response.as_object_mut(), more) {
        members.extend(more);
    }
    response
}

pub(super) fn stream_events(question: &ParsedPrompt, speech: &ScriptedAnswer) -> Vec<String> {
    let begun = response(question, "in_progress", json!({}));
    let mut events = vec![
        ("response.created", json!({"response": begun})),
        ("response.in_progress", json!({"response": begun})),
    ];
    for (item, index) in items(speech).into_iter().zip(0..) {
        item_events(&item, index, speech, &mut events);
    }
    let end = if speech.cut_short { "response.incomplete" } else { "response.completed" };
    events.push((end, json!({"response": whole_answer(question, speech)})));
    let write = |((name, mut body), number): ((&str, Value), u64)| {
        if let Some(members) = body.as_object_mut() {
            members.insert("type".to_owned(), json!(name));
            members.insert("sequence_number".to_owned(), json!(number));
        }
        format!("event: {name}\ndata: {body}\n\n")
    };
    events.into_iter().zip(0..).map(write).collect()
}

fn item_events(
    item: &Value,
    index: usize,
    speech: &ScriptedAnswer,
    events: &mut Vec<(&'static str, Value)>,
) {
    let id = item.get("id").cloned().unwrap_or_default();
    let mut begun = item.clone();
    let mut empty = |name: &str, value: Value| {
        if let Some(member) = begun.get_mut(name) {
            *member = value;
        }
    };
    empty("status", json!("in_progress"));
    empty("content", json!([]));
    empty("summary", json!([]));
    empty("arguments", json!(""));
    empty("input", json!(""));
    events.push(("response.output_item.added", json!({"output_index": index, "item": begun})));
    let at = |more: Value| {
        let mut at = json!({"item_id": id, "output_index": index});
        if let (Some(members), Value::Object(more)) = (at.as_object_mut(), more) {
            members.extend(more);
        }
        at
    };
    match item.get("type").and_then(Value::as_str) {
        Some("reasoning") => {
            let text = speech.thinking.as_deref().unwrap_or_default();
            let part = |text: &str| json!({"type": "summary_text", "text": text});
            let here = |more: (&str, Value)| at(json!({"summary_index": 0, more.0: more.1}));
            events.push(("response.reasoning_summary_part.added", here(("part", part("")))));
            for piece in text.split_inclusive(' ') {
                let delta = here(("delta", json!(piece)));
                events.push(("response.reasoning_summary_text.delta", delta));
            }
            let done = here(("text", json!(text)));
            events.push(("response.reasoning_summary_text.done", done));
            events.push(("response.reasoning_summary_part.done", here(("part", part(text)))));
        }
        Some("message") => {
            let here = |more: (&str, Value)| at(json!({"content_index": 0, more.0: more.1}));
            events.push(("response.content_part.added", here(("part", text_part("")))));
            for piece in speech.text_deltas() {
                let delta = at(json!({"content_index": 0, "delta": piece, "logprobs": []}));
                events.push(("response.output_text.delta", delta));
            }
            let done = at(json!({"content_index": 0, "text": speech.text, "logprobs": []}));
            events.push(("response.output_text.done", done));
            events.push(("response.content_part.done", here(("part", text_part(&speech.text)))));
        }
        _ => {
            let call =
                speech.calls.iter().find(|call| item.get("call_id") == Some(&json!(call.id)));
            let (delta, done, field) = if item.get("input").is_some() {
                let delta = "response.custom_tool_call_input.delta";
                (delta, "response.custom_tool_call_input.done", "input")
            } else {
                let delta = "response.function_call_arguments.delta";
                (delta, "response.function_call_arguments.done", "arguments")
            };
            let pieces = call.map(ScriptedToolCall::argument_deltas).unwrap_or_default();
            events.extend(pieces.into_iter().map(|piece| (delta, at(json!({"delta": piece})))));
            let whole = item.get(field).cloned().unwrap_or_default();
            let name = item.get("name").cloned().unwrap_or_default();
            events.push((done, at(json!({field: whole, "name": name}))));
        }
    }
    events.push(("response.output_item.done", json!({"output_index": index, "item": item})));
}
