//! Anthropic's Messages, in both versions of its API.

use serde_json::{Value, json};

use super::scripted_answer::{
    DeclaredTool, ParsedPrompt, ScriptedAnswer, ToolChoiceMode, image_note,
};
use super::strict_object::{ParseResult, StrictObject, check_call_id, check_tool_name};
use super::{
    AnswerDelivery, PROVIDER_CACHED_TOKENS, PROVIDER_INPUT_TOKENS, PROVIDER_OUTPUT_TOKENS,
    PROVIDER_REASONING_TOKENS, ProviderRequest,
};
use crate::reply::Reply;
use crate::upstream::ReceivedRequest;

const FIELDS: &str = "model! messages! max_tokens! system stream stop_sequences thinking tools \
tool_choice output_config metadata service_tier cache_control context_management temperature top_p \
top_k";

const COUNT_FIELDS: &str = "model! messages! system thinking tools tool_choice output_config";

/// The signature of its own thinking; every other signature is refused as foreign.
const SIGNATURE: &str = "c2lnbmVkIGJ5IHRoZSBwcm92aWRlcg==";

pub(super) fn read(body: &Value, request: &ReceivedRequest) -> ParseResult<ProviderRequest> {
    let form = StrictObject::new("body", body, FIELDS)?;
    check_version(request, &form)?;
    let mut question = read_prompt(&form)?;
    question.tokens_max = form.count("max_tokens")?;
    let stream = form.flag("stream")?;
    let delivery =
        if stream { AnswerDelivery::Stream { usage: true } } else { AnswerDelivery::Whole };
    Ok(ProviderRequest { question, delivery })
}

pub(super) fn count_tokens(body: &Value, request: &ReceivedRequest) -> ParseResult<Reply> {
    let form = StrictObject::new("body", body, COUNT_FIELDS)?;
    check_version(request, &form)?;
    read_prompt(&form)?;
    Ok(Reply::json(200, &json!({"input_tokens": PROVIDER_INPUT_TOKENS})))
}

fn check_version(request: &ReceivedRequest, form: &StrictObject<'_>) -> ParseResult<()> {
    match request.header("anthropic-version") {
        Some("2023-06-01") => Ok(()),
        Some("2026-10-21") => match ["temperature", "top_p", "top_k"]
            .into_iter()
            .find(|name| form.get(name).is_some())
        {
            Some(name) => Err(format!("{name}: not supported in version 2026-10-21")),
            None => Ok(()),
        },
        other => Err(format!("anthropic-version: {other:?} is no version")),
    }
}

fn read_prompt(form: &StrictObject<'_>) -> ParseResult<ParsedPrompt> {
    let mut question =
        ParsedPrompt { model: form.text("model")?.to_owned(), ..ParsedPrompt::default() };
    match form.get("system") {
        None => {}
        Some(Value::String(text)) => question.system.push(text.clone()),
        Some(_) => {
            for block in form.list("system")? {
                question.system.push(text_block("system", block)?.to_owned());
            }
        }
    }
    read_messages(form.list("messages")?, &mut question)?;
    for tool in form.list("tools")? {
        question.tools.push(read_tool(tool)?);
    }
    read_choice(form, &mut question)?;
    if let Some(thinking) = form.get("thinking") {
        let thinking = StrictObject::new("thinking", thinking, "type! budget_tokens display")?;
        let kind = thinking.one_of("type", &["enabled", "disabled", "adaptive"])?;
        let budget = thinking.count("budget_tokens")?;
        if (kind == Some("enabled")) != budget.is_some() {
            return Err("thinking.budget_tokens: belongs to enabled thinking".to_owned());
        }
        let most = form.get("max_tokens").and_then(Value::as_u64);
        if budget.is_some_and(|budget| budget < 1_024 || most.is_some_and(|most| budget >= most)) {
            return Err("thinking.budget_tokens: at least 1024, below max_tokens".to_owned());
        }
    }
    if let Some(output) = form.get("output_config") {
        let output = StrictObject::new("output_config", output, "format effort")?;
        output.one_of("effort", &["low", "medium", "high", "xhigh", "max"])?;
        if let Some(format) = output.get("format") {
            let format = StrictObject::new("output_config.format", format, "type! schema!")?;
            format.one_of("type", &["json_schema"])?;
            question.schema = format.get("schema").cloned();
        }
    }
    Ok(question)
}

fn read_messages(messages: &[Value], question: &mut ParsedPrompt) -> ParseResult<()> {
    let (mut last, mut waiting): (&str, Vec<String>) = ("assistant", Vec::new());
    for (message, number) in messages.iter().zip(0..) {
        let place = format!("messages[{number}]");
        let form = StrictObject::new(&place, message, "role! content!")?;
        let role = form.one_of("role", &["user", "assistant", "system"])?.unwrap_or_default();
        let text = form.get("content").and_then(Value::as_str);
        let as_block = text.map(|text| json!([{"type": "text", "text": text}]));
        let blocks = match &as_block {
            Some(blocks) => blocks.as_array().map(Vec::as_slice).unwrap_or_default(),
            None => form.list("content")?,
        };
        if blocks.is_empty() {
            return Err(format!("{place}.content: must not be empty"));
        }
        if role == "system" {
            for block in blocks {
                question.system.push(text_block(&place, block)?.to_owned());
            }
            continue;
        }
        if role == last {
            return Err(format!("{place}: two turns of {role}, or the first is the assistant's"));
        }
        last = role;
        if role == "user" {
            read_user(&place, blocks, &waiting, question)?;
            waiting.clear();
        } else {
            waiting = read_assistant(&place, blocks)?;
        }
    }
    match (last, waiting.as_slice()) {
        ("user", []) => Ok(()),
        _ => Err(format!("messages: ends with the {last}, calls without result: {waiting:?}")),
    }
}

