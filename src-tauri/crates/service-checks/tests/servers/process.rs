//! A server process with a folder and a port of its own.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// Ended with the test.
pub(crate) struct ServerProcess {
    pub(crate) child: Child,
    pub(crate) port: u16,
    /// Stops it in good order, where killing it would leave something behind.
    pub(crate) stop: Option<Command>,
    pub(crate) _folder: TempDir,
}

impl ServerProcess {
    pub(crate) fn stop(&mut self) {
        let is_stopped = match self.stop.take() {
            Some(mut stop) => stop.status().is_ok_and(|status| status.success()),
            None => false,
        };
        if !is_stopped {
            // It may have ended by itself.
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.stop();
    }
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

/// A command that prints nothing.
pub(crate) fn quiet(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}
