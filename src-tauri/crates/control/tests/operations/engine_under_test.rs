//! A whole engine in a folder of the test's own, with its keys in memory.

use std::sync::Arc;

use control::{Core, EngineConfig};
use domain::{SeededEntropy, SystemClock};
use engine::Folders;
use settings::VaultKind;
use tempfile::TempDir;

/// Keys in memory, a free port, no desktop; chance begins with `seed`.
pub(crate) fn config(home: &TempDir, seed: u64) -> EngineConfig {
    EngineConfig {
        folders: Folders::resolve(Some(home.path())).expect("folders"),
        clock: Arc::new(SystemClock::new()),
        entropy: Arc::new(SeededEntropy::new(seed)),
        port: Some(0),
        vault: Some(VaultKind::Memory),
        passphrase: None,
        variables: Vec::new(),
        channel: None,
    }
}

/// One that listens nowhere; chance begins with `seed`.
pub(crate) async fn opened(home: &TempDir, seed: u64) -> Core {
    Core::open(config(home, seed)).await.expect("an engine")
}

/// One whose gateway answers.
pub(crate) async fn serving(home: &TempDir, seed: u64) -> Core {
    let core = opened(home, seed).await;
    let Core::Local(engine) = &core else { panic!("nobody else has this folder") };
    control::serve(engine, |_| None).await.expect("serving");
    core
}
