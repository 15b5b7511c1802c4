//! Test support: an upstream with every fault, a port that refuses, a strict provider for every dialect, a client that
//! writes raw bytes, a marked key and its search, captured logs, a notification server on a bus
//! of its own, skipping where a machine lacks something.
//!
//! A dev-dependency only. HTTP is written by hand over TCP, since a proper server library refuses
//! to misbehave. Waits use tokio's clock, so a paused runtime skips them.

mod canary;
mod certificate;
mod closed_port;
mod http;
mod logs;
#[cfg(all(unix, not(target_os = "macos")))]
mod notification_server;
mod provider;
mod raw_client;
mod reply;
mod requirements;
mod upstream;

pub use canary::{MARKED_KEY, leak_encodings, search_tree};
pub use certificate::ServerCertificate;
pub use closed_port::ClosedPort;
pub use http::BodyEnd;
pub use logs::{CapturedLogs, capture_logs};
#[cfg(all(unix, not(target_os = "macos")))]
pub use notification_server::{
    NotificationServer, PrivateBus, ReceivedNotification, SESSION_BUS_CONFIGURATION, ServerCall,
};
pub use provider::{
    MockProvider, PROVIDER_CACHED_TOKENS, PROVIDER_INPUT_TOKENS, PROVIDER_KEY, PROVIDER_MODELS,
    PROVIDER_OUTPUT_TOKENS, PROVIDER_REASONING_TOKENS, ProviderAnswer,
};
pub use raw_client::{RawAnswer, RawClient};
pub use reply::{ChatText, Reply, ReplyEnding};
pub use requirements::{find_program, has_programs, skip_test, skip_unless_strict};
pub use upstream::{ReceivedRequest, ScriptedUpstream};
