//! Support for the acceptance tests: the built programs in temporary homes, and HTTP clients on
//! loopback.
//!
//! The programs are those beside the test's own (`target/debug`), so build them first: `cargo build
//! -p cli --bin gatehouse`. They inherit only `PATH` from the environment, write only into a
//! temporary folder, and end when dropped. Tests never wait for a fixed time: they wait for a line,
//! a socket or an end, and give up after [`program::WAIT_MAX`].

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test whose ground gives way has failed, and should say where"
)]

mod agent;
mod home;
mod http;
mod program;

pub use agent::{AgentSession, request_meta};
pub use home::{HomeVault, TestHome};
pub use http::{ControlClient, json_body, loopback_address, post_chat, post_json, session_header};
pub use program::{ProgramResult, TestCall, TestServer, WAIT_MAX, await_or_fail};

use std::path::PathBuf;

#[must_use]
#[track_caller]
pub fn built_program(program: &str) -> PathBuf {
    let this = std::env::current_exe().expect("a test has a program");
    let folder = this.ancestors().nth(2).expect("a test lies in target/debug/deps");
    let path = folder.join(format!("{program}{}", std::env::consts::EXE_SUFFIX));
    assert!(path.is_file(), "{} is not built; see the first lines of tests/lib.rs", path.display());
    path
}
