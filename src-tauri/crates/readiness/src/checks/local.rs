//! Checks of this machine that most other checks depend on: data folder, settings, ledger, vault.

use std::sync::Arc;

use async_trait::async_trait;

use crate::check::{
    CheckBody, CheckCategory, CheckId, CheckOutcome, CheckSeverity, FixAction, ReadinessCheck,
};
use crate::environment::{ProblemSeverity, ReadinessEnvironment, VaultTestResult};

/// Minimum free disk space, in bytes. Below it the ledger may soon fail to write.
pub const FREE_BYTES_MIN: u64 = 500_000_000;

pub(super) fn checks(environment: &Arc<dyn ReadinessEnvironment>) -> [ReadinessCheck; 4] {
    use CheckCategory::{Reliability, Security};
    let check = |id, title, category, body: Arc<dyn CheckBody>| {
        ReadinessCheck::new(CheckId::new(id), title, category, CheckSeverity::Blocker, body)
    };
    let environment = || Arc::clone(environment);
    [
        check(
            "R-02",
            "Data folder is writable and has free space",
            Reliability,
            Arc::new(DataFolderCheck(environment())),
        ),
        check("R-03", "Settings are valid", Reliability, Arc::new(SettingsCheck(environment())))
            .with_dependencies([CheckId::new("R-02")]),
        check(
            "R-04",
            "Ledger is intact and up to date",
            Reliability,
            Arc::new(LedgerCheck(environment())),
        )
        .with_dependencies([CheckId::new("R-02")]),
        check(
            "R-05",
            "Vault stores, returns and deletes a value",
            Security,
            Arc::new(VaultCheck(environment())),
        ),
    ]
}

struct DataFolderCheck(Arc<dyn ReadinessEnvironment>);

#[async_trait]
impl CheckBody for DataFolderCheck {
    async fn run(&self) -> CheckOutcome {
        let folder = self.0.data_folder().await;
        if let Err(reason) = folder.writable {
            let fix = format!("Give your user write permission for {}.", folder.path);
            return CheckOutcome::fail("the data folder is not writable", fix)
                .with_evidence(reason);
        }
        let megabytes = |bytes: u64| format!("{} MB free in {}", bytes / 1_000_000, folder.path);
        match folder.free_bytes {
            Some(free) if free < FREE_BYTES_MIN => {
                let fix = format!("Free at least {} MB.", FREE_BYTES_MIN / 1_000_000);
                CheckOutcome::fail("the disk is nearly full", fix).with_evidence(megabytes(free))
            }
            Some(free) => CheckOutcome::pass()
                .with_evidence("wrote and removed a file")
                .with_evidence(megabytes(free)),
            None => CheckOutcome::warn(
                "the system does not report the free space",
                format!("Check the free space in {}.", folder.path),
            ),
        }
    }
}

struct SettingsCheck(Arc<dyn ReadinessEnvironment>);

#[async_trait]
impl CheckBody for SettingsCheck {
    async fn run(&self) -> CheckOutcome {
        let problems = self.0.settings_problems().await;
        // The first error decides the outcome; without one, the first warning.
        let Some(worst) =
            problems.iter().min_by_key(|problem| problem.severity != ProblemSeverity::Error)
        else {
            return CheckOutcome::pass().with_evidence("no problems in the settings file");
        };
        let outcome = match worst.severity {
            ProblemSeverity::Error => {
                CheckOutcome::fail("the settings file has errors", &worst.fix)
            }
            ProblemSeverity::Warning => {
                CheckOutcome::warn("the settings file has warnings", &worst.fix)
            }
        };
        let told = problems
            .iter()
            .fold(outcome, |outcome, problem| outcome.with_evidence(&problem.message));
        told.with_action(FixAction::OpenSettings)
    }
}

struct LedgerCheck(Arc<dyn ReadinessEnvironment>);

#[async_trait]
impl CheckBody for LedgerCheck {
    async fn run(&self) -> CheckOutcome {
        let ledger = self.0.ledger().await;
        let versions =
            format!("schema {}, expected {}", ledger.schema_found, ledger.schema_expected);
        if let Err(reason) = ledger.integrity {
            let fix =
                "Run `gatehouse ledger restore`, or `gatehouse ledger repair` without a backup.";
            return CheckOutcome::fail("the ledger is damaged", fix)
                .with_evidence(reason)
                .with_action(FixAction::OpenLedger);
        }
        if let Some(worst) = ledger.problems.first() {
            let outcome = match worst.severity {
                ProblemSeverity::Error => CheckOutcome::fail(&worst.title, &worst.fix),
                ProblemSeverity::Warning => CheckOutcome::warn(&worst.title, &worst.fix),
            };
            return outcome.with_evidence(versions).with_action(FixAction::OpenLedger);
        }
        if ledger.schema_found > ledger.schema_expected {
            let fix = "Install the newer Gatehouse again, or restore the backup it made.";
            return CheckOutcome::fail("the ledger was written by a newer Gatehouse", fix)
                .with_evidence(versions);
        }
        if ledger.schema_found < ledger.schema_expected {
            let fix = "Restart Gatehouse: it finishes the upgrade when it starts.";
            return CheckOutcome::fail("the ledger's upgrade is not finished", fix)
                .with_evidence(versions);
        }
        CheckOutcome::pass()
            .with_evidence("the integrity check found nothing")
            .with_evidence(versions)
    }
}

/// Fix shown when there is no keychain.
const MISSING_FIX: &str = "Run `gatehouse vault set file` to store keys in an encrypted file, or \
                           start a keychain.";

struct VaultCheck(Arc<dyn ReadinessEnvironment>);

#[async_trait]
impl CheckBody for VaultCheck {
    async fn run(&self) -> CheckOutcome {
        let vault = self.0.vault().await;
        let store = vault.store;
        match vault.test_result {
            VaultTestResult::Kept => CheckOutcome::pass()
                .with_evidence(format!("{store}: wrote, read and removed a value")),
            VaultTestResult::ReadOnly => CheckOutcome::warn(
                format!("{store} can only be read"),
                "Run `gatehouse vault set keychain` or `gatehouse vault set file` to store keys.",
            )
            .with_action(FixAction::OpenSettings),
            VaultTestResult::Locked => CheckOutcome::fail(
                format!("{store} is locked"),
                "Unlock it and run the checks again.",
            ),
            VaultTestResult::Missing => {
                let cause = format!("{store} is not available");
                let outcome = match vault.needed {
                    true => CheckOutcome::fail(cause, MISSING_FIX),
                    // Whatever needs no key still works: the mock, local servers, clients.
                    false => CheckOutcome::warn(cause, MISSING_FIX),
                };
                outcome.with_action(FixAction::OpenSettings)
            }
            VaultTestResult::Hung => CheckOutcome::fail(
                format!("{store} is not responding"),
                "Check for an unlock prompt behind other windows, or restart the keychain.",
            ),
            VaultTestResult::Lost => CheckOutcome::fail(
                format!("{store} does not keep what is written to it"),
                "Run `gatehouse vault set file` to store keys in an encrypted file.",
            )
            .with_action(FixAction::OpenSettings),
            VaultTestResult::Failed(reason) => CheckOutcome::fail(
                format!("{store} failed"),
                "Restart it, or run `gatehouse vault set file` to use an encrypted file.",
            )
            .with_evidence(reason)
            .with_action(FixAction::OpenSettings),
        }
    }
}
