//! OpenAI's Chat Completions.

use serde_json::{Value, json};

use super::scripted_answer::{
    DeclaredTool, ParsedPrompt, ScriptedAnswer, ToolChoiceMode, data_url_note,
};
use super::strict_object::{
    ParseResult, StrictObject, check_call_id, check_strict_schema, check_tool_name,
};
use super::{
    AnswerDelivery, PROVIDER_CACHED_TOKENS, PROVIDER_INPUT_TOKENS, PROVIDER_OUTPUT_TOKENS,
    PROVIDER_REASONING_TOKENS, ProviderRequest,
};

const FIELDS: &str = "model! messages! stream stream_options tools tool_choice parallel_tool_calls \
response_format reasoning_effort max_tokens max_completion_tokens temperature top_p n stop seed user \
store metadata frequency_penalty presence_penalty logit_bias logprobs top_logprobs service_tier \
verbosity prompt_cache_key safety_identifier modalities prediction";

const EFFORTS: [&str; 6] = ["none", "minimal", "low", "medium", "high", "xhigh"];

pub(super) fn read(body: &Value) -> ParseResult<ProviderRequest> {
    let form = StrictObject::new("body", body, FIELDS)?;
    let mut question =
        ParsedPrompt { model: form.text("model")?.to_owned(), ..ParsedPrompt::default() };
    read_messages(form.list("messages")?, &mut question)?;
    for tool in form.list("tools")? {
        question.tools.push(read_tool(tool)?);
    }
    question.choice = read_choice(&form)?;
    question.one_call = form.get("parallel_tool_calls") == Some(&json!(false));
    if form.get("parallel_tool_calls").is_some() && question.tools.is_empty() {
        return Err("parallel_tool_calls is only allowed when tools are given".to_owned());
    }
    form.one_of("reasoning_effort", &EFFORTS)?;
    if let Some(format) = form.get("response_format") {
        question.schema = read_format(format)?;
    }
    let newer = form.count("max_completion_tokens")?;
    question.tokens_max = newer.or(form.count("max_tokens")?);
    if form.flag("stream")? {
        let options = form.get("stream_options").cloned().unwrap_or_else(|| json!({}));
        let options =
            StrictObject::new("stream_options", &options, "include_usage include_obfuscation")?;
        let usage = options.flag("include_usage")?;
        return Ok(ProviderRequest { question, delivery: AnswerDelivery::Stream { usage } });
    }
    if form.get("stream_options").is_some() {
        return Err("stream_options is only allowed when stream is true".to_owned());
    }
    Ok(ProviderRequest { question, delivery: AnswerDelivery::Whole })
}

/// Reads the messages. All calls need their results before any other message.
fn read_messages(messages: &[Value], question: &mut ParsedPrompt) -> ParseResult<()> {
    if messages.is_empty() {
        return Err("messages: at least one is needed".to_owned());
    }
    let mut waiting: Vec<String> = Vec::new();
    for (message, number) in messages.iter().zip(0..) {
        let place = format!("messages[{number}]");
        let role = message.get("role").and_then(Value::as_str).unwrap_or_default();
        if role != "tool" && !waiting.is_empty() {
            return Err(format!("{place}: calls without a result: {waiting:?}"));
        }
        match role {
            "system" | "developer" => {
                let form = StrictObject::new(&place, message, "role! content! name")?;
                question.system.push(read_content(&form)?.0);
            }
            "user" => {
                let form = StrictObject::new(&place, message, "role! content! name")?;
                (question.user, question.images) = read_content(&form)?;
                question.results.clear();
            }
            "assistant" => {
                waiting = read_assistant(&place, message)?;
                question.results.clear();
            }
            "tool" => {
                let form = StrictObject::new(&place, message, "role! content! tool_call_id!")?;
                let id = form.text("tool_call_id")?;
                let known = waiting.iter().position(|call| call == id);
                let known = known.ok_or_else(|| format!("{place}: no call {id} before it"))?;
                waiting.remove(known);
                question.results.push(read_content(&form)?.0);
            }
            other => return Err(format!("{place}.role: {other:?} is no role")),
        }
    }
    if waiting.is_empty() { Ok(()) } else { Err(format!("calls without a result: {waiting:?}")) }
}

