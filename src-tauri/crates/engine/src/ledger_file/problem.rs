//! Describes the ledger's problems for the status, panel, tray, notifications and readiness checks.

use domain::WallTime;
use ledger::{Backlog, IncidentCause, LedgerIncident, LedgerState};

/// Interval of the file check, in seconds.
pub(crate) const FILE_CHECK_SECS: u64 = 10;
/// Age of the oldest waiting record from which the ledger counts as behind, in milliseconds.
const BEHIND_AFTER_MS: i64 = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LedgerSeverity {
    /// Requests are answered, but something needs attention.
    Attention,
    /// Requests are refused, or records are missing.
    Problem,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerProblem {
    /// Identifies the cause; stable while the problem lasts.
    pub id: String,
    pub severity: LedgerSeverity,
    pub title: String,
    /// The consequence and what to do.
    pub detail: String,
    /// The next step as one short sentence, for a notification.
    pub fix: String,
    pub since: Option<WallTime>,
}

/// Why the last backup failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupFailure {
    /// Time of the attempt.
    pub at: WallTime,
    pub reason: String,
}

fn waiting_records_clause(backlog: &Backlog) -> String {
    match backlog.records {
        1 => "1 record is waiting in memory".to_owned(),
        number => format!("{} records are waiting in memory", domain::group_digits(number as u64)),
    }
}

pub(crate) fn state_problem(state: LedgerState, now: WallTime) -> Option<LedgerProblem> {
    let (severity, title, backlog, impact) = match state {
        LedgerState::Current => return None,
        LedgerState::Behind(backlog) => {
            let oldest = backlog.oldest.map_or(0, |oldest| now.unix_ms() - oldest.unix_ms());
            if oldest < BEHIND_AFTER_MS {
                return None;
            }
            let impact = "Requests still work, but a crash now would lose these records.";
            (LedgerSeverity::Attention, "The ledger is behind", backlog, impact)
        }
        LedgerState::Refusing(backlog) => {
            let impact = "New requests are refused with 503 until it can be written.";
            (LedgerSeverity::Problem, "The ledger cannot be written", backlog, impact)
        }
    };
    Some(LedgerProblem {
        id: format!("ledger/{}", backlog.reason),
        severity,
        title: title.to_owned(),
        detail: format!(
            "{} {impact} {}.",
            backlog.reason.sentence(),
            waiting_records_clause(&backlog)
        ),
        fix: backlog.reason.sentence().to_owned(),
        since: backlog.oldest,
    })
}

pub(crate) fn incident_problem(incident: &LedgerIncident) -> LedgerProblem {
    let before = match incident.requests_before {
        Some(1) => "1 request".to_owned(),
        Some(number) => format!("{} requests", domain::group_digits(number)),
        None => "Requests".to_owned(),
    };
    let (title, detail) = match incident.cause {
        IncidentCause::Damaged => (
            "The ledger file was damaged",
            format!("{before} recorded before that are missing; a new ledger was started."),
        ),
        IncidentCause::Emptied => (
            "The ledger file was emptied",
            format!("{before} recorded before that are missing; a new ledger was started."),
        ),
        IncidentCause::Missing => (
            "The ledger file was deleted",
            format!("{before} recorded before that are missing; a new ledger was started."),
        ),
        IncidentCause::Replaced => (
            "The ledger file is a different one",
            format!("{before} from the previous ledger are missing."),
        ),
        IncidentCause::Older => (
            "The ledger file is an older copy",
            format!("It had {} when Gatehouse last ran and has fewer now.", before.to_lowercase()),
        ),
        IncidentCause::DeletedInUse => (
            "The ledger file was deleted while in use",
            "It was written again with all records. Nothing is lost.".to_owned(),
        ),
        IncidentCause::ReplacedInUse => (
            "The ledger file was replaced while in use",
            "The ledger was written again with all records. Nothing is lost.".to_owned(),
        ),
    };
    let kept = incident.kept.as_ref().map(|kept| format!(" The old file is kept as {kept}."));
    let fix = match (incident.cause, &incident.kept) {
        (IncidentCause::Damaged, Some(_)) => {
            "`gatehouse ledger restore` restores the newest backup; `gatehouse ledger repair` \
             recovers what can be read."
        }
        (cause, _) if cause.lacks_records() => {
            "`gatehouse ledger restore` restores the newest backup."
        }
        _ => "`gatehouse ledger acknowledge` removes this message.",
    };
    LedgerProblem {
        id: format!("ledger/{}", incident.cause.word()),
        severity: match incident.cause.lacks_records() {
            true => LedgerSeverity::Problem,
            false => LedgerSeverity::Attention,
        },
        title: title.to_owned(),
        detail: format!("{detail}{} {fix}", kept.unwrap_or_default()),
        fix: fix.to_owned(),
        since: Some(incident.at),
    }
}

