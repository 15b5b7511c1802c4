//! What a check found out, and the steps that show it.

use std::time::Duration;

use domain::{BoundSecret, OriginMismatch, Secret};
use gateway::{UpstreamFailure, connect};
use monitor::{HealthFinding, ProbeReport, ProbeStep};
use settings::{ServiceAddress, ServiceSettings};
use tokio::net::TcpStream;

pub(crate) const READ_KEY: &str = "Read the key from the vault";
pub(crate) const REFRESHED: &str = "Get an access token";
pub(crate) const REACHED: &str = "Reach the service";
pub(crate) const ACCEPTED: &str = "Key accepted";
pub(crate) const AS_EXPECTED: &str = "Answer as expected";

pub(crate) const CLOSED: &str = "it closed the connection";
pub(crate) const WANTS_PASSWORD: &str = "it wants a password";
pub(crate) const GIVE_PASSWORD: &str = "Give the service its password as a key.";

/// The result of a check, by how far it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// With what was found, as a clause.
    Passed(String),
    Unreachable {
        finding: HealthFinding,
        detail: String,
    },
    /// It answers, and refuses the key or wants one.
    KeyRejected {
        detail: String,
        fix: &'static str,
    },
    /// It answers otherwise than is expected.
    Unexpected {
        finding: HealthFinding,
        detail: String,
        fix: Option<String>,
    },
}

impl Outcome {
    pub(crate) const fn unreachable(detail: String) -> Self {
        Self::Unreachable { finding: HealthFinding::Failed, detail }
    }

    pub(crate) const fn unexpected(detail: String, fix: Option<String>) -> Self {
        Self::Unexpected { finding: HealthFinding::Failed, detail, fix }
    }

    /// By where the fault is: a service does not fail because this machine could not ask it.
    pub(crate) fn of_failure(failure: &UpstreamFailure) -> Self {
        let finding = match failure {
            // Entering the key again is the user's part, so it must not pass for no result.
            UpstreamFailure::Key(_) => HealthFinding::Failed,
            failure if failure.reason().is_none() => HealthFinding::LocalFault,
            _ => HealthFinding::Failed,
        };
        let detail = match failure {
            UpstreamFailure::Dns => {
                "its name cannot be resolved; check its address and the network".to_owned()
            }
            UpstreamFailure::Connect => {
                "it cannot be reached; check that it runs and that its address is right".to_owned()
            }
            other => other.to_string(),
        };
        Self::Unreachable { finding, detail }
    }

    pub(crate) fn into_report(self, is_keyed: bool, duration: Duration) -> ProbeReport {
        let read = is_keyed.then(|| passed_step(READ_KEY, "found", None));
        let reached = || passed_step(REACHED, "it answers", Some(duration));
        let (finding, detail, fix, rest) = match self {
            Self::Passed(detail) => {
                let expected = passed_step(AS_EXPECTED, &detail, None);
                (HealthFinding::Answered, detail, None, vec![reached(), expected])
            }
            Self::Unreachable { finding, detail } => {
                let failed = failed_step(REACHED, &detail, None);
                (finding, detail, None, vec![failed, skipped_step(AS_EXPECTED)])
            }
            Self::KeyRejected { detail, fix } => {
                let failed = failed_step(ACCEPTED, &detail, Some(fix));
                let steps = vec![reached(), failed, skipped_step(AS_EXPECTED)];
                (HealthFinding::KeyRejected, detail, Some(fix.to_owned()), steps)
            }
            Self::Unexpected { finding, detail, fix } => {
                let failed = failed_step(AS_EXPECTED, &detail, fix.as_deref());
                (finding, detail, fix, vec![reached(), failed])
            }
        };
        let report = ProbeReport::new(finding, detail, duration);
        ProbeReport { fix, steps: read.into_iter().chain(rest).collect(), ..report }
    }
}

fn passed_step(title: &str, detail: &str, duration: Option<Duration>) -> ProbeStep {
    ProbeStep::Passed { title: title.to_owned(), detail: detail.to_owned(), duration }
}

pub(crate) fn failed_step(title: &str, detail: &str, fix: Option<&str>) -> ProbeStep {
    let (title, detail) = (title.to_owned(), detail.to_owned());
    ProbeStep::Failed { title, detail, fix: fix.map(str::to_owned) }
}

fn skipped_step(title: &str) -> ProbeStep {
    ProbeStep::Skipped { title: title.to_owned() }
}

/// A connection to the service, by the rules for its address.
pub(crate) async fn reach(service: &ServiceSettings) -> Result<TcpStream, Outcome> {
    let address = &service.address;
    let connected = connect(address.host(), address.port(), service.network).await;
    connected.map_err(|failure| Outcome::of_failure(&failure))
}

/// The secret of `key`, if it is bound to this address.
pub(crate) fn bound_to<'a>(
    key: &'a BoundSecret,
    address: &ServiceAddress,
) -> Result<&'a Secret, Outcome> {
    let asked = address.origin().ok_or(OriginMismatch::Unbound);
    asked
        .and_then(|asked| key.for_origin(&asked))
        .map_err(|mismatch| Outcome::of_failure(&UpstreamFailure::Key(mismatch)))
}
