//! Reads the conversation of a client's request.
//!
//! Instructions may come before and between the turns (Claude Code sends both); their positions are
//! kept. Tools that the provider ran in earlier turns (web search, code execution) have no
//! equivalent elsewhere. They become an [`ExtraField`], because the conversation is a different one
//! without them.

use domain::Dialect;

use super::SESSION_FINGERPRINT_PREFIX;
use crate::RequestError;
use crate::dialect::field_filter::FieldKind;
use crate::json::json_node::{JsonNode, JsonObject};
use crate::media_type::detect_media_type;
use crate::neutral::{
    CacheBreakpoint, CallKind, ContentPart, ConversationTurn, ExtraField, MediaContent, MediaKind,
    MediaSource, Role, ThoughtSignature, ToolCall, ToolResult,
};

/// Reads the top-level `system` without Claude Code's fingerprint.
pub(super) fn read_system(
    root: &JsonObject<'_>,
    extras: &mut Vec<ExtraField>,
) -> Result<Option<ConversationTurn>, RequestError> {
    let Some(system) = root.get("system") else { return Ok(None) };
    let mut parts = read_content(&system, extras)?;
    if let Some(ContentPart::Text { text, .. }) = parts.first_mut()
        && text.starts_with(SESSION_FINGERPRINT_PREFIX)
    {
        *text = text.split_once('\n').map_or("", |(_, rest)| rest).to_owned();
    }
    parts.retain(|part| !matches!(part, ContentPart::Text { text, .. } if text.is_empty()));
    Ok((!parts.is_empty()).then_some(ConversationTurn { role: Role::System, parts }))
}

pub(super) fn read_turns(
    list: &JsonNode<'_>,
    extras: &mut Vec<ExtraField>,
) -> Result<Vec<ConversationTurn>, RequestError> {
    let turns = list.array()?;
    if turns.is_empty() {
        return Err(list.bad_value("send at least one message"));
    }
    turns.iter().map(|turn| read_turn(&turn.object()?, extras)).collect()
}

fn read_turn(
    turn: &JsonObject<'_>,
    extras: &mut Vec<ExtraField>,
) -> Result<ConversationTurn, RequestError> {
    let role = turn.required("role")?;
    let role = match role.text()?.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        _ => return Err(role.bad_value("the roles are user, assistant and system")),
    };
    let parts = read_content(&turn.required("content")?, extras)?;
    let others = turn.entries().filter(|(key, _)| !matches!(*key, "role" | "content"));
    extras.extend(others.map(|(_, node)| node.extra(FieldKind::Unknown)));
    Ok(ConversationTurn { role, parts })
}

/// Reads a string or an array of blocks.
fn read_content(
    content: &JsonNode<'_>,
    extras: &mut Vec<ExtraField>,
) -> Result<Vec<ContentPart>, RequestError> {
    if content.is_text() {
        return Ok(vec![ContentPart::text(content.text()?)]);
    }
    if !content.is_array() {
        return Err(content.wrong_type("a string or an array of blocks"));
    }
    let mut parts = Vec::new();
    for block in content.array()? {
        read_block(&block, &mut parts, extras)?;
    }
    Ok(parts)
}

fn read_block(
    node: &JsonNode<'_>,
    parts: &mut Vec<ContentPart>,
    extras: &mut Vec<ExtraField>,
) -> Result<(), RequestError> {
    let block = node.object()?;
    let kind = block.required_text("type")?;
    if let Some(mark) = block.get("cache_control").filter(|_| kind != "text") {
        // The neutral form has cache markers on texts and tools only.
        extras.push(mark.extra(FieldKind::PromptCache));
    }
    match kind.as_str() {
        "text" => {
            let cache = block.get("cache_control").map(|mark| CacheBreakpoint(mark.json()));
            let citations = block.get("citations").filter(|list| list.raw() != "[]");
            extras.extend(citations.map(|list| list.extra(FieldKind::Presentation)));
            parts.push(ContentPart::Text { text: block.required_text("text")?, cache });
        }
        "image" => {
            let settings = block.get("transformations");
            extras.extend(settings.map(|node| node.extra(FieldKind::Presentation)));
            parts.push(ContentPart::Media(read_media(&block, MediaKind::Image)?));
        }
        "document" => read_document(&block, parts, extras)?,
        "search_result" => read_search_result(&block, parts, extras)?,
        "tool_use" => parts.push(read_call(&block)?),
        "tool_result" => parts.push(read_result(&block, extras)?),
        "tool_reference" => {
            let name = block.required_text("tool_name")?;
            parts.push(ContentPart::text(format!("The tool {name} is available now.")));
        }
        "thinking" => parts.push(ContentPart::Thinking {
            text: block.text("thinking")?.unwrap_or_default(),
            signature: block
                .text("signature")?
                .filter(|signature| !signature.is_empty())
                .map(|signature| read_signature(&signature)),
        }),
        "redacted_thinking" => {
            parts
                .push(ContentPart::RedactedThinking(read_signature(&block.required_text("data")?)));
        }
        "container_upload" => extras.push(node.extra(FieldKind::ProviderFile)),
        // `server_tool_use`, `web_search_tool_result`, `mcp_tool_use` and similar.
        _ => extras.push(node.extra(FieldKind::ServerTool)),
    }
    Ok(())
}

