//! The mock's answers, whole and streamed.

use bytes::Bytes;
use serde_json::{Value, json};

use super::fault::{self, Fault};
use super::prompt::{Format, Prompt};
use super::tools::{Call, calls, word};
use super::{
    ANSWER_TOKENS_MAX, CHAT_TOKEN_DELAY_MS, MockAnswer, MockEnd, MockPiece, SLOW_TOKEN_DELAY_MS,
    schema, text,
};
use crate::openai_chat::DONE_EVENT;
use crate::{ClientRequest, Delivery, UsageChunk};

pub(super) fn answer(request: &ClientRequest, created_unix_s: i64) -> MockAnswer {
    let Some(prompt) = Prompt::read(request) else {
        return fault::unreadable();
    };
    let write = |voice, delay_ms, usage| {
        let script = Script::new(request, &prompt, voice, created_unix_s, usage);
        script.play(request.delivery(), delay_ms)
    };
    match request.model() {
        "echo" => write(Voice::Echo, 0, UsageIn::Answer),
        "chat" => write(Voice::Chat, CHAT_TOKEN_DELAY_MS, UsageIn::Answer),
        "slow" => write(Voice::Chat, SLOW_TOKEN_DELAY_MS, UsageIn::Answer),
        "fault-no-usage" => write(Voice::Chat, 0, UsageIn::Nothing),
        model => match Fault::named(model) {
            Some(fault) => fault.spoil(write(Voice::Chat, 0, UsageIn::Answer), request.delivery()),
            None => fault::unknown_model(model),
        },
    }
}

#[derive(Clone, Copy)]
enum Voice {
    Echo,
    Chat,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum UsageIn {
    Answer,
    Nothing,
}

/// What an answer will say, before it is cut into pieces.
struct Script {
    id: String,
    model: String,
    created_unix_s: i64,
    content: Content,
    prompt_tokens: u64,
    usage: UsageIn,
}

enum Content {
    Text { tokens: Vec<String>, finish_reason: &'static str },
    Calls(Vec<Call>),
}

impl Script {
    fn new(
        request: &ClientRequest,
        prompt: &Prompt,
        voice: Voice,
        created_unix_s: i64,
        usage: UsageIn,
    ) -> Self {
        Self {
            id: format!("chatcmpl-mock-{:016x}", text::seed(&prompt.user)),
            model: request.model().to_owned(),
            created_unix_s,
            content: Content::new(prompt, voice),
            prompt_tokens: prompt.tokens,
            usage,
        }
    }

    fn play(&self, delivery: Delivery, delay_ms: u64) -> MockAnswer {
        let (content_type, body) = match delivery {
            Delivery::Whole => {
                let delay_ms = delay_ms.saturating_mul(self.content.tokens());
                let bytes = Bytes::from(self.whole().to_string());
                ("application/json", vec![MockPiece { delay_ms, bytes }])
            }
            Delivery::Stream(usage) => ("text/event-stream", self.stream(usage, delay_ms)),
            Delivery::StreamArray => {
                ("text/event-stream", self.stream(UsageChunk::Asked, delay_ms))
            }
        };
        MockAnswer { status: 200, content_type, retry_after_s: None, body, end: MockEnd::Done }
    }

    fn whole(&self) -> Value {
        let message = match &self.content {
            Content::Text { tokens, .. } => {
                json!({"role": "assistant", "content": tokens.concat(), "refusal": null})
            }
            Content::Calls(calls) => {
                let calls: Vec<_> = calls.iter().map(whole_call).collect();
                json!({"role": "assistant", "content": null, "refusal": null, "tool_calls": calls})
            }
        };
        let mut answer = self.frame(
            "chat.completion",
            json!([{
                "index": 0, "message": message, "logprobs": null,
                "finish_reason": self.content.finish_reason(),
            }]),
        );
        if let (UsageIn::Answer, Some(members)) = (self.usage, answer.as_object_mut()) {
            members.insert("usage".to_owned(), self.usage_object());
        }
        answer
    }

