//! Google's Gemini: content, token counts and embeddings.

use serde_json::{Value, json};

use super::scripted_answer::{
    DeclaredTool, ParsedPrompt, ScriptedAnswer, ScriptedToolCall, ToolChoiceMode, image_note,
};
use super::strict_object::{ParseResult, StrictObject, check_open_api_schema, check_tool_name};
use super::{
    AnswerDelivery, PROVIDER_CACHED_TOKENS, PROVIDER_INPUT_TOKENS, PROVIDER_OUTPUT_TOKENS,
    PROVIDER_REASONING_TOKENS, ProviderRequest, embeddings,
};
use crate::reply::Reply;

const FIELDS: &str = "contents! systemInstruction generationConfig tools toolConfig safetySettings \
cachedContent labels model";

const CONFIG_FIELDS: &str = "temperature topP topK candidateCount maxOutputTokens stopSequences seed \
responseMimeType responseSchema responseJsonSchema responseModalities presencePenalty \
frequencyPenalty thinkingConfig responseLogprobs logprobs mediaResolution";

const PART_FIELDS: &str =
    "text inlineData functionCall functionResponse thought thoughtSignature mediaResolution";

/// The signature of its own thinking, in base64 as the SDKs require.
const SIGNATURE: &str = "c2lnbmVkIGJ5IGdlbWluaQ==";

/// The placeholder signatures that Google documents for calls made by another model.
const PLACEHOLDER_SIGNATURES: [&str; 2] =
    ["skip_thought_signature_validator", "context_engineering_is_the_way_to_go"];

pub(super) enum MethodOutcome {
    Asked(Box<ProviderRequest>),
    Answered(Reply),
}

/// Handles a call of `{model}:{method}`.
pub(super) fn handle_method(
    segment: &str,
    query: &str,
    body: &Value,
) -> ParseResult<MethodOutcome> {
    let (model, method) = segment.split_once(':').ok_or("a method is needed")?;
    let body = &to_camel_case(body);
    let asked = |delivery| {
        let question = read(model, body)?;
        Ok(MethodOutcome::Asked(Box::new(ProviderRequest { question, delivery })))
    };
    match method {
        "generateContent" => asked(AnswerDelivery::Whole),
        "streamGenerateContent" if query.contains("alt=sse") => {
            asked(AnswerDelivery::Stream { usage: true })
        }
        "streamGenerateContent" => asked(AnswerDelivery::Array),
        "countTokens" => count_tokens(model, body).map(MethodOutcome::Answered),
        "embedContent" | "batchEmbedContents" => {
            embeddings::gemini(method, body).map(MethodOutcome::Answered)
        }
        _ => Err(format!("{method}: no such method")),
    }
}

/// Converts field names to camel case: Google's API accepts both spellings, and its Python SDK
/// mixes them. Names chosen by the user are not changed.
fn to_camel_case(value: &Value) -> Value {
    const USERS: [&str; 6] = [
        "args",
        "response",
        "parameters",
        "parametersJsonSchema",
        "responseSchema",
        "responseJsonSchema",
    ];
    match value {
        Value::Array(items) => items.iter().map(to_camel_case).collect(),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                let mut words = name.split('_');
                let mut camel = words.next().unwrap_or_default().to_owned();
                for word in words {
                    let (first, rest) = word.split_at(word.len().min(1));
                    camel += &first.to_uppercase();
                    camel += rest;
                }
                let users = USERS.contains(&camel.as_str());
                let value = if users { value.clone() } else { to_camel_case(value) };
                (camel, value)
            };
            Value::Object(members.iter().map(member).collect())
        }
        other => other.clone(),
    }
}

fn count_tokens(model: &str, body: &Value) -> ParseResult<Reply> {
    let form = StrictObject::new("body", body, "contents generateContentRequest")?;
    match form.get("generateContentRequest") {
        Some(request) => read(model, request)?,
        None => read(model, body)?,
    };
    Ok(Reply::json(200, &json!({"totalTokens": PROVIDER_INPUT_TOKENS})))
}

