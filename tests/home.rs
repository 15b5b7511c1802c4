//! A temporary Gatehouse installation, and the recorded output of its programs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use crate::program::{TestCall, TestServer};

/// The passphrase of all file vaults in these tests.
const PASSPHRASE: &str = "correct-horse";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HomeVault {
    /// An encrypted file that every call unlocks with its passphrase.
    File,
    /// The memory of one process, lost when it ends. Fast, since nothing is encrypted.
    Memory,
    Env,
    /// The keychain, as without any choice. A test has to give it a bus; the passphrase is that of a
    /// file vault to change to.
    Keychain,
}

/// The output of all programs of a home.
pub(crate) type Transcript = Arc<Mutex<Vec<u8>>>;

/// One installation: settings, vault, ledger, logs, and the environment of its programs.
#[derive(Debug)]
pub struct TestHome {
    folder: TempDir,
    variables: BTreeMap<String, String>,
    transcript: Transcript,
}

impl TestHome {
    #[must_use]
    #[track_caller]
    pub fn new(place: HomeVault) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut home =
            Self { folder, variables: BTreeMap::new(), transcript: Transcript::default() };
        let path = home.path().display().to_string();
        home.set("GATEHOUSE_HOME", &path);
        match place {
            HomeVault::File => {
                home.set("GATEHOUSE_VAULT", "file");
                home.set("GATEHOUSE_PASSPHRASE", PASSPHRASE);
            }
            HomeVault::Memory => home.set("GATEHOUSE_VAULT", "memory"),
            HomeVault::Env => home.set("GATEHOUSE_VAULT", "env"),
            HomeVault::Keychain => home.set("GATEHOUSE_PASSPHRASE", PASSPHRASE),
        }
        home
    }

    /// Sets a variable for all programs started later.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    #[must_use]
    pub fn settings(&self) -> PathBuf {
        self.path().join("config/settings.toml")
    }

    #[track_caller]
    pub fn write_settings(&self, text: &str) {
        let path = self.settings();
        let folder = path.parent().expect("a file in a folder");
        std::fs::create_dir_all(folder).expect("a folder for the settings");
        private_files::write_atomic(&path, text.as_bytes()).expect("written");
    }

    /// A call of `gatehouse`.
    #[track_caller]
    pub fn gatehouse(&self, arguments: &[&str]) -> TestCall {
        TestCall::new(
            &crate::built_program("gatehouse"),
            arguments,
            &self.variables,
            &self.transcript,
        )
    }

    /// A call of another program with the environment of this home.
    #[track_caller]
    pub fn program(&self, program: &str, arguments: &[&str]) -> TestCall {
        TestCall::new(Path::new(program), arguments, &self.variables, &self.transcript)
    }

    /// A call of `gatehouse` with umask 000, so that its files are public unless it sets their
    /// mode.
    #[cfg(unix)]
    #[track_caller]
    pub fn gatehouse_with_open_umask(&self, arguments: &[&str]) -> TestCall {
        let program = crate::built_program("gatehouse").display().to_string();
        let mut words = vec!["-c", "umask 000; exec \"$0\" \"$@\"", &program];
        words.extend(arguments);
        TestCall::new(Path::new("/bin/sh"), &words, &self.variables, &self.transcript)
    }

    /// A call of `program`, a copy of `gatehouse` that everybody may run, by a user who owns nothing
    /// here. Only the administrator can call it.
    #[cfg(unix)]
    #[track_caller]
    pub fn by_nobody(&self, program: &Path, arguments: &[&str]) -> TestCall {
        let program = program.display().to_string();
        let mut words = vec!["--reuid=65534", "--regid=65534", "--clear-groups", &program];
        words.extend(arguments);
        TestCall::new(Path::new("setpriv"), &words, &self.variables, &self.transcript)
    }

    /// Starts `gatehouse serve` on a free port and waits until it accepts calls.
    pub async fn serve(&self) -> TestServer {
        self.serve_with(&[]).await
    }

    /// Starts `gatehouse serve` with more arguments.
    pub async fn serve_with(&self, arguments: &[&str]) -> TestServer {
        let all = [&["serve", "--port", "0"], arguments].concat();
        self.gatehouse(&all).serve(self.path().to_owned()).await
    }

    /// Adds a client and returns its token.
    pub async fn client(&self, name: &str) -> String {
        let said = self.gatehouse(&["clients", "add", name]).run().await;
        said.expect_success().out.trim_end().to_owned()
    }

    /// Opens the ledger read-only.
    #[must_use]
    #[track_caller]
    pub fn ledger(&self) -> Connection {
        let path = self.path().join("data/ledger.sqlite");
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a ledger")
    }

    /// The output of all programs of this home so far, both streams.
    #[must_use]
    pub fn transcript(&self) -> Vec<u8> {
        self.transcript.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
