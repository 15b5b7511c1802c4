//! Answers as streams: frames decoded, pieces put in order, passed through or translated, folded
//! into a whole answer.

pub(crate) mod answer_stream;
pub(crate) mod assemble;
pub(crate) mod chat_client;
pub(crate) mod delivery;
pub(crate) mod fold;
pub(crate) mod passthrough_tap;
pub(crate) mod provider_event_reader;
pub(crate) mod sse;
pub(crate) mod translating_tap;