pub(crate) fn file_problem(reason: &str) -> LedgerProblem {
    let reason = reason.trim_end_matches('.');
    LedgerProblem {
        id: "ledger/file".to_owned(),
        severity: LedgerSeverity::Problem,
        title: "The ledger file cannot be reached".to_owned(),
        detail: format!("{reason}. Gatehouse tries again every {FILE_CHECK_SECS} s."),
        fix: "Check the data folder and the free space.".to_owned(),
        since: None,
    }
}

pub(crate) fn backup_problem(failure: &BackupFailure) -> LedgerProblem {
    let reason = failure.reason.trim_end_matches('.');
    LedgerProblem {
        id: "ledger/backup".to_owned(),
        severity: LedgerSeverity::Attention,
        title: "The ledger could not be backed up".to_owned(),
        detail: format!(
            "{reason}. Older backups are kept. `gatehouse ledger backup` tries again now."
        ),
        fix: "`gatehouse ledger backup` tries again.".to_owned(),
        since: Some(failure.at),
    }
}

#[cfg(test)]
mod tests {
    use ledger::BacklogReason;

    use super::*;

    fn backlog(reason: BacklogReason, waited_ms: i64) -> Backlog {
        let oldest = Some(WallTime::from_unix_ms(10_000 - waited_ms));
        Backlog { reason, records: 1_200, oldest }
    }

    #[test]
    fn a_ledger_that_refuses_is_a_problem_at_once_and_one_that_is_behind_after_a_second() {
        let now = WallTime::from_unix_ms(10_000);
        assert_eq!(state_problem(LedgerState::Current, now), None);
        let behind = |ms| state_problem(LedgerState::Behind(backlog(BacklogReason::Slow, ms)), now);
        assert_eq!(behind(BEHIND_AFTER_MS - 1), None);
        assert_eq!(behind(BEHIND_AFTER_MS).expect("told").severity, LedgerSeverity::Attention);
        let full = LedgerState::Refusing(backlog(BacklogReason::DiskFull, 0));
        let full = state_problem(full, now).expect("told");
        assert_eq!(
            (full.severity, full.id.as_str()),
            (LedgerSeverity::Problem, "ledger/disk-full")
        );
        assert_eq!(
            full.detail,
            "The disk is full. Free some space. New requests are refused with 503 until it can be \
             written. 1,200 records are waiting in memory."
        );
    }

    #[test]
    fn each_incident_says_what_is_missing_and_what_to_do() {
        let told = |cause, kept: Option<&str>| {
            incident_problem(&LedgerIncident {
                cause,
                at: WallTime::from_unix_ms(0),
                detail: None,
                kept: kept.map(str::to_owned),
                requests_before: Some(4_636),
            })
        };
        let damaged = told(IncidentCause::Damaged, Some("ledger.sqlite.kept-damaged"));
        assert_eq!(damaged.severity, LedgerSeverity::Problem);
        assert_eq!(
            damaged.detail,
            "4,636 requests recorded before that are missing; a new ledger was started. The old file is \
             kept as ledger.sqlite.kept-damaged. `gatehouse ledger restore` restores the newest backup; `gatehouse ledger repair` recovers what can be read."
        );
        assert!(told(IncidentCause::Emptied, None).detail.ends_with("the newest backup."));
        let deleted = told(IncidentCause::DeletedInUse, None);
        assert_eq!(deleted.severity, LedgerSeverity::Attention);
        assert!(deleted.detail.contains("Nothing is lost."));
    }
}
