//! One exchange with the gateway's listener, published while it runs.
//!
//! Dropping [`Exchange::run`] closes the connection, so that a cancelled run looks like a client that
//! disconnected.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use domain::{ClientId, Clock, Moment, RequestId, RunId};
use gateway::{LoopbackAnswer, LoopbackCall, LoopbackError};
use tokio::time::{Sleep, sleep, timeout};
use wire::{ChatDelta, ChatError, ChatStreamReader, read_chat_error};

use crate::host::{GatewayTarget, PlaygroundHost};
use crate::parameters::{AGENT_PROJECT, PromptSender};
use crate::run::{
    PlaygroundDelta, PlaygroundEvent, PlaygroundFault, PlaygroundState, TIME_LIMIT_CODE,
};
use crate::run_list::{RunList, RunSlot};

/// Interval of updates per run, in milliseconds: 20 a second, which looks continuous.
pub(crate) const PLAYGROUND_UPDATE_MS: u64 = 50;

/// Maximum text and reasoning of one response, in bytes: some 60,000 tokens. A longer response is
/// cut off.
pub(crate) const PLAYGROUND_TEXT_BYTES_MAX: usize = 262_144;

/// Maximum raw body kept per response, in bytes. Further bytes are only counted.
pub(crate) const PLAYGROUND_RAW_BYTES_MAX: usize = 262_144;

/// Maximum silence within a stream before the run fails, in seconds. The gateway sends four
/// heartbeats in this time.
pub(crate) const PLAYGROUND_IDLE_SECS_MAX: u64 = 60;

/// Time added to the gateway's total timeout before the run fails, in seconds.
const TIMEOUT_MARGIN_SECS: u64 = 10;

const PATH: &str = "/v1/chat/completions";
const OK: u16 = 200;

pub(crate) enum ExchangeEnd {
    Complete,
    Cancelled,
    /// The gateway told it, or was never reached.
    Failed(PlaygroundFault),
    /// Without an end of the gateway's: the connection was lost, or closed here.
    Lost(PlaygroundFault),
}

impl ExchangeEnd {
    fn lost(message: impl Into<String>) -> Self {
        Self::Lost(PlaygroundFault { message: message.into(), code: None })
    }

    /// True if the gateway may settle the request only after this end.
    pub(crate) const fn is_early(&self) -> bool {
        matches!(self, Self::Cancelled | Self::Lost(_))
    }

    fn over_time_limit(limit: Duration) -> Self {
        let message = format!("the model did not finish its answer within {} s", limit.as_secs());
        Self::Lost(PlaygroundFault { message, code: Some(TIME_LIMIT_CODE.to_owned()) })
    }
}

/// The request head as displayed, without the token.
pub(crate) fn request_head(port: u16, request: RequestId) -> String {
    format!(
        "POST {PATH} HTTP/1.1\nhost: 127.0.0.1:{port}\ncontent-type: application/json\n\
         x-gatehouse-request-id: {request}\n\
         authorization: Bearer (the playground's own token, not shown)"
    )
}

/// Where an exchange goes, and where its progress is written.
pub(crate) struct Exchange<'a> {
    pub(crate) id: RunId,
    pub(crate) request: RequestId,
    pub(crate) gateway: &'a GatewayTarget,
    pub(crate) sender: PromptSender,
    pub(crate) client: Option<&'a ClientId>,
    pub(crate) time_limit: Option<Duration>,
    pub(crate) runs: &'a RunList,
    pub(crate) host: &'a dyn PlaygroundHost,
    pub(crate) clock: &'a dyn Clock,
}

impl Exchange<'_> {
    /// Sends `body` and reads the response to its end.
    pub(crate) async fn run(self, body: String) -> ExchangeEnd {
        let mut call = LoopbackCall::to(self.gateway.port, PATH)
            .with_token(&self.gateway.token)
            .with_request_id(self.request)
            .with_json(body.into());
        if self.sender == PromptSender::Agent {
            call = call.with_header("x-gatehouse-project", AGENT_PROJECT);
        }
        if let Some(client) = self.client {
            call = call.with_client(client);
        }
        let gateways = self.gateway.total_timeout + Duration::from_secs(TIMEOUT_MARGIN_SECS);
        let own = self.time_limit.filter(|own| *own < gateways);
        let begun = self.clock.now();
        let mut reader = ResponseReader {
            exchange: self,
            begun,
            text: String::new(),
            thinking: String::new(),
            bytes: 0,
            fault: None,
            finished: false,
            next_update: None,
        };
        let ended = timeout(own.unwrap_or(gateways), reader.read_response(call)).await;
        ended.unwrap_or_else(|_| match own {
            Some(limit) => ExchangeEnd::over_time_limit(limit),
            None => ExchangeEnd::lost("the gateway did not finish the response in time"),
        })
    }
}

