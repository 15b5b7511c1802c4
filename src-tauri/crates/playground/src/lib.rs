//! The playground: the user's prompt goes through the gateway like any client's request, and the
//! response is published while it streams.
//!
//! The playground is a client of the gateway and knows no backends. It shows what a tool on this
//! machine would get, errors included, and its requests are recorded and counted as traffic.
//! Prompts and responses of the last few runs stay in memory and go nowhere else.

mod exchange;
mod host;
mod parameters;
mod playground;
mod run;
mod run_list;

pub use crate::playground::Playground;
pub use host::{GatewayTarget, PlaygroundHost};
pub use parameters::{
    AGENT_PROJECT, PLAYGROUND_PROMPT_BYTES_MAX, PlaygroundParameters, PromptSender,
    ReasoningEffort, TokenLimitField,
};
pub use run::{
    PLAYGROUND_RUNS_AT_ONCE_MAX, PLAYGROUND_RUNS_KEPT_MAX, PlaygroundDelta, PlaygroundError,
    PlaygroundEvent, PlaygroundFault, PlaygroundRawExchange, PlaygroundRun, PlaygroundState,
    RequestWithAttempts, TIME_LIMIT_CODE,
};
