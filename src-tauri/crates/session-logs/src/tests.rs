//! Whole logs of each tool, as they lie on the disk: what is counted, what is reported.

mod broken;
mod claude_code;
mod codex;
mod folders;
mod gemini_cli;
mod opencode;
mod plan_limits;
mod resume;

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use domain::{NanoUsd, SessionTool, TokenUsage, WallTime};
use parking_lot::Mutex;

use crate::discovery::{LogFile, LogFormat};
use crate::{
    FilePart, FileProgress, LogProblem, LogRoot, PlannedFile, ReadOptions, UsageRecord, find_files,
    read_files,
};

/// 2026-11-23T00:00:00Z
const NOW: WallTime = WallTime::from_unix_ms(1_795_392_000_000);

/// In every prompt and answer of the fixtures.
const CANARY: &str = "PROMPT-CANARY";

/// All that a log of `tool` yields, in the order of its lines.
fn read_text(tool: SessionTool, text: impl AsRef<[u8]>) -> (Vec<UsageRecord>, Vec<LogProblem>) {
    let folder = tempfile::tempdir().expect("a folder");
    let name = match tool {
        SessionTool::GeminiCli => "shop/chats/session-2026.jsonl",
        _ => "session.jsonl",
    };
    write(folder.path(), name, text);
    read_folder(tool, folder.path())
}

fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    let mut file = std::fs::File::create(path).expect("a file");
    file.write_all(text.as_ref()).expect("a written file");
}

fn read_folder(tool: SessionTool, folder: &Path) -> (Vec<UsageRecord>, Vec<LogProblem>) {
    let files = planned(tool, folder);
    let (mut records, mut problems) = (Vec::new(), Vec::new());
    for part in read_parts(&files, usize::MAX) {
        records.extend(part.records);
        problems.extend(part.problems);
    }
    let told = format!("{records:?} {problems:?}");
    assert!(!told.contains(CANARY), "content in {told}");
    (records, problems)
}

fn planned(tool: SessionTool, folder: &Path) -> Vec<PlannedFile> {
    let scan = find_files(&[LogRoot { tool, path: folder.to_owned() }]);
    assert_eq!(scan.skipped, []);
    scan.files.into_iter().map(|file| PlannedFile { file, known: None }).collect()
}

/// Reads until `parts_max` parts were handed out.
fn read_parts(files: &[PlannedFile], parts_max: usize) -> Vec<FilePart> {
    let (parts, stop) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let options = ReadOptions { workers: 1, now: NOW, stop: &stop };
    read_files(files, &options, &|part| {
        let mut parts = parts.lock();
        parts.push(part);
        if parts.len() < parts_max { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    parts.into_inner()
}

/// Input, cache read, cache writes of 5 minutes and 1 hour, output, reasoning.
fn tokens(usage: &TokenUsage) -> [u64; 6] {
    [
        usage.input_uncached,
        usage.cache_read,
        usage.cache_write_5m,
        usage.cache_write_1h,
        usage.output_visible,
        usage.reasoning,
    ]
}

/// The sum over the records that are left when those of one key have replaced each other.
fn merged(records: Vec<UsageRecord>) -> Vec<UsageRecord> {
    let mut kept: Vec<UsageRecord> = Vec::new();
    for record in records {
        match kept.iter_mut().find(|known| known.key == record.key) {
            Some(known) if record.replaces(known) => *known = record,
            Some(_) => {}
            None => kept.push(record),
        }
    }
    kept
}

fn told(problems: &[LogProblem]) -> Vec<String> {
    let line = |problem: &LogProblem| {
        format!("{} {} {}", problem.line, problem.field, problem.what).replace("  ", " ")
    };
    problems.iter().map(line).collect()
}
