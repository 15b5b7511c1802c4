//! Keeps a ledger's file busy as another program would: `hold PATH writer|reader SECONDS`.
//!
//! For `cargo xtask bench`: a writer is a database browser in the middle of a change, a reader is
//! one with a table open.

#![expect(clippy::disallowed_methods, reason = "a program of its own: it reads its arguments")]

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use rusqlite::Connection;

const USAGE: &str = "usage: hold PATH writer|reader SECONDS";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, part, seconds] = arguments.as_slice() else { return Err(USAGE.into()) };
    let begin = match part.as_str() {
        "writer" => "BEGIN EXCLUSIVE",
        "reader" => "BEGIN; SELECT count(*) FROM requests",
        _ => return Err(USAGE.into()),
    };
    let seconds = seconds.parse()?;
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.execute_batch(begin)?;
    // The parent process waits for this line.
    writeln!(std::io::stdout(), "held")?;
    std::thread::sleep(Duration::from_secs(seconds));
    Ok(())
}