fn read(model: &str, body: &Value) -> ParseResult<ParsedPrompt> {
    let form = StrictObject::new("body", body, FIELDS)?;
    let mut question = ParsedPrompt { model: model.to_owned(), ..ParsedPrompt::default() };
    if let Some(system) = form.get("systemInstruction") {
        let system = StrictObject::new("systemInstruction", system, "parts! role")?;
        for part in system.list("parts")? {
            let part = StrictObject::new("systemInstruction.parts", part, "text!")?;
            question.system.push(part.text("text")?.to_owned());
        }
    }
    read_contents(form.list("contents")?, &mut question)?;
    for tool in form.list("tools")? {
        let tool = StrictObject::new("tools", tool, "functionDeclarations!")?;
        for declaration in tool.list("functionDeclarations")? {
            question.tools.push(read_tool(declaration)?);
        }
    }
    if let Some(config) = form.get("toolConfig") {
        question.choice = read_choice(config)?;
    }
    if let Some(config) = form.get("generationConfig") {
        read_config(config, &mut question)?;
    }
    Ok(question)
}

/// Requires as many responses as calls, with the same names in the same order.
fn read_contents(contents: &[Value], question: &mut ParsedPrompt) -> ParseResult<()> {
    let (mut last, mut waiting): (&str, Vec<String>) = ("model", Vec::new());
    for (content, number) in contents.iter().zip(0..) {
        let place = format!("contents[{number}]");
        let form = StrictObject::new(&place, content, "role parts!")?;
        let role = form.one_of("role", &["user", "model"])?.unwrap_or("user");
        if role == last {
            return Err(format!("{place}: two turns of {role}, or the first is the model's"));
        }
        last = role;
        let parts = form.list("parts")?;
        let named = |member: &str| -> Vec<String> {
            let name = |part: &Value| Some(part.get(member)?.get("name")?.as_str()?.to_owned());
            parts.iter().filter_map(name).collect()
        };
        if role == "user" {
            let answered = named("functionResponse");
            if answered != waiting {
                return Err(format!("{place}: responses {answered:?} for calls {waiting:?}"));
            }
            read_user(&place, parts, question)?;
        } else {
            for part in parts {
                read_part(&place, part)?;
            }
        }
        waiting = named("functionCall");
    }
    if last == "user" { Ok(()) } else { Err("contents: must end with the user".to_owned()) }
}

fn read_user(place: &str, parts: &[Value], question: &mut ParsedPrompt) -> ParseResult<()> {
    let (mut texts, mut images, mut results) = (Vec::new(), Vec::new(), Vec::new());
    for part in parts {
        let form = read_part(place, part)?;
        if let Some(data) = form.get("inlineData") {
            let data = StrictObject::new(
                &form.path_of("inlineData"),
                data,
                "mimeType! data! displayName",
            )?;
            // Accepts both alphabets: Google's Python SDK writes the URL-safe one.
            let bytes = data.text("data")?.replace('-', "+").replace('_', "/");
            images.push(image_note(place, data.text("mimeType")?, &bytes)?);
        } else if let Some(response) = form.get("functionResponse") {
            let known = "name! response! id";
            let response = StrictObject::new(&form.path_of("functionResponse"), response, known)?;
            let said = response.get("response").unwrap_or(&Value::Null);
            results.push(result_text(said)?);
        } else {
            texts.push(form.text("text")?);
        }
    }
    if !texts.is_empty() || !images.is_empty() {
        (question.user, question.images) = (texts.join("\n"), images);
        results.clear();
    }
    question.results = results;
    Ok(())
}

/// Returns a result's text from Google's forms: `{"output": …}`, `{"result": …}`.
fn result_text(response: &Value) -> ParseResult<String> {
    let members = response.as_object().ok_or("functionResponse.response: an object is needed")?;
    let said = ["output", "result", "error", "content"].iter().find_map(|name| members.get(*name));
    Ok(match said {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => response.to_string(),
    })
}

