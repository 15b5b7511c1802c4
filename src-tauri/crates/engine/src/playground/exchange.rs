//! One exchange with the gateway's listener, published while it runs.
//!
//! Dropping [`run_exchange`] closes the connection, so that a cancelled run looks like a client that
//! disconnected.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use domain::{Moment, RunId};
use gateway::{LoopbackAnswer, LoopbackCall};
use serde::Deserialize;
use tokio::time::{Sleep, sleep, timeout};
use wire::{SseDecoder, SsePayload};

use crate::engine::Engine;
use crate::events::EngineEvent;
use crate::playground_runs::{PlaygroundDelta, PlaygroundFault, PlaygroundState};

/// Interval of updates per run, in milliseconds: 20 a second, which looks continuous.
pub const PLAYGROUND_UPDATE_MS: u64 = 50;

/// Maximum text and reasoning of one response, in bytes: some 60,000 tokens. A longer response is
/// cut off.
pub const PLAYGROUND_TEXT_BYTES_MAX: usize = 262_144;

/// Maximum raw body kept per response, in bytes. Further bytes are only counted.
pub const PLAYGROUND_RAW_BYTES_MAX: usize = 262_144;

/// Maximum silence within a stream before the run fails, in seconds. The gateway sends four
/// heartbeats in this time.
pub const PLAYGROUND_IDLE_SECS_MAX: u64 = 60;

/// Time added to the gateway's total timeout before the run fails, in seconds.
const TIMEOUT_MARGIN_SECS: u64 = 10;

const PATH: &str = "/v1/chat/completions";
const OK: u16 = 200;

pub(super) enum ExchangeEnd {
    Complete,
    Cancelled,
    Failed(PlaygroundFault),
}

impl ExchangeEnd {
    fn failed(message: impl Into<String>) -> Self {
        Self::Failed(PlaygroundFault { message: message.into(), code: None })
    }
}

/// The request head as displayed, without the token.
pub(super) fn request_head(port: u16) -> String {
    format!(
        "POST {PATH} HTTP/1.1\nhost: 127.0.0.1:{port}\ncontent-type: application/json\n\
         authorization: Bearer (the playground's own token, not shown)"
    )
}

/// Sends `body` and reads the response to its end.
pub(super) async fn run_exchange(engine: &Engine, id: RunId, body: String) -> ExchangeEnd {
    let call = LoopbackCall::to(engine.gateway_port(), PATH)
        .with_token(&engine.parts.playground_token.secret)
        .with_json(body.into());
    let begun = engine.parts.clock.now();
    let limit = Duration::from_millis(engine.settings().gateway.total_timeout_ms)
        + Duration::from_secs(TIMEOUT_MARGIN_SECS);
    let mut follower = PlaygroundResponseReader::new(engine, id, begun);
    let ended = timeout(limit, follower.read_response(call)).await;
    ended.unwrap_or_else(|_| ExchangeEnd::failed("the gateway did not finish the response in time"))
}

/// Parses a response and publishes its pieces.
struct PlaygroundResponseReader<'a> {
    engine: &'a Engine,
    id: RunId,
    begun: Moment,
    text: String,
    thinking: String,
    bytes: usize,
    fault: Option<PlaygroundFault>,
    finished: bool,
    next_update: Option<Pin<Box<Sleep>>>,
}

impl<'a> PlaygroundResponseReader<'a> {
    fn new(engine: &'a Engine, id: RunId, begun: Moment) -> Self {
        Self {
            engine,
            id,
            begun,
            text: String::new(),
            thinking: String::new(),
            bytes: 0,
            fault: None,
            finished: false,
            next_update: None,
        }
    }

