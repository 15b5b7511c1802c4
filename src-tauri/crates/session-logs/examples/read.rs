//! Reads the session logs of a tool in a folder and prints how long that took:
//! `cargo run --release -p session-logs --example read -- claude-code FOLDER`.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use domain::{Clock, Moment, SystemClock};
use session_logs::{LogRoot, PlannedFile, ReadOptions, find_files, read_files};

#[expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a tool, not the program")]
fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(tool), Some(folder)) = (arguments.next(), arguments.next()) else { return };
    let Ok(tool) = tool.parse() else { return };
    let clock = SystemClock::new();
    let secs = |begin: Moment| clock.now().since(begin).as_secs_f64();

    let begin = clock.now();
    let scan = find_files(&[LogRoot { tool, path: folder.into() }]);
    let bytes: u64 = scan.files.iter().map(|file| file.bytes).sum();
    println!("{} files, {bytes} bytes, found in {:.3} s", scan.files.len(), secs(begin));

    let begin = clock.now();
    let files: Vec<_> =
        scan.files.into_iter().map(|file| PlannedFile { file, known: None }).collect();
    let (kept, stop) = (Mutex::new(HashMap::new()), AtomicBool::new(false));
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let options = ReadOptions { workers, now: clock.wall(), stop: &stop };
    read_files(&files, &options, &|part| {
        if let Ok(mut kept) = kept.lock() {
            for record in part.records {
                kept.insert(record.key, record.usage);
            }
        }
        ControlFlow::Continue(())
    });
    let records = kept.lock().map_or(0, |kept| kept.len());
    println!("{records} records, read in {:.3} s", secs(begin));
}
