//! A home folder with tools, for tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use domain::{ClientId, Secret, WallTime};
use tempfile::TempDir;

use crate::{
    ClientTool, RecordKeys, RecordKeysError, ToolEnvironment, ToolModel, ToolModelLimits,
    WiredTool, Wiring, WiringTarget,
};

pub(super) struct World {
    folder: TempDir,
    variables: Vec<(String, String)>,
    pub(super) vault: Arc<TestVault>,
}

/// A vault for the keys of records.
#[derive(Default)]
pub(super) struct TestVault {
    pub(super) keys: Mutex<BTreeMap<String, Secret>>,
    /// What a vault holds that is not in use.
    pub(super) elsewhere: Mutex<BTreeMap<String, Secret>>,
    /// Why it does nothing.
    pub(super) locked: Mutex<Option<&'static str>>,
    /// Why a vault that is not in use was not searched.
    pub(super) locked_elsewhere: Mutex<Option<&'static str>>,
    /// What it held after each step of a change, for a kill there.
    steps: Mutex<Vec<BTreeMap<String, Secret>>>,
}

impl TestVault {
    fn check(&self) -> Result<(), RecordKeysError> {
        let locked = *self.locked.lock().expect("a lock");
        locked.map_or(Ok(()), |reason| Err(RecordKeysError(reason.to_owned())))
    }

    pub(super) fn record_step(&self, step: usize) {
        let mut steps = self.steps.lock().expect("a lock");
        steps.truncate(step);
        steps.push(self.keys.lock().expect("a lock").clone());
    }

    pub(super) fn return_to(&self, step: usize) {
        let kept = self.steps.lock().expect("a lock")[step].clone();
        *self.keys.lock().expect("a lock") = kept;
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.keys.lock().expect("a lock").keys().cloned().collect()
    }
}

impl RecordKeys for TestVault {
    fn find(&self, record: &str) -> Result<Option<Secret>, RecordKeysError> {
        self.check()?;
        Ok(self.keys.lock().expect("a lock").get(record).cloned())
    }

    fn find_elsewhere(
        &self,
        record: &str,
        opens: &dyn Fn(&Secret) -> bool,
    ) -> Result<Option<Secret>, RecordKeysError> {
        if let Some(key) = self.elsewhere.lock().expect("a lock").get(record).filter(|it| opens(it))
        {
            return Ok(Some(key.clone()));
        }
        let locked = *self.locked_elsewhere.lock().expect("a lock");
        locked.map_or(Ok(None), |reason| Err(RecordKeysError(reason.to_owned())))
    }

    fn create(&self, record: &str) -> Result<Secret, RecordKeysError> {
        self.check()?;
        let mut keys = self.keys.lock().expect("a lock");
        let key = Secret::parse(format!("key-{record}-{}", keys.len())).expect("a secret");
        keys.insert(record.to_owned(), key.clone());
        Ok(key)
    }

    fn remove(&self, record: &str) {
        self.keys.lock().expect("a lock").remove(record);
    }
}

impl World {
    /// A home in which every tool's folder exists.
    pub(super) fn new() -> Self {
        let world = Self::without_tools();
        for folder in [
            ".claude",
            ".codex",
            ".gemini",
            ".config/opencode",
            ".aider",
            ".continue",
            zed_folder(),
        ] {
            std::fs::create_dir_all(world.home().join(folder)).expect("a folder");
        }
        world
    }

    pub(super) fn without_tools() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["home", "root", "state"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        let world = Self { folder, variables: Vec::new(), vault: Arc::default() };
        world.write_program("root/usr/bin/gatehouse");
        world
    }

    /// Creates a program that can be started.
    pub(super) fn write_program(&self, name: &str) {
        let path = self.path(name);
        self.write(&path, "");
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(&path, mode).expect("a mode");
        }
    }

    pub(super) fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn home(&self) -> PathBuf {
        self.path("home")
    }

    pub(super) fn environment(&self) -> ToolEnvironment {
        let mut environment = ToolEnvironment::new(self.home(), self.variables.clone());
        environment.system_root = self.path("root");
        environment.in_project(Some(self.path("project")))
    }

    pub(super) fn wiring(&self) -> Wiring {
        self.wiring_of()
    }

    pub(super) fn wiring_of<T: WiredTool>(&self) -> Wiring<T> {
        self.wiring_in(self.environment())
    }

    pub(super) fn wiring_in<T: WiredTool>(&self, environment: ToolEnvironment) -> Wiring<T> {
        Wiring::new(environment, &self.path("state"), Arc::clone(&self.vault) as _)
    }

    pub(super) fn config(&self, tool: ClientTool) -> PathBuf {
        self.home().join(match tool {
            ClientTool::ClaudeCode => ".claude/settings.json",
            ClientTool::Codex => ".codex/config.toml",
            ClientTool::GeminiCli => ".gemini/settings.json",
            ClientTool::OpenCode => ".config/opencode/opencode.json",
            ClientTool::Aider => ".aider.conf.yml",
            ClientTool::Continue => ".continue/models/gatehouse.yaml",
            ClientTool::Zed => return self.home().join(zed_folder()).join("settings.json"),
        })
    }

    pub(super) fn write(&self, path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("created");
        let mut file = std::fs::File::create(path).expect("a file");
        std::io::Write::write_all(&mut file, text.as_bytes()).expect("written");
    }

    pub(super) fn names(&self, folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).expect("a folder").flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

fn zed_folder() -> &'static str {
    if cfg!(windows) { "AppData/Roaming/Zed" } else { ".config/zed" }
}

pub(super) fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

pub(super) fn target() -> WiringTarget {
    target_at("http://127.0.0.1:4283")
}

pub(super) fn target_at(address: &str) -> WiringTarget {
    WiringTarget {
        client: ClientId::new("my-tool").expect("an id"),
        address: address.to_owned(),
        program: PathBuf::from("/usr/bin/gatehouse"),
        home: None,
        models: vec![
            ToolModel {
                limits: Some(ToolModelLimits {
                    input_tokens_max: 400_000,
                    output_tokens_max: 64_000,
                }),
                images: true,
                ..ToolModel::named("fast")
            },
            ToolModel::named("local/qwen3:8b"),
        ],
        now: WallTime::from_unix_ms(1_700_000_000_000),
    }
}
