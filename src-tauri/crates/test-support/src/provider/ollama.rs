//! Ollama's own chat API.

use serde_json::{Value, json};

use super::scripted_answer::{DeclaredTool, ParsedPrompt, ScriptedAnswer, image_note};
use super::strict_object::{ParseResult, StrictObject, check_tool_name};
use super::{AnswerDelivery, PROVIDER_INPUT_TOKENS, PROVIDER_OUTPUT_TOKENS, ProviderRequest};

const FIELDS: &str = "model! messages! tools format options stream think keep_alive";

const OPTIONS: &str = "num_predict temperature top_p top_k min_p stop seed num_ctx repeat_penalty \
presence_penalty frequency_penalty";

pub(super) fn read(body: &Value) -> ParseResult<ProviderRequest> {
    let form = StrictObject::new("body", body, FIELDS)?;
    let mut question =
        ParsedPrompt { model: form.text("model")?.to_owned(), ..ParsedPrompt::default() };
    for (message, number) in form.list("messages")?.iter().zip(0..) {
        read_message(&format!("messages[{number}]"), message, &mut question)?;
    }
    for tool in form.list("tools")? {
        let tool = StrictObject::new("tools", tool, "type! function!")?;
        let function = tool.get("function").unwrap_or(&Value::Null);
        let function =
            StrictObject::new("tools.function", function, "name! description parameters")?;
        let schema = function.get("parameters").cloned().unwrap_or_else(|| json!({}));
        check_tool_name("tools.function.name", function.text("name")?)?;
        question.tools.push(DeclaredTool::function(function.text("name")?, schema));
    }
    question.schema = form.get("format").filter(|format| format.is_object()).cloned();
    if let Some(options) = form.get("options") {
        question.tokens_max =
            StrictObject::new("options", options, OPTIONS)?.count("num_predict")?;
    }
    // Ollama streams by default.
    let whole = form.get("stream") == Some(&json!(false));
    let delivery =
        if whole { AnswerDelivery::Whole } else { AnswerDelivery::Stream { usage: true } };
    Ok(ProviderRequest { question, delivery })
}

fn read_message(place: &str, message: &Value, question: &mut ParsedPrompt) -> ParseResult<()> {
    let known = "role! content thinking images tool_calls tool_name tool_call_id";
    let form = StrictObject::new(place, message, known)?;
    let text = form.get("content").map_or(Ok(""), |_content| form.text("content"))?.to_owned();
    let role = form.one_of("role", &["system", "user", "assistant", "tool"])?;
    if role == Some("tool") {
        question.results.push(text);
        return Ok(());
    }
    question.results.clear();
    match role {
        Some("system") => question.system.push(text),
        Some("user") => {
            question.user = text;
            question.images.clear();
            for image in form.list("images")? {
                let data = image.as_str().ok_or_else(|| format!("{place}.images: no text"))?;
                question.images.push(image_note(place, "image/png", data)?);
            }
        }
        _ => {
            for call in form.list("tool_calls")? {
                let call =
                    StrictObject::new(&form.path_of("tool_calls"), call, "function! id type")?;
                let function = call.get("function").unwrap_or(&Value::Null);
                let function = StrictObject::new(
                    &call.path_of("function"),
                    function,
                    "name! arguments! index",
                )?;
                if !function.get("arguments").is_some_and(Value::is_object) {
                    return Err(format!("{place}: arguments must be an object"));
                }
            }
        }
    }
    Ok(())
}

fn line(question: &ParsedPrompt, message: &Value, done: Option<&ScriptedAnswer>) -> Value {
    let mut line = json!({"model": question.model, "created_at": "2026-01-01T00:00:00.000000Z",
        "message": message, "done": done.is_some()});
    if let (Some(speech), Some(members)) = (done, line.as_object_mut()) {
        let reason = if speech.cut_short { "length" } else { "stop" };
        for (name, value) in [
            ("done_reason", json!(reason)),
            ("total_duration", json!(5_000_000)),
            ("prompt_eval_count", json!(PROVIDER_INPUT_TOKENS)),
            ("eval_count", json!(PROVIDER_OUTPUT_TOKENS)),
        ] {
            members.insert(name.to_owned(), value);
        }
    }
    line
}

fn calls(speech: &ScriptedAnswer) -> Vec<Value> {
    let call = |call: &super::scripted_answer::ScriptedToolCall| json!({"function": {"name": call.name, "arguments": call.arguments}});
    speech.calls.iter().map(call).collect()
}

pub(super) fn whole_answer(question: &ParsedPrompt, speech: &ScriptedAnswer) -> Value {
    let mut message = json!({"role": "assistant", "content": speech.text});
    if let Some(members) = message.as_object_mut() {
        if let Some(thinking) = &speech.thinking {
            members.insert("thinking".to_owned(), json!(thinking));
        }
        if !speech.calls.is_empty() {
            members.insert("tool_calls".to_owned(), json!(calls(speech)));
        }
    }
    line(question, &message, Some(speech))
}

pub(super) fn stream_events(question: &ParsedPrompt, speech: &ScriptedAnswer) -> Vec<String> {
    let say = |name: &str, value: Value| {
        let mut message = json!({"role": "assistant", "content": ""});
        if let Some(members) = message.as_object_mut() {
            members.insert(name.to_owned(), value);
        }
        line(question, &message, None)
    };
    let mut lines: Vec<Value> = Vec::new();
    for piece in speech.thinking.iter().flat_map(|text| text.split_inclusive(' ')) {
        lines.push(say("thinking", json!(piece)));
    }
    lines.extend(speech.text_deltas().map(|piece| say("content", json!(piece))));
    lines.extend(calls(speech).into_iter().map(|call| say("tool_calls", json!([call]))));
    lines.push(line(question, &json!({"role": "assistant", "content": ""}), Some(speech)));
    lines.iter().map(|line| format!("{line}\n")).collect()
}