    async fn read_response(&mut self, call: LoopbackCall) -> ExchangeEnd {
        let mut answer = match LoopbackAnswer::open(call).await {
            Ok(answer) => answer,
            Err(error) => return ExchangeEnd::failed(error.to_string()),
        };
        self.record_response_head(&answer);
        let mut decoder = SseDecoder::new();
        let mut refusal = Vec::new();
        let idle = Duration::from_secs(PLAYGROUND_IDLE_SECS_MAX);
        loop {
            let taken = tokio::select! {
                biased;
                () = wait_for_update(&mut self.next_update) => { self.publish_update(); continue }
                taken = timeout(idle, answer.chunk()) => taken,
            };
            let chunk = match taken {
                Err(_) => {
                    return ExchangeEnd::failed(
                        "the gateway stopped sending in the middle of the response",
                    );
                }
                Ok(Err(error)) => return self.stream_end(error.to_string()),
                Ok(Ok(None)) => break,
                Ok(Ok(Some(chunk))) => chunk,
            };
            self.record_raw_body(&chunk);
            if answer.status() == OK {
                decoder.push(&chunk);
                if let Err(message) = self.read_events(&mut decoder) {
                    return ExchangeEnd::failed(message);
                }
            } else if refusal.len() < PLAYGROUND_RAW_BYTES_MAX {
                refusal.extend_from_slice(&chunk);
            }
        }
        match answer.status() {
            OK => self.stream_end("the response ended before it was complete".to_owned()),
            status => ExchangeEnd::Failed(parse_error_response(status, &refusal)),
        }
    }

    /// End of a stream: an error or `[DONE]` in the stream takes precedence over how the connection
    /// ended.
    fn stream_end(&mut self, otherwise: String) -> ExchangeEnd {
        match self.fault.take() {
            Some(fault) => ExchangeEnd::Failed(fault),
            None if self.finished => ExchangeEnd::Complete,
            None => ExchangeEnd::failed(otherwise),
        }
    }

    fn record_response_head(&self, answer: &LoopbackAnswer) {
        let header = |wanted: &str| {
            let mut all = answer.headers();
            all.find(|(name, _)| *name == wanted).map(|(_, value)| value.to_owned())
        };
        let lines = answer.headers().map(|(name, value)| format!("\n{name}: {value}"));
        let head: String =
            std::iter::once(format!("HTTP/1.1 {}", answer.status())).chain(lines).collect();
        let dropped = header("x-gatehouse-dropped").unwrap_or_default();
        let fields = dropped.split(',').map(str::trim).filter(|field| !field.is_empty());
        self.engine.parts.playground.update(self.id, |place| {
            place.raw.answer_head = head;
            place.run.http_status = Some(answer.status());
            place.run.request = header("x-gatehouse-request-id").and_then(|id| id.parse().ok());
            place.run.backend = header("x-gatehouse-backend");
            place.run.dropped = fields.map(str::to_owned).collect();
        });
    }

    fn record_raw_body(&self, chunk: &[u8]) {
        self.engine.parts.playground.update(self.id, |place| {
            let raw = &mut place.raw;
            let room = PLAYGROUND_RAW_BYTES_MAX.saturating_sub(raw.answer_body.len());
            let kept = chunk.get(..room.min(chunk.len())).unwrap_or_default();
            raw.answer_body.extend_from_slice(kept);
            raw.answer_bytes_cut += chunk.len() - kept.len();
        });
    }

    fn read_events(&mut self, decoder: &mut SseDecoder) -> Result<(), String> {
        while let Some(event) = decoder.next_event().map_err(|error| error.to_string())? {
            let SsePayload::Data(data) = event.payload else { continue };
            if data.as_ref() == b"[DONE]" {
                self.finished = true;
                continue;
            }
            let Ok(chunk) = serde_json::from_slice::<PlaygroundChunk>(&data) else { continue };
            if let Some(error) = chunk.error {
                self.fault = Some(error.into());
            }
            for choice in chunk.choices {
                self.append_choice(choice);
            }
            if self.bytes > PLAYGROUND_TEXT_BYTES_MAX {
                return Err(format!(
                    "the response has more than {PLAYGROUND_TEXT_BYTES_MAX} bytes, so it was cut \
                     off here"
                ));
            }
        }
        Ok(())
    }

