//! Lists the audit log.

use domain::{AuditOutcome, WallTime};
use engine::Engine;
use ledger::{AuditQuery, AuditRecord, AuditRow};

use crate::panel_event::ChangeTag;
use crate::view::{AuditEntryView, AuditLogQuery, AuditLogView};
use crate::{ApiError, OPERATIONS};

/// Most entries of one page.
const AUDIT_PAGE_MAX: u32 = 200;
/// Most entries that are looked through for what happened in a time.
const ENTRIES_READ_MAX: usize = 2_000;

pub(crate) async fn audit_log(
    engine: &Engine,
    req: AuditLogQuery,
) -> Result<AuditLogView, ApiError> {
    if req.limit == 0 || req.limit > AUDIT_PAGE_MAX {
        return Err(ApiError::invalid("limit", format!("a number from 1 to {AUDIT_PAGE_MAX}")));
    }
    if let Some(operation) = &req.operation {
        check_operation(operation)?;
    }
    let limit = usize::try_from(req.limit).unwrap_or(usize::MAX);
    let query = AuditQuery {
        before: req.before.map(Into::into),
        caller: req.caller,
        operation: req.operation,
        limit: limit + 1,
        ..AuditQuery::default()
    };
    let mut rows = engine.ledger().audit_log(query).await?;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let entries: Vec<AuditEntryView> = rows.into_iter().map(entry_view).collect();
    let next = entries.last().filter(|_| has_more).map(|entry| entry.number);
    Ok(AuditLogView { entries, next })
}

/// The three that are not in the table are for the command line only.
fn check_operation(name: &str) -> Result<(), ApiError> {
    let beside = ["client_issue", "client_token", "panel_address"];
    match OPERATIONS.iter().any(|known| known.name == name) || beside.contains(&name) {
        true => Ok(()),
        false => Err(ApiError::invalid("operation", "there is no operation of this name")),
    }
}

/// `Backend edit`
pub(super) fn operation_label(operation: &str) -> String {
    domain::capitalize(&operation.replace('_', " "))
}

/// `Backend edit: openai`
pub(super) fn change_text(record: &AuditRecord) -> String {
    let label = operation_label(&record.operation);
    match &record.subject {
        Some(subject) => format!("{label}: {subject}"),
        None => label,
    }
}

/// True for a call that did change the settings.
pub(super) fn changed_settings(record: &AuditRecord) -> bool {
    let known = OPERATIONS.iter().find(|known| known.name == record.operation);
    record.outcome == AuditOutcome::Done
        && known.is_some_and(|known| known.changes.contains(&ChangeTag::Settings))
}

/// The newest [`ENTRIES_READ_MAX`] entries until a time, newest first.
pub(super) async fn entries_until(
    engine: &Engine,
    until: WallTime,
) -> Result<Vec<AuditRow>, ApiError> {
    let limit = ENTRIES_READ_MAX;
    let query = AuditQuery { until: Some(until), limit, ..AuditQuery::default() };
    Ok(engine.ledger().audit_log(query).await?)
}

fn entry_view(row: AuditRow) -> AuditEntryView {
    let record = row.record;
    AuditEntryView {
        number: u32::try_from(row.number).unwrap_or(u32::MAX),
        at: record.at.into(),
        caller: record.caller,
        agent: record.agent,
        agent_version: record.agent_version,
        client: record.client,
        confirmed: record.confirmed,
        operation_label: operation_label(&record.operation),
        operation: record.operation,
        subject: record.subject,
        outcome: record.outcome,
    }
}