    fn stream(&self, usage: UsageChunk, delay_ms: u64) -> Vec<MockPiece> {
        let reports = usage == UsageChunk::Asked && self.usage == UsageIn::Answer;
        let event = |delay_ms: u64, choices: Value, usage: Value| {
            let mut chunk = self.frame("chat.completion.chunk", choices);
            if let (true, Some(members)) = (reports, chunk.as_object_mut()) {
                members.insert("usage".to_owned(), usage);
            }
            MockPiece { delay_ms, bytes: Bytes::from(format!("data: {chunk}\n\n")) }
        };
        let choice = |delay_ms: u64, delta: Value, finish_reason: Option<&str>| {
            let choice = json!([{"index": 0, "delta": delta, "logprobs": null,
                "finish_reason": finish_reason}]);
            event(delay_ms, choice, Value::Null)
        };
        let mut pieces = vec![choice(0, json!({"role": "assistant", "content": ""}), None)];
        let deltas = self.content.deltas();
        pieces.extend(deltas.into_iter().map(|delta| choice(delay_ms, delta, None)));
        pieces.push(choice(0, json!({}), Some(self.content.finish_reason())));
        if reports {
            pieces.push(event(0, json!([]), self.usage_object()));
        }
        pieces.push(MockPiece { delay_ms: 0, bytes: Bytes::from_static(DONE_EVENT) });
        pieces
    }

    fn frame(&self, object: &str, choices: Value) -> Value {
        let mut frame = json!({
            "id": self.id, "object": object, "created": self.created_unix_s,
            "model": self.model, "system_fingerprint": "fp_mock",
        });
        if let Some(members) = frame.as_object_mut() {
            members.insert("choices".to_owned(), choices);
        }
        frame
    }

    fn usage_object(&self) -> Value {
        let completion = self.content.tokens();
        json!({
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": completion,
            "total_tokens": self.prompt_tokens.saturating_add(completion),
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        })
    }
}

impl Content {
    fn new(prompt: &Prompt, voice: Voice) -> Self {
        let calls = calls(prompt);
        if !calls.is_empty() {
            return Self::Calls(calls);
        }
        let full = match &prompt.format {
            Format::Schema(schema) => schema::instance(schema, &word(&prompt.user)).to_string(),
            Format::AnyJson => json!({"answer": speak(prompt, voice)}).to_string(),
            Format::Text => speak(prompt, voice),
        };
        let most = prompt.tokens_max.and_then(|most| usize::try_from(most).ok());
        let most = most.unwrap_or(usize::MAX).min(ANSWER_TOKENS_MAX);
        let all = text::tokens(&full);
        let finish_reason = if all.len() > most { "length" } else { "stop" };
        Self::Text {
            tokens: all.into_iter().take(most).map(str::to_owned).collect(),
            finish_reason,
        }
    }

    const fn finish_reason(&self) -> &'static str {
        match self {
            Self::Text { finish_reason, .. } => finish_reason,
            Self::Calls(_) => "tool_calls",
        }
    }

    fn tokens(&self) -> u64 {
        match self {
            Self::Text { tokens, .. } => text::count(&tokens.concat()),
            Self::Calls(calls) => calls
                .iter()
                .map(|call| text::count(&call.name) + text::count(&call.arguments))
                .sum(),
        }
    }

    /// One delta for each token; of a call the name first, then its arguments in pieces.
    fn deltas(&self) -> Vec<Value> {
        let calls = match self {
            Self::Text { tokens, .. } => {
                return tokens.iter().map(|token| json!({"content": token})).collect();
            }
            Self::Calls(calls) => calls,
        };
        let mut deltas = Vec::new();
        for (index, call) in calls.iter().enumerate() {
            deltas.push(json!({"tool_calls": [{"index": index, "id": call.id, "type": "function",
                "function": {"name": call.name, "arguments": ""}}]}));
            for piece in text::tokens(&call.arguments) {
                deltas.push(json!({"tool_calls": [{"index": index,
                    "function": {"arguments": piece}}]}));
            }
        }
        deltas
    }
}

fn speak(prompt: &Prompt, voice: Voice) -> String {
    match voice {
        Voice::Echo => prompt.user.clone(),
        Voice::Chat if prompt.tool_results.is_empty() => text::paragraph(&prompt.user),
        Voice::Chat => {
            let results = text::quote(&prompt.tool_results.join("; "));
            format!("The tool says: {results}. {}", text::paragraph(&prompt.user))
        }
    }
}

fn whole_call(call: &Call) -> Value {
    json!({"id": call.id, "type": "function",
        "function": {"name": call.name, "arguments": call.arguments}})
}