/// Returns the ids of its calls.
fn read_assistant(place: &str, message: &Value) -> ParseResult<Vec<String>> {
    let form = StrictObject::new(
        place,
        message,
        "role! content tool_calls refusal name audio annotations reasoning_content",
    )?;
    let mut ids = Vec::new();
    for call in form.list("tool_calls")? {
        let call = StrictObject::new(&form.path_of("tool_calls"), call, "id! type! function!")?;
        check_call_id(&call.path_of("id"), call.text("id")?)?;
        let function = call.get("function").unwrap_or(&Value::Null);
        let function = StrictObject::new(&call.path_of("function"), function, "name! arguments!")?;
        check_tool_name(&function.path_of("name"), function.text("name")?)?;
        serde_json::from_str::<Value>(function.text("arguments")?)
            .map_err(|error| format!("{place}: arguments are no JSON: {error}"))?;
        ids.push(call.text("id")?.to_owned());
    }
    if ids.is_empty() || form.get("content").is_some() {
        read_content(&form)?;
    }
    Ok(ids)
}

/// Returns the text, and a note for each image.
fn read_content(form: &StrictObject<'_>) -> ParseResult<(String, Vec<String>)> {
    if let Some(text) = form.get("content").and_then(Value::as_str) {
        return Ok((text.to_owned(), Vec::new()));
    }
    let place = form.path_of("content");
    if !form.get("content").is_some_and(Value::is_array) {
        return Err(format!("{place}: a string or a list is needed"));
    }
    let (mut texts, mut images) = (Vec::new(), Vec::new());
    for part in form.list("content")? {
        if part.get("type") == Some(&json!("image_url")) {
            let part = StrictObject::new(&place, part, "type! image_url!")?;
            let image = part.get("image_url").unwrap_or(&Value::Null);
            let image = StrictObject::new(&place, image, "url! detail")?;
            image.one_of("detail", &["auto", "low", "high"])?;
            images.push(data_url_note(&place, image.text("url")?)?);
        } else {
            let part = StrictObject::new(&place, part, "type! text!")?;
            part.one_of("type", &["text"])?;
            texts.push(part.text("text")?);
        }
    }
    Ok((texts.join("\n"), images))
}

fn read_tool(tool: &Value) -> ParseResult<DeclaredTool> {
    let tool = StrictObject::new("tools", tool, "type! function!")?;
    tool.one_of("type", &["function"])?;
    let function = tool.get("function").unwrap_or(&Value::Null);
    let form =
        StrictObject::new("tools.function", function, "name! description parameters strict")?;
    let (name, schema) = (form.text("name")?, form.get("parameters"));
    check_tool_name("tools.function.name", name)?;
    let schema = schema.cloned().unwrap_or_else(|| json!({"type": "object"}));
    if form.flag("strict")? {
        check_strict_schema("tools.function.parameters", &schema)?;
    }
    Ok(DeclaredTool::function(name, schema))
}

fn read_choice(form: &StrictObject<'_>) -> ParseResult<ToolChoiceMode> {
    match form.get("tool_choice") {
        None => Ok(ToolChoiceMode::Auto),
        Some(Value::String(word)) => match word.as_str() {
            "auto" => Ok(ToolChoiceMode::Auto),
            "none" => Ok(ToolChoiceMode::None),
            "required" => Ok(ToolChoiceMode::Any),
            _ => Err(format!("tool_choice: {word:?} is none")),
        },
        Some(named) => {
            let named = StrictObject::new("tool_choice", named, "type! function!")?;
            let function = named.get("function").unwrap_or(&Value::Null);
            let function = StrictObject::new("tool_choice.function", function, "name!")?;
            Ok(ToolChoiceMode::Named(function.text("name")?.to_owned()))
        }
    }
}

