//! A server process with a folder and a port of its own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
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

/// Files of a certificate for this machine, in a folder.
pub(crate) struct Certificate {
    pub(crate) authority: PathBuf,
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
}

impl Certificate {
    /// Writes the files into `folder`, signed by an authority made for it.
    pub(crate) fn write(folder: &Path) -> Self {
        let key = || rcgen::KeyPair::generate().expect("a key");
        let names = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            rcgen::CertificateParams::new(names).expect("names")
        };
        let mut authority = names(&["authority.test"]);
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        authority.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign];
        let authority = rcgen::CertifiedIssuer::self_signed(authority, key()).expect("an issuer");
        let own = key();
        let signed = names(&["localhost"]).signed_by(&own, &authority).expect("a certificate");
        let write = |name: &str, text: String| {
            let path = folder.join(name);
            std::fs::write(&path, text).expect("written");
            path
        };
        Self {
            authority: write("authority.pem", authority.pem()),
            chain: write("server.pem", signed.pem()),
            key: write("server.key", own.serialize_pem()),
        }
    }
}
