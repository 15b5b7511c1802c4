//! Whole answers: reads their facts, and detects bodies with status 200 that are not answers.

use bytes::Bytes;
use domain::Usage;
use serde_json::value::RawValue;

use super::DONE_EVENT;
use super::chunk::{ChatChunk, data_event};
use super::error::in_band_error;
use super::usage::ChatUsage;
use crate::answer::{answer_text, is_model_name};
use crate::json::{Members, array_items, range_in};
use crate::neutral::ProviderEvent;
use crate::{AnswerFacts, BadAnswer, UsageChunk};

pub(crate) fn read_chat_answer(body: &[u8]) -> Result<AnswerFacts, BadAnswer> {
    let text = answer_text(body)?;
    let chunk = ChatChunk::read(text).map_err(|_| BadAnswer::NotJson)?;
    if chunk.error.is_some() {
        return Err(BadAnswer::UpstreamError(in_band_error(text.as_bytes())));
    }
    let (usage, billed_beside) = match ChatUsage::default().read(chunk.bill()) {
        Some(ProviderEvent::Usage(report)) => (Some(report), Usage::default()),
        Some(ProviderEvent::BilledBeside(usage)) => (None, usage),
        _ => (None, Usage::default()),
    };
    let content_bytes = match usage {
        Some(_) => 0,
        // Even an empty answer needs a usage estimate, so this is never zero.
        None => chunk.choices.iter().map(|choice| choice.delta.content_bytes()).sum::<u64>().max(1),
    };
    let finish_reason = chunk.choices.into_iter().next().ok_or(BadAnswer::NoChoices)?.finish_reason;
    let model = chunk.model.filter(|model| is_model_name(model));
    Ok(AnswerFacts { usage, billed_beside, model, finish_reason, content_bytes })
}

/// Turns a whole answer into a regular stream, for a backend that ignored `stream: true`. Returns
/// the stream and the facts of the answer. Messages are copied unchanged; tool calls get the index
/// that a stream requires.
pub(crate) fn stream_from_answer(
    body: &[u8],
    usage_chunk: UsageChunk,
) -> Result<(Bytes, AnswerFacts), BadAnswer> {
    let facts = read_chat_answer(body)?;
    let answer = Members::parse(answer_text(body)?).map_err(|_| BadAnswer::NotJson)?;
    let choices = answer.get("choices").and_then(array_items).unwrap_or_default();
    let choices: Vec<_> = choices.into_iter().map(choice_as_delta).collect();
    let mut stream = data_event(&chunk_from_answer(&answer, &choices.join(","), ""));
    if let (UsageChunk::Asked, Some(usage)) = (usage_chunk, answer.get("usage")) {
        let usage = format!(",\"usage\":{}", usage.get());
        stream.push_str(&data_event(&chunk_from_answer(&answer, "", &usage)));
    }
    Ok((Bytes::from([stream.as_bytes(), DONE_EVENT].concat()), facts))
}

/// A chunk with the id, date and model of `answer`.
fn chunk_from_answer(answer: &Members<'_>, choices: &str, rest: &str) -> String {
    let head: String = ["id", "created", "model", "system_fingerprint"]
        .into_iter()
        .filter_map(|key| Some(format!("\"{key}\":{},", answer.get(key)?.get())))
        .collect();
    format!("{{{head}\"object\":\"chat.completion.chunk\",\"choices\":[{choices}]{rest}}}")
}

/// A choice of a whole answer, with its message as the only delta.
fn choice_as_delta(choice: &RawValue) -> String {
    let Ok(members) = Members::parse(choice.get()) else { return "{}".to_owned() };
    let raw = |key: &str| members.get(key).map_or("null", RawValue::get);
    let index = members.get("index").map_or("0", RawValue::get);
    let delta = match members.get("message").and_then(with_call_indexes) {
        Some(message) => message,
        None => raw("message").to_owned(),
    };
    format!(
        "{{\"index\":{index},\"delta\":{delta},\"logprobs\":{},\"finish_reason\":{}}}",
        raw("logprobs"),
        raw("finish_reason"),
    )
}

/// The message with an `index` in each of its tool calls; `None` if it has no tool calls.
fn with_call_indexes(message: &RawValue) -> Option<String> {
    let calls = Members::parse(message.get()).ok()?.get("tool_calls")?;
    let mut indexed = Vec::new();
    for (place, call) in array_items(calls)?.into_iter().enumerate() {
        let has_members = Members::parse(call.get()).ok()?.last().is_some();
        let comma = if has_members { "," } else { "" };
        indexed.push(format!("{{\"index\":{place}{comma}{}", call.get().get(1..)?));
    }
    let at = range_in(message.get(), calls.get());
    let (before, after) = (message.get().get(..at.start)?, message.get().get(at.end..)?);
    Some(format!("{before}[{}]{after}", indexed.join(",")))
}

