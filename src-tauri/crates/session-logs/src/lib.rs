//! Usage from the session logs that coding tools write on this machine: Claude Code, Codex CLI,
//! Gemini CLI and OpenCode.
//!
//! [`LogRoot::of_user`] says where the logs lie, [`find_files`] lists them, and [`read_files`] reads
//! what is new in them, in parallel and in parts that can each be stored with the [`FileProgress`]
//! that goes on after them. Parsing is separate from reading: a parser gets lines.
//! [`read_plan_limits`] reads what a tool was last told of its plan's limits.
//!
//! Invariants: no prompt, answer or tool output leaves this crate, not even in a description of a
//! problem; a fault in a log is a [`LogProblem`] with file, line and field, never an error; links
//! are not followed out of a tool's folder; nothing here writes.

mod claude_code;
mod codex;
mod discovery;
mod fields;
mod files;
mod gemini_cli;
mod lines;
mod opencode;
mod part;
mod plan_limits;
mod progress;
mod record;
mod roots;

pub use discovery::{FILES_MAX, FOLDER_DEPTH_MAX, LogFile, LogScan, find_files};
pub use fields::TOKENS_MAX;
pub use files::{PlannedFile, ReadOptions, WORKERS_MAX, read_files};
pub use part::FilePart;
pub use plan_limits::{PlanReading, PlanWindowReading, read_plan_limits};
pub use progress::FileProgress;
pub use record::{LogProblem, RecordKey, UsageRecord};
pub use roots::{LogRoot, VARIABLES};

#[cfg(test)]
mod tests;
