//! The mock as an Anthropic Messages server.

use bytes::Bytes;
use domain::Dialect;
use serde_json::Value;

use super::prompt::Prompt;
use super::script::Script;
use super::voice::{Beat, Voice};
use crate::dialect::{error_body, error_event};
use crate::{ErrorAnswer, UsageChunk};

/// Speaks the dialect.
pub(super) struct Anthropic;

impl Voice for Anthropic {
    fn prompt(&self, _body: &Value) -> Option<Prompt> {
        None
    }

    fn whole(&self, _script: &Script) -> Bytes {
        Bytes::new()
    }

    fn stream(&self, _script: &Script, _usage: UsageChunk) -> Vec<Beat> {
        Vec::new()
    }

    fn error(&self, error: &ErrorAnswer<'_>) -> Bytes {
        error_body(Dialect::AnthropicMessages, error)
    }

    fn error_event(&self, error: &ErrorAnswer<'_>, events: usize) -> Bytes {
        error_event(Dialect::AnthropicMessages, error, u64::try_from(events).unwrap_or(u64::MAX)).0
    }
}
