//! A whole engine in a temporary folder of the test, with its keys in memory.

use std::sync::Arc;

use control::{Core, EngineConfig};
use domain::{SeededEntropy, SystemClock};
use engine::Folders;
use settings::VaultKind;
use tempfile::TempDir;

/// Keys in memory, a free port, no desktop. `seed` makes random numbers repeatable.
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

/// An engine that does not listen.
pub(crate) async fn open_core(home: &TempDir, seed: u64) -> Core {
    Core::open(config(home, seed)).await.expect("an engine")
}

/// An engine whose gateway listens.
pub(crate) async fn serve_core(home: &TempDir, seed: u64) -> Core {
    let core = open_core(home, seed).await;
    let Core::Local(engine) = &core else { panic!("nobody else has this folder") };
    control::serve(engine, |_| None).await.expect("serving");
    core
}