/// Requires exactly one kind of data in each part.
fn read_part<'a>(place: &str, part: &'a Value) -> ParseResult<StrictObject<'a>> {
    let form = StrictObject::new(place, part, PART_FIELDS)?;
    let kinds = ["text", "inlineData", "functionCall", "functionResponse"];
    if kinds.iter().filter(|kind| form.get(kind).is_some()).count() != 1 {
        return Err(format!("{place}.parts: exactly one of {kinds:?} is needed in {part}"));
    }
    let signature = form.get("thoughtSignature").and_then(Value::as_str);
    if signature.is_some_and(|text| text != SIGNATURE && !PLACEHOLDER_SIGNATURES.contains(&text)) {
        return Err(format!("{place}: thought signature is not valid"));
    }
    if let Some(call) = form.get("functionCall") {
        let call = StrictObject::new(&form.path_of("functionCall"), call, "name! args id")?;
        check_tool_name(&call.path_of("name"), call.text("name")?)?;
        if call.get("args").is_some_and(|args| !args.is_object()) {
            return Err(format!("{place}.functionCall.args: an object is needed"));
        }
    }
    Ok(form)
}

fn read_tool(declaration: &Value) -> ParseResult<DeclaredTool> {
    let known = "name! description parameters parametersJsonSchema response responseJsonSchema \
        behavior";
    let form = StrictObject::new("functionDeclarations", declaration, known)?;
    check_tool_name("functionDeclarations.name", form.text("name")?)?;
    let plain = form.get("parameters");
    let schema = match (plain, form.get("parametersJsonSchema")) {
        (Some(_), Some(_)) => return Err("parameters and parametersJsonSchema".to_owned()),
        (Some(schema), None) => {
            check_open_api_schema("functionDeclarations.parameters", schema)?;
            schema.clone()
        }
        (None, Some(schema)) => schema.clone(),
        (None, None) => json!({"type": "object"}),
    };
    Ok(DeclaredTool::function(form.text("name")?, schema))
}

fn read_choice(config: &Value) -> ParseResult<ToolChoiceMode> {
    let config = StrictObject::new("toolConfig", config, "functionCallingConfig")?;
    let Some(calling) = config.get("functionCallingConfig") else {
        return Ok(ToolChoiceMode::Auto);
    };
    let form = StrictObject::new("functionCallingConfig", calling, "mode allowedFunctionNames")?;
    let names = form.list("allowedFunctionNames")?;
    match (form.one_of("mode", &["AUTO", "ANY", "NONE", "VALIDATED"])?, names) {
        (Some("NONE"), []) => Ok(ToolChoiceMode::None),
        (Some("ANY"), [Value::String(name)]) => Ok(ToolChoiceMode::Named(name.clone())),
        (Some("ANY"), _) => Ok(ToolChoiceMode::Any),
        (_, []) => Ok(ToolChoiceMode::Auto),
        _ => Err("allowedFunctionNames: only with mode ANY".to_owned()),
    }
}

fn read_config(config: &Value, question: &mut ParsedPrompt) -> ParseResult<()> {
    let form = StrictObject::new("generationConfig", config, CONFIG_FIELDS)?;
    question.tokens_max = form.count("maxOutputTokens")?;
    if let Some(thinking) = form.get("thinkingConfig") {
        let known = "includeThoughts thinkingBudget thinkingLevel";
        let thinking = StrictObject::new("thinkingConfig", thinking, known)?;
        thinking.flag("includeThoughts")?;
        let levels = ["MINIMAL", "LOW", "MEDIUM", "HIGH", "minimal", "low", "medium", "high"];
        thinking.one_of("thinkingLevel", &levels)?;
    }
    let (json_schema, schema) = (form.get("responseJsonSchema"), form.get("responseSchema"));
    if let Some(schema) = schema {
        check_open_api_schema("responseSchema", schema)?;
    }
    question.schema = json_schema.or(schema).cloned();
    let json_asked = form.get("responseMimeType") == Some(&json!("application/json"));
    if question.schema.is_some() && !json_asked {
        return Err("responseMimeType: must be application/json with a schema".to_owned());
    }
    Ok(())
}

