//! Checks the npm packages of the lock files for vulnerabilities known to the registry. If the
//! registry does not answer (offline, or a mirror that only serves packages), the step is skipped
//! with a message.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::counts::Counts;
use super::{Outcome, Surroundings};
use crate::call::Call;

/// Severities that fail the step.
const GRAVE: [&str; 2] = ["high", "critical"];

/// The result of `npm audit --json`.
#[derive(Debug, PartialEq, Eq)]
enum Audit {
    /// No severe vulnerability is known.
    Clean,
    /// Packages with a severe vulnerability.
    Grave(Vec<String>),
    /// The registry did not answer, with the reason.
    Unanswered(String),
}

/// Audits the panel's packages, and those of the tests with the vendors' SDKs.
pub(super) fn npm(at: &Surroundings<'_>) -> Result<Outcome> {
    let folders = [at.repository.ui(), at.repository.root.join("tests/sdk")];
    let mut counts = Counts::default();
    for folder in folders.iter().filter(|folder| folder.join("package-lock.json").is_file()) {
        counts = counts.plus(one(folder)?);
    }
    Ok(Outcome::Counted(counts))
}

fn one(folder: &Path) -> Result<Counts> {
    let said = Call::npm("audit --json --package-lock-only", folder).capture()?;
    match judged(&said.stdout)? {
        Audit::Clean => Ok(Counts::one_passed()),
        Audit::Grave(packages) => {
            println!("{}: {}; see `npm audit` there", folder.display(), packages.join(", "));
            Ok(Counts::one_failed())
        }
        Audit::Unanswered(why) => {
            println!("SKIPPED: npm audit in {}: {why}", folder.display());
            Ok(Counts::one_skipped())
        }
    }
}

fn judged(report: &str) -> Result<Audit> {
    let report: Value = serde_json::from_str(report).context("npm audit printed no JSON")?;
    if let Some(packages) = report.get("vulnerabilities").and_then(Value::as_object) {
        let is_grave = |package: &Value| {
            let severity = package.get("severity").and_then(Value::as_str);
            severity.is_none_or(|severity| GRAVE.contains(&severity))
        };
        let grave = packages.iter().filter(|(_, package)| is_grave(package));
        let grave: Vec<String> = grave.map(|(name, _)| name.clone()).collect();
        return Ok(if grave.is_empty() { Audit::Clean } else { Audit::Grave(grave) });
    }
    match report.get("message").and_then(Value::as_str) {
        Some(why) if report.get("error").is_some() => Ok(Audit::Unanswered(why.to_owned())),
        _ => bail!("npm audit printed neither a report nor an error"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grave_vulnerability_fails_and_a_silent_registry_is_told() {
        let check = |report: &str, expected| assert_eq!(judged(report).expect(report), expected);
        check(r#"{"auditReportVersion":2,"vulnerabilities":{}}"#, Audit::Clean);
        check(r#"{"vulnerabilities":{"a":{"severity":"moderate"}}}"#, Audit::Clean);
        check(
            r#"{"vulnerabilities":{"a":{"severity":"low"},"b":{"severity":"critical"},"c":{}}}"#,
            Audit::Grave(vec!["b".to_owned(), "c".to_owned()]),
        );
        check(
            r#"{"message":"405 Method Not Allowed","statusCode":405,"error":{"summary":""}}"#,
            Audit::Unanswered("405 Method Not Allowed".to_owned()),
        );
        for nonsense in ["", "{}", "[]", r#"{"message":"x"}"#] {
            assert!(judged(nonsense).is_err(), "{nonsense}: silence is no clean report");
        }
    }
}