/// Requires tool results first, one for each waiting call.
fn read_user(
    place: &str,
    blocks: &[Value],
    waiting: &[String],
    question: &mut ParsedPrompt,
) -> ParseResult<()> {
    let mut answered = Vec::new();
    let (mut texts, mut images) = (Vec::new(), Vec::new());
    let mut results = Vec::new();
    for block in blocks {
        match block.get("type").and_then(Value::as_str) {
            Some("tool_result") => {
                if !texts.is_empty() || !images.is_empty() {
                    return Err(format!("{place}: tool_result blocks must come first"));
                }
                let known = "type! tool_use_id! content is_error cache_control";
                let form = StrictObject::new(place, block, known)?;
                answered.push(form.text("tool_use_id")?.to_owned());
                results.push(result_text(place, &form)?);
            }
            Some("image") => {
                let form = StrictObject::new(place, block, "type! source! cache_control")?;
                let source = form.get("source").unwrap_or(&Value::Null);
                let source =
                    StrictObject::new(&form.path_of("source"), source, "type! media_type! data!")?;
                source.one_of("type", &["base64"])?;
                images.push(image_note(place, source.text("media_type")?, source.text("data")?)?);
            }
            _ => texts.push(text_block(place, block)?),
        }
    }
    let all = waiting.iter().all(|id| answered.contains(id));
    if !all || answered.len() != waiting.len() {
        return Err(format!("{place}: results {answered:?} for the calls {waiting:?}"));
    }
    if !texts.is_empty() || !images.is_empty() {
        (question.user, question.images) = (texts.join("\n"), images);
        results.clear();
    }
    question.results = results;
    Ok(())
}

fn result_text(place: &str, form: &StrictObject<'_>) -> ParseResult<String> {
    match form.get("content") {
        None => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => {
            let mut texts = Vec::new();
            for block in form.list("content")? {
                texts.push(text_block(place, block)?);
            }
            Ok(texts.join("\n"))
        }
    }
}

/// Returns the ids of its calls.
fn read_assistant(place: &str, blocks: &[Value]) -> ParseResult<Vec<String>> {
    let mut ids = Vec::new();
    for block in blocks {
        match block.get("type").and_then(Value::as_str) {
            Some("tool_use") => {
                let form =
                    StrictObject::new(place, block, "type! id! name! input! cache_control caller")?;
                check_call_id(&form.path_of("id"), form.text("id")?)?;
                check_tool_name(&form.path_of("name"), form.text("name")?)?;
                if !form.get("input").is_some_and(Value::is_object) {
                    return Err(format!("{place}.input: an object is needed"));
                }
                ids.push(form.text("id")?.to_owned());
            }
            Some("thinking") => {
                let form = StrictObject::new(place, block, "type! thinking! signature!")?;
                if form.text("signature")? != SIGNATURE {
                    return Err(format!("{place}: invalid signature in thinking block"));
                }
            }
            _ => {
                text_block(place, block)?;
            }
        }
    }
    Ok(ids)
}

fn text_block<'a>(place: &str, block: &'a Value) -> ParseResult<&'a str> {
    let form = StrictObject::new(place, block, "type! text! cache_control citations")?;
    form.one_of("type", &["text"])?;
    match form.text("text")? {
        "" => Err(format!("{place}: text content blocks must be non-empty")),
        text => Ok(text),
    }
}

fn read_tool(tool: &Value) -> ParseResult<DeclaredTool> {
    let known = "type name! description input_schema! strict cache_control eager_input_streaming \
        allowed_callers defer_loading input_examples";
    let form = StrictObject::new("tools", tool, known)?;
    form.one_of("type", &["custom"])?;
    check_tool_name("tools.name", form.text("name")?)?;
    let schema = form.get("input_schema").cloned().unwrap_or_default();
    if schema.get("type") != Some(&json!("object")) {
        return Err("tools.input_schema.type: must be object".to_owned());
    }
    Ok(DeclaredTool::function(form.text("name")?, schema))
}

fn read_choice(form: &StrictObject<'_>, question: &mut ParsedPrompt) -> ParseResult<()> {
    let Some(choice) = form.get("tool_choice") else { return Ok(()) };
    let choice = StrictObject::new("tool_choice", choice, "type! name disable_parallel_tool_use")?;
    question.one_call = choice.flag("disable_parallel_tool_use")?;
    question.choice = match choice.text("type")? {
        "auto" => ToolChoiceMode::Auto,
        "none" => ToolChoiceMode::None,
        "any" => ToolChoiceMode::Any,
        "tool" => ToolChoiceMode::Named(choice.text("name")?.to_owned()),
        other => return Err(format!("tool_choice.type: {other:?} is none")),
    };
    Ok(())
}

