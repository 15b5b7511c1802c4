//! Points client tools at this gateway, gives agents our MCP server, and undoes both. Files are changed
//! on a thread that may wait.

use std::path::PathBuf;
use std::sync::Arc;

use domain::{ClientId, Entropy, WallTime};
use settings::{Settings, SettingsStore};
use vault::{EnvStore, Passphrase, Vault};
use wiring::{
    AgentProgram, ChangedKeys, ClientTool, McpServerTarget, PlainCopies, RecordKeys,
    ToolEnvironment, ToolGuide, ToolModel, ToolStatus, WiredTool, Wiring, WiringError, WiringPlan,
    WiringTarget,
};

use crate::EngineConfig;
use crate::keys::vault_switch::VaultOpener;
use crate::wiring::record_keys::{NoVault, VaultRecordKeys};
use crate::wiring::trouble::WiringExpectation;

/// Wires this user's tools.
#[derive(Clone)]
pub struct ClientWiring {
    /// None where the shell knows no home folder.
    pub(crate) environment: Option<ToolEnvironment>,
    pub(crate) state_folder: PathBuf,
    /// The command line program, which tools run for their token.
    pub(crate) program: Option<PathBuf>,
    /// The folder that the program is told, where it is not the system's.
    pub(crate) home: Option<PathBuf>,
    pub(crate) record_keys: Arc<dyn RecordKeys>,
}

/// What a tool is pointed at.
#[derive(Debug, Clone)]
pub struct GatewayTarget {
    pub client: ClientId,
    /// Without a path.
    pub address: String,
    /// For tools with a list of their own.
    pub models: Vec<ToolModel>,
    pub now: WallTime,
}

