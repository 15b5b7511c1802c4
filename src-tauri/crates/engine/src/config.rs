//! Input for starting an engine. Shells read the environment; nothing below them does.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use domain::{Clock, Entropy, SystemClock, SystemEntropy, UnknownWord};
use monitor::NotificationChannel;
use session_logs::LogRoot;
use settings::VaultKind;
use vault::{KEYCHAIN_SERVICE, Passphrase, PassphraseError};
use wiring::{HOME_VARIABLES, ToolEnvironment};
use zeroize::Zeroizing;

use crate::{Folders, NoHome};

/// Holds the passphrase of the file vault.
pub(crate) const PASSPHRASE_VARIABLE: &str = "GATEHOUSE_PASSPHRASE";

/// Holds the user's home folder.
const USER_HOME_VARIABLE: &str = HOME_VARIABLES[0];

pub struct EngineConfig {
    pub folders: Folders,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// Overrides the gateway port of the settings; 0 takes any free port.
    pub port: Option<u16>,
    /// Overrides the vault of the settings.
    pub vault: Option<VaultKind>,
    /// Service name of our items in the keychain: [`KEYCHAIN_SERVICE`] except in tests, which must not
    /// read the user's.
    pub keychain_service: String,
    /// Passphrase of the file vault.
    pub passphrase: Option<Passphrase>,
    /// Content of the environment vault.
    pub variables: Vec<(String, String)>,
    /// Delivers notifications; `None` without a desktop.
    pub channel: Option<Arc<dyn NotificationChannel>>,
    /// Where coding tools keep their session logs.
    pub log_roots: Vec<LogRoot>,
    /// The home folder and what client tools see of the environment.
    pub tools: Option<ToolEnvironment>,
    /// The command line program, which client tools run for their token.
    pub command_line: Option<PathBuf>,
    /// The folder that holds everything, where one was chosen. Client tools, which have another
    /// environment, are told it.
    pub home: Option<PathBuf>,
    /// Tells whether no network leads off this machine.
    pub is_offline: fn() -> bool,
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error(transparent)]
    NoHome(#[from] NoHome),
    #[error("GATEHOUSE_VAULT is {text:?}; choose keychain, file, env or memory")]
    Vault {
        text: String,
        #[source]
        source: UnknownWord,
    },
    #[error("GATEHOUSE_PASSPHRASE was not accepted")]
    Passphrase(#[from] PassphraseError),
}

impl EngineConfig {
    /// Reads `GATEHOUSE_HOME`, `GATEHOUSE_VAULT` and `GATEHOUSE_PASSPHRASE` from the variables a
    /// shell passes in, and where session logs lie. Keeps the variables known to the vault and drops
    /// all others.
    pub fn from_variables(
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let (mut home, mut kind, mut passphrase, mut rest) = (None, None, None, Vec::new());
        let (mut user_home, mut moved, mut tool_variables) = (None, Vec::new(), Vec::new());
        for (name, value) in variables {
            tool_variables.push(ToolEnvironment::reduce(&name, &value));
            match name.as_str() {
                _ if value.is_empty() => {}
                "GATEHOUSE_HOME" => home = Some(value),
                "GATEHOUSE_VAULT" => kind = Some(value),
                PASSPHRASE_VARIABLE => passphrase = Some(Zeroizing::new(value)),
                USER_HOME_VARIABLE => user_home = Some(value),
                _ if session_logs::VARIABLES.contains(&name.as_str()) => moved.push((name, value)),
                _ if domain::known_variables().any(|known| known.variable == name) => {
                    rest.push((name, value));
                }
                _ => {}
            }
        }
        let vault = kind.map(|text| {
            text.parse::<VaultKind>().map_err(|source| ConfigError::Vault { text, source })
        });
        let passphrase = passphrase.map(|text| Passphrase::parse(text.as_str().to_owned()));
        // A tool starts the program in its own folder.
        let home = home.map(|home| std::path::absolute(&home).unwrap_or_else(|_| home.into()));
        Ok(Self {
            folders: Folders::resolve(home.as_deref())?,
            clock: Arc::new(SystemClock::new()),
            entropy: Arc::new(SystemEntropy),
            port: None,
            vault: vault.transpose()?,
            keychain_service: KEYCHAIN_SERVICE.to_owned(),
            passphrase: passphrase.transpose()?,
            variables: rest,
            channel: None,
            log_roots: user_home.as_deref().map_or_else(Vec::new, |home| log_roots(home, &moved)),
            tools: user_home.map(|home| ToolEnvironment::new(home.into(), tool_variables)),
            command_line: find_command_line(),
            home,
            is_offline: gateway::is_offline,
        })
    }
}

/// The program `gatehouse` beside this one.
fn find_command_line() -> Option<PathBuf> {
    let name = format!("gatehouse{}", std::env::consts::EXE_SUFFIX);
    let program = std::env::current_exe().ok()?.with_file_name(name);
    program.is_file().then_some(program)
}

fn log_roots(home: &str, moved: &[(String, String)]) -> Vec<LogRoot> {
    LogRoot::of_user(home.as_ref(), |name| {
        moved.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    })
}

impl fmt::Debug for EngineConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineConfig").field("folders", &self.folders).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<EngineConfig, ConfigError> {
        let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        EngineConfig::from_variables(owned)
    }

    #[test]
    fn only_known_variables_are_kept_and_bad_ones_are_named() {
        let config = read(&[
            ("GATEHOUSE_HOME", "/h"),
            ("GATEHOUSE_VAULT", "file"),
            ("GATEHOUSE_PASSPHRASE", "correct-horse"),
            ("OPENAI_API_KEY", "sk-CANARY-0123456789"),
            ("AWS_SECRET_ACCESS_KEY", "not ours"),
            (USER_HOME_VARIABLE, "/home/dev"),
            ("CODEX_HOME", "/codex"),
        ])
        .expect("a config");
        assert_eq!(config.vault, Some(VaultKind::File));
        assert!(config.passphrase.is_some());
        assert_eq!(config.variables.len(), 1);
        let places: Vec<_> = config.log_roots.iter().map(|root| root.path.as_path()).collect();
        assert!(places.contains(&"/home/dev/.claude/projects".as_ref()));
        assert!(places.contains(&"/codex/sessions".as_ref()));
        assert!(!format!("{config:?}").contains("CANARY"));
        assert!(matches!(read(&[("GATEHOUSE_VAULT", "plain")]), Err(ConfigError::Vault { .. })));
        assert!(matches!(
            read(&[("GATEHOUSE_PASSPHRASE", "short")]),
            Err(ConfigError::Passphrase(_))
        ));
    }
}