#[cfg(test)]
mod tests {
    use domain::{Meter, PriceTier};

    use super::*;
    use crate::dialect::openai_chat::ChatTap;
    use crate::{StreamEnd, UpstreamClass};

    #[test]
    fn an_answer_gives_its_facts() {
        let body =
            br#"{"id":"x","model":"gpt-x","choices":[{"index":0,"message":{"role":"assistant",
            "content":"\ud800"},"finish_reason":"length"}],
            "usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}"#;
        let facts = read_chat_answer(body).expect("an answer");
        assert_eq!(facts.model.as_deref(), Some("gpt-x"));
        assert_eq!(facts.finish_reason.as_deref(), Some("length"));
        assert_eq!(facts.usage.expect("usage").tokens().total(), 10);
        let silent = read_chat_answer(br#"{"choices":[{"message":{}}],"usage":null}"#);
        assert_eq!(silent, Ok(AnswerFacts { content_bytes: 1, ..AnswerFacts::default() }));
    }

    #[test]
    fn the_tier_and_searches_of_an_answer_without_usage_are_read() {
        let body = br#"{"model":"gpt-5-search-api","service_tier":"flex",
            "choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}"#;
        let check = |facts: &AnswerFacts| {
            let beside = &facts.billed_beside;
            assert_eq!((&facts.usage, beside.tier), (&None, PriceTier::Flex));
            assert_eq!(beside.quantities.iter().collect::<Vec<_>>(), [(Meter::WebSearch, 1)]);
        };
        check(&read_chat_answer(body).expect("an answer"));
        let (stream, facts) = stream_from_answer(body, UsageChunk::NotAsked).expect("an answer");
        check(&facts);
        let mut tap = ChatTap::new(UsageChunk::NotAsked);
        let tier = r#""choices":[{"index":0,"delta":{}}],"service_tier":"flex""#;
        let _ = tap.feed(format!("data: {{{tier}}}\n\n").as_bytes());
        let _ = tap.feed(&stream);
        check(tap.facts());
    }

    #[test]
    fn what_is_no_answer_is_named() {
        let bad = |body: &[u8]| read_chat_answer(body).expect_err("no answer");
        assert_eq!(bad(b""), BadAnswer::Empty);
        assert_eq!(bad(b" \r\n"), BadAnswer::Empty);
        assert_eq!(bad(b"\n<!DOCTYPE html><p>sign in</p>"), BadAnswer::Html);
        assert_eq!(bad(br#"{"choices":[{"message":{"content":"Hel"#), BadAnswer::NotJson);
        assert_eq!(bad(b"\xff\xfe"), BadAnswer::NotJson);
        assert_eq!(bad(br#"{"choices":3}"#), BadAnswer::NotJson);
        assert_eq!(bad(br#"{"choices":[]}"#), BadAnswer::NoChoices);
        assert_eq!(bad(br#"{"object":"list"}"#), BadAnswer::NoChoices);
        assert_eq!(bad(br#"{"choices":[NaN]}"#), BadAnswer::NotJson);
        let BadAnswer::UpstreamError(error) =
            bad(br#"{"error":{"message":"slow down","type":"rate_limit_error","code":429}}"#)
        else {
            panic!("an error object is an error")
        };
        assert_eq!((error.status, error.class), (429, UpstreamClass::RateLimited));
        assert_eq!(error.message, "slow down");
    }
    #[test]
    fn a_whole_answer_becomes_a_regular_stream() {
        let body = br#"{"id":"x",
            "model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"\ud800",
            "tool_calls":[{"id":"a","n":1e400},{"id":"b"}]},"finish_reason":"tool_calls"}],
            "usage":{"prompt_tokens":7}}"#;
        let (stream, facts) = stream_from_answer(body, UsageChunk::Asked).expect("an answer");
        let text = String::from_utf8(stream.to_vec()).expect("text");
        assert!(
            text.contains(r#"[{"index":0,"id":"a","n":1e400},{"index":1,"id":"b"}]"#),
            "{text}"
        );
        assert!(text.contains(r#""content":"\ud800""#), "{text}");
        let mut tap = ChatTap::new(UsageChunk::Asked);
        assert_eq!(tap.feed(&stream).relay, stream, "nothing to strip");
        assert!(tap.content_seen());
        assert_eq!(tap.finish(), StreamEnd::Complete { append: Bytes::new() });
        assert_eq!((&tap.facts().usage, &tap.facts().model), (&facts.usage, &facts.model));
        let (unasked, _) = stream_from_answer(body, UsageChunk::NotAsked).expect("an answer");
        assert!(!String::from_utf8_lossy(&unasked).contains("usage"));
        let refused = stream_from_answer(br#"{"error":"x"}"#, UsageChunk::Asked);
        assert!(matches!(refused, Err(BadAnswer::UpstreamError(_))));
    }
}