#[derive(Debug, thiserror::Error)]
pub enum ClientWiringError {
    #[error("the home folder is not known, so no tool can be found; set HOME")]
    NoHome,
    #[error("the command line program gatehouse is not beside this one, so no tool could run it")]
    NoProgram,
    #[error(transparent)]
    Wiring(#[from] WiringError),
    #[error("the files could not be changed: {0}")]
    Stopped(#[from] tokio::task::JoinError),
}

impl ClientWiring {
    pub(crate) fn new(config: &EngineConfig) -> Self {
        Self {
            environment: config.tools.clone(),
            state_folder: config.folders.state.clone(),
            program: config.command_line.clone(),
            home: config.home.clone(),
            record_keys: Arc::new(NoVault),
        }
    }

    /// The records are sealed with keys of this vault. Those of the others, which `opener` opens, are
    /// asked where a record was sealed in another one.
    pub(crate) fn with_vault(
        self,
        vault: Vault,
        opener: VaultOpener,
        entropy: Arc<dyn Entropy>,
        passphrase: Option<Passphrase>,
    ) -> Self {
        let record_keys = Arc::new(VaultRecordKeys::new(vault, opener, entropy, passphrase));
        Self { record_keys, ..self }
    }

    /// Works without an engine: for undoing everything when none can start. If the settings cannot be
    /// read, the vault is the one that is in use by default.
    #[must_use]
    pub fn standalone(config: &EngineConfig) -> Self {
        let settings = SettingsStore::open(config.folders.settings_file());
        let named = settings.map(|settings| settings.current().vault.kind).unwrap_or_default();
        let opener = VaultOpener {
            environment: Arc::new(EnvStore::new(config.variables.clone())),
            folders: config.folders.clone(),
            clock: Arc::clone(&config.clock),
            keychain_service: config.keychain_service.clone(),
        };
        let vault = opener.open(config.vault.unwrap_or(named));
        let (entropy, passphrase) = (Arc::clone(&config.entropy), config.passphrase.clone());
        Self::new(config).with_vault(vault, opener, entropy, passphrase)
    }

    /// The same for tools that are started in `project` with these variables set. Files of that project are
    /// looked at too.
    #[must_use]
    pub fn seen_from(&self, project: Option<PathBuf>, variables: &[String]) -> Self {
        let seen = |environment: ToolEnvironment| {
            environment.in_project(project).with_set_variables(variables)
        };
        Self { environment: self.environment.clone().map(seen), ..self.clone() }
    }

    pub async fn list(&self) -> Result<Vec<ToolStatus>, ClientWiringError> {
        let wiring = self.wiring()?;
        Ok(tokio::task::spawn_blocking(move || wiring.list()).await?)
    }

    /// How the tools that are not wired reach the gateway at `address`. `model` stands in examples.
    pub async fn guides(
        &self,
        address: String,
        model: Option<String>,
    ) -> Result<Vec<ToolGuide>, ClientWiringError> {
        let wiring = self.wiring()?;
        let guides = move || wiring.guides(&address, model.as_deref());
        Ok(tokio::task::spawn_blocking(guides).await?)
    }

    /// What [`Self::wire`] would change.
    pub async fn plan(
        &self,
        tool: ClientTool,
        target: GatewayTarget,
    ) -> Result<WiringPlan, ClientWiringError> {
        let (wiring, target) = (self.wiring()?, self.target(target)?);
        Ok(tokio::task::spawn_blocking(move || wiring.plan(tool, &target)).await??)
    }

    /// What [`Self::unwire`] would change.
    pub async fn plan_unwire(
        &self,
        tool: ClientTool,
        changed_keys: ChangedKeys,
    ) -> Result<WiringPlan, ClientWiringError> {
        let wiring = self.wiring()?;
        Ok(tokio::task::spawn_blocking(move || wiring.plan_unwire(tool, changed_keys)).await??)
    }

    /// With the fingerprint of a plan, nothing else than that plan is carried out.
    pub async fn wire(
        &self,
        tool: ClientTool,
        target: GatewayTarget,
        fingerprint: Option<String>,
    ) -> Result<ToolStatus, ClientWiringError> {
        let (wiring, target) = (self.wiring()?, self.target(target)?);
        let wire = move || wiring.wire(tool, &target, fingerprint.as_deref());
        Ok(tokio::task::spawn_blocking(wire).await??)
    }

    pub async fn unwire(
        &self,
        tool: ClientTool,
        changed_keys: ChangedKeys,
    ) -> Result<ToolStatus, ClientWiringError> {
        let wiring = self.wiring()?;
        Ok(tokio::task::spawn_blocking(move || wiring.unwire(tool, changed_keys)).await??)
    }

    /// Undoes every wiring, each with its outcome.
    pub async fn unwire_all(
        &self,
        changed_keys: ChangedKeys,
    ) -> Result<Vec<(ClientTool, Result<ToolStatus, WiringError>)>, ClientWiringError> {
        let wiring = self.wiring()?;
        Ok(tokio::task::spawn_blocking(move || wiring.unwire_all(changed_keys)).await?)
    }

    /// Whether the agents of each program have our MCP server.
    pub async fn agent_programs(&self) -> Result<Vec<ToolStatus<AgentProgram>>, ClientWiringError> {
        let agents = self.wiring_of::<AgentProgram>()?;
        Ok(tokio::task::spawn_blocking(move || agents.list()).await?)
    }

    /// What [`Self::add_agent_server`] would change.
    pub async fn plan_agent_server(
        &self,
        tool: AgentProgram,
    ) -> Result<WiringPlan, ClientWiringError> {
        let (agents, server) = (self.wiring_of::<AgentProgram>()?, self.agent_server()?);
        Ok(tokio::task::spawn_blocking(move || agents.plan(tool, &server)).await??)
    }

    /// What [`Self::remove_agent_server`] would change.
    pub async fn plan_agent_server_removal(
        &self,
        tool: AgentProgram,
        changed_keys: ChangedKeys,
    ) -> Result<WiringPlan, ClientWiringError> {
        let agents = self.wiring_of::<AgentProgram>()?;
        Ok(tokio::task::spawn_blocking(move || agents.plan_unwire(tool, changed_keys)).await??)
    }

    /// With the fingerprint of a plan, nothing else than that plan is carried out.
    pub async fn add_agent_server(
        &self,
        tool: AgentProgram,
        fingerprint: Option<String>,
    ) -> Result<ToolStatus<AgentProgram>, ClientWiringError> {
        let (agents, server) = (self.wiring_of::<AgentProgram>()?, self.agent_server()?);
        let add = move || agents.wire(tool, &server, fingerprint.as_deref());
        Ok(tokio::task::spawn_blocking(add).await??)
    }

    pub async fn remove_agent_server(
        &self,
        tool: AgentProgram,
        changed_keys: ChangedKeys,
    ) -> Result<ToolStatus<AgentProgram>, ClientWiringError> {
        let agents = self.wiring_of::<AgentProgram>()?;
        Ok(tokio::task::spawn_blocking(move || agents.unwire(tool, changed_keys)).await??)
    }

    /// What is compared with the files of tools, with the gateway at `address`.
    #[must_use]
    pub(crate) fn expectation(&self, settings: &Settings, address: String) -> WiringExpectation {
        let clients = settings.clients.keys().map(ToString::to_string).collect();
        WiringExpectation { address, clients, home: self.home.clone() }
    }

    /// Finishes what a killed process left half done, and seals what lies in plain in records of earlier
    /// versions; both may need the vault, so it is called at the start and once that is unlocked. What
    /// cannot be finished shows in the tool's state, so here it is only logged.
    pub async fn repair(&self) {
        self.repair_all_of::<ClientTool>().await;
        self.repair_all_of::<AgentProgram>().await;
        self.repair_plain_copies().await;
    }

    async fn repair_plain_copies(&self) {
        let Some(environment) = &self.environment else { return };
        let copies = PlainCopies::new(&environment.home, &self.state_folder);
        let repaired = tokio::task::spawn_blocking(move || copies.repair()).await;
        if let Ok(Err(error)) = repaired {
            tracing::warn!(%error, "files that an interrupted removal of keys left behind could not be removed");
        }
    }

    async fn repair_all_of<T: WiredTool>(&self) {
        let Ok(wiring) = self.wiring_of::<T>() else { return };
        let left = tokio::task::spawn_blocking(move || wiring.repair()).await.unwrap_or_default();
        for (tool, error) in left {
            tracing::warn!(tool = tool.full_name(), %error, "a change of a tool's files is unfinished");
        }
    }

    fn wiring(&self) -> Result<Wiring, ClientWiringError> {
        self.wiring_of()
    }

    fn wiring_of<T: WiredTool>(&self) -> Result<Wiring<T>, ClientWiringError> {
        let environment = self.environment.clone().ok_or(ClientWiringError::NoHome)?;
        Ok(Wiring::new(environment, &self.state_folder, Arc::clone(&self.record_keys)))
    }

    fn agent_server(&self) -> Result<McpServerTarget, ClientWiringError> {
        let program = self.program.clone().ok_or(ClientWiringError::NoProgram)?;
        Ok(McpServerTarget { program, home: self.home.clone() })
    }

    fn target(&self, target: GatewayTarget) -> Result<WiringTarget, ClientWiringError> {
        let program = self.program.clone().ok_or(ClientWiringError::NoProgram)?;
        let GatewayTarget { client, address, models, now } = target;
        Ok(WiringTarget { client, address, program, home: self.home.clone(), models, now })
    }
}
