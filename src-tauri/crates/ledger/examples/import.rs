//! Imports Claude Code's session logs without prices: `import LEDGER FOLDER PARTS`, with the number
//! of parts in a transaction. Prints how long it took and the longest transaction.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a program of its own: it reads its arguments and prints"
)]

use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use domain::{Clock, SessionTool, SystemClock};
use ledger::{Ledger, SessionPart};
use session_logs::{LogRoot, PlannedFile, ReadOptions, find_files, read_files};

const TOOL: SessionTool = SessionTool::ClaudeCode;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let usage = "usage: import LEDGER FOLDER PARTS";
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or(usage)?;
    let folder = arguments.next().ok_or(usage)?;
    let parts_max: usize = arguments.next().ok_or(usage)?.parse()?;
    let ledger = Ledger::open(Path::new(&path))?;
    let begun = Instant::now();
    let mut known = ledger.session_progress().await?;
    let scan = find_files(&[LogRoot { tool: TOOL, path: folder.into() }]);
    let found = scan.files.len();
    let plan = scan.files.into_iter().filter_map(|file| {
        let known = known.remove(&*file.path.to_string_lossy());
        let is_current = known.as_ref().is_some_and(|known| known.is_current(&file));
        (!is_current).then_some(PlannedFile { file, known })
    });
    let files: Arc<Vec<_>> = Arc::new(plan.collect());
    let (sender, mut parts) = tokio::sync::mpsc::channel(128);
    let (read, now) = (Arc::clone(&files), SystemClock::new().wall());
    let reading = tokio::task::spawn_blocking(move || {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let options = ReadOptions { workers, now, stop: &AtomicBool::new(false) };
        read_files(&read, &options, &|part| match sender.blocking_send(part) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        });
    });
    let (mut batch, mut rows, mut longest) = (Vec::new(), 0, Duration::ZERO);
    loop {
        let part = parts.recv().await;
        let is_end = part.is_none();
        if let Some(part) = part {
            let planned = files.get(part.file).ok_or("a part of no file")?;
            let path = planned.file.path.to_string_lossy().into_owned();
            let values = vec![None; part.records.len()];
            batch.push(SessionPart { path, tool: TOOL, part, values });
        }
        if batch.len() >= parts_max || (is_end && !batch.is_empty()) {
            let begun = Instant::now();
            rows += ledger.store_session_parts(std::mem::take(&mut batch)).await?;
            longest = longest.max(begun.elapsed());
        }
        if is_end {
            break;
        }
    }
    reading.await?;
    let took = begun.elapsed().as_secs_f64();
    let (changed, longest) = (files.len(), longest.as_secs_f64() * 1_000.0);
    println!("{found} files, {changed} changed, {rows} rows: {took:.3} s, longest {longest:.0} ms");
    Ok(())
}
