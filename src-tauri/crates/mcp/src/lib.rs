//! The MCP server: agents call the typed operations of `control` as tools, over standard input and
//! output, and over HTTP at the gateway.
//!
//! Tools, their schemas and their permissions come from the table of operations. What an agent may do
//! is read from the settings at each call. No tool returns a secret or a prompt, and no text of a
//! backend is in a description.

mod agent_call;
mod answer;
mod arguments;
mod ask;
mod checks;
mod confirmation;
mod core_source;
mod http;
mod line_transport;
mod open_questions;
mod resource;
mod server;
mod stdio;
mod tool;

pub use core_source::ConfigReader;
pub use http::serve_http;
pub use stdio::{SessionError, serve_stdio};