    fn append_choice(&mut self, choice: PlaygroundChoice) {
        if let Some(reason) = choice.finish_reason {
            self.engine
                .parts
                .playground
                .update(self.id, |place| place.run.finish_reason = Some(reason));
        }
        let delta = choice.delta.unwrap_or_default();
        let text = delta.content.or(delta.refusal).unwrap_or_default();
        let thinking = delta.reasoning_content.or(delta.reasoning).unwrap_or_default();
        if text.is_empty() && thinking.is_empty() {
            return;
        }
        self.bytes += text.len() + thinking.len();
        self.text.push_str(&text);
        self.thinking.push_str(&thinking);
        let elapsed = self.elapsed();
        self.engine.parts.playground.update(self.id, |place| {
            place.run.first_piece.get_or_insert(elapsed);
        });
        let soon = || Box::pin(sleep(Duration::from_millis(PLAYGROUND_UPDATE_MS)));
        self.next_update.get_or_insert_with(soon);
    }

    fn elapsed(&self) -> Duration {
        self.engine.parts.clock.now().since(self.begun)
    }

    /// Publishes the text received since the last update.
    fn publish_update(&mut self) {
        self.next_update = None;
        let (text, thinking) = (std::mem::take(&mut self.text), std::mem::take(&mut self.thinking));
        let elapsed = self.elapsed();
        let piece = self.engine.parts.playground.update(self.id, |place| {
            let run = &mut place.run;
            run.elapsed = elapsed;
            if run.first_piece.is_some() {
                run.state = PlaygroundState::Streaming;
            }
            let piece = PlaygroundDelta {
                run: run.id,
                text_at: utf16_units(&run.text),
                thinking_at: utf16_units(&run.thinking),
                first_piece: run.first_piece,
                elapsed,
                text,
                thinking,
            };
            run.text.push_str(&piece.text);
            run.thinking.push_str(&piece.thinking);
            piece
        });
        if let Some(piece) =
            piece.filter(|piece| !(piece.text.is_empty() && piece.thinking.is_empty()))
        {
            self.engine.parts.events.send(EngineEvent::PlaygroundDelta(Arc::new(piece)));
        }
    }
}

/// Text received before the end belongs to the run, however it ended.
impl Drop for PlaygroundResponseReader<'_> {
    fn drop(&mut self) {
        self.publish_update();
    }
}

/// Waits for the next update; forever while there is nothing to publish.
async fn wait_for_update(telling: &mut Option<Pin<Box<Sleep>>>) {
    match telling {
        Some(sleeping) => sleeping.await,
        None => std::future::pending().await,
    }
}

fn utf16_units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// The gateway's error message and code from a response without success.
fn parse_error_response(status: u16, body: &[u8]) -> PlaygroundFault {
    match serde_json::from_slice::<ErrorResponse>(body) {
        Ok(refusal) => refusal.error.into(),
        Err(_) => PlaygroundFault {
            message: format!("the gateway answered with status {status} and gave no reason"),
            code: None,
        },
    }
}

#[derive(Deserialize)]
struct ErrorResponse {
    error: ErrorObject,
}

#[derive(Deserialize)]
struct ErrorObject {
    message: String,
    code: Option<String>,
}

impl From<ErrorObject> for PlaygroundFault {
    fn from(error: ErrorObject) -> Self {
        Self { message: error.message, code: error.code }
    }
}

#[derive(Deserialize)]
struct PlaygroundChunk {
    error: Option<ErrorObject>,
    #[serde(default)]
    choices: Vec<PlaygroundChoice>,
}

#[derive(Deserialize)]
struct PlaygroundChoice {
    delta: Option<PlaygroundChoiceDelta>,
    finish_reason: Option<String>,
}

#[derive(Deserialize, Default)]
struct PlaygroundChoiceDelta {
    content: Option<String>,
    refusal: Option<String>,
    reasoning_content: Option<String>,
    reasoning: Option<String>,
}