/// Parses a response and publishes its pieces.
struct ResponseReader<'a> {
    exchange: Exchange<'a>,
    begun: Moment,
    text: String,
    thinking: String,
    bytes: usize,
    fault: Option<PlaygroundFault>,
    finished: bool,
    next_update: Option<Pin<Box<Sleep>>>,
}

impl ResponseReader<'_> {
    async fn read_response(&mut self, call: LoopbackCall) -> ExchangeEnd {
        let mut answer = match LoopbackAnswer::open(call).await {
            Ok(answer) => answer,
            Err(error @ LoopbackError::Connect { .. }) => {
                let fault = PlaygroundFault { message: error.to_string(), code: None };
                return ExchangeEnd::Failed(fault);
            }
            Err(error) => return ExchangeEnd::lost(error.to_string()),
        };
        self.record_response_head(&answer);
        let mut stream = ChatStreamReader::default();
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
                    return ExchangeEnd::lost(
                        "the gateway stopped sending in the middle of the response",
                    );
                }
                Ok(Err(error)) => return self.stream_end(error.to_string()),
                Ok(Ok(None)) => break,
                Ok(Ok(Some(chunk))) => chunk,
            };
            self.record_raw_body(&chunk);
            if answer.status() == OK {
                stream.push(&chunk);
                if let Err(message) = self.read_events(&mut stream) {
                    return ExchangeEnd::lost(message);
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
            None => ExchangeEnd::lost(otherwise),
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
        self.update(|slot| {
            slot.raw.answer_head = head;
            slot.run.http_status = Some(answer.status());
            // One that was refused before its headers were read has another.
            let told = header("x-gatehouse-request-id").and_then(|id| id.parse().ok());
            slot.run.request = told.or(slot.run.request);
            slot.run.backend = header("x-gatehouse-backend");
            slot.run.dropped = fields.map(str::to_owned).collect();
        });
    }

    fn record_raw_body(&self, chunk: &[u8]) {
        self.update(|slot| {
            let raw = &mut slot.raw;
            let room = PLAYGROUND_RAW_BYTES_MAX.saturating_sub(raw.answer_body.len());
            let kept = chunk.get(..room.min(chunk.len())).unwrap_or_default();
            raw.answer_body.extend_from_slice(kept);
            raw.answer_bytes_cut += chunk.len() - kept.len();
        });
    }

    fn read_events(&mut self, stream: &mut ChatStreamReader) -> Result<(), String> {
        while let Some(delta) = stream.next_delta().map_err(|error| error.to_string())? {
            self.append(delta);
            if self.bytes > PLAYGROUND_TEXT_BYTES_MAX {
                return Err(format!(
                    "the response has more than {PLAYGROUND_TEXT_BYTES_MAX} bytes, so it was cut \
                     off here"
                ));
            }
        }
        Ok(())
    }

    fn append(&mut self, delta: ChatDelta) {
        let ChatDelta { text, reasoning: thinking, finish_reason, error, is_end } = delta;
        self.finished |= is_end;
        if let Some(error) = error {
            self.fault = Some(error.into());
        }
        if let Some(reason) = finish_reason {
            self.update(|slot| slot.run.finish_reason = Some(reason));
        }
        if text.is_empty() && thinking.is_empty() {
            return;
        }
        self.bytes += text.len() + thinking.len();
        self.text.push_str(&text);
        self.thinking.push_str(&thinking);
        let elapsed = self.elapsed();
        self.update(|slot| {
            slot.run.first_piece.get_or_insert(elapsed);
        });
        let soon = || Box::pin(sleep(Duration::from_millis(PLAYGROUND_UPDATE_MS)));
        self.next_update.get_or_insert_with(soon);
    }

    fn elapsed(&self) -> Duration {
        self.exchange.clock.now().since(self.begun)
    }

    fn update<T>(&self, change: impl FnOnce(&mut RunSlot) -> T) -> Option<T> {
        self.exchange.runs.update(self.exchange.id, change)
    }

    /// Publishes the text received since the last update.
    fn publish_update(&mut self) {
        self.next_update = None;
        let (text, thinking) = (std::mem::take(&mut self.text), std::mem::take(&mut self.thinking));
        let elapsed = self.elapsed();
        let piece = self.update(|slot| {
            let run = &mut slot.run;
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
        let told = piece.filter(|piece| !(piece.text.is_empty() && piece.thinking.is_empty()));
        if let Some(piece) = told.filter(|_| self.exchange.sender.is_listed()) {
            self.exchange.host.publish(PlaygroundEvent::Delta(Arc::new(piece)));
        }
    }
}

/// Text received before the end belongs to the run, however it ended.
impl Drop for ResponseReader<'_> {
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
    match read_chat_error(body) {
        Some(error) => error.into(),
        None => PlaygroundFault {
            message: format!("the gateway answered with status {status} and gave no reason"),
            code: None,
        },
    }
}

impl From<ChatError> for PlaygroundFault {
    fn from(error: ChatError) -> Self {
        Self { message: error.message, code: error.code }
    }
}