fn stop_reason(speech: &ScriptedAnswer) -> &'static str {
    match speech {
        ScriptedAnswer { cut_short: true, .. } => "max_tokens",
        ScriptedAnswer { calls, .. } if !calls.is_empty() => "tool_use",
        _ => "end_turn",
    }
}

fn usage(speech: &ScriptedAnswer) -> Value {
    let thinking = if speech.thinking.is_some() { PROVIDER_REASONING_TOKENS } else { 0 };
    json!({"input_tokens": PROVIDER_INPUT_TOKENS - PROVIDER_CACHED_TOKENS,
        "cache_read_input_tokens": PROVIDER_CACHED_TOKENS, "cache_creation_input_tokens": 0,
        "output_tokens": PROVIDER_OUTPUT_TOKENS,
        "output_tokens_details": {"thinking_tokens": thinking}})
}

/// The content blocks of a whole answer.
fn blocks(speech: &ScriptedAnswer) -> Vec<Value> {
    let mut blocks = Vec::new();
    if let Some(thinking) = &speech.thinking {
        blocks.push(json!({"type": "thinking", "thinking": thinking, "signature": SIGNATURE}));
    }
    if !speech.text.is_empty() {
        blocks.push(json!({"type": "text", "text": speech.text}));
    }
    for call in &speech.calls {
        blocks.push(json!({"type": "tool_use", "id": format!("toolu_{}", call.id),
            "name": call.name, "input": call.arguments}));
    }
    blocks
}

pub(super) fn whole_answer(question: &ParsedPrompt, speech: &ScriptedAnswer) -> Value {
    json!({"id": "msg_1", "type": "message", "role": "assistant", "model": question.model,
        "content": blocks(speech), "stop_reason": stop_reason(speech), "stop_sequence": null,
        "usage": usage(speech)})
}

pub(super) fn stream_events(question: &ParsedPrompt, speech: &ScriptedAnswer) -> Vec<String> {
    let mut begun = whole_answer(question, speech);
    for (name, value) in [
        ("content", json!([])),
        ("stop_reason", Value::Null),
        (
            "usage",
            json!({"input_tokens": PROVIDER_INPUT_TOKENS - PROVIDER_CACHED_TOKENS,
            "cache_read_input_tokens": PROVIDER_CACHED_TOKENS, "output_tokens": 1}),
        ),
    ] {
        if let Some(member) = begun.get_mut(name) {
            *member = value;
        }
    }
    let mut events = vec![json!({"type": "message_start", "message": begun})];
    events.push(json!({"type": "ping"}));
    for (block, index) in blocks(speech).into_iter().zip(0..) {
        block_events(&block, index, speech, &mut events);
    }
    events.push(json!({"type": "message_delta", "usage": usage(speech),
        "delta": {"stop_reason": stop_reason(speech), "stop_sequence": null}}));
    events.push(json!({"type": "message_stop"}));
    let write = |event: &Value| {
        let name = event.get("type").and_then(Value::as_str).unwrap_or_default();
        format!("event: {name}\ndata: {event}\n\n")
    };
    events.iter().map(write).collect()
}

fn block_events(block: &Value, index: usize, speech: &ScriptedAnswer, events: &mut Vec<Value>) {
    let (begun, deltas) = match block.get("type").and_then(Value::as_str) {
        Some("thinking") => {
            let thinking = speech.thinking.as_deref().unwrap_or_default();
            let pieces = thinking.split_inclusive(' ');
            let delta = |piece| json!({"type": "thinking_delta", "thinking": piece});
            let mut deltas: Vec<Value> = pieces.map(delta).collect();
            deltas.push(json!({"type": "signature_delta", "signature": SIGNATURE}));
            (json!({"type": "thinking", "thinking": "", "signature": ""}), deltas)
        }
        Some("text") => {
            let delta = |piece| json!({"type": "text_delta", "text": piece});
            (json!({"type": "text", "text": ""}), speech.text_deltas().map(delta).collect())
        }
        _ => {
            let mut begun = block.clone();
            if let Some(input) = begun.get_mut("input") {
                *input = json!({});
            }
            let id = block.get("id").and_then(Value::as_str).unwrap_or_default();
            let call = speech.calls.iter().find(|call| id.ends_with(&call.id));
            let pieces = call
                .map(super::scripted_answer::ScriptedToolCall::argument_deltas)
                .unwrap_or_default();
            let delta = |piece| json!({"type": "input_json_delta", "partial_json": piece});
            (begun, pieces.into_iter().map(delta).collect())
        }
    };
    events.push(json!({"type": "content_block_start", "index": index, "content_block": begun}));
    for delta in deltas {
        events.push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
    }
    events.push(json!({"type": "content_block_stop", "index": index}));
}

/// The error type for an HTTP status.
pub(super) fn error_type(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    }
}
