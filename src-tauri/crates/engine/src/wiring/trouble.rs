//! Why a tool that was wired would not work, or not with this gateway: one place for panel, command line
//! and readiness checks.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use wiring::{DriftCause, ToolStatus, WiredTool, WiringRung, WiringState};

/// What the files of wired tools should say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WiringExpectation {
    /// Of the gateway, without a path.
    pub(crate) address: String,
    pub(crate) clients: BTreeSet<String>,
    /// The folder that our program is told; None for the system's.
    pub(crate) home: Option<PathBuf>,
}

/// Why a tool does not work as it was wired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WiringTrouble {
    /// None for what wiring it again does not mend.
    pub cause: Option<DriftCause>,
    /// In a sentence or two.
    pub sentence: String,
}

impl WiringExpectation {
    /// None for a tool that is as it was wired, and for one that is not wired.
    #[must_use]
    pub fn find_trouble<T: WiredTool>(&self, status: &ToolStatus<T>) -> Option<WiringTrouble> {
        let name = status.tool.full_name();
        if let Some(problem) = &status.problem {
            let sentence = format!("{problem}. It was left as it is.");
            return Some(WiringTrouble { cause: None, sentence });
        }
        if let Some(cause) = self.drift_cause(status) {
            let sentence = self.describe_drift(status, cause);
            return Some(WiringTrouble { cause: Some(cause), sentence });
        }
        match (status.state, status.conflicts.first()) {
            (WiringState::Conflict, Some(conflict)) => Some(WiringTrouble {
                cause: None,
                // It begins with a key or a variable, whose case matters.
                sentence: format!("{}.", conflict.explanation()),
            }),
            (WiringState::Broken, _) => Some(WiringTrouble {
                cause: None,
                sentence: format!("A file of {name} cannot be read."),
            }),
            _ => None,
        }
    }

    fn drift_cause<T: WiredTool>(&self, status: &ToolStatus<T>) -> Option<DriftCause> {
        if !matches!(
            status.state,
            WiringState::Wired | WiringState::Conflict | WiringState::Drifted
        ) {
            return None;
        }
        let is_lost = |client: &String| !self.clients.contains(client);
        // One that reads all from its environment gets the address of the moment.
        let is_written = status.rung != WiringRung::Environment;
        let is_elsewhere = |address: &String| is_written && *address != self.address;
        if status.cause.is_some() {
            status.cause
        } else if status.pointer.program().is_some()
            && status.pointer.home() != self.home.as_deref()
        {
            Some(DriftCause::OtherHome)
        } else if status.client.as_ref().is_some_and(is_lost) {
            Some(DriftCause::ClientGone)
        } else if status.address.as_ref().is_some_and(is_elsewhere) {
            Some(DriftCause::OtherAddress)
        } else {
            None
        }
    }

    fn describe_drift<T: WiredTool>(&self, status: &ToolStatus<T>, cause: DriftCause) -> String {
        let name = status.tool.full_name();
        let what = match cause {
            DriftCause::ChangedKeys => {
                let change = status.drift.first();
                return match change {
                    Some(change) => format!(
                        "{} in {} was changed since {name} was connected.",
                        change.key,
                        change.file.display()
                    ),
                    None => format!("A file of {name} was changed since it was connected."),
                };
            }
            DriftCause::ProgramGone => {
                let program = status.pointer.program().unwrap_or(Path::new("gatehouse"));
                format!("{name} starts {}, which is gone", program.display())
            }
            DriftCause::OtherHome => format!(
                "{name} starts Gatehouse with {}, but this one has {}",
                describe_home(status.pointer.home()),
                describe_home(self.home.as_deref())
            ),
            DriftCause::ClientGone => {
                let client = status.client.as_deref().unwrap_or_default();
                return format!(
                    "{name} is connected as the client {client}, which is not on this machine any \
                     more: it was revoked, or what was restored does not have it. Connect it again, \
                     which makes the client anew."
                );
            }
            DriftCause::OtherAddress => {
                let address = status.address.as_deref().unwrap_or_default();
                format!("{name} points at {address}, but the gateway is at {}", self.address)
            }
        };
        format!("{what}. Connect it again.")
    }
}

fn describe_home(home: Option<&Path>) -> String {
    match home {
        Some(home) => format!("its data in {}", home.display()),
        None => "its data in the usual folders".to_owned(),
    }
}
