//! What the acceptance tests stand on: the built programs in homes of their own, and clients that
//! speak HTTP to them on loopback.
//!
//! The programs are those beside the test's own (`target/debug`), so build them first:
//! `cargo build -p cli --bin gatehouse`. They inherit nothing of the environment but `PATH`, write
//! nowhere but into a temporary folder, and end with the value that started them. Nothing here waits
//! for a time to pass: it waits for a line, a socket or an end, and gives up after [`PATIENCE`].

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test whose ground gives way has failed, and should say where"
)]

mod home;
mod knock;
mod program;

pub use home::{Home, Place};
pub use knock::{Control, chat, json_body, local, post, session_header};
pub use program::{Call, PATIENCE, Said, Served, patiently};

use std::path::PathBuf;

/// The built program of that name.
#[must_use]
#[track_caller]
pub fn built(program: &str) -> PathBuf {
    let this = std::env::current_exe().expect("a test has a program");
    let folder = this.ancestors().nth(2).expect("a test lies in target/debug/deps");
    let path = folder.join(format!("{program}{}", std::env::consts::EXE_SUFFIX));
    assert!(path.is_file(), "{} is not built; see the first lines of tests/lib.rs", path.display());
    path
}
