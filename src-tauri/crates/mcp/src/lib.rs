//! The MCP server: agents call the typed operations of `control` as tools, over standard input and
//! output.
//!
//! Tools, their schemas and their permissions come from the table of operations. What an agent may do
//! is read from the settings at each call. No tool returns a secret or a prompt, and no text of a
//! backend is in a description.

mod answer;
mod ask;
mod checks;
mod core_source;
mod resource;
mod server;
mod tool;
mod tool_call;

pub use core_source::ConfigReader;
pub use server::{ServeError, serve_stdio};
