//! OpenAI Chat Completions, passed through to backends that speak the same dialect.

mod answer;
mod chunk;
mod error;
mod models;
mod request;
mod tap;
mod usage;

pub use answer::{AnswerFacts, BadAnswer, read_chat_answer, stream_of_answer};
pub use error::{error_body, error_event, upstream_error};
pub use models::{BadModelList, MODELS_MAX, models_answer, models_from_list};
pub use request::{ChatRequest, Delivery, Metering, RequestError, UsageChunk};
pub use tap::{CHOICES_MAX, ChatTap, Flow, StreamEnd, StreamFault, Tapped};
pub use usage::{TOKEN_COUNT_MAX, USAGE_RAW_BYTES_MAX, UsageReading, UsageReport};

/// The event that ends a stream.
pub const DONE_EVENT: &[u8] = b"data: [DONE]\n\n";
