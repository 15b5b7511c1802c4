//! A Gatehouse installation for the benchmark, set up through the command line as a user would,
//! with an encrypted vault, a key, a backend and a client, so that requests go through every step.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::client::MeasuredServer;
use super::dialect::BenchDialect;
use super::hostile_answer::HostileAnswer;
use super::process::MeasuredProcess;
use super::upstream::PACES;

/// The passphrase of the temporary file vault.
const PASSPHRASE: &str = "bench-passphrase";

/// A key that no provider would accept.
const KEY: &[u8] = b"sk-bench-0123456789abcdef0123456789\n";

/// Settings that the command line does not set: one row has 300 requests in flight.
const EXTRA_SETTINGS: &str = "\n[gateway]\nin_flight_max = 300\n";

/// The vault of a started gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BenchVault {
    /// The encrypted file. Opening it takes the time of its key derivation.
    File,
    /// Environment variables, which need no unlocking; for backends without a key.
    Env,
}

/// One installation in a temporary folder.
pub(crate) struct BenchHome {
    folder: TempDir,
    program: PathBuf,
    token: String,
}

/// A running `gatehouse serve`.
pub(crate) struct BenchGateway {
    pub(crate) process: MeasuredProcess,
    /// The gateway, with models of the keyed backend.
    pub(crate) server: MeasuredServer,
}

impl BenchGateway {
    /// The gateway, with bare model names, which select routes.
    pub(crate) fn with_route_models(&self) -> MeasuredServer {
        MeasuredServer { model_prefix: "", ..self.server.clone() }
    }

    /// The gateway, with a client's dialect and the models of the keyed backend of the given
    /// dialect.
    pub(crate) fn with_dialects(
        &self,
        client: BenchDialect,
        backend: BenchDialect,
    ) -> MeasuredServer {
        let model_prefix = match backend {
            BenchDialect::Chat => "keyed/",
            BenchDialect::Messages => "messages/",
        };
        MeasuredServer { model_prefix, dialect: client, ..self.server.clone() }
    }
}

impl BenchHome {
    /// Creates an installation with three backends at `upstream`: `keyed` with a key, `open`
    /// without one, and `messages` with a key and another dialect.
    pub(crate) fn new(program: &Path, upstream: SocketAddr) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut home = Self { folder, program: program.to_owned(), token: String::new() };
        let base = format!("http://{upstream}/v1");
        home.run_command(&["keys", "add", "keyed", "--stdin", "--url", &base], KEY)?;
        let add = ["backends", "add"];
        let to = ["--kind", "openai-compatible", "--base-url", &base];
        let names = PACES
            .map(|pace| pace.model)
            .into_iter()
            .chain(HostileAnswer::ALL.map(HostileAnswer::model));
        let models: Vec<&str> = names.flat_map(|name| ["--model", name]).collect();
        home.run_command(&[&add[..], &["keyed", "--key", "keyed"], &to, &models].concat(), &[])?;
        home.run_command(&[&add[..], &["open"], &to, &models].concat(), &[])?;
        let origin = format!("http://{upstream}");
        home.run_command(&["keys", "add", "messages", "--stdin", "--url", &origin], KEY)?;
        let to = ["--kind", "anthropic", "--base-url", &origin];
        home.run_command(
            &[&add[..], &["messages", "--key", "messages"], &to, &models].concat(),
            &[],
        )?;
        home.token = home.run_command(&["clients", "add", "bench"], &[])?.trim().to_owned();
        home.add_settings(EXTRA_SETTINGS)?;
        Ok(home)
    }

    /// Appends to the settings; call it before the gateway starts.
    pub(crate) fn add_settings(&self, more: &str) -> Result<()> {
        let path = self.folder.path().join("config/settings.toml");
        let settings = std::fs::read_to_string(&path).context("no settings were made")?;
        Ok(std::fs::write(&path, settings + more)?)
    }

    /// Sets a setting through the command line.
    pub(crate) fn set(&self, setting: &str, value: &str) -> Result<()> {
        self.run_command(&["settings", "set", setting, value], &[]).map(drop)
    }

    pub(crate) fn ledger(&self) -> PathBuf {
        self.folder.path().join("data/ledger.sqlite")
    }

    /// A command of the program in this home.
    pub(crate) fn command(&self, vault: BenchVault, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).env_clear().env("GATEHOUSE_HOME", self.folder.path());
        match vault {
            BenchVault::File => {
                command.env("GATEHOUSE_VAULT", "file").env("GATEHOUSE_PASSPHRASE", PASSPHRASE)
            }
            BenchVault::Env => command.env("GATEHOUSE_VAULT", "env"),
        };
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        command
    }

    /// The command of the desktop program in this home. Its vault is the environment, which holds
    /// no key.
    pub(crate) fn window(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("HOME", self.folder.path()).env("PATH", "/usr/bin:/bin");
        command.env("XDG_RUNTIME_DIR", self.folder.path().join("runtime"));
        command.env("GATEHOUSE_HOME", self.folder.path()).env("GATEHOUSE_VAULT", "env");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Counts the occurrences of `words` in the log.
    pub(crate) fn count_in_log(&self, words: &str) -> usize {
        let folder = std::fs::read_dir(self.folder.path().join("state/logs"));
        let files = folder.into_iter().flatten().flatten();
        let texts = files.filter_map(|file| std::fs::read_to_string(file.path()).ok());
        texts.map(|text| text.matches(words).count()).sum()
    }

    /// Starts the gateway on a free port and waits until it announces its address.
    pub(crate) fn serve(&self, vault: BenchVault) -> Result<BenchGateway> {
        self.serve_with_command(vault, self.command(vault, &["serve", "--port", "0"]))
    }

    /// Starts the gateway with a modified command.
    pub(crate) fn serve_with_command(
        &self,
        vault: BenchVault,
        mut command: Command,
    ) -> Result<BenchGateway> {
        let mut process = MeasuredProcess::start(&mut command)?;
        let mut line = String::new();
        let out = process.child().stdout.take().context("its output is not piped")?;
        BufReader::new(out).read_line(&mut line)?;
        let address = line.trim().rsplit_once("http://").and_then(|(_, rest)| rest.parse().ok());
        let address = address.with_context(|| format!("`gatehouse serve` said {line:?}"))?;
        let model_prefix = match vault {
            BenchVault::File => "keyed/",
            BenchVault::Env => "open/",
        };
        let (token, dialect) = (self.token.clone(), BenchDialect::Chat);
        Ok(BenchGateway {
            process,
            server: MeasuredServer { address, token, model_prefix, dialect },
        })
    }

    /// The control API of the running gateway.
    pub(crate) fn control_api(&self) -> Result<MeasuredServer> {
        let note = std::fs::read(self.folder.path().join("runtime/control.json"))?;
        let note: serde_json::Value = serde_json::from_slice(&note)?;
        let text = |name: &str| note.get(name).and_then(serde_json::Value::as_str);
        let address = text("address").and_then(|text| text.strip_prefix("http://"));
        Ok(MeasuredServer {
            address: address.context("the note says no address")?.parse()?,
            token: text("token").context("the note says no token")?.to_owned(),
            model_prefix: "",
            dialect: BenchDialect::Chat,
        })
    }

    fn run_command(&self, arguments: &[&str], input: &[u8]) -> Result<String> {
        let mut command = self.command(BenchVault::File, arguments);
        command.stdin(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command
            .spawn()
            .with_context(|| format!("could not start {}; is it built?", self.program.display()))?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input)?;
        }
        let output = child.wait_with_output()?;
        if !output.status.success() {
            bail!("`gatehouse {}` failed; its own words are above", arguments.join(" "));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
