//! The audit log: each call of an operation that changes something, written down when it ends, with
//! the time at which it began: what it caused is later in every time line.
//!
//! An entry holds no value of the request but the id that it names, and that only if it is an id: a
//! user may paste a key into any field. Of a call that did not succeed the id is kept only if
//! something has it.

use domain::{AuditOutcome, BackendId};
use engine::Engine;
use futures_util::future::BoxFuture;
use ledger::AuditRecord;
use serde_json::Value;

use crate::caller::Caller;
use crate::panel_event::ChangeTag;
use crate::request_json::RequestJson;
use crate::{ApiError, ErrorCode};

/// The fields of requests that name what they are about, the first one counts.
const SUBJECT_FIELDS: &[&str] = &[
    "id", "tool", "rule", "backend", "name", "number", "run", "provider", "kind", "from", "target",
];

/// A call in progress. If it is dropped before its end, it is written down as failed.
pub(crate) struct AuditedCall<'a> {
    engine: &'a Engine,
    /// None once it is written down.
    record: Option<AuditRecord>,
}

impl<'a> AuditedCall<'a> {
    pub(crate) fn begin(
        engine: &'a Engine,
        caller: &Caller,
        operation: &str,
        request: &impl RequestJson,
    ) -> Self {
        let subject = find_subject(&request.to_json());
        let record = new_record(engine, caller, operation, subject, AuditOutcome::Failed);
        Self { engine, record: Some(record) }
    }

    /// Writes the call down and waits until that is on the disk. The operation is done by then, so
    /// that a ledger that refuses the entry is only logged.
    pub(crate) fn end<V>(self, outcome: &Result<V, ApiError>) -> BoxFuture<'a, ()> {
        let outcome = outcome.as_ref().map_or_else(audit_outcome, |_| AuditOutcome::Done);
        Box::pin(self.write(outcome))
    }

    async fn write(mut self, outcome: AuditOutcome) {
        let Some(mut record) = self.record.take() else { return };
        record.outcome = outcome;
        if record.outcome != AuditOutcome::Done {
            record.subject = record.subject.filter(|subject| is_in_use(self.engine, subject));
        }
        let operation = record.operation.clone();
        if let Err(error) = self.engine.ledger().add_audit_record(record).await {
            tracing::error!(%error, operation, "the audit log could not be written");
        }
        self.engine.events().send_changed(&[ChangeTag::Audit.into()]);
    }
}

impl Drop for AuditedCall<'_> {
    fn drop(&mut self) {
        let Some(mut record) = self.record.take() else { return };
        record.subject = record.subject.filter(|subject| is_in_use(self.engine, subject));
        // Queued at once; nobody is left to wait for the commit.
        drop(self.engine.ledger().add_audit_record(record));
    }
}

const fn audit_outcome(error: &ApiError) -> AuditOutcome {
    match error.code {
        ErrorCode::InvalidInput | ErrorCode::NotFound => AuditOutcome::Refused,
        ErrorCode::VaultUnavailable
        | ErrorCode::SettingsInvalid
        | ErrorCode::Offline
        | ErrorCode::TimedOut
        | ErrorCode::Failed => AuditOutcome::Failed,
    }
}

fn new_record(
    engine: &Engine,
    caller: &Caller,
    operation: &str,
    subject: Option<String>,
    outcome: AuditOutcome,
) -> AuditRecord {
    AuditRecord {
        at: engine.clock().wall(),
        caller: caller.kind,
        agent: caller.agent.as_ref().map(|agent| agent.name.clone()),
        agent_version: caller.agent.as_ref().and_then(|agent| agent.version.clone()),
        client: caller.client.as_ref().map(ToString::to_string),
        confirmed: caller.confirmed(),
        operation: operation.to_owned(),
        subject,
        outcome,
    }
}

/// Writes down a call of an agent that the settings do not allow, or that a person did not confirm.
/// `setting` is the one that would allow it. Of many such calls few are kept.
pub(crate) async fn note_not_allowed(
    engine: &Engine,
    caller: &Caller,
    operation: &str,
    setting: Option<&str>,
) {
    let (subject, outcome) = (setting.map(str::to_owned), AuditOutcome::NotAllowed);
    let record = new_record(engine, caller, operation, subject, outcome);
    if let Err(error) = engine.ledger().add_audit_record(record).await {
        tracing::error!(%error, operation, "the audit log could not be written");
    }
    engine.events().send_changed(&[ChangeTag::Audit.into()]);
}

fn find_subject(request: &[u8]) -> Option<String> {
    let request: Value = serde_json::from_slice(request).ok()?;
    let named = |field: &&str| request.get(field).filter(|value| !value.is_null());
    match SUBJECT_FIELDS.iter().find_map(named)? {
        Value::String(text) if is_id(text) => Some(text.clone()),
        Value::Number(number) => number.as_u64().map(|number| number.to_string()),
        _ => None,
    }
}

/// True for text in the form of the ids of backends, keys, clients and routes that looks like no key.
fn is_id(text: &str) -> bool {
    BackendId::new(text).is_ok() && domain::redact(text) == text
}

/// True for a number, and for the id of something in the settings.
fn is_in_use(engine: &Engine, id: &str) -> bool {
    let settings = engine.settings();
    id.bytes().all(|byte| byte.is_ascii_digit())
        || settings.backends.keys().any(|known| known.as_str() == id)
        || settings.credentials.keys().any(|known| known.as_str() == id)
        || settings.clients.keys().any(|known| known.as_str() == id)
        || settings.routes.keys().any(|known| known.as_str() == id)
        || settings.budgets.keys().any(|known| known.as_str() == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OPERATIONS;
    use crate::view::{BackendRef, KeyReplace, PlaygroundSend};
    use domain::Secret;

    #[test]
    fn every_operation_that_changes_or_spends_is_audited_and_no_other() {
        let audited: Vec<_> = OPERATIONS.iter().filter(|row| row.is_audited).collect();
        assert!(audited.len() >= 50, "{}", audited.len());
        let of = |wanted: &str| audited.iter().any(|row| row.name == wanted);
        for name in ["backend_add", "key_replace", "settings_edit", "playground_send"] {
            assert!(of(name), "{name}");
        }
        for name in ["status", "usage", "settings", "audit_log", "route_explain", "vault_check"] {
            assert!(!of(name), "{name}");
        }
    }

    #[test]
    fn an_agents_tool_that_changes_something_is_audited() {
        for tool in crate::agent_tools() {
            let row = OPERATIONS.iter().find(|row| row.name == tool.operation);
            let reads = tool.permission == crate::AgentPermission::Read;
            assert_eq!(row.expect("in the table").is_audited, !reads, "{}", tool.name);
        }
    }

    #[test]
    fn of_a_request_the_id_is_kept_and_nothing_else() {
        let key = "sk-ant-api03-7f3a9c51e2b84d06";
        let secret = Secret::parse(key.to_owned()).expect("a secret");
        let subject = find_subject(
            &KeyReplace { id: "openai".to_owned(), secret, untested: false }.to_json(),
        );
        assert_eq!(subject.as_deref(), Some("openai"));
        for pasted in [key, "Not an id", "", "a/b"] {
            assert_eq!(
                find_subject(&BackendRef { id: pasted.to_owned() }.to_json()),
                None,
                "{pasted}"
            );
        }
        let sent: PlaygroundSend =
            serde_json::from_str(r#"{"model": "up/good", "prompt": "secret words"}"#)
                .expect("parsed");
        assert_eq!(find_subject(&sent.to_json()), None);
        assert_eq!(find_subject(&().to_json()), None);
    }
}