fn read_signature(signature: &str) -> ThoughtSignature {
    ThoughtSignature::from_client(signature, Dialect::AnthropicMessages)
}

fn read_call(block: &JsonObject<'_>) -> Result<ContentPart, RequestError> {
    let input = block.required("input")?;
    if !input.is_object() {
        return Err(input.wrong_type("an object"));
    }
    Ok(ContentPart::ToolCall(ToolCall {
        id: required_id(block, "id")?,
        name: block.required_text("name")?,
        namespace: None,
        kind: CallKind::Function,
        arguments: input.raw().to_owned(),
    }))
}

fn read_result(
    block: &JsonObject<'_>,
    extras: &mut Vec<ExtraField>,
) -> Result<ContentPart, RequestError> {
    let content = block.get("content").map(|content| read_content(&content, extras)).transpose()?;
    let mut content = content.unwrap_or_default();
    content.retain(|part| !matches!(part, ContentPart::Text { text, .. } if text.is_empty()));
    Ok(ContentPart::ToolResult(ToolResult {
        call_id: required_id(block, "tool_use_id")?,
        name: None,
        content,
        is_error: block.get("is_error").map(|flag| flag.flag()).transpose()?.unwrap_or(false),
        kind: CallKind::Function,
    }))
}

fn required_id(block: &JsonObject<'_>, key: &str) -> Result<String, RequestError> {
    let node = block.required(key)?;
    let id = node.text()?;
    if id.is_empty() {
        return Err(node.bad_value("the id links a call to its result; it must not be empty"));
    }
    Ok(id)
}

/// Reads a `source` of type base64, url or file.
fn read_media(block: &JsonObject<'_>, kind: MediaKind) -> Result<MediaContent, RequestError> {
    let source = block.required("source")?.object()?;
    let declared = source.text("media_type")?;
    let told = source.required("type")?;
    let (from, media_type) = match told.text()?.as_str() {
        "base64" => {
            let data = source.required_text("data")?;
            let media_type = detect_media_type(&data).map(str::to_owned).or(declared);
            (MediaSource::Base64(data), media_type)
        }
        "url" => (MediaSource::Url(source.required_text("url")?), declared),
        "file" => (MediaSource::File(source.required_text("file_id")?), declared),
        _ => return Err(told.bad_value("the sources are base64, url, file, text and content")),
    };
    let title = block.text("title")?;
    Ok(MediaContent { kind, source: from, media_type, detail: None, title })
}

/// Keeps a PDF as a document. Plain text and content blocks become ordinary parts.
fn read_document(
    block: &JsonObject<'_>,
    parts: &mut Vec<ContentPart>,
    extras: &mut Vec<ExtraField>,
) -> Result<(), RequestError> {
    let citations = block.get("citations").map(|node| node.object()).transpose()?;
    let wants_citations = citations.and_then(|citations| citations.get("enabled"));
    extras.extend(
        wants_citations
            .filter(|enabled| enabled.raw() == "true")
            .map(|node| node.extra(FieldKind::Presentation)),
    );
    let context = block.text("context")?;
    parts.extend(context.filter(|text| !text.is_empty()).map(ContentPart::text));
    let source = block.required("source")?.object()?;
    let within = match source.required_text("type")?.as_str() {
        "text" => vec![ContentPart::text(source.required_text("data")?)],
        "content" => read_content(&source.required("content")?, extras)?,
        _ => {
            parts.push(ContentPart::Media(read_media(block, MediaKind::Document)?));
            return Ok(());
        }
    };
    parts.extend(block.text("title")?.map(|title| ContentPart::text(format!("Document: {title}"))));
    parts.extend(within);
    Ok(())
}

/// Reads a result of the client's own search tool, with its title and source.
fn read_search_result(
    block: &JsonObject<'_>,
    parts: &mut Vec<ContentPart>,
    extras: &mut Vec<ExtraField>,
) -> Result<(), RequestError> {
    let (title, source) = (block.required_text("title")?, block.required_text("source")?);
    parts.push(ContentPart::text(format!("Search result: {title} ({source})")));
    parts.extend(read_content(&block.required("content")?, extras)?);
    Ok(())
}