fn read_format(format: &Value) -> ParseResult<Option<Value>> {
    let form = StrictObject::new("response_format", format, "type! json_schema")?;
    if form.text("type")? != "json_schema" {
        form.one_of("type", &["text", "json_object"])?;
        return Ok(None);
    }
    let named = form.get("json_schema").unwrap_or(&Value::Null);
    let named = StrictObject::new(
        "response_format.json_schema",
        named,
        "name! schema! strict description",
    )?;
    check_tool_name("response_format.json_schema.name", named.text("name")?)?;
    let schema = named.get("schema").cloned();
    if named.flag("strict")? {
        check_strict_schema(
            "response_format.json_schema",
            schema.as_ref().unwrap_or(&Value::Null),
        )?;
    }
    Ok(schema)
}

fn finish(speech: &ScriptedAnswer) -> &'static str {
    match speech {
        ScriptedAnswer { cut_short: true, .. } => "length",
        ScriptedAnswer { calls, .. } if !calls.is_empty() => "tool_calls",
        _ => "stop",
    }
}

fn usage(speech: &ScriptedAnswer) -> Value {
    let reasoning = if speech.thinking.is_some() { PROVIDER_REASONING_TOKENS } else { 0 };
    json!({"prompt_tokens": PROVIDER_INPUT_TOKENS, "completion_tokens": PROVIDER_OUTPUT_TOKENS,
        "total_tokens": PROVIDER_INPUT_TOKENS + PROVIDER_OUTPUT_TOKENS,
        "prompt_tokens_details": {"cached_tokens": PROVIDER_CACHED_TOKENS},
        "completion_tokens_details": {"reasoning_tokens": reasoning}})
}

pub(super) fn whole_answer(question: &ParsedPrompt, speech: &ScriptedAnswer) -> Value {
    let text = if speech.text.is_empty() { Value::Null } else { json!(speech.text) };
    let mut message = json!({"role": "assistant", "content": text, "refusal": null});
    let mut add = |name: &str, value: Value| {
        if let Some(members) = message.as_object_mut() {
            members.insert(name.to_owned(), value);
        }
    };
    if let Some(thinking) = &speech.thinking {
        add("reasoning_content", json!(thinking));
    }
    if !speech.calls.is_empty() {
        let calls = speech.calls.iter().map(|call| {
            json!({"id": call.id, "type": "function", "function":
                {"name": call.name, "arguments": call.arguments.to_string()}})
        });
        add("tool_calls", calls.collect());
    }
    json!({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": question.model,
        "choices": [{"index": 0, "message": message, "logprobs": null,
            "finish_reason": finish(speech)}],
        "usage": usage(speech)})
}

pub(super) fn stream_events(
    question: &ParsedPrompt,
    speech: &ScriptedAnswer,
    delivery: AnswerDelivery,
) -> Vec<String> {
    let frame = |choices: Value, usage: Value| {
        let chunk = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1,
            "model": question.model, "choices": choices, "usage": usage});
        format!("data: {chunk}\n\n")
    };
    let delta = |delta: Value, finish: Option<&str>| {
        frame(json!([{"index": 0, "delta": delta, "finish_reason": finish}]), Value::Null)
    };
    let mut events = vec![delta(json!({"role": "assistant", "content": ""}), None)];
    for thinking in speech.thinking.iter().flat_map(|text| text.split_inclusive(' ')) {
        events.push(delta(json!({"reasoning_content": thinking}), None));
    }
    events.extend(speech.text_deltas().map(|piece| delta(json!({"content": piece}), None)));
    for (call, index) in speech.calls.iter().zip(0..) {
        events.push(delta(
            json!({"tool_calls": [{"index": index, "id": call.id, "type": "function",
                "function": {"name": call.name, "arguments": ""}}]}),
            None,
        ));
        for piece in call.argument_deltas() {
            let piece = json!({"index": index, "function": {"arguments": piece}});
            events.push(delta(json!({"tool_calls": [piece]}), None));
        }
    }
    events.push(delta(json!({}), Some(finish(speech))));
    if delivery == (AnswerDelivery::Stream { usage: true }) {
        events.push(frame(json!([]), usage(speech)));
    }
    events.push("data: [DONE]\n\n".to_owned());
    events
}