fn usage(speech: &ScriptedAnswer) -> Value {
    let thoughts = if speech.thinking.is_some() { PROVIDER_REASONING_TOKENS } else { 0 };
    json!({"promptTokenCount": PROVIDER_INPUT_TOKENS,
        "cachedContentTokenCount": PROVIDER_CACHED_TOKENS,
        "candidatesTokenCount": PROVIDER_OUTPUT_TOKENS - thoughts, "thoughtsTokenCount": thoughts,
        "totalTokenCount": PROVIDER_INPUT_TOKENS + PROVIDER_OUTPUT_TOKENS})
}

fn answer(question: &ParsedPrompt, parts: &[Value], finish: Option<&ScriptedAnswer>) -> Value {
    let mut candidate = json!({"index": 0, "content": {"role": "model", "parts": parts}});
    let mut answer = json!({"modelVersion": question.model, "responseId": "r1"});
    if let (Some(speech), Some(members)) = (finish, candidate.as_object_mut()) {
        let reason = if speech.cut_short { "MAX_TOKENS" } else { "STOP" };
        members.insert("finishReason".to_owned(), json!(reason));
    }
    if let Some(members) = answer.as_object_mut() {
        members.insert("candidates".to_owned(), json!([candidate]));
        if let Some(speech) = finish {
            members.insert("usageMetadata".to_owned(), usage(speech));
        }
    }
    answer
}

/// Calls without ids, like Google's own API.
fn call_parts(question: &ParsedPrompt, speech: &ScriptedAnswer) -> Vec<Value> {
    let part = |(place, call): (usize, &ScriptedToolCall)| {
        let call = json!({"name": call.name, "args": call.arguments});
        if place == 0 && question.model.starts_with("gemini-3") {
            return json!({"functionCall": call, "thoughtSignature": SIGNATURE});
        }
        json!({"functionCall": call})
    };
    speech.calls.iter().enumerate().map(part).collect()
}

pub(super) fn whole_answer(question: &ParsedPrompt, speech: &ScriptedAnswer) -> Value {
    let mut parts = Vec::new();
    if let Some(thinking) = &speech.thinking {
        parts.push(json!({"text": thinking, "thought": true}));
    }
    if !speech.text.is_empty() {
        let signed = speech.thinking.is_some();
        let text = json!({"text": speech.text});
        let with = json!({"text": speech.text, "thoughtSignature": SIGNATURE});
        parts.push(if signed { with } else { text });
    }
    parts.extend(call_parts(question, speech));
    answer(question, &parts, Some(speech))
}

pub(super) fn stream_events(
    question: &ParsedPrompt,
    speech: &ScriptedAnswer,
    delivery: AnswerDelivery,
) -> Vec<String> {
    let mut chunks: Vec<Value> = Vec::new();
    for piece in speech.thinking.iter().flat_map(|text| text.split_inclusive(' ')) {
        chunks.push(answer(question, &[json!({"text": piece, "thought": true})], None));
    }
    chunks.extend(
        speech.text_deltas().map(|piece| answer(question, &[json!({"text": piece})], None)),
    );
    for part in call_parts(question, speech) {
        chunks.push(answer(question, &[part], None));
    }
    chunks.push(answer(question, &[json!({"text": ""})], Some(speech)));
    if delivery == AnswerDelivery::Array {
        let last = chunks.len() - 1;
        let write = |(place, chunk): (usize, &Value)| {
            let before = if place == 0 { "[" } else { ",\r\n" };
            format!("{before}{chunk}{}", if place == last { "]" } else { "" })
        };
        return chunks.iter().enumerate().map(write).collect();
    }
    chunks.iter().map(|chunk| format!("data: {chunk}\r\n\r\n")).collect()
}

/// The status name for an HTTP status.
pub(super) fn error_status(status: u16) -> &'static str {
    match status {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        400..=499 => "INVALID_ARGUMENT",
        503 | 529 => "UNAVAILABLE",
        _ => "INTERNAL",
    }
}
