//! Checks of this machine that most other checks depend on: data folder, settings, ledger, vault.

use std::sync::Arc;

use async_trait::async_trait;

use crate::check::{Action, Outcome, Run};
use crate::ground::{Canary, Gravity, Ground};

/// Minimum free disk space, in bytes. Below it the ledger may soon fail to write.
pub const FREE_BYTES_MIN: u64 = 500_000_000;

pub(super) struct DataFolderCheck(pub(super) Arc<dyn Ground>);

#[async_trait]
impl Run for DataFolderCheck {
    async fn run(&self) -> Outcome {
        let folder = self.0.data_folder().await;
        if let Err(reason) = folder.writable {
            let fix = format!("Give your user write permission for {}.", folder.path);
            return Outcome::fail("the data folder is not writable", fix).saw(reason);
        }
        let megabytes = |bytes: u64| format!("{} MB free in {}", bytes / 1_000_000, folder.path);
        match folder.free_bytes {
            Some(free) if free < FREE_BYTES_MIN => {
                let fix = format!("Free at least {} MB.", FREE_BYTES_MIN / 1_000_000);
                Outcome::fail("the disk is nearly full", fix).saw(megabytes(free))
            }
            Some(free) => Outcome::pass().saw("wrote and removed a file").saw(megabytes(free)),
            None => Outcome::warn(
                "the system does not report the free space",
                format!("Check the free space in {}.", folder.path),
            ),
        }
    }
}

pub(super) struct SettingsCheck(pub(super) Arc<dyn Ground>);

#[async_trait]
impl Run for SettingsCheck {
    async fn run(&self) -> Outcome {
        let problems = self.0.settings_problems().await;
        // The first error decides the outcome; without one, the first warning.
        let Some(worst) = problems.iter().min_by_key(|problem| problem.gravity != Gravity::Error)
        else {
            return Outcome::pass().saw("no problems in the settings file");
        };
        let outcome = match worst.gravity {
            Gravity::Error => Outcome::fail("the settings file has errors", &worst.fix),
            Gravity::Warning => Outcome::warn("the settings file has warnings", &worst.fix),
        };
        let told = problems.iter().fold(outcome, |outcome, problem| outcome.saw(&problem.message));
        told.at(Action::OpenSettings)
    }
}

pub(super) struct LedgerCheck(pub(super) Arc<dyn Ground>);

#[async_trait]
impl Run for LedgerCheck {
    async fn run(&self) -> Outcome {
        let ledger = self.0.ledger().await;
        let versions =
            format!("schema {}, expected {}", ledger.schema_found, ledger.schema_expected);
        if let Err(reason) = ledger.integrity {
            let fix =
                "Run `gatehouse ledger restore`, or `gatehouse ledger repair` without a backup.";
            return Outcome::fail("the ledger is damaged", fix).saw(reason).at(Action::OpenLedger);
        }
        if let Some(worst) = ledger.problems.first() {
            let outcome = match worst.gravity {
                Gravity::Error => Outcome::fail(&worst.title, &worst.fix),
                Gravity::Warning => Outcome::warn(&worst.title, &worst.fix),
            };
            return outcome.saw(versions).at(Action::OpenLedger);
        }
        if ledger.schema_found > ledger.schema_expected {
            let fix = "Install the newer Gatehouse again, or restore the backup it made.";
            return Outcome::fail("the ledger was written by a newer Gatehouse", fix).saw(versions);
        }
        if ledger.schema_found < ledger.schema_expected {
            let fix = "Restart Gatehouse: it finishes the upgrade when it starts.";
            return Outcome::fail("the ledger's upgrade is not finished", fix).saw(versions);
        }
        Outcome::pass().saw("the integrity check found nothing").saw(versions)
    }
}

/// Fix shown when there is no keychain.
const MISSING_FIX: &str = "Run `gatehouse vault set file` to store keys in an encrypted file, or \
                           start a keychain.";

pub(super) struct VaultCheck(pub(super) Arc<dyn Ground>);

#[async_trait]
impl Run for VaultCheck {
    async fn run(&self) -> Outcome {
        let vault = self.0.vault().await;
        let store = vault.store;
        match vault.canary {
            Canary::Kept => {
                Outcome::pass().saw(format!("{store}: wrote, read and removed a value"))
            }
            Canary::ReadOnly => Outcome::warn(
                format!("{store} can only be read"),
                "Run `gatehouse vault set keychain` or `gatehouse vault set file` to store keys.",
            )
            .at(Action::OpenSettings),
            Canary::Locked => {
                Outcome::fail(format!("{store} is locked"), "Unlock it and run the checks again.")
            }
            Canary::Missing => {
                let cause = format!("{store} is not available");
                let outcome = match vault.needed {
                    true => Outcome::fail(cause, MISSING_FIX),
                    // Whatever needs no key still works: the mock, local servers, clients.
                    false => Outcome::warn(cause, MISSING_FIX),
                };
                outcome.at(Action::OpenSettings)
            }
            Canary::Hung => Outcome::fail(
                format!("{store} is not responding"),
                "Check for an unlock prompt behind other windows, or restart the keychain.",
            ),
            Canary::Lost => Outcome::fail(
                format!("{store} does not keep what is written to it"),
                "Run `gatehouse vault set file` to store keys in an encrypted file.",
            )
            .at(Action::OpenSettings),
            Canary::Failed(reason) => Outcome::fail(
                format!("{store} failed"),
                "Restart it, or run `gatehouse vault set file` to use an encrypted file.",
            )
            .saw(reason)
            .at(Action::OpenSettings),
        }
    }
}
