//! The state of each tool's wiring, found out anew each time.

use std::path::{Path, PathBuf};

use domain::WallTime;
use serde_json::Value;

use crate::client_tool::{ClientTool, WiringRung, WiringState};
use crate::conflict::{Conflict, find_conflicts};
use crate::document::Document;
use crate::environment::ToolEnvironment;
use crate::error::{ToolFileProblem, WiringError};
use crate::files::read_config;
use crate::installation::Installation;
use crate::key::{KeyChange, ValueEdit};
use crate::record::WiringRecord;
use crate::tool::{ToolFile, ToolPointer, WiredTool};
use crate::undo::LeftSealed;

domain::words! {
    /// Why a wired tool has drifted.
    DriftCause {
        /// Something else changed the wired keys.
        ChangedKeys = "changed_keys",
        /// It starts a program that is gone.
        ProgramGone = "program_gone",
        /// It starts our program for another data folder.
        OtherHome = "other_home",
        /// Its client was revoked, or is not in what was restored.
        ClientGone = "client_gone",
        /// The gateway is at another address now.
        OtherAddress = "other_address",
    }
}

#[derive(Debug, Clone)]
pub struct ToolStatus<T = ClientTool> {
    pub tool: T,
    pub rung: WiringRung,
    /// True if the tool reads its files only when it starts.
    pub restart: bool,
    pub state: WiringState,
    /// Why the state is `drifted`, as far as the tool's files tell.
    pub cause: Option<DriftCause>,
    /// True if it was wired by this Gatehouse, also where the record of that cannot be read.
    pub is_recorded: bool,
    /// What its own file says of a Gatehouse, which may be another one.
    pub pointer: ToolPointer,
    pub installation: Option<Installation>,
    /// Files that are wired, or would be.
    pub files: Vec<PathBuf>,
    /// The client whose token it uses, while wired.
    pub client: Option<String>,
    /// Where it sends its requests, while wired.
    pub address: Option<String>,
    /// Since when it has this client and address, while wired and if it is known.
    pub since: Option<WallTime>,
    pub drift: Vec<KeyChange>,
    pub conflicts: Vec<Conflict>,
    /// What in its files keeps it from the gateway although `gatehouse run` starts it, wired or not.
    pub run_conflicts: Vec<Conflict>,
    /// Why the state is `broken`.
    pub problem: Option<ToolFileProblem>,
    /// What the undo that led to this state did not put back.
    pub left_sealed: Vec<LeftSealed>,
}

/// What was found in the files of a tool.
#[derive(Default)]
struct Findings {
    drift: Vec<KeyChange>,
    conflicts: Vec<Conflict>,
    pointer: ToolPointer,
}

impl Findings {
    fn cause(&self, environment: &ToolEnvironment) -> Option<DriftCause> {
        let is_gone = |program: &Path| !environment.has_program(program);
        if !self.drift.is_empty() {
            Some(DriftCause::ChangedKeys)
        } else {
            self.pointer.program().is_some_and(is_gone).then_some(DriftCause::ProgramGone)
        }
    }
}

impl<T: WiredTool> ToolStatus<T> {
    /// `planned` are the files of a tool that is not wired.
    pub(crate) fn find(
        tool: T,
        environment: &ToolEnvironment,
        record: Result<Option<WiringRecord>, WiringError>,
        planned: &[ToolFile<T::Target>],
    ) -> Self {
        let definition = tool.definition();
        let installation = Installation::of_tool(definition, environment);
        let is_recorded = !matches!(record, Ok(None));
        let (record, unreadable) = match record {
            Ok(record) => (record, None),
            Err(error) => (None, Some(error)),
        };
        let found = match (unreadable, &record) {
            (Some(error), _) => Err(error),
            (None, Some(record)) => look_at_wired(tool, environment, record),
            (None, None) => look_at_planned(tool, planned),
        };
        let wired = found.as_ref().ok().filter(|_| record.is_some());
        let cause = wired.and_then(|found| found.cause(environment));
        let state = match (&found, &record, &installation) {
            (Err(_), ..) => WiringState::Broken,
            (Ok(_), Some(_), _) if cause.is_some() => WiringState::Drifted,
            (Ok(found), Some(_), _) if !found.conflicts.is_empty() => WiringState::Conflict,
            (Ok(_), Some(_), _) => WiringState::Wired,
            (Ok(_), None, Some(_)) => WiringState::NotWired,
            (Ok(_), None, None) => WiringState::NotInstalled,
        };
        let (found, problem) = match found {
            Ok(found) => (found, None),
            Err(error) => (Findings::default(), Some(problem(error))),
        };
        let files = match &record {
            Some(record) => record.files.iter().map(|file| file.path.clone()).collect(),
            None => planned.iter().map(|file| file.path.clone()).collect(),
        };
        Self {
            tool,
            rung: definition.rung,
            restart: definition.restart,
            state,
            cause,
            is_recorded,
            pointer: found.pointer,
            installation,
            files,
            client: record.as_ref().and_then(|record| record.client.clone()),
            address: record.as_ref().and_then(|record| record.address.clone()),
            since: record
                .as_ref()
                .and_then(|record| record.since_unix_ms)
                .map(WallTime::from_unix_ms),
            drift: found.drift,
            conflicts: found.conflicts,
            run_conflicts: tool.run_conflicts(environment),
            problem,
            left_sealed: Vec::new(),
        }
    }
}

fn problem(error: WiringError) -> ToolFileProblem {
    match error {
        WiringError::File(problem) => problem,
        WiringError::Io { path, source } => ToolFileProblem::new(&path, source.to_string()),
        other => ToolFileProblem::new("".as_ref(), other.to_string()),
    }
}

fn look_at_planned<T: WiredTool>(
    tool: T,
    planned: &[ToolFile<T::Target>],
) -> Result<Findings, WiringError> {
    let mut pointer = ToolPointer::default();
    for (index, file) in planned.iter().enumerate() {
        let text = read_config(&file.path)?.unwrap_or_default();
        let document = Document::parse(file.format, &text);
        let own = document.map_err(|found| found.in_file(&file.path))?.value();
        if index == 0 {
            pointer = (tool.definition().pointer)(&own);
        }
    }
    Ok(Findings { pointer, ..Findings::default() })
}

fn look_at_wired<T: WiredTool>(
    tool: T,
    environment: &ToolEnvironment,
    record: &WiringRecord,
) -> Result<Findings, WiringError> {
    let (mut drift, mut own, mut edits) = (Vec::new(), Value::Null, Vec::new());
    for (index, file) in record.files.iter().enumerate() {
        let now = read_config(&file.path)?;
        let in_file = |found: crate::document::SyntaxProblem| found.in_file(&file.path);
        drift.extend(file.drift(now.as_deref()).map_err(in_file)?);
        if let (0, Some(now)) = (index, &now) {
            own = Document::parse(file.format, now).map_err(in_file)?.value();
        }
        edits.extend(
            file.keys
                .iter()
                .map(|key| ValueEdit { path: key.path.clone(), value: key.written.clone() }),
        );
    }
    let path = record.files.first().map_or(Path::new(""), |file| &file.path);
    let conflicts = find_conflicts(tool.definition(), environment, &edits, (path, &own));
    Ok(Findings { drift, conflicts, pointer: (tool.definition().pointer)(&own) })
}
