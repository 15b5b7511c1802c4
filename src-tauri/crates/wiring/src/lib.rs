//! Points client tools at the gateway, and undoes it.
//!
//! [`Wiring`] finds out whether a tool is installed and wired, shows what would change, changes the
//! keys it needs in the tool's own file with everything else kept, and takes that back three-way: a
//! file that nobody else touched is restored byte for byte, in any other only our keys are.
//!
//! [`Wiring`] of [`AgentProgram`]s gives their agents our MCP server by the same rules.
//!
//! [`PlainCopies`] takes keys that the vault holds out of files in which they lie in plain text.
//!
//! Invariants: no key of a provider and no token is written to a tool's file, but where the user undoes
//! the removal of one, and to our own nothing of the user's in plain text that could be one; a file that
//! cannot be parsed is left alone; nothing is written that was not read back by the parser as what was
//! meant; a kill at any moment leaves the old or the new file, and [`Wiring::repair`] finishes the rest. No
//! program is run, and no text of an error, a plan or a state holds a secret of the user's files.

mod agent_program;
mod client_tool;
mod conflict;
mod document;
mod environment;
mod error;
mod files;
mod first_record;
mod guide;
mod harmless;
mod installation;
mod key;
mod launch;
mod mask;
mod opencode_variable;
mod plain_copy;
mod plan;
mod record;
mod record_keys;
mod status;
mod text_patch;
mod tool;
mod undo;
mod wiring;

pub use agent_program::AgentProgram;
pub use client_tool::{ClientTool, ConflictLayer, WiringRung, WiringState};
pub use conflict::Conflict;
pub use environment::ToolEnvironment;
pub use error::{ToolFileProblem, WiringError};
pub use guide::{GuideKind, GuideStep, GuidedTool, ToolGuide};
pub use installation::Installation;
pub use key::KeyChange;
pub use launch::{HOME_VARIABLES, Launch};
pub use plain_copy::{
    CopyFilePlan, CopyPlace, CopyRemovalOutcome, CopyRemovalPlan, LeftCopy, PlainCopies,
    RemovedCopy, StoredKey,
};
pub use plan::{FilePlan, WiringPlan};
pub use record::{is_sealed_with, record_keys_of};
pub use record_keys::{RecordKeys, RecordKeysError};
pub use status::{DriftCause, ToolStatus};
pub use tool::{
    ClientToolDefinition, McpServerTarget, ToolModel, ToolModelLimits, ToolPointer, WiredTool,
    WiringOrigin, WiringTarget,
};
pub use undo::{ChangedKeys, LeftSealed};
pub use wiring::Wiring;

#[cfg(test)]
mod tests;
